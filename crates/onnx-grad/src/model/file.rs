//! Files: external data is read, and nothing is ever half written.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use prost::Message as _;
use prost::bytes::Bytes;

use crate::data_type::element_count;
use crate::proto::{DataLocation, GraphProto, ModelProto, StringStringEntryProto, TensorProto};
use crate::{Error, Result};

pub(super) fn io_error(path: &Path, source: io::Error) -> Error {
    Error::Io {
        path: path.to_path_buf(),
        source,
    }
}

/// The name of the file at `path` with an ending of its own.
fn name_beside(path: &Path, ending: &str) -> Result<OsString> {
    let Some(name) = path.file_name() else {
        let reason = io::Error::new(io::ErrorKind::InvalidInput, "it names no file");
        return Err(io_error(path, reason));
    };
    let mut name = name.to_os_string();
    name.push(ending);
    Ok(name)
}

/// Writes a model that is too large for one message: weights go to `<file name>.data` beside it.
pub(super) fn write_external(proto: &ModelProto, path: &Path) -> Result<()> {
    let name = name_beside(path, ".data")?;
    let location = name.to_string_lossy().into_owned();
    let mut proto = proto.clone();
    let mut blocks: Vec<Bytes> = Vec::new();
    let mut offset = 0usize;
    if let Some(graph) = proto.graph.as_mut() {
        visit_tensors(graph, &mut |tensor| {
            // Small tensors stay inside: engines read shapes and axes while loading.
            if tensor.raw_data.as_ref().is_none_or(|raw| raw.len() < 1024) {
                return Ok(());
            }
            if let Some(raw) = tensor.raw_data.take() {
                tensor.set_data_location(DataLocation::External);
                tensor.external_data = [
                    ("location", location.clone()),
                    ("offset", offset.to_string()),
                    ("length", raw.len().to_string()),
                ]
                .into_iter()
                .map(|(key, value)| StringStringEntryProto {
                    key: key.into(),
                    value,
                })
                .collect();
                offset += raw.len();
                blocks.push(raw);
            }
            Ok(())
        })?;
    }
    replace_file(&path.with_file_name(&name), |file| {
        blocks.iter().try_for_each(|block| file.write_all(block))
    })?;
    replace_file(path, |file| file.write_all(&proto.encode_to_vec()))
}

/// Writes a file whole or not at all.
pub(super) fn replace_file(
    path: &Path,
    fill: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> Result<()> {
    Ok(kinograd_files::write_atomic(path, |file| fill(file))?)
}

pub(super) fn visit_tensors(
    graph: &mut GraphProto,
    visit: &mut dyn FnMut(&mut TensorProto) -> Result<()>,
) -> Result<()> {
    for tensor in &mut graph.initializer {
        visit(tensor)?;
    }
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        if let Some(tensor) = attribute.t.as_mut() {
            visit(tensor)?;
        }
        for graph in attribute.subgraphs_mut() {
            visit_tensors(graph, visit)?;
        }
    }
    Ok(())
}

/// Where a tensor's data lies in another file.
struct Place {
    location: String,
    offset: u64,
    /// All that follows the offset where `None`.
    length: Option<u64>,
}

fn place_of(tensor: &TensorProto) -> Result<Place, String> {
    let field = |key: &str| {
        let entry = tensor.external_data.iter().find(|entry| entry.key == key);
        entry.map(|entry| entry.value.clone())
    };
    let number = |key: &str| match field(key) {
        None => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(format!("{key} `{text}` is not a number")),
        },
    };
    Ok(Place {
        location: field("location").ok_or("it names no file")?,
        offset: number("offset")?.unwrap_or(0),
        length: number("length")?,
    })
}

/// How many times over the data of a file may be taken: tied weights name it twice.
const TAKEN_OVER: u64 = 4;

/// What the tensors of a model take from files.
pub(super) struct DataFiles {
    /// The model's folder; `None` where it was given as bytes.
    folder: Option<PathBuf>,
    /// Where the model's own file lies behind its links, if that is a store of a hub's cache.
    store: Option<PathBuf>,
    /// Bytes taken of each file, by where it really lies.
    taken: HashMap<PathBuf, u64>,
}

/// Name of the folder that holds the files of a Hugging Face hub cache; its snapshots are links there.
const STORE: &str = "blobs";

impl DataFiles {
    /// Those of a model that was given as bytes: none.
    pub(super) fn none() -> Self {
        Self {
            folder: None,
            store: None,
            taken: HashMap::new(),
        }
    }

    /// Those of the model at `path`.
    pub(super) fn beside(path: &Path) -> Result<Self> {
        let folder = path.parent().unwrap_or(Path::new(""));
        // The parent of a bare name is empty.
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let real = path
            .canonicalize()
            .map_err(|source| io_error(path, source))?;
        let store = real.parent().filter(|parent| parent.ends_with(STORE));
        Ok(Self {
            folder: Some(folder.to_path_buf()),
            store: store.map(Path::to_path_buf),
            taken: HashMap::new(),
        })
    }

