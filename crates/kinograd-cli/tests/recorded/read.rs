//! Numbers of files. What is text, such as the record, is left out.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use kinograd::{Clip, LoadOptions};
use ndarray::{ArrayD, OwnedRepr};
use ndarray_npy::{NpzReader, ReadNpyExt as _, ReadNpzError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::glb;

/// What numbers are, which decides their tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Joints, features and other arrays.
    Array,
    /// Levels of pixels, 0 to 255, `[pictures, height, width, channels]`.
    Pixels,
    /// Numbers of a report.
    Report,
}

/// Numbers of an output.
#[derive(Debug, Clone)]
pub struct Numbers {
    pub name: String,
    pub kind: Kind,
    pub shape: Vec<usize>,
    /// Exact: every f32, byte and small integer is a f64.
    pub values: Vec<f64>,
}

impl Numbers {
    /// Of the shape and the bits of all values.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{:?}", self.shape));
        for value in &self.values {
            hash.update(value.to_bits().to_le_bytes());
        }
        let bytes = hash.finalize();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Numbers that are no picture's and no report's.
    pub fn array(name: &str, shape: &[usize], values: Vec<f64>) -> Self {
        Self {
            name: name.to_owned(),
            kind: Kind::Array,
            shape: shape.to_vec(),
            values,
        }
    }
}

/// Numbers of a file by its extension; none of a record (.json) and a table (.md).
pub fn numbers(path: &Path) -> Result<Vec<Numbers>, String> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    match &*extension {
        "glb" => {
            let mut numbers = joints(path)?;
            numbers.extend(glb::numbers(path)?);
            Ok(numbers)
        }
        "bvh" => joints(path),
        "npz" => npz(path),
        "npy" => npy(path),
        "png" => png(path),
        "gif" => gif(path),
        "onnx" => onnx(path),
        "json" | "md" => is_not_empty(path),
        other => Err(format!("no reader of .{other}")),
    }
}

fn is_not_empty(path: &Path) -> Result<Vec<Numbers>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    if text.trim().is_empty() {
        return Err("the file is empty".to_owned());
    }
    Ok(Vec::new())
}

/// Joints in the world, metres, and the frame rate.
fn joints(path: &Path) -> Result<Vec<Numbers>, String> {
    let clip = Clip::load(path, &LoadOptions::default()).map_err(|error| error.to_string())?;
    let joints = clip.motion.joints_in_world_m();
    let shape = [joints.len(), joints.first().map_or(0, Vec::len), 3];
    let values = joints.iter().flatten().flat_map(|joint| joint.to_array());
    Ok(vec![
        Numbers::array("joints", &shape, values.collect()),
        Numbers::array("fps", &[], vec![clip.motion.fps]),
    ])
}

/// Every array of floats or integers; those of bytes are text.
fn npz(path: &Path) -> Result<Vec<Numbers>, String> {
    let file = BufReader::new(File::open(path).map_err(|error| error.to_string())?);
    let mut npz = NpzReader::new(file).map_err(|error| error.to_string())?;
    let mut names = npz.names().map_err(|error| error.to_string())?;
    names.sort();
    let mut found = Vec::new();
    for name in names {
        // Later versions of the reader give names with their extension.
        let short = name.trim_end_matches(".npy");
        let array = by_name::<f32, _>(&mut npz, &name, f64::from)
            .or_else(|_| by_name::<f64, _>(&mut npz, &name, |value| value))
            .or_else(|_| by_name::<i64, _>(&mut npz, &name, |value| value as f64));
        match array {
            Ok(array) => found.push(of_array(short, &array)),
            Err(error) => {
                if by_name::<u8, _>(&mut npz, &name, f64::from).is_err() {
                    return Err(format!("{name}: {error}"));
                }
            }
        }
    }
    Ok(found)
}

fn by_name<T, R>(
    npz: &mut NpzReader<R>,
    name: &str,
    convert: fn(T) -> f64,
) -> Result<ArrayD<f64>, ReadNpzError>
where
    T: ndarray_npy::ReadableElement + Copy,
    R: std::io::Read + std::io::Seek,
{
    let array: ndarray::ArrayBase<OwnedRepr<T>, ndarray::IxDyn> = npz.by_name(name)?;
    Ok(array.mapv(convert))
}

