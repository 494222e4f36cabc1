//! Graphs of motion that no goal can guide, or that lack what guidance needs, by their names.

use std::path::Path;

use kinograd_runtime::RuntimeError;
use onnx_grad::proto::GraphProto;
use onnx_grad::{Dimension, Model, TensorInfo};

use super::adapt::described;

/// Inputs of exports of MDM's whole sampling loop.
const LOOP_INPUTS: [&str; 5] = ["batch_size", "njoints", "nfeats", "n_frames", "scale"];
/// Operators that draw noise: a denoiser is given its noise.
const DRAWS: [&str; 4] = [
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
];

/// Refuses a graph whose family cannot be guided, with the reason.
///
/// # Errors
/// [`RuntimeError::Request`] that names the family.
pub(super) fn check_guidable(onnx: &Path, model: &Model) -> Result<(), RuntimeError> {
    match reason(model) {
        None => Ok(()),
        Some(reason) => Err(RuntimeError::Request {
            field: "model",
            message: format!("{}: {reason}; nothing was added", onnx.display()),
        }),
    }
}

fn reason(model: &Model) -> Option<String> {
    let inputs = model.inputs();
    let has = |name: &str| inputs.iter().any(|input| input.name == name);
    let found: Vec<&str> = LOOP_INPUTS.into_iter().filter(|name| has(name)).collect();
    let draws = model.proto().graph.as_ref().and_then(drawn);
    if found.len() >= 3 || draws.is_some() {
        let why = match draws {
            Some(op) => format!("it draws noise itself (`{op}`)"),
            None => format!("it takes `{}`", found.join("`, `")),
        };
        return Some(format!(
            "the graph is a whole sampling loop: {why} and makes a clip in one run, so that no step of it \
             can be guided; export the denoiser alone, one call of x_t and timestep"
        ));
    }
    if has("text_feat_pad_mask") || has("cfg_weight_cstr") {
        return Some(
            "this is ARDY's denoiser: its tokens of 4 frames need a decoder and the clip's history, and it \
             sums classifier-free guidance inside; packages have no form for these"
                .to_owned(),
        );
    }
    if has("past_motion") && has("traj_trans") {
        return Some(
            "this is CAMDM's denoiser: rotations of 25 joints, past motion, trajectory and style as inputs; \
             packages have no form for these"
                .to_owned(),
        );
    }
    if has("timestep_cond") {
        return Some(
            "this is a latent-consistency denoiser (`timestep_cond`, as MotionLCM): its latents of motion \
             need a decoder, and packages of motion have none"
                .to_owned(),
        );
    }
    let latent = inputs.iter().find(|input| is_motion_latent(input))?;
    Some(format!(
        "this is a denoiser of latents of motion ({}, as of MLD): they need a decoder, and packages of motion \
         have none",
        described(latent)
    ))
}

/// One token of 256 numbers for a whole clip.
fn is_motion_latent(input: &TensorInfo) -> bool {
    let one = [Dimension::Fixed(1), Dimension::Fixed(256)];
    let shape = input.shape.as_deref().unwrap_or_default();
    input.data_type.is_float() && shape.len() == 3 && shape.ends_with(&one)
}

/// An operator that draws noise, in the graph or a body of it.
fn drawn(graph: &GraphProto) -> Option<&str> {
    graph.node.iter().find_map(|node| {
        if DRAWS.contains(&node.op_type.as_str()) {
            return Some(node.op_type.as_str());
        }
        let bodies = node
            .attribute
            .iter()
            .flat_map(|a| a.g.iter().map(AsRef::as_ref).chain(&a.graphs));
        bodies.into_iter().find_map(drawn)
    })
}
