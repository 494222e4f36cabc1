//! Animations out of GLB files, ours and others'.

use std::path::Path;

use glam::{DMat4, DQuat, DVec3};
use kinograd_motion::{Motion, MotionError, Provenance, Skeleton};
use serde_json::Value;

use super::document::{Document, Node, bad, indices, size};

/// Longest clip read, in frames: a stray key time should not fill the memory.
const MAX_FRAMES: usize = 10_000_000;

/// Reads the first animation of a GLB on its first skin. The skeleton's rest pose (no rotations)
/// is the file's default pose in the world, so that joint frames are parallel to the world's
/// there. `fps`: frames per second to sample at; `None` takes the densest channel's. Armature
/// nodes above the skeleton, their scale included, are applied; joints keep constant offsets.
///
/// # Errors
/// [`MotionError::Io`] with the path; [`MotionError::Format`] for a file that is not a GLB, has
/// no skin or no animation, or keeps its data elsewhere.
pub fn read_glb(path: &Path, fps: Option<f64>) -> Result<Motion, MotionError> {
    named(path, motion_from_glb(&read(path)?, fps))
}

/// Reads the record that [`write_glb`](super::write_glb) left in `asset.extras`, if there is one.
///
/// # Errors
/// [`MotionError::Io`] with the path, [`MotionError::Format`] for a file that is not a GLB.
pub fn glb_provenance(path: &Path) -> Result<Option<Provenance>, MotionError> {
    let document = named(path, Document::parse(&read(path)?))?;
    let extras = &document.json["asset"]["extras"];
    Ok(provenance_of(extras))
}

fn provenance_of(extras: &Value) -> Option<Provenance> {
    extras
        .is_object()
        .then(|| serde_json::from_value(extras.clone()).ok())
        .flatten()
}

fn read(path: &Path) -> Result<Vec<u8>, MotionError> {
    std::fs::read(path).map_err(|source| MotionError::Io {
        path: path.to_path_buf(),
        source,
    })
}

fn named<T>(path: &Path, result: Result<T, MotionError>) -> Result<T, MotionError> {
    result.map_err(|error| match error {
        MotionError::Format { format, message } => MotionError::Format {
            format,
            message: format!("{}: {message}", path.display()),
        },
        other => other,
    })
}

fn motion_from_glb(bytes: &[u8], fps: Option<f64>) -> Result<Motion, MotionError> {
    let document = Document::parse(bytes)?;
    let nodes = document.nodes()?;
    let joints = joint_nodes(&document, &nodes)?;
    let channels = channels(&document, &nodes)?;
    let fps = fps.unwrap_or_else(|| densest_fps(&channels));
    if !(fps.is_finite() && fps > 0.0) {
        return Err(bad(&format!(
            "{fps} frames per second; a positive number was expected"
        )));
    }
    let last_secs = channels
        .iter()
        .filter_map(|channel| channel.times.last())
        .fold(0.0, |a: f64, &b| a.max(b));
    let frames = (last_secs * fps + 1e-3).floor() as usize + 1;
    if frames > MAX_FRAMES {
        return Err(bad(&format!(
            "{last_secs} s at {fps} frames per second is too long"
        )));
    }

    let rest = world_poses(&nodes);
    let parents: Vec<Option<usize>> = joints
        .iter()
        .map(|&joint| {
            let mut at = nodes[joint].parent;
            while let Some(node) = at {
                if let Some(found) = joints.iter().position(|&j| j == node) {
                    return Some(found);
                }
                at = nodes[node].parent;
            }
            None
        })
        .collect();
    let offsets_m = joints
        .iter()
        .zip(&parents)
        .map(|(&joint, parent)| match *parent {
            None => rest[joint].0,
            Some(parent) => rest[joint].0 - rest[joints[parent]].0,
        })
        .collect();

    let mut posed = nodes.clone();
    let (mut root_in_world_m, mut local_rotations) = (Vec::new(), Vec::new());
    for frame in 0..frames {
        for channel in &channels {
            channel.apply(&mut posed, frame as f64 / fps);
        }
        let world = world_poses(&posed);
        let rotations: Vec<DQuat> = joints
            .iter()
            .map(|&joint| (world[joint].1 * rest[joint].1.inverse()).normalize())
            .collect();
        root_in_world_m.push(world[joints[0]].0);
        local_rotations.push(
            parents
                .iter()
                .zip(&rotations)
                .map(|(parent, &r)| parent.map_or(r, |p| (rotations[p].inverse() * r).normalize()))
                .collect(),
        );
    }
    let motion = Motion {
        skeleton: Skeleton {
            names: joints
                .iter()
                .map(|&joint| nodes[joint].name.clone())
                .collect(),
            parents,
            offsets_m,
        },
        fps,
        root_in_world_m,
        local_rotations,
    };
    motion.check_storable()?;
    Ok(motion)
}

