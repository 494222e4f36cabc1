//! Where the nodes of a glTF document are in the world.

use glam::{DMat3, DMat4, DQuat, DVec3};

use super::document::{Node, Nodes};

/// The world transforms of the nodes, of which only those above the skeleton matter.
#[derive(Debug)]
pub(super) struct World {
    order: Vec<usize>,
    matrices: Vec<DMat4>,
    rotations: Vec<DQuat>,
}

impl World {
    /// For the given nodes and all above them.
    pub fn new(nodes: &Nodes, wanted: &[usize]) -> Self {
        let mut needed = vec![false; nodes.list.len()];
        wanted.iter().for_each(|&node| needed[node] = true);
        for &node in nodes.order.iter().rev() {
            if let Some(parent) = nodes.list[node].parent {
                needed[parent] |= needed[node];
            }
        }
        Self {
            order: nodes.order.iter().copied().filter(|&n| needed[n]).collect(),
            matrices: vec![DMat4::IDENTITY; nodes.list.len()],
            rotations: vec![DQuat::IDENTITY; nodes.list.len()],
        }
    }

    /// Poses the nodes.
    pub fn update(&mut self, nodes: &[Node]) {
        for &node in &self.order {
            let local = nodes[node].local();
            let rotation = nodes[node].rotation;
            let (matrix, turned) = match nodes[node].parent {
                Some(parent) => (
                    self.matrices[parent] * local,
                    self.rotations[parent] * rotation,
                ),
                None => (local, rotation),
            };
            self.matrices[node] = matrix;
            self.rotations[node] = turned;
        }
    }

    pub fn position(&self, node: usize) -> DVec3 {
        self.matrices[node].w_axis.truncate()
    }

    pub fn matrix(&self, node: usize) -> DMat4 {
        self.matrices[node]
    }

    pub fn linear(&self, node: usize) -> DMat3 {
        DMat3::from_mat4(self.matrices[node])
    }

    /// The product of the rotations, which is the node's where no scale is uneven or negative.
    pub fn rotation(&self, node: usize) -> DQuat {
        self.rotations[node]
    }
}

/// The rotation in a linear map: its polar decomposition by Newton's iteration (Higham 1986), of
/// `map` itself or, where it mirrors, of its mirror. `None` for a map that is singular.
pub(super) fn polar(map: DMat3) -> Option<DQuat> {
    let scale = map.determinant().abs().cbrt();
    if !(scale.is_finite() && scale > 1e-9) {
        return None;
    }
    let mut q = map * (map.determinant().signum() / scale);
    for _ in 0..30 {
        let next = (q + q.inverse().transpose()) * 0.5;
        let change = (next - q).to_cols_array();
        q = next;
        if change.iter().all(|c| c.abs() < 1e-12) {
            break;
        }
    }
    let rotation = DQuat::from_mat3(&q).normalize();
    rotation.is_finite().then_some(rotation)
}

/// How joints turn from the rest pose: by the product of rotations, or, under scales that are
/// uneven or negative, by what is a rotation in their maps.
pub(super) struct Turns {
    rest_maps: Option<Vec<DMat3>>,
    rest_rotations: Vec<DQuat>,
}

impl Turns {
    /// `rest`: the nodes in their default pose.
    pub fn new(rest: &World, joints: &[usize], plain: bool) -> Self {
        Self {
            rest_maps: (!plain).then(|| {
                joints
                    .iter()
                    .map(|&joint| rest.linear(joint).inverse())
                    .collect()
            }),
            rest_rotations: joints
                .iter()
                .map(|&joint| rest.rotation(joint).inverse())
                .collect(),
        }
    }

    /// The world rotation of the joint at `place` (node `joint`), relative to its rest pose.
    pub fn of(&self, world: &World, place: usize, joint: usize) -> DQuat {
        let by_rotations = || (world.rotation(joint) * self.rest_rotations[place]).normalize();
        let by_map = |maps: &Vec<DMat3>| {
            let map = world.linear(joint) * maps[place];
            map.is_finite().then(|| polar(map)).flatten()
        };
        self.rest_maps
            .as_ref()
            .and_then(by_map)
            .unwrap_or_else(by_rotations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rotation_in_a_map_is_found() {
        let turn = DQuat::from_euler(glam::EulerRot::XYZ, 0.3, -1.1, 2.0);
        for stretch in [
            DVec3::ONE,
            DVec3::new(0.01, 0.01, 0.01),
            DVec3::new(1.0, 2.0, 0.5),
            DVec3::new(-1.0, -1.0, -1.0),
        ] {
            let map = DMat3::from_quat(turn) * DMat3::from_diagonal(stretch);
            assert!(polar(map).unwrap().angle_between(turn) < 1e-7, "{stretch}");
        }
        assert!(polar(DMat3::ZERO).is_none());
    }
}
