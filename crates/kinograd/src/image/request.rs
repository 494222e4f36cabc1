//! What to make: a validated request.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Condition, Goal};
use crate::bench::ImageGoal;
use crate::request::{MAX_PROMPT_CHARS, shell_quoted};
use crate::{Error, Method, Sampler, Steering};

/// Most images of one request.
pub const MAX_IMAGES: usize = 1000;
/// Most denoising steps.
const MAX_STEPS: usize = 1000;
/// Steps with which strengths were tuned.
const TUNED_STEPS: usize = 20;
/// Most augmentations of a step.
const MAX_AUGMENTATIONS: usize = 200;

/// Every method that steers images: all but the one for paths on the ground.
pub const STEERING: [Method; 12] = [
    Method::Dps,
    Method::Freedom,
    Method::Mpgd,
    Method::Polyak,
    Method::PolyakCapped,
    Method::Normalized,
    Method::LgdMc,
    Method::Ugd,
    Method::Tfg,
    Method::Dsg,
    Method::AdamDps,
    Method::Mean,
];

/// Which model packages take part, by name or folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageModels {
    /// Makes the images.
    pub denoiser: String,
    /// Embeds images and texts, and steers.
    pub embedding: String,
    /// Embeds them too and only judges; not used where it is not there.
    pub judge: String,
    /// Finds the foreground.
    pub segmentation: String,
}

impl Default for ImageModels {
    fn default() -> Self {
        Self {
            denoiser: "emoji-64".to_owned(),
            embedding: "emoji-clip".to_owned(),
            judge: "emoji-judge".to_owned(),
            segmentation: "emoji-seg".to_owned(),
        }
    }
}

/// What to make. Made by [`ImageRequest::builder`], which checks it.
///
/// ```
/// use kinograd::image::ImageRequest;
/// let request = ImageRequest::builder().prompt("a red heart").images(4).build()?;
/// assert_eq!(request.goals.len(), 1);
/// assert!(ImageRequest::builder().steps(0).build().is_err());
/// # Ok::<(), kinograd::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImageRequest {
    /// What to steer towards.
    pub goals: Vec<Goal>,
    /// What the denoiser itself is told, where it reads text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the denoiser is guided away from in place of no text, where it reads text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<String>,
    /// The class that the denoiser makes, by number or name, where it has classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Scale of classifier-free guidance on text and class (Ho & Salimans 2022); the package's own
    /// if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cfg: Option<f64>,
    /// A .npy file of x_T, `f32 [images, channels, height, width]` of the model's samples, in place
    /// of the seed's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<PathBuf>,
    /// How many images.
    pub images: usize,
    /// Seed; image `i` depends on it and `i` only.
    pub seed: u64,
    /// Denoising steps.
    pub steps: usize,
    /// How one noise level leads to the next.
    pub sampler: Sampler,
    /// How the goals steer.
    pub method: Method,
    /// Strength of the steering; 1 is the method's own.
    pub guidance_scale: f64,
    /// When and how much the method acts.
    #[serde(default, skip_serializing_if = "Steering::is_default")]
    pub steering: Steering,
    /// Random augmentations per step of what networks judge; 0 is off.
    pub augmentations: usize,
    /// The model packages.
    pub models: ImageModels,
    /// What is kept of the way.
    #[serde(skip)]
    pub keep: Keep,
}

/// What is kept of how images came out of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Pictures of some steps, for a strip; a latent model decodes each.
    pub strip: bool,
    /// Every step as numbers.
    pub trace: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            strip: true,
            trace: false,
        }
    }
}

impl ImageRequest {
    /// Starts a request.
    pub fn builder() -> ImageRequestBuilder {
        ImageRequestBuilder {
            guidance_scale: None,
            request: Self {
                goals: Vec::new(),
                text: None,
                negative: None,
                class: None,
                cfg: None,
                noise: None,
                images: 1,
                seed: 0,
                steps: 50,
                sampler: Sampler::Ddim,
                method: Method::Normalized,
                guidance_scale: 1.0,
                steering: Steering::default(),
                augmentations: 10,
                models: ImageModels::default(),
                keep: Keep::default(),
            },
        }
    }

    /// Whether anything steers.
    #[must_use]
    pub fn is_guided(&self) -> bool {
        self.method != Method::None && self.goals.iter().any(|goal| goal.weight > 0.0)
    }

    /// The strength unless the request names one: tuned for the method on goals like the first, with
    /// [`TUNED_STEPS`] steps. The normalised step has one length however many there are: more of
    /// them are shorter, by the root of how many more, which loses nothing by the judge and keeps
    /// colours from running full.
    fn default_scale(&self) -> f64 {
        let first = self.goals.iter().find(|goal| goal.weight > 0.0);
        let tuned = first.map_or(1.0, |goal| {
            crate::bench::tuned_image_scale(self.method, ImageGoal::of(&goal.condition))
        });
        match self.method {
            Method::Normalized if self.steps > TUNED_STEPS => {
                tuned * (TUNED_STEPS as f64 / self.steps as f64).sqrt()
            }
            _ => tuned,
        }
    }