/// Nodes of the first skin's joints, parents first, with one root: where there are several, the
/// nodes above them are taken in until one holds all.
fn joint_nodes(document: &Document, nodes: &[Node]) -> Result<Vec<usize>, MotionError> {
    let mut joints = indices(&document.json["skins"][0]["joints"]);
    if joints.is_empty() {
        return Err(bad("no skin with joints"));
    }
    if let Some(joint) = joints.iter().find(|&&joint| joint >= nodes.len()) {
        return Err(bad(&format!(
            "the skin names node {joint}, which is not there"
        )));
    }
    let held = |joints: &[usize], node: usize| {
        let mut at = nodes[node].parent;
        while let Some(parent) = at {
            if joints.contains(&parent) {
                return true;
            }
            at = nodes[parent].parent;
        }
        false
    };
    loop {
        let roots: Vec<usize> = joints
            .iter()
            .copied()
            .filter(|&joint| !held(&joints, joint))
            .collect();
        if roots.len() == 1 {
            break;
        }
        let above: Vec<usize> = roots
            .iter()
            .filter_map(|&root| nodes[root].parent)
            .filter(|parent| !joints.contains(parent))
            .collect();
        if above.is_empty() {
            return Err(bad("the skin's joints have no common root"));
        }
        for parent in above {
            if !joints.contains(&parent) {
                joints.push(parent);
            }
        }
    }
    let depth = |mut node: usize| {
        let mut depth = 0;
        while let Some(parent) = nodes[node].parent {
            node = parent;
            depth += 1;
        }
        depth
    };
    // Stable, so that joints that are in order already keep it.
    let ordered = joints.iter().enumerate().all(|(place, &joint)| {
        place == 0
            || joints[..place]
                .iter()
                .any(|&j| nodes[joint].parent == Some(j))
    });
    if !ordered {
        joints.sort_by_key(|&joint| depth(joint));
    }
    Ok(joints)
}

/// World position and rotation of each node.
fn world_poses(nodes: &[Node]) -> Vec<(DVec3, DQuat)> {
    let mut world: Vec<Option<(DMat4, DQuat)>> = vec![None; nodes.len()];
    let mut stack: Vec<usize> = (0..nodes.len())
        .filter(|&n| nodes[n].parent.is_none())
        .collect();
    while let Some(node) = stack.pop() {
        let (matrix, rotation) = nodes[node]
            .parent
            .and_then(|parent| world[parent])
            .unwrap_or((DMat4::IDENTITY, DQuat::IDENTITY));
        world[node] = Some((
            matrix * nodes[node].local(),
            rotation * nodes[node].rotation,
        ));
        stack.extend(&nodes[node].children);
    }
    world
        .into_iter()
        .map(|pose| {
            let (matrix, rotation) = pose.unwrap_or((DMat4::IDENTITY, DQuat::IDENTITY));
            (matrix.w_axis.truncate(), rotation)
        })
        .collect()
}

enum Property {
    Translation,
    Rotation,
    Scale,
}

#[derive(Clone, Copy, PartialEq)]
enum Interpolation {
    Linear,
    Step,
    CubicSpline,
}

struct Channel {
    node: usize,
    path: Property,
    interpolation: Interpolation,
    times: Vec<f64>,
    values: Vec<f64>,
}

fn channels(document: &Document, nodes: &[Node]) -> Result<Vec<Channel>, MotionError> {
    let animation = &document.json["animations"][0];
    let list = animation["channels"]
        .as_array()
        .ok_or_else(|| bad("no animation"))?;
    let mut channels = Vec::new();
    for (index, channel) in list.iter().enumerate() {
        let fail = |message: &str| bad(&format!("animation channel {index}: {message}"));
        let (path, width) = match channel["target"]["path"].as_str() {
            Some("translation") => (Property::Translation, 3),
            Some("rotation") => (Property::Rotation, 4),
            Some("scale") => (Property::Scale, 3),
            _ => continue,
        };
        let Some(node) = size(&channel["target"]["node"]) else {
            continue;
        };
        if node >= nodes.len() {
            return Err(fail("its node is not there"));
        }
        let sampler = size(&channel["sampler"])
            .map(|sampler| &animation["samplers"][sampler])
            .ok_or_else(|| fail("no sampler"))?;
        let accessor = |key: &str| size(&sampler[key]).ok_or_else(|| fail("no key frames"));
        let times = document.numbers(accessor("input")?, 1)?;
        let values = document.numbers(accessor("output")?, width)?;
        let interpolation = match sampler["interpolation"].as_str() {
            None | Some("LINEAR") => Interpolation::Linear,
            Some("STEP") => Interpolation::Step,
            Some("CUBICSPLINE") => Interpolation::CubicSpline,
            Some(_) => return Err(fail("unknown interpolation")),
        };
        let parts = if interpolation == Interpolation::CubicSpline {
            3
        } else {
            1
        };
        if values.len() != times.len() * width * parts
            || !times.iter().chain(&values).all(|v| v.is_finite())
            || times.windows(2).any(|pair| pair[0] > pair[1])
        {
            return Err(fail("key frames that are not finite, ordered and complete"));
        }
        channels.push(Channel {
            node,
            path,
            interpolation,
            times,
            values,
        });
    }
    if channels.is_empty() {
        return Err(bad("no animation"));
    }
    Ok(channels)
}

