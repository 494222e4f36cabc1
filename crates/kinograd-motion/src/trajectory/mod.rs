//! The travel of a motion alone: the simplest path on the ground that it moves along.
//!
//! A game that plays a clip in place takes this out and keeps the sway, surge and twist of every step; were
//! the hips themselves held in place, planted feet would slide by what is gone.

mod body;
mod shape;

pub use shape::PathShape;

use glam::DVec2;
use ndarray::ArrayView3;

use crate::{JOINTS, MotionError};
use body::Body;
use shape::Fitted;

/// Averaged over this long, the body times its own way along the path: frames' jitter goes, steps stay.
const TIMING_SECS: f64 = 0.1;
/// A facing is averaged over a stride, and over this long at least.
const LEAST_FACING_SECS: f64 = 0.5;
/// What never turns further than this does not turn, and on the spot no further than the second.
const YAW_STILL_RAD: f64 = 8.0_f64.to_radians();
const YAW_STILL_ON_SPOT_RAD: f64 = 15.0_f64.to_radians();
/// A turn is steady within these, root mean square and at most.
const STEADY_RAD: [f64; 2] = [2.0_f64.to_radians(), 5.0_f64.to_radians()];

/// A path on the ground, and where on it a body is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trajectory {
    /// The path, in the frame of the joints.
    pub shape: PathShape,
    /// Distance of the averaged body from the path, across it, root mean square, metres.
    pub off_m: f64,
    /// Where on the path the body is, frame by frame: x and z, metres.
    pub positions_xz_m: Vec<[f64; 2]>,
    /// How far it has turned since the first frame, radians about +Y: π/2 from +Z to +X.
    pub yaws_rad: Vec<f64>,
}

impl Trajectory {
    /// The same of a body that is larger by a factor.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.shape = self.shape.scaled(factor);
        self.off_m *= factor;
        let places = self.positions_xz_m.iter_mut().flatten();
        places.for_each(|place| *place *= factor);
        self
    }
}

/// The trajectory of the canonical joints `[frames, 22, 3]`, metres, Y up, over a floor at height 0.
///
/// Of a loop, whose last frame is its first one further on, the path is a place, a line or an arc, which
/// repeat, and the last place lies from the first as the pelvis has gone.
///
/// ```
/// use kinograd_motion::{joints_array, synth::synth_walk, trajectory};
/// let walk = joints_array(&synth_walk(1.2, 2.0, 20.0)).mapv(f64::from); // 1.2 m/s along +Z
/// let found = trajectory::of_joints(walk.view(), 20.0, false)?;
/// assert_eq!(found.shape.name(), "line");
/// # Ok::<(), kinograd_motion::MotionError>(())
/// ```
///
/// # Errors
/// [`MotionError::Shape`] where the joints are not 22, or there is no frame.
pub fn of_joints(
    joints: ArrayView3<'_, f64>,
    fps: f64,
    is_loop: bool,
) -> Result<Trajectory, MotionError> {
    if joints.dim().0 == 0 || joints.dim().1 != JOINTS || joints.dim().2 != 3 {
        return Err(MotionError::Shape {
            what: "joints",
            expected: "[frames, 22, 3]".to_owned(),
            got: joints.shape().to_vec(),
        });
    }
    let body = Body::of(joints, fps, is_loop)?;
    let stride = body.stride_frames();
    let path = body.averaged(&body.mass_m, stride);
    let Fitted { shape, off_m } = shape::simplest(&path, is_loop);
    let timing = body.averaged(&body.mass_m, TIMING_SECS * fps);
    let mut places = shape.nearest(&timing);
    let is_still = matches!(shape, PathShape::Still { .. });
    let mut yaws = yaws(&body, stride, is_still);
    if is_loop && !is_still {
        close(&mut places, body.pelvis_travel_m());
    }
    if is_loop {
        let turned = body.facings_rad.last().copied().unwrap_or(0.0) - body.facings_rad[0];
        let missing = turned - yaws.last().copied().unwrap_or(0.0);
        let last = yaws.len().saturating_sub(1).max(1) as f64;
        let along = yaws.iter_mut().enumerate();
        along.for_each(|(frame, yaw)| *yaw += missing * frame as f64 / last);
    }
    Ok(Trajectory {
        shape,
        off_m,
        positions_xz_m: places.iter().map(DVec2::to_array).collect(),
        yaws_rad: yaws,
    })
}

