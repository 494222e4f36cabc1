//! What went wrong, in words.

use bevy::prelude::*;

/// Something went wrong that the user should read.
#[derive(Message, Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);
