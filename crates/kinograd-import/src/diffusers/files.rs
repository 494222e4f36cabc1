//! What a package's folder will hold, before it is written.

use std::path::{Component, Path, PathBuf};

use kinograd_runtime::{DataEntry, FileEntry, RuntimeError};
use onnx_grad::Model;

use crate::staged::StagedPackage;

/// Graphs, the data files that they name, and texts.
#[derive(Default)]
pub(super) struct PackageFiles {
    graphs: Vec<(Model, String)>,
    copies: Vec<(PathBuf, String)>,
    texts: Vec<(String, String)>,
}

/// A graph whose external data stays in its file, and those files by their new names in a package.
pub(super) struct GraphFile {
    pub onnx: PathBuf,
    pub model: Model,
    data: Vec<(PathBuf, String)>,
}

impl GraphFile {
    /// Reads a graph; its data files will lie in the folder `<stem>.data` of the package.
    pub(super) fn read(onnx: PathBuf, stem: &str) -> Result<Self, RuntimeError> {
        let not_read = |source: onnx_grad::Error| RuntimeError::Read {
            path: onnx.clone(),
            source: Box::new(source),
        };
        let mut model = Model::read_without_data(&onnx).map_err(not_read)?;
        let named = Model::data_files(&onnx).map_err(not_read)?;
        let parent = onnx.parent().unwrap_or(Path::new(""));
        let moved = |location: &Path| format!("{stem}.data/{}", plain(location));
        let data = named
            .into_iter()
            .map(|file| {
                let to = moved(file.strip_prefix(parent).unwrap_or(&file));
                (file, to)
            })
            .collect();
        model.rename_data_files(&|location| moved(Path::new(location)));
        Ok(Self { onnx, model, data })
    }
}

/// A path with `/` and without `.`.
fn plain(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

impl PackageFiles {
    /// Adds a graph with the data files of its sources; the entry lists them.
    pub(super) fn graph(
        &mut self,
        model: Model,
        data: Vec<(PathBuf, String)>,
        entry: &mut FileEntry,
    ) {
        let listed = data.iter().map(|(_, path)| DataEntry {
            path: path.clone(),
            ..DataEntry::default()
        });
        entry.data = listed.collect();
        self.graphs.push((model, entry.path.clone()));
        self.copies.extend(data);
    }

    /// Adds a text file.
    pub(super) fn text(&mut self, contents: String, path: &str) -> FileEntry {
        self.texts.push((contents, path.to_owned()));
        FileEntry {
            path: path.to_owned(),
            ..FileEntry::default()
        }
    }

    /// Writes all of it.
    pub(super) fn write(self, staged: &StagedPackage) -> Result<(), RuntimeError> {
        for (from, to) in &self.copies {
            staged.put(from, to)?;
        }
        for (model, to) in self.graphs {
            let path = staged.path().join(to);
            let written = model.write(&path);
            written.map_err(|source| RuntimeError::Graph { path, source })?;
        }
        for (contents, to) in &self.texts {
            staged.put_text(contents, to)?;
        }
        Ok(())
    }
}

impl GraphFile {
    /// The graph's data files, with their places in the package.
    pub(super) fn take_data(&mut self) -> Vec<(PathBuf, String)> {
        std::mem::take(&mut self.data)
    }
}
