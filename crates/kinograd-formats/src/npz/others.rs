//! Arrays that other people's tools write: joints, features and SMPL poses.

use glam::{DQuat, DVec3};
use kinograd_files::Budget;
use kinograd_motion::features::decode_joints;
use kinograd_motion::ik::fit_rotations;
use kinograd_motion::mapping::Up;
use kinograd_motion::{FEATURE_FPS, FEATURES, JOINTS, Motion, MotionError, Skeleton};
use ndarray::Array2;

use super::array::{Array, Arrays};
use crate::format::{LoadOptions, SourceClip};
use crate::world::FromWorld;

/// Names of SMPL's axis-angle poses, and of its root's way.
const POSES: [&str; 3] = ["poses", "smpl_poses", "fullpose"];
const WAYS: [&str; 3] = ["trans", "smpl_trans", "transl"];
const RATES: [&str; 5] = [
    "mocap_framerate",
    "mocap_frame_rate",
    "frame_rate",
    "framerate",
    "fps",
];
/// Names of arrays of joints or features.
const PLACES: [&str; 8] = [
    "joints",
    "motion",
    "motions",
    "positions",
    "joints3d",
    "features",
    "arr_0",
    "",
];
const WANTED: &str = "a clip of ours (`local_rotations`, `parents`, …), joints [frames, 22, 3], features \
    [frames, 263] of HumanML3D, or SMPL's `poses` and `trans`";

pub(super) fn source(arrays: &Arrays, options: &LoadOptions) -> Result<SourceClip, MotionError> {
    let first = |names: &[&'static str]| names.iter().copied().find(|name| arrays.has(name));
    let split = arrays.has("root_orient") && arrays.has("pose_body");
    if split || first(&POSES).is_some() {
        return smpl(arrays, first(&POSES), first(&WAYS), options);
    }
    let Some(name) = first(&PLACES) else {
        let names: Vec<&str> = arrays.names().collect();
        return Err(arrays.bad(format!(
            "no clip: it holds {}; {WANTED} was expected",
            if names.is_empty() {
                "nothing".to_owned()
            } else {
                format!("`{}`", names.join("`, `"))
            }
        )));
    };
    let shape = arrays.shape(name).map_err(|error| {
        arrays.bad(format!(
            "{}; of a text-to-motion model's results.npy write the joints alone: \
             np.save('clips.npy', np.load('results.npy', allow_pickle=True).item()['motion'])",
            error
        ))
    })?;
    let layout = Layout::of(&shape).ok_or_else(|| {
        arrays.bad(format!(
            "an array of shape {shape:?}; {WANTED} was expected{}",
            hint(&shape)
        ))
    })?;
    Budget::of_process().check_joint_frames(JOINTS, layout.frames)?;
    let mut warnings = Vec::new();
    let clip = choose(layout.clips, options, &mut warnings).map_err(|m| arrays.bad(m))?;
    let fps = frame_rate(arrays, options, &mut warnings)?;
    let array = arrays.get(name)?;
    if !array.data.iter().all(|number| number.is_finite()) {
        return Err(arrays.bad("the array has numbers that are not finite"));
    }
    let (joints, features) = if layout.width == FEATURES {
        let features = layout.features(&array, clip);
        warnings.extend(looks_normalised(&features));
        let decoded = decode_joints(features.view())?;
        let joints = decoded.outer_iter().map(|frame| {
            let place = |j: usize| DVec3::new(frame[[j, 0]], frame[[j, 1]], frame[[j, 2]]);
            (0..JOINTS).map(place).collect()
        });
        (joints.collect(), Some(features))
    } else {
        if layout.width > JOINTS * 3 {
            warnings.push(format!(
                "{} joints: the first {JOINTS}, SMPL's body, are read",
                layout.width / 3
            ));
        }
        (layout.joints(&array, clip), None)
    };
    let (motion, probes) = from_joints(&joints, fps)?;
    let is_features = features.is_some();
    Ok(SourceClip {
        probes,
        up: is_features.then_some(Up::Y),
        features: features.filter(|_| fps == FEATURE_FPS),
        warnings,
        animation: (layout.clips > 1).then(|| clip.to_string()),
        animations: (0..if layout.clips > 1 { layout.clips } else { 0 })
            .map(|clip| clip.to_string())
            .collect(),
        ..SourceClip::in_metres(motion)
    })
}

/// How numbers of clips lie in an array.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Layout {
    clips: usize,
    frames: usize,
    /// 263, or three times the number of joints.
    width: usize,
    /// Whether frames run fastest: `[…, width, frames]`.
    frames_last: bool,
}

