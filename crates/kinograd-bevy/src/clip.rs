//! Clips as Bevy assets.

use std::path::Path;

use bevy::asset::io::Reader;
use bevy::asset::{AssetLoader, LoadContext};
use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd::motion::{Motion, MotionError, Skeleton, contacts_from_joints, joints_array};
use kinograd::{Clip, LoadOptions};

use crate::pose::{Pose, sample};

/// A clip on the canonical 22-joint body, ready to be played: metres, Y up, left at +X.
///
/// Loads from `.npz` and `.glb` written by Kinograd, and from the `.bvh` of any humanoid rig.
#[derive(Asset, TypePath, Debug, Clone)]
pub struct MotionClip {
    /// What people call it: a file's name or a prompt.
    pub name: String,
    /// The motion.
    pub motion: Motion,
    /// Joints in the world, `[frame][joint]`, metres.
    pub joints_m: Vec<Vec<Vec3>>,
    /// Whether left ankle, left toe, right ankle and right toe stand, per frame.
    pub contacts: Vec<[bool; 4]>,
    /// What the clip was made for, where its record says so.
    pub scene: Option<TaskSpec>,
}

impl MotionClip {
    /// A motion as an asset; other skeletons are put on the canonical body before, by
    /// [`LoadOptions::retarget`].
    ///
    /// # Errors
    /// [`kinograd::Error::Motion`] if the motion is on another body, has no frames or holds a number
    /// that is not finite.
    pub fn new(name: impl Into<String>, motion: Motion) -> Result<Self, kinograd::Error> {
        motion.validate()?;
        if motion.skeleton.names != Skeleton::canonical().names || motion.is_empty() {
            return Err(kinograd::Error::Motion(MotionError::Format {
                format: "clip",
                message: format!(
                    "{} frames on a body of {} joints; at least one on the canonical 22 is needed",
                    motion.len(),
                    motion.skeleton.len()
                ),
            }));
        }
        let contacts = contacts_from_joints(joints_array(&motion).view(), motion.fps)?;
        let joints_m = motion.joints_in_world_m();
        Ok(Self {
            name: name.into(),
            joints_m: joints_m
                .iter()
                .map(|frame| {
                    frame
                        .iter()
                        .map(|p| p.as_vec3().to_array().into())
                        .collect()
                })
                .collect(),
            contacts: contacts
                .outer_iter()
                .map(|row| [row[0], row[1], row[2], row[3]])
                .collect(),
            motion,
            scene: None,
        })
    }

    /// A clip of the facade, with the scene of its record.
    ///
    /// # Errors
    /// As [`MotionClip::new`].
    pub fn from_clip(name: impl Into<String>, clip: Clip) -> Result<Self, kinograd::Error> {
        let scene = clip.task().map(kinograd::Task::into_spec);
        Ok(Self {
            scene,
            ..Self::new(name, clip.motion)?
        })
    }

    /// Reads a `.bvh`, `.glb` or `.npz` and puts it on the canonical body.
    ///
    /// # Errors
    /// As [`Clip::load`] and [`MotionClip::new`].
    pub fn load(path: &Path) -> Result<Self, kinograd::Error> {
        let options = LoadOptions {
            retarget: true,
            ..LoadOptions::default()
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self::from_clip(name, Clip::load(path, &options)?)
    }

    /// Number of frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.joints_m.len()
    }

    /// Length, seconds: from the first frame to the last.
    #[must_use]
    pub fn duration_secs(&self) -> f32 {
        (self.frames().saturating_sub(1) as f64 / self.motion.fps) as f32
    }

    /// The frame nearest to a time.
    #[must_use]
    pub fn frame_at(&self, time_secs: f32) -> usize {
        let frame = (f64::from(time_secs) * self.motion.fps).round().max(0.0);
        (frame as usize).min(self.frames().saturating_sub(1))
    }

    /// The pose at a time, between frames by interpolation; times outside the clip hold its ends.
    #[must_use]
    pub fn pose(&self, time_secs: f32) -> Pose {
        sample(&self.motion, f64::from(time_secs))
    }

    /// The root's way over the ground, `(x, z)` per frame, metres.
    #[must_use]
    pub fn root_path_m(&self) -> Vec<Vec2> {
        self.joints_m
            .iter()
            .map(|joints| Vec2::new(joints[0].x, joints[0].z))
            .collect()
    }
}

/// Loads [`MotionClip`]s.
#[derive(Debug, Default, TypePath)]
pub struct MotionClipLoader;

/// Why a clip could not be loaded as an asset.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MotionClipError {
    /// The bytes could not be read or put aside.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The clip is at fault.
    #[error(transparent)]
    Clip(#[from] kinograd::Error),
}

impl AssetLoader for MotionClipLoader {
    type Asset = MotionClip;
    type Settings = ();
    type Error = MotionClipError;

    async fn load(
        &self,
        reader: &mut dyn Reader,
        _settings: &(),
        context: &mut LoadContext<'_>,
    ) -> Result<MotionClip, MotionClipError> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await?;
        // The readers of clips want a file, whatever the asset's source is.
        let path = context.path().path().to_path_buf();
        let name = path.file_name().unwrap_or_default().to_owned();
        let folder = tempfile::tempdir()?;
        let copy = folder.path().join(name);
        std::fs::write(&copy, bytes)?;
        Ok(MotionClip::load(&copy)?)
    }

    fn extensions(&self) -> &[&str] {
        &["bvh", "npz", "kinograd.glb"]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    #[test]
    fn a_walk_has_joints_contacts_and_a_length() {
        let clip = MotionClip::new("walk", synth_walk(1.2, 2.0, 20.0)).unwrap();
        assert_eq!(clip.frames(), clip.motion.len());
        assert_eq!(clip.contacts.len(), clip.frames());
        let expected = (clip.frames() - 1) as f32 / 20.0;
        assert!((clip.duration_secs() - expected).abs() < 1e-6);
        assert!(clip.contacts.iter().flatten().any(|&stands| stands));
        assert!(clip.contacts.iter().flatten().any(|&stands| !stands));
        assert_eq!(clip.frame_at(-1.0), 0);
        assert_eq!(clip.frame_at(1e9), clip.frames() - 1);
    }

    #[test]
    fn another_body_and_an_empty_clip_are_refused() {
        let mut motion = synth_walk(1.2, 1.0, 20.0);
        motion.skeleton.names[3] = "spine".to_owned();
        assert!(MotionClip::new("x", motion).is_err());
        let mut motion = synth_walk(1.2, 1.0, 20.0);
        motion.root_in_world_m.clear();
        motion.local_rotations.clear();
        assert!(MotionClip::new("x", motion).is_err());
    }
}
