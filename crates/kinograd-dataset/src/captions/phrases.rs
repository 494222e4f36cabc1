//! The words.

use super::describe::{Description, Direction, Gait, Phase};
use super::{Action, Event};

const SUBJECTS: [&str; 4] = ["a person", "someone", "a person", "the person"];

/// A verb in the three forms that prompts use.
#[derive(Debug, Clone, Copy)]
struct Verb {
    third: &'static str,
    gerund: &'static str,
    bare: &'static str,
}

const WALK: Verb = Verb {
    third: "walks",
    gerund: "walking",
    bare: "walk",
};
const JOG: Verb = Verb {
    third: "jogs",
    gerund: "jogging",
    bare: "jog",
};
const RUN: Verb = Verb {
    third: "runs",
    gerund: "running",
    bare: "run",
};
const STEP: Verb = Verb {
    third: "steps",
    gerund: "stepping",
    bare: "step",
};
const SNEAK: Verb = Verb {
    third: "walks in a crouch",
    gerund: "walking in a crouch",
    bare: "walk in a crouch",
};

/// Captions of a description: the plain one first, then up to `count − 1` others by `seed`.
/// Empty where there are no words for it.
#[must_use]
pub fn captions(description: &Description, count: usize, seed: u64) -> Vec<String> {
    let Some(verb) = verb_of(description) else {
        return pick(other_phrases(description), count, seed);
    };
    let mut phrases = Vec::new();
    for tail in tails(description) {
        phrases.push((verb, tail));
    }
    let mut sentences = Vec::new();
    for (index, (verb, tail)) in phrases.iter().enumerate() {
        sentences.push(Sentence::Third(join(verb.third, tail)));
        // A second verb would need its own form.
        if index < 2 && !tail.contains("and ") {
            sentences.push(Sentence::Third(format!("is {}", join(verb.gerund, tail))));
            sentences.push(Sentence::Whole(join(verb.gerund, tail)));
            sentences.push(Sentence::Whole(join(verb.bare, tail)));
        }
    }
    sentences.extend(other_phrases(description));
    pick(sentences, count, seed)
}

/// Captions of an event, the plain one first.
#[must_use]
pub fn event_captions(event: &Event, count: usize, seed: u64) -> Vec<String> {
    pick(
        event
            .phrases
            .iter()
            .map(|phrase| Sentence::Third((*phrase).to_owned()))
            .collect(),
        count,
        seed,
    )
}

enum Sentence {
    /// A verb in the third person that wants a subject.
    Third(String),
    /// A caption as it stands.
    Whole(String),
}

fn join(verb: &str, tail: &str) -> String {
    if tail.is_empty() {
        verb.to_owned()
    } else if let Some(adverb) = tail.strip_prefix('^') {
        format!("{adverb} {verb}")
    } else {
        format!("{verb} {tail}")
    }
}

fn pick(mut sentences: Vec<Sentence>, count: usize, seed: u64) -> Vec<String> {
    let mut draws = Draws(seed);
    if sentences.is_empty() || count == 0 {
        return Vec::new();
    }
    let first = sentences.remove(0);
    for i in (1..sentences.len()).rev() {
        sentences.swap(i, draws.below(i + 1));
    }
    let mut out: Vec<String> = Vec::with_capacity(count);
    for (index, sentence) in std::iter::once(first).chain(sentences).enumerate() {
        let caption = match sentence {
            Sentence::Whole(text) => text,
            Sentence::Third(text) if index == 0 => format!("a person {text}"),
            Sentence::Third(text) => {
                format!("{} {text}", SUBJECTS[draws.below(SUBJECTS.len())])
            }
        };
        if !out.contains(&caption) {
            out.push(caption);
        }
        if out.len() == count {
            break;
        }
    }
    out
}

/// SplitMix64 (Steele et al. 2014): enough for choosing words.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    /// A number in `0..bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound.max(1) as u64) as usize
    }
}

