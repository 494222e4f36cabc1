//! Which joints of a rig stand for the canonical ones.

mod automatic;
mod names;
mod upright;

pub use upright::{Upright, upright};

use std::{collections::BTreeMap, path::Path};

use glam::{DMat3, DQuat, DVec3};
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

/// The axis that points up in a file. Right-handed axes stay right-handed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Up {
    /// Y up, as in BVH by custom and in glTF.
    #[default]
    #[serde(rename = "+Y", alias = "Y", alias = "y", alias = "+y")]
    Y,
    /// Z up, as in Blender and AMASS: x stays, y becomes −z.
    #[serde(rename = "+Z", alias = "Z", alias = "z", alias = "+z")]
    Z,
    /// X up: y becomes −x.
    #[serde(rename = "+X", alias = "X", alias = "x", alias = "+x")]
    X,
    /// Y down, as seen by a camera: x stays, z becomes −z.
    #[serde(rename = "-Y", alias = "-y")]
    NegY,
    /// Z down: x stays, y becomes z.
    #[serde(rename = "-Z", alias = "-z")]
    NegZ,
    /// X down: y becomes x.
    #[serde(rename = "-X", alias = "-x")]
    NegX,
}

impl Up {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Y,
        Self::Z,
        Self::X,
        Self::NegY,
        Self::NegZ,
        Self::NegX,
    ];

    /// The axis, in the file's axes.
    #[must_use]
    pub fn axis(self) -> DVec3 {
        match self {
            Self::X => DVec3::X,
            Self::NegX => DVec3::NEG_X,
            Self::Y => DVec3::Y,
            Self::NegY => DVec3::NEG_Y,
            Self::Z => DVec3::Z,
            Self::NegZ => DVec3::NEG_Z,
        }
    }

    /// A place in the file's axes in axes with Y up.
    ///
    /// ```
    /// use glam::{DMat3, DQuat, DVec3};
    /// use kinograd_motion::mapping::Up;
    /// for up in Up::ALL {
    ///     assert_eq!(up.to_y_up(up.axis()), DVec3::Y);
    /// }
    /// assert_eq!(Up::Z.to_y_up(DVec3::new(1.0, 2.0, 3.0)), DVec3::new(1.0, 3.0, -2.0));
    /// ```
    #[must_use]
    pub fn to_y_up(self, p: DVec3) -> DVec3 {
        match self {
            Self::Y => p,
            Self::Z => DVec3::new(p.x, p.z, -p.y),
            Self::X => DVec3::new(-p.y, p.x, p.z),
            Self::NegY => DVec3::new(p.x, -p.y, -p.z),
            Self::NegZ => DVec3::new(p.x, -p.z, p.y),
            Self::NegX => DVec3::new(p.y, -p.x, p.z),
        }
    }

    /// [`Up::to_y_up`] as a rotation.
    #[must_use]
    pub fn rotation_to_y_up(self) -> DQuat {
        let columns = DVec3::AXES.map(|axis| self.to_y_up(axis));
        DQuat::from_mat3(&DMat3::from_cols(columns[0], columns[1], columns[2]))
    }

    /// As files and people write it: `+Y`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Y => "+Y",
            Self::Z => "+Z",
            Self::X => "+X",
            Self::NegY => "-Y",
            Self::NegZ => "-Z",
            Self::NegX => "-X",
        }
    }
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
        let text = kinograd_files::read_text(path, kinograd_files::Budget::of_process())?;
        Self::parse(text.as_bytes())
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

    /// The first mapping, by family, whose joints are all on a rig.
    ///
    /// # Errors
    /// [`MotionError::Mapping`] with what the only mapping lacks, or that none of several fits.
    pub fn fitting(&self, skeleton: &Skeleton) -> Result<&Mapping, MotionError> {
        let mut lacks = None;
        for mapping in self.families.values() {
            match mapping.resolve(skeleton) {
                Ok(_) => return Ok(mapping),
                Err(error) => lacks = Some(error),
            }
        }
        match lacks {
            Some(error) if self.families.len() == 1 => Err(error),
            _ => Err(MotionError::Mapping {
                message: format!(
                    "none of the mapping file's {} mappings fits the rig",
                    self.families.len()
                ),
            }),
        }
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

    /// The joint of the rig that is the pelvis, or at which its bone begins.
    pub(crate) fn pelvis(&self) -> usize {
        self.points[0].a
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
            .map(|p| self.up.to_y_up(rig[p.a].lerp(rig[p.b], p.t)))
            .collect()
    }
}
