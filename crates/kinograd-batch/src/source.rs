//! Where the tasks of a batch come from.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::{BadLine, BatchError, Line, Sweep};

/// Longest line of a list, bytes.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// A list of tasks, one JSON a line, or a sweep.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// A list of tasks; empty lines are skipped.
    List(PathBuf),
    /// Combinations.
    Sweep(Sweep),
}

/// A task, or why a line is none.
pub(crate) type Read = Result<Line, BadLine>;

impl Source {
    /// A sweep of a `.json`, a list of any other file.
    ///
    /// # Errors
    /// As [`Sweep::read`]; [`BatchError::Read`] if there is no such file.
    pub fn open(path: &Path) -> Result<Self, BatchError> {
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            return Sweep::read(path).map(Self::Sweep);
        }
        open(path)?;
        Ok(Self::List(path.to_owned()))
    }

    /// Its tasks, one at a time.
    pub(crate) fn lines(
        &self,
    ) -> Result<Box<dyn Iterator<Item = Result<Read, BatchError>> + '_>, BatchError> {
        match self {
            Self::Sweep(sweep) => Ok(Box::new(sweep.lines().map(|line| Ok(Ok(line))))),
            Self::List(path) => Ok(Box::new(ListLines {
                path,
                file: BufReader::new(open(path)?),
                number: 0,
            })),
        }
    }
}

fn open(path: &Path) -> Result<File, BatchError> {
    kinograd_files::open(path).map_err(|error| BatchError::read(path)(error.into_io()))
}

struct ListLines<'a> {
    path: &'a Path,
    file: BufReader<File>,
    number: u64,
}

impl Iterator for ListLines<'_> {
    type Item = Result<Read, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut bytes = Vec::new();
            let mut limited = std::io::Read::take(&mut self.file, MAX_LINE_BYTES);
            match limited.read_until(b'\n', &mut bytes) {
                Err(error) => return Some(Err(BatchError::read(self.path)(error))),
                Ok(0) => return None,
                Ok(_) => self.number += 1,
            }
            let number = self.number;
            let bad = |reason: &str| {
                Ok(Err(BadLine {
                    number,
                    id: None,
                    reason: reason.to_owned(),
                }))
            };
            if bytes.len() as u64 == MAX_LINE_BYTES && !bytes.ends_with(b"\n") {
                if let Err(error) = self.file.skip_until(b'\n') {
                    return Some(Err(BatchError::read(self.path)(error)));
                }
                return Some(bad("the line is longer than 16 MiB"));
            }
            let Ok(text) = std::str::from_utf8(&bytes) else {
                return Some(bad("the line is not UTF-8"));
            };
            let text = text.trim_start_matches('\u{feff}').trim();
            if !text.is_empty() {
                return Some(Ok(Line::parse(number, text)));
            }
        }
    }
}