    /// The first text among the goals.
    #[must_use]
    pub fn prompt(&self) -> Option<&str> {
        self.goals.iter().find_map(|goal| match &goal.condition {
            Condition::Text { prompt } => Some(prompt.as_str()),
            _ => None,
        })
    }

    /// The command that makes the same images.
    #[must_use]
    pub fn to_command(&self) -> String {
        let steering = format!(
            " --method {} --guidance-scale {}",
            self.method, self.guidance_scale
        );
        self.command_with(&steering, &self.steering.words())
    }

    /// The command without what steers the pictures.
    pub(super) fn to_unsteered_command(&self) -> String {
        self.command_with("", &[])
    }

    fn command_with(&self, method: &str, steering: &[String]) -> String {
        let mut words = vec!["kinograd image".to_owned()];
        let mut goals = self.goals.as_slice();
        let mut names_towers = false;
        if let Some(text) = &self.text {
            words.push(shell_quoted(text));
            // With --text-model the prompt steers too, if nothing else does by the towers.
            let is_prompt = |goal: &Goal| {
                goal.weight == 1.0
                    && matches!(&goal.condition, Condition::Text { prompt } if prompt == text)
            };
            if let [first, rest @ ..] = goals
                && is_prompt(first)
                && !rest.iter().any(|goal| goal.condition.needs_towers())
            {
                goals = rest;
                names_towers = true;
            }
        } else if let [
            Goal {
                condition: Condition::Text { prompt },
                weight,
            },
            rest @ ..,
        ] = goals
            && *weight == 1.0
        {
            words.push(shell_quoted(prompt));
            goals = rest;
        }
        for goal in goals {
            words.push(format!("--loss {}", shell_quoted(&goal.to_string())));
        }
        words.push(format!(
            "--n {} --seed {} --steps {} --sampler {}{method} --augment {}",
            self.images, self.seed, self.steps, self.sampler, self.augmentations
        ));
        words.extend_from_slice(steering);
        if let Some(class) = &self.class {
            words.push(format!("--class {}", shell_quoted(class)));
        }
        if let Some(cfg) = self.cfg {
            words.push(format!("--cfg {cfg}"));
        }
        if let Some(negative) = &self.negative {
            words.push(format!("--negative {}", shell_quoted(negative)));
        }
        if let Some(noise) = &self.noise {
            words.push(format!(
                "--noise {}",
                shell_quoted(&noise.to_string_lossy())
            ));
        }
        let (models, usual) = (&self.models, ImageModels::default());
        for (flag, own, usual) in [
            ("model", &models.denoiser, usual.denoiser),
            ("text-model", &models.embedding, usual.embedding),
            ("judge", &models.judge, usual.judge),
            ("seg-model", &models.segmentation, usual.segmentation),
        ] {
            if *own != usual || (names_towers && flag == "text-model") {
                words.push(format!("--{flag} {}", shell_quoted(own)));
            }
        }
        words.join(" ")
    }

    fn check(&self) -> Result<(), Error> {
        let refuse = |field, message: String| Err(Error::Request { field, message });
        if self.images == 0 || self.images > MAX_IMAGES {
            return refuse(
                "n",
                format!("{} images; 1 to {MAX_IMAGES} are made", self.images),
            );
        }
        if self.steps == 0 || self.steps > MAX_STEPS {
            return refuse(
                "steps",
                format!("{} is outside 1 to {MAX_STEPS}", self.steps),
            );
        }
        if self.augmentations > MAX_AUGMENTATIONS {
            return refuse(
                "augment",
                format!("{} is outside 0 to {MAX_AUGMENTATIONS}", self.augmentations),
            );
        }
        if !(self.guidance_scale.is_finite() && self.guidance_scale >= 0.0) {
            return refuse(
                "guidance scale",
                format!(
                    "{} must be a number that is not negative",
                    self.guidance_scale
                ),
            );
        }
        if let Some(cfg) = self.cfg
            && !cfg.is_finite()
        {
            return refuse("cfg", format!("{cfg} is no scale"));
        }
        if let Some(text) = &self.text {
            check_length(text)?;
        }
        self.steering.check()?;
        if self.method != Method::None && !STEERING.contains(&self.method) {
            let names = STEERING.map(Method::name).join(", ");
            return refuse(
                "method",
                format!(
                    "{} follows paths on the ground; images take {names}",
                    self.method
                ),
            );
        }
        for goal in &self.goals {
            if !(goal.weight.is_finite() && goal.weight >= 0.0) {
                return refuse("loss", format!("{} is no weight", goal.weight));
            }
            if let Condition::Text { prompt } = &goal.condition {
                check_prompt(prompt)?;
            }
        }
        Ok(())
    }
}