/// How far the facing has turned: not at all, steadily, or as it was averaged.
fn yaws(body: &Body, stride: f64, is_on_spot: bool) -> Vec<f64> {
    let window = stride.max(LEAST_FACING_SECS * body.fps);
    let turned = body.averaged_facings(window);
    let first = turned.first().copied().unwrap_or(0.0);
    let turned: Vec<f64> = turned.iter().map(|yaw| yaw - first).collect();
    let still = if is_on_spot {
        YAW_STILL_ON_SPOT_RAD
    } else {
        YAW_STILL_RAD
    };
    if turned.iter().all(|yaw| yaw.abs() < still) {
        return vec![0.0; turned.len()];
    }
    let times = || (0..turned.len()).map(|frame| frame as f64);
    let rate = times()
        .zip(&turned)
        .map(|(time, turn)| time * turn)
        .sum::<f64>()
        / times().map(|time| time * time).sum::<f64>();
    let off: Vec<f64> = times()
        .zip(&turned)
        .map(|(time, turn)| rate * time - turn)
        .collect();
    let mean_square = off.iter().map(|off| off * off).sum::<f64>() / off.len() as f64;
    let most = off.iter().fold(0.0_f64, |most, off| most.max(off.abs()));
    if mean_square.sqrt() <= STEADY_RAD[0] && most <= STEADY_RAD[1] {
        return times().map(|time| rate * time).collect();
    }
    turned
}

