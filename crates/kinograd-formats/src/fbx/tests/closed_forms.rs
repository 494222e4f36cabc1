//! Transforms, curves, axes and units against closed forms.

use glam::{DQuat, DVec3};

use super::super::FORMAT;
use super::super::document::{
    definitions, double, global_settings, int, opening, properties, property, time,
};
use super::super::node::{Node, Value, file};
use super::super::objects::Objects;
use super::super::read::clip;
use super::read;
use crate::format::{LoadOptions, SourceClip};

/// A root without motion, two joints whose properties are given, of which curves with keys at 0 s
/// and 1 s turn the first, and an end.
fn rig(joints: [Vec<Node>; 2], keys: [[f32; 2]; 3], way: Way, settings: Node) -> Vec<u8> {
    let mut objects = Objects::default();
    let [root, limb, tip, end] = [(); 4].map(|()| objects.id());
    let [of_limb, of_tip] = joints;
    for (id, name, list, parent) in [
        (root, "root", at(0.0), 0),
        (limb, "limb", of_limb, root),
        (tip, "tip", of_tip, limb),
        (end, "end", at(1.0), tip),
    ] {
        let attribute = objects.id();
        objects.add(
            "NodeAttribute",
            Node::object(
                "NodeAttribute",
                attribute,
                name,
                "NodeAttribute",
                "LimbNode",
            )
            .child(Node::of("TypeFlags", "Skeleton")),
        );
        let model = Node::object("Model", id, name, "Model", "LimbNode");
        objects.add("Model", model.child(properties(list)));
        objects.connect(attribute, id);
        objects.connect(id, parent);
    }
    let [stack, layer, node] = [(); 3].map(|()| objects.id());
    let second = 46_186_158_000_i64;
    objects.add(
        "AnimationStack",
        Node::object("AnimationStack", stack, "turn", "AnimStack", "").child(properties([
            time("LocalStart", 0),
            time("LocalStop", second),
        ])),
    );
    objects.add(
        "AnimationLayer",
        Node::object("AnimationLayer", layer, "base", "AnimLayer", ""),
    );
    objects.add(
        "AnimationCurveNode",
        Node::object("AnimationCurveNode", node, "R", "AnimCurveNode", ""),
    );
    objects.connect(layer, stack);
    objects.connect(node, layer);
    objects.drive(node, limb, "Lcl Rotation");
    for (axis, values) in ["d|X", "d|Y", "d|Z"].into_iter().zip(keys) {
        let curve = objects.id();
        // What stays stays level.
        let moves = if values[0] == values[1] { 0.0 } else { 1.0 };
        let [leave, arrive] = way.slopes.map(|slope| slope * moves);
        objects.add(
            "AnimationCurve",
            Node::object("AnimationCurve", curve, "", "AnimCurve", "")
                .child(Node::of("Default", 0.0))
                .child(Node::of("KeyVer", 4008))
                .child(Node::of("KeyTime", vec![0, second]))
                .child(Node::of("KeyValueFloat", values.to_vec()))
                .child(Node::of("KeyAttrFlags", vec![way.flags]))
                .child(Node::of("KeyAttrDataFloat", vec![leave, arrive, 0.0, 0.0]))
                .child(Node::of("KeyAttrRefCount", vec![2])),
        );
        objects.drive(curve, node, axis);
    }
    let mut records = opening("{}");
    records.push(settings);
    records.push(definitions(objects.counts()));
    records.extend(objects.finish());
    file(&records).unwrap()
}

fn vector(name: &str, v: DVec3) -> Node {
    property(name, [name, ""], "A", v.to_array().map(Value::from))
}

/// A place of a node.
fn at(x: f64) -> Vec<Node> {
    vec![vector("Lcl Translation", DVec3::new(x, 2.0, 3.0))]
}

fn number(name: &str, value: i32) -> Node {
    property(name, ["enum", ""], "", [value.into()])
}

fn about(axis: usize, degrees: f64) -> DQuat {
    DQuat::from_axis_angle(DVec3::AXES[axis], degrees.to_radians())
}

