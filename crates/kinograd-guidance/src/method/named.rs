//! Methods by name.

use std::fmt;
use std::str::FromStr;

use kinograd_diffusion::Guidance;
use serde::{Deserialize, Serialize};

use super::{
    AdamDps, CappedPolyak, Dps, Dsg, FreeDom, GuidanceOptions, LgdMc, LossGuidance, MeanGuidance,
    MeanOptions, Mpgd, NormalizedGradient, PathProjection, Polyak, ProjectionOptions, Tfg,
    TfgOptions, Ugd, UgdOptions,
};
use crate::{
    GroundGoals, GuidanceError, Loss, Obstacles, OnMotion, OnRootPath, PathDecoder, SumLoss,
};

/// Draws of [`LgdMc`] in the paper.
const LGD_MC_DRAWS: usize = 10;

/// Weight of [`Dsg`] at scale 1.
const DSG_WEIGHT: f64 = 0.3;

/// Step of [`AdamDps`] at scale 1, in deviations of the data.
const ADAM_STEP: f64 = 0.05;

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
    /// [`PathProjection`].
    Projection,
    /// [`LgdMc`] with 10 draws.
    LgdMc,
    /// [`Ugd`], forward and backward; x̂0's edit is at most 0.3 unless the options say otherwise.
    Ugd,
    /// [`Tfg`] with rising strengths; moves are at most 0.3 unless the options say otherwise.
    Tfg,
    /// [`Dsg`] with weight 0.3 at scale 1.
    Dsg,
    /// [`AdamDps`] with a step of 0.05 at scale 1; moves are at most 0.1 unless the options say
    /// otherwise.
    AdamDps,
    /// [`MeanGuidance`].
    Mean,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Dps,
        Self::FreeDom,
        Self::Mpgd,
        Self::Polyak,
        Self::PolyakCapped,
        Self::Normalized,
        Self::Projection,
        Self::LgdMc,
        Self::Ugd,
        Self::Tfg,
        Self::Dsg,
        Self::AdamDps,
        Self::Mean,
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
            Self::Projection => "projection",
            Self::LgdMc => "lgd-mc",
            Self::Ugd => "ugd",
            Self::Tfg => "tfg",
            Self::Dsg => "dsg",
            Self::AdamDps => "adam-dps",
            Self::Mean => "mean",
        }
    }

    /// Whether it needs Jᵀv of the denoiser.
    #[must_use]
    pub fn needs_gradient(self) -> bool {
        !matches!(self, Self::Mpgd | Self::Mean)
    }

    /// The method with a loss that has no goals on the ground.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if an option is out of range or the method works on goals on the
    /// ground only, which [`Method::guide_path`] takes.
    pub fn guide<'a>(
        self,
        loss: impl Loss + 'a,
        options: GuidanceOptions,
    ) -> Result<Box<dyn Guidance + 'a>, GuidanceError> {
        // A cosine schedule starts in pure noise, where 1/√ᾱ and 1/√α know no bound.
        let bounded = |rms| GuidanceOptions {
            max_move: Some(options.max_move.unwrap_or(rms)),
            ..options
        };
        Ok(match self {
            Self::Dps => Box::new(LossGuidance::new(Dps, loss, options)?),
            Self::FreeDom => Box::new(LossGuidance::new(FreeDom, loss, options)?),
            Self::Mpgd => Box::new(LossGuidance::new(Mpgd, loss, options)?),
            Self::Polyak => Box::new(LossGuidance::new(Polyak, loss, options)?),
            Self::PolyakCapped => {
                Box::new(LossGuidance::new(CappedPolyak::default(), loss, options)?)
            }
            Self::Normalized => Box::new(LossGuidance::new(NormalizedGradient, loss, options)?),
            Self::LgdMc => Box::new(LossGuidance::new(
                LgdMc::with_draws(LGD_MC_DRAWS, 0)?,
                loss,
                options,
            )?),
            Self::Ugd => Box::new(Ugd::new(UgdOptions::default(), loss, bounded(0.3))?),
            Self::Tfg => Box::new(Tfg::new(TfgOptions::default(), loss, bounded(0.3))?),
            Self::Dsg => Box::new(Dsg::new(DSG_WEIGHT, loss, options)?),
            Self::AdamDps => {
                let options = GuidanceOptions {
                    scale: ADAM_STEP * options.scale,
                    ..bounded(0.1)
                };
                Box::new(LossGuidance::new(AdamDps::default(), loss, options)?)
            }
            Self::Mean => Box::new(MeanGuidance::new(MeanOptions::default(), loss, options)?),
            Self::Projection => {
                return Err(GuidanceError::Field {
                    field: "method",
                    value: self.name().to_owned(),
                    expected: "must follow a loss; this one takes goals on the ground",
                });
            }
        })
    }

    /// The method with all that a clip shall meet and follow.
    ///
    /// # Errors
    /// [`GuidanceError`] if an option or a goal is out of range.
    pub fn guide_path<'a>(
        self,
        decoder: PathDecoder,
        wishes: Wishes<'a>,
        options: GuidanceOptions,
    ) -> Result<Box<dyn Guidance + 'a>, GuidanceError> {
        let Wishes {
            ground,
            barrier,
            constraints,
            further,
        } = wishes;
        if self == Self::Projection {
            let projection = ProjectionOptions::default();
            let mut guidance = PathProjection::new(decoder, ground, options, projection)?;
            if let Some(constraints) = constraints {
                guidance = guidance.with_constraints(constraints);
            }
            return Ok(match further {
                Some((scale, loss)) => Box::new(guidance.with_loss(scale, loss)?),
                None => Box::new(guidance),
            });
        }
        let mut loss =
            SumLoss::new().with(1.0, OnRootPath::from_goals(decoder, &ground, barrier)?)?;
        if let Some(constraints) = constraints {
            loss = loss.with(1.0, constraints)?;
        }
        if let Some((weight, further)) = further {
            loss = loss.with(weight, further)?;
        }
        self.guide(loss, options)
    }
}

/// What a clip shall meet, and what it shall follow besides.
#[derive(Default)]
pub struct Wishes<'a> {
    /// Places and circles on the ground.
    pub ground: GroundGoals,
    /// The circles' loss for methods that follow a gradient; projection keeps its own margin.
    pub barrier: Obstacles,
    /// Goals that are met where their loss is 0: projection meets each, other methods follow the
    /// weighted sum.
    pub constraints: Option<OnMotion>,
    /// A loss that never ends, such as a text's. Its weight in the sum; for projection, the scale of
    /// the moves that follow it.
    pub further: Option<(f64, Box<dyn Loss + 'a>)>,
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
