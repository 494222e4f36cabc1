//! A procedural walk on the canonical body, for tests, examples and documentation.

use std::f64::consts::{PI, TAU};

use glam::{DQuat, DVec3};
use ndarray::Array2;

use crate::foot_lock::leg::Leg;
use crate::{JOINTS, Motion, Skeleton};

/// Share of a cycle for which a foot stands.
const STANCE: f64 = 0.58;
/// Share of a cycle after contact at which the hip passes over the foot.
const MID_STANCE: f64 = 0.25;
/// End of the heel strike and start of the heel's rise, as shares of a cycle.
const FLAT: (f64, f64) = (0.08, 0.36);
const TOES_UP_RAD: f64 = -0.3;
const HEEL_UP_RAD: f64 = 0.75;

/// A walk with feet that stand still on the floor, unless told to slip.
///
/// ```
/// let walk = kinograd_motion::synth::SynthWalk { speed_mps: 1.0, ..Default::default() }.motion();
/// assert_eq!(walk.len(), 81); // 4 s at 20 fps, both ends
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SynthWalk {
    /// Speed of the root along its path, metres per second, 0.3 to 1.6.
    pub speed_mps: f64,
    /// Turning rate, radians per second; positive turns left.
    pub turn_rad_per_s: f64,
    /// Length of the clip, seconds.
    pub duration_secs: f64,
    /// Frames per second.
    pub fps: f64,
    /// Speed at which the whole body drifts forwards (+Z), so that standing feet slide.
    pub slip_mps: f64,
}

impl Default for SynthWalk {
    fn default() -> Self {
        Self {
            speed_mps: 1.2,
            turn_rad_per_s: 0.0,
            duration_secs: 4.0,
            fps: 20.0,
            slip_mps: 0.0,
        }
    }
}

/// A straight walk from the origin along +Z.
///
/// ```
/// let walk = kinograd_motion::synth::synth_walk(1.2, 2.0, 20.0);
/// let way = walk.root_in_world_m[40] - walk.root_in_world_m[0];
/// assert!((way.z - 2.4).abs() < 1e-9);
/// ```
#[must_use]
pub fn synth_walk(speed_mps: f64, duration_secs: f64, fps: f64) -> Motion {
    SynthWalk {
        speed_mps,
        duration_secs,
        fps,
        ..SynthWalk::default()
    }
    .motion()
}

impl SynthWalk {
    fn frames(&self) -> usize {
        (self.duration_secs * self.fps).round().max(0.0) as usize + 1
    }

    fn cycle_secs(&self) -> f64 {
        (1.2 / self.speed_mps.clamp(0.3, 1.6)).powf(0.4)
    }

    fn heading(&self, secs: f64) -> DQuat {
        DQuat::from_rotation_y(self.turn_rad_per_s * secs)
    }

    /// Point on the ground below the root.
    fn path_m(&self, secs: f64) -> DVec3 {
        let turn = self.turn_rad_per_s;
        if turn.abs() < 1e-6 {
            return DVec3::new(0.0, 0.0, self.speed_mps * secs);
        }
        let radius = self.speed_mps / turn;
        DVec3::new(
            radius * (1.0 - (turn * secs).cos()),
            0.0,
            radius * (turn * secs).sin(),
        )
    }

    /// Cycle number and phase in it, for the left (0) or right (1) foot.
    fn phase(&self, side: usize, secs: f64) -> (f64, f64) {
        let cycles = secs / self.cycle_secs() + 0.1 + 0.5 * side as f64;
        (cycles.floor(), cycles - cycles.floor())
    }

    /// True contacts, `[frames, 4]`: left ankle, left toe, right ankle, right toe.
    #[must_use]
    pub fn contacts(&self) -> Array2<bool> {
        Array2::from_shape_fn((self.frames(), 4), |(frame, channel)| {
            let (_, phase) = self.phase(channel / 2, frame as f64 / self.fps);
            if channel % 2 == 0 {
                phase < FLAT.1
            } else {
                (FLAT.0..STANCE).contains(&phase)
            }
        })
    }

