//! The classes that a data set is balanced by.

use serde::{Deserialize, Serialize};

/// What a segment shows, for balancing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Standing with little movement.
    Idle,
    /// Walking forward.
    Walk,
    /// Walking or running backward.
    WalkBackward,
    /// Jogging.
    Jog,
    /// Running.
    Run,
    /// Turning left while moving or in place.
    TurnLeft,
    /// Turning right while moving or in place.
    TurnRight,
    /// Turning by about half a circle.
    TurnAround,
    /// Stepping to the left without turning.
    SidestepLeft,
    /// Stepping to the right without turning.
    SidestepRight,
    /// Moving diagonally against the facing.
    Diagonal,
    /// Moving in a circle.
    Circle,
    /// Stopping, starting, or both.
    StopStart,
    /// Changing between gaits or directions.
    Transition,
    /// Jumping or leaping.
    Jump,
    /// Hopping or skipping.
    Hop,
    /// Kicking.
    Kick,
    /// Punching or boxing.
    Punch,
    /// Waving a hand.
    Wave,
    /// Sitting or sitting down.
    Sit,
    /// Standing up.
    StandUp,
    /// Crouching, squatting or sneaking low.
    Crouch,
    /// Crawling, lying, rolling and other work near the floor.
    Floor,
    /// Picking up, carrying or putting down.
    Carry,
    /// Dancing.
    Dance,
    /// Acrobatics: cartwheels, flips.
    Acrobatics,
    /// Martial arts forms and weapons.
    Fight,
    /// Sports and exercise.
    Sport,
    /// Throwing.
    Throw,
    /// Clapping.
    Clap,
    /// Blocking, dodging and ducking blows.
    Block,
    /// Gestures and talking with the hands.
    Gesture,
    /// Chores, acting and everything else.
    Other,
}

impl Action {
    /// The action of the mirrored clip.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::TurnLeft => Self::TurnRight,
            Self::TurnRight => Self::TurnLeft,
            Self::SidestepLeft => Self::SidestepRight,
            Self::SidestepRight => Self::SidestepLeft,
            other => other,
        }
    }

    /// The name in `index.json`, such as `turn_left`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Walk => "walk",
            Self::WalkBackward => "walk_backward",
            Self::Jog => "jog",
            Self::Run => "run",
            Self::TurnLeft => "turn_left",
            Self::TurnRight => "turn_right",
            Self::TurnAround => "turn_around",
            Self::SidestepLeft => "sidestep_left",
            Self::SidestepRight => "sidestep_right",
            Self::Diagonal => "diagonal",
            Self::Circle => "circle",
            Self::StopStart => "stop_start",
            Self::Transition => "transition",
            Self::Jump => "jump",
            Self::Hop => "hop",
            Self::Kick => "kick",
            Self::Punch => "punch",
            Self::Wave => "wave",
            Self::Sit => "sit",
            Self::StandUp => "stand_up",
            Self::Crouch => "crouch",
            Self::Floor => "floor",
            Self::Carry => "carry",
            Self::Dance => "dance",
            Self::Acrobatics => "acrobatics",
            Self::Fight => "fight",
            Self::Sport => "sport",
            Self::Throw => "throw",
            Self::Clap => "clap",
            Self::Block => "block",
            Self::Gesture => "gesture",
            Self::Other => "other",
        }
    }

    /// Whether the curves of the root alone tell this action.
    #[must_use]
    pub fn is_locomotion(self) -> bool {
        matches!(
            self,
            Self::Idle
                | Self::Walk
                | Self::WalkBackward
                | Self::Jog
                | Self::Run
                | Self::TurnLeft
                | Self::TurnRight
                | Self::TurnAround
                | Self::SidestepLeft
                | Self::SidestepRight
                | Self::Diagonal
                | Self::Circle
                | Self::StopStart
                | Self::Transition
        )
    }
}

