//! A run as numbers: x_T in, every step out.

use std::path::Path;

use kinograd_diffusion::{DiffusionError, NoiseSource, SeededNoise, StepPair};
use kinograd_files::{Budget, check_npy};
use ndarray::{ArrayD, Axis, stack};
use ndarray_npy::ReadNpyExt as _;

use crate::Error;

/// Most numbers of a trace that is kept: 2 GiB of memory.
const MAX_NUMBERS: usize = 1 << 29;

/// The steps of one image, as numbers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// `[steps]`: the timestep of each step's x_t.
    pub timesteps: Vec<f64>,
    /// `[steps]`: its ᾱ.
    pub alpha_bars: Vec<f64>,
    /// `[steps, channels, height, width]`: x̂0 of each step, latents of a latent model.
    pub x0: ArrayD<f32>,
    /// Alike: the sample after each step.
    pub x: ArrayD<f32>,
}

/// Collects the traces of a batch.
#[derive(Default)]
pub(super) struct Tracing {
    levels: Vec<(f64, f64)>,
    x0: Vec<ArrayD<f32>>,
    x: Vec<ArrayD<f32>>,
}

impl Tracing {
    /// Remembers a step, `[batch, …]`; a step that is redone takes its earlier place.
    pub fn push(&mut self, index: usize, pair: StepPair, x0: &ArrayD<f32>, x: &ArrayD<f32>) {
        self.levels.truncate(index);
        self.x0.truncate(index);
        self.x.truncate(index);
        self.levels.push((pair.from.timestep, pair.from.alpha_bar));
        self.x0.push(x0.clone());
        self.x.push(x.clone());
    }

    /// That of one image.
    pub fn of(&self, sample: usize) -> Result<Trace, Error> {
        let rows = |steps: &[ArrayD<f32>]| {
            let rows: Vec<_> = steps
                .iter()
                .map(|step| step.index_axis(Axis(0), sample))
                .collect();
            stack(Axis(0), &rows).map_err(|error| Error::Internal(error.to_string()))
        };
        Ok(Trace {
            timesteps: self.levels.iter().map(|level| level.0).collect(),
            alpha_bars: self.levels.iter().map(|level| level.1).collect(),
            x0: rows(&self.x0)?,
            x: rows(&self.x)?,
        })
    }
}

/// Refuses traces that memory may not hold.
pub(super) fn check_trace(steps: usize, images: usize, size: [usize; 3]) -> Result<(), Error> {
    let each: usize = size.iter().product();
    let numbers = steps.saturating_mul(images).saturating_mul(2 * each);
    if numbers <= MAX_NUMBERS {
        return Ok(());
    }
    Err(Error::Request {
        field: "save-steps",
        message: format!("{numbers} numbers; at most {MAX_NUMBERS} are kept: fewer pictures"),
    })
}

/// Reads x_T of some images, `[images, channels, height, width]` or, of one, without the first axis.
pub(super) fn read_noise(
    path: &Path,
    images: usize,
    size: [usize; 3],
) -> Result<ArrayD<f32>, Error> {
    let refuse = |message: String| Error::Read {
        path: path.to_path_buf(),
        source: message.into(),
    };
    let bytes = kinograd_files::read(path, Budget::of_process())
        .map_err(|error| refuse(error.into_io().to_string()))?;
    check_npy(&bytes)
        .map_err(|reason| refuse(format!("no .npy of 32- or 64-bit floats: {reason}")))?;
    let noise = match ArrayD::<f32>::read_npy(bytes.as_slice()) {
        Ok(noise) => noise,
        // NumPy's own default
        Err(single) => ArrayD::<f64>::read_npy(bytes.as_slice())
            .map_err(|_| refuse(format!("no .npy of 32- or 64-bit floats: {single}")))?
            .mapv(|x| x as f32),
    };
    let noise = if noise.ndim() == 3 {
        noise.insert_axis(Axis(0))
    } else {
        noise
    };
    if noise.ndim() != 4 || noise.shape()[0] != images || noise.shape()[1..] != size {
        let [channels, height, width] = size;
        return Err(refuse(format!(
            "its shape is {:?}; [{images}, {channels}, {height}, {width}] is needed, one for each picture",
            noise.shape()
        )));
    }
    if noise.iter().any(|x| !x.is_finite()) {
        return Err(refuse("it has numbers that are not finite".to_owned()));
    }
    Ok(noise.as_standard_layout().into_owned())
}

/// Given noise first, where there is some, then seeded noise.
pub(super) struct Noise {
    seeded: SeededNoise,
    first: Option<ArrayD<f32>>,
    is_first: bool,
}

impl Noise {
    pub fn new(seeds: Vec<u64>, first: Option<ArrayD<f32>>) -> Self {
        Self {
            seeded: SeededNoise::new(seeds),
            first,
            is_first: true,
        }
    }
}

impl NoiseSource for Noise {
    fn fill(&mut self, out: &mut ArrayD<f32>) -> Result<(), DiffusionError> {
        self.seeded.fill(out)?;
        if std::mem::take(&mut self.is_first)
            && let Some(first) = &self.first
        {
            if first.shape() != out.shape() {
                return Err(DiffusionError::Shape {
                    what: "noise",
                    expected: out.shape().to_vec(),
                    got: first.shape().to_vec(),
                });
            }
            out.assign(first);
        }
        Ok(())
    }

    fn rewind(&mut self) {
        self.seeded.rewind();
        self.is_first = true;
    }
}
