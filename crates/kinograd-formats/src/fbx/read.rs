//! Animations out of FBX files, ours and others'.

use std::collections::BTreeSet;
use std::path::Path;

use glam::{DAffine3, DMat3, DQuat, DVec3};
use kinograd_files::Budget;
use kinograd_motion::{Motion, MotionError, Skeleton};
use ufbx::{AnimStack, Scene, WarningType};

use super::error::{bad, named};
use super::sample::{Sampler, bind_pose, nearest_rotation};
use super::scene::{Axes, Content, axes, bytes_of, parse, record};
use super::skeleton::{Joints, animated_nodes, bones_and_above, joints};
use crate::format::{LoadOptions, SourceClip};
use crate::world::FromWorld;

/// Rates that a file's own clock may have to be taken, frames per second.
const OWN_RATES: std::ops::RangeInclusive<f64> = 15.0..=240.0;
/// The rate of other files.
const USUAL_FPS: f64 = 30.0;

/// Reads one animation of an FBX on its skeleton. The rest pose (no rotations) is the file's bind
/// pose in the world, or its default pose.
pub(super) fn load(path: &Path, options: &LoadOptions) -> Result<SourceClip, MotionError> {
    let bytes = bytes_of(path)?;
    named(path, clip(&bytes, options))
}

pub(super) fn clip(bytes: &[u8], options: &LoadOptions) -> Result<SourceClip, MotionError> {
    let scene = parse(bytes, Content::Animation)?;
    let mut warnings: Vec<String> = parser_warnings(&scene).collect();
    let (stack, animated) = choose(&scene, options.animation.as_deref(), &mut warnings)?;
    let joints = joints(&scene, &animated, &mut warnings)?;
    let span = Span::of(stack, &animated, options.fps, &scene, &mut warnings)?;
    Budget::of_process().check_joint_frames(joints.nodes.len(), span.frames)?;

    let axes = axes(&scene);
    let to_usual = match (&axes, options.up) {
        (Some(Axes { to_usual, .. }), None) => DAffine3::from_mat3(*to_usual),
        _ => DAffine3::IDENTITY,
    };
    let sampler = Sampler::new(&scene, &stack.anim, &joints.nodes, &animated, to_usual);
    let rest = rest_pose(&scene, &joints, &sampler, span.start_secs, &mut warnings);
    let (motion, probes) = sample(joints, &rest, &sampler, &span)?;
    Ok(SourceClip {
        probes,
        unit_to_metre: Some(scene.settings.unit_meters)
            .filter(|unit| *unit > 0.0 && unit.is_finite()),
        up: axes.map(|axes| axes.up),
        animation: Some(stack.element.name.to_string()),
        animations: stack_names(&scene),
        provenance: record(&scene),
        warnings,
        ..SourceClip::in_metres(motion)
    })
}

fn stack_names(scene: &Scene) -> Vec<String> {
    let stacks = scene.anim_stacks.into_iter();
    stacks.map(|stack| stack.element.name.to_string()).collect()
}

/// What the parser found odd, as far as it may move joints.
fn parser_warnings(scene: &Scene) -> impl Iterator<Item = String> {
    let of_motion = |kind: WarningType| {
        use WarningType::{
            DuplicateConnection, DuplicateObjectId, TruncatedArray, UnsupportedVersion,
        };
        matches!(
            kind,
            DuplicateConnection | DuplicateObjectId | TruncatedArray | UnsupportedVersion
        )
    };
    let warnings = scene.metadata.warnings.iter();
    warnings.filter(move |w| of_motion(w.type_)).map(|warning| {
        let times = match warning.count {
            0 | 1 => String::new(),
            count => format!(" ({count} times)"),
        };
        format!("the file is irregular: {}{times}", warning.description)
    })
}

