//! Which nodes of an FBX are the skeleton.

use std::collections::BTreeSet;

use kinograd_motion::MotionError;
use ufbx::{AnimStack, ElementType, Node, Scene};

use super::error::bad;

/// The nodes that are joints, parents first.
#[derive(Debug)]
pub(super) struct Joints {
    /// Index of each joint in the scene's nodes.
    pub nodes: Vec<usize>,
    /// The joint above each joint; `None` for the first, the root.
    pub parents: Vec<Option<usize>>,
    /// Unique names.
    pub names: Vec<String>,
}

/// Nodes whose place, rotation or scale a stack animates, by index.
pub(super) fn animated_nodes(stack: &AnimStack) -> BTreeSet<usize> {
    let mut nodes = BTreeSet::new();
    for layer in &stack.layers {
        for driven in layer.anim_props.iter() {
            if driven.element.type_ == ElementType::Node && driven.prop_name.starts_with("Lcl ") {
                nodes.insert(driven.element.typed_id as usize);
            }
        }
    }
    nodes
}

/// The skeleton: all bones, or, in a file without bones, the nulls that move, with what hangs on
/// them. One root holds it: where there are several, the nearest node above all of them.
pub(super) fn joints(
    scene: &Scene,
    animated: &BTreeSet<usize>,
    warnings: &mut Vec<String>,
) -> Result<Joints, MotionError> {
    let mut chosen: BTreeSet<usize> = indices(scene, is_bone);
    if chosen.is_empty() {
        chosen = moving_nulls(scene, animated);
        if !chosen.is_empty() {
            warnings.push("no bones; the nulls that move were taken as joints".to_owned());
        }
    }
    let tops: Vec<usize> = chosen
        .iter()
        .copied()
        .filter(|&node| !above(scene, node).any(|at| chosen.contains(&at)))
        .collect();
    let root = root_of(scene, &chosen, &tops, animated, warnings)?;
    chosen.retain(|&node| above(scene, node).any(|at| at == root));
    chosen.insert(root);
    let nodes = in_order(scene, &chosen);
    let parents = nodes
        .iter()
        .map(|&node| above(scene, node).find_map(|at| nodes.iter().position(|&n| n == at)))
        .collect();
    Ok(Joints {
        names: names(scene, &nodes),
        nodes,
        parents,
    })
}

fn is_bone(node: &Node) -> bool {
    !node.is_scale_helper && attributes(node).bone.is_some()
}

/// All bones, and the nodes that carry them.
pub(super) fn bones_and_above(scene: &Scene) -> BTreeSet<usize> {
    let bones = indices(scene, is_bone);
    let carriers = bones.iter().flat_map(|&bone| above(scene, bone));
    carriers.chain(bones.iter().copied()).collect()
}

/// The node that has a node's attributes: the helper that carries its scale, if it has one.
fn attributes(node: &Node) -> &Node {
    node.scale_helper.as_deref().unwrap_or(node)
}

fn indices(scene: &Scene, is: impl Fn(&Node) -> bool) -> BTreeSet<usize> {
    let nodes = scene.nodes.into_iter().enumerate();
    nodes
        .filter_map(|(index, node)| is(node).then_some(index))
        .collect()
}

/// The nodes above a node, nearest first, without the scene's own root.
pub(super) fn above(scene: &Scene, node: usize) -> impl Iterator<Item = usize> {
    let parent = |node: usize| {
        let parent = scene.nodes[node].parent.as_ref()?;
        (!parent.is_root).then_some(parent.element.typed_id as usize)
    };
    std::iter::successors(parent(node), move |&at| parent(at))
}

fn moving_nulls(scene: &Scene, animated: &BTreeSet<usize>) -> BTreeSet<usize> {
    let is_null = |node: &Node| {
        !node.is_root
            && !node.is_scale_helper
            && matches!(
                attributes(node).attrib_type,
                ElementType::Empty | ElementType::Unknown | ElementType::Marker
            )
    };
    let nulls = indices(scene, is_null);
    let moves = |node: usize| {
        animated.contains(&node) || above(scene, node).any(|at| animated.contains(&at))
    };
    nulls.into_iter().filter(|&node| moves(node)).collect()
}

/// The node that holds the skeleton. Of several skeletons with nothing above them the one with
/// most moving joints is taken, and the others are said.
fn root_of(
    scene: &Scene,
    chosen: &BTreeSet<usize>,
    tops: &[usize],
    animated: &BTreeSet<usize>,
    warnings: &mut Vec<String>,
) -> Result<usize, MotionError> {
    let highest = |top: usize| above(scene, top).last().unwrap_or(top);
    let mut trees: Vec<usize> = tops.iter().map(|&top| highest(top)).collect();
    trees.dedup();
    trees.sort_unstable();
    trees.dedup();
    let size = |tree: usize| {
        let within = |&&node: &&usize| node == tree || above(scene, node).any(|at| at == tree);
        let moving = chosen.iter().filter(|n| animated.contains(n));
        (
            moving.filter(within).count(),
            chosen.iter().filter(within).count(),
        )
    };
    // The first of equals.
    let tree = trees
        .iter()
        .copied()
        .rev()
        .max_by_key(|&tree| size(tree))
        .ok_or_else(|| bad("no bones and no nulls that move; a skeleton was expected"))?;
    let others: Vec<&str> = trees
        .iter()
        .filter(|&&other| other != tree)
        .map(|&other| scene.nodes[other].element.name.as_ref())
        .collect();
    if !others.is_empty() {
        warnings.push(format!(
            "{} skeletons; `{}` was taken, not `{}`",
            trees.len(),
            scene.nodes[tree].element.name,
            others.join("`, `")
        ));
    }
    let mut tops = tops.iter().copied().filter(|&top| highest(top) == tree);
    let first = tops.next().unwrap_or(tree);
    let rest: Vec<usize> = tops.collect();
    // The nearest node that is, or is above, every top.
    let holds = |at: usize| {
        rest.iter()
            .all(|&top| top == at || above(scene, top).any(|node| node == at))
    };
    Ok(std::iter::once(first)
        .chain(above(scene, first))
        .find(|&at| holds(at))
        .unwrap_or(tree))
}

/// As the file has them where that puts parents first, else by depth.
fn in_order(scene: &Scene, chosen: &BTreeSet<usize>) -> Vec<usize> {
    let mut nodes: Vec<usize> = chosen.iter().copied().collect();
    nodes.sort_by_key(|&node| scene.nodes[node].element.element_id);
    let mut seen = BTreeSet::new();
    let parents_first = nodes.iter().all(|&node| {
        seen.insert(node);
        above(scene, node)
            .find(|at| chosen.contains(at))
            .is_none_or(|parent| seen.contains(&parent))
    });
    if !parents_first {
        nodes.sort_by_key(|&node| scene.nodes[node].node_depth);
    }
    nodes
}

fn names(scene: &Scene, nodes: &[usize]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::with_capacity(nodes.len());
    for &node in nodes {
        let name = match scene.nodes[node].element.name.as_ref() {
            "" => format!("node{node}"),
            name => name.to_owned(),
        };
        let unique = std::iter::once(name.clone())
            .chain((2_usize..).map(|number| format!("{name}_{number}")))
            .find(|name| !taken.contains(name))
            .unwrap_or(name);
        taken.insert(unique.clone());
        names.push(unique);
    }
    names
}
