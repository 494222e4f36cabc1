//! What a character is made of.

use bevy::prelude::*;

/// A character drawn as a mannequin; wants a [`MotionPlayer`](crate::MotionPlayer) on the same entity.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[require(Transform, Visibility)]
pub struct Mannequin {
    /// Colour of the body.
    pub color: Color,
    /// 1 is solid, less is a ghost.
    pub opacity: f32,
    /// Whether feet that stand are lit.
    pub shows_contacts: bool,
}

impl Mannequin {
    /// A solid body of a colour.
    #[must_use]
    pub fn new(color: Color) -> Self {
        Self {
            color,
            opacity: 1.0,
            shows_contacts: true,
        }
    }
}

/// Entities of a character's joints, in the order of the canonical skeleton.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub struct Joints(pub Vec<Entity>);

/// Joints that are inside something they should keep out of.
#[derive(Component, Debug, Clone, Default, PartialEq, Eq)]
pub struct Penetrations(pub Vec<usize>);
