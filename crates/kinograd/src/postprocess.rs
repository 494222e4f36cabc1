//! Post-processing, from the model's features to a clip: joints, rotations, foot lock, measurements,
//! record.

use std::collections::BTreeMap;

use kinograd_guidance::goal::{Goal, MotionGoal, Weighted};
use kinograd_guidance::{DecodedMotion, Waypoint};
use kinograd_motion::ik::reach_places;
use kinograd_motion::metrics::{
    deepest_penetration_m, foot_skate_ratio, foot_slide, is_implausibly_fast, mean_jerk,
    root_speed, target_error_m,
};
use kinograd_motion::resample::resample;
use kinograd_motion::{
    FootLockOptions, Motion, Provenance, close_loop, contacts_from_features, edit_loop, foot_lock,
    joints_array, keep_above_floor, lower_to_floor,
};
use kinograd_runtime::{EngineReport, Manifest};
use ndarray::{Array2, ArrayView3, Axis, s};
use serde_json::{Value, json};

use crate::body::motion_on_body;
use crate::character::{OnCharacter, places_of};
use crate::task::MODEL_FPS;
use crate::{Clip, ClipReport, Error, Method, Task, TaskSpec};

/// What all clips of a run share.
pub(crate) struct PostProcess<'a> {
    pub task: &'a Task,
    pub hashes: &'a BTreeMap<String, String>,
    pub manifest: &'a Manifest,
    pub engine: &'a EngineReport,
    /// The character that clips are made for.
    pub on: Option<&'a OnCharacter>,
}

/// What the motion embedding says of a clip.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scored {
    /// Cosine to the prompts' embeddings, each weighted by its time.
    pub text_score: Option<f64>,
    /// Embedding of the whole clip, unit length.
    pub embedding: Option<Vec<f32>>,
}

/// A hand or foot that misses its place by no more than this is taken there, metres: more would be
/// seen as a jerk within [`REACH_SECS`],
const MOST_REACH_M: f64 = 0.2;
/// within this time, seconds.
const REACH_SECS: f64 = 0.4;

/// Whether somebody stands at the end is seen in this time, seconds.
const END_SECS: f64 = 0.25;

/// Makes a clip of features `[frames, 263]`, not normalised.
pub(crate) fn clip(
    run: &PostProcess<'_>,
    features: Array2<f32>,
    seed: u64,
    scored: Scored,
) -> Result<Clip, Error> {
    // What our body does; `run.task` is what was asked for.
    let task = run.on.map_or(&**run.task, |on| &on.spec);
    let made = lower_to_floor(&keep_above_floor(&motion_on_body(&features)?)?)?;
    let raw = closed(made, task)?;
    let skate = |motion: &Motion| foot_skate_ratio(joints_array(motion).view(), MODEL_FPS);
    let foot_skate_ratio_before = skate(&raw);
    let motion = if task.output.foot_lock {
        let locked = lock_feet(&raw, &features, task)?;
        // Feet that were clean already can only lose.
        if skate(&locked) <= foot_skate_ratio_before {
            locked
        } else {
            raw
        }
    } else {
        raw
    };
    // The feet's lock lowers the body and opens what was closed, by little.
    let motion = closed(keep_above_floor(&at_places(motion, task)?)?, task)?;
    let joints = joints_array(&motion);
    let mut report = ClipReport {
        seed,
        target_error_m: None,
        waypoint_errors_m: Vec::new(),
        max_penetration_m: None,
        text_score: scored.text_score,
        foot_skate_ratio: foot_skate_ratio(joints.view(), MODEL_FPS),
        foot_skate_ratio_before,
        foot_slide: foot_slide(joints.view(), MODEL_FPS),
        end_speed_mps: None,
        jerk_m_s3: mean_jerk(joints.view(), MODEL_FPS),
        implausibly_fast: is_implausibly_fast(joints.view(), MODEL_FPS),
        goals: Vec::new(),
    };
    measure_path(task, joints.view(), &mut report)?;
    let same_rate = (task.output.fps - MODEL_FPS).abs() < 1e-9;
    let motion = if same_rate {
        motion
    } else {
        closed(resample(&motion, task.output.fps)?, task)?
    };
    let on_rig = run
        .on
        .map(|on| on.retarget(run.task, &motion))
        .transpose()?;
    let decoded = match (run.on, &on_rig) {
        (Some(on), Some(on_rig)) => {
            report.scale_lengths(on.scale());
            on.decoded(&on_rig.motion)?
        }
        _ => DecodedMotion::from_joints(joints_array(&motion).mapv(f64::from), motion.fps)?,
    };
    report.goals = run.task.goal_set().outcomes(&decoded)?;
    let mut clip = Clip {
        motion,
        features: same_rate.then_some(features),
        embedding: scored.embedding,
        provenance: record(run, seed, &report)?,
        report: Some(report),
        reading: None,
        character: None,
        rig_report: None,
    };
    if let (Some(on), Some(on_rig)) = (run.on, on_rig) {
        on.finish(&mut clip, on_rig)?;
    }
    Ok(clip)
}

