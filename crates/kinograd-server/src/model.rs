//! What makes the clips.

use kinograd::{Clip, Error, MotionGenerator, Observer};

use crate::plan::{Figure, Plan};

/// What the server tells of its model, and holds requests against.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Its name.
    pub id: String,
    /// Frames per second that it makes.
    pub fps: f64,
    /// Shortest clip, frames.
    pub min_frames: usize,
    /// Longest clip, frames.
    pub max_frames: usize,
}

/// Makes clips of plans; it lives on a thread of its own.
pub trait ClipSource {
    /// What it is.
    fn info(&self) -> ModelInfo;

    /// The clips of a plan's task, on the plan's figure, at the plan's rate.
    ///
    /// # Errors
    /// As [`MotionGenerator::generate`](kinograd::Generator::generate).
    fn make(&mut self, plan: &Plan, observer: &mut dyn Observer) -> Result<Vec<Clip>, Error>;
}

/// A generator as a source of clips.
pub struct GeneratorSource {
    generator: MotionGenerator,
    info: ModelInfo,
}

impl GeneratorSource {
    /// Of a generator that is open.
    ///
    /// # Errors
    /// [`Error::Runtime`] where its package makes no motion.
    pub fn new(generator: MotionGenerator) -> Result<Self, Error> {
        let manifest = generator.manifest();
        let motion = manifest.motion()?;
        let info = ModelInfo {
            id: manifest.name.clone(),
            fps: motion.fps,
            min_frames: motion.min_frames,
            max_frames: motion.max_frames,
        };
        Ok(Self { generator, info })
    }
}

impl ClipSource for GeneratorSource {
    fn info(&self) -> ModelInfo {
        self.info.clone()
    }

    fn make(&mut self, plan: &Plan, observer: &mut dyn Observer) -> Result<Vec<Clip>, Error> {
        match &plan.figure {
            Figure::Body => self.generator.generate(&plan.task, observer),
            Figure::Rig(character) => {
                let options = Figure::OPTIONS;
                self.generator
                    .generate_on(&plan.task, character, &options, observer)
            }
        }
    }
}