fn npy(path: &Path) -> Result<Vec<Numbers>, String> {
    let open = || File::open(path).map_err(|error| error.to_string());
    if let Ok(array) = ArrayD::<f32>::read_npy(BufReader::new(open()?)) {
        return Ok(vec![of_array("array", &array.mapv(f64::from))]);
    }
    let array = ArrayD::<f64>::read_npy(BufReader::new(open()?));
    Ok(vec![of_array(
        "array",
        &array.map_err(|error| error.to_string())?,
    )])
}

fn of_array(name: &str, array: &ArrayD<f64>) -> Numbers {
    Numbers::array(name, array.shape(), array.iter().copied().collect())
}

/// Pixels of 8 bits, whatever the file has.
fn png(path: &Path) -> Result<Vec<Numbers>, String> {
    let file = BufReader::new(File::open(path).map_err(|error| error.to_string())?);
    let mut decoder = png::Decoder::new(file);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let size = reader
        .output_buffer_size()
        .ok_or("the picture is too large")?;
    let mut bytes = vec![0; size];
    let info = reader
        .next_frame(&mut bytes)
        .map_err(|error| error.to_string())?;
    let samples = info.color_type.samples();
    let (colours, is_clear) = (if samples < 3 { 1 } else { 3 }, samples % 2 == 0);
    let pixels = bytes[..info.buffer_size()].chunks_exact(samples);
    let values: Vec<f64> = pixels
        .flat_map(|pixel| {
            let colour = |channel: usize| f64::from(pixel[channel.min(colours - 1)]);
            let opacity = if is_clear { pixel[samples - 1] } else { 255 };
            [colour(0), colour(1), colour(2), f64::from(opacity)]
        })
        .collect();
    Ok(vec![pixels_of(
        [1, info.height as usize, info.width as usize],
        values,
    )])
}

/// All pictures of a film.
fn gif(path: &Path) -> Result<Vec<Numbers>, String> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let file = BufReader::new(File::open(path).map_err(|error| error.to_string())?);
    let mut film = options.read_info(file).map_err(|error| error.to_string())?;
    let (mut values, mut delays) = (Vec::new(), Vec::new());
    while let Some(frame) = film.read_next_frame().map_err(|error| error.to_string())? {
        values.extend(frame.buffer.iter().map(|&level| f64::from(level)));
        delays.push(f64::from(frame.delay));
    }
    let (height, width) = (usize::from(film.height()), usize::from(film.width()));
    let shape = [delays.len(), height, width];
    if delays.is_empty() || values.len() != 4 * shape.iter().product::<usize>() {
        return Err(format!(
            "{} frames that are not of {width} × {height}",
            delays.len()
        ));
    }
    let delays = Numbers::array("delays", &[delays.len()], delays);
    Ok(vec![pixels_of(shape, values), delays])
}

/// Pictures of red, green, blue and opacity; those that hide all have no opacity.
fn pixels_of([pictures, height, width]: [usize; 3], values: Vec<f64>) -> Numbers {
    let is_opaque = values.chunks_exact(4).all(|pixel| pixel[3] == 255.0);
    let channels = if is_opaque { 3 } else { 4 };
    let pixels = values.chunks_exact(4);
    let values = pixels
        .flat_map(|pixel| pixel[..channels].to_vec())
        .collect();
    Numbers {
        kind: Kind::Pixels,
        ..Numbers::array("pixels", &[pictures, height, width, channels], values)
    }
}

/// How many nodes a model has of each kind, and how many trained numbers.
fn onnx(path: &Path) -> Result<Vec<Numbers>, String> {
    let model = kinograd::runtime::inspect(path).map_err(|error| error.to_string())?;
    let count = |name: &str, count: f64| Numbers::array(name, &[], vec![count]);
    let mut found: Vec<Numbers> = model
        .ops
        .iter()
        .map(|(op, &nodes)| count(&format!("nodes of {op}"), nodes as f64))
        .collect();
    found.push(count("parameters", model.parameters as f64));
    found.push(count("inputs", model.inputs.len() as f64));
    found.push(count("outputs", model.outputs.len() as f64));
    Ok(found)
}
