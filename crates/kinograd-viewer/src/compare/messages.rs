//! What is asked of a comparison, and what it compares.

use bevy::prelude::*;
use kinograd::{ClipReport, Method};
use kinograd_bevy::Job;

/// Asks for the steered scene to be made by methods; clips of the comparison before leave the stage.
#[derive(Message, Debug, Clone, PartialEq, Eq)]
pub struct CompareMethods(pub Vec<Method>);

/// Asks for clips to be made and compared; those of the comparison before leave the stage.
#[derive(Message, Debug, Clone)]
pub struct CompareClips(pub Vec<ComparedJob>);

/// A clip that enters a comparison.
#[derive(Debug, Clone)]
pub struct ComparedJob {
    /// What it is called.
    pub label: String,
    /// How it is made.
    pub job: Job,
    /// What a saved run measured of it, or why it has no such clip; `None` without a run.
    pub recorded: Option<Result<Numbers, String>>,
}

/// What is compared of clips.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers {
    /// Distance of the root from the target, metres.
    pub target_error_m: Option<f64>,
    /// How deep the root enters an obstacle, metres.
    pub penetration_m: Option<f64>,
    /// Cosine between the embeddings of clip and prompt.
    pub text_score: Option<f64>,
    /// Share of frames in which a foot on the ground slides.
    pub foot_skate_ratio: f64,
}

impl From<&ClipReport> for Numbers {
    fn from(report: &ClipReport) -> Self {
        Self {
            target_error_m: report.target_error_m,
            penetration_m: report.max_penetration_m,
            text_score: report.text_score,
            foot_skate_ratio: report.foot_skate_ratio,
        }
    }
}
