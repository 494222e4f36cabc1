use std::collections::BTreeMap;

use kinograd_diffusion::{NoiseSchedule, SamplerKind};
use serde::{Deserialize, Serialize};

use super::image::{Classes, ImageSize, LatentSize};
use super::representation::Representation;
use super::schedule::{Prediction, ScheduleSpec};

/// The version of `model.json` that this crate reads.
pub const SCHEMA: u32 = 1;
/// Name of the description in a package's folder.
pub const MANIFEST_FILE: &str = "model.json";

/// The contents of `model.json`.
///
/// | key | type | meaning |
/// |---|---|---|
/// | `schema` | 1 | version of this format |
/// | `name`, `version` | strings | what [`crate::find_package`] looks for; a release of the weights |
/// | `kind` | `"motion"`, `"image"`, `"text"`, `"embedding"`, `"segmentation"`, `"reward"` | what the package makes |
/// | `files` | map: role → `{path, sha256, inputs?, outputs?, data?, batch?, patch_frames?}` | `path` relative to the folder, with `/`; `inputs` and `outputs` map the contract's names to the graph's where they differ; `data` lists the files that hold the graph's external data, `{path, sha256}`; `batch` is how many rows the graph takes at once where that is fixed; `patch_frames` the denoiser's own, where it is not the representation's |
/// | `prediction` | `"x0"`, `"epsilon"`, `"v"`, `"flow"` | what the denoiser's output `x0` holds; `"flow"` is `noise − x0` and goes with the schedule of that name |
/// | `schedule` | `{kind, train_steps, beta_start?, beta_end?, shift?, zero_snr?, time?}` | `kind` is `"cosine"`, `"linear"`, `"scaled_linear"` (β linear in its root) or `"flow"`; see [`ScheduleSpec`] |
/// | `representation` | `{kind, fps, features, min_frames, max_frames, patch_frames}` | `kind` is `"humanml3d"` or `"humanml3d-absolute-root"`, see [`RepresentationKind`](crate::RepresentationKind); no other is read; lengths in frames |
/// | `image` | `{channels, height, width}` | size of the images that a denoiser makes or a network reads; pixels in −1..1 |
/// | `latent` | `{channels, height, width, scale, shift?}` | of a latent image model: what the denoiser makes; the `decoder` gets `latent / scale + shift` |
/// | `classes` | `{count, null?, names?}` | of an image model with classes: how many, the index that means none (`count` or below), and their names |
/// | `conditioning` | `{dims, max_tokens, embedding_dims?, pooled_dims?}` | widths of `condition`, `embedding` and `pooled`; longest prompt |
/// | `text` | `{words, counts?, negations?}` | of a motion package: the words that it was trained on, see [`TrainedText`]; prompts with others are warned of |
/// | `defaults` | `{cfg?, steps?, sampler?, least_text_score?, least_known_score?}` | how the makers sample; holds where a task says nothing else, see [`Defaults`] |
/// | `licence`, `data` | strings | terms; where the training data came from |
/// | `limits` | strings | what the model cannot do |
/// | `known_prompts` | strings | prompts that were seen to work |
/// | `metrics` | map | measured numbers, with names of the makers' choice |
/// | `lineage` | `{parent, parent_version, parent_sha256, command, reward, rounds, training_steps, learning_rate, seed, weights}` | absent unless the weights were fine-tuned from another package's |
///
/// Roles and the tensors that their graphs take and return:
///
/// | role | inputs → outputs |
/// |---|---|
/// | `denoiser` | `x_t [batch, frames, features]`, `timestep [batch]` f32, `condition [batch, dims]`, `frame_mask [batch, frames]` f32 → `x0 [batch, frames, features]` |
/// | `denoiser` of an image package | `x_t [batch, channels, height, width]` of the size of `latent`, if there is one, else of `image`; `timestep [batch]` f32; with `classes` also `class [batch]` i64; with a `text_encoder` also `condition [batch, max_tokens, dims]`, with `pooled_dims` also `pooled [batch, pooled_dims]` → `x0`, like `x_t` |
/// | `decoder` | `latent [batch, channels, height, width]` → `image [batch, channels, height, width]` in −1..1 |
/// | `text_encoder` | `token_ids [batch, tokens]` i64, `token_mask [batch, tokens]` f32 → `condition [batch, dims]`, `embedding [batch, embedding_dims]` |
/// | `text_encoder` of an image package | the same, always `max_tokens` of them → `condition [batch, max_tokens, dims]`, with `pooled_dims` also `pooled [batch, pooled_dims]`; that of the empty prompt is the null condition |
/// | `motion_embedding` | `features [batch, frames, features]`, `frame_mask [batch, frames]` → `embedding [batch, embedding_dims]` |
/// | `image_embedding` | `image [batch, channels, height, width]` → `embedding [batch, embedding_dims]`, unit length |
/// | `segmentation` | `image [batch, channels, height, width]` → `logits [batch, 1, height, width]` of the foreground |
/// | `tokenizer` | a `tokenizer.json` of the `tokenizers` crate |
/// | `tokenizer_2` of an image package | another, whose tokens the text encoder takes as `token_ids_2` and `token_mask_2` beside the first's |
/// | `constants` | NPZ of f32: `mean [features]`, `std [features]`, `null_condition [dims]` |
/// | `reference` of an embedding package | NPZ of f32: `mean [embedding_dims]`, `covariance [embedding_dims, embedding_dims]` of its training data |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The package's name.
    pub name: String,
    /// Release of the weights.
    pub version: String,
    /// What the package makes.
    pub kind: ModelKind,
    /// The files, by role.
    pub files: BTreeMap<Role, FileEntry>,
    /// What the denoiser predicts.
    #[serde(default)]
    pub prediction: Prediction,
    /// The noise schedule of the training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleSpec>,
    /// What the features are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub representation: Option<Representation>,
    /// Size of the images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSize>,
    /// What a latent model's denoiser makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<LatentSize>,
    /// What classes the denoiser knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Classes>,
    /// How prompts come in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditioning: Option<Conditioning>,
    /// The words that a motion package was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<TrainedText>,
    /// How the makers sample.
    #[serde(default)]
    pub defaults: Defaults,
    /// Terms of use.
    #[serde(default)]
    pub licence: String,
    /// Where the training data came from.
    #[serde(default)]
    pub data: String,
    /// What the model cannot do.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Prompts that were seen to work.
    #[serde(default)]
    pub known_prompts: Vec<String>,
    /// Measured numbers.
    #[serde(default)]
    pub metrics: serde_json::Map<String, serde_json::Value>,
    /// What the weights were fine-tuned from, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
}

