//! A motion as the curves of one FBX animation.

use glam::{DQuat, DVec3, EulerRot};
use kinograd_motion::Motion;

use super::body::UNITS_PER_METRE;
use super::document::{properties, property, ticks, time};
use super::node::Node;
use super::objects::Objects;

/// Linear between keys; FBX's flag for it.
const LINEAR: i32 = 4;

/// Adds a stack with one layer: a key per frame for the root's place, for the joints that move
/// from their parents, and for every rotation.
pub(super) fn animation(objects: &mut Objects, motion: &Motion, models: &[i64], name: &str) {
    let (stack, layer) = (objects.id(), objects.id());
    let stop = ticks(motion.len().saturating_sub(1), motion.fps);
    objects.add(
        "AnimationStack",
        Node::object("AnimationStack", stack, name, "AnimStack", "").child(properties([
            time("LocalStart", 0),
            time("LocalStop", stop),
            time("ReferenceStart", 0),
            time("ReferenceStop", stop),
        ])),
    );
    objects.add(
        "AnimationLayer",
        Node::object("AnimationLayer", layer, "base", "AnimLayer", ""),
    );
    objects.connect(layer, stack);
    let times: Vec<i64> = (0..motion.len()).map(|f| ticks(f, motion.fps)).collect();
    let mut channel = |model: i64, kind: Channel, keys: &[DVec3]| {
        curves(objects, layer, model, kind, &times, keys);
    };
    for (joint, &model) in models.iter().enumerate() {
        if joint == 0 {
            channel(
                model,
                Channel::Translation,
                &scaled(&motion.root_in_world_m),
            );
        } else if let Some(offsets) = motion.translations.get(&joint) {
            channel(model, Channel::Translation, &scaled(offsets));
        }
        let rotations = motion.local_rotations.iter().map(|frame| frame[joint]);
        channel(model, Channel::Rotation, &euler_degrees(rotations));
    }
}

fn scaled(metres: &[DVec3]) -> Vec<DVec3> {
    metres.iter().map(|p| *p * UNITS_PER_METRE).collect()
}

/// Degrees about X, then Y, then Z of the parent, each frame's as near to the last one's as it
/// can be: players go from key to key along the angles.
fn euler_degrees(rotations: impl Iterator<Item = DQuat>) -> Vec<DVec3> {
    let mut last = DVec3::ZERO;
    rotations
        .map(|rotation| {
            let (z, y, x) = rotation.normalize().to_euler(EulerRot::ZYX);
            let first = DVec3::new(x.to_degrees(), y.to_degrees(), z.to_degrees());
            // The same rotation, the other way round.
            let other = DVec3::new(first.x + 180.0, 180.0 - first.y, first.z + 180.0);
            let near = |angles: DVec3| angles - ((angles - last) / 360.0).round() * 360.0;
            let (first, other) = (near(first), near(other));
            last = if first.distance_squared(last) <= other.distance_squared(last) {
                first
            } else {
                other
            };
            last
        })
        .collect()
}

/// A property that curves drive.
#[derive(Debug, Clone, Copy)]
enum Channel {
    Translation,
    Rotation,
}

fn curves(
    objects: &mut Objects,
    layer: i64,
    model: i64,
    channel: Channel,
    times: &[i64],
    keys: &[DVec3],
) {
    let (name, driven) = match channel {
        Channel::Translation => ("T", "Lcl Translation"),
        Channel::Rotation => ("R", "Lcl Rotation"),
    };
    let start = keys.first().copied().unwrap_or_default();
    let node = objects.id();
    let axes = ["d|X", "d|Y", "d|Z"];
    objects.add(
        "AnimationCurveNode",
        Node::object("AnimationCurveNode", node, name, "AnimCurveNode", "").child(properties(
            axes.iter()
                .zip(start.to_array())
                .map(|(axis, value)| property(axis, ["Number", ""], "A", [value.into()])),
        )),
    );
    objects.connect(node, layer);
    objects.drive(node, model, driven);
    for (axis, property) in axes.into_iter().enumerate() {
        let curve = objects.id();
        let values: Vec<f32> = keys.iter().map(|key| key[axis] as f32).collect();
        objects.add(
            "AnimationCurve",
            Node::object("AnimationCurve", curve, "", "AnimCurve", "")
                .child(Node::of("Default", start[axis]))
                .child(Node::of("KeyVer", 4008))
                .child(Node::of("KeyTime", times.to_vec()))
                .child(Node::of("KeyValueFloat", values))
                .child(Node::of("KeyAttrFlags", vec![LINEAR]))
                .child(Node::of("KeyAttrDataFloat", vec![0.0_f32; 4]))
                .child(Node::of("KeyAttrRefCount", vec![times.len() as i32])),
        );
        objects.drive(curve, node, property);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Angles make the rotation again, and turn on past half a turn.
    #[test]
    fn angles_are_those_of_the_rotation_and_never_jump() {
        let turns: Vec<DQuat> = (0..400)
            .map(|k| {
                let t = f64::from(k) * 0.05;
                DQuat::from_rotation_y(t) * DQuat::from_rotation_x(0.6 * t.sin())
            })
            .collect();
        let keys = euler_degrees(turns.iter().copied());
        for (turn, key) in turns.iter().zip(&keys) {
            let [x, y, z] = key.to_array().map(f64::to_radians);
            let again =
                DQuat::from_rotation_z(z) * DQuat::from_rotation_y(y) * DQuat::from_rotation_x(x);
            assert!(again.dot(*turn).abs() > 1.0 - 1e-12);
        }
        for pair in keys.windows(2) {
            assert!((pair[1] - pair[0]).abs().max_element() < 90.0, "{pair:?}");
        }
    }
}
