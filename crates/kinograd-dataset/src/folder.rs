//! Data sets from a folder of motion capture.

use std::path::{Path, PathBuf};

use kinograd_motion::MotionError;
use kinograd_motion::mapping::MappingFile;

use crate::build::{BuildOptions, build};
use crate::error::DatasetError;
use crate::index::BuildReport;
use crate::manifest::{Entry, entries_in_folder, read_manifest};
use crate::progress::Progress;

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
    /// [`DatasetError::Read`] with the file and why.
    pub fn open(folder: &Path) -> Result<Self, DatasetError> {
        let fail = |path: PathBuf| {
            move |error: MotionError| DatasetError::Read {
                path,
                source: Box::new(error),
            }
        };
        let manifest = folder.join(MANIFEST);
        let entries = if manifest.is_file() {
            read_manifest(&manifest).map_err(fail(manifest))?
        } else {
            entries_in_folder(folder).map_err(fail(folder.to_path_buf()))?
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
/// [`DatasetError::Read`] for the source, [`DatasetError::Write`] for `out`, [`DatasetError::Cancelled`] if `progress`
/// asks to stop.
pub fn import_folder(
    source: &Path,
    out: &Path,
    without_mirrored: bool,
    progress: &dyn Progress,
) -> Result<BuildReport, DatasetError> {
    let Source { entries, mappings } = Source::open(source)?;
    let options = BuildOptions {
        mappings,
        without_mirrored,
        ..BuildOptions::default()
    };
    build(&entries, &options, out, progress).map_err(|error| match error {
        MotionError::Cancelled => DatasetError::Cancelled,
        error => DatasetError::Write {
            path: out.to_path_buf(),
            source: Box::new(error),
        },
    })
}
