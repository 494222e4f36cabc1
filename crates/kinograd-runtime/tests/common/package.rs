//! A model package small enough to know in closed form.

use std::collections::BTreeMap;
use std::path::Path;

use kinograd_diffusion::SamplerKind;
use kinograd_runtime::{
    Conditioning, Defaults, FileEntry, Manifest, ModelKind, Package, Prediction, Representation,
    RepresentationKind, Role, ScheduleKind, ScheduleSpec, TimeInput, write_package,
};
use ndarray::{Array1, Array2, Array3, ArrayD, Axis};

use super::{FLOAT, Graph, INT64, int_attribute, noise};

pub const FEATURES: usize = 6;
pub const DIMS: usize = 4;
pub const EMBEDDING: usize = 3;
pub const PATCH: usize = 4;
pub const MAX_TOKENS: usize = 5;
pub const WORDS: [&str; 4] = ["[UNK]", "walk", "forward", "jump"];

/// `tanh(x_t W + condition C + timestep / 1000) · mask`.
pub struct Model {
    pub mixing: Array2<f32>,
    pub conditioning: Array2<f32>,
    pub null_condition: Array1<f32>,
}

impl Model {
    pub fn new() -> Self {
        let mixing = Array2::from_shape_vec((FEATURES, FEATURES), noise(FEATURES * FEATURES, 11));
        let conditioning = Array2::from_shape_vec((DIMS, FEATURES), noise(DIMS * FEATURES, 12));
        Self {
            mixing: mixing.unwrap(),
            conditioning: conditioning.unwrap(),
            null_condition: Array1::from_vec(noise(DIMS, 13)),
        }
    }

    /// The graph's output for one clip of exactly `x.nrows()` real frames.
    pub fn output(&self, x: &Array2<f32>, condition: &Array1<f32>, timestep: f64) -> Array2<f32> {
        let shift = condition.dot(&self.conditioning) + timestep as f32 / 1000.0;
        (x.dot(&self.mixing) + &shift.insert_axis(Axis(0))).mapv(f32::tanh)
    }

    /// `Jᵀ v` of [`Self::output`].
    pub fn pulled(&self, output: &Array2<f32>, v: &Array2<f32>) -> Array2<f32> {
        (v * &output.mapv(|y| 1.0 - y * y)).dot(&self.mixing.t())
    }

    fn denoiser(&self) -> Vec<u8> {
        let weights: Vec<f32> = self.mixing.iter().copied().collect();
        let conditioning: Vec<f32> = self.conditioning.iter().copied().collect();
        let (f, d) = (FEATURES as i64, DIMS as i64);
        Graph::new()
            .input("x_t", FLOAT, &["batch", "frames", "6"])
            .input("timestep", FLOAT, &["batch"])
            .input("condition", FLOAT, &["batch", "4"])
            .input("frame_mask", FLOAT, &["batch", "frames"])
            .weights("w", &[f, f], &weights)
            .weights("c", &[d, f], &conditioning)
            .weights("per_step", &[], &[0.001])
            .ints("axis1", &[1], &[1])
            .ints("axes12", &[2], &[1, 2])
            .ints("axis2", &[1], &[2])
            .node("MatMul", &["x_t", "w"], &["mixed"])
            .node("MatMul", &["condition", "c"], &["shift"])
            .node("Unsqueeze", &["shift", "axis1"], &["shift3"])
            .node("Mul", &["timestep", "per_step"], &["time"])
            .node("Unsqueeze", &["time", "axes12"], &["time3"])
            .node("Add", &["mixed", "shift3"], &["sum1"])
            .node("Add", &["sum1", "time3"], &["sum2"])
            .node("Tanh", &["sum2"], &["h"])
            .node("Unsqueeze", &["frame_mask", "axis2"], &["mask3"])
            .node("Mul", &["h", "mask3"], &["x0"])
            .output("x0", FLOAT, &["batch", "frames", "6"])
            .bytes()
    }
}

/// Sums the rows of a table over the real tokens.
fn text_encoder() -> Vec<u8> {
    let table = noise(WORDS.len() * DIMS, 21);
    let other = noise(WORDS.len() * EMBEDDING, 22);
    let lookup = |graph: Graph, table: &str, out: &str| {
        let (picked, masked) = (format!("{out}_picked"), format!("{out}_masked"));
        graph
            .node("Gather", &[table, "token_ids"], &[&picked])
            .node("Mul", &[&picked, "mask3"], &[&masked])
            .node_with(
                "ReduceSum",
                &[&masked, "axis1"],
                &[out],
                vec![int_attribute("keepdims", 0)],
            )
    };
    let graph = Graph::new()
        .input("token_ids", INT64, &["batch", "tokens"])
        .input("token_mask", FLOAT, &["batch", "tokens"])
        .weights("table", &[WORDS.len() as i64, DIMS as i64], &table)
        .weights("other", &[WORDS.len() as i64, EMBEDDING as i64], &other)
        .ints("axis1", &[1], &[1])
        .ints("axis2", &[1], &[2])
        .node("Unsqueeze", &["token_mask", "axis2"], &["mask3"]);
    let graph = lookup(graph, "table", "condition");
    lookup(graph, "other", "embedding")
        .output("condition", FLOAT, &["batch", "4"])
        .output("embedding", FLOAT, &["batch", "3"])
        .bytes()
}

