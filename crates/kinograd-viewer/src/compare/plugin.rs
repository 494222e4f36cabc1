//! Comparisons that are made clip by clip.

use bevy::prelude::*;
use kinograd::Method;
use kinograd_bevy::{
    Failure, Generation, GenerationUpdate, Job, Made, MakeSettings, MotionClip, Ticket, Update,
};

use super::messages::{CompareClips, CompareMethods, ComparedJob, Numbers};
use crate::bench::{BenchRun, show};
use crate::camera::FrameAll;
use crate::library::{ComparisonSlot, OpenedBench, shelve};
use crate::steer::Steer;

/// Runs comparisons. Wants [`crate::SteerPlugin`] and [`crate::LibraryPlugin`].
#[derive(Debug, Default)]
pub struct ComparePlugin;

impl Plugin for ComparePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Compare>()
            .init_resource::<BenchRun>()
            .add_message::<CompareMethods>()
            .add_message::<CompareClips>()
            .add_message::<OpenedBench>()
            .add_systems(Update, (show, with_methods, begin, collect).chain());
    }
}

/// A comparison.
#[derive(Resource, Debug, Default)]
pub struct Compare {
    /// In the order that was asked for.
    pub rows: Vec<Row>,
}

/// A clip's part of a comparison.
#[derive(Debug)]
pub struct Row {
    /// What it is called.
    pub label: String,
    /// What a saved run measured of it, or why it has no such clip; `None` without a run.
    pub recorded: Option<Result<Numbers, String>>,
    /// Seconds and measurements, once its clip is there; else why there is none.
    pub outcome: Option<Result<(f64, Numbers), String>>,
    ticket: Ticket,
    character: Option<Entity>,
}

impl Row {
    /// What is known of it: of the clip that was made, or else of the saved run.
    #[must_use]
    pub fn numbers(&self) -> Option<&Numbers> {
        let made = self.outcome.as_ref();
        let made = made.and_then(|made| Some(&made.as_ref().ok()?.1));
        made.or(self.recorded.as_ref()?.as_ref().ok())
    }

    /// Whether the clip is another than the one of the saved run: its root ends up elsewhere by more than
    /// a centimetre. Engines and processors round differently, and a method that breaks down multiplies that.
    #[must_use]
    pub fn differs(&self) -> bool {
        let error = |numbers: &Numbers| numbers.target_error_m;
        let made = self.outcome.as_ref().and_then(|made| made.as_ref().ok());
        let known = self.recorded.as_ref().and_then(|known| known.as_ref().ok());
        let pair = made
            .and_then(|(_, numbers)| error(numbers))
            .zip(known.and_then(error));
        pair.is_some_and(|(made, known)| (made - known).abs() > 0.01)
    }
}

impl Compare {
    /// Whether clips are still to come.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.rows.iter().any(|row| row.outcome.is_none())
    }
}

/// Methods on the scene that is steered.
fn with_methods(
    mut asked: MessageReader<CompareMethods>,
    steer: Res<Steer>,
    mut clips: MessageWriter<CompareClips>,
) {
    for CompareMethods(methods) in asked.read() {
        let entrant = |&method: &Method| ComparedJob {
            label: method.name().to_owned(),
            recorded: None,
            job: Job {
                scene: steer.scene.clone(),
                settings: MakeSettings {
                    method,
                    guidance_scale: None,
                    ..steer.settings.clone()
                },
                streams: false,
            },
        };
        clips.write(CompareClips(methods.iter().map(entrant).collect()));
    }
}