/// The animation that was asked for, by name or number, or the first that moves a bone, or a node of a
/// file without bones; with the nodes that it moves.
fn choose<'a>(
    scene: &'a Scene,
    asked: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<(&'a AnimStack, BTreeSet<usize>), MotionError> {
    let stacks = || scene.anim_stacks.into_iter();
    let Some(asked) = asked else {
        let held = bones_and_above(scene);
        let moves = |animated: &BTreeSet<usize>| match held.is_empty() {
            true => !animated.is_empty(),
            false => !animated.is_disjoint(&held),
        };
        let (stack, animated) = stacks()
            .map(|stack| (stack, animated_nodes(stack)))
            .find(|(_, animated)| moves(animated))
            .ok_or_else(|| bad("no animation moves its joints; it holds a pose, not a clip"))?;
        let all = stack_names(scene);
        if all.len() > 1 {
            warnings.push(format!(
                "{} animations: {}; took {} (`--animation` takes another)",
                all.len(),
                all.join(", "),
                stack.element.name
            ));
        }
        return Ok((stack, animated));
    };
    let short = |name: &str| name.rsplit('|').next() == Some(asked);
    let by_number = || {
        asked
            .parse()
            .ok()
            .and_then(|number: usize| stacks().nth(number))
    };
    let stack = stacks()
        .find(|stack| stack.element.name.as_ref() == asked)
        .or_else(|| stacks().find(|stack| short(&stack.element.name)))
        .or_else(by_number)
        .ok_or_else(|| {
            bad(&format!(
                "no animation `{asked}`; it has `{}`",
                stack_names(scene).join("`, `")
            ))
        })?;
    Ok((stack, animated_nodes(stack)))
}

/// The frames that are taken of an animation.
struct Span {
    start_secs: f64,
    fps: f64,
    frames: usize,
}

impl Span {
    /// The animation's own span, or that of its keys, at the rate asked for or the file's own.
    fn of(
        stack: &AnimStack,
        animated: &BTreeSet<usize>,
        asked_fps: Option<f64>,
        scene: &Scene,
        warnings: &mut Vec<String>,
    ) -> Result<Self, MotionError> {
        let keys = Keys::of(stack, animated);
        let own = scene.settings.frames_per_second;
        let fps = asked_fps.unwrap_or(if OWN_RATES.contains(&own) {
            own
        } else {
            USUAL_FPS
        });
        Budget::of_process().check_fps("animation", fps)?;
        let told = [stack.time_begin, stack.time_end];
        let [start, stop] = if told[1] > told[0] { told } else { keys.secs };
        let [first, last] = keys.secs;
        if last > first && (first < start - 0.5 / fps || last > stop + 0.5 / fps) {
            warnings.push(format!(
                "animation `{}` has keys from {first:.3} s to {last:.3} s and a span from \
                 {start:.3} s to {stop:.3} s, which was taken",
                stack.element.name
            ));
        }
        if asked_fps.is_none() && keys.fps > 1.2 * fps {
            warnings.push(format!(
                "keys lie at {:.0} a second and were sampled at {fps}; `--fps {:.0}` keeps all",
                keys.fps, keys.fps
            ));
        }
        let secs = stop - start;
        if !(0.0..=Budget::of_process().secs.end().min(1e9)).contains(&secs) {
            return Err(bad(&format!(
                "animation `{}` lasts {secs} s; that is no clip",
                stack.element.name
            )));
        }
        Ok(Self {
            start_secs: start,
            fps,
            frames: (secs * fps + 1e-3).floor() as usize + 1,
        })
    }

    fn secs(&self, frame: usize) -> f64 {
        self.start_secs + frame as f64 / self.fps
    }
}

/// When the keys of an animation's nodes lie.
struct Keys {
    /// First and last.
    secs: [f64; 2],
    /// Keys per second of the densest curve.
    fps: f64,
}

impl Keys {
    fn of(stack: &AnimStack, animated: &BTreeSet<usize>) -> Self {
        let mut keys = Self {
            secs: [f64::INFINITY, f64::NEG_INFINITY],
            fps: 0.0,
        };
        let layers = stack.layers.into_iter();
        for driven in layers.flat_map(|layer| layer.anim_props.iter()) {
            if !animated.contains(&(driven.element.typed_id as usize)) {
                continue;
            }
            for curve in driven.anim_value.curves.iter().flatten() {
                let [Some(first), Some(last)] = [curve.keyframes.first(), curve.keyframes.last()]
                else {
                    continue;
                };
                keys.secs = [keys.secs[0].min(first.time), keys.secs[1].max(last.time)];
                let span = last.time - first.time;
                if span > 1e-6 {
                    let steps = (curve.keyframes.len() - 1) as f64;
                    keys.fps = keys.fps.max(steps / span);
                }
            }
        }
        if keys.secs[0] > keys.secs[1] {
            keys.secs = [0.0, 0.0];
        }
        keys
    }
}