fn moving_speed(phases: &[Phase]) -> f64 {
    let moving = phases.iter().filter(|p| p.direction != Direction::Still);
    let (time, path) = moving.fold((0.0, 0.0), |(time, path), p| {
        let frames = p.frames.len() as f64;
        (time + frames, path + frames * p.speed_m_s)
    });
    if time > 0.0 { path / time } else { 0.0 }
}

fn gait(gait: Gait) -> Verb {
    match gait {
        Gait::Walk => WALK,
        Gait::Jog => JOG,
        Gait::Run => RUN,
    }
}

/// The gait of the longest phase that travels.
fn main_gait(phases: &[Phase]) -> Option<Verb> {
    phases
        .iter()
        .filter(|p| p.direction != Direction::Still)
        .max_by_key(|p| p.frames.len())
        .map(|p| gait(p.gait))
}

/// The verb of one-verb descriptions.
fn verb_of(description: &Description) -> Option<Verb> {
    let speed = moving_speed(&description.phases);
    match description.action {
        Action::Walk
        | Action::Jog
        | Action::Run
        | Action::Circle
        | Action::WalkBackward
        | Action::Diagonal => main_gait(&description.phases),
        Action::SidestepLeft | Action::SidestepRight => Some(STEP),
        Action::TurnLeft | Action::TurnRight | Action::TurnAround => main_gait(&description.phases),
        Action::Crouch if speed > 0.0 => Some(SNEAK),
        _ => None,
    }
}

fn side(left: bool) -> &'static str {
    if left { "left" } else { "right" }
}

/// What follows the verb, the plain one first; "^" puts it before the verb.
fn tails(description: &Description) -> Vec<&'static str> {
    let speed = moving_speed(&description.phases);
    let left = description.turn_deg > 0.0;
    let turn = description.turn_deg.abs();
    let direction = description.phases.first().map(|p| p.direction);
    match description.action {
        Action::Circle if left => vec![
            "in a circle",
            "in a circle to the left",
            "around in a circle",
            "in a counterclockwise circle",
            "in circles",
            "counterclockwise in a circle",
        ],
        Action::Circle => vec![
            "in a circle",
            "in a circle to the right",
            "around in a circle",
            "in a clockwise circle",
            "in circles",
            "clockwise in a circle",
        ],
        Action::WalkBackward => vec![
            "backwards",
            "backward",
            "backwards in a straight line",
            "straight back",
        ],
        Action::SidestepLeft => vec![
            "sideways to the left",
            "to the left",
            "left",
            "sideways left",
            "to the left side",
            "to their left",
        ],
        Action::SidestepRight => vec![
            "sideways to the right",
            "to the right",
            "right",
            "sideways right",
            "to the right side",
            "to their right",
        ],
        Action::Diagonal => match direction {
            Some(Direction::ForwardLeft) => {
                vec!["diagonally forward to the left", "diagonally left"]
            }
            Some(Direction::ForwardRight) => {
                vec!["diagonally forward to the right", "diagonally right"]
            }
            Some(Direction::BackwardLeft) => vec!["diagonally backward to the left"],
            _ => vec!["diagonally backward to the right"],
        },
        Action::TurnAround => vec![
            "and turns around",
            "and turns back",
            "and makes a u-turn",
            "forward and turns around",
        ],
        Action::TurnLeft | Action::TurnRight => turn_tails(left, turn, description.sharp),
        Action::Crouch => match direction {
            Some(Direction::Backward) => vec!["backwards"],
            Some(Direction::Forward) => vec!["", "forward", "and keeps low"],
            _ => vec!["", "and keeps low"],
        },
        Action::Walk => walk_tails(speed, description.turn_deg),
        _ if turn < 25.0 => vec![
            "forward",
            "",
            "straight ahead",
            "in a straight line",
            "straight forward",
        ],
        _ => vec!["forward", ""],
    }
}

