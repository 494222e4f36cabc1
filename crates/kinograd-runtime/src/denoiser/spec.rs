//! What has to be known of a denoiser's graph.

use ndarray::Array1;

use super::clips::ClipSpec;
use super::family::Family;
use super::pictures::ConditionedPictures;
use crate::{Package, Role, RuntimeError};

/// What has to be known of a denoiser's graph.
#[derive(Debug, Clone, PartialEq)]
pub struct DenoiserSpec {
    pub(crate) ports: Ports,
    /// What the network predicts, of what sample and at what time.
    pub family: Family,
    /// What a sample is.
    pub samples: Samples,
    /// Rows that the graph takes at once, where its batch is fixed.
    pub rows: Option<usize>,
}

/// What a denoiser's samples are.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Clips of motion.
    Clips(ClipSpec),
    /// Pictures, or their latents.
    Pictures(ConditionedPictures),
}

/// The graph's own names of what every denoiser takes and returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ports {
    pub x_t: String,
    pub timestep: String,
    pub x0: String,
}

impl Ports {
    fn named(port: impl Fn(&str) -> String) -> Self {
        Self {
            x_t: port("x_t"),
            timestep: port("timestep"),
            x0: port("x0"),
        }
    }
}

impl DenoiserSpec {
    /// A graph of clips that takes and returns what the contract of the role `denoiser` names, frame by
    /// frame, for clips of up to `max_frames`.
    #[must_use]
    pub fn clips(
        family: impl Into<Family>,
        features: usize,
        max_frames: usize,
        null_condition: Array1<f32>,
    ) -> Self {
        let port = str::to_owned;
        Self {
            ports: Ports::named(port),
            family: family.into(),
            samples: Samples::Clips(ClipSpec {
                condition_port: port("condition"),
                mask_port: port("frame_mask"),
                features,
                patch_frames: 1,
                max_frames,
                null_condition,
            }),
            rows: None,
        }
    }

    /// That of a package.
    ///
    /// # Errors
    /// [`RuntimeError::PackageFormat`] if the package makes neither motion nor pictures, otherwise as
    /// [`Package::constants`].
    pub fn of(package: &Package) -> Result<Self, RuntimeError> {
        let manifest = package.manifest();
        let port = |name: &str| package.port(Role::Denoiser, name);
        let samples = if manifest.representation.is_some() {
            let motion = manifest.motion()?;
            Samples::Clips(ClipSpec {
                condition_port: port("condition"),
                mask_port: port("frame_mask"),
                features: motion.features,
                patch_frames: package
                    .patch_frames(Role::Denoiser)
                    .unwrap_or(motion.patch_frames),
                max_frames: motion.max_frames,
                null_condition: package.constants()?.null_condition,
            })
        } else {
            Samples::Pictures(ConditionedPictures::of(package)?)
        };
        Ok(Self {
            ports: Ports::named(port),
            family: Family::of(manifest),
            samples,
            rows: package.rows(Role::Denoiser),
        })
    }

    /// What the clips are, of a denoiser of motion.
    ///
    /// # Errors
    /// [`RuntimeError::Parameter`] if it makes pictures.
    pub fn motion(&self) -> Result<&ClipSpec, RuntimeError> {
        match &self.samples {
            Samples::Clips(clips) => Ok(clips),
            Samples::Pictures(_) => Err(super::layout::another_modality("pictures")),
        }
    }
}