/// Spreads over the frames what the last place lacks.
fn close(places: &mut [DVec2], travel: DVec2) {
    let (Some(&first), Some(&last)) = (places.first(), places.last()) else {
        return;
    };
    let missing = travel - (last - first);
    let count = places.len().saturating_sub(1).max(1) as f64;
    for (frame, place) in places.iter_mut().enumerate() {
        *place += missing * (frame as f64 / count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joints_array;
    use crate::synth::SynthWalk;
    use glam::{DQuat, DVec3};
    use ndarray::Array3;

    const FPS: f64 = 30.0;

    fn walk(speed_mps: f64, turn_rad_per_s: f64, secs: f64) -> Array3<f64> {
        let walk = SynthWalk {
            speed_mps,
            turn_rad_per_s,
            duration_secs: secs,
            fps: FPS,
            ..SynthWalk::default()
        };
        joints_array(&walk.motion()).mapv(f64::from)
    }

    fn of(joints: &Array3<f64>) -> Trajectory {
        of_joints(joints.view(), FPS, false).unwrap()
    }

    fn speeds(found: &Trajectory) -> Vec<f64> {
        let places = found.positions_xz_m.windows(2);
        places
            .map(|pair| DVec2::from(pair[1]).distance(DVec2::from(pair[0])) * FPS)
            .collect()
    }

    /// Every joint where a path says, with the body as it stands.
    fn moved(standing: &Array3<f64>, path: impl Fn(f64) -> (DVec2, f64)) -> Array3<f64> {
        let mut joints = standing.clone();
        for frame in 0..joints.dim().0 {
            let (place, yaw) = path(frame as f64 / FPS);
            let turn = DQuat::from_rotation_y(yaw);
            for joint in 0..JOINTS {
                let at = |axis| standing[[0, joint, axis]];
                let here =
                    turn * DVec3::new(at(0), at(1), at(2)) + DVec3::new(place.x, 0.0, place.y);
                (0..3).for_each(|axis| joints[[frame, joint, axis]] = here[axis]);
            }
        }
        joints
    }

    #[test]
    fn a_walk_ahead_is_a_line_at_its_speed() {
        let found = of(&walk(1.2, 0.0, 4.0));
        assert!(
            matches!(found.shape, PathShape::Line { heading_rad, .. } if heading_rad.abs() < 0.01)
        );
        assert!(found.yaws_rad.iter().all(|&yaw| yaw == 0.0));
        let speeds = speeds(&found);
        let mean = speeds.iter().sum::<f64>() / speeds.len() as f64;
        assert!((mean - 1.2).abs() < 0.03, "{mean}");
        // The sway of the steps is not in it.
        assert!(
            found
                .positions_xz_m
                .iter()
                .all(|place| place[0].abs() < 0.01)
        );
    }

    #[test]
    fn a_walk_round_is_an_arc_of_its_radius_that_turns_steadily() {
        let found = of(&walk(1.0, 0.5, 4.0));
        let PathShape::Arc { radius_m, .. } = found.shape else {
            panic!("{:?}", found.shape);
        };
        assert!((radius_m - 2.0).abs() < 0.1, "{radius_m}");
        let turned = found.yaws_rad.last().unwrap();
        assert!((turned - 0.5 * 4.0).abs() < 0.1, "{turned}");
    }

    #[test]
    fn one_who_stands_is_still_and_a_turn_on_the_spot_is_a_turn() {
        let standing = walk(0.3, 0.0, 3.0);
        let still = of(&moved(&standing, |_| (DVec2::new(3.0, -2.0), 0.0)));
        assert_eq!(still.shape.name(), "still");
        assert!(still.yaws_rad.iter().all(|&yaw| yaw == 0.0));
        let spread = |found: &Trajectory| {
            let first = DVec2::from(found.positions_xz_m[0]);
            let places = found.positions_xz_m.iter();
            places
                .map(|&place| DVec2::from(place).distance(first))
                .fold(0.0, f64::max)
        };
        assert_eq!(spread(&still), 0.0);
        let turning = of(&moved(&standing, |time| (DVec2::ZERO, 0.6 * time)));
        assert_eq!(turning.shape.name(), "still");
        let turned =
            turning.yaws_rad.last().unwrap() - 0.6 * (turning.yaws_rad.len() - 1) as f64 / FPS;
        assert!(turned.abs() < 1e-6, "{turned}");
    }

    #[test]
    fn a_turn_there_and_back_is_none_in_the_end_but_is_told() {
        let standing = walk(0.3, 0.0, 4.0);
        let yaw = |time: f64| (time * std::f64::consts::PI / 4.0).sin();
        let found = of(&moved(&standing, |time| (DVec2::new(0.0, time), yaw(time))));
        let yaws = &found.yaws_rad;
        let middle = yaws[yaws.len().div_euclid(2)];
        assert!((middle - 1.0).abs() < 0.3, "{middle}");
        assert!(yaws.last().unwrap().abs() < 0.1, "{yaws:?}");
    }

    #[test]
    fn an_s_is_a_curve_near_the_body_and_a_sidestep_keeps_its_facing() {
        let standing = walk(0.3, 0.0, 4.0);
        let way = |time: f64| DVec2::new(0.8 * (time * 1.5).sin(), time);
        let found = of(&moved(&standing, |time| (way(time), 0.0)));
        assert_eq!(found.shape.name(), "bezier");
        assert!(found.off_m < 0.1, "{}", found.off_m);
        let sideways = of(&moved(&standing, |time| {
            (DVec2::new(-0.5 * time, 0.0), 0.3)
        }));
        assert!(matches!(sideways.shape, PathShape::Line { heading_rad, .. }
            if (heading_rad + std::f64::consts::FRAC_PI_2).abs() < 1e-6));
        assert!(sideways.yaws_rad.iter().all(|&yaw| yaw == 0.0));
    }

    #[test]
    fn a_loop_ends_where_the_pelvis_has_gone() {
        let joints = walk(1.1, 0.0, 2.0);
        let found = of_joints(joints.view(), FPS, true).unwrap();
        let last = joints.dim().0 - 1;
        let gone = [0, 2].map(|axis| joints[[last, 0, axis]] - joints[[0, 0, axis]]);
        let places = &found.positions_xz_m;
        let travel = DVec2::from(places[last]) - DVec2::from(places[0]);
        assert!(travel.distance(DVec2::from(gone)) < 1e-9);
    }

    #[test]
    fn a_clip_of_a_frame_is_still_and_none_is_refused() {
        let joints = walk(1.0, 0.0, 1.0);
        let one = joints.slice(ndarray::s![..1, .., ..]);
        assert_eq!(of_joints(one, FPS, false).unwrap().shape.name(), "still");
        assert!(of_joints(joints.slice(ndarray::s![..0, .., ..]), FPS, false).is_err());
        assert!(of_joints(joints.slice(ndarray::s![.., ..21, ..]), FPS, false).is_err());
    }
}