fn begin(
    mut commands: Commands,
    mut asked: MessageReader<CompareClips>,
    mut compare: ResMut<Compare>,
    generation: Option<Res<Generation>>,
    mut failures: MessageWriter<Failure>,
) {
    for CompareClips(compared_jobs) in asked.read() {
        for row in compare.rows.drain(..) {
            row.ticket.cancel();
            if let Some(character) = row.character {
                commands.entity(character).try_despawn();
            }
        }
        let Some(generation) = &generation else {
            failures.write(Failure("no model is open".to_owned()));
            continue;
        };
        compare.rows = compared_jobs
            .iter()
            .map(|entrant| Row {
                label: entrant.label.clone(),
                recorded: entrant.recorded.clone(),
                outcome: None,
                character: None,
                ticket: generation.submit(entrant.job.clone()),
            })
            .collect();
    }
}

fn collect(
    mut commands: Commands,
    mut updates: MessageReader<GenerationUpdate>,
    mut compare: ResMut<Compare>,
    mut clips: ResMut<Assets<MotionClip>>,
    shelved: Query<(), With<ComparisonSlot>>,
    mut frame: MessageWriter<FrameAll>,
) {
    let mut count = shelved.iter().count();
    for GenerationUpdate { job, update } in updates.read() {
        let Some(at) = compare.rows.iter().position(|row| row.ticket.id == *job) else {
            continue;
        };
        let row = &mut compare.rows[at];
        match update {
            Update::Done(made) => {
                count += 1;
                row.character = Some(shelve(
                    &mut commands,
                    &mut clips,
                    made.motion.clone(),
                    row.label.clone(),
                    numbers(made),
                    count,
                ));
                let measured = made.clip.report.as_ref().map(Numbers::from);
                let measured = measured.ok_or_else(|| "it was not measured".to_owned());
                row.outcome = Some(measured.map(|numbers| (made.seconds, numbers)));
                frame.write(FrameAll);
            }
            Update::Failed(error) => row.outcome = Some(Err(error.clone())),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::tests::report;
    use crate::bench::{BenchChoice, compared_jobs};
    use crate::camera::FrameAll;
    use crate::steer::SteerPlugin;
    use kinograd_bevy::Failure;

    #[test]
    fn a_saved_run_is_compared_cell_by_cell_and_without_a_model_it_says_so() {
        let mut app = App::new();
        app.add_plugins((
            MinimalPlugins,
            AssetPlugin::default(),
            kinograd_bevy::ClipPlugin,
            SteerPlugin,
            ComparePlugin,
        ))
        .add_message::<Failure>()
        .add_message::<FrameAll>()
        .init_resource::<crate::scene::Stage>();
        app.world_mut()
            .write_message(OpenedBench("run.json".into(), Box::new(report())));
        app.update();
        let world = app.world_mut();
        let scene = &world.resource::<Steer>().scene;
        assert_eq!(scene.prompts[0].text, "a person walks");
        assert_eq!(world.resource::<Steer>().settings.seed, 7);
        let failures = world.resource_mut::<Messages<Failure>>().drain().count();
        assert_eq!(failures, 1, "there is no model");
        world.resource_mut::<BenchRun>().choice.scenario = 1;
        app.update();
        let scene = &app.world().resource::<Steer>().scene;
        assert_eq!(scene.prompts[0].text, "a person walks back");
    }

    #[test]
    fn rows_tell_whether_they_are_the_saved_clip() {
        let one = compared_jobs(&report(), BenchChoice::default()).remove(0);
        let generation =
            Generation::start("no such model", kinograd::runtime::EngineOptions::default());
        let mut row = Row {
            label: one.label,
            recorded: one.recorded.clone(),
            outcome: None,
            ticket: generation.submit(one.job),
            character: None,
        };
        assert!(!row.differs());
        assert_eq!(row.numbers().unwrap().target_error_m, Some(1.5));
        let mut made = one.recorded.unwrap().unwrap();
        made.target_error_m = Some(1.504);
        row.outcome = Some(Ok((0.1, made.clone())));
        assert!(!row.differs());
        made.target_error_m = Some(1.9);
        row.outcome = Some(Ok((0.1, made)));
        assert!(row.differs());
        assert_eq!(row.numbers().unwrap().target_error_m, Some(1.9));
    }
}
