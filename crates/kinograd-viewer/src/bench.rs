//! Saved runs of `kinograd bench guidance --json`: one prompt, direction and seed at a time, every method's
//! clip made anew as it was made then, beside the numbers of the run.

use std::path::PathBuf;

use bevy::prelude::*;
use kinograd::goal::RootTarget;
use kinograd::{Method, Obstacle, TaskSpec};
use kinograd_bevy::{Job, MakeSettings};
use kinograd_eval::bench::{Budget, GuidanceReport, GuidanceRow};

use crate::compare::{CompareClips, ComparedJob, Numbers};
use crate::library::OpenedBench;
use crate::steer::Steer;

/// A run that was opened, and which part of it is compared.
#[derive(Resource, Debug, Default)]
pub struct BenchRun {
    /// The file.
    pub path: PathBuf,
    /// The run.
    pub report: Option<Box<GuidanceReport>>,
    /// What of it is shown.
    pub choice: BenchChoice,
}

/// One cell of a run: the same for all methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BenchChoice {
    /// Which of the run's scenarios, each with a prompt of its own.
    pub scenario: usize,
    /// Which of its directions.
    pub direction: usize,
    /// How many seeds after the first.
    pub seed: u64,
    /// Whether the methods had equal time instead of equal calls.
    pub at_equal_time: bool,
}

impl BenchChoice {
    fn budget(self) -> Budget {
        if self.at_equal_time {
            Budget::Time
        } else {
            Budget::Calls
        }
    }
}

/// The scene of a cell; `None` if the run has no such cell.
fn scene_of(report: &GuidanceReport, choice: BenchChoice) -> Option<TaskSpec> {
    let scenario = report.scenarios.get(choice.scenario)?;
    let direction = *report.protocol.directions_deg.get(choice.direction)?;
    let mut scene = TaskSpec::new(&scenario.prompt, report.protocol.duration_secs);
    let target = RootTarget::at_end(scenario.target_m(direction));
    scene.goals.push(target.into());
    let [x, z, radius_m] = scenario.circle_m(direction);
    scene.obstacles.push(Obstacle::circle([x, z], radius_m));
    Some(scene)
}

/// What the run measured of a clip; words where the method broke down.
fn recorded(
    row: &GuidanceRow,
    choice: BenchChoice,
    direction_deg: f64,
    seed: u64,
) -> Result<Numbers, String> {
    let found = row.clips.iter().find(|clip| {
        clip.scenario == choice.scenario && clip.direction_deg == direction_deg && clip.seed == seed
    });
    let Some(clip) = found else {
        let mut failed = row.failed.iter();
        let failed = failed.find(|clip| clip.scenario == choice.scenario && clip.seed == seed);
        let why = failed.map_or("not in the run", |clip| clip.reason.as_str());
        return Err(why.to_owned());
    };
    Ok(Numbers {
        target_error_m: Some(clip.target_error_m),
        penetration_m: Some(clip.penetration_m),
        text_score: clip.text_score,
        foot_skate_ratio: clip.foot_skate_ratio,
    })
}

/// The clips of a cell, one per method, to be made as the run made them.
#[must_use]
pub fn compared_jobs(report: &GuidanceReport, choice: BenchChoice) -> Vec<ComparedJob> {
    let Some(scene) = scene_of(report, choice) else {
        return Vec::new();
    };
    let direction = report.protocol.directions_deg[choice.direction];
    let seed = report.protocol.seed.wrapping_add(choice.seed);
    let entrant = |row: &GuidanceRow| {
        let steers = row.candidate.method != Method::None;
        ComparedJob {
            label: row.candidate.label(),
            recorded: Some(recorded(row, choice, direction, seed)),
            job: Job {
                scene: scene.clone(),
                settings: MakeSettings {
                    method: row.candidate.method,
                    steps: row.steps,
                    seed,
                    guidance_scale: steers.then_some(row.guidance_scale),
                    text_guidance: steers.then_some(row.candidate.text_guidance),
                    ..MakeSettings::default()
                },
                streams: false,
            },
        }
    };
    report.rows_at(choice.budget()).map(entrant).collect()
}

