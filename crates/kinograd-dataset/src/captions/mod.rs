//! Captions from what a clip does, and the action a clip is filed under.
//!
//! Left is +X for a body that faces +Z. Captions are short, in the words of prompts, and the same
//! seed gives the same captions.

mod action;
mod describe;
mod events;
mod kinematics;
mod own;
mod phrases;
mod words;

pub use action::{Action, action_from_label, is_list};
pub use describe::{Description, Direction, Gait, Phase, describe, locomotion_phases};
pub use events::{Event, find_events};
pub use kinematics::Kinematics;
pub use own::{Style, holds_for_part, holds_on_floor, is_plain, style_of};
pub(crate) use own::{joined, shorter, styled};
pub(crate) use phrases::Draws;
pub(crate) use phrases::gait_word;
pub use phrases::{captions, event_captions};
pub use words::mirror_caption;
