//! Which joints of a rig stand for the canonical ones.

mod automatic;
mod names;

use std::{collections::BTreeMap, fs, path::Path};

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::{JOINT_NAMES, JOINTS, MotionError, Skeleton};

/// Where a canonical joint lies on a rig.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JointSource {
    /// At a joint. `NAME_end` is the End Site of `NAME`.
    Joint(String),
    /// At `a + t · (b − a)`.
    Between(String, String, f64),
}

/// The axis that points up in a rig's file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Up {
    /// Y up, as in BVH by custom.
    #[default]
    #[serde(rename = "+Y", alias = "Y", alias = "y", alias = "+y")]
    Y,
    /// Z up; x stays, y becomes −z.
    #[serde(rename = "+Z", alias = "Z", alias = "z", alias = "+z")]
    Z,
}

/// How a rig maps to the canonical skeleton. Unknown keys of the file are ignored.
///
/// ```
/// let text = r#"{"joints": {"pelvis": "Hips", "neck": ["Spine2", "Head", 0.5]}, "unit_to_metre": 0.01}"#;
/// let mapping: kinograd_motion::mapping::Mapping = serde_json::from_str(text)?;
/// assert_eq!(mapping.unit_to_metre, Some(0.01));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Canonical joint name to its place on the rig.
    pub joints: BTreeMap<String, JointSource>,
    /// Metres per file unit; guessed from the legs' length where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_to_metre: Option<f64>,
    /// The axis that points up.
    #[serde(default)]
    pub up: Up,
}

/// A mapping file: one mapping, or one per rig family by name.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingFile {
    /// Mappings by family; a single mapping has the name `""`.
    pub families: BTreeMap<String, Mapping>,
}

impl MappingFile {
    /// Reads a mapping file (JSON).
    ///
    /// # Errors
    /// When it cannot be read, or as [`MappingFile::parse`].
    pub fn read(path: &Path) -> Result<Self, MotionError> {
        let bytes = fs::read(path).map_err(|source| MotionError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(&bytes)
    }

    /// Parses JSON: an object with `joints`, or an object of such objects by family, in which
    /// keys that start with `_` are comments.
    ///
    /// # Errors
    /// When the JSON is malformed, or names a canonical joint that does not exist.
    pub fn parse(bytes: &[u8]) -> Result<Self, MotionError> {
        let json = |e: serde_json::Error| MotionError::Format {
            format: "mapping file",
            message: e.to_string(),
        };
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(json)?;
        let mut families = BTreeMap::new();
        if value.get("joints").is_some() {
            families.insert(String::new(), serde_json::from_value(value).map_err(json)?);
        } else {
            let object: BTreeMap<String, serde_json::Value> =
                serde_json::from_value(value).map_err(json)?;
            for (name, value) in object {
                if name.starts_with('_') {
                    continue;
                }
                let mapping: Mapping =
                    serde_json::from_value(value).map_err(|e| MotionError::Format {
                        format: "mapping file",
                        message: format!("family `{name}`: {e}"),
                    })?;
                families.insert(name, mapping);
            }
        }
        for (family, mapping) in &families {
            mapping.check(family)?;
        }
        Ok(Self { families })
    }

    /// The mapping of a family, or the only mapping of a file that has just one.
    #[must_use]
    pub fn get(&self, family: &str) -> Option<&Mapping> {
        self.families.get(family).or_else(|| self.families.get(""))
    }
}

impl Mapping {
    fn check(&self, family: &str) -> Result<(), MotionError> {
        for (name, source) in &self.joints {
            if !JOINT_NAMES.contains(&name.as_str()) {
                return Err(MotionError::Mapping {
                    message: format!("family `{family}`: `{name}` is not a canonical joint"),
                });
            }
            if let JointSource::Between(.., t) = source
                && !(t.is_finite() && t.abs() <= 10.0)
            {
                return Err(MotionError::Mapping {
                    message: format!("family `{family}`: `{name}` lies at {t} of its bone"),
                });
            }
        }
        if let Some(unit) = self.unit_to_metre
            && !(unit.is_finite() && unit > 0.0)
        {
            return Err(MotionError::Mapping {
                message: format!("family `{family}`: unit_to_metre is {unit}"),
            });
        }
        Ok(())
    }

    /// Looks the joints up on a rig.
    ///
    /// # Errors
    /// Names every canonical joint without an entry and every rig joint that does not exist.
    pub fn resolve(&self, skeleton: &Skeleton) -> Result<Resolved, MotionError> {
        let index: BTreeMap<&str, usize> = skeleton
            .names
            .iter()
            .enumerate()
            .map(|(i, name)| (name.as_str(), i))
            .collect();
        let mut problems = Vec::new();
        let mut points = [Point::default(); JOINTS];
        for (name, point) in JOINT_NAMES.iter().zip(&mut points) {
            let (a, b, t) = match self.joints.get(*name) {
                None => {
                    problems.push(format!("`{name}` has no entry"));
                    continue;
                }
                Some(JointSource::Joint(a)) => (a, a, 0.0),
                Some(JointSource::Between(a, b, t)) => (a, b, *t),
            };
            match (index.get(a.as_str()), index.get(b.as_str())) {
                (Some(&a), Some(&b)) => *point = Point { a, b, t },
                (None, _) => problems.push(format!("`{name}`: the rig has no joint `{a}`")),
                (_, None) => problems.push(format!("`{name}`: the rig has no joint `{b}`")),
            }
        }
        if problems.is_empty() {
            Ok(Resolved {
                points,
                rig_joints: skeleton.len(),
                up: self.up,
                unit_to_metre: self.unit_to_metre,
            })
        } else {
            Err(MotionError::Mapping {
                message: problems.join("; "),
            })
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Point {
    a: usize,
    b: usize,
    t: f64,
}

/// A mapping whose joints are looked up on one rig.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    points: [Point; JOINTS],
    rig_joints: usize,
    up: Up,
    unit_to_metre: Option<f64>,
}

impl Resolved {
    /// Metres per file unit, where the mapping says so.
    #[must_use]
    pub fn unit_to_metre(&self) -> Option<f64> {
        self.unit_to_metre
    }

    /// Number of joints of the rig.
    #[must_use]
    pub fn rig_joints(&self) -> usize {
        self.rig_joints
    }

    /// The canonical points of one frame of rig joints, Y up, in the unit of `rig`.
    #[must_use]
    pub fn canonical(&self, rig: &[DVec3]) -> Vec<DVec3> {
        self.points
            .iter()
            .map(|p| {
                let at = rig[p.a].lerp(rig[p.b], p.t);
                match self.up {
                    Up::Y => at,
                    Up::Z => DVec3::new(at.x, at.z, -at.y),
                }
            })
            .collect()
    }
}
