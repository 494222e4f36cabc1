//! Cutting a clip into captioned segments.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::captions::{
    Action, Description, Direction, Draws, Event, Gait, Kinematics, Phase, Style,
    action_from_label, captions, describe, find_events, gait_word, holds_for_part, holds_on_floor,
    is_list, is_plain, joined, locomotion_phases, mirror_caption, shorter, style_of, styled,
};

mod events;

/// Longest segment, frames (10 s).
pub const LONGEST_SEGMENT: usize = 200;
/// Shortest segment, frames (1 s).
pub const SHORTEST_SEGMENT: usize = 20;
/// Lengths of the windows over long takes, frames.
const WINDOWS: [usize; 4] = [40, 70, 110, 160];
/// Frames that are parted into phases at a time.
const BLOCK: usize = 2000;
/// Captions made for a segment.
const CAPTIONS: usize = 6;

/// A captioned stretch of a clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// First frame within the clip.
    pub start: usize,
    /// Number of frames.
    pub frames: usize,
    /// The class to balance by.
    pub action: Action,
    /// How it is done, such as `zombie`: the second axis to balance by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// Captions of the segment as a whole.
    pub captions: Vec<String>,
    /// Whether the captions also hold for any part of it.
    pub croppable: bool,
}

impl Segment {
    /// A clip of so many frames under what is said of it, and nothing that was measured: the action is that
    /// of the label, or else of the first caption that speaks of one.
    pub(crate) fn whole(frames: usize, text: ClipText<'_>) -> Self {
        let said = std::iter::once(text.label).chain(text.captions.iter().map(String::as_str));
        let told = said.into_iter().find_map(action_from_label);
        let action = told.unwrap_or(Action::Other);
        let holds = text.captions.iter().all(|caption| holds_for_part(caption));
        Self {
            start: 0,
            frames,
            action,
            style: style_of(text.label, text.captions).map(|style| style.name.to_owned()),
            captions: text.captions.to_vec(),
            croppable: holds && (action.is_locomotion() || lasts(action)),
        }
    }

    /// The same segment of the mirrored clip.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self {
            action: self.action.mirrored(),
            captions: self.captions.iter().map(|c| mirror_caption(c)).collect(),
            ..self.clone()
        }
    }
}

/// What people say about a clip.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClipText<'a> {
    /// A short label; empty for none.
    pub label: &'a str,
    /// Captions of the whole clip.
    pub captions: &'a [String],
    /// Whether this is only a part of what the label speaks of.
    pub part: bool,
}

/// The segments of a clip, in order of how they were found: the whole clip, windows, rare stretches
/// (side steps, turns, stops), short actions alone and with what comes before and after. `seed`
/// chooses among paraphrases.
///
/// What is measured (direction, speed, turning, order, count) is joined to what people say of the
/// clip; only a clip that is said to be plain is described by measured words alone.
#[must_use]
pub fn segments(kinematics: &Kinematics, text: ClipText<'_>, seed: u64) -> Vec<Segment> {
    let mut kinematics = kinematics.clone();
    if walks_only(text) {
        // Toes that a rig holds too high look like flight.
        kinematics.in_flight.fill(false);
    }
    let sits = says(text, &["sit", "seat"]);
    let holds = if text.part {
        holds_on_floor
    } else {
        holds_for_part
    };
    // "walk to skip": its captions speak of the change.
    let changes = text.label.contains(" to ");
    let said = text.captions.iter();
    let own: Vec<String> = said.filter(|c| !changes && holds(c)).cloned().collect();
    // What is said of a climb says nothing of the floor before it: there the joints tell.
    let captions = if text.part { &own } else { text.captions };
    let text = ClipText { captions, ..text };
    let mut cutter = Cutter {
        kinematics: &kinematics,
        events: find_events(&kinematics, sits),
        text,
        told: told_action(text),
        plain: is_plain(text.label, text.captions),
        style: style_of(text.label, &own),
        own: own.clone(),
        seed: Draws(seed),
        found: Vec::new(),
    };
    if kinematics.len() <= LONGEST_SEGMENT {
        cutter.whole();
    } else {
        cutter.own_windows();
    }
    if cutter.root_tells() {
        cutter.windows();
        cutter.stretches();
        cutter.turns();
        cutter.circles();
    }
    cutter.short_actions();
    cutter.found
}

fn told_action(text: ClipText<'_>) -> Option<Action> {
    let mut by_captions = text.captions.iter().map(|c| action_from_label(c));
    // "Start Walk Left" is a dance if its captions say so.
    if by_captions.clone().any(|a| a == Some(Action::Dance)) {
        return Some(Action::Dance);
    }
    action_from_label(text.label).or_else(|| by_captions.find_map(|a| a))
}

fn says(text: ClipText<'_>, words: &[&str]) -> bool {
    let said = |place: &str| {
        let place = place.to_lowercase();
        words.iter().any(|word| place.contains(word))
    };
    said(text.label) || text.captions.iter().any(|caption| said(caption))
}