/// X first, then Y, then Z, as pre- and post-rotation are whatever the node's own order is.
fn xyz(v: DVec3) -> DQuat {
    about(2, v.z) * about(1, v.y) * about(0, v.x)
}

/// How a curve goes from key to key.
#[derive(Clone, Copy)]
struct Way {
    flags: i32,
    /// Degrees per second after the first key and before the second.
    slopes: [f32; 2],
}

const fn way(flags: i32) -> Way {
    Way {
        flags,
        slopes: [0.0; 2],
    }
}

const CONSTANT: Way = way(2);
const LINEAR: Way = way(4);
/// With tangents that the file gives.
const CUBIC: Way = way(8 | 1024);

fn settings() -> Node {
    global_settings(20.0, 20)
}

fn tip(source: &SourceClip, frame: usize) -> DVec3 {
    source.motion.joint_poses_in_world(frame).0[2]
}

/// World = parent · T · Roff · Rp · Rpre · R · Rpost⁻¹ · Rp⁻¹ · Soff · Sp · S · Sp⁻¹ (Autodesk, "FBX
/// SDK Help: Computing transformation matrices"), in all six orders of R.
#[test]
fn transforms_are_what_the_sdk_documents() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 2, 0],
        [1, 0, 2],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let (t, pre, post) = (
        DVec3::new(1.0, -2.0, 0.5),
        DVec3::new(10.0, 20.0, 30.0),
        DVec3::new(-15.0, 25.0, 5.0),
    );
    let (r_off, r_pivot) = (DVec3::new(0.3, 0.2, 0.1), DVec3::new(-0.4, 0.5, 0.6));
    let (s_off, s_pivot) = (DVec3::new(0.1, 0.0, -0.2), DVec3::new(0.7, -0.3, 0.2));
    let scale = DVec3::new(2.0, 0.5, 1.5);
    let end = [40.0_f32, -70.0, 110.0];
    for (order, axes) in orders.into_iter().enumerate() {
        let joint = vec![
            number("RotationOrder", order as i32),
            property("RotationActive", ["bool", ""], "", [1.into()]),
            vector("Lcl Translation", t),
            vector("Lcl Scaling", scale),
            vector("PreRotation", pre),
            vector("PostRotation", post),
            vector("RotationOffset", r_off),
            vector("RotationPivot", r_pivot),
            vector("ScalingOffset", s_off),
            vector("ScalingPivot", s_pivot),
        ];
        let bytes = rig([joint, at(1.0)], end.map(|v| [0.0, v]), LINEAR, settings());
        let source = read(&bytes).unwrap();
        for (frame, share) in [(0, 0.0), (7, 0.35), (20, 1.0)] {
            let turn = axes.iter().fold(DQuat::IDENTITY, |turn, &axis| {
                about(axis, share * f64::from(end[axis])) * turn
            });
            let all = xyz(pre) * turn * xyz(post).inverse();
            let scaled = |p: DVec3| s_off + s_pivot + scale * (p - s_pivot);
            let limb = |p: DVec3| t + r_off + r_pivot + all * (scaled(p) - r_pivot);
            let expected = DVec3::new(0.0, 2.0, 3.0) + limb(DVec3::new(1.0, 2.0, 3.0));
            let off = tip(&source, frame).distance(expected);
            assert!(off < 1e-5, "order {order}, frame {frame}: {off}");
        }
    }
}

/// The three inherit types: what a node hands on of its parent's scale.
#[test]
fn scale_is_inherited_as_the_node_says() {
    let (scale, place) = (DVec3::new(2.0, 1.0, 3.0), DVec3::new(1.0, 2.0, 3.0));
    let turn = about(0, 90.0);
    let (all, own) = (about(0, 90.0), about(2, 90.0));
    for (inherit, handed_on) in [
        (0, all * (own * (scale * place))),
        (1, all * (scale * (own * place))),
        (2, all * (own * place)),
    ] {
        let limb = vec![vector("Lcl Scaling", scale)];
        let tip = vec![
            vector("Lcl Translation", place),
            vector("Lcl Rotation", DVec3::new(0.0, 0.0, 90.0)),
            number("InheritType", inherit),
        ];
        let bytes = rig(
            [limb, tip],
            [[0.0, 90.0], [0.0; 2], [0.0; 2]],
            LINEAR,
            settings(),
        );
        let source = read(&bytes).unwrap();
        let joints = source.motion.joint_poses_in_world(20).0;
        let tip = DVec3::new(0.0, 2.0, 3.0) + turn * (scale * place);
        let off = joints[2]
            .distance(tip)
            .max(joints[3].distance(tip + handed_on));
        assert!(off < 1e-5, "type {inherit}: {off}");
    }
}

