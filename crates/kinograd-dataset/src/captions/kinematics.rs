//! What a clip does, as curves over its frames.

use glam::{DVec2, DVec3};
use ndarray::{ArrayView3, Axis};

use kinograd_motion::MotionError;
use kinograd_motion::features::{
    FEATURE_FPS, Heading, gaussian_smooth, headings_from_joints, wrap_angle,
};

/// Smoothing of the ground path, frames: takes the sway of a gait out and leaves its turns.
const PATH_SIGMA_FRAMES: f64 = 4.0;
/// Smoothing of the facing, frames.
const FACING_SIGMA_FRAMES: f64 = 3.0;

const PELVIS: usize = 0;
const LEFT_LEG: [usize; 2] = [7, 10];
const RIGHT_LEG: [usize; 2] = [8, 11];
const SHOULDERS: [usize; 2] = [16, 17];
const ELBOWS: [usize; 2] = [18, 19];
const WRISTS: [usize; 2] = [20, 21];

/// Curves of a clip at 20 fps. World frame: metres, Y up; left is +X when facing +Z.
#[derive(Debug, Clone)]
pub struct Kinematics {
    /// Root on the ground (x, z), smoothed.
    pub path_m: Vec<DVec2>,
    /// Ground speed of the smoothed root, m/s.
    pub speed_m_s: Vec<f64>,
    /// Facing, radians, unwrapped; it grows in left turns.
    pub facing_rad: Vec<f64>,
    /// Direction of travel against the facing, radians in (−π, π]: 0 forward, π/2 to the left.
    pub travel_rad: Vec<f64>,
    /// Height of the pelvis above the floor.
    pub pelvis_m: Vec<f64>,
    /// Height of the lower of ankle and toe of each leg (left, right).
    pub feet_m: Vec<[f64; 2]>,
    /// Whether both feet are above the lowest that a foot gets within a second: the flight of
    /// a jog, a run or a jump.
    pub in_flight: Vec<bool>,
    /// Positions of ankles (left, right).
    pub ankles_m: Vec<[DVec3; 2]>,
    /// Positions of elbows (left, right).
    pub elbows_m: Vec<[DVec3; 2]>,
    /// Positions of wrists (left, right).
    pub wrists_m: Vec<[DVec3; 2]>,
    /// Positions of shoulders (left, right).
    pub shoulders_m: Vec<[DVec3; 2]>,
    /// Mean speed of all joints against the root, m/s: how much the body does beside travelling.
    pub activity_m_s: Vec<f64>,
}

impl Kinematics {
    /// Curves of joints `[frames, 22, 3]` (world, metres, on the floor, 20 fps).
    ///
    /// # Errors
    /// [`MotionError::Shape`] if the shape is another.
    pub fn new(joints: ArrayView3<'_, f64>) -> Result<Self, MotionError> {
        let headings = headings_from_joints(
            joints,
            Heading::Corrected {
                sigma_frames: FACING_SIGMA_FRAMES,
            },
        )?;
        let frames = joints.len_of(Axis(0));
        let at = |frame: usize, joint: usize| {
            DVec3::new(
                joints[[frame, joint, 0]],
                joints[[frame, joint, 1]],
                joints[[frame, joint, 2]],
            )
        };
        let column = |axis: usize| -> Vec<f64> {
            let raw: Vec<f64> = (0..frames).map(|f| joints[[f, PELVIS, axis]]).collect();
            smooth_open(&raw, PATH_SIGMA_FRAMES)
        };
        let (x, z) = (column(0), column(2));
        let path_m: Vec<DVec2> = x.iter().zip(&z).map(|(&x, &z)| DVec2::new(x, z)).collect();
        let velocity: Vec<DVec2> = (0..frames)
            .map(|f| slope(&path_m, f) * FEATURE_FPS)
            .collect();
        let facing_rad = unwrap(&headings);
        let travel_rad = velocity
            .iter()
            .zip(&facing_rad)
            .map(|(v, facing)| wrap_angle(v.x.atan2(v.y) - facing))
            .collect();
        let pair = |joints: [usize; 2]| -> Vec<[DVec3; 2]> {
            (0..frames).map(|f| joints.map(|j| at(f, j))).collect()
        };
        let lowest = |f: usize, leg: [usize; 2]| at(f, leg[0]).y.min(at(f, leg[1]).y);
        let feet_m: Vec<[f64; 2]> = (0..frames)
            .map(|f| [lowest(f, LEFT_LEG), lowest(f, RIGHT_LEG)])
            .collect();
        Ok(Self {
            in_flight: flights(&feet_m),
            speed_m_s: velocity.iter().map(|v| v.length()).collect(),
            facing_rad,
            travel_rad,
            pelvis_m: (0..frames).map(|f| joints[[f, PELVIS, 1]]).collect(),
            feet_m,
            ankles_m: pair([LEFT_LEG[0], RIGHT_LEG[0]]),
            elbows_m: pair(ELBOWS),
            wrists_m: pair(WRISTS),
            shoulders_m: pair(SHOULDERS),
            activity_m_s: activity(&joints),
            path_m,
        })
    }

