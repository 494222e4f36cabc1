//! The parts of a pipeline's folder.

use std::path::{Path, PathBuf};

use kinograd_files::{Budget, escape};
use kinograd_runtime::{MANIFEST_FILE, RuntimeError};
use serde_json::Value;

const INDEX_FILE: &str = "model_index.json";

/// Whether a folder is a pipeline's, or what is left of one.
pub(crate) fn is_pipeline(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).exists();
    folder.is_dir() && !has(MANIFEST_FILE) && (has(INDEX_FILE) || has("unet") || has("transformer"))
}

/// A folder with `model_index.json` and a folder for each part.
pub(super) struct PipelineFolder {
    root: PathBuf,
    index: Value,
}

impl PipelineFolder {
    pub(super) fn open(root: &Path) -> Result<Self, RuntimeError> {
        let mut folder = Self {
            root: root.to_owned(),
            index: Value::Null,
        };
        folder.index = folder.needed_json(INDEX_FILE)?;
        Ok(folder)
    }

    /// The pipeline's class.
    pub(super) fn class(&self) -> &str {
        self.index["_class_name"].as_str().unwrap_or("none")
    }

    /// A switch of the pipeline.
    pub(super) fn switch(&self, name: &str) -> Option<bool> {
        self.index[name].as_bool()
    }

    pub(super) fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside)
    }

    pub(super) fn has(&self, inside: &str) -> bool {
        self.path(inside).exists()
    }

    /// A part's graph.
    pub(super) fn graph(&self, part: &str) -> Result<PathBuf, RuntimeError> {
        let inside = format!("{part}/model.onnx");
        if self.has(&inside) {
            return Ok(self.path(&inside));
        }
        let weights = ["diffusion_pytorch_model", "model", "pytorch_model"]
            .iter()
            .any(|stem| {
                let endings = ["safetensors", "fp16.safetensors", "bin"];
                endings
                    .iter()
                    .any(|ending| self.has(&format!("{part}/{stem}.{ending}")))
            });
        Err(self.refuse(&if weights {
            format!(
                "{part} holds PyTorch's weights and no ONNX; export the pipeline first: `optimum-cli export \
                 onnx --model FOLDER OUT`"
            )
        } else {
            format!("{inside} is missing")
        }))
    }

    /// A JSON file that may be missing.
    pub(super) fn json(&self, inside: &str) -> Result<Option<Value>, RuntimeError> {
        match self.text(inside)? {
            None => Ok(None),
            Some(text) => match serde_json::from_str(&text) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(self.refuse(&format!("{inside}: {error}"))),
            },
        }
    }

    pub(super) fn needed_json(&self, inside: &str) -> Result<Value, RuntimeError> {
        let found = self.json(inside)?;
        found.ok_or_else(|| self.refuse(&format!("{inside} is missing; copy the folder whole")))
    }

    /// A text file that may be missing.
    pub(super) fn text(&self, inside: &str) -> Result<Option<String>, RuntimeError> {
        if !self.has(inside) {
            return Ok(None);
        }
        let text = kinograd_files::read_text(&self.path(inside), Budget::of_process());
        text.map(Some).map_err(|error| RuntimeError::Read {
            path: self.path(inside),
            source: Box::new(error.into_io()),
        })
    }

    pub(super) fn refuse(&self, message: &str) -> RuntimeError {
        RuntimeError::Request {
            field: "model",
            message: format!(
                "{}: {}; nothing was added",
                self.root.display(),
                escape(message)
            ),
        }
    }
}

/// A whole number of a configuration.
pub(super) fn number(config: &Value, key: &str) -> Option<usize> {
    usize::try_from(config[key].as_u64()?).ok()
}
