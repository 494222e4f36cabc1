//! Guidance losses and methods for diffusion models.
//!
//! A [`Loss`] gives values and gradients on x̂0; a [`Method`] turns them into a
//! [`Guidance`](kinograd_diffusion::Guidance) that the sampling loop runs. Goals on the ground
//! ([`GroundGoals`]) become a loss on motion features by [`RootPathLossAdapter`]. Samples of a batch don't
//! influence each other, and padding gets no gradient.

mod error;
pub mod goal;
mod goals;
pub mod loss;
pub mod method;
pub mod optimize;
mod projection;
mod shape;

pub use error::{GuidanceError, nearest_name};
pub use goals::{Circle, Frame, GroundGoals, GroundPoint, Span, Waypoint};
pub use loss::{
    Barrier, ClosureLoss, DecodedMotion, Derivative, Embedding, EmbeddingPullBack, FEET, Facing,
    FacingTarget, FootContact, ForwardDistance, GroundPenetration, JointHeight, JointTarget,
    JumpHeight, KeyPose, Keyframes, LoopClosure, Loss, LossValue, MotionDecoder, MotionGradient,
    MotionLoss, MotionLossAdapter, NoSkate, Obstacles, Origin, PathLoss, PersonDistance,
    PoseSimilarity, Reduction, Region, RootPathAsMotion, RootPathLossAdapter, RootTarget,
    Smoothness, Speed, SumLoss, TextSimilarity, Trajectory, Waypoints, joint_index,
};
pub use method::{
    AdamDps, CappedPolyak, ClassifierGuidance, Dps, Dsg, EditNoise, FreeDom, GradientAt,
    GradientGuidance, GuidanceOptions, IterationObserver, LgdMc, LinearConstraint,
    LinearProjection, Linearization, Lookahead, LossGuidance, MeanGuidance, MeanOptions, Method,
    MonteCarlo, Mpgd, NoiseOptimizer, NoiseOptions, NormalizedGradient, Objective, OptimizedNoise,
    PathObjective, PathProjection, Polyak, ProjectionOptions, SampleStep, StepRule, StepSchedule,
    Strength, Tfg, TfgOptions, TimeClassifier, TimeTravel, TimestepInterval, TunedOn, Ugd,
    UgdOptions,
};
pub use shape::{Shape, WorldPoint};
