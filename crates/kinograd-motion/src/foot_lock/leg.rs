//! Analytic two-bone leg.

use glam::{DQuat, DVec3};

/// A leg's two bones in one frame of a clip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leg {
    /// Hip in the world, metres.
    pub hip_m: DVec3,
    /// World rotation of the hip joint, which carries the thigh.
    pub thigh: DQuat,
    /// World rotation of the knee joint, which carries the shin.
    pub shin: DQuat,
    /// Knee's offset in the hip's frame, metres.
    pub knee_offset_m: DVec3,
    /// Ankle's offset in the knee's frame, metres.
    pub ankle_offset_m: DVec3,
    /// The knee's hinge in the hip's frame, about which a positive angle bends it.
    pub hinge: DVec3,
}

/// A knee straighter than this has no bend plane of its own: the anatomical hinge decides.
const STRAIGHT_KNEE_SIN: f64 = 0.15;

impl Leg {
    /// Distance from hip to ankle of a straight leg, metres.
    #[cfg(test)]
    pub(crate) fn length_m(&self) -> f64 {
        self.knee_offset_m.length() + self.ankle_offset_m.length()
    }

    /// Ankle in the world, metres.
    #[cfg(test)]
    pub(crate) fn ankle_m(&self) -> DVec3 {
        self.hip_m + self.thigh * self.knee_offset_m + self.shin * self.ankle_offset_m
    }

    /// World rotations (hip, knee) that bring the ankle to `target_m`, or as near as the bones
    /// allow: the knee opens or closes in its bend plane, then the whole leg swings by the
    /// shortest arc, so that the knee keeps pointing where it did.
    pub(crate) fn reach(&self, target_m: DVec3) -> (DQuat, DQuat) {
        let thigh = self.thigh * self.knee_offset_m;
        let shin = self.shin * self.ankle_offset_m;
        let (Some(thigh_direction), Some(shin_direction)) =
            (thigh.try_normalize(), shin.try_normalize())
        else {
            return (self.thigh, self.shin);
        };
        let hinge =
            thigh_direction.cross(shin_direction) + STRAIGHT_KNEE_SIN * (self.thigh * self.hinge);
        let hinge = hinge
            .reject_from_normalized(thigh_direction)
            .try_normalize()
            .unwrap_or_else(|| thigh_direction.any_orthonormal_vector());
        let in_plane = shin.reject_from_normalized(hinge);
        let distance = (target_m - self.hip_m).length();
        let product = thigh.length() * in_plane.length();
        if product < 1e-9 {
            return (self.thigh, self.shin);
        }
        // |thigh + shin|² with the thigh perpendicular to the hinge.
        let cos =
            (distance.powi(2) - thigh.length_squared() - shin.length_squared()) / (2.0 * product);
        let now = hinge.dot(thigh.cross(in_plane)).atan2(thigh.dot(in_plane));
        let bend = DQuat::from_axis_angle(hinge, cos.clamp(-1.0, 1.0).acos() - now);
        let swing = match (
            (thigh + bend * shin).try_normalize(),
            (target_m - self.hip_m).try_normalize(),
        ) {
            (Some(from), Some(to)) => DQuat::from_rotation_arc(from, to),
            _ => DQuat::IDENTITY,
        };
        (
            (swing * self.thigh).normalize(),
            (swing * bend * self.shin).normalize(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg() -> Leg {
        Leg {
            hip_m: DVec3::new(0.1, 0.9, 0.2),
            thigh: DQuat::from_rotation_x(-0.3),
            shin: DQuat::from_rotation_x(0.2),
            knee_offset_m: DVec3::new(0.0, -0.415, 0.0),
            ankle_offset_m: DVec3::new(0.0, -0.395, -0.01),
            hinge: DVec3::X,
        }
    }

    #[test]
    fn reaches_what_the_bones_allow() {
        let leg = leg();
        for target in [
            DVec3::new(0.1, 0.2, 0.3),
            DVec3::new(0.3, 0.4, 0.5),
            DVec3::new(-0.1, 0.3, -0.2),
        ] {
            let (thigh, shin) = leg.reach(target);
            let reached = Leg { thigh, shin, ..leg }.ankle_m();
            assert!((reached - target).length() < 1e-9, "{target} {reached}");
            // The knee bends forwards of the line from hip to ankle.
            let knee = leg.hip_m + thigh * leg.knee_offset_m;
            let middle = leg.hip_m.midpoint(target);
            assert!((knee - middle).dot(thigh * DVec3::Z) > 0.0);
        }
    }

    #[test]
    fn stays_where_it_is_and_survives_the_impossible() {
        let leg = leg();
        let (thigh, shin) = leg.reach(leg.ankle_m());
        assert!(thigh.angle_between(leg.thigh) < 1e-6);
        assert!(shin.angle_between(leg.shin) < 1e-6);
        for target in [leg.hip_m, DVec3::new(9.0, 9.0, 9.0)] {
            let (thigh, shin) = leg.reach(target);
            assert!(thigh.is_finite() && shin.is_finite());
        }
        let far = DVec3::new(0.1, -9.0, 0.2);
        let (thigh, shin) = leg.reach(far);
        let reached = Leg { thigh, shin, ..leg }.ankle_m();
        assert!(((reached - leg.hip_m).length() - leg.length_m()).abs() < 1e-3);
    }

    /// Moving the ankle a little moves the knee a little, through the straight leg and back.
    #[test]
    fn the_knee_does_not_jump() {
        let mut leg = leg();
        let mut last: Option<DVec3> = None;
        for step in 0..200 {
            let distance = 0.70 + 0.11 * (f64::from(step) * 0.05).sin();
            let (thigh, shin) = leg.reach(leg.hip_m - DVec3::new(0.0, distance, 0.0));
            leg.thigh = thigh;
            leg.shin = shin;
            let knee = leg.hip_m + thigh * leg.knee_offset_m;
            if let Some(last) = last {
                assert!((knee - last).length() < 0.08, "step {step}");
            }
            assert!(
                knee.z > leg.hip_m.z - 0.02,
                "step {step}: the knee stays in front"
            );
            last = Some(knee);
        }
    }
}
