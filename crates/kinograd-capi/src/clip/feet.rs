//! Feet on the ground, as bits.

use kinograd::Clip;

use crate::status::Failure;

/// Bits of feet that stand on the ground.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kg_foot {
    /// The left ankle.
    LeftAnkle = 1,
    /// The left toe.
    LeftToe = 2,
    /// The right ankle.
    RightAnkle = 4,
    /// The right toe.
    RightToe = 8,
}

/// In the order of the facade.
const FEET: [kg_foot; 4] = [
    kg_foot::LeftAnkle,
    kg_foot::LeftToe,
    kg_foot::RightAnkle,
    kg_foot::RightToe,
];

/// Bits of [`kg_foot`] in each frame of a clip.
pub(crate) fn contacts(clip: &Clip) -> Result<Vec<u32>, Failure> {
    let contacts = clip.foot_contacts()?;
    let frames = contacts.outer_iter().map(|stands| {
        let feet = FEET.iter().zip(stands.iter());
        feet.filter(|(_, stands)| **stands)
            .map(|(foot, _)| *foot as u32)
            .sum()
    });
    Ok(frames.collect())
}
