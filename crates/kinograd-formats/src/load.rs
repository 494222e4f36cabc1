//! From what a file holds to a clip in metres with Y up, and what was chosen on the way.

use std::path::Path;

use glam::{DQuat, DVec3};
use kinograd_files::Budget;
use kinograd_motion::export::{Export, RootMotion, plain};
use kinograd_motion::mapping::{Mapping, Up, Upright, upright};
use kinograd_motion::retarget::{guess_unit, leg_length, retarget_motion};
use kinograd_motion::{Motion, MotionError, Provenance, Skeleton, resample};

use crate::format::{Format, LoadOptions, SourceClip, StoredClip};
use crate::reading::{KnownBy, Reading};
use crate::world::probe_frames;

/// A clip may differ from its file by this much, metres.
const TOLERANCE_M: f64 = 1e-3;
/// Legs of people, with a wide margin for children and giants, metres.
const LEGS_M: [f64; 2] = [0.25, 1.8];

impl Format {
    /// Reads a clip in metres with Y up, on the canonical body if the options ask for it, and says
    /// what was chosen. Its own forward kinematics is held against the file's joints.
    ///
    /// # Errors
    /// [`MotionError`] that says what is wrong with the file, or that its rig cannot be mapped.
    pub fn load(&self, path: &Path, options: &LoadOptions) -> Result<StoredClip, MotionError> {
        finish((self.read)(path, options)?, options)
    }
}

/// Brings what a reader found to metres with Y up and, where asked, to the canonical body.
fn finish(source: SourceClip, options: &LoadOptions) -> Result<StoredClip, MotionError> {
    let budget = Budget::of_process();
    budget.check_fps("frames per second of the file", source.motion.fps)?;
    let mapping = match (&options.mapping, source.mapping) {
        (Some(file), _) => file.fitting(&source.motion.skeleton).cloned(),
        (None, Some(mapping)) => Ok(mapping),
        (None, None) => Mapping::automatic(&source.motion.skeleton),
    };
    // A mapping file that does not fit is a mistake even where nothing needs it.
    let mapping = match (mapping, &options.mapping) {
        (Err(error), Some(_)) => return Err(error),
        (mapping, _) => mapping,
    };
    let mut warnings = source.warnings;
    let body = mapping.as_ref().ok();
    let found = match body {
        Some(mapping) => upright(&source.motion, mapping)?,
        None => None,
    };
    let (up, up_known_by) = up_of(source.up, found, body, options, &mut warnings);
    let (unit_to_metre, unit_known_by) =
        unit_of(&source.motion, source.unit_to_metre, body, options)?;
    let turn = up.rotation_to_y_up();
    let mut motion = if found.and_then(|found| found.rest) == Some(Up::Y) {
        // The rest pose stands already: only the world is turned.
        source
            .motion
            .turned(turn)
            .in_axes(DQuat::IDENTITY, unit_to_metre)
    } else {
        source.motion.in_axes(turn, unit_to_metre)
    };
    let deviation_m = deviation(&motion, &source.probes, |p| up.to_y_up(p) * unit_to_metre)?;
    if unit_known_by != KnownBy::Option {
        warnings.extend(odd_size(&motion, body, unit_to_metre)?);
    }
    motion.check_storable()?;
    warnings.extend(source.provenance.as_ref().and_then(taken_away));
    let reading = Reading {
        unit_to_metre,
        unit_known_by,
        up,
        up_known_by,
        root: motion.skeleton.names[0].clone(),
        animation: source.animation,
        animations: source.animations,
        deviation_m,
        warnings,
    };
    let mut features = source.features;
    if options.retarget && motion.skeleton != Skeleton::canonical() {
        // The canonical body in another form needs no fitting.
        motion = match plain(&motion).filter(|_| options.mapping.is_none()) {
            Some(motion) => motion,
            None => {
                let mut mapping = mapping?;
                (mapping.up, mapping.unit_to_metre) = (Up::Y, Some(1.0));
                retarget_motion(&motion, &mapping)?.motion
            }
        };
        features = None;
    }
    if let Some(fps) = options.fps
        && fps != motion.fps
    {
        motion = resample::resample(&motion, fps)?;
        features = None;
    }
    Ok(StoredClip {
        motion,
        features,
        provenance: source.provenance,
        reading,
    })
}

fn up_of(
    of_format: Option<Up>,
    found: Option<Upright>,
    body: Option<&Mapping>,
    options: &LoadOptions,
    warnings: &mut Vec<String>,
) -> (Up, KnownBy) {
    if let Some(up) = options.up {
        return (up, KnownBy::Option);
    }
    let told = options.mapping.as_ref().and(body).map(|m| m.up);
    if let Some(up) = told.filter(|up| *up != Up::Y) {
        return (up, KnownBy::Mapping);
    }
    match (of_format, found) {
        (Some(up), Some(found)) => {
            if found.certain && found.up != up {
                warnings.push(format!(
                    "the body stands along {}, but the format says that {} is up; `--up {}` stands it up",
                    found.up.name(),
                    up.name(),
                    found.up.name().to_lowercase().trim_start_matches('+'),
                ));
            }
            (up, KnownBy::File)
        }
        (Some(up), None) => (up, KnownBy::File),
        (None, Some(found)) => {
            if !found.certain {
                warnings.push(format!(
                    "which axis is up is doubtful: rest pose and motion differ, {} was taken; `--up` tells",
                    found.up.name()
                ));
            }
            (found.up, KnownBy::Body)
        }
        (None, None) => (Up::Y, KnownBy::Custom),
    }
}

