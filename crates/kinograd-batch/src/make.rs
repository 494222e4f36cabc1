//! What makes the clips.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

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

    /// Whether the task's clip will have an [`embedding`](Clip::embedding).
    ///
    /// # Errors
    /// As [`make`](Self::make), of a model that cannot be opened.
    fn embeds(&mut self, task: &Task) -> Result<bool, Error>;
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

impl Made {
    /// The model and its version, as one name.
    pub(crate) fn name(&self) -> String {
        model_name(&self.model, &self.model_version)
    }
}

/// A model and its version, as one name.
pub(crate) fn model_name(model: &str, version: &str) -> String {
    format!("{model} {version}")
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

    /// The task's model, opened where it is not yet.
    fn of(&mut self, task: &Task) -> Result<&mut MotionGenerator, Error> {
        match self.open.entry(task.model().to_owned()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let opened = MotionGenerator::open(entry.key(), &self.options)?;
                Ok(entry.insert(opened))
            }
        }
    }
}

impl Maker for Generators {
    fn make(&mut self, task: &Task, observer: &mut dyn Observer) -> Result<Clip, Error> {
        let mut clips = self.of(task)?.generate(task, observer)?;
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

    fn embeds(&mut self, task: &Task) -> Result<bool, Error> {
        Ok(self.of(task)?.embeds_motion())
    }
}
