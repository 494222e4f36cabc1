//! Methods by name.

use std::fmt;
use std::str::FromStr;

use kinograd_diffusion::Guidance;
use serde::{Deserialize, Serialize};

use super::{
    CappedPolyak, Dps, FreeDom, GuidanceOptions, LossGuidance, Mpgd, NormalizedGradient, Polyak,
};
use crate::{GuidanceError, Loss};

/// The guidance methods there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// [`Dps`].
    Dps,
    /// [`FreeDom`].
    #[serde(rename = "freedom")]
    FreeDom,
    /// [`Mpgd`].
    Mpgd,
    /// [`Polyak`].
    Polyak,
    /// [`CappedPolyak`].
    PolyakCapped,
    /// [`NormalizedGradient`].
    Normalized,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Dps,
        Self::FreeDom,
        Self::Mpgd,
        Self::Polyak,
        Self::PolyakCapped,
        Self::Normalized,
    ];

    /// Its name, as the command line writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dps => "dps",
            Self::FreeDom => "freedom",
            Self::Mpgd => "mpgd",
            Self::Polyak => "polyak",
            Self::PolyakCapped => "polyak-capped",
            Self::Normalized => "normalized",
        }
    }

    /// Whether it needs Jᵀv of the denoiser.
    #[must_use]
    pub fn needs_gradient(self) -> bool {
        self != Self::Mpgd
    }

    /// The method with a loss.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if an option is out of range.
    pub fn guide<'a>(
        self,
        loss: impl Loss + 'a,
        options: GuidanceOptions,
    ) -> Result<Box<dyn Guidance + 'a>, GuidanceError> {
        Ok(match self {
            Self::Dps => Box::new(LossGuidance::new(Dps, loss, options)?),
            Self::FreeDom => Box::new(LossGuidance::new(FreeDom, loss, options)?),
            Self::Mpgd => Box::new(LossGuidance::new(Mpgd, loss, options)?),
            Self::Polyak => Box::new(LossGuidance::new(Polyak, loss, options)?),
            Self::PolyakCapped => {
                Box::new(LossGuidance::new(CappedPolyak::default(), loss, options)?)
            }
            Self::Normalized => Box::new(LossGuidance::new(NormalizedGradient, loss, options)?),
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = GuidanceError;

    fn from_str(name: &str) -> Result<Self, GuidanceError> {
        Self::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| GuidanceError::UnknownMethod {
                name: name.to_owned(),
                known: format!("there are {}", Self::ALL.map(Self::name).join(", ")),
            })
    }
}
