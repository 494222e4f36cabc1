//! The client's skeleton.

use std::collections::BTreeMap;

use glam::DVec3;
use kinograd::motion::Skeleton;
use kinograd_files::Budget;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::read;
use crate::error::{ApiError, Code};
use crate::limits::{DISPLAY_NAME_CHARS, NAME_CHARS};

/// A joint as the protocol has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Joint {
    pub name: String,
    #[serde(default)]
    pub parent: Option<String>,
    /// Rest position less the parent's, metres, along the world's axes.
    pub rest_translation: [f64; 3],
    /// x, y, z, w; given back as it came. Poses are measured from the rest pose all the same.
    pub rest_rotation: [f64; 4],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SkeletonForm {
    joints: Vec<Joint>,
    #[serde(default)]
    coordinate_system: Option<String>,
    #[serde(default)]
    units: Option<String>,
}

/// A skeleton that has passed its check: names once, one root, parents first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RequestSkeleton {
    pub joints: Vec<Joint>,
    /// The same as our library has it.
    pub skeleton: Skeleton,
    indices: BTreeMap<String, usize>,
}

impl RequestSkeleton {
    /// Reads and checks a skeleton.
    pub(super) fn read(value: &Value) -> Result<Self, ApiError> {
        let form: SkeletonForm = read(value, "skeleton")?;
        for (field, got, expected) in [
            (
                "coordinate_system",
                &form.coordinate_system,
                "right_handed_y_up",
            ),
            ("units", &form.units, "meters"),
        ] {
            if got.as_deref().is_some_and(|got| got != expected) {
                let place = format!("skeleton.{field}");
                return Err(ApiError::schema(
                    &place,
                    format!("`{expected}` is expected"),
                ));
            }
        }
        for (index, joint) in form.joints.iter().enumerate() {
            check_names(index, joint)?;
        }
        Self::of_joints(form.joints)
    }

    fn of_joints(joints: Vec<Joint>) -> Result<Self, ApiError> {
        let budget = Budget::of_process();
        budget
            .check("joints", joints.len() as u64, budget.joints)
            .map_err(|error| invalid(error.to_string()))?;
        let mut indices = BTreeMap::new();
        let mut parents = Vec::with_capacity(joints.len());
        for (index, joint) in joints.iter().enumerate() {
            parents.push(parent_of(joint, index, &indices)?);
            if indices.insert(joint.name.clone(), index).is_some() {
                return Err(invalid(format!("joint `{}` is there twice", joint.name)));
            }
            for length in joint.rest_translation {
                budget
                    .check_distance("rest_translation", length)
                    .map_err(|error| invalid(format!("joint `{}`: {error}", joint.name)))?;
            }
        }
        let offsets = joints.iter().map(|j| DVec3::from_array(j.rest_translation));
        let skeleton = Skeleton {
            names: joints.iter().map(|joint| joint.name.clone()).collect(),
            parents,
            offsets_m: offsets.collect(),
        };
        skeleton
            .validate()
            .map_err(|error| invalid(error.to_string()))?;
        Ok(Self {
            joints,
            skeleton,
            indices,
        })
    }

    /// The joint of a name.
    pub(crate) fn index(&self, name: &str) -> Result<usize, ApiError> {
        self.indices.get(name).copied().ok_or_else(|| {
            let names: Vec<&String> = self.indices.keys().collect();
            ApiError::new(
                Code::UnknownJoint,
                format!("joint `{name}` is not in the request's skeleton"),
            )
            .with(json!({"skeleton_joints": names}))
        })
    }
}

fn check_names(index: usize, joint: &Joint) -> Result<(), ApiError> {
    let chars = joint.name.chars().count();
    if !(1..=NAME_CHARS).contains(&chars) {
        return Err(ApiError::schema(
            &format!("skeleton.joints.{index}.name"),
            format!("has {chars} characters; 1 to {NAME_CHARS} are taken"),
        ));
    }
    let shown = joint
        .display_name
        .as_ref()
        .map_or(0, |name| name.chars().count());
    if shown > DISPLAY_NAME_CHARS {
        return Err(ApiError::schema(
            &format!("skeleton.joints.{index}.display_name"),
            format!("has {shown} characters; at most {DISPLAY_NAME_CHARS} are taken"),
        ));
    }
    Ok(())
}

fn parent_of(
    joint: &Joint,
    index: usize,
    before: &BTreeMap<String, usize>,
) -> Result<Option<usize>, ApiError> {
    match (&joint.parent, index) {
        (None, 0) => Ok(None),
        (None, _) => Err(invalid(format!(
            "joint `{}` has no parent; the root alone has none",
            joint.name
        ))),
        (Some(parent), _) => before.get(parent).copied().map(Some).ok_or_else(|| {
            invalid(format!(
                "joint `{}` names the parent `{parent}`, which is not there or comes later",
                joint.name
            ))
        }),
    }
}

fn invalid(message: String) -> ApiError {
    ApiError::new(Code::InvalidSkeleton, message)
}
