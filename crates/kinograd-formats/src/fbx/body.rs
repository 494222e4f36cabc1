//! Skeleton, mannequin, skin and bind pose of an FBX document.

use glam::DVec3;
use kinograd_motion::Skeleton;
use kinograd_motion::export::rest_positions;

use super::document::{double, properties, property};
use super::node::{Node, Value};
use super::objects::Objects;
use crate::mannequin::{Mannequin, Part, mannequin};

/// Files hold centimetres.
pub(super) const UNITS_PER_METRE: f64 = 100.0;

/// Adds skeleton and mannequin in their rest pose; returns each joint's model.
pub(super) fn body(objects: &mut Objects, skeleton: &Skeleton) -> Vec<i64> {
    let models = joints(objects, skeleton);
    let rest: Vec<DVec3> = rest_positions(skeleton)
        .into_iter()
        .map(|p| p * UNITS_PER_METRE)
        .collect();
    let mesh = mannequin(skeleton);
    let mut posed: Vec<(i64, DVec3)> = models.iter().copied().zip(rest.iter().copied()).collect();
    if !mesh.shell.indices.is_empty() || !mesh.balls.indices.is_empty() {
        let (model, geometry) = mesh_model(objects, &mesh);
        skin(objects, geometry, &mesh, skeleton, &models, &rest);
        posed.push((model, DVec3::ZERO));
    }
    bind_pose(objects, &posed);
    models
}

fn joints(objects: &mut Objects, skeleton: &Skeleton) -> Vec<i64> {
    let mut models: Vec<i64> = Vec::with_capacity(skeleton.len());
    for (joint, parent) in skeleton.parents.iter().enumerate() {
        let (model, attribute) = (objects.id(), objects.id());
        let name = &skeleton.names[joint];
        let offset = skeleton.offsets_m[joint] * UNITS_PER_METRE;
        objects.add("Model", model_record(model, name, "LimbNode", offset));
        objects.add(
            "NodeAttribute",
            Node::object(
                "NodeAttribute",
                attribute,
                name,
                "NodeAttribute",
                "LimbNode",
            )
            .child(properties([double("Size", 4.0)]))
            .child(Node::of("TypeFlags", "Skeleton")),
        );
        objects.connect(attribute, model);
        objects.connect(model, parent.map_or(0, |parent| models[parent]));
        models.push(model);
    }
    models
}

/// A model that turns about X, then Y, then Z of its parent.
fn model_record(id: i64, name: &str, kind: &str, offset: DVec3) -> Node {
    let local =
        |name: &str, v: DVec3| property(name, [name, ""], "A", v.to_array().map(Into::into));
    Node::object("Model", id, name, "Model", kind)
        .child(Node::of("Version", 232))
        .child(properties([
            property("RotationActive", ["bool", ""], "", [1.into()]),
            // RSrs: a child is placed by its parent's whole transform.
            property("InheritType", ["enum", ""], "", [1.into()]),
            local("Lcl Translation", offset),
            local("Lcl Rotation", DVec3::ZERO),
            local("Lcl Scaling", DVec3::ONE),
        ]))
        .child(Node::of("Shading", true))
        .child(Node::of("Culling", "CullingOff"))
}

/// The mannequin: model and geometry.
fn mesh_model(objects: &mut Objects, mesh: &Mannequin) -> (i64, i64) {
    let (model, geometry) = (objects.id(), objects.id());
    objects.add(
        "Model",
        model_record(model, "mannequin", "Mesh", DVec3::ZERO),
    );
    objects.add("Geometry", geometry_record(geometry, mesh));
    objects.connect(model, 0);
    objects.connect(geometry, model);
    for (name, colour) in [
        ("shell", [0.62, 0.60, 0.57]),
        ("joints", [0.16, 0.17, 0.19]),
    ] {
        let id = objects.id();
        let diffuse = property("DiffuseColor", ["Color", ""], "A", colour.map(Into::into));
        objects.add(
            "Material",
            Node::object("Material", id, name, "Material", "")
                .child(Node::of("Version", 102))
                .child(Node::of("ShadingModel", "lambert"))
                .child(Node::of("MultiLayer", 0))
                .child(properties([diffuse])),
        );
        objects.connect(id, model);
    }
    (model, geometry)
}

/// Both parts of the mannequin, shell first.
fn parts(mesh: &Mannequin) -> [&Part; 2] {
    [&mesh.shell, &mesh.balls]
}

