//! Retargeting of any mapped rig to the canonical body.
//!
//! Directions come from the source, lengths from the canonical body. The body is placed by the
//! middle of the hips, scaled by the ratio of leg lengths, and the ankles are put where the
//! scaled source had them, so that a planted foot stays planted.

mod floor;
mod foot;
mod points;

use glam::DVec3;

pub use floor::Floor;
pub use points::{guess_unit, leg_length};

use crate::export::plain;
use crate::{
    Motion, MotionError, Skeleton,
    ik::{self, Limb},
    mapping::{Mapping, Resolved},
};

/// A clip on the canonical body, standing on the floor, and what is known of how it got there.
#[derive(Debug, Clone)]
pub struct Retargeted {
    /// The clip: canonical skeleton, metres, Y up, floor at `y = 0`, otherwise where it was.
    pub motion: Motion,
    /// The floor that was found and taken away, and how the feet stand to it.
    pub floor: Floor,
    /// Metres per unit of the source.
    pub unit_to_metre: f64,
    /// Canonical over source leg length.
    pub scale: f64,
    /// Leg length of the source, metres.
    pub source_leg_m: f64,
    /// How far the feet were pitched (toes up) to lie flat while they stand, radians: rigs put
    /// their toe joints at different heights. Zero where the clip does not show it.
    pub foot_pitch_rad: f64,
    /// Mean distance between the joints that the directions ask for and those of `motion`, metres.
    pub fit_error_m: f64,
}

/// Brings rig joints, a frame at a time and in the unit of the mapping, to the canonical body.
///
/// # Errors
/// When the legs have no length, or `fps` is not positive.
///
/// # Panics
/// When a frame has fewer joints than the rig.
pub fn retarget_frames(
    joints: impl Iterator<Item = Vec<DVec3>>,
    mapping: &Resolved,
    fps: f64,
) -> Result<Retargeted, MotionError> {
    let points = joints.map(|frame| mapping.canonical(&frame)).collect();
    retarget_points(points, mapping.unit_to_metre(), fps)
}

/// Brings a clip that is a [`Motion`] on some rig to the canonical body, at its own frame rate.
///
/// # Errors
/// When the mapping does not fit the rig, the legs have no length, or the rate is not positive.
pub fn retarget_motion(motion: &Motion, mapping: &Mapping) -> Result<Retargeted, MotionError> {
    let resolved = mapping.resolve(&motion.skeleton)?;
    retarget_joints(&motion.joints_in_world_m(), &resolved, motion.fps)
}

/// Brings rig joints, `[frame][rig joint]` in the unit of the mapping, to the canonical body.
///
/// # Errors
/// As [`retarget_motion`], and when a frame has not the rig's joints.
pub fn retarget_joints(
    joints: &[Vec<DVec3>],
    mapping: &Resolved,
    fps: f64,
) -> Result<Retargeted, MotionError> {
    if let Some(frame) = joints.iter().position(|f| f.len() != mapping.rig_joints()) {
        return Err(MotionError::Shape {
            what: "rig joints",
            expected: format!("[frames, {}, 3]", mapping.rig_joints()),
            got: vec![joints.len(), joints[frame].len(), 3],
        });
    }
    let points = joints.iter().map(|f| mapping.canonical(f)).collect();
    retarget_points(points, mapping.unit_to_metre(), fps)
}

/// The motion on the canonical body, by the names of its joints; `None` where it is on it already.
///
/// # Errors
/// When the joints' names do not tell which are which, or as [`retarget_motion`].
pub fn to_canonical_body(motion: &Motion) -> Result<Option<Motion>, MotionError> {
    if motion.skeleton == Skeleton::canonical() {
        return Ok(None);
    }
    if let Some(motion) = plain(motion) {
        return Ok(Some(motion));
    }
    let mapping = Mapping::automatic(&motion.skeleton)?;
    Ok(Some(retarget_motion(motion, &mapping)?.motion))
}

/// Brings mapped points, `[frame][22]` in the source's unit, to the canonical body.
fn retarget_points(
    mut source: Vec<Vec<DVec3>>,
    unit_to_metre: Option<f64>,
    fps: f64,
) -> Result<Retargeted, MotionError> {
    let body = Skeleton::canonical();
    let leg = points::leg_length(&source)?;
    let unit_to_metre = unit_to_metre.unwrap_or_else(|| points::guess_unit(leg));
    let source_leg_m = leg * unit_to_metre;
    let scale = points::body_leg_length(&body) / source_leg_m;
    for point in source.iter_mut().flatten() {
        *point *= unit_to_metre * scale;
    }
    let foot_pitch_rad = foot::level(&body, &mut source, fps);
    let wanted = points::canonical_joints(&body, &source);
    let mut motion = ik::fit_rotations(&body, &wanted, fps)?;
    for (frame, points) in source.iter().enumerate() {
        for limb in [Limb::LEFT_LEG, Limb::RIGHT_LEG] {
            ik::reach(&mut motion, frame, limb, points[limb.end])?;
        }
    }
    let mut fitted = motion.joints_in_world_m();
    let fit_error_m = points::mean_distance(&wanted, &fitted);
    let floor = Floor::of(&fitted, fps);
    for root in &mut motion.root_in_world_m {
        root.y -= floor.height_m;
    }
    for point in fitted.iter_mut().flatten() {
        point.y -= floor.height_m;
    }
    Ok(Retargeted {
        motion,
        floor,
        unit_to_metre,
        scale,
        source_leg_m,
        foot_pitch_rad,
        fit_error_m,
    })
}
