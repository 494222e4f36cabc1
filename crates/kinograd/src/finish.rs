//! From the model's features to a clip: joints, rotations, foot lock, measurements, record.

use std::collections::BTreeMap;

use glam::DVec3;
use kinograd_guidance::DecodedMotion;
use kinograd_guidance::scene::Scene;
use kinograd_motion::features::decode_joints;
use kinograd_motion::ik::{Place, fit_rotations, reach_places};
use kinograd_motion::metrics::{foot_skate_ratio, is_implausibly_fast, mean_jerk};
use kinograd_motion::resample::resample;
use kinograd_motion::{
    FootLockOptions, Motion, Provenance, Skeleton, contacts_from_features, foot_lock, joints_array,
};
use kinograd_runtime::{EngineReport, Manifest};
use ndarray::{Array2, Axis};
use serde_json::{Value, json};

use crate::request::MODEL_FPS;
use crate::{Clip, ClipReport, Error, GenerateRequest, goals};

/// What all clips of a run share.
pub(crate) struct Finish<'a> {
    pub request: &'a GenerateRequest,
    pub hashes: &'a BTreeMap<String, String>,
    pub manifest: &'a Manifest,
    pub engine: &'a EngineReport,
    pub scene: Option<&'a Scene>,
}

/// A hand or foot that misses its place by no more than this is taken there, metres,
const MOST_REACH_M: f64 = 0.2;
/// within this time, seconds.
const REACH_SECS: f64 = 0.4;

/// Makes a clip of features `[frames, 263]`, not normalised.
pub(crate) fn clip(
    run: &Finish<'_>,
    features: Array2<f32>,
    seed: u64,
    text_score: Option<f64>,
) -> Result<Clip, Error> {
    let request = run.request;
    let raw = motion_on_body(&features)?;
    let skate = |motion: &Motion| foot_skate_ratio(joints_array(motion).view(), MODEL_FPS);
    let foot_skate_ratio_before = skate(&raw);
    let motion = if request.foot_lock {
        let locked = lock_feet(&raw, &features)?;
        // Feet that were clean already can only lose.
        if skate(&locked) <= foot_skate_ratio_before {
            locked
        } else {
            raw
        }
    } else {
        raw
    };
    let motion = match run.scene {
        Some(scene) => at_places(&motion, scene)?,
        None => motion,
    };
    let joints = joints_array(&motion);
    let met = goals::measure(request, joints.view());
    let report = ClipReport {
        seed,
        target_error_m: met.target_error_m,
        waypoint_errors_m: met.waypoint_errors_m,
        max_penetration_m: met.max_penetration_m,
        text_score,
        foot_skate_ratio: foot_skate_ratio(joints.view(), MODEL_FPS),
        foot_skate_ratio_before,
        jerk_m_s3: mean_jerk(joints.view(), MODEL_FPS),
        implausibly_fast: is_implausibly_fast(joints.view(), MODEL_FPS),
        goals: Vec::new(),
    };
    let provenance = record(run, seed, &report)?;
    let same_rate = (request.fps - MODEL_FPS).abs() < 1e-9;
    Ok(Clip {
        motion: if same_rate {
            motion
        } else {
            resample(&motion, request.fps)?
        },
        features: same_rate.then_some(features),
        provenance,
        report: Some(report),
    })
}

/// Rotations of the canonical body that come as near to the features' joints as they can.
pub(crate) fn motion_on_body(features: &Array2<f32>) -> Result<Motion, Error> {
    let joints = decode_joints(features.view())?;
    let frames: Vec<Vec<DVec3>> = joints
        .outer_iter()
        .map(|frame| {
            frame
                .axis_iter(Axis(0))
                .map(|p| DVec3::new(p[0], p[1], p[2]))
                .collect()
        })
        .collect();
    Ok(fit_rotations(&Skeleton::canonical(), &frames, MODEL_FPS)?)
}

/// Fitted to bones of one length, hands and feet fall short of the places that the features reach.
fn at_places(motion: &Motion, scene: &Scene) -> Result<Motion, Error> {
    let decoded = DecodedMotion::from_joints(joints_array(motion).mapv(f64::from), MODEL_FPS)?;
    let places: Vec<Place> = scene
        .joint_places(&decoded)?
        .into_iter()
        .map(|(joint, frame, place)| Place {
            joint,
            frame,
            position_m: DVec3::from_array(place),
        })
        .collect();
    Ok(reach_places(motion, &places, REACH_SECS, MOST_REACH_M)?)
}

fn lock_feet(motion: &Motion, features: &Array2<f32>) -> Result<Motion, Error> {
    let contacts = contacts_from_features(features.view())?;
    Ok(foot_lock(motion, &contacts, &FootLockOptions::default())?.0)
}

/// How the clip came to be. No timings: the same request gives the same bytes.
fn record(run: &Finish<'_>, seed: u64, report: &ClipReport) -> Result<Provenance, Error> {
    let request = run.request;
    let mut record = Provenance::new(request.to_command());
    record.model_hashes.clone_from(run.hashes);
    record.seed = Some(seed);
    record.method = Some(request.method.name().to_owned());
    if let Value::Object(parameters) =
        serde_json::to_value(request).map_err(|error| Error::Internal(error.to_string()))?
    {
        record.parameters = parameters;
    }
    if let Some(error_m) = report.target_error_m {
        record
            .losses
            .insert("target_error_m".to_owned(), error_m.into());
    }
    if !report.waypoint_errors_m.is_empty() {
        let errors = json!(report.waypoint_errors_m);
        record.losses.insert("waypoint_errors_m".to_owned(), errors);
    }
    if let Some(depth_m) = report.max_penetration_m {
        record
            .losses
            .insert("max_penetration_m".to_owned(), depth_m.into());
    }
    if let Some(score) = report.text_score {
        record.losses.insert("text_score".to_owned(), score.into());
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
        }),
    );
    Ok(record)
}
