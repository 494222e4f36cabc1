//! Denoisers of clips.

use std::path::Path;

use kinograd_runtime::{FileEntry, Manifest, Representation, RuntimeError};
use onnx_grad::{DataType, Dimension, Model, TensorInfo};

use super::adapted::{AdaptedDenoiser, MaskMeaning};
use super::axes::{Placed, cast_to, described};
use super::graph::AdaptedGraph;
use super::ports::{Ports, TIME_NAMES, adapt_time, check_floats, find, is_mask_type, is_time};
use super::step::Step;

/// The tensors of a denoiser of clips.
struct Found {
    x: TensorInfo,
    time: TensorInfo,
    condition: TensorInfo,
    mask: Option<TensorInfo>,
    /// Observed frames and which of them are, as of CondMDI.
    observed: Vec<TensorInfo>,
    x0: TensorInfo,
}

/// Names of observed frames and of their mask in CondMDI (Cohan et al. 2024).
const OBSERVED: &[&str] = &["obs", "obs_x0", "obs_mask"];

impl Found {
    /// The length of the batch, of a tensor that has no frames.
    fn batch(&self) -> Dimension {
        let of = |tensor: &TensorInfo, width| {
            let shape = tensor.shape.as_deref()?;
            let placed = Placed::find(shape, 1, width)?;
            (!shape.is_empty()).then(|| placed.dim(shape, 0).clone())
        };
        let condition = self.condition.shape.as_deref().and_then(<[_]>::last);
        let width = match condition {
            Some(Dimension::Fixed(width)) => Some(*width),
            _ => None,
        };
        let batch = of(&self.condition, width).filter(|_| width.is_some());
        let batch = batch.or_else(|| of(&self.time, None));
        batch.unwrap_or(Dimension::Unknown)
    }
}

pub(super) fn denoiser(
    onnx: &Path,
    model: Model,
    manifest: &mut Manifest,
    meaning: MaskMeaning,
) -> Result<AdaptedDenoiser, RuntimeError> {
    let mut ports = Ports::new(onnx, model.inputs(), model.outputs());
    let (features, dims) = (manifest.motion()?.features, manifest.text()?.dims);
    let (features, dims) = (features as i64, dims as i64);
    let found = found(&ports, features, dims)?;
    let mut graph = AdaptedGraph::of(model);
    let batch = found.batch();
    let placed = placed_clip(&ports, "input", &found.x, features, &batch)?;
    let is_frames_first = placed.is_frames_first();
    let clip = adapt_x(&mut ports, &mut graph, &found.x, features, &placed)?;
    adapt_condition(&mut ports, &mut graph, &found.condition, &clip[0], dims)?;
    let mask_frames = match &found.mask {
        Some(mask) => Some(adapt_mask(&mut ports, &mut graph, mask, meaning, &batch)?),
        None => None,
    };
    adapt_time(&mut ports, &mut graph, &found.time, &clip[0], manifest)?;
    for observed in &found.observed {
        leave_empty(&ports, &mut graph, observed, &found.x)?;
        manifest.limits.push(format!(
            "the denoiser's observed frames (`{}`) are left empty: goals take their place",
            observed.name
        ));
    }
    let x0 = adapt_x0(&mut ports, &mut graph, &found.x0, features, is_frames_first)?;
    let frames = agreed_frames(&ports, &found, [&clip[1], &x0.1], mask_frames.as_ref())?;
    let mut output = x0.0;
    if found.mask.is_none() {
        let [mask, masked] = graph.masked_output(&output, ["frame_mask", "x0"], &clip);
        ports.name(0, "frame_mask", mask);
        output = masked;
    }
    ports.name(1, "x0", output);
    let mut patch_frames = None;
    let pads = found.mask.is_some() && meaning != MaskMeaning::Ignored;
    if let Some(clips) = &mut manifest.representation {
        patch_frames = fit_lengths(clips, frames, pads)
            .map_err(|expected| ports.misfit("input", &found.x, &expected))?;
    }
    if !pads {
        let limit = if found.mask.is_none() {
            "the denoiser reads no frame mask: clips of one length in a batch"
        } else {
            "the denoiser's frame mask does not keep padding out: clips of one length in a batch"
        };
        manifest.limits.push(limit.to_owned());
    }
    let batch = ports.batch();
    let [inputs, outputs] = ports.names;
    Ok(AdaptedDenoiser {
        entry: FileEntry {
            path: "denoiser.onnx".to_owned(),
            inputs,
            outputs,
            batch,
            patch_frames,
            ..FileEntry::default()
        },
        notes: graph.notes(),
        model: graph.finish(),
        has_mask: found.mask.is_some(),
    })
}