/// A run that has been read, or of which another cell is wanted, is compared.
pub(crate) fn show(
    mut opened: MessageReader<OpenedBench>,
    mut run: ResMut<BenchRun>,
    mut steer: ResMut<Steer>,
    mut compare: MessageWriter<CompareClips>,
    mut shown: Local<Option<BenchChoice>>,
) {
    for OpenedBench(path, report) in opened.read() {
        *run = BenchRun {
            path: path.clone(),
            report: Some(report.clone()),
            choice: BenchChoice::default(),
        };
        *shown = None;
    }
    let Some(report) = &run.report else {
        return;
    };
    if *shown == Some(run.choice) {
        return;
    }
    *shown = Some(run.choice);
    if let Some(scene) = scene_of(report, run.choice) {
        steer.remember();
        steer.stop();
        steer.scene = scene;
        steer.settings.seed = report.protocol.seed.wrapping_add(run.choice.seed);
    }
    compare.write(CompareClips(compared_jobs(report, run.choice)));
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run of two methods on two prompts, two directions and two seeds, of which one clip failed.
    pub(crate) fn report() -> GuidanceReport {
        let clip = |scenario: usize, direction: f64, seed: u64, error: f64| {
            serde_json::json!({
                "scenario": scenario, "direction_deg": direction, "seed": seed, "target_error_m": error,
                "avoidance": 0.0, "penetration_m": 0.1, "inside_share": 0.0, "text_score": 0.5,
                "foot_skate_ratio": 0.03, "foot_skate_ratio_before": 0.05, "jerk_m_s3": 60.0,
                "real_distance": null, "implausibly_fast": false
            })
        };
        let row = |method: &str, text: f64, budget: &str, steps: usize| {
            serde_json::json!({
                "candidate": {"method": method, "text_guidance": text, "guidance_scale": null},
                "budget": budget, "steps": steps, "guidance_scale": 0.5,
                "seconds_per_clip": null, "seconds_per_step": null, "summary": {}, "by_scenario": [],
                "clips": [clip(0, -45.0, 7, 1.5), clip(1, 45.0, 8, 2.5)],
                "failed": [{"scenario": 1, "seed": 7, "reason": "it broke down"}]
            })
        };
        let scenario = |prompt: &str, heading: f64| {
            serde_json::json!({
                "prompt": prompt, "unguided_way_m": 5.0, "heading_deg": heading, "distance_m": 3.5,
                "radius_m": 0.4
            })
        };
        let json = serde_json::json!({
            "schema": "kinograd.bench-guidance/1", "model": "motion-base", "engine": "none",
            "protocol": {
                "prompts": ["a", "b"], "duration_secs": 6.0, "reach": 0.7,
                "directions_deg": [-45.0, 45.0], "seeds": 2, "seed": 7, "calls": 20,
                "equal_time": true, "candidates": []
            },
            "scenarios": [scenario("a person walks", 0.0), scenario("a person walks back", 180.0)],
            "equal_seconds": 0.5, "clock": "wall",
            "rows": [
                row("none", 0.0, "calls", 20), row("projection", 0.5, "calls", 20),
                row("projection", 0.5, "time", 12)
            ]
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_cell_is_made_as_it_was_made() {
        let report = report();
        let choice = BenchChoice {
            scenario: 1,
            direction: 1,
            seed: 1,
            at_equal_time: false,
        };
        let cell = compared_jobs(&report, choice);
        let labels: Vec<&str> = cell.iter().map(|one| one.label.as_str()).collect();
        assert_eq!(labels, ["none", "projection + text"]);
        for one in &cell {
            let task = one.job.task().unwrap();
            assert_eq!((task.sampling.seed, task.sampling.steps), (8, Some(20)));
            let target = task.goals[0].handles()[0];
            let expected = report.scenarios[1].target_m(45.0);
            assert!((target[0] - expected[0]).abs() < 1e-9 && target[1] < -2.0);
            assert_eq!(task.obstacles.len(), 1);
            let known = one.recorded.as_ref().unwrap().as_ref().unwrap();
            assert_eq!(known.target_error_m, Some(2.5));
        }
        assert_eq!(cell[0].job.settings.text_guidance, None);
        assert_eq!(cell[1].job.settings.text_guidance, Some(0.5));
        assert_eq!(cell[1].job.settings.guidance_scale, Some(0.5));
    }

    #[test]
    fn what_failed_says_why_and_what_is_not_there_is_empty() {
        let report = report();
        let choice = BenchChoice {
            scenario: 1,
            ..BenchChoice::default()
        };
        let cell = compared_jobs(&report, choice);
        let why = cell[0].recorded.as_ref().unwrap().as_ref().unwrap_err();
        assert_eq!(why, "it broke down");
        let at_time = BenchChoice {
            at_equal_time: true,
            ..BenchChoice::default()
        };
        let cell = compared_jobs(&report, at_time);
        assert_eq!((cell.len(), cell[0].job.settings.steps), (1, 12));
        let beyond = BenchChoice {
            scenario: 9,
            ..BenchChoice::default()
        };
        assert!(compared_jobs(&report, beyond).is_empty());
    }
}