fn walk_tails(speed: f64, turn_deg: f64) -> Vec<&'static str> {
    let mut tails = match speed {
        s if s < 0.65 => vec![
            "slowly",
            "forward slowly",
            "^slowly",
            "forward at a slow pace",
            "",
        ],
        s if s < 1.45 => vec![
            "forward",
            "",
            "at a normal pace",
            "forward at a normal pace",
        ],
        _ => vec!["quickly", "fast", "forward quickly", "briskly", ""],
    };
    match turn_deg {
        t if t > 25.0 => tails.push("forward and veers slightly to the left"),
        t if t < -25.0 => tails.push("forward and veers slightly to the right"),
        t if t.abs() < 20.0 => tails.extend(["straight ahead", "in a straight line"]),
        _ => {}
    }
    tails
}

fn turn_tails(left: bool, turn: f64, sharp: bool) -> Vec<&'static str> {
    match (left, turn, sharp) {
        (true, t, _) if t < 65.0 => {
            vec![
                "and turns left",
                "and veers left",
                "slightly to the left",
                "and turns slightly left",
            ]
        }
        (false, t, _) if t < 65.0 => {
            vec![
                "and turns right",
                "and veers right",
                "slightly to the right",
                "and turns slightly right",
            ]
        }
        (true, t, true) if t < 135.0 => vec![
            "and turns left",
            "forward and turns left",
            "and makes a left turn",
            "and turns to the left",
        ],
        (false, t, true) if t < 135.0 => vec![
            "and turns right",
            "forward and turns right",
            "and makes a right turn",
            "and turns to the right",
        ],
        (true, _, _) => vec![
            "in a curve to the left",
            "and turns left",
            "to the left",
            "along a bend to the left",
        ],
        (false, _, _) => vec![
            "in a curve to the right",
            "and turns right",
            "to the right",
            "along a bend to the right",
        ],
    }
}

/// Sentences of descriptions with several verbs, or without travel.
fn other_phrases(description: &Description) -> Vec<Sentence> {
    let third = |list: &[&str]| {
        list.iter()
            .map(|s| Sentence::Third((*s).to_owned()))
            .collect()
    };
    let left = description.turn_deg > 0.0;
    let travels = moving_speed(&description.phases) > 0.0;
    match description.action {
        Action::Idle => vec![
            Sentence::Third("stands still".into()),
            Sentence::Third("stands".into()),
            Sentence::Third("is standing still".into()),
            Sentence::Third("stands in place".into()),
            Sentence::Third("does not move".into()),
            Sentence::Whole("standing still".into()),
            Sentence::Whole("stand still".into()),
        ],
        Action::Crouch if !travels => third(&["stays in a crouch", "crouches", "is crouching"]),
        Action::TurnLeft | Action::TurnRight => {
            let word = side(left);
            let mut out = vec![
                Sentence::Third(format!("turns {word}")),
                Sentence::Third(format!("turns to the {word}")),
                Sentence::Third(format!("is turning {word}")),
                Sentence::Whole(format!("turn {word}")),
                Sentence::Whole(format!("turning {word}")),
            ];
            if !travels {
                out.push(Sentence::Third(format!("turns {word} in place")));
                out.push(Sentence::Third(format!("turns on the spot to the {word}")));
            }
            out
        }
        Action::TurnAround => {
            let mut out: Vec<Sentence> = third(&["turns around", "turns back"]);
            out.push(Sentence::Third(format!(
                "turns around to the {}",
                side(left)
            )));
            out
        }
        Action::SidestepLeft | Action::SidestepRight => {
            let word = side(description.action == Action::SidestepLeft);
            vec![
                Sentence::Third(format!("sidesteps to the {word}")),
                Sentence::Third(format!("walks sideways to the {word}")),
                Sentence::Third(format!("side steps {word}")),
                Sentence::Third(format!("moves to the {word} without turning")),
                Sentence::Whole(format!("sidestep {word}")),
                Sentence::Whole(format!("walk sideways to the {word}")),
            ]
        }
        Action::StopStart | Action::Transition => {
            match (description.phases.len(), description.faster) {
                (1, Some(true)) => third(&[
                    "walks and then runs",
                    "walks, then breaks into a run",
                    "speeds up from a walk to a run",
                    "starts walking and then runs",
                ]),
                (1, Some(false)) => third(&[
                    "runs and then walks",
                    "runs and slows down to a walk",
                    "slows down from a run to a walk",
                ]),
                _ => sequence(&description.phases),
            }
        }
        _ => Vec::new(),
    }
}