fn found(ports: &Ports<'_>, features: i64, dims: i64) -> Result<Found, RuntimeError> {
    let placed = |t: &TensorInfo, leading, width| {
        let shape = t.shape.as_deref();
        shape.is_some_and(|shape| Placed::find(shape, leading, width).is_some())
    };
    let has_width = |t: &TensorInfo, width: i64| {
        let shape = t.shape.as_deref().unwrap_or_default();
        shape.contains(&Dimension::Fixed(width))
    };
    let is_x = |t: &TensorInfo| {
        let is_observed = OBSERVED.contains(&t.name.as_str());
        !is_observed && has_width(t, features) && placed(t, 2, Some(features))
    };
    let expected = format!("[batch, frames, {features}] or [batch, {features}, 1, frames]");
    let x = ports.input(&["x_t", "x", "sample"], is_x);
    let x = ports.needed("x_t", x, &expected)?;
    let other = |t: &TensorInfo| t.name != x.name;
    let is_condition = |t: &TensorInfo| other(t) && has_width(t, dims) && placed(t, 1, Some(dims));
    let condition = ports.input(&["condition"], is_condition);
    let wanted = format!(
        "[batch, {dims}], what the text encoder of the package that it is like makes (--like takes \
         another)"
    );
    let condition = ports.needed("condition", condition, &wanted)?;
    let other = |t: &TensorInfo| other(t) && t.name != condition.name;
    let time = ports.input(TIME_NAMES, |t| other(t) && is_time(t));
    let time = ports.needed("timestep", time, "[batch], [1] or a scalar")?;
    let is_mask = |t: &TensorInfo| {
        other(t) && t.name != time.name && is_mask_type(t.data_type) && placed(t, 2, None)
    };
    let mask = ports.input(&["frame_mask", "mask"], is_mask);
    let x0 = find(&ports.outputs, &["x0", "output", "sample"], is_x);
    let x0 = ports.needed("x0", x0, &expected)?;
    let is_observed = |t: &&TensorInfo| OBSERVED.contains(&t.name.as_str());
    let observed: Vec<_> = ports.inputs.iter().filter(is_observed).cloned().collect();
    let mut known = vec![&x, &condition, &time];
    known.extend(&mask);
    known.extend(&observed);
    ports.check_others(&known)?;
    Ok(Found {
        x,
        time,
        condition,
        mask,
        observed,
        x0,
    })
}

/// Feeds zeros of x_t's shape to an input.
fn leave_empty(
    ports: &Ports<'_>,
    graph: &mut AdaptedGraph,
    own: &TensorInfo,
    x: &TensorInfo,
) -> Result<(), RuntimeError> {
    if own.shape != x.shape || !is_mask_type(own.data_type) {
        let expected = format!("numbers or truth values of the shape of {}", described(x));
        return Err(ports.misfit("input", own, &expected));
    }
    graph.take_input(&own.name);
    let zero = graph.number(&own.name, 0.0);
    let floats = graph.fed("Cast", &[&x.name], Some(DataType::Float32));
    let zeros = graph.fed("Mul", &[&floats, &zero], None);
    graph.feed("Cast", &[&zeros], &own.name, Some(own.data_type));
    Ok(())
}

/// `[batch, frames, features]` of x_t.
fn adapt_x(
    ports: &mut Ports<'_>,
    graph: &mut AdaptedGraph,
    x: &TensorInfo,
    features: i64,
    placed: &Placed,
) -> Result<[Dimension; 3], RuntimeError> {
    check_floats(ports, "input", x)?;
    let shape = x.shape.as_deref().unwrap_or_default();
    let clip = [
        placed.dim(shape, 0).clone(),
        placed.dim(shape, 1).clone(),
        Dimension::Fixed(features),
    ];
    ports.fix_batch(x, &clip[0])?;
    let mut steps = placed.inward();
    steps.extend(cast_to(x.data_type));
    let name = graph.input(x, "x_t", &clip, &steps);
    ports.name(0, "x_t", name);
    Ok(clip)
}

/// The name of x̂0 and its frames.
fn adapt_x0(
    ports: &mut Ports<'_>,
    graph: &mut AdaptedGraph,
    x0: &TensorInfo,
    features: i64,
    is_frames_first: bool,
) -> Result<(String, Dimension), RuntimeError> {
    check_floats(ports, "output", x0)?;
    let shape = x0.shape.as_deref().unwrap_or_default();
    // What an exporter calls the axes of an output is often not what it calls the inputs'.
    let second = shape.get(1).filter(|_| is_frames_first);
    let batch = second.unwrap_or(&Dimension::Unknown);
    let placed = placed_clip(ports, "output", x0, features, batch)?;
    let clip = [
        placed.dim(shape, 0).clone(),
        placed.dim(shape, 1).clone(),
        Dimension::Fixed(features),
    ];
    let mut steps = placed.outward();
    if x0.data_type != DataType::Float32 {
        steps.insert(0, Step::Cast(DataType::Float32));
    }
    Ok((graph.output(x0, "x0", &clip, &steps), clip[1].clone()))
}