#[test]
fn keys_are_constant_linear_or_cubic() {
    let turn = [[0.0_f32, 0.0], [0.0, 0.0], [0.0, 90.0]];
    let angle = |way: Way, frame: usize| {
        let bytes = rig([Vec::new(), at(1.0)], turn, way, settings());
        let tip = tip(&read(&bytes).unwrap(), frame) - DVec3::new(0.0, 2.0, 3.0);
        (tip.y.atan2(tip.x) - 2_f64.atan2(1.0)).to_degrees()
    };
    assert!(angle(CONSTANT, 19).abs() < 1e-4);
    assert!((angle(LINEAR, 5) - 22.5).abs() < 1e-4);
    // Hermite: (3t² − 2t³) of the way, and t³ − 2t² + t and t³ − t² of the slopes.
    assert!((angle(CUBIC, 5) - 90.0 * 0.15625).abs() < 1e-3);
    let slopes = [180.0, -60.0];
    let steep = 90.0 * 0.15625 + 180.0 * 0.140_625 - 60.0 * -0.046_875;
    assert!((angle(Way { slopes, ..CUBIC }, 5) - steep).abs() < 1e-3);
}

#[test]
fn axes_and_units_are_the_files() {
    let with = |up: [i32; 2], front: [i32; 2], right: [i32; 2], unit: f64| {
        Node::new("GlobalSettings").child(properties([
            int("UpAxis", up[0]),
            int("UpAxisSign", up[1]),
            int("FrontAxis", front[0]),
            int("FrontAxisSign", front[1]),
            int("CoordAxis", right[0]),
            int("CoordAxisSign", right[1]),
            double("UnitScaleFactor", unit),
        ]))
    };
    let turn = [[0.0_f32, 30.0], [0.0, 20.0], [0.0, 10.0]];
    let place = |settings: Node| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rig.fbx");
        std::fs::write(&path, rig([Vec::new(), at(1.0)], turn, LINEAR, settings)).unwrap();
        let clip = FORMAT.load(&path, &LoadOptions::default()).unwrap();
        clip.motion.joint_poses_in_world(15).0[2]
    };
    let p = place(with([1, 1], [2, 1], [0, 1], 100.0));
    for (settings, expected) in [
        // Z up, as Blender writes it; then turned about it; then left-handed.
        (
            with([2, 1], [1, -1], [0, 1], 1.0),
            DVec3::new(p.x, p.z, -p.y) * 0.01,
        ),
        (
            with([2, 1], [0, 1], [1, 1], 2.54),
            DVec3::new(p.y, p.z, p.x) * 0.0254,
        ),
        (
            with([1, 1], [2, -1], [0, 1], 1.0),
            DVec3::new(p.x, p.y, -p.z) * 0.01,
        ),
        (
            with([1, -1], [2, -1], [0, 1], 1.0),
            DVec3::new(p.x, -p.y, -p.z) * 0.01,
        ),
    ] {
        let off = place(settings).distance(expected);
        assert!(off < 1e-7, "{off}");
    }
}

#[test]
fn an_animation_is_taken_by_name_or_number() {
    let bytes = rig([Vec::new(), at(1.0)], [[0.0, 9.0]; 3], LINEAR, settings());
    let take = |name: &str| {
        let options = LoadOptions {
            animation: Some(name.to_owned()),
            ..LoadOptions::default()
        };
        clip(&bytes, &options)
    };
    assert_eq!(take("turn").unwrap().animation.as_deref(), Some("turn"));
    assert!(take("0").is_ok());
    let error = take("run").unwrap_err().to_string();
    assert!(
        error.contains("`run`") && error.contains("`turn`"),
        "{error}"
    );
}