fn unit_of(
    motion: &Motion,
    of_format: Option<f64>,
    body: Option<&Mapping>,
    options: &LoadOptions,
) -> Result<(f64, KnownBy), MotionError> {
    if let Some(unit) = options.unit_to_metre {
        if !(unit.is_finite() && unit > 0.0) {
            return Err(MotionError::Format {
                format: "unit",
                message: format!("{unit} metres per unit; a positive number was expected"),
            });
        }
        return Ok((unit, KnownBy::Option));
    }
    if options.mapping.is_some()
        && let Some(unit) = body.and_then(|mapping| mapping.unit_to_metre)
    {
        return Ok((unit, KnownBy::Mapping));
    }
    if let Some(unit) = of_format {
        return Ok((unit, KnownBy::File));
    }
    let by_legs = match body {
        Some(mapping) => leg_units(motion, mapping)?.map(guess_unit),
        None => None,
    };
    Ok((
        by_legs.unwrap_or_else(|| unit_by_height(motion)),
        KnownBy::Body,
    ))
}

/// A warning where the record says that the clip is not as it was made.
fn taken_away(record: &Provenance) -> Option<String> {
    let export = Export::recorded(record)?;
    (export.root_motion == RootMotion::InPlace).then(|| {
        "the clip's travel was taken away when it was written (in-place); places on the ground of \
         its record do not hold"
            .to_owned()
    })
}

/// Length of a leg in the motion's unit, where it has one.
fn leg_units(motion: &Motion, mapping: &Mapping) -> Result<Option<f64>, MotionError> {
    let resolved = mapping.resolve(&motion.skeleton)?;
    let points: Vec<Vec<DVec3>> = probe_frames(motion.len())
        .map(|frame| resolved.canonical(&motion.joint_poses_in_world(frame).0))
        .collect();
    Ok(leg_length(&points).ok())
}

/// Metres per unit for a rig whose joints have unknown names: the usual unit that brings the
/// first pose's longest extent nearest to a person's height.
fn unit_by_height(motion: &Motion) -> f64 {
    const HEIGHT_M: f64 = 1.6;
    const UNITS: [f64; 4] = [1.0, 0.01, 0.0254, 0.001];
    let extent = extent(motion);
    let distance = |unit: f64| (extent * unit / HEIGHT_M).ln().abs();
    UNITS
        .into_iter()
        .filter(|&unit| distance(unit).is_finite())
        .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
        .unwrap_or(1.0)
}

/// Longest side of the box around the first pose.
fn extent(motion: &Motion) -> f64 {
    if motion.is_empty() {
        return 0.0;
    }
    let first = motion.joint_poses_in_world(0).0;
    let low = first.iter().fold(DVec3::INFINITY, |low, p| low.min(*p));
    let high = first
        .iter()
        .fold(DVec3::NEG_INFINITY, |high, p| high.max(*p));
    (high - low).max_element()
}

/// A warning where a body is of no person's size.
fn odd_size(
    motion: &Motion,
    body: Option<&Mapping>,
    unit: f64,
) -> Result<Option<String>, MotionError> {
    let Some(mapping) = body else {
        return Ok(None);
    };
    let Some(leg_m) = leg_units(motion, mapping)? else {
        return Ok(None);
    };
    if (LEGS_M[0]..=LEGS_M[1]).contains(&leg_m) {
        return Ok(None);
    }
    let better = guess_unit(leg_m / unit);
    Ok(Some(format!(
        "the body is {:.3} m tall, its legs {leg_m:.3} m long; `--unit {better}` would make them {:.2} m",
        extent(motion),
        leg_m / unit * better,
    )))
}

/// Largest distance of the clip's joints from the file's, metres.
fn deviation(
    motion: &Motion,
    probes: &[(usize, Vec<DVec3>)],
    in_metres: impl Fn(DVec3) -> DVec3,
) -> Result<Option<f64>, MotionError> {
    let mut worst: Option<(f64, usize, usize)> = None;
    for (frame, expected) in probes {
        let joints = motion.joint_poses_in_world(*frame).0;
        for (joint, (got, expected)) in joints.iter().zip(expected).enumerate() {
            let off = got.distance(in_metres(*expected));
            if worst.is_none_or(|(most, ..)| off > most || off.is_nan()) {
                worst = Some((off, *frame, joint));
            }
        }
    }
    let Some((off, frame, joint)) = worst else {
        return Ok(None);
    };
    if off <= TOLERANCE_M {
        return Ok(Some(off));
    }
    Err(MotionError::Format {
        format: "clip",
        message: format!(
            "joint `{}` of frame {frame} would be {off:.4} m from where the file has it; \
             its transforms cannot be kept as a skeleton's",
            motion.skeleton.names[joint]
        ),
    })
}
