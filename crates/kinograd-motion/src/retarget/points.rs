//! Canonical joint positions from the mapped points of a source.

use glam::{DQuat, DVec3};

use crate::{JOINTS, MotionError, PARENTS, Skeleton, ik::best_rotation};

const LEFT_HIP: usize = 1;
const RIGHT_HIP: usize = 2;
const SPINE1: usize = 3;
const SPINE3: usize = 9;
const NECK: usize = 12;
const COLLARS: [usize; 2] = [13, 14];
const SHOULDERS: [usize; 2] = [16, 17];

/// Median over the frames of the mean leg length (hip to knee to ankle) of canonical points,
/// `[frame][22]`, in their unit.
///
/// # Errors
/// [`MotionError::Mapping`] where the legs have no length.
pub fn leg_length(points: &[Vec<DVec3>]) -> Result<f64, MotionError> {
    let mut lengths: Vec<f64> = points
        .iter()
        .map(|p| {
            let leg = |hip: usize, knee: usize, ankle: usize| {
                p[hip].distance(p[knee]) + p[knee].distance(p[ankle])
            };
            0.5 * (leg(1, 4, 7) + leg(2, 5, 8))
        })
        .collect();
    lengths.sort_by(f64::total_cmp);
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0.0);
    if median > 1e-6 && median.is_finite() {
        Ok(median)
    } else {
        Err(MotionError::Mapping {
            message: format!("the legs are {median} units long"),
        })
    }
}

/// Leg length of the canonical body, metres.
pub(super) fn body_leg_length(body: &Skeleton) -> f64 {
    body.offsets_m[4].length() + body.offsets_m[7].length()
}

/// Metres per unit from a leg's length, which is near 0.8 m for an adult: metres, decimetres,
/// inches, centimetres or millimetres, the nearest by ratio.
#[must_use]
pub fn guess_unit(leg_units: f64) -> f64 {
    const ADULT_LEG_M: f64 = 0.8;
    let distance = |unit: f64| (leg_units * unit / ADULT_LEG_M).ln().abs();
    let units = [1.0, 0.1, 0.0254, 0.01, 0.001];
    let best = units
        .into_iter()
        .fold(1.0, |a, b| if distance(b) < distance(a) { b } else { a });
    if distance(best) < 1.5_f64.ln() {
        return best;
    }
    // A child, a giant, or a unit of the maker's own, such as CMU's 1/0.45 inch: take the legs
    // for an adult's.
    ADULT_LEG_M / leg_units
}

/// Canonical joint positions `[frame][22]` with the body's bone lengths and the directions of
/// `source`, which is already scaled to the body; the middle of the hips stays where it is.
pub(super) fn canonical_joints(body: &Skeleton, source: &[Vec<DVec3>]) -> Vec<Vec<DVec3>> {
    let mut pelvis = DQuat::IDENTITY;
    let mut chest = DQuat::IDENTITY;
    source
        .iter()
        .map(|points| {
            pelvis = pelvis_rotation(body, points, pelvis);
            chest = chest_rotation(body, points, chest);
            place(body, points, pelvis, chest)
        })
        .collect()
}

fn unit(v: DVec3) -> DVec3 {
    v.normalize_or_zero()
}

/// The hips give left and right, the spine gives up.
fn pelvis_rotation(body: &Skeleton, points: &[DVec3], prior: DQuat) -> DQuat {
    let offsets = &body.offsets_m;
    let rest_middle = 0.5 * (offsets[LEFT_HIP] + offsets[RIGHT_HIP]);
    let middle = 0.5 * (points[LEFT_HIP] + points[RIGHT_HIP]);
    let side = unit(points[LEFT_HIP] - points[RIGHT_HIP]);
    let pairs = [
        (unit(offsets[LEFT_HIP] - offsets[RIGHT_HIP]), side, 2.0),
        (
            unit(offsets[SPINE1] - rest_middle),
            unit(points[SPINE1] - middle),
            1.0,
        ),
    ];
    best_rotation(&pairs, prior)
}

/// Collars and shoulders give left and right, the neck gives up.
fn chest_rotation(body: &Skeleton, points: &[DVec3], prior: DQuat) -> DQuat {
    let side = |[left, right]: [usize; 2]| unit(points[left] - points[right]);
    let pairs = [
        (DVec3::X, side(COLLARS), 1.0),
        (DVec3::X, side(SHOULDERS), 0.5),
        (
            unit(body.offsets_m[NECK]),
            unit(points[NECK] - points[SPINE3]),
            1.0,
        ),
    ];
    best_rotation(&pairs, prior)
}

fn place(body: &Skeleton, points: &[DVec3], pelvis: DQuat, chest: DQuat) -> Vec<DVec3> {
    let offsets = &body.offsets_m;
    let rest_middle = 0.5 * (offsets[LEFT_HIP] + offsets[RIGHT_HIP]);
    let middle = 0.5 * (points[LEFT_HIP] + points[RIGHT_HIP]);
    let mut joints = Vec::with_capacity(JOINTS);
    joints.push(middle - pelvis * rest_middle);
    for joint in 1..JOINTS {
        let parent = PARENTS[joint];
        let step = match joint {
            LEFT_HIP | RIGHT_HIP | SPINE1 => pelvis * offsets[joint],
            NECK => chest * offsets[joint],
            _ if COLLARS.contains(&joint) => chest * offsets[joint],
            _ => {
                let direction = (points[joint] - points[parent]).try_normalize();
                let direction = direction.unwrap_or_else(|| chest * unit(offsets[joint]));
                direction * offsets[joint].length()
            }
        };
        joints.push(joints[parent] + step);
    }
    joints
}

/// Mean distance of two `[frame][joint]` tables, metres.
pub(super) fn mean_distance(a: &[Vec<DVec3>], b: &[Vec<DVec3>]) -> f64 {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    let (sum, count) = pairs.fold((0.0, 0_usize), |(sum, count), (a, b)| {
        (sum + a.distance(*b), count + 1)
    });
    sum / count.max(1) as f64
}
