//! Denoisers of the MDM family (Tevet et al. 2023, "Human Motion Diffusion Model"; with the root by its
//! place Karunratanakul et al. 2023, "Guided Motion Diffusion") with CLIP's text encoder and the
//! statistics of their data set.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use kinograd_diffusion::SamplerKind;
use kinograd_files::{Budget, FileError};
use kinograd_runtime::{
    Conditioning, Defaults, Engine, FileEntry, Manifest, ModelKind, Prediction, Representation,
    RepresentationKind, Role, RuntimeError, SCHEMA, ScheduleKind, ScheduleSpec, TimeInput,
};
use ndarray::Array1;
use ndarray_npy::NpzWriter;
use onnx_grad::Model;
use serde::Deserialize;

use super::adapt::{self, AdaptedText};
use super::mask::settled;
use super::staged::{Made, StagedPackage};
use super::statistics::{FEATURES, Statistics, statistics};
use super::tokenizer::tokenizer_json;

/// Tokens that are read of a prompt: 20 and those of start and end (`MDM.encode_text`).
const MAX_TOKENS: usize = 22;
/// Diffusion steps of the first checkpoints; later ones have 50.
const TRAIN_STEPS: usize = 1000;
/// Calls of the denoiser where nothing else is asked for.
const STEPS: usize = 50;
/// Scale of classifier-free guidance of the authors' `generate.py`.
const CFG: f64 = 2.5;
const FPS: f64 = 20.0;
/// Shortest and longest clip of HumanML3D.
const FRAMES: [usize; 2] = [40, 196];
const WHERE_SETTINGS: &str = "args.json";

/// What a denoiser of the MDM family needs besides its graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MdmParts {
    /// CLIP's text encoder with its projection, an ONNX file or its folder, with `tokenizer.json` or
    /// `vocab.json` and `merges.txt` beside it.
    pub text: PathBuf,
    /// Folder of the training data's mean and standard deviation: `t2m_mean.npy` and `t2m_std.npy`, or
    /// `Mean.npy` and `Std.npy`; of a root by its place `Mean_abs_3d.npy` and `Std_abs_3d.npy`.
    pub statistics: PathBuf,
    /// Diffusion steps of the training; those of `args.json` beside the denoiser, else 1000, if `None`.
    pub train_steps: Option<usize>,
}

/// What the authors' training script says of itself, `args.json` beside a checkpoint.
#[derive(Debug, Default, Deserialize)]
struct Settings {
    diffusion_steps: Option<usize>,
    noise_schedule: Option<String>,
}

/// The files and the description of a package, under a hidden name.
pub(super) fn staged(
    onnx: &Path,
    name: &str,
    parts: &MdmParts,
    root: RepresentationKind,
    into: &Path,
    engine: &dyn Engine,
) -> Result<Made, RuntimeError> {
    let data = statistics(&parts.statistics, root)?;
    let text = text_encoder(&parts.text)?;
    let tokenizer = tokenizer_json(&folder_of(&parts.text))?;
    let schedule = schedule(onnx, parts.train_steps)?;
    let mut manifest = described(name, schedule, &text, root);
    let model = Model::read(onnx).map_err(|source| RuntimeError::Read {
        path: onnx.to_owned(),
        source: Box::new(source),
    })?;
    let adapted = settled(engine, onnx, &model, &mut manifest)?;
    let mut denoiser = adapted.entry;
    let staged = StagedPackage::empty(into, name)?;
    staged.put_model(&adapted.model.unwrap_or(model), &mut denoiser)?;
    let mut encoder = text.entry;
    staged.put_model(&text.model, &mut encoder)?;
    let plain = |path: &str| FileEntry {
        path: path.to_owned(),
        ..FileEntry::default()
    };
    let (tokens, constants) = (plain("tokenizer.json"), plain("constants.npz"));
    staged.put_bytes(tokenizer.as_bytes(), &tokens.path)?;
    write_constants(&staged, &constants.path, &data, text.dims)?;
    manifest.files = [
        (Role::Denoiser, denoiser),
        (Role::TextEncoder, encoder),
        (Role::Tokenizer, tokens),
        (Role::Constants, constants),
    ]
    .into();
    Ok(Made {
        staged,
        manifest,
        adapted: adapted.notes,
    })
}

