//! Decoders of latents.

use std::path::Path;

use kinograd_runtime::{FileEntry, Manifest, RuntimeError};
use onnx_grad::{Dimension, Model, TensorInfo};

use super::adapted::AdaptedDenoiser;
use super::axes::cast_to;
use super::graph::AdaptedGraph;
use super::ports::{Ports, check_floats, find};
use super::step::Step;

/// A decoder of latents of the manifest's size: one tensor in, one out, cast where they have other than
/// 32 bits.
pub(crate) fn decoder(
    onnx: &Path,
    model: Model,
    manifest: &Manifest,
) -> Result<AdaptedDenoiser, RuntimeError> {
    let mut ports = Ports::new(onnx, model.inputs(), model.outputs());
    let [channels, height, width] = manifest.sample_size()?;
    let [colours, rows, columns] = manifest.image()?.size();
    let is_picture = |t: &TensorInfo| t.shape.as_ref().is_some_and(|shape| shape.len() == 4);
    let expected = format!("[batch, {channels}, {height}, {width}]");
    let latent = ports.input(&["latent", "latent_sample", "sample"], is_picture);
    let latent = ports.needed("latent", latent, &expected)?;
    check_size(&ports, "input", &latent, [channels, height, width])?;
    ports.check_others(&[&latent])?;
    let image = find(&ports.outputs, &["image", "sample"], is_picture);
    let expected = format!("[batch, {colours}, {rows}, {columns}]");
    let Some(image) = image else {
        return Err(ports.refuse(format!("it has no output {expected}, the picture")));
    };
    check_size(&ports, "output", &image, [colours, rows, columns])?;
    let mut graph = AdaptedGraph::of(model);
    let dims = |tensor: &TensorInfo| tensor.shape.clone().unwrap_or_default();
    if let Some(batch) = dims(&latent).first() {
        ports.fix_batch(&latent, batch)?;
    }
    let inward: Vec<Step> = cast_to(latent.data_type).into_iter().collect();
    let name = graph.input(&latent, "latent", &dims(&latent), &inward);
    ports.name(0, "latent", name);
    let outward: Vec<Step> = cast_to(image.data_type)
        .map(|_| Step::Cast(onnx_grad::DataType::Float32))
        .into_iter()
        .collect();
    let name = graph.output(&image, "image", &dims(&image), &outward);
    ports.name(1, "image", name);
    if let Some(rows) = ports.batch().filter(|&rows| rows != 1) {
        return Err(ports.refuse(format!(
            "it takes {rows} latents at once; export it with a free batch or with one"
        )));
    }
    let batch = ports.batch();
    let [inputs, outputs] = ports.names;
    Ok(AdaptedDenoiser {
        entry: FileEntry {
            path: "decoder.onnx".to_owned(),
            inputs,
            outputs,
            batch,
            ..FileEntry::default()
        },
        model: graph.finish(),
        notes: Vec::new(),
        has_mask: false,
    })
}

fn check_size(
    ports: &Ports<'_>,
    kind: &str,
    tensor: &TensorInfo,
    size: [usize; 3],
) -> Result<(), RuntimeError> {
    check_floats(ports, kind, tensor)?;
    let shape = tensor.shape.as_deref().unwrap_or_default();
    let fits = |(dim, side): (&Dimension, usize)| match dim {
        Dimension::Fixed(n) => *n == side as i64,
        _ => true,
    };
    if shape.len() == 4 && shape.iter().skip(1).zip(size).all(fits) {
        return Ok(());
    }
    let [channels, height, width] = size;
    Err(ports.misfit(
        kind,
        tensor,
        &format!("[batch, {channels}, {height}, {width}]"),
    ))
}
