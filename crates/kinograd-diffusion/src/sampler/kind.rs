//! Samplers by name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Consistency, Ddim, Ddpm, DpmSolverPp2m, Heun, Sampler};

/// How one noise level leads to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SamplerKind {
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
    /// Multistep consistency sampling, for networks that were distilled for it (Luo et al. 2023).
    #[serde(rename = "lcm")]
    Consistency,
}

impl SamplerKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Ddim,
        Self::Ddpm,
        Self::DpmSolverPp2m,
        Self::Heun,
        Self::Consistency,
    ];

    /// Its name on the command line and in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ddim => "ddim",
            Self::Ddpm => "ddpm",
            Self::DpmSolverPp2m => "dpmpp-2m",
            Self::Heun => "heun",
            Self::Consistency => "lcm",
        }
    }

    /// What it is, in a line.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::Ddim => "Deterministic (Song et al. 2020)",
            Self::Ddpm => "Ancestral, draws new noise in every step (Ho et al. 2020)",
            Self::DpmSolverPp2m => "DPM-Solver++(2M), for few steps (Lu et al. 2022)",
            Self::Heun => "Heun's method, two model calls a step (Karras et al. 2022)",
            Self::Consistency => {
                "Draws all noise anew in every step, for latent consistency models (Luo et al. 2023)"
            }
        }
    }

    /// A sampler of this kind.
    #[must_use]
    pub fn make(self) -> Box<dyn Sampler> {
        match self {
            Self::Ddim => Box::new(Ddim::default()),
            Self::Ddpm => Box::new(Ddpm),
            Self::DpmSolverPp2m => Box::new(DpmSolverPp2m::new()),
            Self::Heun => Box::new(Heun),
            Self::Consistency => Box::new(Consistency),
        }
    }
}

impl fmt::Display for SamplerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_spell_samplers_as_they_name_themselves() {
        for kind in SamplerKind::ALL {
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
            assert_eq!(kind.make().name(), kind.name());
        }
    }
}
