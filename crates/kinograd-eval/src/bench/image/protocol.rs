use std::fmt;

use kinograd::guidance::TunedOn;
use serde::{Deserialize, Serialize};

use super::super::guidance::stepwise;
use super::shape::Shape;
use kinograd::image::ImageModels;
use kinograd::task::{GuidanceSchedule, MAX_COUNT};
use kinograd::{Error, Method};

/// What pictures are steered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageGoal {
    /// A text, by the encoders that guide.
    Text,
    /// A mask, by a network that finds the foreground.
    Seg,
    /// A drawing, by an edge map that needs no network.
    Sketch,
}

impl ImageGoal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Seg, Self::Sketch];

    /// Its name, as `kinograd image --loss` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Seg => "seg",
            Self::Sketch => "sketch",
        }
    }

    /// What strengths for it are tuned on.
    #[must_use]
    pub fn tuned_on(self) -> TunedOn {
        match self {
            Self::Text => TunedOn::Text,
            Self::Seg => TunedOn::Seg,
            Self::Sketch => TunedOn::Sketch,
        }
    }
}

impl fmt::Display for ImageGoal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A method as it enters the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImageCandidate {
    /// The method.
    pub method: Method,
    /// Random augmentations a step of what the encoders see.
    pub augmentations: usize,
    /// Strength instead of the tuned one.
    #[serde(default)]
    pub guidance_scale: Option<f64>,
    /// Scale of classifier-free guidance, where the denoiser itself is told the prompt.
    #[serde(default)]
    pub cfg: Option<f64>,
}

impl ImageCandidate {
    /// A method without augmentations.
    #[must_use]
    pub fn plain(method: Method) -> Self {
        Self {
            method,
            augmentations: 0,
            guidance_scale: None,
            cfg: None,
        }
    }

    /// No steering: the denoiser itself is told the text.
    #[must_use]
    pub fn told(cfg: f64) -> Self {
        Self {
            cfg: Some(cfg),
            ..Self::plain(Method::None)
        }
    }

    /// Denoiser calls of a sampling step: beside the told one, the one that is told nothing.
    pub(super) fn calls_per_step(&self) -> usize {
        match self.cfg {
            Some(cfg) if cfg != 1.0 => 2,
            _ => 1,
        }
    }

    /// Its name in tables.
    #[must_use]
    pub fn label(&self) -> String {
        match (self.cfg, self.augmentations) {
            (Some(cfg), _) => format!("told, cfg {cfg}"),
            (None, 0) => self.method.name().to_owned(),
            (None, count) => format!("{} + RA {count}", self.method),
        }
    }
}

/// What the benchmark runs: every method on the same targets and seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageProtocol {
    /// What steers.
    pub goals: Vec<ImageGoal>,
    /// Texts; each is also one of the names among which a picture's own is looked for.
    pub prompts: Vec<String>,
    /// Silhouettes of masks and drawings.
    pub shapes: Vec<Shape>,
    /// Pictures per target.
    pub seeds: usize,
    /// First seed; picture `i` of target `k` has `seed + k · seeds + i`, whatever the method.
    pub seed: u64,
    /// Denoiser calls a picture at equal calls.
    pub calls: usize,
    /// When and how much the methods act.
    #[serde(default, skip_serializing_if = "GuidanceSchedule::is_default")]
    pub schedule: GuidanceSchedule,
    /// Whether the methods are also run at equal time: the median of their times at equal calls.
    pub equal_time: bool,
    /// Methods to compare. No steering is run besides.
    #[serde(alias = "contestants")]
    pub candidates: Vec<ImageCandidate>,
    /// Scale of classifier-free guidance of the row whose denoiser is told the text, where it reads
    /// one: what steering cannot be expected to surpass.
    #[serde(default)]
    pub cfg: Option<f64>,
    /// Numbers of augmentations whose cost is measured.
    pub augmentation_costs: Vec<usize>,
    /// Strengths instead of the stored ones, of methods tuned without augmentations.
    #[serde(default)]
    pub tuned: Vec<(ImageGoal, Method, f64)>,
    /// The model packages.
    pub models: ImageModels,
}