    /// Ankle in the world and the foot's world rotation.
    fn foot(&self, side: usize, secs: f64, body: &Skeleton) -> (DVec3, DQuat) {
        let (ankle, heading, pitch) = self.foot_pitch(side, secs, body);
        (ankle, heading * DQuat::from_rotation_x(pitch))
    }

    /// Ankle in the world, the foot's heading and its pitch, toes down.
    fn foot_pitch(&self, side: usize, secs: f64, body: &Skeleton) -> (DVec3, DQuat, f64) {
        let cycle_secs = self.cycle_secs();
        let (cycle, phase) = self.phase(side, secs);
        let toe_offset = body.offsets_m[10 + side];
        let print = |cycle: f64| {
            let over = (cycle + MID_STANCE - 0.1 - 0.5 * side as f64) * cycle_secs;
            let heading = self.heading(over);
            let lateral = if side == 0 { 0.075 } else { -0.075 };
            let ankle = self.path_m(over) + heading * DVec3::new(lateral, 0.06, 0.0);
            (ankle, heading)
        };
        let (ankle, heading) = print(cycle);
        let lifted = |pitch: f64| {
            let rotation = heading * DQuat::from_rotation_x(pitch);
            (
                ankle + heading * toe_offset - rotation * toe_offset,
                heading,
                pitch,
            )
        };
        if phase < FLAT.0 {
            let pitch = TOES_UP_RAD * (1.0 - smooth(phase / FLAT.0));
            return (ankle, heading, pitch);
        }
        if phase < STANCE {
            return lifted(HEEL_UP_RAD * smooth((phase - FLAT.1) / (STANCE - FLAT.1)));
        }
        let share = (phase - STANCE) / (1.0 - STANCE);
        let (from, ..) = lifted(HEEL_UP_RAD);
        let (to, to_heading) = print(cycle + 1.0);
        let pitch = HEEL_UP_RAD + (TOES_UP_RAD - HEEL_UP_RAD) * smooth(share);
        // Highest early, when the toe trails: it clears the floor before the foot is fast.
        let clearance = 0.085 * (PI * share.powf(0.6)).sin().powi(2);
        (
            from.lerp(to, smooth(share)) + DVec3::Y * clearance,
            heading.slerp(to_heading, smooth(share)),
            pitch,
        )
    }

    /// The clip: `duration_secs · fps + 1` frames from the origin, facing +Z.
    #[must_use]
    pub fn motion(&self) -> Motion {
        let body = Skeleton::canonical();
        let height = self.root_height_m(&body);
        let mut root_in_world_m = Vec::with_capacity(self.frames());
        let mut local_rotations = Vec::with_capacity(self.frames());
        for frame in 0..self.frames() {
            let secs = frame as f64 / self.fps;
            let (root, rotations) = self.frame(&body, height, secs);
            root_in_world_m.push(root + DVec3::Z * self.slip_mps * secs);
            local_rotations.push(rotations);
        }
        Motion {
            skeleton: body,
            fps: self.fps,
            root_in_world_m,
            local_rotations,
            translations: std::collections::BTreeMap::new(),
        }
    }

    /// Root and pelvis, without the height.
    fn pelvis(&self, secs: f64) -> (DVec3, DQuat, f64) {
        let gait = TAU * (secs / self.cycle_secs() + 0.1 - MID_STANCE);
        let bob = 0.012 * (2.0 * gait).cos();
        let sway = self.heading(secs) * DVec3::X * 0.015 * gait.cos();
        let rotation = self.heading(secs)
            * DQuat::from_rotation_y(0.1 * gait.sin())
            * DQuat::from_rotation_z(-0.03 * gait.cos());
        (self.path_m(secs) + sway + DVec3::Y * bob, rotation, gait)
    }

    /// The greatest root height at which both legs reach the floor in the whole gait cycle.
    fn root_height_m(&self, body: &Skeleton) -> f64 {
        let reach = 0.995 * (body.offsets_m[4].length() + body.offsets_m[7].length());
        let steps = 64;
        (0..steps)
            .flat_map(|step| [(step, 0), (step, 1)])
            .map(|(step, side)| {
                let secs = self.cycle_secs() * f64::from(step) / f64::from(steps);
                let (root, rotation, _) = self.pelvis(secs);
                let hip = root + rotation * body.offsets_m[1 + side];
                let (ankle, _) = self.foot(side, secs, body);
                let across = (ankle - hip).with_y(0.0).length_squared();
                ankle.y - hip.y + (reach * reach - across).max(0.0).sqrt()
            })
            .fold(0.945, f64::min)
    }

