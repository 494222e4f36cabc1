//! Guidance methods, one a file.
//!
//! The gradient methods share [`LossGuidance`]: each is a [`StepRule`] that says how far to move
//! `x_{t−1}` against the gradient.

mod adam_dps;
mod capped_polyak;
mod classifier;
mod decorrelation;
mod dps;
mod dsg;
mod edit;
mod freedom;
mod further_moves;
mod gradient_guidance;
mod lgd_mc;
mod linear_projection;
mod loss_guidance;
mod mean_guidance;
mod monte_carlo;
mod mpgd;
mod noise_optimization;
mod normalized;
mod objective;
mod options;
mod path_projection;
mod polyak;
mod registry;
mod schedule;
mod tfg;
mod time_travel;
mod ugd;

pub use adam_dps::AdamDps;
pub use capped_polyak::CappedPolyak;
pub use classifier::{ClassifierGuidance, TimeClassifier};
pub use dps::Dps;
pub use dsg::Dsg;
pub use freedom::FreeDom;
pub use gradient_guidance::{GradientGuidance, Linearization, Lookahead};
pub use lgd_mc::LgdMc;
pub use linear_projection::{LinearConstraint, LinearProjection};
pub use loss_guidance::{GradientAt, LossGuidance, SampleStep, StepRule};
pub use mean_guidance::{MeanGuidance, MeanOptions};
pub use monte_carlo::MonteCarlo;
pub use mpgd::Mpgd;
pub use noise_optimization::{IterationObserver, NoiseOptimizer, NoiseOptions, OptimizedNoise};
pub use normalized::NormalizedGradient;
pub use objective::{Objective, PathObjective, WeightedLoss};
pub use options::{GuidanceOptions, TimestepInterval};
pub use path_projection::{PathProjection, ProjectionOptions};
pub use polyak::Polyak;
pub use registry::{Method, TunedOn};
pub use schedule::StepSchedule;
pub use tfg::{EditNoise, Strength, Tfg, TfgOptions};
pub use time_travel::TimeTravel;
pub use ugd::{Ugd, UgdOptions};
