//! Animations out of GLB files, ours and others'.

use std::path::Path;

use glam::DVec3;
use kinograd_files::Budget;
use kinograd_motion::{Motion, MotionError, Provenance};
use serde_json::Value;

use super::curves::{Channel, Property, animation_names, channels, last_secs, pick, sampling_rate};
use super::document::{Document, Node, Nodes, bad};
use super::poses::{Turns, World};
use super::skeleton::{Joints, joints};
use super::vrm::humanoid;
use crate::format::{LoadOptions, SourceClip};
use crate::world::FromWorld;

/// Reads the first animation of a GLB. `fps`: frames per second to sample curves at.
///
/// # Errors
/// [`MotionError::Io`] with the path; [`MotionError::Format`] for a file that is not a GLB, has no
/// animation, or keeps its data elsewhere or in an extension that is not read.
pub fn read_glb(path: &Path, fps: Option<f64>) -> Result<Motion, MotionError> {
    let options = LoadOptions {
        fps,
        ..LoadOptions::default()
    };
    Ok(load(path, &options)?.motion)
}

/// Reads an animation of a GLB on its largest skin, or on the nodes that move where it has none.
/// The skeleton's rest pose (no rotations) is the file's default pose in the world, so that joint
/// frames are parallel to the world's there. Nodes above the skeleton, their scales included, are
/// applied; joints whose offsets change keep them ([`Motion::translations`]).
///
/// Frames that the file holds are kept; curves are sampled.
///
/// # Errors
/// [`MotionError::Io`] with the path; [`MotionError::Format`] for a file that is not a GLB, has no
/// animation, or keeps its data elsewhere or in an extension that is not read.
pub(super) fn load(path: &Path, options: &LoadOptions) -> Result<SourceClip, MotionError> {
    in_file(path, clip_of(&read(path)?, options))
}

/// Reads the record that [`write_glb`](super::write_glb) left in `asset.extras`, if there is one.
///
/// # Errors
/// [`MotionError::Io`] with the path, [`MotionError::Format`] for a file that is not a GLB.
pub fn glb_provenance(path: &Path) -> Result<Option<Provenance>, MotionError> {
    let document = in_file(path, Document::parse(&read(path)?))?;
    let extras = &document.json["asset"]["extras"];
    Ok(provenance_of(extras))
}

