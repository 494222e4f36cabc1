//! Diffusion as an optimiser (Guo et al. 2024): clips whose reward rises from round to round while
//! they stay what the model makes.
//!
//! Algorithm 1 linearises the reward at the clips, generates them again under gradient guidance with
//! the target `y = δ + gᵀz`, and repeats. Algorithm 2 also fits the denoiser to the clips of all rounds
//! so far, by denoising score matching with Adam on a copy of its weights; [`FineTuned::save`] makes a
//! package of it.

mod learner;
mod measure;
mod report;
pub(crate) mod rounds;
mod run;
mod save;
mod settings;
mod trade_off;

pub use kinograd_guidance::Lookahead;
pub use kinograd_guidance::optimize::MotionReward;
pub use learner::{FineTune, Learner, Learnt};
pub(crate) use measure::residuals;
pub use report::{OptimizeReport, RoundReport, RoundTable};
pub use run::Optimized;
pub use save::FineTuned;
pub use settings::{MAX_OPTIMIZED_CLIPS, Optimization, Reward};
pub use trade_off::{TradeOffReport, TradeOffRow};

/// The mean; none of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
