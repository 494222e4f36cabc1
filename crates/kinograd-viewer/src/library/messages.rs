//! What plugins tell each other of files.

use std::path::PathBuf;

use bevy::prelude::*;
use kinograd_eval::bench::GuidanceReport;

/// Asks for a file to be opened: a clip, or as JSON a scene or a saved run of `kinograd bench guidance`.
#[derive(Message, Debug, Clone, PartialEq, Eq)]
pub struct OpenFile(pub PathBuf);

/// A saved benchmark that was read, and its file.
#[derive(Message, Debug, Clone)]
pub struct OpenedBench(pub PathBuf, pub Box<GuidanceReport>);