fn phase_words(phase: &Phase, gerund: bool) -> String {
    let verb = gait(phase.gait);
    let verb = if gerund { verb.gerund } else { verb.third };
    match phase.direction {
        Direction::Still => (if gerund { "standing" } else { "stands" }).to_owned(),
        Direction::Backward => format!("{verb} backwards"),
        Direction::Left => format!("{verb} sideways to the left"),
        Direction::Right => format!("{verb} sideways to the right"),
        _ => format!("{verb} forward"),
    }
}

/// What a part does while the clip's own words are said of it: "walking forward".
pub(crate) fn while_words(description: &Description) -> Option<String> {
    let longest = description.phases.iter().max_by_key(|p| p.frames.len())?;
    match description.action {
        Action::Idle => Some("standing".to_owned()),
        Action::TurnLeft => Some("turning left".to_owned()),
        Action::TurnRight => Some("turning right".to_owned()),
        Action::TurnAround => Some("turning around".to_owned()),
        Action::Walk
        | Action::Jog
        | Action::Run
        | Action::WalkBackward
        | Action::SidestepLeft
        | Action::SidestepRight => Some(phase_words(longest, true)),
        _ => None,
    }
}

/// The gait of a description in the third person, where it travels: "walks".
pub(crate) fn gait_word(description: &Description) -> Option<&'static str> {
    main_gait(&description.phases).map(|verb| verb.third)
}

fn sequence(phases: &[Phase]) -> Vec<Sentence> {
    let still = |p: &Phase| p.direction == Direction::Still;
    let third = |text: String| Sentence::Third(text);
    match phases {
        [a, b] if still(a) => vec![
            third(format!("stands and then starts {}", phase_words(b, true))),
            third(format!("stands still, then {}", phase_words(b, false))),
            third(format!("starts {}", phase_words(b, true))),
            third(format!("stands and then starts {}", gait(b.gait).gerund)),
            third(format!("stands and then {}", gait(b.gait).third)),
        ],
        [a, b] if still(b) => vec![
            third(format!("{} and stops", phase_words(a, false))),
            third(format!("{} and comes to a stop", phase_words(a, false))),
            third(format!("{}, then stands still", phase_words(a, false))),
            third(format!("stops {}", phase_words(a, true))),
            third(format!("{} and stops", gait(a.gait).third)),
        ],
        [a, b, c] if still(b) && a.direction == c.direction => vec![
            third(format!(
                "{}, stops and {} again",
                phase_words(a, false),
                phase_words(c, false)
            )),
            third(format!("{}, stops, and continues", phase_words(a, false))),
        ],
        [a, b, c] if still(b) => vec![
            third(format!(
                "{}, stops, then {}",
                phase_words(a, false),
                phase_words(c, false)
            )),
            third(format!(
                "{} and then {}",
                phase_words(a, false),
                phase_words(c, false)
            )),
        ],
        [a, b] => vec![
            third(format!(
                "{} and then {}",
                phase_words(a, false),
                phase_words(b, false)
            )),
            third(format!(
                "{}, then {}",
                phase_words(a, false),
                phase_words(b, false)
            )),
        ],
        _ => Vec::new(),
    }
}
