use serde::{Deserialize, Serialize};

use crate::statistics::ConfidenceInterval;

/// Measurements of one picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PictureRecord {
    /// Which of the goal's targets.
    pub target: usize,
    /// The picture's seed.
    pub seed: u64,
    /// The loss that steered, without augmentation.
    pub distance: f64,
    /// Cosine between picture and prompt by the encoders that steer.
    pub guide_score: Option<f64>,
    /// The same by encoders that do not.
    pub judge_score: Option<f64>,
    /// Whether the prompt is the likeliest of the protocol's to the encoders that steer.
    pub guide_named: Option<bool>,
    /// The same by encoders that do not steer.
    pub judge_named: Option<bool>,
    /// Intersection over union of the mask and what is not white in the picture.
    pub overlap: Option<f64>,
}

/// A picture that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailedPicture {
    /// Which of the goal's targets.
    pub target: usize,
    /// The picture's seed.
    pub seed: u64,
    /// Why.
    pub reason: String,
}

/// Means over pictures with their 95 % intervals; a field is absent where nothing was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageSummary {
    /// The loss that steered.
    pub distance: Option<ConfidenceInterval>,
    /// Text score of the encoders that steer.
    pub guide_score: Option<ConfidenceInterval>,
    /// Text score of the encoders that do not.
    pub judge_score: Option<ConfidenceInterval>,
    /// The first score less the second, picture by picture.
    pub gap: Option<ConfidenceInterval>,
    /// Share of pictures that the encoders that steer name rightly.
    pub guide_named: Option<ConfidenceInterval>,
    /// Share of pictures that the other encoders name rightly.
    pub judge_named: Option<ConfidenceInterval>,
    /// Overlap with the mask.
    pub overlap: Option<ConfidenceInterval>,
}

impl ImageSummary {
    /// Over pictures.
    #[must_use]
    pub fn of(pictures: &[PictureRecord]) -> Self {
        let over = |value: &dyn Fn(&PictureRecord) -> Option<f64>| {
            let values: Vec<f64> = pictures.iter().filter_map(value).collect();
            ConfidenceInterval::of(&values)
        };
        let share = |named: Option<bool>| named.map(|named| f64::from(u8::from(named)));
        Self {
            distance: over(&|p| Some(p.distance)),
            guide_score: over(&|p| p.guide_score),
            judge_score: over(&|p| p.judge_score),
            gap: over(&|p| Some(p.guide_score? - p.judge_score?)),
            guide_named: over(&|p| share(p.guide_named)),
            judge_named: over(&|p| share(p.judge_named)),
            overlap: over(&|p| p.overlap),
        }
    }
}