fn provenance_of(extras: &Value) -> Option<Provenance> {
    extras
        .is_object()
        .then(|| serde_json::from_value(extras.clone()).ok())
        .flatten()
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, MotionError> {
    Ok(kinograd_files::read(path, Budget::of_process())?)
}

pub(super) fn in_file<T>(path: &Path, result: Result<T, MotionError>) -> Result<T, MotionError> {
    result.map_err(|error| match error {
        MotionError::Format { format, message } => MotionError::Format {
            format,
            message: format!("{}: {message}", path.display()),
        },
        other => other,
    })
}

pub(super) fn clip_of(bytes: &[u8], options: &LoadOptions) -> Result<SourceClip, MotionError> {
    let document = Document::parse(bytes)?;
    let nodes = document.nodes()?;
    let mut warnings = Vec::new();
    let animations = animation_names(&document);
    let taken = pick(&animations, options.animation.as_deref())?;
    if animations.len() > 1 && options.animation.is_none() {
        warnings.push(format!(
            "{} animations: {}; took {} (`--animation` takes another)",
            animations.len(),
            animations.join(", "),
            animations[taken]
        ));
    }
    let channels = channels(&document, taken, &nodes.list, &mut warnings)?;
    let joints = joints(&document, &nodes, &channels, &mut warnings)?;
    let (motion, probes) = sample(&nodes, &joints, &channels, options.fps)?;
    Ok(SourceClip {
        probes,
        animation: Some(animations[taken].clone()),
        animations,
        mapping: humanoid(&document, &motion.skeleton, &joints.nodes)?,
        provenance: provenance_of(&document.json["asset"]["extras"]),
        warnings,
        ..SourceClip::in_metres(motion)
    })
}

type Probes = Vec<(usize, Vec<DVec3>)>;

/// Samples the curves on the skeleton.
fn sample(
    nodes: &Nodes,
    joints: &Joints,
    channels: &[Channel],
    wanted_fps: Option<f64>,
) -> Result<(Motion, Probes), MotionError> {
    let (fps, _) = sampling_rate(channels, wanted_fps);
    if !(fps.is_finite() && fps > 0.0) {
        return Err(bad(&format!(
            "{fps} frames per second; a positive number was expected"
        )));
    }
    // Single precision is off by a hundredth of a frame after half an hour.
    let frames = (last_secs(channels) * fps + 2e-2).floor() as usize + 1;
    Budget::of_process().check_joint_frames(joints.nodes.len(), frames)?;

    let mut world = World::new(nodes, &joints.nodes);
    world.update(&nodes.list);
    let turns = Turns::new(&world, &joints.nodes, plain_scales(&nodes.list, channels));
    let skeleton = joints.skeleton(nodes, &world);
    let mut sampled = FromWorld::new(skeleton, fps, frames);
    let mut posed = nodes.list.clone();
    for frame in 0..frames {
        for channel in channels {
            channel.apply(&mut posed, frame as f64 / fps);
        }
        world.update(&posed);
        let places = joints.nodes.iter().map(|&node| world.position(node));
        let rotations = joints.nodes.iter().enumerate();
        sampled.push(
            places.collect(),
            rotations
                .map(|(at, &node)| turns.of(&world, at, node))
                .collect(),
        );
    }
    Ok(sampled.finish())
}

/// Whether no scale of the file, moved or not, is uneven or negative.
fn plain_scales(nodes: &[Node], channels: &[Channel]) -> bool {
    let plain = |scale: DVec3| {
        scale.min_element() > 0.0 && scale.max_element() - scale.min_element() < 1e-6 * scale.x
    };
    let scaled = |channel: &Channel| matches!(channel.path, Property::Scale);
    nodes
        .iter()
        .all(|node| node.matrix.is_none() && plain(node.scale))
        && !channels.iter().any(scaled)
}

#[cfg(test)]
mod tests {
    use super::super::write::{GlbOptions, glb_bytes, write_glb};
    use super::*;
    use kinograd_motion::synth::SynthWalk;

    #[test]
    fn reads_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("walk.glb");
        let walk = SynthWalk {
            turn_rad_per_s: 0.6,
            ..SynthWalk::default()
        }
        .motion();
        let mut provenance = Provenance::new();
        provenance.seed = Some(3);
        write_glb(&path, &walk, &GlbOptions::default(), &provenance).unwrap();
        let back = read_glb(&path, None).unwrap();
        assert_eq!(back.fps, walk.fps);
        assert_eq!(back.len(), walk.len());
        assert_eq!(back.skeleton.names, walk.skeleton.names);
        assert_eq!(back.skeleton.parents, walk.skeleton.parents);
        let (a, b) = (walk.joints_in_world_m(), back.joints_in_world_m());
        let error = a
            .iter()
            .flatten()
            .zip(b.iter().flatten())
            .map(|(a, b)| a.distance(*b));
        assert!(error.fold(0.0, f64::max) < 1e-5);
        assert_eq!(glb_provenance(&path).unwrap(), Some(provenance));
    }

    /// Half an hour on, times in single precision miss their frames by a hundredth.
    #[test]
    fn long_clips_keep_their_last_frame() {
        let frames = 120_000_u32;
        let skeleton = kinograd_motion::Skeleton {
            names: vec!["hips".to_owned()],
            parents: vec![None],
            offsets_m: vec![DVec3::ZERO],
        };
        let roots = (0..frames)
            .map(|frame| DVec3::X * f64::from(frame % 100))
            .collect();
        let turns = vec![vec![glam::DQuat::IDENTITY]; frames as usize];
        let motion = Motion::new(skeleton, 60.0, roots, turns);
        let bytes = glb_bytes(&motion, &GlbOptions::default(), &Provenance::default()).unwrap();
        let back = clip_of(&bytes, &LoadOptions::default()).unwrap().motion;
        assert_eq!((back.len(), back.fps), (motion.len(), 60.0));
    }

    #[test]
    fn resamples_on_export() {
        let walk = SynthWalk::default().motion();
        let options = GlbOptions {
            fps: Some(30.0),
            ..GlbOptions::default()
        };
        let bytes = glb_bytes(&walk, &options, &Provenance::default()).unwrap();
        let back = clip_of(&bytes, &LoadOptions::default()).unwrap().motion;
        assert_eq!(back.fps, 30.0);
        assert_eq!(back.len(), 122);
        let way = back.root_in_world_m[60] - walk.root_in_world_m[40];
        assert!(way.length() < 1e-5);
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let options = GlbOptions {
                fps: Some(fps),
                ..GlbOptions::default()
            };
            assert!(glb_bytes(&walk, &options, &Provenance::default()).is_err());
        }
    }

    #[test]
    fn no_truncation_and_no_flipped_bit_panics() {
        let walk = SynthWalk {
            duration_secs: 0.2,
            ..SynthWalk::default()
        }
        .motion();
        let whole = glb_bytes(&walk, &GlbOptions::default(), &Provenance::default()).unwrap();
        for end in (0..whole.len()).step_by(997) {
            assert!(clip_of(&whole[..end], &LoadOptions::default()).is_err());
        }
        for at in (0..3000).step_by(7) {
            let mut broken = whole.clone();
            broken[at] ^= 1 << (at % 8);
            drop(clip_of(&broken, &LoadOptions::default()));
        }
    }
}
