//! The methods by name: the one list of them.

use std::fmt;
use std::str::FromStr;

use kinograd_diffusion::{Guidance, SamplerKind};
use serde::{Deserialize, Serialize};

use super::{GuidanceOptions, LossGuidance, Objective, StepRule};
use crate::GuidanceError;

/// Builds a method from what it shall follow.
type Build =
    for<'a> fn(Objective<'a>, GuidanceOptions) -> Result<Box<dyn Guidance + 'a>, GuidanceError>;

/// What a method's file says of it.
pub(super) struct MethodInfo {
    /// Its name on the command line and in records.
    pub name: &'static str,
    /// What it is, in a line, with its source.
    pub summary: &'static str,
    /// Whether it needs Jᵀv of the denoiser.
    pub needs_gradient: bool,
    /// Whether it changes the noise of a whole run, not its steps.
    pub on_noise: bool,
    /// The sampler that it takes unless another is named.
    pub sampler: SamplerKind,
    /// The tuned scales.
    pub scales: Scales,
    /// Makes it.
    pub build: Build,
}

impl MethodInfo {
    /// A method that needs the denoiser's gradient, samples with DDIM and has no tuned scale.
    pub(super) const fn new(name: &'static str, summary: &'static str, build: Build) -> Self {
        Self {
            name,
            summary,
            needs_gradient: true,
            on_noise: false,
            sampler: SamplerKind::Ddim,
            scales: Scales::UNTUNED,
            build,
        }
    }

    /// Without need of the denoiser's gradient.
    pub(super) const fn forward_only(self) -> Self {
        Self {
            needs_gradient: false,
            ..self
        }
    }

    /// That changes the noise of a whole run.
    pub(super) const fn on_noise(self) -> Self {
        Self {
            on_noise: true,
            ..self
        }
    }

    /// With another sampler than DDIM.
    pub(super) const fn sampled_by(self, sampler: SamplerKind) -> Self {
        Self { sampler, ..self }
    }

    /// With scales that were tuned.
    pub(super) const fn scaled(self, scales: Scales) -> Self {
        Self { scales, ..self }
    }
}

/// What a scale was tuned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TunedOn {
    /// Motion: places and circles on the ground, without a text loss (`kinograd bench tune`).
    Path,
    /// Pictures: a network's judgement of the whole picture (`kinograd bench tune-image`).
    Text,
    /// Pictures: a network's judgement of the foreground.
    Seg,
    /// Pictures: a residual of pixels.
    Sketch,
}

/// Scales in multiples of the method's own step; 1 where nothing was tuned. `assets/bench/tuned.md`
/// and `tuned_image.md` say what was tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scales {
    pub path: f64,
    pub text: f64,
    pub seg: f64,
    pub sketch: f64,
}

impl Scales {
    pub(super) const UNTUNED: Self = Self {
        path: 1.0,
        text: 1.0,
        seg: 1.0,
        sketch: 1.0,
    };
}

/// A method that is a [`StepRule`].
pub(super) fn by_rule<'a>(
    rule: impl StepRule + 'a,
    objective: Objective<'a>,
    options: GuidanceOptions,
) -> Result<Box<dyn Guidance + 'a>, GuidanceError> {
    Ok(Box::new(LossGuidance::new(
        rule,
        objective.into_loss()?,
        options,
    )?))
}

/// The list: `module => Variant;`, each module with its `INFO`.
macro_rules! methods {
    ($($module:ident => $variant:ident;)*) => {
        /// The guidance methods there are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "&'static str", try_from = "String")]
        #[non_exhaustive]
        pub enum Method {
            /// Nothing steers; goals are only measured.
            None,
            $(
                #[doc = concat!("See the file `", stringify!($module), ".rs` and [`Method::summary`].")]
                $variant,
            )*
        }

        impl Method {
            /// Every method that steers.
            pub const STEERING: [Self; [$(stringify!($variant)),*].len()] = [$(Self::$variant),*];

            fn info(self) -> Option<&'static MethodInfo> {
                match self {
                    Self::None => None,
                    $(Self::$variant => Some(&super::$module::INFO),)*
                }
            }
        }
    };
}

methods! {
    dps => Dps;
    freedom => FreeDom;
    mpgd => Mpgd;
    polyak => Polyak;
    capped_polyak => PolyakCapped;
    normalized => Normalized;
    path_projection => Projection;
    lgd_mc => LgdMc;
    ugd => Ugd;
    tfg => Tfg;
    dsg => Dsg;
    adam_dps => AdamDps;
    mean_guidance => Mean;
    noise_optimization => Dno;
}

