//! Guidance losses and methods for diffusion models.
//!
//! A [`Loss`] gives values and gradients on x̂0; a [`Method`] turns them into a
//! [`Guidance`](kinograd_diffusion::Guidance) that the sampling loop runs. Goals on the ground
//! ([`GroundGoals`]) become a loss on motion features by [`OnRootPath`]. Samples of a batch don't
//! influence each other, and padding gets no gradient.

mod error;
mod goals;
pub mod loss;
pub mod method;
pub mod optimize;
mod projection;
pub mod scene;
mod shape;

pub use error::GuidanceError;
pub use goals::{Circle, Frame, GroundGoals, GroundPoint, Span, Waypoint};
pub use loss::{
    Augmented, Barrier, ClosureLoss, DecodedMotion, Derivative, Embedding, EmbeddingPullBack, FEET,
    Facing, FacingTarget, FootContact, GroundPenetration, ImageAugmentation, JointTarget, KeyPose,
    Keyframes, LoopClosure, Loss, LossValue, MotionGradient, MotionLoss, NoSkate, Obstacles,
    OfRootPath, OnMotion, OnRootPath, Origin, PathDecoder, PathLoss, PersonDistance,
    PoseSimilarity, Reduction, Region, RootTarget, Smoothness, Speed, SumLoss, TextSimilarity,
    Trajectory, Waypoints, joint_index,
};
pub use method::{
    AdamDps, CappedPolyak, ClassifierGuidance, Dps, Dsg, EditNoise, FreeDom, GradientAt,
    GradientGuidance, GuidanceOptions, Interval, IterationObserver, LgdMc, LinearConstraint,
    LinearProjection, Linearization, Lookahead, LossGuidance, MeanGuidance, MeanOptions, Method,
    MonteCarlo, Mpgd, NoiseOptimizer, NoiseOptions, NormalizedGradient, OptimizedNoise,
    PathProjection, Polyak, ProjectionOptions, SampleStep, StepRule, StepSchedule, Strength, Tfg,
    TfgOptions, TimeClassifier, TimeTravel, Ugd, UgdOptions,
};
pub use shape::{Shape, WorldPoint};