fn geometry_record(id: i64, mesh: &Mannequin) -> Node {
    let numbers = |of: fn(&Part) -> &Vec<[f32; 3]>, scale: f64| -> Vec<f64> {
        let all = parts(mesh).into_iter().flat_map(of).flatten();
        all.map(|&v| f64::from(v) * scale).collect()
    };
    let (mut corners, mut materials, mut first) = (Vec::new(), Vec::new(), 0);
    for (material, part) in parts(mesh).into_iter().enumerate() {
        for triangle in part.indices.chunks_exact(3) {
            let corner = |at: usize| first + triangle[at] as i32;
            // The last corner of a polygon is written as its complement.
            corners.extend([corner(0), corner(1), !corner(2)]);
            materials.push(material as i32);
        }
        first += part.positions.len() as i32;
    }
    let layer = |kind: &str| {
        Node::new("LayerElement")
            .child(Node::of("Type", kind))
            .child(Node::of("TypedIndex", 0))
    };
    let element = |record, mapping: &str, reference: &str, data| {
        Node::of(record, 0)
            .child(Node::of("Version", 101))
            .child(Node::of("Name", ""))
            .child(Node::of("MappingInformationType", mapping))
            .child(Node::of("ReferenceInformationType", reference))
            .child(data)
    };
    Node::object("Geometry", id, "mannequin", "Geometry", "Mesh")
        .child(Node::of(
            "Vertices",
            numbers(|part| &part.positions, UNITS_PER_METRE),
        ))
        .child(Node::of("PolygonVertexIndex", corners))
        .child(Node::of("GeometryVersion", 124))
        .child(element(
            "LayerElementNormal",
            "ByVertice",
            "Direct",
            Node::of("Normals", numbers(|part| &part.normals, 1.0)),
        ))
        .child(element(
            "LayerElementMaterial",
            "ByPolygon",
            "IndexToDirect",
            Node::of("Materials", materials),
        ))
        .child(
            Node::of("Layer", 0)
                .child(Node::of("Version", 100))
                .child(layer("LayerElementNormal"))
                .child(layer("LayerElementMaterial")),
        )
}

/// One cluster for each joint that carries vertices.
fn skin(
    objects: &mut Objects,
    geometry: i64,
    mesh: &Mannequin,
    skeleton: &Skeleton,
    models: &[i64],
    rest: &[DVec3],
) {
    let mut carried: Vec<(Vec<i32>, Vec<f64>)> = vec![Default::default(); models.len()];
    let influences = parts(mesh).into_iter().flat_map(|part| &part.influences);
    for (vertex, influences) in influences.enumerate() {
        for (joint, share) in influences.joints.iter().zip(influences.shares) {
            if share > 0 {
                let (vertices, weights) = &mut carried[usize::from(*joint)];
                vertices.push(vertex as i32);
                weights.push(f64::from(share) / 255.0);
            }
        }
    }
    let id = objects.id();
    objects.add(
        "Deformer",
        Node::object("Deformer", id, "skin", "Deformer", "Skin")
            .child(Node::of("Version", 101))
            .child(Node::of("Link_DeformAcuracy", 50.0)),
    );
    objects.connect(id, geometry);
    for (joint, (vertices, weights)) in carried.into_iter().enumerate() {
        if vertices.is_empty() {
            continue;
        }
        let cluster = objects.id();
        let name = &skeleton.names[joint];
        objects.add(
            "Deformer",
            Node::object("Deformer", cluster, name, "SubDeformer", "Cluster")
                .child(Node::of("Version", 100))
                .child(Node::of("UserData", "").value(""))
                .child(Node::of("Indexes", vertices))
                .child(Node::of("Weights", weights))
                .child(Node::of("Transform", translation(-rest[joint])))
                .child(Node::of("TransformLink", translation(rest[joint]))),
        );
        objects.connect(cluster, id);
        objects.connect(models[joint], cluster);
    }
}

fn bind_pose(objects: &mut Objects, posed: &[(i64, DVec3)]) {
    let id = objects.id();
    let pose = |&(model, at): &(i64, DVec3)| {
        Node::new("PoseNode")
            .child(Node::of("Node", model))
            .child(Node::of("Matrix", translation(at)))
    };
    objects.add(
        "Pose",
        Node::object("Pose", id, "bind", "Pose", "BindPose")
            .child(Node::of("Type", "BindPose"))
            .child(Node::of("Version", 100))
            .child(Node::of("NbPoseNodes", posed.len() as i32))
            .children(posed.iter().map(pose)),
    );
}

/// A 4×4 matrix, columns after one another.
fn translation(by: DVec3) -> Value {
    Value::Doubles(glam::DMat4::from_translation(by).to_cols_array().to_vec())
}