impl Method {
    /// The method that clips are made with unless another is named.
    pub const DEFAULT: Self = Self::Projection;

    /// Its name, as the command line and records write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().map_or("none", |info| info.name)
    }

    /// What it is, in a line.
    #[must_use]
    pub fn summary(self) -> &'static str {
        self.info()
            .map_or("Nothing steers; goals are only measured", |info| {
                info.summary
            })
    }

    /// Whether it needs Jᵀv of the denoiser.
    #[must_use]
    pub fn needs_gradient(self) -> bool {
        self.info().is_some_and(|info| info.needs_gradient)
    }

    /// Every method that acts step by step: all but those that [optimise the
    /// noise](Self::optimizes_noise), which take many runs.
    pub fn stepwise() -> impl Iterator<Item = Self> {
        Self::STEERING
            .into_iter()
            .filter(|method| !method.optimizes_noise())
    }

    /// Whether it changes the noise of a whole run by [`NoiseOptimizer`](super::NoiseOptimizer), in
    /// place of following an objective step by step.
    #[must_use]
    pub fn optimizes_noise(self) -> bool {
        self.info().is_some_and(|info| info.on_noise)
    }

    /// Whether it follows any loss, or places on the ground only.
    #[must_use]
    pub fn follows_any_loss(self) -> bool {
        self != Self::Projection
    }

    /// The sampler that it takes unless another is named.
    #[must_use]
    pub fn default_sampler(self) -> SamplerKind {
        self.info().map_or(SamplerKind::Ddim, |info| info.sampler)
    }

    /// The scale that was tuned, in multiples of the method's own step; 1 for what was not tuned.
    #[must_use]
    pub fn tuned_scale(self, on: TunedOn) -> f64 {
        let scales = self.info().map_or(Scales::UNTUNED, |info| info.scales);
        match on {
            TunedOn::Path => scales.path,
            TunedOn::Text => scales.text,
            TunedOn::Seg => scales.seg,
            TunedOn::Sketch => scales.sketch,
        }
    }

    /// The scale that clips are made with unless another is named. The projection's is 1: it has the
    /// text loss by default, whose moves the scale multiplies too, and tuning leaves that out.
    #[must_use]
    pub fn default_scale(self) -> f64 {
        match self {
            Self::Projection => 1.0,
            other => other.tuned_scale(TunedOn::Path),
        }
    }

    /// The method, following an objective step by step; `None` for [`Method::None`].
    ///
    /// # Errors
    /// [`GuidanceError`] if the method [optimises the noise](Self::optimizes_noise), an option or a goal is out of range, or the objective has no path for a
    /// method that projects one.
    pub fn guide<'a>(
        self,
        objective: Objective<'a>,
        options: GuidanceOptions,
    ) -> Result<Option<Box<dyn Guidance + 'a>>, GuidanceError> {
        let build = |info: &MethodInfo| (info.build)(objective, options);
        self.info().map(build).transpose()
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Method> for &'static str {
    fn from(method: Method) -> Self {
        method.name()
    }
}

impl TryFrom<String> for Method {
    type Error = GuidanceError;

    fn try_from(name: String) -> Result<Self, GuidanceError> {
        name.parse()
    }
}

impl FromStr for Method {
    type Err = GuidanceError;

    fn from_str(name: &str) -> Result<Self, GuidanceError> {
        let all = || std::iter::once(Self::None).chain(Self::STEERING);
        all().find(|method| method.name() == name).ok_or_else(|| {
            let names: Vec<&str> = all().map(Self::name).collect();
            GuidanceError::UnknownMethod {
                name: name.to_owned(),
                known: format!("there are {}", names.join(", ")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_each_is_one() {
        let mut seen = std::collections::HashSet::new();
        for method in Method::STEERING.into_iter().chain([Method::None]) {
            assert!(seen.insert(method.name()), "{method}");
            assert!(!method.summary().is_empty());
            let json = serde_json::to_string(&method).unwrap();
            assert_eq!(json, format!("\"{method}\""));
            assert_eq!(serde_json::from_str::<Method>(&json).unwrap(), method);
        }
        assert!(serde_json::from_str::<Method>("\"dpz\"").is_err());
    }
}
