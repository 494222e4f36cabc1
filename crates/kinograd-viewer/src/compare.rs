//! Comparison: one scene and seed, made by several methods, side by side with their numbers.

use bevy::prelude::*;
use kinograd::{ClipReport, Method};

use crate::camera::FrameAll;
use crate::clip::MotionClip;
use crate::generation::{Generation, GenerationUpdate, Job, Made, MakeSettings, Ticket, Update};
use crate::library::{Failure, Shelved, shelve};
use crate::steer::Steer;

/// Runs comparisons. Wants [`crate::SteerPlugin`] and [`crate::LibraryPlugin`].
#[derive(Debug, Default)]
pub struct ComparePlugin;

impl Plugin for ComparePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Compare>()
            .add_message::<CompareMethods>()
            .add_systems(Update, (begin, collect).chain());
    }
}

/// Asks for the steered scene to be made by methods; clips of the comparison before leave the stage.
#[derive(Message, Debug, Clone, PartialEq, Eq)]
pub struct CompareMethods(pub Vec<Method>);

/// A comparison.
#[derive(Resource, Debug, Default)]
pub struct Compare {
    /// In the order that was asked for.
    pub rows: Vec<Row>,
}

/// A method's part of a comparison.
#[derive(Debug)]
pub struct Row {
    /// The method.
    pub method: Method,
    /// Seconds and measurements, once its clip is there.
    pub outcome: Option<(f64, ClipReport)>,
    ticket: Ticket,
    character: Option<Entity>,
}

impl Compare {
    /// Whether clips are still to come.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.rows.iter().any(|row| row.outcome.is_none())
    }
}

fn begin(
    mut commands: Commands,
    mut asked: MessageReader<CompareMethods>,
    mut compare: ResMut<Compare>,
    steer: Res<Steer>,
    generation: Option<Res<Generation>>,
    mut failures: MessageWriter<Failure>,
) {
    for CompareMethods(methods) in asked.read() {
        for row in compare.rows.drain(..) {
            row.ticket.cancel();
            if let Some(character) = row.character {
                commands.entity(character).despawn();
            }
        }
        let Some(generation) = &generation else {
            failures.write(Failure("no model is open".to_owned()));
            continue;
        };
        compare.rows = methods
            .iter()
            .map(|&method| Row {
                method,
                outcome: None,
                character: None,
                ticket: generation.submit(Job {
                    scene: steer.scene.clone(),
                    settings: MakeSettings {
                        method,
                        guidance_scale: None,
                        ..steer.settings.clone()
                    },
                    streams: false,
                }),
            })
            .collect();
    }
}

fn collect(
    mut commands: Commands,
    mut updates: MessageReader<GenerationUpdate>,
    mut compare: ResMut<Compare>,
    mut clips: ResMut<Assets<MotionClip>>,
    shelved: Query<(), With<Shelved>>,
    mut failures: MessageWriter<Failure>,
    mut frame: MessageWriter<FrameAll>,
) {
    let mut count = shelved.iter().count();
    for GenerationUpdate { job, update } in updates.read() {
        let Some(at) = compare.rows.iter().position(|row| row.ticket.id == *job) else {
            continue;
        };
        match update {
            Update::Done(made) => {
                count += 1;
                let row = &mut compare.rows[at];
                let name = row.method.name().to_owned();
                let clip = made.motion.clone();
                let numbers = numbers(made);
                row.character = Some(shelve(
                    &mut commands,
                    &mut clips,
                    clip,
                    name,
                    numbers,
                    count,
                ));
                row.outcome = made
                    .clip
                    .report
                    .clone()
                    .map(|report| (made.seconds, report));
                frame.write(FrameAll);
            }
            Update::Failed(error) => {
                let method = compare.rows.remove(at).method;
                failures.write(Failure(format!("{method}: {error}")));
            }
            Update::Cancelled => {
                compare.rows.remove(at);
            }
            _ => {}
        }
    }
}

/// A clip's measurements in a line.
#[must_use]
pub fn numbers(made: &Made) -> String {
    let Some(report) = &made.clip.report else {
        return String::new();
    };
    let mut parts = Vec::new();
    if let Some(error) = report.target_error_m {
        parts.push(format!("target {error:.2} m"));
    }
    if let Some(depth) = report.max_penetration_m {
        parts.push(format!("inside {depth:.2} m"));
    }
    parts.push(format!("skate {:.0} %", 100.0 * report.foot_skate_ratio));
    if let Some(score) = report.text_score {
        parts.push(format!("text {score:.2}"));
    }
    parts.push(format!("{:.2} s", made.seconds));
    parts.join(", ")
}