/// Where fine-tuned weights come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// Name of the package that the weights were before.
    pub parent: String,
    /// Its release.
    pub parent_version: String,
    /// SHA-256 of its denoiser.
    pub parent_sha256: String,
    /// The task that made this package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<serde_json::Value>,
    /// What was made large.
    pub reward: String,
    /// Rounds of generating and learning.
    pub rounds: usize,
    /// Steps of the optimiser in all.
    pub training_steps: usize,
    /// The optimiser's learning rate.
    pub learning_rate: f64,
    /// First seed.
    pub seed: u64,
    /// Names of the weights that were trained.
    pub weights: Vec<String>,
}

/// What a package makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// Clips.
    Motion,
    /// Pictures.
    Image,
    /// Text conditions.
    Text,
    /// Embeddings.
    Embedding,
    /// Masks of the foreground.
    Segmentation,
    /// Rewards.
    Reward,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Predicts the clean sample.
    Denoiser,
    /// Turns latents into pictures.
    Decoder,
    /// Turns tokens into a condition and an embedding.
    TextEncoder,
    /// Turns a clip into an embedding.
    MotionEmbedding,
    /// Turns an image into an embedding.
    ImageEmbedding,
    /// Finds an image's foreground.
    Segmentation,
    /// Turns text into tokens.
    Tokenizer,
    /// Turns text into tokens of a second vocabulary.
    #[serde(rename = "tokenizer_2")]
    Tokenizer2,
    /// Means, deviations and the null condition.
    Constants,
    /// Mean and covariance of the embeddings of the training data.
    Reference,
}

impl Role {
    /// The role's name in `model.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denoiser => "denoiser",
            Self::Decoder => "decoder",
            Self::TextEncoder => "text_encoder",
            Self::MotionEmbedding => "motion_embedding",
            Self::ImageEmbedding => "image_embedding",
            Self::Segmentation => "segmentation",
            Self::Tokenizer => "tokenizer",
            Self::Tokenizer2 => "tokenizer_2",
            Self::Constants => "constants",
            Self::Reference => "reference",
        }
    }
}

/// A file with data of another: what ONNX calls external data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DataEntry {
    /// Path inside the folder.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// One file of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path inside the folder.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// The graph's names of the contract's inputs, where they differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    /// The graph's names of the contract's outputs, where they differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// The files that hold data of this one, where not all of it lies inside: weights from 2 GiB on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<DataEntry>,
    /// How many rows the graph takes at once, no more and no fewer, where its batch is not free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// Of a denoiser of clips: the multiple of frames that its graph takes, where it is not that of the
    /// representation; of a graph of one length, that length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_frames: Option<usize>,
}

/// How prompts come in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Conditioning {
    /// Width of the condition.
    pub dims: usize,
    /// Longest prompt, in tokens; with `from`, how many rows of a prompt the denoiser reads.
    pub max_tokens: usize,
    /// Width of the embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_dims: Option<usize>,
    /// Of an image package: width of the text encoder's second output, `pooled`, which the denoiser
    /// reads beside the condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled_dims: Option<usize>,
    /// Name of the package whose tokenizer and text encoder the denoiser of an image package was
    /// trained with, where they are not its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What stands for no prompt in an image package.
    #[serde(default, skip_serializing_if = "NullText::is_default")]
    pub null: NullText,
}

