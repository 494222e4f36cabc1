//! Samplers and guidance methods by name.

use std::fmt;

use kinograd_diffusion::{Ddim, Ddpm, DpmSolverPp2m, Heun};
use serde::{Deserialize, Serialize};

/// How one noise level leads to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sampler {
    /// Denoising diffusion implicit model, deterministic (Song et al. 2020).
    #[serde(rename = "ddim")]
    Ddim,
    /// Ancestral sampling (Ho et al. 2020).
    #[serde(rename = "ddpm")]
    Ddpm,
    /// DPM-Solver++(2M) (Lu et al. 2022).
    #[serde(rename = "dpmpp-2m")]
    DpmSolverPp2m,
    /// Heun's method, two model calls a step (Karras et al. 2022).
    #[serde(rename = "heun")]
    Heun,
}

impl Sampler {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ddim => "ddim",
            Self::Ddpm => "ddpm",
            Self::DpmSolverPp2m => "dpmpp-2m",
            Self::Heun => "heun",
        }
    }

    pub(crate) fn make(self) -> Box<dyn kinograd_diffusion::Sampler> {
        match self {
            Self::Ddim => Box::new(Ddim::default()),
            Self::Ddpm => Box::new(Ddpm),
            Self::DpmSolverPp2m => Box::new(DpmSolverPp2m::new()),
            Self::Heun => Box::new(Heun),
        }
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How goals and obstacles steer a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// Nothing steers; goals and obstacles are only measured.
    None,
    /// Diffusion posterior sampling (Chung et al. 2022).
    Dps,
    /// Training-free energy guidance (Yu et al. 2023).
    Freedom,
    /// Manifold-preserving guidance, without the model's gradient (He et al. 2023).
    Mpgd,
    /// Polyak step size as printed (Shen et al. 2024).
    Polyak,
    /// Polyak step size, no longer than the sampler's own noise allows.
    PolyakCapped,
    /// A step of fixed length along the gradient (the code of Shen et al. 2024).
    Normalized,
    /// Minimum-norm projection of the root's path, the body following through the network's
    /// gradient.
    Projection,
    /// Loss guidance with Monte Carlo (Song et al. 2023).
    LgdMc,
    /// Universal guidance (Bansal et al. 2023).
    Ugd,
    /// Training-free guidance (Ye et al. 2024).
    Tfg,
    /// Diffusion with spherical Gaussian constraint (Yang et al. 2024).
    Dsg,
    /// Adam over the sampling steps (Belardi et al. 2026).
    AdamDps,
    /// Guidance of the posterior mean, without the model's gradient (Xie et al. 2024).
    Mean,
}

impl Method {
    /// The method a request has unless it names another.
    pub const DEFAULT: Self = Self::Projection;

    /// Every method that steers.
    pub const STEERING: [Self; 13] = [
        Self::Dps,
        Self::Freedom,
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

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.steering().map_or("none", |method| method.name())
    }

    /// The strength a request has unless it names another, in multiples of the method's own step:
    /// tuned on goals on the ground ([`crate::bench::tune`]), without the text loss. The projection's
    /// is 1: it has the text loss by default, whose moves the strength multiplies too.
    #[must_use]
    pub fn default_scale(self) -> f64 {
        match self {
            Self::Projection => 1.0,
            other => crate::bench::tuned_scale(other),
        }
    }

    /// The sampler a request has unless it names another: DDIM, but DDPM for [`Method::Dsg`], whose
    /// step replaces the sampler's noise.
    #[must_use]
    pub fn default_sampler(self) -> Sampler {
        match self {
            Self::Dsg => Sampler::Ddpm,
            _ => Sampler::Ddim,
        }
    }

    /// The method of the guidance crate; `None` for [`Method::None`].
    #[must_use]
    pub fn steering(self) -> Option<kinograd_guidance::Method> {
        use kinograd_guidance::Method as Steering;
        Some(match self {
            Self::None => return None,
            Self::Dps => Steering::Dps,
            Self::Freedom => Steering::FreeDom,
            Self::Mpgd => Steering::Mpgd,
            Self::Polyak => Steering::Polyak,
            Self::PolyakCapped => Steering::PolyakCapped,
            Self::Normalized => Steering::Normalized,
            Self::Projection => Steering::Projection,
            Self::LgdMc => Steering::LgdMc,
            Self::Ugd => Steering::Ugd,
            Self::Tfg => Steering::Tfg,
            Self::Dsg => Steering::Dsg,
            Self::AdamDps => Steering::AdamDps,
            Self::Mean => Steering::Mean,
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_spell_choices_as_the_command_line_does() {
        for method in Method::STEERING.into_iter().chain([Method::None]) {
            let json = serde_json::to_string(&method).unwrap();
            assert_eq!(json, format!("\"{method}\""));
        }
        for sampler in [
            Sampler::Ddim,
            Sampler::Ddpm,
            Sampler::DpmSolverPp2m,
            Sampler::Heun,
        ] {
            let json = serde_json::to_string(&sampler).unwrap();
            assert_eq!(json, format!("\"{sampler}\""));
            assert_eq!(sampler.make().name(), sampler.name());
        }
    }
}