fn described(
    name: &str,
    schedule: ScheduleSpec,
    text: &AdaptedText,
    root: RepresentationKind,
) -> Manifest {
    let [min_frames, max_frames] = FRAMES;
    Manifest {
        schema: SCHEMA,
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        kind: ModelKind::Motion,
        files: [].into(),
        prediction: Prediction::X0,
        schedule: Some(schedule),
        representation: Some(Representation {
            kind: root,
            fps: FPS,
            features: FEATURES,
            min_frames,
            max_frames,
            patch_frames: 1,
        }),
        image: None,
        latent: None,
        classes: None,
        conditioning: Some(Conditioning {
            dims: text.dims,
            max_tokens: text.tokens,
            embedding_dims: Some(text.dims),
            ..Conditioning::default()
        }),
        text: None,
        defaults: Defaults {
            cfg: Some(CFG),
            steps: Some(STEPS.min(schedule.train_steps)),
            sampler: Some(SamplerKind::Ddpm),
            least_text_score: None,
            least_known_score: None,
        },
        licence: "not said".to_owned(),
        data: "not said".to_owned(),
        limits: Vec::new(),
        known_prompts: Vec::new(),
        metrics: serde_json::Map::new(),
        lineage: None,
    }
}

fn schedule(onnx: &Path, train_steps: Option<usize>) -> Result<ScheduleSpec, RuntimeError> {
    let path = onnx.with_file_name(WHERE_SETTINGS);
    let refuse = |message: String| RuntimeError::Request {
        field: "model",
        message: format!("{}: {message}; nothing was added", path.display()),
    };
    let mut settings = Settings::default();
    if path.is_file() {
        let text = kinograd_files::read_text(&path, Budget::of_process());
        let text = text.map_err(|error: FileError| refuse(error.into_io().to_string()))?;
        settings = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
    }
    let kind = match settings.noise_schedule.as_deref() {
        None | Some("cosine") => ScheduleKind::Cosine,
        Some("linear") => ScheduleKind::Linear,
        Some(other) => {
            return Err(refuse(format!(
                "noise_schedule `{}` is neither `cosine` nor `linear`",
                kinograd_files::escape(other)
            )));
        }
    };
    let train_steps = train_steps.or(settings.diffusion_steps);
    Ok(ScheduleSpec {
        distilled_levels: None,
        kind,
        train_steps: train_steps.unwrap_or(TRAIN_STEPS),
        beta_start: None,
        beta_end: None,
        shift: None,
        zero_snr: false,
        time: TimeInput::Discrete,
    })
}

fn folder_of(text: &Path) -> PathBuf {
    match text.parent() {
        Some(parent) if text.is_file() => parent.to_owned(),
        _ => text.to_owned(),
    }
}

fn text_encoder(text: &Path) -> Result<AdaptedText, RuntimeError> {
    let path = if text.is_file() {
        text.to_owned()
    } else {
        let names = ["model.onnx", "text_model.onnx", "text_encoder.onnx"];
        let found = names
            .iter()
            .map(|name| text.join(name))
            .find(|path| path.is_file());
        found.ok_or_else(|| RuntimeError::Request {
            field: "text",
            message: format!(
                "{} has no model.onnx, text_model.onnx or text_encoder.onnx; name the file",
                text.display()
            ),
        })?
    };
    let model = Model::read(&path).map_err(|source| RuntimeError::Read {
        path: path.clone(),
        source: Box::new(source),
    })?;
    adapt::clip_text(&path, model, MAX_TOKENS)
}

fn write_constants(
    staged: &StagedPackage,
    path: &str,
    data: &Statistics,
    dims: usize,
) -> Result<(), RuntimeError> {
    let path = staged.path().join(path);
    let fail = |error: std::io::Error| RuntimeError::Write {
        path: path.clone(),
        source: error,
    };
    let mut file = File::create_new(&path).map_err(fail)?;
    let mut npz = NpzWriter::new(&mut file);
    let null = Array1::<f32>::zeros(dims);
    for (name, array) in [
        ("mean", &data.mean),
        ("std", &data.std),
        ("null_condition", &null),
    ] {
        npz.add_array(name, array)
            .map_err(|error| fail(std::io::Error::other(error)))?;
    }
    npz.finish()
        .map_err(|error| fail(std::io::Error::other(error)))?;
    file.flush().map_err(fail)?;
    file.sync_all().map_err(fail)
}
