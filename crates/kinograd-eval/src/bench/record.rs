//! What is measured of each clip, and of many.

use kinograd::guidance::TunedOn;
use kinograd::motion::joints_array;
use serde::{Deserialize, Serialize};

use super::scenario::{Scenario, path_m};
use crate::statistics::ConfidenceInterval;
use kinograd::{Clip, Method};

/// Farther than this nobody gets in a clip, metres: more than ten seconds of a sprint.
const MAX_DISTANCE_M: f64 = 200.0;

/// What a clip is measured at beside its goals.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReferenceScores {
    /// Cosine between clip and prompt, by the judge.
    pub judge: Option<f64>,
    /// Distance of the clip's embedding from the nearest real clip's; the judge's embedding where
    /// there is a judge.
    pub real: Option<f64>,
}

/// The published avoidance loss: `100 · mean over frames of sigmoid(−50 (d − r))` with the
/// distance d from the circle's centre and its radius r (Shen et al. 2024, as their code reports it).
const AVOIDANCE: (f64, f64) = (100.0, 50.0);

/// A method as it enters a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The method.
    pub method: Method,
    /// Weight of the text loss beside the goals.
    pub text_guidance: f64,
    /// Strength instead of [`Candidate::scale`]'s.
    #[serde(default)]
    pub guidance_scale: Option<f64>,
}

impl Candidate {
    /// A method that follows the goals alone.
    #[must_use]
    pub fn plain(method: Method) -> Self {
        Self {
            method,
            text_guidance: 0.0,
            guidance_scale: None,
        }
    }

    /// Its strength: what was tuned for it, but beside the text loss the method's default, since
    /// tuning leaves that loss out.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.guidance_scale.unwrap_or_else(|| {
            if self.text_guidance > 0.0 {
                self.method.default_scale()
            } else {
                self.method.tuned_scale(TunedOn::Path)
            }
        })
    }

    /// Its name in tables.
    #[must_use]
    pub fn label(&self) -> String {
        if self.text_guidance > 0.0 {
            format!("{} + text", self.method)
        } else {
            self.method.name().to_owned()
        }
    }
}

/// Measurements of one clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClipRecord {
    /// Which of the benchmark's scenarios.
    #[serde(alias = "course")]
    pub scenario: usize,
    /// Angle of the target from the scenario's heading, degrees.
    pub direction_deg: f64,
    /// The clip's seed.
    pub seed: u64,
    /// Distance of the root from the target in the last frame, metres.
    pub target_error_m: f64,
    /// `100 · mean sigmoid(−50 (d − r))` over the frames.
    pub avoidance: f64,
    /// How deep the root enters the circle, metres.
    pub penetration_m: f64,
    /// Share of frames with the root inside the circle.
    pub inside_share: f64,
    /// Cosine between the embeddings of clip and prompt, where the model has an embedding.
    pub text_score: Option<f64>,
    /// The same by networks that steered nothing, where there are any.
    #[serde(default)]
    pub judge_score: Option<f64>,
    /// Foot-skate ratio after the foot lock.
    pub foot_skate_ratio: f64,
    /// Foot-skate ratio before the foot lock.
    pub foot_skate_ratio_before: f64,
    /// Mean jerk after clean-up, m/s³.
    pub jerk_m_s3: f64,
    /// Distance of the clip's embedding from that of the nearest real clip, where there are any; the
    /// judge's embedding where there is a judge.
    pub real_distance: Option<f64>,
    /// Whether the root moves faster than 2.6 m/s for half a second.
    pub implausibly_fast: bool,
}

/// A clip that could not be made, or went where no one gets to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailedClip {
    /// Which of the benchmark's scenarios.
    #[serde(alias = "course")]
    pub scenario: usize,
    /// The clip's seed.
    pub seed: u64,
    /// Why.
    pub reason: String,
}

