//! Clips of a cell of a benchmark: one course, one direction, one method, some seeds.

use std::ops::ControlFlow;
use std::path::Path;

use kinograd_diffusion::DiffusionError;
use kinograd_motion::metrics::nearest_neighbour_distances;
use ndarray::Array2;

use super::record::FailedClip;
use crate::eval::Reference;
use crate::{
    Clip, Error, Event, GenerateRequest, GenerateRequestBuilder, MotionGenerator, Observer,
};

/// Passes on the benchmark's own progress in place of each run's, and no warnings: a benchmark
/// asks for what it asks for, many times over.
pub(super) struct Watch<'a> {
    observer: &'a mut dyn Observer,
    done: u64,
}

impl<'a> Watch<'a> {
    /// Shows nothing, but can be stopped.
    pub fn silent(observer: &'a mut dyn Observer) -> Self {
        Self { observer, done: 0 }
    }

    /// Shows `total` clips.
    pub fn start(observer: &'a mut dyn Observer, total: usize) -> Result<Self, Error> {
        let event = Event::Started {
            work: "clips",
            total: total as u64,
        };
        match observer.event(&event) {
            ControlFlow::Continue(()) => Ok(Self::silent(observer)),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }

    /// So many clips more are done.
    pub fn advance(&mut self, clips: usize) {
        self.done += clips as u64;
    }
}

impl Observer for Watch<'_> {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Advanced { .. } => self.observer.event(&Event::Advanced { done: self.done }),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// What a cell gave.
#[derive(Default)]
pub(super) struct Cell {
    pub clips: Vec<Clip>,
    pub failed: Vec<FailedClip>,
    /// Text, sampling and clean-up, a clip; of runs without failure.
    pub seconds_per_clip: Option<f64>,
    /// Sampling, a clip and step.
    pub seconds_per_step: Option<f64>,
}

/// Runs a request.
pub(super) type Make<'m> = dyn FnMut(&mut MotionGenerator, &GenerateRequest, &mut dyn Observer) -> Result<Vec<Clip>, Error>
    + 'm;

/// Makes the clips of seeds `first..first + count`. Where a method breaks down on one of them, each
/// is made alone, so that the others are kept.
pub(super) fn cell(
    generator: &mut MotionGenerator,
    make: &mut Make<'_>,
    request: &GenerateRequestBuilder,
    (first, count): (u64, usize),
    course: usize,
    watch: &mut Watch<'_>,
) -> Result<Cell, Error> {
    let asked = request.clone().seed(first).clips(count).build()?;
    match make(generator, &asked, watch) {
        Ok(clips) => {
            watch.advance(count);
            let timings = generator.timings();
            let all = timings.text_s + timings.sampling_s + timings.finish_s;
            Ok(Cell {
                clips,
                failed: Vec::new(),
                seconds_per_clip: Some(all / count as f64),
                seconds_per_step: Some(timings.sampling_s / (count * asked.steps) as f64),
            })
        }
        Err(error @ Error::Diffusion(DiffusionError::Guidance { .. })) if count == 1 => {
            watch.advance(1);
            Ok(Cell {
                failed: vec![FailedClip {
                    course,
                    seed: first,
                    reason: with_causes(&error),
                }],
                ..Cell::default()
            })
        }
        Err(Error::Diffusion(DiffusionError::Guidance { .. })) => {
            let mut all = Cell::default();
            for seed in first..first + count as u64 {
                let one = cell(generator, make, request, (seed, 1), course, watch)?;
                all.clips.extend(one.clips);
                all.failed.extend(one.failed);
            }
            Ok(all)
        }
        Err(error) => Err(error),
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// Embeddings of real clips.
pub(super) struct Real(Array2<f32>);

impl Real {
    /// Of a data set's training clips; `None` where the model has no embedding.
    pub fn open(generator: &mut MotionGenerator, data: &Path) -> Result<Option<Self>, Error> {
        let reference = Reference::open(data)?;
        let mut rows = Vec::new();
        for snippet in reference.snippets("train") {
            let Some(row) = generator.embed_motion(snippet.features)? else {
                return Ok(None);
            };
            rows.push(row);
        }
        let width = rows.first().map_or(0, Vec::len);
        Array2::from_shape_vec((rows.len(), width), rows.concat())
            .map(|rows| Some(Self(rows)))
            .map_err(|error| Error::Internal(error.to_string()))
    }

    /// Distance of a clip's embedding from the nearest one.
    pub fn distance(
        &self,
        generator: &mut MotionGenerator,
        clip: &Clip,
    ) -> Result<Option<f64>, Error> {
        let Some(features) = &clip.features else {
            return Ok(None);
        };
        let Some(row) = generator.embed_motion(features.view())? else {
            return Ok(None);
        };
        let row = Array2::from_shape_vec((1, row.len()), row)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let nearest = nearest_neighbour_distances(row.view(), self.0.view())?;
        Ok(nearest.first().map(|(_, distance)| *distance))
    }
}
