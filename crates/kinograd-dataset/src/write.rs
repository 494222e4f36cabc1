//! Writing a data set: to a temporary folder beside the target, then renamed.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use kinograd_files::TemporaryFolder;
use ndarray::{Array1, ArrayView2};
use serde::Serialize;

use crate::index::{BuildReport, Index};
use kinograd_motion::MotionError;
use kinograd_motion::features::{FEATURES, group_std};

/// Bytes of the header of `features.npy`, fixed so that the row count can be filled in at the end.
const HEADER_BYTES: usize = 128;

/// Appends clips to a data set.
pub(crate) struct Writer {
    out: PathBuf,
    folder: TemporaryFolder,
    features: BufWriter<File>,
    rows: usize,
    train_rows: usize,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Writer {
    pub(crate) fn create(out: &Path) -> Result<Self, MotionError> {
        if out.exists() {
            return Err(MotionError::Format {
                format: "data set",
                message: format!("`{}` already exists", out.display()),
            });
        }
        let parent = match out.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let io = |source| MotionError::Io {
            path: parent.to_owned(),
            source,
        };
        std::fs::create_dir_all(parent).map_err(io)?;
        let folder = TemporaryFolder::new_in(parent).map_err(io)?;
        let path = folder.path().join("features.npy");
        let file = File::create(&path).map_err(|source| MotionError::Io {
            path: path.clone(),
            source,
        })?;
        let mut writer = Self {
            out: out.to_owned(),
            folder,
            features: BufWriter::new(file),
            rows: 0,
            train_rows: 0,
            sums: vec![0.0; FEATURES],
            squares: vec![0.0; FEATURES],
        };
        let header = header(&[0, FEATURES]);
        writer.put(&header)?;
        Ok(writer)
    }

    pub(crate) fn append(
        &mut self,
        features: ArrayView2<'_, f32>,
        train: bool,
    ) -> Result<(), MotionError> {
        let mut bytes = Vec::with_capacity(features.len() * 4);
        for row in features.outer_iter() {
            for (column, &value) in row.iter().enumerate() {
                bytes.extend_from_slice(&value.to_le_bytes());
                if train {
                    self.sums[column] += f64::from(value);
                    self.squares[column] += f64::from(value) * f64::from(value);
                }
            }
        }
        self.rows += features.nrows();
        if train {
            self.train_rows += features.nrows();
        }
        self.put(&bytes)
    }

    /// Fills in the header, writes the other files and puts the folder in place.
    pub(crate) fn finish(mut self, index: &Index, report: &BuildReport) -> Result<(), MotionError> {
        let header = header(&[self.rows, FEATURES]);
        let path = self.folder.path().join("features.npy");
        let io = |source| MotionError::Io {
            path: path.clone(),
            source,
        };
        self.features.seek(SeekFrom::Start(0)).map_err(io)?;
        self.features.write_all(&header).map_err(io)?;
        self.features.flush().map_err(io)?;
        self.features.get_ref().sync_all().map_err(io)?;
        let (mean, std) = self.statistics()?;
        self.array("mean.npy", &mean)?;
        self.array("std.npy", &std)?;
        self.json("index.json", index)?;
        self.json("report.json", report)?;
        let out = self.out;
        let placed = self.folder.persist(&out);
        placed.map_err(|source| MotionError::Io { path: out, source })
    }

    /// Mean and group-wise standard deviation over the train split (over all if it is empty).
    fn statistics(&self) -> Result<(Array1<f32>, Array1<f32>), MotionError> {
        let rows = self.train_rows.max(1) as f64;
        let mean: Vec<f64> = self.sums.iter().map(|sum| sum / rows).collect();
        let std = self
            .squares
            .iter()
            .zip(&mean)
            .map(|(square, mean)| (square / rows - mean * mean).max(0.0).sqrt() as f32)
            .collect();
        Ok((
            mean.into_iter().map(|m| m as f32).collect(),
            group_std(&std)?,
        ))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), MotionError> {
        self.features
            .write_all(bytes)
            .map_err(|source| MotionError::Io {
                path: self.folder.path().join("features.npy"),
                source,
            })
    }

    fn array(&self, name: &str, values: &Array1<f32>) -> Result<(), MotionError> {
        let mut bytes = header(&[values.len()]);
        for value in values {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        self.file(name, &bytes)
    }

    fn json(&self, name: &str, value: &impl Serialize) -> Result<(), MotionError> {
        let bytes = serde_json::to_vec(value).map_err(|error| MotionError::Format {
            format: "JSON",
            message: error.to_string(),
        })?;
        self.file(name, &bytes)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<(), MotionError> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).map_err(|source| MotionError::Io { path, source })
    }
}

/// NPY version 1.0 header of little-endian `f32` in C order, padded to [`HEADER_BYTES`].
fn header(shape: &[usize]) -> Vec<u8> {
    let shape = match shape {
        [only] => format!("({only},)"),
        many => {
            let parts: Vec<String> = many.iter().map(ToString::to_string).collect();
            format!("({})", parts.join(", "))
        }
    };
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&((HEADER_BYTES - 10) as u16).to_le_bytes());
    bytes.extend_from_slice(
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}").as_bytes(),
    );
    bytes.resize(HEADER_BYTES - 1, b' ');
    bytes.push(b'\n');
    bytes
}
