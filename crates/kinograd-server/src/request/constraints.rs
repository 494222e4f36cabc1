//! Constraints: where the body shall be. Places are in the client's world, metres.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::form::{fields, kind, read};
use super::skeleton::RequestSkeleton;
use crate::error::{ApiError, Code};

/// The kinds that are taken.
pub(crate) const SUPPORTED: [&str; 3] = ["root_path", "effector_target", "pose_keyframe"];
/// Those that the protocol knows besides.
const OTHERS: [&str; 1] = ["ground_height"];

/// A constraint whose joints, frames and lengths fit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constraint {
    RootPath(RootPath),
    EffectorTarget(EffectorTarget),
    PoseKeyframe(PoseKeyframe),
}

/// The root's way over the ground.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RootPath {
    pub frames: Vec<i64>,
    pub positions_xz: Vec<[f64; 2]>,
    /// Turn about +Y, right-handed: 0 faces +Z, π/2 faces +X.
    #[serde(default)]
    pub heading_radians: Option<Vec<f64>>,
}

/// A joint's places.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EffectorTarget {
    pub joint: String,
    pub frames: Vec<i64>,
    pub positions: Vec<[f64; 3]>,
    #[serde(default)]
    pub rotations: Option<Vec<[f64; 4]>>,
}

/// A pose at a frame.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoseKeyframe {
    pub frame: u64,
    pub joint_rotations: BTreeMap<String, [f64; 4]>,
    #[serde(default)]
    pub root_position: Option<[f64; 3]>,
    #[serde(default)]
    pub fill_mode: FillMode,
}

/// What joints do that a keyframe does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FillMode {
    /// They rest.
    Rest,
    /// They are the model's.
    #[default]
    Generate,
}

/// Refuses kinds that the protocol knows and the model does not take.
pub(super) fn check_kinds(constraints: &[Value]) -> Result<(), ApiError> {
    for constraint in constraints {
        let kind = constraint.get("type").and_then(Value::as_str);
        if let Some(kind) = kind.filter(|kind| OTHERS.contains(kind)) {
            let message = format!("constraints of type `{kind}` are not supported by this model");
            return Err(unsupported(message));
        }
    }
    Ok(())
}

/// Something that a constraint asks for and the model cannot do.
pub(crate) fn unsupported(message: String) -> ApiError {
    ApiError::new(Code::UnsupportedConstraint, message)
        .with(json!({"supported_constraints": SUPPORTED}))
}

/// Reads a constraint and checks its lengths.
pub(super) fn constraint(value: &Value, index: usize) -> Result<Constraint, ApiError> {
    let place = format!("constraints.{index}");
    let fields = fields(value);
    match kind(value, &place)? {
        "root_path" => {
            let path: RootPath = read(&fields, &place)?;
            let count = frames(&path.frames, &place)?;
            if path.frames.windows(2).any(|pair| pair[1] <= pair[0]) {
                let place = format!("{place}.frames");
                return Err(ApiError::schema(&place, "must ascend strictly"));
            }
            as_many(count, path.positions_xz.len(), &place, "positions_xz")?;
            let headings = path.heading_radians.as_ref();
            as_many(
                count,
                headings.map_or(count, Vec::len),
                &place,
                "heading_radians",
            )?;
            Ok(Constraint::RootPath(path))
        }
        "effector_target" => {
            let target: EffectorTarget = read(&fields, &place)?;
            let count = frames(&target.frames, &place)?;
            as_many(count, target.positions.len(), &place, "positions")?;
            let rotations = target.rotations.as_ref();
            as_many(
                count,
                rotations.map_or(count, Vec::len),
                &place,
                "rotations",
            )?;
            Ok(Constraint::EffectorTarget(target))
        }
        "pose_keyframe" => {
            let keyframe: PoseKeyframe = read(&fields, &place)?;
            if keyframe.joint_rotations.is_empty() {
                let place = format!("{place}.joint_rotations");
                return Err(ApiError::schema(&place, "is empty"));
            }
            Ok(Constraint::PoseKeyframe(keyframe))
        }
        other => {
            let message = format!("no constraint has the type `{other}`");
            Err(ApiError::schema(&format!("{place}.type"), message))
        }
    }
}

impl Constraint {
    /// Holds joints and frames against the request.
    pub(super) fn check(&self, skeleton: &RequestSkeleton, total: u64) -> Result<(), ApiError> {
        match self {
            Self::RootPath(path) => check_frames(&path.frames, total),
            Self::EffectorTarget(target) => {
                skeleton.index(&target.joint)?;
                check_frames(&target.frames, total)
            }
            Self::PoseKeyframe(keyframe) => {
                for name in keyframe.joint_rotations.keys() {
                    skeleton.index(name)?;
                }
                let frame = i64::try_from(keyframe.frame).unwrap_or(i64::MAX);
                check_frames(&[frame], total)
            }
        }
    }
}

fn check_frames(frames: &[i64], total: u64) -> Result<(), ApiError> {
    let outside = |frame: &&i64| u64::try_from(**frame).map_or(true, |frame| frame >= total);
    match frames.iter().find(outside) {
        None => Ok(()),
        Some(frame) => Err(ApiError::new(
            Code::FrameOutOfRange,
            format!("frame {frame} is outside 0 to {}", total.saturating_sub(1)),
        )
        .with(json!({"frame": frame, "total_frames": total}))),
    }
}

fn frames(frames: &[i64], place: &str) -> Result<usize, ApiError> {
    if frames.is_empty() {
        return Err(ApiError::schema(&format!("{place}.frames"), "is empty"));
    }
    Ok(frames.len())
}

fn as_many(count: usize, got: usize, place: &str, field: &str) -> Result<(), ApiError> {
    if count == got {
        return Ok(());
    }
    let message = format!("has {got} entries for {count} frames");
    Err(ApiError::schema(&format!("{place}.{field}"), message))
}