/// Whole-word prefixes in a label or caption and what they mean; the first that is found counts, so
/// the specific come before the general.
const WORDS: [(&str, Action); 103] = [
    ("cartwheel", Action::Acrobatics),
    ("cart wheel", Action::Acrobatics),
    ("flip", Action::Acrobatics),
    ("backflip", Action::Acrobatics),
    ("acrobatic", Action::Acrobatics),
    ("breakdanc", Action::Dance),
    ("danc", Action::Dance),
    ("pirouette", Action::Dance),
    ("salsa", Action::Dance),
    ("ballet", Action::Dance),
    ("kata", Action::Fight),
    ("karate block", Action::Fight),
    ("knife-hand", Action::Fight),
    ("sword", Action::Fight),
    ("low block", Action::Fight),
    ("block", Action::Block),
    ("dodge", Action::Block),
    ("duck left", Action::Block),
    ("clap", Action::Clap),
    ("applau", Action::Clap),
    ("kick", Action::Kick),
    ("mawashigeri", Action::Kick),
    ("roundhouse", Action::Kick),
    ("crescent", Action::Kick),
    ("sidekick", Action::Kick),
    ("uppercut", Action::Punch),
    ("hook", Action::Punch),
    ("cross left", Action::Punch),
    ("cross right", Action::Punch),
    ("punch", Action::Punch),
    ("jab", Action::Punch),
    ("box", Action::Carry),
    ("boxing", Action::Punch),
    ("fight", Action::Fight),
    ("direct traffic", Action::Gesture),
    ("referee", Action::Gesture),
    ("gestur", Action::Gesture),
    ("taunt", Action::Gesture),
    ("point", Action::Gesture),
    ("wav", Action::Wave),
    ("karate", Action::Fight),
    ("martial", Action::Fight),
    ("jumping jack", Action::Sport),
    ("lifts the knees", Action::Sport),
    ("lifts one arm", Action::Gesture),
    ("lifts a bottle", Action::Other),
    ("bottle to the mouth", Action::Other),
    ("exercis", Action::Sport),
    ("basketball signal", Action::Gesture),
    ("basketball", Action::Sport),
    ("dribbl", Action::Sport),
    ("golf", Action::Sport),
    ("throw a ball", Action::Throw),
    ("throw object", Action::Throw),
    ("throws something", Action::Throw),
    ("push-up", Action::Sport),
    ("pushup", Action::Sport),
    ("swim", Action::Sport),
    ("sit to stand", Action::StandUp),
    ("sitting exit", Action::StandUp),
    ("stand up", Action::StandUp),
    ("stands up", Action::StandUp),
    ("gets up", Action::StandUp),
    ("sit", Action::Sit),
    ("driving", Action::Sit),
    ("crawl", Action::Floor),
    ("lie", Action::Floor),
    ("lying", Action::Floor),
    ("roll", Action::Floor),
    ("dive", Action::Floor),
    ("kneel", Action::Floor),
    ("death", Action::Floor),
    ("collaps", Action::Floor),
    ("ground", Action::Floor),
    ("crouch", Action::Crouch),
    ("squat", Action::Crouch),
    ("duck", Action::Crouch),
    ("sneak", Action::Crouch),
    ("hop", Action::Hop),
    ("skip", Action::Hop),
    ("jump", Action::Jump),
    ("leap", Action::Jump),
    ("pick", Action::Carry),
    ("lift", Action::Carry),
    ("carr", Action::Carry),
    ("put down", Action::Carry),
    ("scoop", Action::Carry),
    ("side step left", Action::SidestepLeft),
    ("sidestep left", Action::SidestepLeft),
    ("sideways to the left", Action::SidestepLeft),
    ("side step right", Action::SidestepRight),
    ("sidestep right", Action::SidestepRight),
    ("sideways to the right", Action::SidestepRight),
    ("backward", Action::WalkBackward),
    ("walk back", Action::WalkBackward),
    ("circle", Action::Circle),
    ("turn left", Action::TurnLeft),
    ("turn right", Action::TurnRight),
    ("stop", Action::StopStart),
    ("jog", Action::Jog),
    ("run", Action::Run),
    ("walk", Action::Walk),
    ("stand", Action::Idle),
];

/// The action that a label or file name speaks of, if it speaks of one that is known.
///
/// ```
/// use kinograd_dataset::captions::{Action, action_from_label};
/// assert_eq!(action_from_label("Front Kick"), Some(Action::Kick));
/// assert_eq!(action_from_label("prairie dog"), None);
/// ```
#[must_use]
pub fn action_from_label(label: &str) -> Option<Action> {
    let label = label.to_lowercase().replace(['_', '/'], " ");
    let starts_word = |at: usize| {
        label[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric())
    };
    let found = |word: &str| label.match_indices(word).any(|(at, _)| starts_word(at));
    let exact_box = found("boxing") || found("boxer");
    WORDS
        .iter()
        .filter(|(word, _)| !(*word == "box" && exact_box))
        .find(|(word, _)| found(word))
        .map(|&(_, action)| action)
}

/// Whether a label or caption tells of several things after one another, so that it does not hold
/// for a short part of the clip.
#[must_use]
pub fn is_list(text: &str) -> bool {
    let text = text.to_lowercase();
    let starts_with_genre = text.starts_with("dance -") || text.starts_with("basketball -");
    [",", ";", ":", " then ", " and ", " to ", " 2 "]
        .iter()
        .any(|mark| text.contains(mark))
        || (text.contains(" - ") && !starts_with_genre)
}