fn walks_only(text: ClipText<'_>) -> bool {
    says(text, &["walk"]) && !says(text, &["run", "jog", "skip", "hop", "jump", "leap"])
}

/// Whether nobody said what the clip shows, so that the joints alone have to tell.
fn told_nothing(text: ClipText<'_>) -> bool {
    !text.part && text.captions.is_empty() && action_from_label(text.label).is_none()
}

struct Cutter<'a> {
    kinematics: &'a Kinematics,
    events: Vec<Event>,
    text: ClipText<'a>,
    told: Option<Action>,
    /// Whether measured words say all that there is to say.
    plain: bool,
    style: Option<&'static Style>,
    /// The clip's own captions that hold for a part of it.
    own: Vec<String>,
    seed: Draws,
    found: Vec<Segment>,
}

impl Cutter<'_> {
    fn draw(&mut self) -> u64 {
        self.seed.below(usize::MAX) as u64
    }

    /// Whether words about the root's path are enough for this clip.
    fn root_tells(&self) -> bool {
        match self.told {
            None => self.text.captions.is_empty() || self.style.is_some_and(Style::is_of_gait),
            Some(action) => {
                action.is_locomotion()
                    || matches!(
                        action,
                        Action::Hop | Action::Jump | Action::Crouch | Action::Carry
                    )
            }
        }
    }

    fn says(&self, words: &[&str]) -> bool {
        says(self.text, words)
    }

    fn whole(&mut self) {
        let frames = 0..self.kinematics.len();
        let seen = describe(self.kinematics, frames.clone());
        // What is said of the whole does not hold where a part was cut away.
        let mut words = if self.text.part {
            self.own.clone()
        } else {
            self.text.captions.to_vec()
        };
        let told = self.told;
        let mut action = self.own_action();
        let mut uniform = false;
        if let Some(seen) = &seen
            && told.is_none_or(Action::is_locomotion)
            && (told.is_some() || self.text.captions.is_empty())
        {
            uniform = seen.uniform && words.iter().all(|w| holds_for_part(w));
            if self.plain || self.style.is_some() || seen.action != Action::Idle {
                action = seen.action;
            }
            let count = if words.is_empty() { CAPTIONS } else { 4 };
            for caption in self.measured(seen, count) {
                if !words.contains(&caption) {
                    words.push(caption);
                }
            }
        }
        if seen.is_none() && self.changes(action) {
            action = Action::Transition;
        }
        // A file's name, in words, is better than nothing and may say more than the root's path.
        if self.text.captions.is_empty() && told.is_some() && !self.text.part {
            words.push(self.text.label.to_lowercase());
        }
        let holds = words.iter().all(|w| holds_for_part(w));
        let unlisted = !self.text.captions.is_empty() || !is_list(self.text.label);
        self.push(
            frames.clone(),
            action,
            words,
            uniform || (lasts(action) && holds && unlisted),
        );
        if lasts(action) && !holds {
            self.push(frames, action, self.own.clone(), true);
        }
    }

    /// The action that the clip's words speak of. One who waits, talks or looks around is not idle.
    fn own_action(&self) -> Action {
        match self.told {
            Some(Action::Idle) if !self.plain => Action::Other,
            told => told.unwrap_or(Action::Other),
        }
    }

    /// Measured captions, joined to the clip's own words unless those are plain.
    fn measured(&mut self, seen: &Description, count: usize) -> Vec<String> {
        let seed = self.draw();
        match self.style {
            Some(style) => {
                let words = captions(seen, count, seed);
                let mut out = styled(&words, gait_word(seen), style, &mut self.seed);
                out.extend(self.own.iter().take(2).cloned());
                out
            }
            None if self.plain || self.text.captions.is_empty() || self.own.is_empty() => {
                captions(seen, count, seed)
            }
            None => joined(&self.own, Some(seen)),
        }
    }

    /// Whether the label of a clip that cannot be described tells of more than this action.
    fn changes(&self, action: Action) -> bool {
        let back = self.says(&["back"]);
        action == Action::WalkBackward
            || (action.is_locomotion() && (back || is_list(self.text.label)))
    }

    /// Windows of a long take, under the clip's own words for it.
    fn own_windows(&mut self) {
        let plain_gait = self.plain && self.told.is_some_and(Action::is_locomotion);
        if self.own.is_empty() || plain_gait {
            return;
        }
        let action = self.own_action();
        // Other short actions need their moment: a crop could miss it.
        let croppable = lasts(action) || action == Action::Punch || action.is_locomotion();
        let mut start = 0;
        while start + 60 <= self.kinematics.len() {
            let end = (start + LONGEST_SEGMENT).min(self.kinematics.len());
            self.push(start..end, action, self.own.clone(), croppable);
            start += LONGEST_SEGMENT;
        }
    }

    fn windows(&mut self) {
        let frames = self.kinematics.len();
        for length in WINDOWS {
            if length + 10 > frames {
                break;
            }
            let mut start = 0;
            while start + length <= frames {
                self.described(start..start + length);
                start += length / 2;
            }
        }
    }

    /// Stretches with one rare direction, and the moments between standing and moving.
    fn stretches(&mut self) {
        let frames = self.kinematics.len();
        // Blocks bound the work on very long takes.
        let phases: Vec<Phase> = (0..frames)
            .step_by(BLOCK)
            .flat_map(|start| locomotion_phases(self.kinematics, start..start + BLOCK))
            .collect();
        for phase in &phases {
            let rare = !matches!(phase.direction, Direction::Still | Direction::Forward);
            if rare && phase.frames.len() >= SHORTEST_SEGMENT {
                let end = phase.frames.end.min(phase.frames.start + LONGEST_SEGMENT);
                self.described(phase.frames.start..end);
            }
        }
        for pair in phases.windows(2) {
            let still = |i: usize| pair[i].direction == Direction::Still;
            if still(0) != still(1) {
                let at = pair[1].frames.start;
                let start = at.saturating_sub(40).max(pair[0].frames.start);
                let end = (at + 40).min(pair[1].frames.end).min(frames);
                self.described(start..end);
            }
        }
    }

    /// Around the moments of fastest turning.
    fn turns(&mut self) {
        let frames = self.kinematics.len();
        const SPAN: usize = 24;
        if frames <= SPAN + 2 {
            return;
        }
        let turn: Vec<f64> = (0..frames - SPAN)
            .map(|f| self.kinematics.turn_deg(f, f + SPAN).abs())
            .collect();
        let mut next_free = 0;
        for at in 0..turn.len() {
            let around = &turn[at.saturating_sub(SPAN)..(at + SPAN).min(turn.len())];
            let is_peak = around.iter().all(|&t| t <= turn[at]);
            if is_peak && turn[at] > 50.0 && at >= next_free {
                self.described(at.saturating_sub(16)..(at + SPAN + 16).min(frames));
                next_free = at + SPAN;
            }
        }
    }

    fn circles(&mut self) {
        let frames = self.kinematics.len();
        let mut start = 0;
        while start + 60 <= frames {
            let closed = (start + 50..(start + LONGEST_SEGMENT).min(frames))
                .find(|&end| self.kinematics.turn_deg(start, end).abs() > 345.0);
            let seen = closed
                .and_then(|end| describe(self.kinematics, start..end + 1).map(|d| (end, d)))
                .filter(|(_, seen)| seen.action == Action::Circle);
            if let Some((end, seen)) = seen {
                let words = self.measured(&seen, CAPTIONS);
                self.push(start..end + 1, seen.action, words, false);
                start = start.midpoint(end);
            } else {
                start += 10;
            }
        }
    }

    fn described(&mut self, frames: Range<usize>) {
        if frames.len() < SHORTEST_SEGMENT {
            return;
        }
        let Some(seen) = describe(self.kinematics, frames.clone()) else {
            return;
        };
        if self.contradicts(&seen, &frames) {
            return;
        }
        let words = self.measured(&seen, CAPTIONS);
        let still = seen.action == Action::Idle && !self.plain && self.style.is_none();
        let action = if still {
            self.own_action()
        } else {
            seen.action
        };
        self.push(frames, action, words, seen.uniform);
    }

    /// Words for the root that would hide what the clip is about, or a jump within.
    fn contradicts(&self, seen: &Description, frames: &Range<usize>) -> bool {
        let leaps = self.events.iter().any(|event| {
            matches!(event.action, Action::Jump | Action::Hop)
                && event.frames.start + 8 < frames.end
                && frames.start + 8 < event.frames.end
        });
        match self.told {
            _ if leaps => true,
            // Skipping and hopping have flight like a jog.
            Some(Action::Hop) => seen.phases.iter().any(|p| p.gait != Gait::Walk),
            // A box in the hands is nothing that the root tells.
            Some(Action::Carry) => {
                self.style.is_none() || matches!(seen.action, Action::Idle | Action::Crouch)
            }
            _ => false,
        }
    }

    fn push(
        &mut self,
        frames: Range<usize>,
        action: Action,
        mut captions: Vec<String>,
        croppable: bool,
    ) {
        if let Some(short) = captions.first().and_then(|c| shorter(c, action)) {
            captions.push(short);
        }
        let mut said = std::collections::HashSet::new();
        captions.retain(|caption| said.insert(caption.clone()));
        if captions.is_empty() || frames.is_empty() {
            return;
        }
        self.found.push(Segment {
            start: frames.start,
            frames: frames.len(),
            action,
            style: self.style.map(|style| style.name.to_owned()),
            captions,
            croppable,
        });
    }
}

/// Whether any part of an action of this kind shows it.
fn lasts(action: Action) -> bool {
    matches!(
        action,
        Action::Dance
            | Action::Fight
            | Action::Other
            | Action::Idle
            | Action::Sport
            | Action::Clap
            | Action::Gesture
    )
}
