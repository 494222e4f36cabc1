//! Diffusion as an optimiser (Guo et al. 2024): maximise a reward without leaving the data.
//!
//! A reward is a [`Loss`](crate::Loss) with the sign turned: `f = −ℓ`. Algorithm 1
//! ([`Optimizer::run`]) linearises it, regenerates the batch from noise under gradient guidance, and
//! repeats; the denoiser stays as it is, and the mean of the batch goes to the maximiser of
//! `f(x) − (λ/2)‖x − x̄0‖²_{Σ̄0⁻¹}`. Algorithm 2 ([`Optimizer::run_adaptive`]) also fits the denoiser to
//! what it generated, and so leaves the regularisation behind. [`MotionReward`] names rewards of
//! clips.

mod linear_score;
mod reward;
mod rounds;

pub use linear_score::LinearScore;
pub use reward::MotionReward;
pub use rounds::{
    AdaptiveDenoiser, Frozen, Optimizer, OptimizerOptions, Pull, Round, RoundObserver, Sampling,
    Trajectory,
};