    fn frame(&self, body: &Skeleton, height: f64, secs: f64) -> (DVec3, Vec<DQuat>) {
        let (ground, pelvis, gait) = self.pelvis(secs);
        let root = ground + DVec3::Y * height;
        let mut rotations = vec![DQuat::IDENTITY; JOINTS];
        rotations[0] = pelvis;
        for side in 0..2 {
            let (ankle, heading, pitch) = self.foot_pitch(side, secs, body);
            let start = pelvis * DQuat::from_rotation_x(-0.25);
            let (thigh, shin) = Leg {
                hip_m: root + pelvis * body.offsets_m[1 + side],
                thigh: start,
                shin: start * DQuat::from_rotation_x(0.5),
                knee_offset_m: body.offsets_m[4 + side],
                ankle_offset_m: body.offsets_m[7 + side],
                hinge: DVec3::X,
            }
            .reach(ankle);
            rotations[1 + side] = pelvis.inverse() * thigh;
            rotations[4 + side] = thigh.inverse() * shin;
            rotations[7 + side] = shin.inverse() * heading * DQuat::from_rotation_x(pitch);
            // The toes stay on the floor while the heel rises.
            rotations[10 + side] = DQuat::from_rotation_x(-pitch.max(0.0));

            let sign = if side == 0 { 1.0 } else { -1.0 };
            // The arm swings with the opposite leg.
            let swing = sign * 0.45 * gait.sin() * (self.speed_mps / 1.2).min(1.3);
            rotations[16 + side] =
                DQuat::from_rotation_x(swing) * DQuat::from_rotation_z(-1.33 * sign);
            rotations[18 + side] = DQuat::from_rotation_y(-sign * (0.35 + 0.2 * (-swing).max(0.0)));
        }
        rotations[3] = DQuat::from_rotation_y(-0.06 * gait.sin()) * DQuat::from_rotation_x(0.03);
        rotations[6] = DQuat::from_rotation_y(-0.06 * gait.sin());
        rotations[9] = DQuat::from_rotation_y(-0.04 * gait.sin());
        rotations[12] = DQuat::from_rotation_y(0.05 * gait.sin());
        (root, rotations)
    }
}

/// Smooth step from 0 to 1.
fn smooth(share: f64) -> f64 {
    let s = share.clamp(0.0, 1.0);
    s * s * (3.0 - 2.0 * s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standing_feet_stand_on_the_floor() {
        for turn_rad_per_s in [0.0, 0.5] {
            let walk = SynthWalk {
                turn_rad_per_s,
                fps: 60.0,
                ..SynthWalk::default()
            };
            let motion = walk.motion();
            let contacts = walk.contacts();
            let joints = motion.joints_in_world_m();
            for frame in 1..motion.len() {
                for (channel, joint) in [7, 10, 8, 11].into_iter().enumerate() {
                    let height = joints[frame][joint].y;
                    assert!(height > 0.0149, "frame {frame}, joint {joint}: {height}");
                    if contacts[[frame, channel]] && contacts[[frame - 1, channel]] {
                        let slip = (joints[frame][joint] - joints[frame - 1][joint]).length();
                        assert!(slip < 2e-3, "frame {frame}, joint {joint}: {slip}");
                    }
                }
            }
        }
    }

    #[test]
    fn slips_when_told_to() {
        let (firm, slipping) = (
            SynthWalk::default().motion(),
            SynthWalk {
                slip_mps: 0.25,
                ..SynthWalk::default()
            }
            .motion(),
        );
        let drift = slipping.root_in_world_m[80] - firm.root_in_world_m[80];
        assert!((drift - DVec3::new(0.0, 0.0, 1.0)).length() < 1e-9);
    }
}