impl Channel {
    fn apply(&self, nodes: &mut [Node], secs: f64) {
        let node = &mut nodes[self.node];
        match self.path {
            Property::Translation => node.translation = DVec3::from_array(self.vector(secs)),
            Property::Scale => node.scale = DVec3::from_array(self.vector(secs)),
            Property::Rotation => node.rotation = self.rotation(secs),
        }
    }

    /// Key before, key after, share of the way.
    fn place(&self, secs: f64) -> (usize, usize, f64) {
        let after = self.times.partition_point(|&time| time <= secs);
        if after == 0 {
            return (0, 0, 0.0);
        }
        if after == self.times.len() {
            return (after - 1, after - 1, 0.0);
        }
        let (from, to) = (self.times[after - 1], self.times[after]);
        let share = (secs - from) / (to - from);
        (
            after - 1,
            after,
            if self.interpolation == Interpolation::Step {
                0.0
            } else {
                share
            },
        )
    }

    fn key<const N: usize>(&self, key: usize, part: usize) -> [f64; N] {
        let parts = if self.interpolation == Interpolation::CubicSpline {
            3
        } else {
            1
        };
        let start = (key * parts + part) * N;
        std::array::from_fn(|axis| self.values[start + axis])
    }

    /// Linear or cubic Hermite interpolation (glTF 2.0, appendix C).
    fn vector<const N: usize>(&self, secs: f64) -> [f64; N] {
        let (before, after, t) = self.place(secs);
        if self.interpolation != Interpolation::CubicSpline {
            let (a, b) = (self.key::<N>(before, 0), self.key::<N>(after, 0));
            return std::array::from_fn(|axis| a[axis] + t * (b[axis] - a[axis]));
        }
        let span = self.times[after] - self.times[before];
        let (a, b) = (self.key::<N>(before, 1), self.key::<N>(after, 1));
        let (leave, arrive) = (self.key::<N>(before, 2), self.key::<N>(after, 0));
        let (t2, t3) = (t * t, t * t * t);
        std::array::from_fn(|axis| {
            (2.0 * t3 - 3.0 * t2 + 1.0) * a[axis]
                + span * (t3 - 2.0 * t2 + t) * leave[axis]
                + (3.0 * t2 - 2.0 * t3) * b[axis]
                + span * (t3 - t2) * arrive[axis]
        })
    }

    fn rotation(&self, secs: f64) -> DQuat {
        let rotation = if self.interpolation == Interpolation::CubicSpline {
            DQuat::from_array(self.vector(secs))
        } else {
            let (before, after, t) = self.place(secs);
            let key = |key: usize| unit(DQuat::from_array(self.key(key, 0)));
            key(before).slerp(key(after), t)
        };
        unit(rotation)
    }
}

fn unit(rotation: DQuat) -> DQuat {
    if rotation.length_squared() > 1e-12 {
        rotation.normalize()
    } else {
        DQuat::IDENTITY
    }
}

/// Frames per second of the channel with the most keys, rounded where that is what was meant.
fn densest_fps(channels: &[Channel]) -> f64 {
    let Some(channel) = channels.iter().max_by_key(|channel| channel.times.len()) else {
        return 30.0;
    };
    let span = channel.times.last().unwrap_or(&0.0) - channel.times.first().unwrap_or(&0.0);
    if channel.times.len() < 2 || span < 1e-6 {
        return 30.0;
    }
    let fps = (channel.times.len() - 1) as f64 / span;
    let whole = fps.round();
    if whole >= 1.0 && (fps / whole - 1.0).abs() < 1e-3 {
        whole
    } else {
        fps.min(1000.0)
    }
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

    #[test]
    fn resamples_on_export() {
        let walk = SynthWalk::default().motion();
        let options = GlbOptions {
            fps: Some(30.0),
            ..GlbOptions::default()
        };
        let bytes = glb_bytes(&walk, &options, &Provenance::default()).unwrap();
        let back = motion_from_glb(&bytes, None).unwrap();
        assert_eq!(back.fps, 30.0);
        assert_eq!(back.len(), 121);
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
            assert!(motion_from_glb(&whole[..end], None).is_err());
        }
        for at in (0..3000).step_by(7) {
            let mut broken = whole.clone();
            broken[at] ^= 1 << (at % 8);
            drop(motion_from_glb(&broken, None));
        }
        for fps in [0.0, f64::NAN, 1e12] {
            assert!(motion_from_glb(&whole, Some(fps)).is_err());
        }
    }
}
