//! What is steered.

use std::time::Instant;

use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd_bevy::{Job, Made, MakeSettings, MotionClip, Ticket, edit::Handle};

/// When steering happens.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SteerSystems;

/// What is steered, and how far it is.
#[derive(Resource)]
pub struct Steer {
    /// Prompts, goals and obstacles.
    pub scene: TaskSpec,
    /// How clips are made.
    pub settings: MakeSettings,
    /// Whether a change makes a new clip by itself.
    pub follows_changes: bool,
    /// What was taken hold of last.
    pub selected: Option<Handle>,
    /// Whether it is held now.
    pub is_held: bool,
    /// What the run says.
    pub status: Status,
    /// What the user should know of the run.
    pub notes: Vec<String>,
    /// The last clip that was made.
    pub made: Option<Made>,
    /// Seconds from the last change to its first x̂0 and to its clip.
    pub waits_secs: (Option<f32>, Option<f32>),
    /// Clips made so far.
    pub count: usize,
    undone: Vec<TaskSpec>,
    done: Vec<TaskSpec>,
    pub(super) run: Option<Run>,
    pub(super) asked: Option<Job>,
    pub(super) preview: Option<MotionClip>,
    pub(super) changed_at: Option<Instant>,
}

/// How a run is going.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Status {
    /// Nothing was asked for yet.
    #[default]
    Idle,
    /// Waiting for the model.
    Waiting,
    /// At work.
    Running {
        /// Steps done.
        done: usize,
        /// Denoising steps.
        steps: usize,
    },
    /// The clip is there.
    Done {
        /// Seconds that it took.
        seconds: f64,
    },
    /// Why there is none.
    Failed(String),
    /// The user stopped it.
    Stopped,
}

/// A job at work.
pub(super) struct Run {
    pub ticket: Ticket,
    pub scene: TaskSpec,
    /// Whether something of it was seen already.
    pub was_seen: bool,
}

impl Steer {
    /// Takes a task in place of what was steered, with what it says of how clips are made.
    pub fn take(&mut self, task: TaskSpec) {
        self.remember();
        self.settings = MakeSettings::of(&task);
        self.scene = task;
    }

    /// What is steered, as a task.
    #[must_use]
    pub fn task(&self) -> TaskSpec {
        self.settings.applied(self.scene.clone())
    }
}

impl Default for Steer {
    fn default() -> Self {
        Self {
            scene: TaskSpec::new("a person walks forward", 5.0),
            settings: MakeSettings::default(),
            follows_changes: true,
            selected: None,
            is_held: false,
            status: Status::Idle,
            notes: Vec::new(),
            made: None,
            waits_secs: (None, None),
            count: 0,
            undone: Vec::new(),
            done: Vec::new(),
            run: None,
            asked: None,
            preview: None,
            changed_at: None,
        }
    }
}

/// Scenes that undo keeps.
const HISTORY: usize = 200;

impl Steer {
    /// Remembers the scene as it is, before a change.
    pub fn remember(&mut self) {
        if self.done.last() != Some(&self.scene) {
            self.done.push(self.scene.clone());
            if self.done.len() > HISTORY {
                self.done.remove(0);
            }
        }
        self.undone.clear();
    }

    /// Goes back before the last change; false where there is none.
    pub fn undo(&mut self) -> bool {
        let Some(before) = self.done.pop() else {
            return false;
        };
        self.undone.push(std::mem::replace(&mut self.scene, before));
        true
    }

    /// Makes the last undone change again; false where there is none.
    pub fn redo(&mut self) -> bool {
        let Some(after) = self.undone.pop() else {
            return false;
        };
        self.done.push(std::mem::replace(&mut self.scene, after));
        true
    }

    /// Asks for a clip of the scene as it is.
    pub fn make(&mut self) {
        self.asked = Some(Job {
            scene: self.scene.clone(),
            settings: self.settings.clone(),
            streams: true,
        });
        self.changed_at = Some(Instant::now());
        self.waits_secs = (None, None);
    }

    /// Stops the run.
    pub fn stop(&mut self) {
        if let Some(run) = self.run.take() {
            run.ticket.cancel();
            self.status = Status::Stopped;
        }
        self.asked = None;
    }

    /// Takes what went wrong, and what there was to say, as read.
    pub fn dismiss(&mut self) {
        self.notes.clear();
        if matches!(self.status, Status::Failed(_)) {
            self.status = Status::Idle;
        }
    }

    /// Whether a run is at work or asked for.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.run.is_some() || self.asked.is_some()
    }

    /// Whether a run for the scene as it is, is at work or asked for.
    pub(super) fn is_busy_with_scene(&self) -> bool {
        let asked = self.asked.as_ref().map(|job| &job.scene);
        let at_work = self.run.as_ref().map(|run| &run.scene);
        asked.or(at_work) == Some(&self.scene)
    }

    /// How much of the run is done, 0 to 1.
    #[must_use]
    pub fn progress(&self) -> f32 {
        match self.status {
            Status::Running { done, steps } => done as f32 / steps.max(1) as f32,
            Status::Done { .. } => 1.0,
            _ => 0.0,
        }
    }
}

/// The character that shows what is made.
#[derive(Component, Debug, Clone, Copy)]
pub struct Steered;

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_bevy::edit::{move_handle, set_target};

    #[test]
    fn undo_and_redo_go_through_the_same_scenes() {
        let mut steer = Steer::default();
        let first = steer.scene.clone();
        steer.remember();
        set_target(&mut steer.scene, Vec2::new(1.0, 2.0));
        let second = steer.scene.clone();
        steer.remember();
        move_handle(
            &mut steer.scene,
            Handle::Goal { goal: 0, point: 0 },
            Vec2::ZERO,
        );
        assert!(steer.undo());
        assert_eq!(steer.scene, second);
        assert!(steer.undo());
        assert_eq!(steer.scene, first);
        assert!(!steer.undo());
        assert!(steer.redo());
        assert_eq!(steer.scene, second);
        steer.remember();
        assert!(!steer.redo(), "a new change drops what was undone");
    }
}
