//! Files of characters: a rig, and clips written on it.

use std::path::{Path, PathBuf};

use glam::DVec3;
use kinograd_motion::mapping::{Mapping, Up};
use kinograd_motion::rig::{BindPose, OnRig, Rig, RigOptions};
use kinograd_motion::{Motion, MotionError, Skeleton};
use serde::Serialize;

use crate::format::{ClipRef, Format, LoadOptions};
use crate::glb::{Found, GlbCharacter};
use crate::reading::Reading;
use crate::registry::format_of;

/// A character from a file: GLB, VRM, FBX, BVH, or a clip as NPZ.
///
/// ```
/// use kinograd_formats::{Character, LoadOptions, bvh};
/// use kinograd_motion::synth::synth_walk;
///
/// let folder = tempfile::tempdir()?;
/// let walk = synth_walk(1.2, 1.0, 20.0);
/// let path = folder.path().join("hero.bvh");
/// bvh::write(&path, &walk, bvh::WriteOptions { unit_to_metre: 0.01 })?;
/// let hero = Character::read(&path, &LoadOptions::default())?;
/// let clip = hero.retarget(&walk, &Default::default())?;
/// assert_eq!(clip.motion.skeleton.names[0], "pelvis");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Character {
    rig: Rig,
    mapping: Mapping,
    path: PathBuf,
    source: Source,
    warnings: Vec<String>,
}

#[derive(Debug)]
enum Source {
    /// Clips are written into the file.
    Glb(Box<GlbCharacter>),
    /// Clips are written on its skeleton.
    Skeleton {
        format: &'static Format,
        unit_to_metre: f64,
        up: Up,
    },
}

/// What a character's file says, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CharacterReport {
    /// Joints of the skeleton.
    pub joints: usize,
    /// Length of the legs over those of our body.
    pub scale: f64,
    /// The joints that clips turn, by the part of the body that each is.
    pub mapping: Vec<kinograd_motion::rig::PartOfRig>,
    /// Joints that stay as they are: twist bones, fingers, what is worn.
    pub unmapped: Vec<String>,
    /// What a person should look at.
    pub doubts: Vec<kinograd_motion::rig::Doubt>,
    /// What was noticed while the file was read.
    pub warnings: Vec<String>,
}

impl Character {
    /// Reads a character. Of the options, unit, axis, animation (whose first frame may tell the bind
    /// pose) and mapping count.
    ///
    /// # Errors
    /// [`MotionError`] for a file that cannot be read, or whose joints cannot be told.
    pub fn read(path: &Path, options: &LoadOptions) -> Result<Self, MotionError> {
        let format = format_of(path).ok_or_else(|| MotionError::Format {
            format: "character",
            message: format!(
                "{}: a .glb, .vrm, .fbx, .bvh or .npz was expected",
                path.display()
            ),
        })?;
        if *format == crate::glb::FORMAT {
            return Self::of_glb(path, options);
        }
        let options = LoadOptions {
            retarget: false,
            fps: None,
            ..options.clone()
        };
        let stored = format.load(path, &options)?;
        let mapping = mapping_of(&stored.motion, &options, None)?;
        let bind = pose_of_clip(&stored.motion, &mapping)?;
        let Reading {
            unit_to_metre,
            up,
            warnings,
            ..
        } = stored.reading;
        Ok(Self {
            rig: Rig::new(stored.motion.skeleton, &mapping, bind.as_ref())?,
            mapping,
            path: path.to_path_buf(),
            source: Source::Skeleton {
                format,
                unit_to_metre,
                up,
            },
            warnings,
        })
    }

    /// A character of a skeleton in memory, whose joints are known by their names: metres, Y up,
    /// standing upright in its rest pose. `name` stands for the file in records; clips are written on
    /// the skeleton.
    ///
    /// # Errors
    /// [`MotionError`] for a skeleton whose joints cannot be told.
    pub fn of_skeleton(skeleton: Skeleton, name: &str) -> Result<Self, MotionError> {
        let mapping = Mapping::automatic(&skeleton)?;
        Ok(Self {
            rig: Rig::new(skeleton, &mapping, None)?,
            mapping,
            path: PathBuf::from(name),
            source: Source::Skeleton {
                format: &crate::glb::FORMAT,
                unit_to_metre: 1.0,
                up: Up::Y,
            },
            warnings: Vec::new(),
        })
    }