/// Measures joints `[frames, 22, 3]` at the model's frame rate against the places and circles for
/// the root: the last target apart from all other places.
fn measure_path(
    task: &TaskSpec,
    joints: ArrayView3<'_, f32>,
    report: &mut ClipReport,
) -> Result<(), Error> {
    let timeline = task.timeline();
    let frames = task.frames();
    let error = |point: &Waypoint| -> Result<f64, Error> {
        let frame = point.frame.index("goal", frames)?;
        Ok(target_error_m(joints, point.position_m, Some(frame)))
    };
    let target = task.target();
    if let Some(target) = &target {
        for point in target.root_points(&timeline)? {
            report.target_error_m = Some(error(&point)?);
        }
        report.end_speed_mps = target.arrive.then(|| end_speed_mps(joints));
    }
    for goal in task.goals.iter().filter(|goal| goal.weight() > 0.0) {
        let is_waypoint = match goal {
            Goal::Waypoints(_) => true,
            Goal::RootTarget(other) => target.as_ref() != Some(other),
            _ => false,
        };
        if is_waypoint {
            for point in goal.root_points(&timeline)? {
                report.waypoint_errors_m.push(error(&point)?);
            }
        }
    }
    let circles = task.obstacles.iter().filter_map(|o| o.circle_for_root());
    let circles: Vec<[f64; 3]> = circles
        .map(|circle| [circle.center_m[0], circle.center_m[1], circle.radius_m])
        .collect();
    report.max_penetration_m =
        (!circles.is_empty()).then(|| deepest_penetration_m(joints, &circles));
    Ok(())
}

/// Mean speed of the root over the ground in the last quarter of a second.
fn end_speed_mps(joints: ArrayView3<'_, f32>) -> f64 {
    let pairs = (END_SECS * MODEL_FPS) as usize;
    let from = joints.len_of(Axis(0)).saturating_sub(pairs + 1);
    root_speed(joints.slice(s![from.., .., ..]), MODEL_FPS).mean_mps
}

/// Whether the task asks for a loop and steers; then whether it is one in place.
fn asked_loop(task: &TaskSpec) -> Option<bool> {
    let asked = task.goals.iter().find_map(|goal| match goal {
        Goal::Loop(asked) if asked.weight() > 0.0 => Some(asked.in_place),
        _ => None,
    });
    asked.filter(|_| task.guidance.method != Method::None)
}

/// The clip closed where the task asks for a loop.
fn closed(motion: Motion, task: &TaskSpec) -> Result<Motion, Error> {
    match asked_loop(task) {
        Some(in_place) => Ok(close_loop(&motion, in_place)?),
        None => Ok(motion),
    }
}

/// Fitted to bones of one length, hands and feet fall short of the places that the features reach.
fn at_places(motion: Motion, task: &TaskSpec) -> Result<Motion, Error> {
    let decoded = DecodedMotion::from_joints(joints_array(&motion).mapv(f64::from), MODEL_FPS)?;
    let places = places_of(task, &decoded)?;
    if places.is_empty() {
        return Ok(motion);
    }
    Ok(reach_places(&motion, &places, REACH_SECS, MOST_REACH_M)?)
}

/// The feet of a loop are locked as if it had no ends.
fn lock_feet(motion: &Motion, features: &Array2<f32>, task: &TaskSpec) -> Result<Motion, Error> {
    let contacts = contacts_from_features(features.view())?;
    let options = FootLockOptions::default();
    if asked_loop(task).is_none() {
        return Ok(foot_lock(motion, &contacts, &options)?.0);
    }
    edit_loop(motion, |rounds, frames| {
        let contacts = contacts.select(Axis(0), frames);
        Ok(foot_lock(rounds, &contacts, &options)?.0)
    })
}

/// How the clip came to be: the task, with which it can be made again. No timings: the same task gives
/// the same bytes.
fn record(run: &PostProcess<'_>, seed: u64, report: &ClipReport) -> Result<Provenance, Error> {
    let internal = |error: serde_json::Error| Error::Internal(error.to_string());
    let mut record = Provenance::new();
    record.model_hashes.clone_from(run.hashes);
    record.seed = Some(seed);
    record.method = Some(run.task.guidance.method.name().to_owned());
    record.task = Some(run.task.to_value()?);
    let mut measured = |name: &str, value: Value| {
        record.losses.insert(name.to_owned(), value);
    };
    if let Some(error_m) = report.target_error_m {
        measured("target_error_m", error_m.into());
    }
    if !report.waypoint_errors_m.is_empty() {
        measured("waypoint_errors_m", json!(report.waypoint_errors_m));
    }
    if let Some(depth_m) = report.max_penetration_m {
        measured("max_penetration_m", depth_m.into());
    }
    if let Some(speed_mps) = report.end_speed_mps {
        measured("end_speed_mps", speed_mps.into());
    }
    if let Some(score) = report.text_score {
        measured("text_score", score.into());
    }
    let slide = serde_json::to_value(report.foot_slide).map_err(internal)?;
    measured("foot_slide", slide);
    if !report.goals.is_empty() {
        let goals = serde_json::to_value(&report.goals).map_err(internal)?;
        measured("goals", goals);
    }
    record.extra.insert(
        "model".to_owned(),
        json!({ "name": run.manifest.name, "version": run.manifest.version }),
    );
    record.extra.insert(
        "engine".to_owned(),
        json!({
            "name": run.engine.engine,
            "version": run.engine.version,
            "provider": run.engine.provider,
            "threads": run.engine.threads,
        }),
    );
    Ok(record)
}
