//! Which nodes of a glTF document are the skeleton.

use glam::DVec3;
use kinograd_files::Budget;
use kinograd_motion::{MotionError, Skeleton};
use serde_json::Value;

use super::curves::Channel;
use super::document::{Document, Nodes, bad, indices};
use super::poses::World;

/// Nodes of the skeleton, parents first, and each one's parent among them.
#[derive(Debug)]
pub(super) struct Joints {
    pub nodes: Vec<usize>,
    pub parents: Vec<Option<usize>>,
}

impl Joints {
    /// The skeleton: its rest pose, without rotations, is the pose of `world`.
    pub fn skeleton(&self, nodes: &Nodes, world: &World) -> Skeleton {
        let rest: Vec<DVec3> = self.nodes.iter().map(|&n| world.position(n)).collect();
        let offsets = rest.iter().zip(&self.parents);
        Skeleton {
            names: self
                .nodes
                .iter()
                .map(|&node| nodes.list[node].name.clone())
                .collect(),
            parents: self.parents.clone(),
            offsets_m: offsets
                .map(|(place, parent)| parent.map_or(*place, |parent| *place - rest[parent]))
                .collect(),
        }
    }
}

/// The largest skin and the nodes that are its joints.
pub(super) fn skin_of(document: &Document) -> Option<(&Value, Vec<usize>)> {
    let skins = document.json["skins"].as_array()?;
    let listed = skins.iter().map(|skin| (skin, indices(&skin["joints"])));
    listed.rev().max_by_key(|(_, joints)| joints.len())
}

/// The joints of the skin that has most, else the tree of nodes that the animation moves.
pub(super) fn joints(
    document: &Document,
    nodes: &Nodes,
    channels: &[Channel],
    warnings: &mut Vec<String>,
) -> Result<Joints, MotionError> {
    let list = match largest_skin(document, nodes, warnings)? {
        Some(skin) => with_common_root(nodes, skin)?,
        None => {
            let moved: Vec<usize> = channels.iter().map(|channel| channel.node).collect();
            let tree = moved_tree(nodes, &moved, warnings);
            if tree.is_empty() {
                return Err(bad("no nodes"));
            }
            warnings.push(format!(
                "no skin: the {} nodes under `{}` are taken for the skeleton",
                tree.len(),
                nodes.list[tree[0]].name
            ));
            tree
        }
    };
    let budget = Budget::of_process();
    budget.check("GLB joints", list.len() as u64, budget.joints)?;
    Ok(in_order(nodes, list))
}

fn largest_skin(
    document: &Document,
    nodes: &Nodes,
    warnings: &mut Vec<String>,
) -> Result<Option<Vec<usize>>, MotionError> {
    let skins = document.json["skins"].as_array();
    let skins: Vec<Vec<usize>> = skins.map_or_else(Vec::new, |list| {
        list.iter().map(|skin| indices(&skin["joints"])).collect()
    });
    for (index, skin) in skins.iter().enumerate() {
        if let Some(joint) = skin.iter().find(|&&joint| joint >= nodes.list.len()) {
            return Err(bad(&format!(
                "skin {index} names node {joint}, which is not there"
            )));
        }
    }
    let Some(largest) = skins.iter().rev().max_by_key(|skin| skin.len()) else {
        return Ok(None);
    };
    let mut taken = vec![false; nodes.list.len()];
    largest.iter().for_each(|&joint| taken[joint] = true);
    let left: usize = skins
        .iter()
        .map(|skin| skin.iter().filter(|&&joint| !taken[joint]).count())
        .sum();
    if left > 0 {
        warnings.push(format!(
            "{} skins: the largest, of {} joints, is taken; {left} joints of others are left out",
            skins.len(),
            largest.len()
        ));
    }
    let mut unique = Vec::with_capacity(largest.len());
    for &joint in largest {
        if std::mem::replace(&mut taken[joint], false) {
            unique.push(joint);
        }
    }
    Ok((!unique.is_empty()).then_some(unique))
}

