//! A frame of a rig.

use glam::{DQuat, DVec3};

use super::driver::Drive;
use super::limbs::bend_to;
use super::parts::Limb;
use crate::Skeleton;

/// Rotations from the rest pose and places of all joints in the world.
#[derive(Debug, Clone)]
pub(super) struct Pose<'a> {
    skeleton: &'a Skeleton,
    pub rotations: Vec<DQuat>,
    pub places: Vec<DVec3>,
    hips: usize,
    hips_offset: DVec3,
}

impl<'a> Pose<'a> {
    /// Driven joints turn, the others keep what they have in their parent's frame; the hips are
    /// where the rest pose has them.
    pub fn new(
        skeleton: &'a Skeleton,
        hips: usize,
        drivers: &[Drive],
        canonical: &[DQuat],
    ) -> Self {
        let mut rotations: Vec<DQuat> = Vec::with_capacity(skeleton.len());
        for (joint, parent) in skeleton.parents.iter().enumerate() {
            let above = parent.map_or(DQuat::IDENTITY, |parent| rotations[parent]);
            rotations.push(match drivers[joint] {
                Drive::Body(driver) => driver.rotation(canonical),
                Drive::Still(local) => above * local,
            });
        }
        let mut pose = Self {
            skeleton,
            places: vec![DVec3::ZERO; rotations.len()],
            rotations,
            hips,
            hips_offset: skeleton.offsets_m[hips],
        };
        pose.place();
        pose
    }

    /// Forward kinematics.
    fn place(&mut self) {
        for (joint, parent) in self.skeleton.parents.iter().enumerate() {
            let offset = if joint == self.hips {
                self.hips_offset
            } else {
                self.skeleton.offsets_m[joint]
            };
            self.places[joint] = match *parent {
                Some(parent) => self.places[parent] + self.rotations[parent] * offset,
                None => offset,
            };
        }
    }

    /// Moves the body.
    pub fn shift(&mut self, by: DVec3) {
        let parent = self.skeleton.parents[self.hips];
        let above = parent.map_or(DQuat::IDENTITY, |parent| self.rotations[parent]);
        self.hips_offset += above.inverse() * by;
        self.place();
    }

    /// Where the hips lie from their parent, in its frame.
    pub fn hips_offset(&self) -> DVec3 {
        self.hips_offset
    }

    /// Bends a limb so that its end is at a place, or as near as it reaches; what hangs on the end
    /// keeps its orientation. `pole`: which way the middle points where the limb is straight.
    pub fn reach(&mut self, limb: &Limb, place: DVec3, pole: DVec3) {
        let [root, middle, end] = [limb.root, limb.middle, limb.end].map(|j| self.places[j]);
        let (upper, lower) = bend_to(root, middle, end, place, pole);
        self.turn_chain(limb.root, limb.middle, upper);
        self.turn_chain(limb.middle, limb.end, lower * upper);
        self.place();
    }

    /// Turns a joint and what is between it and another under it, in the world.
    fn turn_chain(&mut self, from: usize, to: usize, turn: DQuat) {
        let mut at = self.skeleton.parents[to];
        while let Some(joint) = at {
            self.rotations[joint] = (turn * self.rotations[joint]).normalize();
            self.follow(joint, from, to, turn);
            if joint == from {
                break;
            }
            at = self.skeleton.parents[joint];
        }
    }

    /// Joints that hang on a turned one without being driven, such as twist bones, go along.
    fn follow(&mut self, turned: usize, from: usize, to: usize, turn: DQuat) {
        let skeleton = self.skeleton;
        let mut goes = vec![false; skeleton.len()];
        for joint in turned + 1..skeleton.len() {
            let Some(parent) = skeleton.parents[joint] else {
                continue;
            };
            let on_chain = joint == to || self.is_between(joint, from, to);
            goes[joint] = (parent == turned || goes[parent]) && !on_chain;
            if goes[joint] {
                self.rotations[joint] = (turn * self.rotations[joint]).normalize();
            }
        }
    }

    fn is_between(&self, joint: usize, from: usize, to: usize) -> bool {
        let mut at = self.skeleton.parents[to];
        while let Some(above) = at {
            if above == joint {
                return true;
            }
            if above == from {
                return false;
            }
            at = self.skeleton.parents[above];
        }
        false
    }

    /// Rotations in the parents' frames.
    pub fn local_rotations(&self) -> Vec<DQuat> {
        let parents = &self.skeleton.parents;
        parents
            .iter()
            .zip(&self.rotations)
            .map(|(parent, &rotation)| match *parent {
                Some(parent) => (self.rotations[parent].inverse() * rotation).normalize(),
                None => rotation.normalize(),
            })
            .collect()
    }
}