/// `Σ_frames features · mask · P`: linear, so its gradient is `v Pᵀ` on every real frame.
pub fn projection() -> Array2<f32> {
    Array2::from_shape_vec((FEATURES, EMBEDDING), noise(FEATURES * EMBEDDING, 31)).unwrap()
}

fn motion_embedding() -> Vec<u8> {
    let projection: Vec<f32> = projection().iter().copied().collect();
    Graph::new()
        .input("features", FLOAT, &["batch", "frames", "6"])
        .input("frame_mask", FLOAT, &["batch", "frames"])
        .weights("p", &[FEATURES as i64, EMBEDDING as i64], &projection)
        .ints("axis1", &[1], &[1])
        .ints("axis2", &[1], &[2])
        .node("Unsqueeze", &["frame_mask", "axis2"], &["mask3"])
        .node("Mul", &["features", "mask3"], &["masked"])
        .node_with(
            "ReduceSum",
            &["masked", "axis1"],
            &["sum"],
            vec![int_attribute("keepdims", 0)],
        )
        .node("MatMul", &["sum", "p"], &["embedding"])
        .output("embedding", FLOAT, &["batch", "3"])
        .bytes()
}

fn tokenizer() -> String {
    let vocabulary: BTreeMap<&str, usize> = WORDS
        .iter()
        .enumerate()
        .map(|(id, &word)| (word, id))
        .collect();
    serde_json::json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": { "type": "Lowercase" },
        "pre_tokenizer": { "type": "Whitespace" },
        "post_processor": null,
        "decoder": null,
        "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]" }
    })
    .to_string()
}

pub fn manifest() -> Manifest {
    let files = [
        (Role::Denoiser, "denoiser.onnx"),
        (Role::TextEncoder, "text.onnx"),
        (Role::MotionEmbedding, "motion_embedding.onnx"),
        (Role::Tokenizer, "tokenizer.json"),
        (Role::Constants, "constants.npz"),
    ];
    Manifest {
        schema: 1,
        name: "tiny".into(),
        version: "0.1.0".into(),
        kind: ModelKind::Motion,
        files: files
            .into_iter()
            .map(|(role, path)| {
                (
                    role,
                    FileEntry {
                        path: path.into(),
                        ..Default::default()
                    },
                )
            })
            .collect(),
        prediction: Prediction::X0,
        schedule: Some(ScheduleSpec {
            distilled_levels: None,
            kind: ScheduleKind::Cosine,
            train_steps: 1000,
            beta_start: None,
            beta_end: None,
            zero_snr: false,
            shift: None,
            time: TimeInput::Discrete,
        }),
        image: None,
        latent: None,
        classes: None,
        representation: Some(Representation {
            kind: RepresentationKind::HumanMl3d,
            fps: 20.0,
            features: FEATURES,
            min_frames: 1,
            max_frames: 40,
            patch_frames: PATCH,
        }),
        conditioning: Some(Conditioning {
            dims: DIMS,
            max_tokens: MAX_TOKENS,
            embedding_dims: Some(EMBEDDING),
            ..Conditioning::default()
        }),
        text: None,
        defaults: Defaults {
            cfg: Some(1.5),
            steps: Some(20),
            sampler: Some(SamplerKind::Ddim),
            least_text_score: None,
            least_known_score: None,
        },
        licence: "CC0-1.0".into(),
        data: "none".into(),
        limits: vec!["it cannot do anything".into()],
        known_prompts: vec!["walk forward".into()],
        metrics: serde_json::Map::new(),
        lineage: None,
    }
}

/// Writes the package's files and its `model.json`.
pub fn write(folder: &Path, manifest: Manifest) -> Package {
    let model = Model::new();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("denoiser.onnx"), model.denoiser()).unwrap();
    std::fs::write(folder.join("text.onnx"), text_encoder()).unwrap();
    std::fs::write(folder.join("motion_embedding.onnx"), motion_embedding()).unwrap();
    std::fs::write(folder.join("tokenizer.json"), tokenizer()).unwrap();
    let file = std::fs::File::create(folder.join("constants.npz")).unwrap();
    let mut npz = ndarray_npy::NpzWriter::new(file);
    npz.add_array("mean", &Array1::<f32>::zeros(FEATURES))
        .unwrap();
    npz.add_array("std", &Array1::<f32>::ones(FEATURES))
        .unwrap();
    npz.add_array("null_condition", &model.null_condition)
        .unwrap();
    npz.finish().unwrap();
    write_package(folder, manifest).unwrap()
}

pub fn clips(batch: usize, frames: usize, seed: u32) -> ArrayD<f32> {
    let values = noise(batch * frames * FEATURES, seed);
    Array3::from_shape_vec((batch, frames, FEATURES), values)
        .unwrap()
        .into_dyn()
}
