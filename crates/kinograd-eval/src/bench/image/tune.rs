//! Step sizes on pictures by a protocol that is the same for every method.

use std::fmt;
use std::path::Path;

use kinograd::runtime::EngineOptions;
use serde::{Deserialize, Serialize};

use super::super::guidance::Budget;
use super::super::run::{check_schema, read_json};
use super::super::search::{GridSearch, GridTrial};
use super::super::watch::Watch;
use super::protocol::{ImageCandidate, ImageGoal, ImageProtocol};
use super::run::{ImageRow, row};
use super::targets::Targets;
use crate::statistics::mean;
use kinograd::{Error, Method, Observer};

/// Wider than motion's: gradients of pictures' losses differ more in length.
const LADDER: GridSearch = GridSearch {
    coarse: [0.125, 1.0, 8.0, 64.0, 512.0],
    factor: 2.0 * std::f64::consts::SQRT_2,
};
/// First seed: the benchmark's own begin at 0.
const FIRST_SEED: u64 = 1000;
/// What a picture that cannot be made costs: as much as one without steering.
const FAILED: f64 = 2.0;

/// The objective in words.
const OBJECTIVE: &str = "what is left of the unguided pictures' distance (text: 1 − the judge's \
    cosine; seg: 1 − overlap; sketch: the loss) + the Fréchet distance as a share of the unguided \
    pictures' one; 2 is no steering, and a picture on which the method breaks down costs 2";

/// One strength of one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageTrial {
    /// Strength, in multiples of the method's own step.
    pub scale: f64,
    /// What is least at the best strength.
    pub objective: f64,
    /// Mean distance of the pictures that were made: 1 − the judge's cosine, 1 − overlap, or the
    /// sketch's loss.
    pub distance: Option<f64>,
    /// Fréchet distance from the training drawings.
    pub frechet: Option<f64>,
    /// Pictures on which the method broke down.
    pub failed: usize,
}

impl GridTrial for ImageTrial {
    fn scale(&self) -> f64 {
        self.scale
    }

    fn objective(&self) -> f64 {
        self.objective
    }
}

/// What was chosen for a method and a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TunedImageMethod {
    /// What steered.
    pub goal: ImageGoal,
    /// The method.
    pub method: Method,
    /// The best strength, in multiples of the method's own step.
    pub scale: f64,
    /// The objective there.
    pub objective: f64,
    /// All that were tried, in the order of their scales.
    pub tried: Vec<ImageTrial>,
}

/// The protocol and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageTuneReport {
    /// `kinograd.bench-tune-image/1`.
    pub schema: String,
    /// The denoiser's package and its version.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// What was run.
    pub protocol: ImageProtocol,
    /// What was made small.
    pub objective: String,
    /// No steering, for comparison.
    pub unguided: Vec<(ImageGoal, ImageTrial)>,
    /// What it gave.
    pub methods: Vec<TunedImageMethod>,
}

const SCHEMA: &str = "kinograd.bench-tune-image/1";

impl ImageTuneReport {
    /// Reads a report that `bench tune-image --json` printed.
    ///
    /// # Errors
    /// [`Error::Read`] with the path and why.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let report: Self = read_json(path)?;
        check_schema(path, &report.schema, SCHEMA)?;
        Ok(report)
    }

    /// What was chosen for each method.
    #[must_use]
    pub fn scales(&self) -> Vec<(ImageGoal, Method, f64)> {
        let of = |tuned: &TunedImageMethod| (tuned.goal, tuned.method, tuned.scale);
        self.methods.iter().map(of).collect()
    }

    /// The strength chosen for a method, in multiples of the method's own step.
    #[must_use]
    pub fn scale_of(&self, method: Method, goal: ImageGoal) -> Option<f64> {
        let mut methods = self.methods.iter();
        let tuned = methods.find(|tuned| tuned.method == method && tuned.goal == goal)?;
        Some(tuned.scale)
    }
}

impl ImageProtocol {
    /// What [`tune_image`] runs unless told otherwise: the benchmark's targets with other
    /// seeds, without augmentations.
    #[must_use]
    pub fn tuning() -> Self {
        Self {
            seed: FIRST_SEED,
            equal_time: false,
            candidates: Self::METHODS.map(ImageCandidate::plain).to_vec(),
            cfg: None,
            augmentation_costs: Vec::new(),
            ..Self::default()
        }
    }
}

