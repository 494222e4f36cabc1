//! What the panels remember and send.

use std::collections::VecDeque;

use bevy::prelude::*;
use bevy_egui::egui;

use crate::camera::FrameAll;
use crate::compare::CompareMethods;
use crate::library::OpenFile;

/// A field that a key leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The first prompt.
    Prompt,
    /// The file to open.
    Open,
}

/// What the panels remember.
#[derive(Resource, Debug)]
pub struct Panels {
    /// Whether the list of keys is open.
    pub shows_help: bool,
    /// Where scenes are saved and opened.
    pub scene_path: String,
    /// Where clips are saved.
    pub clip_path: String,
    /// A file to open.
    pub open_path: String,
    /// What went wrong, the latest last.
    pub failures: VecDeque<String>,
    /// What was done, such as a file that was saved.
    pub notice: Option<String>,
    /// The field that shall have the keyboard next.
    pub focus: Option<Field>,
}

impl Default for Panels {
    fn default() -> Self {
        Self {
            shows_help: false,
            scene_path: "scene.json".to_owned(),
            clip_path: "clip.glb".to_owned(),
            open_path: String::new(),
            failures: VecDeque::new(),
            notice: None,
            focus: None,
        }
    }
}

impl Panels {
    /// Shows what came of an action.
    pub(super) fn tell(&mut self, outcome: Result<String, String>) {
        match outcome {
            Ok(notice) => self.notice = Some(notice),
            Err(failure) => self.fail(failure),
        }
    }

    /// Gives a field the keyboard if it is its turn.
    pub(super) fn give_focus(&mut self, field: Field, answer: &egui::Response) {
        if self.focus == Some(field) {
            answer.request_focus();
            self.focus = None;
        }
    }

    pub(super) fn fail(&mut self, failure: String) {
        self.failures.push_back(failure);
        while self.failures.len() > 4 {
            self.failures.pop_front();
        }
    }
}

/// Messages that the panels send.
#[derive(bevy::ecs::system::SystemParam)]
pub struct Orders<'w> {
    pub(super) frame: MessageWriter<'w, FrameAll>,
    pub(super) open: MessageWriter<'w, OpenFile>,
    pub(super) compare: MessageWriter<'w, CompareMethods>,
}