/// The joints, and the lowest node that holds all of them.
fn with_common_root(nodes: &Nodes, mut joints: Vec<usize>) -> Result<Vec<usize>, MotionError> {
    let below = below(nodes, &joints);
    let root = common(nodes, &below, joints.len())
        .ok_or_else(|| bad("the skin's joints have no common root"))?;
    if !joints.contains(&root) {
        joints.push(root);
    }
    Ok(joints)
}

/// The nodes under the lowest one that holds all that is moved, without meshes and cameras.
fn moved_tree(nodes: &Nodes, moved: &[usize], warnings: &mut Vec<String>) -> Vec<usize> {
    let mut is_moved = vec![false; nodes.list.len()];
    moved.iter().for_each(|&node| is_moved[node] = true);
    let moved: Vec<usize> = (0..is_moved.len()).filter(|&node| is_moved[node]).collect();
    let below = below(nodes, &moved);
    let tops = nodes.order.iter().copied();
    let tops = tops.filter(|&node| nodes.list[node].parent.is_none());
    let top = tops.max_by_key(|&node| below[node]).unwrap_or(0);
    if below[top] < moved.len() {
        warnings.push(format!(
            "{} nodes outside of `{}` are animated and left out",
            moved.len() - below[top],
            nodes.list[top].name
        ));
    }
    let mut within = vec![false; nodes.list.len()];
    let mut list = Vec::new();
    let root = under(nodes, &below, top);
    for &node in &nodes.order {
        let parent = nodes.list[node].parent;
        within[node] = node == root || parent.is_some_and(|parent| within[parent]);
        if within[node] && (node == root || below[node] > 0 || !nodes.list[node].is_thing) {
            list.push(node);
        }
    }
    list
}

/// The lowest node of a tree that has all of its marked nodes at or under it.
fn under(nodes: &Nodes, below: &[usize], top: usize) -> usize {
    let mut at = top;
    while let Some(&child) = nodes.list[at]
        .children
        .iter()
        .find(|&&child| below[child] == below[top])
    {
        at = child;
    }
    at
}

/// Number of marked nodes at or under each node.
fn below(nodes: &Nodes, marked: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; nodes.list.len()];
    marked.iter().for_each(|&node| counts[node] += 1);
    for &node in nodes.order.iter().rev() {
        if let Some(parent) = nodes.list[node].parent {
            counts[parent] += counts[node];
        }
    }
    counts
}

/// The lowest node that has all `total` marked nodes at or under it.
fn common(nodes: &Nodes, below: &[usize], total: usize) -> Option<usize> {
    nodes
        .order
        .iter()
        .rev()
        .copied()
        .find(|&node| below[node] == total)
}

/// Parents before children; joints that are in such an order keep theirs.
fn in_order(nodes: &Nodes, mut list: Vec<usize>) -> Joints {
    let mut place = vec![None; nodes.list.len()];
    let set = |place: &mut Vec<Option<usize>>, list: &[usize]| {
        for (at, &node) in list.iter().enumerate() {
            place[node] = Some(at);
        }
    };
    set(&mut place, &list);
    // The nearest joint above each node.
    let mut above: Vec<Option<usize>> = vec![None; nodes.list.len()];
    for &node in &nodes.order {
        above[node] = nodes.list[node]
            .parent
            .and_then(|parent| place[parent].map(|_| parent).or(above[parent]));
    }
    let in_order = list.iter().enumerate().all(|(at, &node)| {
        above[node].map_or(at == 0, |parent| place[parent].is_some_and(|p| p < at))
    });
    if !in_order {
        list = nodes
            .order
            .iter()
            .copied()
            .filter(|&node| place[node].is_some())
            .collect();
        set(&mut place, &list);
    }
    let parents = list
        .iter()
        .map(|&node| above[node].and_then(|parent| place[parent]))
        .collect();
    Joints {
        nodes: list,
        parents,
    }
}
