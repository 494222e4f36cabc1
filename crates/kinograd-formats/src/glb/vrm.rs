//! The humanoid of a VRM: which node is which part of the body.

use std::collections::BTreeMap;

use kinograd_motion::mapping::{JointSource, Mapping};
use kinograd_motion::{MotionError, Skeleton};

use super::document::{Document, bad, size};

/// The mapping of a VRM 1.0 (`VRMC_vrm`) or 0.x (`VRM`), by its bones' names instead of the nodes'.
/// `None` for other files. `joints`: the node of each joint of the skeleton.
///
/// # Errors
/// Where a bone's node is not there, or the humanoid lacks a part of the body.
pub(super) fn humanoid(
    document: &Document,
    skeleton: &Skeleton,
    joints: &[usize],
) -> Result<Option<Mapping>, MotionError> {
    let Some(bones) = bones(document) else {
        return Ok(None);
    };
    let nodes = document.json["nodes"].as_array().map_or(0, Vec::len);
    if let Some((node, bone)) = bones.iter().find(|(node, _)| **node >= nodes) {
        return Err(bad(&format!(
            "VRM: the node {node} of bone `{bone}` is not there"
        )));
    }
    let mut by_bone = skeleton.clone();
    let mut own: BTreeMap<String, String> = BTreeMap::new();
    for (place, node) in joints.iter().enumerate() {
        // What is no bone of the humanoid must not be taken for one by its name.
        let name = bones.get(node).cloned();
        let name = name.unwrap_or_else(|| format!("other{place}"));
        own.insert(name.clone(), by_bone.names[place].clone());
        by_bone.names[place] = name;
    }
    let mut mapping = Mapping::automatic(&by_bone)?;
    for source in mapping.joints.values_mut() {
        let back = |name: &mut String| {
            if let Some(own) = own.get(name) {
                own.clone_into(name);
            }
        };
        match source {
            JointSource::Joint(name) => back(name),
            JointSource::Between(a, b, _) => {
                back(a);
                back(b);
            }
        }
    }
    Ok(Some(mapping))
}

/// Bone by node. The two versions name the bones of the body alike.
fn bones(document: &Document) -> Option<BTreeMap<usize, String>> {
    let extensions = &document.json["extensions"];
    if let Some(list) = extensions["VRMC_vrm"]["humanoid"]["humanBones"].as_object() {
        let bones = list
            .iter()
            .filter_map(|(bone, value)| Some((size(&value["node"])?, bone.clone())));
        return Some(bones.collect());
    }
    let list = extensions["VRM"]["humanoid"]["humanBones"].as_array()?;
    let bones = list
        .iter()
        .filter_map(|value| Some((size(&value["node"])?, value["bone"].as_str()?.to_owned())));
    Some(bones.collect())
}