impl Layout {
    fn of(shape: &[usize]) -> Option<Self> {
        let joints = |n: usize| n == JOINTS || (24..=55).contains(&n);
        let new = |clips, frames, width, frames_last| Self {
            clips,
            frames,
            width,
            frames_last,
        };
        Some(match *shape {
            [frames, FEATURES] => new(1, frames, FEATURES, false),
            [clips, frames, FEATURES] => new(clips, frames, FEATURES, false),
            [clips, FEATURES, 1, frames] => new(clips, frames, FEATURES, true),
            [FEATURES, frames] | [FEATURES, 1, frames] => new(1, frames, FEATURES, true),
            [frames, n, 3] if joints(n) => new(1, frames, n * 3, false),
            [n, 3, frames] if joints(n) => new(1, frames, n * 3, true),
            [clips, n, 3, frames] if joints(n) => new(clips, frames, n * 3, true),
            [clips, frames, n, 3] if joints(n) => new(clips, frames, n * 3, false),
            [frames, width] if width == JOINTS * 3 => new(1, frames, width, false),
            _ => return None,
        })
        .filter(|layout| layout.clips > 0 && layout.frames > 0)
    }

    fn at(&self, clip: usize, frame: usize, column: usize) -> usize {
        let within = if self.frames_last {
            column * self.frames + frame
        } else {
            frame * self.width + column
        };
        clip * self.frames * self.width + within
    }

    fn features(&self, array: &Array, clip: usize) -> Array2<f32> {
        Array2::from_shape_fn((self.frames, FEATURES), |(frame, column)| {
            array.data[self.at(clip, frame, column)] as f32
        })
    }

    fn joints(&self, array: &Array, clip: usize) -> Vec<Vec<DVec3>> {
        let axis = |frame, joint, axis| array.data[self.at(clip, frame, joint * 3 + axis)];
        (0..self.frames)
            .map(|f| {
                (0..JOINTS)
                    .map(|j| DVec3::new(axis(f, j, 0), axis(f, j, 1), axis(f, j, 2)))
                    .collect()
            })
            .collect()
    }
}

/// What a shape that is not read may be.
fn hint(shape: &[usize]) -> &'static str {
    match shape {
        [_, 251] | [_, 21, 3] => "; this looks like KIT-ML, whose body has 21 joints",
        [_, 72 | 156 | 165] => {
            "; this looks like SMPL poses without the root's way: `trans` is missing"
        }
        _ => "",
    }
}

fn choose(
    clips: usize,
    options: &LoadOptions,
    warnings: &mut Vec<String>,
) -> Result<usize, String> {
    match &options.animation {
        Some(wanted) => wanted
            .parse()
            .ok()
            .filter(|&clip: &usize| clip < clips)
            .ok_or_else(|| format!("no clip `{wanted}`; there are 0 to {}", clips - 1)),
        None => {
            if clips > 1 {
                warnings.push(format!(
                    "{clips} clips; took the first (`--animation 1` takes the next)"
                ));
            }
            Ok(0)
        }
    }
}

fn frame_rate(
    arrays: &Arrays,
    options: &LoadOptions,
    warnings: &mut Vec<String>,
) -> Result<f64, MotionError> {
    let fps = match RATES.iter().find(|name| arrays.has(name)) {
        _ if options.source_fps.is_some() => options.source_fps.unwrap_or(FEATURE_FPS),
        Some(name) => arrays.scalar(name)?,
        None => {
            warnings.push(format!(
                "the file says no frame rate: {FEATURE_FPS} per second, as of HumanML3D, are taken \
                 (`--source-fps` tells)"
            ));
            FEATURE_FPS
        }
    };
    Budget::of_process().check_fps("frames per second of the file", fps)?;
    Ok(fps)
}

/// A warning for features that are normalised: contacts are 0 or 1.
fn looks_normalised(features: &Array2<f32>) -> Option<String> {
    let contacts = features.slice(ndarray::s![.., FEATURES - 4..]);
    let outside = contacts
        .iter()
        .filter(|c| !(-0.5..=1.5).contains(*c))
        .count();
    (outside * 20 > contacts.len()).then(|| {
        "the features look normalised, foot contacts are not between 0 and 1: multiply by Std.npy \
         and add Mean.npy first"
            .to_owned()
    })
}