    /// Number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.path_m.len()
    }

    /// Whether there are no frames.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.path_m.is_empty()
    }

    /// Change of facing from frame `start` to frame `end`, degrees; positive to the left.
    pub(crate) fn turn_deg(&self, start: usize, end: usize) -> f64 {
        (self.facing_rad[end] - self.facing_rad[start]).to_degrees()
    }

    /// Forward direction on the ground at a frame.
    pub(crate) fn forward(&self, frame: usize) -> DVec3 {
        let (sin, cos) = self.facing_rad[frame].sin_cos();
        DVec3::new(sin, 0.0, cos)
    }
}

/// Smoothing that does not pull the ends of a path together: the trend between the ends is taken
/// out and put back.
fn smooth_open(values: &[f64], sigma: f64) -> Vec<f64> {
    let n = values.len();
    if n < 2 {
        return values.to_vec();
    }
    // Odd reflection about the end points keeps the slope there.
    let pad = ((4.0 * sigma) as usize).min(n - 1);
    let mut padded = Vec::with_capacity(n + 2 * pad);
    padded.extend((1..=pad).rev().map(|i| 2.0 * values[0] - values[i]));
    padded.extend_from_slice(values);
    padded.extend((1..=pad).map(|i| 2.0 * values[n - 1] - values[n - 1 - i]));
    gaussian_smooth(&padded, sigma)[pad..pad + n].to_vec()
}

fn flights(feet_m: &[[f64; 2]]) -> Vec<bool> {
    const NEAR: usize = 10;
    const CLEARANCE_M: f64 = 0.025;
    let lower: Vec<f64> = feet_m.iter().map(|[l, r]| l.min(*r)).collect();
    (0..lower.len())
        .map(|f| {
            let near = &lower[f.saturating_sub(NEAR)..(f + NEAR + 1).min(lower.len())];
            let floor = near.iter().copied().fold(f64::INFINITY, f64::min);
            lower[f] > floor + CLEARANCE_M
        })
        .collect()
}

fn slope(path: &[DVec2], frame: usize) -> DVec2 {
    let before = frame.saturating_sub(1);
    let after = (frame + 1).min(path.len() - 1);
    if after == before {
        DVec2::ZERO
    } else {
        (path[after] - path[before]) / (after - before) as f64
    }
}

fn unwrap(angles: &[f64]) -> Vec<f64> {
    let mut total = angles.first().copied().unwrap_or(0.0);
    let mut unwrapped = Vec::with_capacity(angles.len());
    for (frame, &angle) in angles.iter().enumerate() {
        if frame > 0 {
            total += wrap_angle(angle - angles[frame - 1]);
        }
        unwrapped.push(total);
    }
    unwrapped
}

fn activity(joints: &ArrayView3<'_, f64>) -> Vec<f64> {
    let (frames, count) = (joints.len_of(Axis(0)), joints.len_of(Axis(1)));
    let raw: Vec<f64> = (0..frames)
        .map(|f| {
            let next = (f + 1).min(frames - 1);
            (1..count)
                .map(|j| {
                    (0..3)
                        .map(|a| {
                            let relative = |f: usize| joints[[f, j, a]] - joints[[f, PELVIS, a]];
                            (relative(next) - relative(f)).powi(2)
                        })
                        .sum::<f64>()
                        .sqrt()
                })
                .sum::<f64>()
                / (count - 1) as f64
                * FEATURE_FPS
        })
        .collect();
    gaussian_smooth(&raw, 3.0)
}
