//! Denoisers of pictures and latents.

use std::path::Path;

use kinograd_runtime::{Conditioning, FileEntry, Manifest, RuntimeError};
use onnx_grad::{DataType, Dimension, Model, TensorInfo};

use super::adapted::AdaptedDenoiser;
use super::axes::{Placed, cast_to, is_number};
use super::graph::AdaptedGraph;
use super::ports::{Ports, TIME_NAMES, adapt_time, check_floats, find, is_time};
use super::step::Step;

/// One that has no input for a text is told none, even where the package that it is like borrows an
/// encoder.
pub(super) fn denoiser(
    onnx: &Path,
    model: Model,
    manifest: &mut Manifest,
) -> Result<AdaptedDenoiser, RuntimeError> {
    let mut ports = Ports::new(onnx, model.inputs(), model.outputs());
    let [channels, height, width] = manifest.sample_size()?.map(|n| n as i64);
    let rank = |t: &TensorInfo| t.shape.as_ref().map(Vec::len);
    let is_picture = |t: &TensorInfo| rank(t) == Some(4);
    let expected = format!("[batch, {channels}, {height}, {width}]");
    let x = ports.input(&["x_t", "sample", "x"], is_picture);
    let x = ports.needed("x_t", x, &expected)?;
    let x0 = find(&ports.outputs, &["x0", "out_sample", "sample"], is_picture);
    let x0 = ports.needed("x0", x0, &expected)?;
    for (kind, tensor) in [("input", &x), ("output", &x0)] {
        check_floats(&ports, kind, tensor)?;
        check_picture(&ports, kind, tensor, [channels, height, width])?;
    }
    let class = class_of(&ports, manifest)?;
    let is_other = |t: &TensorInfo| class.as_ref().is_none_or(|class| class.name != t.name);
    let time = ports.input(TIME_NAMES, |t| is_other(t) && is_time(t));
    let time = ports.needed("timestep", time, "[batch], [1] or a scalar")?;
    let text = ports.input(&["condition", "encoder_hidden_states"], |t| {
        rank(t) == Some(3)
    });
    let text = text_of(&ports, text, manifest)?;
    let pooled = pooled_of(&ports, manifest)?;
    let sizes = ports.inputs.iter().find(|t| t.name == "time_ids").cloned();
    let sizes = sizes.filter(|_| pooled.is_some());
    let scale = ports.inputs.iter().find(|t| t.name == SCALE_INPUT).cloned();
    let mut known = vec![&x, &time];
    known.extend(class.iter().chain(&text).chain(&pooled).chain(&sizes));
    known.extend(&scale);
    ports.check_others(&known)?;
    let mut graph = AdaptedGraph::of(model);
    let batch = adapt_picture(&mut ports, &mut graph, &x)?;
    if let Some(pooled) = &pooled {
        adapt_rows(&mut ports, &mut graph, pooled, "pooled")?;
    }
    if let Some(sizes) = &sizes {
        let fed = ports.names[0].get("x_t").map_or("x_t", String::as_str);
        graph.constant_rows(sizes, &size_ids(&ports, sizes, manifest)?, fed);
    }
    if let Some(scale) = &scale {
        let fed = ports.names[0].get("x_t").map_or("x_t", String::as_str);
        graph.constant_rows(scale, &scale_embedding(&ports, scale)?, fed);
        manifest.limits.push(format!(
            "the guidance scale {GUIDANCE_SCALE} that the network was distilled for is built in; --cfg guides \
             it once more"
        ));
    }
    if let Some(text) = &text {
        adapt_rows(&mut ports, &mut graph, text, "condition")?;
    }
    if let Some(class) = &class {
        adapt_class(&mut ports, &mut graph, class)?;
    }
    adapt_time(&mut ports, &mut graph, &time, &batch, manifest)?;
    let mut steps = Vec::new();
    if x0.data_type != DataType::Float32 {
        steps.push(Step::Cast(DataType::Float32));
    }
    let name = graph.output(&x0, "x0", x0.shape.as_deref().unwrap_or_default(), &steps);
    ports.name(1, "x0", name);
    let batch = ports.batch();
    let [inputs, outputs] = ports.names;
    Ok(AdaptedDenoiser {
        entry: FileEntry {
            path: "denoiser.onnx".to_owned(),
            inputs,
            outputs,
            batch,
            ..FileEntry::default()
        },
        notes: graph.notes(),
        model: graph.finish(),
        has_mask: false,
    })
}