fn refuse_prompt(message: String) -> Result<(), Error> {
    Err(Error::Request {
        field: "prompt",
        message,
    })
}

/// The text towers read English: a prompt without one Latin letter means nothing to them.
fn check_prompt(prompt: &str) -> Result<(), Error> {
    check_length(prompt)?;
    if !prompt.chars().any(|c| c.is_ascii_alphabetic()) {
        return refuse_prompt(format!(
            "`{}` has no Latin letter; the text model reads English",
            prompt.trim()
        ));
    }
    Ok(())
}

fn check_length(prompt: &str) -> Result<(), Error> {
    if prompt.trim().is_empty() {
        return refuse_prompt("is empty".to_owned());
    }
    let characters = prompt.chars().count();
    if characters > MAX_PROMPT_CHARS {
        return refuse_prompt(format!(
            "has {characters} characters; at most {MAX_PROMPT_CHARS} are read"
        ));
    }
    Ok(())
}

/// Collects an [`ImageRequest`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ImageRequestBuilder {
    request: ImageRequest,
    guidance_scale: Option<f64>,
}

impl ImageRequestBuilder {
    /// Steers towards a text, with weight 1.
    pub fn prompt(self, prompt: impl Into<String>) -> Self {
        let prompt = prompt.into();
        self.goal(Goal {
            condition: Condition::Text { prompt },
            weight: 1.0,
        })
    }

    /// Steers towards something.
    pub fn goal(mut self, goal: Goal) -> Self {
        self.request.goals.push(goal);
        self
    }

