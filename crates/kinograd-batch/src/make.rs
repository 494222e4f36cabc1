//! What makes the clips.

use std::collections::BTreeMap;

use kinograd::runtime::EngineOptions;
use kinograd::{Clip, Error, MotionGenerator, Observer, Task};

/// Makes the clip of a task.
pub trait Maker {
    /// The one clip of a task.
    ///
    /// # Errors
    /// [`Error::Cancelled`] ends the batch; any other error is the task's.
    fn make(&mut self, task: &Task, observer: &mut dyn Observer) -> Result<Clip, Error>;

    /// What makes a task's clips, in words: model, version, engine.
    fn describe(&self, task: &Task) -> Made;
}

/// What made a clip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Made {
    /// The model's name.
    pub model: String,
    /// The model's version.
    pub model_version: String,
    /// The engine and its provider.
    pub engine: String,
}

/// The models of a batch; each is opened when the first task asks for it.
pub struct Generators {
    options: EngineOptions,
    open: BTreeMap<String, MotionGenerator>,
}

impl std::fmt::Debug for Generators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open: Vec<&String> = self.open.keys().collect();
        f.debug_struct("Generators").field("open", &open).finish()
    }
}

impl Generators {
    /// Models on an engine.
    #[must_use]
    pub fn new(options: EngineOptions) -> Self {
        Self {
            options,
            open: BTreeMap::new(),
        }
    }
}

impl Maker for Generators {
    fn make(&mut self, task: &Task, observer: &mut dyn Observer) -> Result<Clip, Error> {
        let model = task.model().to_owned();
        let generator = match self.open.entry(model) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let opened = MotionGenerator::open(entry.key(), &self.options)?;
                entry.insert(opened)
            }
        };
        let mut clips = generator.generate(task, observer)?;
        clips
            .pop()
            .ok_or_else(|| Error::Internal("a task made no clip".to_owned()))
    }

    fn describe(&self, task: &Task) -> Made {
        let Some(generator) = self.open.get(task.model()) else {
            return Made::default();
        };
        let manifest = generator.manifest();
        Made {
            model: manifest.name.clone(),
            model_version: manifest.version.clone(),
            engine: generator.engine_name(),
        }
    }
}