fn placed_clip(
    ports: &Ports<'_>,
    kind: &str,
    tensor: &TensorInfo,
    features: i64,
    batch: &Dimension,
) -> Result<Placed, RuntimeError> {
    let shape = tensor.shape.as_deref().unwrap_or_default();
    let placed = Placed::find(shape, 2, Some(features)).ok_or_else(|| {
        let expected =
            format!("[batch, frames, {features}], or [batch, {features}, 1, frames] as of MDM");
        ports.misfit(kind, tensor, &expected)
    })?;
    Ok(placed.frames_first(shape, batch))
}

fn adapt_condition(
    ports: &mut Ports<'_>,
    graph: &mut AdaptedGraph,
    condition: &TensorInfo,
    batch: &Dimension,
    dims: i64,
) -> Result<(), RuntimeError> {
    check_floats(ports, "input", condition)?;
    let shape = condition.shape.as_deref().unwrap_or_default();
    let placed = Placed::find(shape, 1, Some(dims)).ok_or_else(|| {
        let expected = format!(
            "[batch, {dims}], what the text encoder of the package that it is like makes (--like takes \
             another)"
        );
        ports.misfit("input", condition, &expected)
    })?;
    let rows = placed.dim(shape, 0).clone();
    ports.fix_batch(condition, &rows)?;
    let rows = if matches!(rows, Dimension::Fixed(_)) {
        rows
    } else {
        batch.clone()
    };
    let mut steps = placed.inward();
    steps.extend(cast_to(condition.data_type));
    let name = graph.input(
        condition,
        "condition",
        &[rows, Dimension::Fixed(dims)],
        &steps,
    );
    ports.name(0, "condition", name);
    Ok(())
}

/// The frames of the mask.
fn adapt_mask(
    ports: &mut Ports<'_>,
    graph: &mut AdaptedGraph,
    mask: &TensorInfo,
    meaning: MaskMeaning,
    batch: &Dimension,
) -> Result<Dimension, RuntimeError> {
    let shape = mask.shape.as_deref().unwrap_or_default();
    let placed = Placed::find(shape, 2, None).filter(|_| is_mask_type(mask.data_type));
    let placed = placed.map(|placed| placed.frames_first(shape, batch));
    let Some(placed) = placed else {
        let expected = "numbers or truth values, [batch, frames], 1 where a frame is real";
        return Err(ports.misfit("input", mask, expected));
    };
    let dims = [placed.dim(shape, 0).clone(), placed.dim(shape, 1).clone()];
    ports.fix_batch(mask, &dims[0])?;
    let mut steps = placed.inward();
    if meaning == MaskMeaning::PaddingIsOne {
        steps.insert(0, Step::Complement);
    }
    steps.extend(cast_to(mask.data_type));
    let name = graph.input(mask, "frame_mask", &dims, &steps);
    ports.name(0, "frame_mask", name);
    Ok(dims[1].clone())
}

/// The one number of frames that the graph fixes, if it does.
fn agreed_frames(
    ports: &Ports<'_>,
    found: &Found,
    [x, x0]: [&Dimension; 2],
    mask: Option<&Dimension>,
) -> Result<Option<usize>, RuntimeError> {
    let mut fixed: Option<(i64, &TensorInfo)> = None;
    let all = [(Some(x), Some(&found.x)), (mask, found.mask.as_ref())];
    for (dim, tensor) in all.into_iter().chain([(Some(x0), Some(&found.x0))]) {
        let (Some(Dimension::Fixed(frames)), Some(tensor)) = (dim, tensor) else {
            continue;
        };
        match fixed {
            Some((other, by)) if other != *frames => {
                return Err(ports.refuse(format!(
                    "{} has {frames} frames and {} has {other}; export both with the same, or with a \
                     free number",
                    described(tensor),
                    described(by)
                )));
            }
            _ => fixed = Some((*frames, tensor)),
        }
    }
    match fixed {
        None => Ok(None),
        Some((frames, tensor)) => match usize::try_from(frames) {
            Ok(frames) if frames > 1 => Ok(Some(frames)),
            _ => Err(ports.misfit("tensor", tensor, "2 frames or more, or a free number")),
        },
    }
}

/// What the graph's frames and mask allow: with a mask, clips up to a fixed length, padded; without
/// one, nothing may be padded. Returns the multiple of frames that the graph takes.
fn fit_lengths(
    clips: &mut Representation,
    frames: Option<usize>,
    has_mask: bool,
) -> Result<Option<usize>, String> {
    let Some(frames) = frames else {
        return Ok((!has_mask).then_some(1));
    };
    let (shortest, longest) = (clips.min_frames, clips.max_frames);
    if frames < shortest || (frames > longest && !has_mask) {
        return Err(format!(
            "{shortest} to {longest} frames, the lengths of the package that it is like, or a free \
             number"
        ));
    }
    clips.max_frames = longest.min(frames);
    if !has_mask {
        clips.min_frames = frames;
    }
    Ok(Some(frames))
}