    /// Tells the denoiser itself, where it is ([`super::is_told`]); the goals may hold the
    /// same text as a loss beside it.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.request.text = Some(text.into());
        self
    }

    /// What to guide away from in place of no text, where the denoiser reads text.
    pub fn negative(mut self, text: impl Into<String>) -> Self {
        self.request.negative = Some(text.into());
        self
    }

    /// The class to make, by number or name, where the denoiser has classes.
    pub fn class(mut self, class: impl Into<String>) -> Self {
        self.request.class = Some(class.into());
        self
    }

    /// Scale of classifier-free guidance on text and class; the package's own if not given.
    pub fn cfg(mut self, cfg: f64) -> Self {
        self.request.cfg = Some(cfg);
        self
    }

    /// A .npy file of x_T in place of the seed's.
    pub fn noise(mut self, path: impl Into<PathBuf>) -> Self {
        self.request.noise = Some(path.into());
        self
    }

    /// What is kept of the way.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.request.keep = keep;
        self
    }

    /// How many images.
    pub fn images(mut self, images: usize) -> Self {
        self.request.images = images;
        self
    }

    /// The same seed, models and provider give the same bytes.
    pub fn seed(mut self, seed: u64) -> Self {
        self.request.seed = seed;
        self
    }

    /// Denoising steps.
    pub fn steps(mut self, steps: usize) -> Self {
        self.request.steps = steps;
        self
    }

    /// How one noise level leads to the next.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.request.sampler = sampler;
        self
    }

    /// How the goals steer.
    pub fn method(mut self, method: Method) -> Self {
        self.request.method = method;
        self
    }

    /// Strength of the steering; what was tuned for the method and the first goal if not given.
    pub fn guidance_scale(mut self, scale: f64) -> Self {
        self.guidance_scale = Some(scale);
        self
    }

    /// When and how much the method acts.
    pub fn steering(mut self, steering: Steering) -> Self {
        self.request.steering = steering;
        self
    }

    /// Random augmentations per step of what networks judge; 0 is off.
    pub fn augmentations(mut self, augmentations: usize) -> Self {
        self.request.augmentations = augmentations;
        self
    }

    /// The package that makes the images.
    pub fn denoiser(mut self, model: impl Into<String>) -> Self {
        self.request.models.denoiser = model.into();
        self
    }

    /// The package that steers towards texts and likenesses.
    pub fn embedding(mut self, model: impl Into<String>) -> Self {
        self.request.models.embedding = model.into();
        self
    }

    /// The package that judges.
    pub fn judge(mut self, model: impl Into<String>) -> Self {
        self.request.models.judge = model.into();
        self
    }

    /// The package that finds the foreground.
    pub fn segmentation(mut self, model: impl Into<String>) -> Self {
        self.request.models.segmentation = model.into();
        self
    }

    /// Checks the request.
    ///
    /// # Errors
    /// [`Error::Request`] that names the field, what was expected and what came.
    pub fn build(mut self) -> Result<ImageRequest, Error> {
        self.request.guidance_scale = self
            .guidance_scale
            .unwrap_or_else(|| self.request.default_scale());
        self.request.check()?;
        Ok(self.request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let heart = || ImageRequest::builder().prompt("a red heart");
        for (builder, part) in [
            (ImageRequest::builder().prompt(" \t"), "prompt: is empty"),
            (
                ImageRequest::builder().prompt("x".repeat(10_000)),
                "prompt: has 10000 characters; at most 1000",
            ),
            (
                ImageRequest::builder().prompt("красное сердце"),
                "prompt: `красное сердце` has no Latin letter",
            ),
            (ImageRequest::builder().prompt("赤い 42"), "no Latin letter"),
            (heart().images(0), "n: 0 images"),
            (heart().images(1001), "n: 1001 images"),
            (heart().steps(0), "steps: 0 is outside"),
            (heart().steps(1001), "steps: 1001 is outside"),
            (heart().augmentations(1000), "augment: 1000 is outside"),
            (heart().guidance_scale(-1.0), "guidance scale: -1"),
            (heart().guidance_scale(f64::NAN), "guidance scale: NaN"),
            (heart().cfg(f64::INFINITY), "cfg: inf is no scale"),
            (ImageRequest::builder().text(" "), "prompt: is empty"),
            (
                heart().method(Method::Projection),
                "method: projection follows paths",
            ),
        ] {
            let message = builder.build().expect_err(part).to_string();
            assert!(message.contains(part), "{message} lacks {part}");
        }
        // Some Latin letters are enough.
        assert!(
            ImageRequest::builder()
                .prompt("ein rotes Herz ♥")
                .build()
                .is_ok()
        );
    }

    #[test]
    fn the_command_says_it_all() {
        let request = ImageRequest::builder()
            .prompt("it's a heart")
            .goal(
                Goal::parse("inpaint:2=m.png,image=a.png")
                    .unwrap()
                    .remove(0),
            )
            .guidance_scale(1.0)
            .augmentations(10)
            .seed(4)
            .embedding("my-clip")
            .build()
            .unwrap();
        assert_eq!(
            request.to_command(),
            r"kinograd image 'it'\''s a heart' --loss 'inpaint:2=m.png,image=a.png' --n 1 --seed 4 --steps 50 --sampler ddim --method normalized --guidance-scale 1 --augment 10 --text-model 'my-clip'"
        );
    }

    #[test]
    fn the_command_says_what_the_denoiser_is_told() {
        let told = || ImageRequest::builder().text("a cat").denoiser("ldm");
        let words = |builder: ImageRequestBuilder| {
            let command = builder.guidance_scale(1.0).build().unwrap().to_command();
            let (before, after) = command.split_once(" --n 1 --seed 0").unwrap();
            let after = after.split_once("--augment 10").unwrap().1;
            format!("{before} |{after}")
        };
        assert_eq!(
            words(told().class("tabby cat").cfg(7.5).noise("x.npy")),
            "kinograd image 'a cat' | --class 'tabby cat' --cfg 7.5 --noise 'x.npy' --model 'ldm'"
        );
        // The towers' own text is a loss; the prompt is one where they are named.
        assert_eq!(
            words(told().prompt("a dog")),
            "kinograd image 'a cat' --loss 'text=a dog' | --model 'ldm'"
        );
        assert_eq!(
            words(told().prompt("a cat")),
            "kinograd image 'a cat' | --model 'ldm' --text-model 'emoji-clip'"
        );
    }

    #[test]
    fn the_strength_is_the_tuned_one_of_the_first_goal_unless_it_is_given() {
        use crate::bench::{ImageGoal, tuned_image_scale};
        let build = |goal: &str| {
            let goal = Goal::parse(goal).unwrap().remove(0);
            let request = ImageRequest::builder().goal(goal).method(Method::Dps);
            request.build().unwrap().guidance_scale
        };
        for (goal, like) in [
            ("text=a heart", ImageGoal::Text),
            ("class=c.onnx:1", ImageGoal::Text),
            ("seg=m.png", ImageGoal::Seg),
            ("blur=1.5,image=a.png", ImageGoal::Sketch),
        ] {
            assert_eq!(build(goal), tuned_image_scale(Method::Dps, like), "{goal}");
        }
        let given = ImageRequest::builder()
            .prompt("a heart")
            .guidance_scale(3.0);
        assert_eq!(given.build().unwrap().guidance_scale, 3.0);
    }

    #[test]
    fn every_steering_method_but_the_paths_takes_images() {
        for method in Method::STEERING {
            assert_eq!(STEERING.contains(&method), method != Method::Projection);
        }
    }
}
