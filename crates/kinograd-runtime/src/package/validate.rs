//! What a `model.json` must say to be understood.

use kinograd_files::{Budget, OverBudget, escape};
use serde::Deserialize;

use super::manifest::{Manifest, ModelKind, Role, SCHEMA, TrainedText};
use super::schedule::{Prediction, ScheduleKind};

/// Largest side of an image: what a typing error in `model.json` may ask memory for.
const MAX_SIDE: usize = 4096;
/// Most channels of a latent, and most classes, for the same reason.
const MAX_LATENT_CHANNELS: usize = 1024;
const MAX_CLASSES: usize = 1_000_000;
/// Most training steps: what a typing error in `model.json` may ask memory for.
const MAX_TRAIN_STEPS: usize = 1_000_000;

/// Most denoising steps of a run.
const MAX_STEPS: usize = 1000;

/// Most rows of a fixed batch, which is filled up where fewer are asked for.
const MAX_ROWS: usize = 256;

/// Longest name, which is that of a folder, too.
pub const MAX_NAME_BYTES: usize = 100;
/// Most frames, features and tokens: what the arrays of one clip may ask memory for.
const MAX_CLIP_SIDE: usize = 1 << 16;

/// Whether a name cannot lead out of the folder of packages.
fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= MAX_NAME_BYTES
        && !name.contains(['/', '\\'])
        && !name.contains(char::is_control)
}