/// What an image denoiser reads where there is no prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NullText {
    /// What the text encoder makes of the empty prompt.
    #[default]
    Empty,
    /// Zeros.
    Zeros,
}

impl NullText {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a motion package was taught of English. A prompt is held against it, and what goes beyond is
/// warned of; packages without it warn of no words.
///
/// Words and verbs are in lower case, as the captions of the training have them; other forms of them,
/// such as a plural or a participle, count as known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedText {
    /// Every word of the captions that it was trained on, sorted.
    pub words: Vec<String>,
    /// How often a verb was said to be done, such as `"kicks": [2]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, Vec<u32>>,
    /// What followed a negation, to the end of its clause: `"moving the feet"` of "without moving the
    /// feet".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub negations: Vec<String>,
}

/// How the makers sample: what holds where a task says nothing else.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Defaults {
    /// Scale of classifier-free guidance. An image denoiser with 0 is told a prompt only where
    /// another scale is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cfg: Option<f64>,
    /// Denoising steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// The sampler, for methods that have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampler: Option<SamplerKind>,
    /// Cosine between the embeddings of clip and prompt below which most clips do not do what the prompt
    /// says, as the package's makers measured it; a clip below is warned of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_text_score: Option<f64>,
    /// Cosine between the embeddings of a prompt and of the nearest known one below which the model does not
    /// know what is asked for, as the package's makers measured it; a prompt below is warned of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_known_score: Option<f64>,
}

impl Manifest {
    pub(super) fn text_from(&self) -> Option<&str> {
        self.conditioning.as_ref()?.from.as_deref()
    }

    /// Whether the denoiser of an image package reads what a text encoder makes of a prompt, the
    /// package's own or that of [`Conditioning::from`].
    #[must_use]
    pub fn takes_text(&self) -> bool {
        let has = self.files.contains_key(&Role::TextEncoder) || self.text_from().is_some();
        self.kind == ModelKind::Image && has
    }

    /// Whether the denoiser of an image package can be told nothing: the empty prompt, or a class that
    /// means none.
    #[must_use]
    pub fn has_null_condition(&self) -> bool {
        let null_class = self.classes.as_ref().and_then(|classes| classes.null);
        self.takes_text() || null_class.is_some()
    }

    /// Whether the denoiser of an image package is told a prompt, given the scale of classifier-free
    /// guidance that was asked for.
    #[must_use]
    pub fn is_text_conditioned(&self, cfg: Option<f64>) -> bool {
        self.takes_text() && cfg.or(self.defaults.cfg) != Some(0.0)
    }

    /// What the features are.
    ///
    /// # Errors
    /// [`crate::RuntimeError::PackageFormat`] if `model.json` does not say.
    pub fn motion(&self) -> Result<&Representation, crate::RuntimeError> {
        self.representation
            .as_ref()
            .ok_or_else(|| self.lacks("representation"))
    }

    /// Size of the images.
    ///
    /// # Errors
    /// [`crate::RuntimeError::PackageFormat`] if `model.json` does not say.
    pub fn image(&self) -> Result<ImageSize, crate::RuntimeError> {
        self.image.ok_or_else(|| self.lacks("image"))
    }

    /// `[channels, height, width]` of what the denoiser of an image package makes: latents, where the
    /// package has a decoder, else images.
    ///
    /// # Errors
    /// [`crate::RuntimeError::PackageFormat`] if `model.json` does not say.
    pub fn sample_size(&self) -> Result<[usize; 3], crate::RuntimeError> {
        match self.latent {
            Some(latent) => Ok(latent.size()),
            None => Ok(self.image()?.size()),
        }
    }

    /// How prompts come in.
    ///
    /// # Errors
    /// [`crate::RuntimeError::PackageFormat`] if `model.json` does not say.
    pub fn text(&self) -> Result<&Conditioning, crate::RuntimeError> {
        self.conditioning
            .as_ref()
            .ok_or_else(|| self.lacks("conditioning"))
    }

    /// The noise schedule of the training.
    ///
    /// # Errors
    /// [`crate::RuntimeError::PackageFormat`] if `model.json` does not say, or
    /// [`crate::RuntimeError::Diffusion`] if it cannot be.
    pub fn noise_schedule(&self) -> Result<NoiseSchedule, crate::RuntimeError> {
        let spec = self.schedule.ok_or_else(|| self.lacks("schedule"))?;
        Ok(spec.levels()?)
    }

    fn lacks(&self, key: &str) -> crate::RuntimeError {
        crate::RuntimeError::PackageFormat {
            path: format!("{}/{}", self.name, MANIFEST_FILE).into(),
            reason: format!("`{key}` is missing"),
        }
    }
}
