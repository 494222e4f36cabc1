//! How samples are drawn, steered and finished.

use std::path::PathBuf;

use kinograd_diffusion::SamplerKind;
use kinograd_runtime::Defaults;
use serde::{Deserialize, Serialize};

use super::limits::{MODEL_FPS, USUAL_STEPS};
use super::rig::RigSettings;
use super::schedule::GuidanceSchedule;
use crate::Method;

/// How samples are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// Seed; the noise of sample `i` is that of seed + `i`, whatever is drawn beside it.
    ///
    /// The same task, that is also the same `count` and `best_of`, gives the same bytes with the same
    /// models, engine, provider and number of threads on one machine. The same sample alone and
    /// within a batch is the same up to rounding (4·10⁻⁷ m was measured), since an engine sums other
    /// shapes in another order; [`generate_one`](crate::Generator::generate_one) draws it beside its
    /// neighbours. Records say engine, provider and threads.
    pub seed: u64,
    /// How many samples.
    pub count: usize,
    /// So many are drawn for each sample, and the best is kept: by its score for the prompt, less what
    /// slides, rushes or misses a goal. Costs as many times more.
    #[serde(skip_serializing_if = "is_one")]
    pub best_of: usize,
    /// Denoising steps; left to the package if absent ([`Generator::resolved`](crate::Generator::resolved)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// How one noise level leads to the next; if absent it is the method's own where that has one, else
    /// the package's, else DDIM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampler: Option<SamplerKind>,
    /// Classifier-free guidance scale (Ho & Salimans 2022); the model's own if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cfg: Option<f64>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            seed: 0,
            count: 1,
            best_of: 1,
            steps: None,
            sampler: None,
            cfg: None,
        }
    }
}

impl Sampling {
    /// The number of steps of a [resolved](crate::Generator::resolved) task; of one that leaves them to the
    /// package, the usual number of clips.
    #[must_use]
    pub fn steps_or_usual(&self) -> usize {
        self.steps.unwrap_or(USUAL_STEPS)
    }

    /// Says what is used where nothing is said: the package's steps, or else `usual_steps`, and its
    /// sampler, unless the method has one of its own.
    pub(crate) fn settle(&mut self, method: Method, defaults: &Defaults, usual_steps: usize) {
        self.steps = self.steps.or(defaults.steps).or(Some(usual_steps));
        let own = method.default_sampler();
        let takes_any = own == SamplerKind::Ddim && !method.optimizes_noise();
        let of_package = defaults.sampler.filter(|_| takes_any);
        self.sampler = self.sampler.or(of_package).or(Some(own));
    }

    /// The sampler that is used with a method.
    #[must_use]
    pub fn sampler_for(&self, method: Method) -> SamplerKind {
        self.sampler.unwrap_or_else(|| method.default_sampler())
    }

    /// The seed of each sample that is drawn: of one after the other, [`best_of`](Self::best_of) each.
    #[must_use]
    pub fn seeds(&self) -> Vec<u64> {
        (0..self.count.saturating_mul(self.best_of) as u64)
            .map(|index| self.seed.wrapping_add(index))
            .collect()
    }
}

/// How goals steer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuidanceSettings {
    /// The method.
    pub method: Method,
    /// Strength of the steering, in multiples of the method's own step; tuned for the method if
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Weight of the text loss: the clip is steered towards the prompt as the model's motion
    /// embedding reads it. 0 leaves it out; if absent it is
    /// [`TEXT_BESIDE_GOALS`](Self::TEXT_BESIDE_GOALS) where [`Method::Projection`] follows places on
    /// the ground and the model has a motion embedding, and else 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<f64>,
    /// When and how much the method acts.
    #[serde(skip_serializing_if = "GuidanceSchedule::is_default")]
    pub schedule: GuidanceSchedule,
}

impl Default for GuidanceSettings {
    fn default() -> Self {
        Self {
            method: Method::DEFAULT,
            scale: None,
            text: None,
            schedule: GuidanceSchedule::default(),
        }
    }
}

impl GuidanceSettings {
    /// Weight of the text loss beside goals, so that the gait does not suffer from the way
    /// (`kinograd bench guidance`, `assets/bench/guidance.md`).
    pub const TEXT_BESIDE_GOALS: f64 = 0.5;

    /// The strength that clips are steered with.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.scale.unwrap_or_else(|| self.method.default_scale())
    }
}

/// How clips are finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSettings {
    /// Frames per second of the clip.
    pub fps: f64,
    /// Whether feet in contact are held still.
    pub foot_lock: bool,
    /// The character that clips are made for; our body if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rig: Option<RigSettings>,
}

impl Default for OutputSettings {
    fn default() -> Self {
        Self {
            fps: MODEL_FPS,
            foot_lock: true,
            rig: None,
        }
    }
}

/// An ONNX network of the user's that scores clips as something to make small: see
/// [`ScoreNetwork`](crate::runtime::ScoreNetwork) for what it takes and returns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkLoss {
    /// The file.
    pub onnx: PathBuf,
    /// Weight beside the other losses, not negative.
    #[serde(default = "one")]
    pub weight: f64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_one(count: &usize) -> bool {
    *count == 1
}

fn one() -> f64 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(sampling: &Sampling, method: Method, defaults: &Defaults) -> (usize, SamplerKind) {
        let mut sampling = sampling.clone();
        sampling.settle(method, defaults, 20);
        let once = sampling.clone();
        let others = Defaults {
            steps: Some(9),
            sampler: Some(SamplerKind::Heun),
            ..Defaults::default()
        };
        sampling.settle(method, &others, 7);
        assert_eq!(sampling, once, "what is settled stays");
        (sampling.steps_or_usual(), sampling.sampler_for(method))
    }

    #[test]
    fn a_packages_defaults_hold_where_nothing_is_said() {
        let few = Defaults {
            steps: Some(8),
            sampler: Some(SamplerKind::DpmSolverPp2m),
            ..Defaults::default()
        };
        let (none, left) = (Defaults::default(), Sampling::default());
        let asked = Sampling {
            steps: Some(30),
            sampler: Some(SamplerKind::Heun),
            ..Sampling::default()
        };
        let (projection, ddim) = (Method::Projection, SamplerKind::Ddim);
        for (sampling, method, defaults, expected) in [
            (&left, projection, &none, (20, ddim)),
            (&left, projection, &few, (8, SamplerKind::DpmSolverPp2m)),
            (&left, Method::None, &few, (8, SamplerKind::DpmSolverPp2m)),
            // Methods with a sampler of their own keep it.
            (&left, Method::Dsg, &few, (8, SamplerKind::Ddpm)),
            (&left, Method::Dno, &few, (8, ddim)),
            (&asked, projection, &few, (30, SamplerKind::Heun)),
        ] {
            assert_eq!(settled(sampling, method, defaults), expected, "{method}");
        }
    }

    #[test]
    fn steps_that_are_left_to_the_package_are_not_written() {
        let json = serde_json::to_string(&Sampling::default()).unwrap();
        assert!(!json.contains("steps"), "{json}");
        let read: Sampling = serde_json::from_str(&json).unwrap();
        assert_eq!((read.steps, &read), (None, &Sampling::default()));
        let asked: Sampling = serde_json::from_str("{\"steps\": 20}").unwrap();
        assert_eq!(asked.steps, Some(20));
        let json = serde_json::to_string(&asked).unwrap();
        assert_eq!(serde_json::from_str::<Sampling>(&json).unwrap(), asked);
    }
}