impl TrainedText {
    /// Refuses what no prompt could be held against.
    fn validate(&self) -> Result<(), String> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.chars().all(|c| c.is_alphanumeric() || c == '\'')
                && !word.contains(char::is_uppercase)
        };
        if self.words.is_empty() {
            return Err("text.words is empty".into());
        }
        let phrases = self.negations.iter().flat_map(|p| p.split(' '));
        for (key, word) in (self.words.iter().map(|w| ("words", w.as_str())))
            .chain(self.counts.keys().map(|w| ("counts", w.as_str())))
            .chain(phrases.map(|w| ("negations", w)))
        {
            if !is_word(word) {
                return Err(format!(
                    "text.{key}: `{}` must be a word in lower case",
                    escape(word)
                ));
            }
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads and checks `model.json`; the error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Versioned {
            schema: u32,
        }
        // The version first: a later format may not fit the fields at all.
        let Versioned { schema } = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if schema != SCHEMA {
            return Err(format!(
                "schema {schema}: this version reads schema {SCHEMA}"
            ));
        }
        let manifest: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        manifest.validate()?;
        Ok(manifest)
    }

    pub(crate) fn to_json(&self) -> Result<String, String> {
        self.validate()?;
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        Ok(text + "\n")
    }

    fn validate(&self) -> Result<(), String> {
        if !is_plain_name(&self.name) {
            return Err(format!(
                "name `{}` must be a plain, non-empty word of at most {MAX_NAME_BYTES} bytes",
                escape(&self.name)
            ));
        }
        self.validate_schedule()?;
        if let Some(r) = &self.representation {
            let lengths = r.min_frames >= 1 && r.min_frames <= r.max_frames;
            if !(lengths && r.patch_frames >= 1 && r.features >= 1 && r.fps > 0.0) {
                return Err(
                    "representation: fps, features, patch_frames must be positive and \
                            1 ≤ min_frames ≤ max_frames"
                        .into(),
                );
            }
        }
        for (role, entry) in &self.files {
            if !entry
                .batch
                .is_none_or(|rows| (1..=MAX_ROWS).contains(&rows))
            {
                return Err(format!(
                    "files.{}.batch must be 1 to {MAX_ROWS}",
                    role.as_str()
                ));
            }
            let patch = entry.patch_frames;
            if !patch.is_none_or(|frames| (1..=MAX_CLIP_SIDE).contains(&frames)) {
                return Err(format!(
                    "files.{}.patch_frames must be 1 to {MAX_CLIP_SIDE}",
                    role.as_str()
                ));
            }
        }
        self.validate_sizes().map_err(|error| error.to_string())?;
        self.validate_image_model()?;
        if let Some(c) = &self.conditioning
            && (c.dims == 0 || c.max_tokens == 0)
        {
            return Err("conditioning: dims and max_tokens must be positive".into());
        }
        self.validate_text_source()?;
        if let Some(cfg) = self.defaults.cfg
            && !cfg.is_finite()
        {
            return Err("defaults.cfg must be a finite number".into());
        }
        let scores = [
            ("least_text_score", self.defaults.least_text_score),
            ("least_known_score", self.defaults.least_known_score),
        ];
        for (name, score) in scores {
            if let Some(score) = score.filter(|score| !(-1.0..=1.0).contains(score)) {
                return Err(format!("defaults.{name}: {score} is no cosine, -1 to 1"));
            }
        }
        if let Some(steps) = self.defaults.steps {
            let most = self.schedule.map_or(MAX_STEPS, |s| s.train_steps);
            if !(1..=most.min(MAX_STEPS)).contains(&steps) {
                return Err(format!(
                    "defaults.steps: {steps} is outside 1 to {}",
                    most.min(MAX_STEPS)
                ));
            }
        }
        match &self.text {
            Some(_) if self.kind != ModelKind::Motion => {
                Err("text: only motion packages say what words they were trained on".into())
            }
            Some(text) => text.validate(),
            None => Ok(()),
        }
    }

    /// Refuses sizes that no array could have.
    fn validate_sizes(&self) -> Result<(), OverBudget> {
        let budget = Budget::of_process();
        let side =
            |what: &str, value: usize| budget.check(what, value as u64, MAX_CLIP_SIDE as u64);
        if let Some(r) = &self.representation {
            budget.check_fps("representation.fps", r.fps)?;
            side("representation.max_frames", r.max_frames)?;
            side("representation.patch_frames", r.patch_frames)?;
            side("representation.features", r.features)?;
            let clip = [r.max_frames, r.features];
            budget.check_shape(
                "representation: frames × features",
                &clip,
                budget.batch_elements,
            )?;
        }
        if let Some(c) = &self.conditioning {
            let states = [c.max_tokens, c.dims];
            budget.check_shape(
                "conditioning: max_tokens × dims",
                &states,
                budget.sample_elements,
            )?;
            let embedding = c.embedding_dims.unwrap_or(0);
            side("conditioning.embedding_dims", embedding)?;
            side("conditioning.pooled_dims", c.pooled_dims.unwrap_or(0))?;
        }
        if let Some(image) = &self.image {
            budget.check_shape("image", &image.size(), budget.sample_elements * 16)?;
        }
        if let Some(latent) = &self.latent {
            budget.check_shape("latent", &latent.size(), budget.sample_elements)?;
        }
        Ok(())
    }

    fn validate_text_source(&self) -> Result<(), String> {
        let Some(from) = self.text_from() else {
            return Ok(());
        };
        if self.kind != ModelKind::Image {
            return Err("conditioning.from: only image packages borrow a text encoder".into());
        }
        if !is_plain_name(from) {
            return Err(format!(
                "conditioning.from: `{from}` must be a package's name, not a path"
            ));
        }
        if self.files.contains_key(&Role::TextEncoder) {
            return Err("conditioning.from and files.text_encoder exclude each other".into());
        }
        Ok(())
    }

    fn validate_image_model(&self) -> Result<(), String> {
        if let Some(image) = &self.image {
            let sides = [image.height, image.width];
            let within = sides.iter().all(|side| (1..=MAX_SIDE).contains(side));
            if !(within && matches!(image.channels, 1 | 3 | 4)) {
                return Err(format!(
                    "image: sides must be 1 to {MAX_SIDE} pixels and channels 1, 3 or 4"
                ));
            }
        }
        let has = |role| self.files.contains_key(&role);
        if let Some(latent) = &self.latent {
            let sides = [latent.height, latent.width];
            let within = sides.iter().all(|side| (1..=MAX_SIDE).contains(side));
            if !(within && (1..=MAX_LATENT_CHANNELS).contains(&latent.channels)) {
                return Err(format!(
                    "latent: sides must be 1 to {MAX_SIDE} and channels 1 to {MAX_LATENT_CHANNELS}"
                ));
            }
            let shift = latent.shift.unwrap_or(0.0);
            if !(latent.scale.is_finite() && latent.scale != 0.0 && shift.is_finite()) {
                return Err("latent: scale and shift must be finite, and scale not 0".into());
            }
            if self.image.is_none() {
                return Err("`image` is missing: the size of what `latent` is decoded to".into());
            }
        }
        match (self.latent.is_some(), has(Role::Decoder)) {
            (true, false) => return Err("files has no `decoder`, which `latent` needs".into()),
            (false, true) => return Err("`latent` is missing: what files.decoder takes".into()),
            _ => {}
        }
        if let Some(classes) = &self.classes {
            let (count, names) = (classes.count, classes.names.len());
            if !(1..=MAX_CLASSES).contains(&count) || classes.null.is_some_and(|null| null > count)
            {
                return Err(format!(
                    "classes: count must be 1 to {MAX_CLASSES} and null at most count"
                ));
            }
            if names != 0 && names != count {
                return Err(format!("classes: {names} names for {count} classes"));
            }
        }
        if self.kind == ModelKind::Image && has(Role::TextEncoder) {
            for (there, key) in [
                (has(Role::Tokenizer), "files.tokenizer"),
                (self.conditioning.is_some(), "conditioning"),
            ] {
                if !there {
                    return Err(format!("`{key}` is missing, which a text_encoder needs"));
                }
            }
        }
        Ok(())
    }

    fn validate_schedule(&self) -> Result<(), String> {
        let flows = self.prediction == Prediction::Flow;
        let Some(schedule) = &self.schedule else {
            return if flows {
                Err("prediction `flow` needs a schedule of the kind `flow`".into())
            } else {
                Ok(())
            };
        };
        if !(1..=MAX_TRAIN_STEPS).contains(&schedule.train_steps) {
            return Err(format!(
                "schedule.train_steps must be 1 to {MAX_TRAIN_STEPS}"
            ));
        }
        let is_flow = schedule.kind == ScheduleKind::Flow;
        if let Some(levels) = schedule.distilled_levels
            && (is_flow || !(1..=schedule.train_steps).contains(&levels))
        {
            return Err(
                "schedule.distilled_levels must be 1 to schedule.train_steps, and of no flow"
                    .to_owned(),
            );
        }
        if is_flow != flows {
            return Err("prediction `flow` and schedule.kind `flow` go together".into());
        }
        if schedule.shift.is_some() && !is_flow {
            return Err("schedule.shift belongs to a schedule of the kind `flow`".into());
        }
        if schedule.zero_snr && (is_flow || self.prediction == Prediction::Epsilon) {
            let reason =
                "schedule.zero_snr needs prediction `x0` or `v`: noise alone tells no noise";
            return Err(reason.into());
        }
        schedule
            .levels()
            .map(|_| ())
            .map_err(|error| format!("schedule: {error}"))
    }
}
