//! Which clips a folder holds and what is said of them.

use std::path::{Path, PathBuf};

use kinograd_files::Budget;
use kinograd_motion::MotionError;

/// A clip to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Unique name.
    pub id: String,
    /// The BVH file.
    pub path: PathBuf,
    /// Family of rigs, to choose a mapping by; empty for none.
    pub family: String,
    /// Short label; empty for none.
    pub label: String,
    /// Captions of the whole clip.
    pub captions: Vec<String>,
    /// `train` unless said otherwise.
    pub split: String,
}

/// Reads a manifest: a CSV file with a header, a column `file` (relative to the manifest) and
/// optionally `id`, `captions` (separated by `|`), `label`, `split`, `family`.
///
/// # Errors
/// [`MotionError::Io`] if it cannot be read; [`MotionError::Format`] if it is not such a table, an
/// id repeats, a caption is empty, or a file lies outside the manifest's folder.
pub fn read_manifest(path: &Path) -> Result<Vec<Entry>, MotionError> {
    let bytes = kinograd_files::read(path, Budget::of_process())?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse_manifest(&String::from_utf8_lossy(&bytes), folder)
}

fn parse_manifest(text: &str, folder: &Path) -> Result<Vec<Entry>, MotionError> {
    let fault = |message: String| MotionError::Format {
        format: "manifest",
        message,
    };
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().map_err(|e| fault(e.to_string()))?.clone();
    let column = |name: &str| header.iter().position(|h| h.eq_ignore_ascii_case(name));
    let Some(file_column) = column("file") else {
        return Err(fault(format!(
            "expected a column `file`, got {:?}",
            header.iter().collect::<Vec<_>>()
        )));
    };
    let (id, captions, label) = (column("id"), column("captions"), column("label"));
    let (split, family) = (column("split"), column("family"));
    let mut entries = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for record in reader.records() {
        let record = record.map_err(|e| fault(e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let get = |column: Option<usize>| column.and_then(|c| record.get(c)).unwrap_or_default();
        let file = get(Some(file_column));
        if file.is_empty() {
            return Err(fault(format!("line {line}: `file` is empty")));
        }
        let relative = Path::new(file);
        let inside = relative.components().all(|c| {
            matches!(
                c,
                std::path::Component::Normal(_) | std::path::Component::CurDir
            )
        });
        if !inside {
            return Err(fault(format!(
                "line {line}: `{file}` is not a path inside the manifest's folder"
            )));
        }
        let id = match get(id) {
            "" => file.trim_end_matches(".bvh").replace('/', "__"),
            id => id.to_owned(),
        };
        if !seen.insert(id.clone()) {
            return Err(fault(format!("line {line}: id `{id}` repeats")));
        }
        let mut captions: Vec<String> = get(captions)
            .split('|')
            .map(|caption| caption.trim().to_owned())
            .collect();
        // A bar at the end is no caption; one between two bars was forgotten.
        if captions.last().is_some_and(String::is_empty) {
            captions.pop();
        }
        if captions.iter().any(|c| !c.chars().any(char::is_alphabetic)) {
            return Err(fault(format!("line {line}: a caption of `{id}` is empty")));
        }
        entries.push(Entry {
            id,
            path: folder.join(relative),
            family: get(family).to_owned(),
            label: get(label).to_owned(),
            captions,
            split: match get(split) {
                "" => "train".to_owned(),
                split => split.to_lowercase(),
            },
        });
    }
    Ok(entries)
}

/// All BVH files below a folder, by name. The label is the file's name in words; the family is the
/// name of the folder a file lies in.
///
/// # Errors
/// [`MotionError::Io`] if a folder cannot be read.
pub fn entries_in_folder(folder: &Path) -> Result<Vec<Entry>, MotionError> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        let fault = |source| MotionError::Io {
            path: here.clone(),
            source,
        };
        for item in std::fs::read_dir(&here).map_err(fault)? {
            let item = item.map_err(fault)?;
            let kind = item.file_type().map_err(fault)?;
            let path = item.path();
            // Links to folders are not followed: they may lead in circles.
            if kind.is_dir() {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("bvh"))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files
        .into_iter()
        .map(|path| {
            let relative = path
                .strip_prefix(folder)
                .unwrap_or(&path)
                .with_extension("");
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let family = path
                .parent()
                .and_then(Path::file_name)
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Entry {
                id: relative
                    .components()
                    .map(|c| c.as_os_str().to_string_lossy())
                    .collect::<Vec<_>>()
                    .join("__"),
                family,
                label: words_of_name(&stem),
                captions: Vec::new(),
                split: "train".to_owned(),
                path,
            }
        })
        .collect())
}

/// `Walk_turnLeft-02` in words: "walk turn left".
fn words_of_name(stem: &str) -> String {
    let mut words = String::new();
    let mut last_lower = false;
    for c in stem.chars() {
        if c.is_alphabetic() {
            if c.is_uppercase() && last_lower {
                words.push(' ');
            }
            words.extend(c.to_lowercase());
            last_lower = c.is_lowercase();
        } else {
            words.push(' ');
            last_lower = false;
        }
    }
    words
        .split_whitespace()
        .filter(|word| word.len() > 1)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_needs_only_files() {
        let entries = parse_manifest("file\na/walk.bvh\nb.bvh\n", Path::new("in")).unwrap();
        assert_eq!(entries[0].id, "a__walk");
        assert_eq!(entries[0].path, Path::new("in/a/walk.bvh"));
        assert_eq!(entries[1].split, "train");
    }

    #[test]
    fn captions_are_separated_by_bars() {
        let text =
            "\u{feff}ID,File,captions\nx,a.bvh,\"a person walks, then stops| someone walks |\"\n";
        let entries = parse_manifest(text, Path::new("")).unwrap();
        assert_eq!(
            entries[0].captions,
            ["a person walks, then stops", "someone walks"]
        );
    }

    #[test]
    fn bad_manifests_are_refused_by_line() {
        for (text, part) in [
            ("id\nx\n", "column `file`"),
            ("file\n../x.bvh\n", "line 2"),
            ("file\n/etc/x.bvh\n", "line 2"),
            ("file,id\na.bvh,x\nb.bvh,x\n", "line 3"),
            (
                "file,id,captions\na.bvh,x,a person walks||he walks\n",
                "`x` is empty",
            ),
            ("file,id,captions\na.bvh,x,...\n", "`x` is empty"),
        ] {
            let message = parse_manifest(text, Path::new("")).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn file_names_become_words() {
        assert_eq!(words_of_name("Walk_turnLeft-02"), "walk turn left");
        assert_eq!(words_of_name("127_03"), "");
    }
}
