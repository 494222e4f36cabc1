//! Where the nodes of an FBX are at a time.

use std::collections::BTreeSet;

use glam::{DAffine3, DMat3, DQuat, DVec3};
use ufbx::{Anim, Matrix, Node, Scene, Transform};

use super::skeleton::above;

/// World transforms of a skeleton's nodes at any time of an animation, in the file's unit.
pub(super) struct Sampler<'a> {
    scene: &'a Scene,
    anim: &'a Anim,
    /// The joints and all nodes above them, parents first.
    chain: Vec<Link>,
    /// Place of each joint in the chain.
    joints: Vec<usize>,
    /// What brings the file's axes to the usual ones.
    pub to_usual: DAffine3,
}

struct Link {
    node: usize,
    parent: Option<usize>,
    /// The transform of a node that nothing animates.
    still: Option<DAffine3>,
}

impl<'a> Sampler<'a> {
    pub fn new(
        scene: &'a Scene,
        anim: &'a Anim,
        joints: &[usize],
        animated: &BTreeSet<usize>,
        to_usual: DAffine3,
    ) -> Self {
        let mut needed: BTreeSet<usize> = joints.iter().copied().collect();
        for &joint in joints {
            needed.extend(above(scene, joint));
        }
        let mut order: Vec<usize> = needed.into_iter().collect();
        order.sort_by_key(|&node| scene.nodes[node].node_depth);
        let place = |node: usize| order.iter().position(|&n| n == node);
        let chain = order
            .iter()
            .map(|&node| Link {
                node,
                parent: above(scene, node).next().and_then(place),
                still: is_still(&scene.nodes[node], animated)
                    .then(|| affine(&scene.nodes[node].local_transform)),
            })
            .collect();
        Self {
            scene,
            anim,
            chain,
            joints: joints.iter().filter_map(|&joint| place(joint)).collect(),
            to_usual,
        }
    }

    /// World transform of each joint.
    pub fn at(&self, secs: f64) -> Vec<DAffine3> {
        self.compose(|link| {
            link.still.unwrap_or_else(|| {
                let node = &self.scene.nodes[link.node];
                affine(&ufbx::evaluate_transform(self.anim, node, secs))
            })
        })
    }

    /// World transform of each joint as the file has it without an animation.
    pub fn default_pose(&self) -> Vec<DAffine3> {
        self.compose(|link| affine(&self.scene.nodes[link.node].local_transform))
    }

    fn compose(&self, local: impl Fn(&Link) -> DAffine3) -> Vec<DAffine3> {
        let mut world: Vec<DAffine3> = Vec::with_capacity(self.chain.len());
        for link in &self.chain {
            let above = link.parent.map_or(self.to_usual, |parent| world[parent]);
            world.push(above * local(link));
        }
        self.joints.iter().map(|&place| world[place]).collect()
    }
}

/// Whether no curve moves a node, nor the helper whose scale it is placed by.
fn is_still(node: &Node, animated: &BTreeSet<usize>) -> bool {
    let moves = |node: &Node| animated.contains(&(node.element.typed_id as usize));
    let parent_moves = node.parent.as_ref().is_some_and(|p| moves(p));
    !(moves(node) || (parent_moves && (node.is_scale_helper || has_helper(node))))
}

fn has_helper(node: &Node) -> bool {
    node.parent
        .as_ref()
        .is_some_and(|p| p.scale_helper.is_some())
}

fn affine(t: &Transform) -> DAffine3 {
    DAffine3::from_scale_rotation_translation(
        DVec3::new(t.scale.x, t.scale.y, t.scale.z),
        DQuat::from_xyzw(t.rotation.x, t.rotation.y, t.rotation.z, t.rotation.w),
        DVec3::new(t.translation.x, t.translation.y, t.translation.z),
    )
}

/// Bind transform in the world of each joint that a skin or a bind pose names.
pub(super) fn bind_pose(scene: &Scene, joints: &[usize]) -> Vec<Option<DAffine3>> {
    let mut bind: Vec<Option<DAffine3>> = vec![None; scene.nodes.len()];
    let mut set = |node: &Node, matrix: &Matrix| {
        let slot = bind.get_mut(node.element.typed_id as usize);
        if let Some(slot @ None) = slot {
            *slot = of_matrix(matrix);
        }
    };
    for cluster in &scene.skin_clusters {
        if let Some(node) = &cluster.bone_node {
            set(node, &cluster.bind_to_world);
        }
    }
    for pose in &scene.poses {
        if pose.is_bind_pose {
            for bone in pose.bone_poses.iter() {
                set(&bone.bone_node, &bone.bone_to_world);
            }
        }
    }
    joints.iter().map(|&joint| bind[joint]).collect()
}

fn of_matrix(m: &Matrix) -> Option<DAffine3> {
    let matrix = DAffine3::from_cols(
        DVec3::new(m.m00, m.m10, m.m20),
        DVec3::new(m.m01, m.m11, m.m21),
        DVec3::new(m.m02, m.m12, m.m22),
        DVec3::new(m.m03, m.m13, m.m23),
    );
    let keeps_volume = matrix.matrix3.determinant().abs() > f64::MIN_POSITIVE;
    (matrix.is_finite() && keeps_volume).then_some(matrix)
}

/// The rotation nearest to a matrix (Higham 1986): its scale and shear are taken off. `None` where
/// it flattens or mirrors.
pub(super) fn nearest_rotation(matrix: DMat3) -> Option<DQuat> {
    let size = matrix.determinant().cbrt();
    if !(size.is_finite() && size > 1e-12) {
        return None;
    }
    let mut turn = matrix * (1.0 / size);
    for _ in 0..50 {
        let next = (turn + turn.inverse().transpose()) * 0.5;
        let change = (next - turn).to_cols_array();
        turn = next;
        if change.iter().all(|c| c.abs() < 1e-13) {
            break;
        }
    }
    let rotation = DQuat::from_mat3(&turn).normalize();
    rotation.is_finite().then_some(rotation)
}