/// Tries seven strengths of every method and goal: 1/8, 1, 8, 64 and 512 times the method's own
/// step, then two more beside the best of them, a factor of √8 to either side, or of √8 and 8
/// outwards where the best is the first or the last.
///
/// # Errors
/// As [`image`](super::image()).
pub fn tune_image(
    protocol: &ImageProtocol,
    options: &EngineOptions,
    observer: &mut dyn Observer,
) -> Result<ImageTuneReport, Error> {
    let mut targets = Targets::open(protocol, options)?;
    let of = |s: &ImageGoal| {
        (1 + GridSearch::TRIALS * protocol.candidates.len()) * protocol.pictures(*s)
    };
    let total: usize = protocol.goals.iter().map(of).sum();
    let mut watch = Watch::start(observer, "pictures", total)?;
    let at = (Budget::Calls, protocol.calls);
    let (mut methods, mut unguided) = (Vec::new(), Vec::new());
    for &goal in &protocol.goals {
        let none = ImageCandidate::plain(Method::None);
        let plain = row(&mut targets, goal, none, at, &mut watch)?;
        for &candidate in &protocol.candidates {
            let (tried, best) = LADDER.search(|scale| {
                let candidate = ImageCandidate {
                    guidance_scale: Some(scale),
                    ..candidate
                };
                let made = row(&mut targets, goal, candidate, at, &mut watch)?;
                Ok(trial(scale, &made, &plain))
            })?;
            methods.push(TunedImageMethod {
                goal,
                method: candidate.method,
                scale: tried[best].scale,
                objective: tried[best].objective,
                tried,
            });
        }
        unguided.push((goal, trial(0.0, &plain, &plain)));
    }
    let manifest = targets.generator.manifest();
    let engine = targets.generator.engine();
    Ok(ImageTuneReport {
        schema: SCHEMA.to_owned(),
        model: format!("{} {}", manifest.name, manifest.version),
        engine: format!("{} {} ({})", engine.engine, engine.version, engine.provider),
        protocol: protocol.clone(),
        objective: OBJECTIVE.to_owned(),
        unguided,
        methods,
    })
}

/// What is to be small, of the pictures that were made.
fn distance(row: &ImageRow) -> Option<f64> {
    let of = row.pictures.iter().map(|picture| match row.goal {
        ImageGoal::Text => picture.judge_score.map(|score| 1.0 - score),
        ImageGoal::Seg => picture.overlap.map(|overlap| 1.0 - overlap),
        ImageGoal::Sketch => Some(picture.distance),
    });
    let distances: Option<Vec<f64>> = of.collect();
    mean(&distances?)
}

fn trial(scale: f64, made: &ImageRow, plain: &ImageRow) -> ImageTrial {
    let share = |own: Option<f64>, plain: Option<f64>| {
        let (own, plain) = own.zip(plain)?;
        Some(own / plain.max(f64::MIN_POSITIVE))
    };
    let near = share(distance(made), distance(plain));
    // Without a reference the distance decides alone.
    let natural = share(made.frechet, plain.frechet).unwrap_or(1.0);
    let total = (made.pictures.len() + made.failed.len()).max(1) as f64;
    let lost = made.failed.len() as f64 / total;
    let objective = match near {
        Some(near) if (near + natural).is_finite() => {
            (1.0 - lost) * (near + natural) + FAILED * lost
        }
        _ => FAILED,
    };
    ImageTrial {
        scale,
        objective,
        distance: distance(made),
        frechet: made.frechet,
        failed: made.failed.len(),
    }
}

impl fmt::Display for ImageTuneReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = &self.protocol;
        writeln!(
            f,
            "{} on {}: {} picture(s) a target (seeds from {}), {} calls\nobjective: {}",
            self.model, self.engine, p.seeds, p.seed, p.calls, self.objective
        )?;
        writeln!(
            f,
            "{:8} {:16} {:>9} {:>9} {:>9} {:>8} {:>6}",
            "goal", "method", "scale", "objective", "distance", "Fréchet", "failed"
        )?;
        let mut line = |goal: ImageGoal, name: &str, trial: &ImageTrial| {
            let shown = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
            writeln!(
                f,
                "{:8} {name:16} {:>9.3} {:>9.3} {:>9} {:>8} {:>6}",
                goal.name(),
                trial.scale,
                trial.objective,
                shown(trial.distance),
                shown(trial.frechet),
                trial.failed
            )
        };
        for (goal, trial) in &self.unguided {
            line(*goal, "none", trial)?;
            for tuned in self.methods.iter().filter(|t| t.goal == *goal) {
                for trial in &tuned.tried {
                    let best = trial.scale == tuned.scale;
                    let mark = if best { "* " } else { "  " };
                    line(*goal, &format!("{mark}{}", tuned.method), trial)?;
                }
            }
        }
        Ok(())
    }
}