type Clip = (Motion, Vec<(usize, Vec<DVec3>)>);

/// A motion through joints of the canonical order, `[frame][22]`, on a body of their bone lengths:
/// what bones of one length cannot reach is kept as translations.
fn from_joints(joints: &[Vec<DVec3>], fps: f64) -> Result<Clip, MotionError> {
    let mut skeleton = Skeleton::canonical();
    for joint in 1..JOINTS {
        let parent = skeleton.parents[joint].unwrap_or(0);
        let mut lengths: Vec<f64> = joints
            .iter()
            .map(|f| f[joint].distance(f[parent]))
            .collect();
        lengths.sort_by(f64::total_cmp);
        let offset = &mut skeleton.offsets_m[joint];
        *offset = offset.normalize_or_zero() * lengths[lengths.len() / 2];
    }
    // The body stands on the ground in its rest pose.
    let down = [4, 7].map(|joint| skeleton.offsets_m[joint].y);
    skeleton.offsets_m[0] = DVec3::Y * -(skeleton.offsets_m[1].y + down[0] + down[1]);
    let fitted = fit_rotations(&skeleton, joints, fps)?;
    let mut kept = FromWorld::new(skeleton, fps, joints.len());
    for (frame, places) in joints.iter().enumerate() {
        kept.push(places.clone(), fitted.joint_poses_in_world(frame).1);
    }
    Ok(kept.finish())
}

/// SMPL poses: axis-angle rotations of the joints in SMPL's order, and the root's way. The body's
/// shape is not read: our rest pose, of the same joints, stands for it (Loper et al. 2015, "SMPL").
fn smpl(
    arrays: &Arrays,
    poses: Option<&'static str>,
    way: Option<&'static str>,
    options: &LoadOptions,
) -> Result<SourceClip, MotionError> {
    let way = way.ok_or_else(|| {
        arrays.bad("SMPL poses without the root's way: an array `trans` [frames, 3] is missing")
    })?;
    let trans = arrays.shaped(way, &[None, Some(3)])?;
    let frames = trans.shape[0];
    Budget::of_process().check_joint_frames(JOINTS, frames)?;
    let axis_angles: Vec<Array> = match poses {
        Some(name) => vec![arrays.get(name)?],
        None => vec![
            arrays.shaped("root_orient", &[Some(frames), Some(3)])?,
            arrays.shaped("pose_body", &[Some(frames), None])?,
        ],
    };
    let width = |array: &Array| array.data.len() / frames.max(1);
    let widths: usize = axis_angles.iter().map(width).sum();
    if axis_angles
        .iter()
        .any(|array| array.shape.first() != Some(&frames))
        || widths < JOINTS * 3
    {
        return Err(arrays.bad(format!(
            "poses of {widths} numbers in {} frames for a way of {frames} frames; at least {} numbers, \
             3 for each of {JOINTS} joints, were expected",
            axis_angles[0].shape.first().unwrap_or(&0),
            JOINTS * 3
        )));
    }
    let rotation = |frame: usize, joint: usize| {
        let mut column = joint * 3;
        for array in &axis_angles {
            let width = width(array);
            if column < width {
                return DQuat::from_scaled_axis(array.vector(frame * width + column));
            }
            column -= width;
        }
        DQuat::IDENTITY
    };
    let mut warnings = vec![
        "SMPL's body shape (betas) is not read: the joints are those of our body, whose legs may be \
         longer or shorter"
            .to_owned(),
    ];
    let fps = frame_rate(arrays, options, &mut warnings)?;
    let motion = Motion::new(
        Skeleton::canonical(),
        fps,
        (0..frames).map(|frame| trans.vector(frame * 3)).collect(),
        (0..frames)
            .map(|frame| (0..JOINTS).map(|joint| rotation(frame, joint)).collect())
            .collect(),
    );
    motion.check_storable().map_err(|error| arrays.bad(error))?;
    // AMASS has Z up; other tools keep SMPL's Y or a camera's axes.
    let is_amass = RATES[..2].iter().any(|name| arrays.has(name)) || arrays.has("dmpls");
    Ok(SourceClip {
        up: is_amass.then_some(Up::Z),
        warnings,
        ..SourceClip::in_metres(motion)
    })
}