/// The class, where the package has classes.
fn class_of(ports: &Ports<'_>, manifest: &Manifest) -> Result<Option<TensorInfo>, RuntimeError> {
    if manifest.classes.is_none() {
        return Ok(None);
    }
    let is_class = |t: &TensorInfo| !t.data_type.is_float() && is_time(t);
    let class = ports.input(&["class", "class_labels", "y", "labels"], |t| {
        is_class(t) && !TIME_NAMES.contains(&t.name.as_str())
    });
    let class = ports.needed("class", class, "[batch], whole numbers")?;
    Ok(Some(class))
}

/// Refuses a size that the package does not have.
fn check_picture(
    ports: &Ports<'_>,
    kind: &str,
    tensor: &TensorInfo,
    size: [i64; 3],
) -> Result<(), RuntimeError> {
    let shape = tensor.shape.as_deref().unwrap_or_default();
    let sides = shape.iter().skip(1).zip(size);
    let fits = |(dim, side): (&Dimension, i64)| match dim {
        Dimension::Fixed(n) => *n == side,
        _ => true,
    };
    if shape.len() == 4 && sides.into_iter().all(fits) {
        return Ok(());
    }
    let [channels, height, width] = size;
    let expected = format!(
        "[batch, {channels}, {height}, {width}], the size of the package that it is like (--like takes \
         another)"
    );
    Err(ports.misfit(kind, tensor, &expected))
}

fn text_of(
    ports: &Ports<'_>,
    text: Option<TensorInfo>,
    manifest: &mut Manifest,
) -> Result<Option<TensorInfo>, RuntimeError> {
    let borrows = |c: &Conditioning| c.from.is_some();
    if text.is_none() && manifest.conditioning.as_ref().is_some_and(borrows) {
        manifest.conditioning = None;
        manifest.defaults.cfg = None;
    }
    if !manifest.takes_text() {
        return Ok(None);
    }
    let conditioning = manifest.text()?;
    let (tokens, dims) = (conditioning.max_tokens as i64, conditioning.dims as i64);
    let expected = format!("[batch, {tokens}, {dims}]");
    let text = ports.needed("condition", text, &expected)?;
    check_floats(ports, "input", &text)?;
    let shape = text.shape.as_deref().unwrap_or_default();
    let fits = |(dim, side): (&Dimension, i64)| match dim {
        Dimension::Fixed(n) => *n == side,
        _ => true,
    };
    if shape.len() != 3 || !shape.iter().skip(1).zip([tokens, dims]).all(fits) {
        return Err(ports.misfit("input", &text, &expected));
    }
    Ok(Some(text))
}

/// The pooled text, where the package has one.
fn pooled_of(ports: &Ports<'_>, manifest: &Manifest) -> Result<Option<TensorInfo>, RuntimeError> {
    let conditioning = manifest.conditioning.as_ref();
    let Some(width) = conditioning.and_then(|conditioning| conditioning.pooled_dims) else {
        return Ok(None);
    };
    let expected = format!("[batch, {width}]");
    let pooled = ports.input(&["pooled", "text_embeds", "pooled_projections"], |t| {
        t.shape.as_ref().is_some_and(|shape| shape.len() == 2) && t.name != "time_ids"
    });
    let pooled = ports.needed("pooled", pooled, &expected)?;
    check_floats(ports, "input", &pooled)?;
    match pooled.shape.as_deref() {
        Some([_, Dimension::Fixed(n)]) if *n != width as i64 => {
            Err(ports.misfit("input", &pooled, &expected))
        }
        _ => Ok(Some(pooled)),
    }
}