impl ImageProtocol {
    /// The methods of the comparison.
    pub const METHODS: [Method; 9] = [
        Method::Dps,
        Method::LgdMc,
        Method::FreeDom,
        Method::Ugd,
        Method::Mpgd,
        Method::Tfg,
        Method::Polyak,
        Method::PolyakCapped,
        Method::Normalized,
    ];
    /// Those that are also run with augmentations.
    const AUGMENTED: [Method; 2] = [Method::PolyakCapped, Method::Normalized];
    const CFG: f64 = 3.0;
    /// Augmentations there (Shen et al. 2024).
    const AUGMENTATIONS: usize = 10;
}

impl Default for ImageProtocol {
    /// Twelve prompts and six silhouettes, a picture each, at 20 calls.
    fn default() -> Self {
        let plain = Self::METHODS.into_iter().map(ImageCandidate::plain);
        let augmented = Self::AUGMENTED.into_iter().map(|method| ImageCandidate {
            augmentations: Self::AUGMENTATIONS,
            ..ImageCandidate::plain(method)
        });
        Self {
            goals: ImageGoal::ALL.to_vec(),
            prompts: [
                "a red heart",
                "a yellow star",
                "a red apple",
                "a strawberry",
                "a smiling face",
                "a cat face",
                "a frog",
                "a blue fish",
                "a green tree",
                "a sunflower",
                "a pizza",
                "a crescent moon",
            ]
            .map(str::to_owned)
            .to_vec(),
            shapes: Shape::ALL.to_vec(),
            seeds: 1,
            seed: 0,
            calls: 20,
            schedule: GuidanceSchedule::default(),
            equal_time: true,
            candidates: plain.chain(augmented).collect(),
            cfg: Some(Self::CFG),
            augmentation_costs: vec![1, 10, 20, 30],
            tuned: Vec::new(),
            models: ImageModels::default(),
        }
    }
}

impl ImageProtocol {
    /// # Errors
    /// [`Error::Request`] that names the field.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |field, message: String| Err(Error::Request { field, message });
        for goal in &self.goals {
            if self.targets(*goal) == 0 {
                return refuse("prompts", format!("{goal} has no target"));
            }
        }
        if self.goals.is_empty() {
            return refuse("goal", "there must be one".to_owned());
        }
        if self.seeds == 0 || self.seeds > MAX_COUNT {
            return refuse("seeds", format!("must be 1 to {MAX_COUNT}"));
        }
        let strange = |c: &&ImageCandidate| !c.method.follows_any_loss();
        if let Some(candidate) = self.candidates.iter().find(strange) {
            return refuse(
                "method",
                format!("{} does not steer pictures", candidate.method),
            );
        }
        stepwise(self.candidates.iter().map(|candidate| candidate.method))
    }

    /// A method's strength: its own, or what was tuned for it without augmentations.
    pub(super) fn scale(&self, goal: ImageGoal, candidate: ImageCandidate) -> f64 {
        let method = candidate.method;
        let mut given = self.tuned.iter();
        let given = given.find(|tuned| (tuned.0, tuned.1) == (goal, method));
        candidate
            .guidance_scale
            .or(candidate.cfg)
            .or_else(|| given.map(|tuned| tuned.2))
            .unwrap_or_else(|| method.tuned_scale(goal.tuned_on()))
    }

    /// How many targets there are.
    pub(super) fn targets(&self, goal: ImageGoal) -> usize {
        match goal {
            ImageGoal::Text => self.prompts.len(),
            ImageGoal::Seg | ImageGoal::Sketch => self.shapes.len(),
        }
    }

    /// A target in words.
    #[must_use]
    pub fn target_name(&self, goal: ImageGoal, target: usize) -> String {
        match goal {
            ImageGoal::Text => self.prompts.get(target).cloned().unwrap_or_default(),
            _ => {
                let shape = self.shapes.get(target).map_or("", |shape| shape.name());
                format!("{goal} {shape}")
            }
        }
    }

    /// Pictures of one method and goal.
    pub(super) fn pictures(&self, goal: ImageGoal) -> usize {
        self.targets(goal) * self.seeds
    }

    /// The methods that are run with a goal: augmentations change what the encoders see only.
    pub(super) fn candidates(&self, goal: ImageGoal) -> Vec<ImageCandidate> {
        let mut all = vec![ImageCandidate::plain(Method::None)];
        if goal == ImageGoal::Text {
            all.extend(self.cfg.map(ImageCandidate::told));
        }
        let own = self.candidates.iter().copied();
        all.extend(own.filter(|c| c.augmentations == 0 || goal == ImageGoal::Text));
        all
    }
}
