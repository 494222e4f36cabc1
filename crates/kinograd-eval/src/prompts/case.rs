//! A prompt with its test, and what several tests share.

use kinograd_dataset::captions::Action;

use crate::obey::{JointTrack, Side};

/// A prompt and what its clips must do.
#[derive(Debug, Clone, Copy)]
pub struct PromptCase {
    /// The prompt.
    pub prompt: &'static str,
    /// What it asks for, as data sets are balanced by.
    pub action: Action,
    /// What is checked, in words.
    pub rule: &'static str,
    /// Captions of data sets that say the same: real clips with one of them should pass the check.
    /// Empty where the data has no such clip of its own.
    pub captions: &'static [&'static str],
    /// The check.
    pub obeyed: fn(&JointTrack) -> bool,
}

/// Two prompts whose clips must differ, as sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StylePair(
    /// A style or a gesture.
    pub &'static str,
    /// The plain prompt, or another gesture.
    pub &'static str,
);

/// Whether something is counted on a side, and less often on the other.
pub(super) fn only(count: fn(&JointTrack, Side) -> usize, track: &JointTrack, side: Side) -> bool {
    let own = count(track, side);
    own >= 1 && count(track, side.other()) < own
}