impl ClipRecord {
    /// Measures a clip.
    ///
    /// # Errors
    /// Why it is no clip: a number is not finite, or the root is where no one gets to.
    pub(super) fn of(
        clip: &Clip,
        (index, scenario): (usize, &Scenario),
        direction_deg: f64,
        outside: ReferenceScores,
    ) -> Result<Self, String> {
        let measured = || "it was not measured".to_owned();
        let report = clip.report.as_ref().ok_or_else(measured)?;
        let [x, z, radius] = scenario.circle_m(direction_deg);
        let distances: Vec<f64> = path_m(clip)
            .iter()
            .map(|at| (at[0] - x).hypot(at[1] - z) - radius)
            .collect();
        let frames = distances.len().max(1) as f64;
        let (height, steepness) = AVOIDANCE;
        let sigmoid = |distance: &f64| height / (1.0 + (steepness * distance).exp());
        let record = Self {
            scenario: index,
            direction_deg,
            seed: report.seed,
            target_error_m: report.target_error_m.ok_or_else(measured)?,
            avoidance: distances.iter().map(sigmoid).sum::<f64>() / frames,
            penetration_m: report.max_penetration_m.ok_or_else(measured)?,
            inside_share: distances.iter().filter(|d| **d < 0.0).count() as f64 / frames,
            text_score: report.text_score,
            judge_score: outside.judge,
            foot_skate_ratio: report.foot_skate_ratio,
            foot_skate_ratio_before: report.foot_skate_ratio_before,
            jerk_m_s3: report.jerk_m_s3,
            real_distance: outside.real,
            implausibly_fast: report.implausibly_fast,
        };
        let finite = joints_array(&clip.motion).iter().all(|v| v.is_finite())
            && [
                record.target_error_m,
                record.avoidance,
                record.jerk_m_s3,
                record.text_score.unwrap_or(0.0),
                record.judge_score.unwrap_or(0.0),
                record.real_distance.unwrap_or(0.0),
            ]
            .iter()
            .all(|value| value.is_finite());
        if !finite {
            return Err("the clip holds numbers that are not finite".to_owned());
        }
        if record.target_error_m > MAX_DISTANCE_M {
            return Err(format!(
                "the root is {:.0e} m away from the target",
                record.target_error_m
            ));
        }
        Ok(record)
    }
}

/// Means over clips with their 95 % intervals; a field is absent where nothing was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Distance from the target, metres.
    pub target_error_m: Option<ConfidenceInterval>,
    /// Squared distance from the target, m²: the published target loss.
    pub target_loss_m2: Option<ConfidenceInterval>,
    /// The published avoidance loss.
    pub avoidance: Option<ConfidenceInterval>,
    /// Deepest penetration, metres.
    pub penetration_m: Option<ConfidenceInterval>,
    /// Share of frames inside the circle.
    pub inside_share: Option<ConfidenceInterval>,
    /// Text score.
    pub text_score: Option<ConfidenceInterval>,
    /// Text score by networks that steered nothing.
    #[serde(default)]
    pub judge_score: Option<ConfidenceInterval>,
    /// Foot-skate ratio after the foot lock.
    pub foot_skate_ratio: Option<ConfidenceInterval>,
    /// Foot-skate ratio before the foot lock.
    pub foot_skate_ratio_before: Option<ConfidenceInterval>,
    /// Jerk, m/s³.
    pub jerk_m_s3: Option<ConfidenceInterval>,
    /// Distance from the nearest real clip in the embedding.
    pub real_distance: Option<ConfidenceInterval>,
    /// Share of clips that are implausibly fast.
    pub implausible_share: Option<ConfidenceInterval>,
}

impl Summary {
    /// Over clips.
    #[must_use]
    pub fn of<'a>(clips: impl Iterator<Item = &'a ClipRecord> + Clone) -> Self {
        let over = |value: &dyn Fn(&ClipRecord) -> Option<f64>| {
            let values: Vec<f64> = clips.clone().filter_map(value).collect();
            ConfidenceInterval::of(&values)
        };
        Self {
            target_error_m: over(&|clip| Some(clip.target_error_m)),
            target_loss_m2: over(&|clip| Some(clip.target_error_m.powi(2))),
            avoidance: over(&|clip| Some(clip.avoidance)),
            penetration_m: over(&|clip| Some(clip.penetration_m)),
            inside_share: over(&|clip| Some(clip.inside_share)),
            text_score: over(&|clip| clip.text_score),
            judge_score: over(&|clip| clip.judge_score),
            foot_skate_ratio: over(&|clip| Some(clip.foot_skate_ratio)),
            foot_skate_ratio_before: over(&|clip| Some(clip.foot_skate_ratio_before)),
            jerk_m_s3: over(&|clip| Some(clip.jerk_m_s3)),
            real_distance: over(&|clip| clip.real_distance),
            implausible_share: over(&|clip| Some(f64::from(u8::from(clip.implausibly_fast)))),
        }
    }
}
