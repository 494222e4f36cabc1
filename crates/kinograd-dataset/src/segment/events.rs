//! Short actions as segments: alone, with what comes before and after, and several in order.

use std::ops::{Range, RangeInclusive};

use super::{CAPTIONS, Cutter, LONGEST_SEGMENT, SHORTEST_SEGMENT, told_nothing};
use crate::captions::{Action, Event, describe, event_captions};

/// Lengths of segments that show an action with what comes before and after, frames.
const CONTEXT: [usize; 5] = [60, 80, 100, 130, 160];
/// Segments with context made for an action.
const CONTEXTS: usize = 2;
/// What comes before or after counts from this length on, frames (0.7 s).
const SHORTEST_CONTEXT: usize = 14;
/// Actions closer than this follow one another, frames.
const FOLLOWS: usize = 16;
/// A body that moves its limbs less than this while it stands or sits does nothing else, m/s.
const QUIET_M_S: f64 = 0.5;
const SEATED_PELVIS_M: f64 = 0.66;
const STANDING_PELVIS_M: f64 = 0.82;

impl Cutter<'_> {
    pub(super) fn short_actions(&mut self) {
        let unlabelled = told_nothing(self.text);
        let mut events = std::mem::take(&mut self.events);
        events.retain(|event| {
            (unlabelled || self.fits(event.action)) && event.frames.len() >= SHORTEST_SEGMENT
        });
        for event in &events {
            let seed = self.draw();
            let mut words = event_captions(event, CAPTIONS, seed);
            self.add_own(event, &mut words);
            let end = event.frames.end.min(event.frames.start + LONGEST_SEGMENT);
            self.push(event.frames.start..end, event.action, words, false);
        }
        events.sort_by_key(|event| event.frames.start);
        self.with_context(&events);
        self.several(&events);
    }

    /// Whether the clip's words speak of an action that the joints show.
    fn fits(&self, action: Action) -> bool {
        let told = self.told;
        match action {
            Action::Jump => {
                !matches!(
                    told,
                    Some(Action::Acrobatics | Action::Floor | Action::Dance | Action::Sport)
                ) && !self.says(&["climb"])
            }
            Action::Hop => self.says(&["hop", "jump", "leap"]) && told != Some(Action::Dance),
            Action::Kick => self.says(&["kick", "kata", "karate"]),
            Action::Punch => self.says(&["punch", "boxing", "jab", "kata", "karate"]),
            Action::Wave => self.says(&["wav", "hello", "greet"]),
            Action::Sit => self.says(&["sit", "seat", "driv", "meditat"]),
            Action::StandUp => self.says(&["sit", "seat", "crouch", "squat", "stand"]),
            Action::Crouch => self.says(&["crouch", "squat", "duck"]),
            _ => true,
        }
    }

    /// A clip about an action says more of it than the joints: "kicks a soccer ball".
    fn add_own(&self, event: &Event, words: &mut Vec<String>) {
        let stays = matches!(event.action, Action::Sit)
            && !event
                .phrases
                .iter()
                .any(|p| p.contains("down") || p.contains("onto"));
        if self.told == Some(event.action) && !stays {
            words.extend(self.own.iter().take(2).cloned());
        }
    }

    /// Each action with what comes before and after, at several lengths, up to its neighbours.
    fn with_context(&mut self, events: &[Event]) {
        for (index, event) in events.iter().enumerate() {
            let core = &event.frames;
            let before = events[..index].iter().map(|e| e.frames.end).max();
            let after = events[index + 1..].iter().map(|e| e.frames.start).min();
            let first = before.unwrap_or(0).min(core.start);
            let last = after.unwrap_or(self.kinematics.len()).max(core.end);
            for _ in 0..CONTEXTS {
                let wanted = CONTEXT[self.seed.below(CONTEXT.len())];
                let length = wanted.min(last - first).max(core.len());
                if length < core.len() + SHORTEST_CONTEXT || length > LONGEST_SEGMENT {
                    continue;
                }
                let earliest = first.max(core.end.saturating_sub(length));
                let latest = core.start.min(last - length);
                let start = earliest + self.seed.below(latest - earliest + 1);
                let frames = start..start + length;
                let seed = self.draw();
                let mut words = self.in_order(event, &frames);
                words.extend(event_captions(event, 3, seed));
                self.add_own(event, &mut words);
                self.push(frames, event.action, words, false);
            }
        }
    }

    /// Captions that say what comes before and after an action.
    fn in_order(&self, event: &Event, frames: &Range<usize>) -> Vec<String> {
        let verb = event.phrases[0];
        let before = self.state(frames.start..event.frames.start);
        let after = match self.state(event.frames.end..frames.end) {
            Some("sits") if event.action == Action::Sit => Some("stays seated"),
            after => after,
        };
        match (before, after) {
            (Some(before), Some(after)) => vec![
                format!("a person {before}, {verb}, then {after}"),
                format!("a person {before}, then {verb} and {after}"),
            ],
            (Some(before), None) => vec![
                format!("a person {before} and then {verb}"),
                format!("someone {before}, then {verb}"),
            ],
            (None, Some(after)) => vec![
                format!("a person {verb} and then {after}"),
                format!("someone {verb}, then {after}"),
            ],
            (None, None) => Vec::new(),
        }
    }

    /// What the body does in a stretch, if it is one plain thing.
    fn state(&self, frames: Range<usize>) -> Option<&'static str> {
        if frames.len() < SHORTEST_CONTEXT {
            return None;
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let quiet = mean(&self.kinematics.activity_m_s[frames.clone()]) < QUIET_M_S
            && mean(&self.kinematics.speed_m_s[frames.clone()]) < 0.25;
        let pelvis_m = mean(&self.kinematics.pelvis_m[frames.clone()]);
        if quiet && pelvis_m < SEATED_PELVIS_M && self.says(&["sit", "seat"]) {
            return Some("sits");
        }
        if quiet && pelvis_m > STANDING_PELVIS_M {
            return Some("stands");
        }
        match describe(self.kinematics, frames)?.action {
            Action::Walk => Some("walks"),
            Action::Jog => Some("jogs"),
            Action::Run => Some("runs"),
            Action::WalkBackward => Some("walks backwards"),
            _ => None,
        }
    }

    /// Runs of the same action with their number, and pairs of different ones with their order.
    fn several(&mut self, events: &[Event]) {
        let follows = |a: &Event, b: &Event| {
            b.frames.start <= a.frames.end + FOLLOWS && b.frames.end > a.frames.end
        };
        for first in 0..events.len() {
            let mut last = first;
            while last + 1 < events.len()
                && events[last + 1].phrases == events[first].phrases
                && follows(&events[last], &events[last + 1])
            {
                last += 1;
                let count = last - first + 1;
                self.counted(
                    &events[first],
                    apart_from_others(events, first..=last),
                    count,
                );
            }
            if let Some(next) = events.get(last + 1)
                && last == first
                && follows(&events[first], next)
            {
                self.pair(&events[first], next);
            }
        }
    }

    fn counted(&mut self, first: &Event, frames: Range<usize>, count: usize) {
        // Blows that run into one another were joined to one event without a number.
        let countable = matches!(first.action, Action::Kick | Action::Jump)
            || (first.action == Action::Punch && first.phrases[0].contains("hand"));
        let often: &[&str] = match count {
            2 => &["twice", "two times"],
            3 => &["three times"],
            4 => &["four times"],
            5 => &["five times"],
            _ => return,
        };
        if !countable || frames.len() > LONGEST_SEGMENT {
            return;
        }
        let words = first.phrases[..2]
            .iter()
            .flat_map(|verb| often.iter().map(move |often| counted_verb(verb, often)))
            .collect();
        self.push(frames, first.action, words, false);
    }

    fn pair(&mut self, first: &Event, second: &Event) {
        let frames = first.frames.start..second.frames.end;
        if frames.len() > LONGEST_SEGMENT || second.frames.start < first.frames.start + 10 {
            return;
        }
        let (one, other) = (first.phrases[0], second.phrases[0]);
        let words = vec![
            format!("a person {one}, then {other}"),
            format!("someone {one} and then {other}"),
        ];
        self.push(frames, second.action, words, false);
    }
}

/// Frames of a run of events, with room only up to half-way to what else is done of the same action: a segment of
/// two jumps shows no third.
fn apart_from_others(events: &[Event], run: RangeInclusive<usize>) -> Range<usize> {
    let (first, last) = (&events[*run.start()], &events[*run.end()]);
    let mut frames = first.frames.start..last.frames.end;
    let others = events
        .iter()
        .enumerate()
        .filter(|(index, other)| !run.contains(index) && other.action == first.action);
    for (_, other) in others {
        if other.core.end <= first.core.start {
            frames.start = frames.start.max((other.core.end + first.core.start) / 2);
        }
        if other.core.start >= last.core.end {
            frames.end = frames.end.min((last.core.end + other.core.start) / 2);
        }
    }
    frames
}

/// "kicks with the left leg" and "twice" → "a person kicks twice with the left leg".
fn counted_verb(verb: &str, often: &str) -> String {
    match verb.split_once(" with ") {
        Some((verb, limb)) => format!("a person {verb} {often} with {limb}"),
        None => format!("a person {verb} {often}"),
    }
}