    /// The file that a location names, and where it really lies, if the model may read it: inside its
    /// folder, or beside its own file in the store of a hub's cache.
    fn find(&self, location: &str) -> Result<(PathBuf, PathBuf), Fault> {
        let folder = self.folder.as_ref().ok_or_else(|| {
            Fault::Refused("the model was given as bytes; read it from its file instead".into())
        })?;
        let relative = Path::new(location);
        let inside = relative
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if location.is_empty() || !inside {
            return Err(Fault::Refused(format!(
                "`{location}` leaves the folder of the model"
            )));
        }
        let path = folder.join(relative);
        let resolved = |path: &Path| {
            let real = path.canonicalize();
            real.map_err(|source| Fault::Io(path.to_path_buf(), source))
        };
        let (root, real) = (resolved(folder)?, resolved(&path)?);
        let in_store = self.store.is_some() && real.parent() == self.store.as_deref();
        if !real.starts_with(&root) && !in_store {
            return Err(Fault::Refused(format!(
                "`{location}` is a link that leaves the folder of the model; copy the model and its \
                 data into one folder (`cp -L`)"
            )));
        }
        Ok((path, real))
    }
}

enum Fault {
    Refused(String),
    Io(PathBuf, io::Error),
}

/// The data files that a graph's tensors name, each once, in the order of their names.
pub(super) fn named_files(graph: &mut GraphProto, files: &DataFiles) -> Result<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    visit_tensors(graph, &mut |tensor| {
        if is_external(tensor) {
            let place = place_of(tensor).map_err(|reason| refused(tensor, reason))?;
            let (path, _) = files
                .find(&place.location)
                .map_err(|fault| fault.of(tensor))?;
            found.insert(path);
        }
        Ok(())
    })?;
    Ok(found.into_iter().collect())
}

/// Gives the data files that tensors name other names.
pub(super) fn rename_external(graph: &mut GraphProto, name: &dyn Fn(&str) -> String) {
    // Visiting fails only where the visitor does.
    let _ = visit_tensors(graph, &mut |tensor| {
        let places = tensor.external_data.iter_mut();
        for entry in places.filter(|entry| entry.key == "location") {
            entry.value = name(&entry.value);
        }
        Ok(())
    });
}

fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location == Some(DataLocation::External.into())
}

fn refused(tensor: &TensorProto, reason: String) -> Error {
    Error::ExternalData {
        tensor: tensor.name.clone(),
        reason,
    }
}

impl Fault {
    fn of(self, tensor: &TensorProto) -> Error {
        match self {
            Self::Refused(reason) => refused(tensor, reason),
            Self::Io(path, source) => io_error(&path, source),
        }
    }
}

/// Reads the data of a tensor from the file that it names.
pub(super) fn load_external(tensor: &mut TensorProto, files: &mut DataFiles) -> Result<()> {
    if !is_external(tensor) {
        return Ok(());
    }
    let refuse = |reason: String| refused(tensor, reason);
    let Place {
        location,
        offset,
        length,
    } = place_of(tensor).map_err(refuse)?;
    let (path, real) = files.find(&location).map_err(|fault| fault.of(tensor))?;
    // Both are checked before anything is allocated: they come from the model file.
    let given = bytes_given(&real, offset, length).map_err(|source| io_error(&path, source))?;
    let expected = element_count(&tensor.dims)
        .zip(tensor.element_type().size())
        .and_then(|(count, size)| u64::try_from(count.checked_mul(size)?).ok());
    if let Some(expected) = expected
        && expected != given
    {
        return Err(refuse(format!(
            "its shape {:?} needs {expected} bytes, `{location}` gives {given}",
            tensor.dims,
        )));
    }
    // A small model may name one large file any number of times.
    let sum = files.taken.entry(real.clone()).or_default();
    *sum = sum.saturating_add(given);
    let size = bytes_given(&real, 0, None).map_err(|source| io_error(&path, source))?;
    if *sum > size.saturating_mul(TAKEN_OVER) {
        return Err(refuse(format!(
            "the tensors of this model take more than {TAKEN_OVER} times what `{location}` holds"
        )));
    }
    let raw = read_range(&real, offset, given).map_err(|source| io_error(&path, source))?;
    tensor.raw_data = Some(Bytes::from(raw));
    tensor.external_data.clear();
    tensor.data_location = None;
    Ok(())
}

/// How many bytes from `offset` on are meant, of those that the file has.
fn bytes_given(path: &Path, offset: u64, length: Option<u64>) -> io::Result<u64> {
    let available = fs::metadata(path)?.len().saturating_sub(offset);
    let length = length.unwrap_or(available);
    if length > available {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{length} bytes at {offset} lie beyond its end"),
        ));
    }
    Ok(length)
}

fn read_range(path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut file = kinograd_files::open(path).map_err(kinograd_files::FileError::into_io)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut raw = Vec::new();
    // At once: growing would hold a large tensor twice.
    raw.try_reserve_exact(usize::try_from(length).map_err(io::Error::other)?)?;
    let read = file.take(length).read_to_end(&mut raw)?;
    if u64::try_from(read).is_ok_and(|read| read == length) {
        return Ok(raw);
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