    fn of_glb(path: &Path, options: &LoadOptions) -> Result<Self, MotionError> {
        let Found {
            character,
            mapping,
            bind,
            warnings,
        } = GlbCharacter::read(path)?;
        let still = Motion::new(character.skeleton().clone(), 30.0, Vec::new(), Vec::new());
        let mapping = mapping_of(&still, options, mapping)?;
        Ok(Self {
            rig: Rig::new(character.skeleton().clone(), &mapping, bind.as_ref())?,
            mapping,
            path: path.to_path_buf(),
            source: Source::Glb(Box::new(character)),
            warnings,
        })
    }

    /// The rig.
    #[must_use]
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    /// Which joints of the file are which: what a mapping file says.
    #[must_use]
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was found in the file.
    #[must_use]
    pub fn report(&self) -> CharacterReport {
        let mapping = self.rig.parts();
        let names = &self.rig.skeleton().names;
        let mapped = |name: &String| mapping.iter().any(|part| part.joint == *name);
        CharacterReport {
            joints: names.len(),
            scale: self.rig.scale(),
            unmapped: names.iter().filter(|name| !mapped(name)).cloned().collect(),
            doubts: self.rig.doubts(),
            warnings: self.warnings.clone(),
            mapping,
        }
    }

    /// Puts a clip of the canonical body on the character.
    ///
    /// # Errors
    /// As [`Rig::retarget`].
    pub fn retarget(&self, motion: &Motion, options: &RigOptions) -> Result<OnRig, MotionError> {
        self.rig.retarget(motion, options)
    }

    /// Writes a clip that is on the character: into a copy of its file where both are GLB (or VRM),
    /// with its mesh and materials; as a clip of its skeleton otherwise, a BVH in the unit and axes
    /// of the character's own BVH.
    ///
    /// # Errors
    /// [`MotionError`] with the path, or where the file cannot hold the clip.
    pub fn write(
        &self,
        format: &Format,
        path: &Path,
        clip: ClipRef<'_>,
    ) -> Result<(), MotionError> {
        match &self.source {
            Source::Glb(character) if *format == crate::glb::FORMAT => {
                character.write(path, clip.motion, clip.provenance)
            }
            Source::Skeleton {
                format: own,
                unit_to_metre,
                up,
            } if *own == format && *format == crate::bvh::FORMAT => {
                let turn = up.rotation_to_y_up().inverse();
                let motion = clip.motion.clone().in_axes(turn, 1.0);
                let clip = ClipRef {
                    motion: &motion,
                    unit_to_metre: *unit_to_metre,
                    ..clip
                };
                (format.write)(path, clip)
            }
            _ => (format.write)(path, clip),
        }
    }
}

fn mapping_of(
    motion: &Motion,
    options: &LoadOptions,
    of_file: Option<Mapping>,
) -> Result<Mapping, MotionError> {
    match (&options.mapping, of_file) {
        (Some(file), _) => file.fitting(&motion.skeleton).cloned(),
        (None, Some(mapping)) => Ok(mapping),
        (None, None) => Mapping::automatic(&motion.skeleton),
    }
}

/// The pose that tells how joints turn: the rest pose where a body stands in it (`None`), else the
/// first frame in which one does, as of motion capture whose rest pose is no pose of a body.
fn pose_of_clip(motion: &Motion, mapping: &Mapping) -> Result<Option<BindPose>, MotionError> {
    let mut mapping = mapping.clone();
    mapping.up = Up::Y;
    let resolved = mapping.resolve(&motion.skeleton)?;
    let stands = |places: &[DVec3]| {
        let p = resolved.canonical(places);
        let down = |a: usize, b: usize| (p[b] - p[a]).normalize_or_zero().y < -0.8;
        let spine = (p[12] - p[0]).normalize_or_zero().y > 0.8;
        spine && down(1, 4) && down(4, 7) && down(2, 5) && down(5, 8)
    };
    if stands(&BindPose::of_rest(&motion.skeleton).places_m) {
        return Ok(None);
    }
    let standing = (0..motion.len()).find_map(|frame| {
        let (places_m, from_rest) = motion.joint_poses_in_world(frame);
        stands(&places_m).then_some(BindPose {
            places_m,
            from_rest,
        })
    });
    Ok(standing)
}