/// `[height, width, 0, 0, height, width]`: size of the training picture, its upper left corner and the
/// size that is asked for (Podell et al. 2023, section 2.2), all those of a picture that was not cropped.
fn size_ids(
    ports: &Ports<'_>,
    sizes: &TensorInfo,
    manifest: &Manifest,
) -> Result<[f32; 6], RuntimeError> {
    if let Some([_, Dimension::Fixed(n)]) = sizes.shape.as_deref()
        && *n != 6
    {
        let expected = "[batch, 6], sizes and corner; five numbers with a score are a refiner's, which \
                        needs a picture to begin with";
        return Err(ports.misfit("input", sizes, expected));
    }
    let [_, height, width] = manifest.image()?.size().map(|side| side as f32);
    Ok([height, width, 0.0, 0.0, height, width])
}

/// What latent consistency models are told of the guidance that they were distilled from.
const SCALE_INPUT: &str = "timestep_cond";

/// That of diffusers' pipelines where nothing is said.
const GUIDANCE_SCALE: f32 = 8.5;

/// Sines, then cosines, of 1000 (w − 1) at falling frequencies, as the time is embedded (Luo et al. 2023,
/// section 4.2; `get_guidance_scale_embedding` of diffusers), w being [`GUIDANCE_SCALE`].
fn scale_embedding(ports: &Ports<'_>, scale: &TensorInfo) -> Result<Vec<f32>, RuntimeError> {
    let expected = "[batch, n], n even and fixed: an embedding of the guidance scale";
    let width = match scale.shape.as_deref() {
        Some([_, Dimension::Fixed(n)]) if *n >= 4 && n % 2 == 0 => *n / 2,
        _ => return Err(ports.misfit("input", scale, expected)),
    };
    // In single precision, as it was in training: the angles are large.
    let fall = 10_000.0_f32.ln() / (width - 1) as f32;
    let angle = |i: i64| 1000.0 * (GUIDANCE_SCALE - 1.0) * (-fall * i as f32).exp();
    let sines = (0..width).map(|i| angle(i).sin());
    let cosines = (0..width).map(|i| angle(i).cos());
    Ok(sines.chain(cosines).collect())
}

/// The batch of x_t.
fn adapt_picture(
    ports: &mut Ports<'_>,
    graph: &mut AdaptedGraph,
    x: &TensorInfo,
) -> Result<Dimension, RuntimeError> {
    adapt_rows(ports, graph, x, "x_t")?;
    let batch = x.shape.as_deref().and_then(<[Dimension]>::first);
    Ok(batch.cloned().unwrap_or(Dimension::Unknown))
}

/// Casts an input of floats whose axes are those of the contract.
fn adapt_rows(
    ports: &mut Ports<'_>,
    graph: &mut AdaptedGraph,
    tensor: &TensorInfo,
    canonical: &str,
) -> Result<(), RuntimeError> {
    let shape = tensor.shape.as_deref().unwrap_or_default();
    if let Some(batch) = shape.first() {
        ports.fix_batch(tensor, batch)?;
    }
    let steps: Vec<Step> = cast_to(tensor.data_type).into_iter().collect();
    let name = graph.input(tensor, canonical, shape, &steps);
    ports.name(0, canonical, name);
    Ok(())
}

/// Classes come as 64-bit whole numbers.
fn adapt_class(
    ports: &mut Ports<'_>,
    graph: &mut AdaptedGraph,
    class: &TensorInfo,
) -> Result<(), RuntimeError> {
    let shape = class.shape.as_deref().unwrap_or_default();
    let placed = Placed::find(shape, 1, None).filter(|_| is_number(class.data_type));
    let Some(placed) = placed.filter(|_| shape.len() == 1) else {
        return Err(ports.misfit("input", class, "numbers, [batch]"));
    };
    ports.fix_batch(class, placed.dim(shape, 0))?;
    let name = if class.data_type == DataType::Int64 {
        class.name.clone()
    } else {
        graph.whole_input(class, "class", shape)
    };
    ports.name(0, "class", name);
    Ok(())
}
