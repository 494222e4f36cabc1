//! Data sets from a folder of motion capture.

use std::path::{Path, PathBuf};

use kinograd_motion::MotionError;
use kinograd_motion::dataset::{self, BuildOptions, BuildReport, Entry, Progress};
use kinograd_motion::mapping::MappingFile;

use crate::Error;

/// Name of the table of clips in a folder of motion capture.
const MANIFEST: &str = "manifest.csv";
/// Name of the mappings in a folder of motion capture.
const MAPPINGS: &str = "skeletons.json";

/// What a folder of motion capture holds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Source {
    /// The clips.
    pub entries: Vec<Entry>,
    /// Mappings by family of rigs.
    pub mappings: Option<MappingFile>,
}

impl Source {
    /// Reads `manifest.csv` and `skeletons.json` of a folder; without a manifest every BVH below
    /// the folder is a clip, without mappings rigs are mapped by their joints' names.
    ///
    /// # Errors
    /// [`Error::Read`] with the file and why.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let fail = |path: PathBuf| {
            move |error: kinograd_motion::MotionError| Error::Read {
                path,
                source: Box::new(error),
            }
        };
        let manifest = folder.join(MANIFEST);
        let entries = if manifest.is_file() {
            dataset::read_manifest(&manifest).map_err(fail(manifest))?
        } else {
            dataset::entries_in_folder(folder).map_err(fail(folder.to_path_buf()))?
        };
        let mappings = folder.join(MAPPINGS);
        let mappings = if mappings.is_file() {
            Some(MappingFile::read(&mappings).map_err(fail(mappings))?)
        } else {
            None
        };
        Ok(Self { entries, mappings })
    }
}

/// Imports a folder of motion capture as features, captions and statistics in folder `out`, which
/// is whole or not there. Clips that cannot be used are in the report, with the reason.
///
/// # Errors
/// [`Error::Read`] for the source, [`Error::Write`] for `out`, [`Error::Cancelled`] if `progress`
/// asks to stop.
pub fn build(
    source: &Path,
    out: &Path,
    without_mirrored: bool,
    progress: &dyn Progress,
) -> Result<BuildReport, Error> {
    let Source { entries, mappings } = Source::open(source)?;
    let options = BuildOptions {
        mappings,
        without_mirrored,
        ..BuildOptions::default()
    };
    dataset::build(&entries, &options, out, progress).map_err(|error| match error {
        MotionError::Cancelled => Error::Cancelled,
        error => Error::Write {
            path: out.to_path_buf(),
            source: Box::new(error),
        },
    })
}
