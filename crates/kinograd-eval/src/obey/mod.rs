//! What people do in a clip, told from its joints by tests that a wrong clip fails.
//!
//! Counts (kicks, waves, claps …), postures and travel of one clip on the canonical body, whatever
//! its frame rate: a [`JointTrack`] holds the joints at 20 frames a second, so that all lengths of
//! time are the same for every clip. What `python/train/obey.py` counts too is held against it by
//! `tests/golden/obey`.

pub mod arms;
pub mod legs;
pub mod posture;
mod quality;
pub mod series;
mod sets;
mod track;
pub mod travel;

pub use quality::Quality;
pub use series::{any_near, reversals, stretches};
pub use sets::{SetDistance, apart, pose_profile, spread_m};
pub use track::{JointTrack, Side, TRACK_FPS, frames};