/// World transforms at rest: the bind pose where its bones are as long as the moving ones, else
/// the file's default pose.
fn rest_pose(
    scene: &Scene,
    joints: &Joints,
    sampler: &Sampler<'_>,
    start_secs: f64,
    warnings: &mut Vec<String>,
) -> Vec<DAffine3> {
    let default = sampler.default_pose();
    let bind = bind_pose(scene, &joints.nodes);
    if bind.iter().all(Option::is_none) {
        return default;
    }
    let mut rest: Vec<DAffine3> = Vec::with_capacity(default.len());
    for (joint, bind) in bind.iter().enumerate() {
        rest.push(match (bind, joints.parents[joint]) {
            (Some(bind), _) => sampler.to_usual * *bind,
            (None, Some(parent)) => rest[parent] * default[parent].inverse() * default[joint],
            (None, None) => default[joint],
        });
    }
    let moving = sampler.at(start_secs);
    let ratio = bone_ratio(&joints.parents, &rest, &moving);
    let off = |ratio: f64| ratio.ln().abs();
    let nearer = off(bone_ratio(&joints.parents, &default, &moving)) + 0.02 < off(ratio);
    if nearer || !rest.iter().all(|joint| joint.is_finite()) {
        warnings.push(format!(
            "the bones of its bind pose are {ratio:.3} times as long as those that move; \
             its default pose was taken as the rest pose"
        ));
        return default;
    }
    rest
}

/// How long the bones of one pose are against those of another: the median.
fn bone_ratio(parents: &[Option<usize>], of: &[DAffine3], against: &[DAffine3]) -> f64 {
    let length = |pose: &[DAffine3], joint: usize, parent: usize| {
        pose[joint].translation.distance(pose[parent].translation)
    };
    let mut ratios: Vec<f64> = parents
        .iter()
        .enumerate()
        .filter_map(|(joint, parent)| {
            let parent = (*parent)?;
            let ratio = length(of, joint, parent) / length(against, joint, parent);
            (ratio.is_finite() && ratio > 0.0).then_some(ratio)
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(1.0)
}

type Probes = Vec<(usize, Vec<DVec3>)>;

/// Samples the animation on the skeleton, whose joints' frames are the world's at rest.
fn sample(
    joints: Joints,
    rest: &[DAffine3],
    sampler: &Sampler<'_>,
    span: &Span,
) -> Result<(Motion, Probes), MotionError> {
    let from_rest: Vec<DMat3> = rest
        .iter()
        .map(|joint| Some(joint.matrix3.inverse()).filter(|inverse| inverse.is_finite()))
        .map(Option::unwrap_or_default)
        .collect();
    let offsets = joints.parents.iter().zip(rest).map(|(parent, joint)| {
        joint.translation - parent.map_or(DVec3::ZERO, |parent| rest[parent].translation)
    });
    let skeleton = Skeleton {
        offsets_m: offsets.collect(),
        names: joints.names.clone(),
        parents: joints.parents.clone(),
    };
    let mut sampled = FromWorld::new(skeleton, span.fps, span.frames);
    for frame in 0..span.frames {
        let world = sampler.at(span.secs(frame));
        let mut rotations: Vec<DQuat> = Vec::with_capacity(world.len());
        for (joint, transform) in world.iter().enumerate() {
            if !transform.is_finite() {
                return Err(bad(&format!(
                    "node `{}` is at no finite place in frame {frame}",
                    joints.names[joint]
                )));
            }
            // What is scaled to nothing, or turned inside out, turns with its parent.
            let turn = nearest_rotation(transform.matrix3 * from_rest[joint]);
            let parent = joints.parents[joint].map_or(DQuat::IDENTITY, |p| rotations[p]);
            rotations.push(turn.unwrap_or(parent));
        }
        let places = world.iter().map(|joint| joint.translation);
        sampled.push(places.collect(), rotations);
    }
    Ok(sampled.finish())
}
