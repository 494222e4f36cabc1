//! A part of a batch while it is written.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use kinograd::SaveOptions;
use kinograd::runtime::sha256_of_file;
use kinograd_files::temporary_file;
use tempfile::NamedTempFile;

use crate::index::Index;
use crate::made::MadeClip;
use crate::manifest::{Folder, Manifest, RejectedSample, SCHEMA, WrittenFile, part_name};
use crate::{BatchError, BatchOptions, SampleFormat, Shard};

/// A tar that is not whole yet, and what its manifest will say.
pub(crate) struct Part {
    name: String,
    number: u32,
    tar: tar::Builder<BufWriter<NamedTempFile>>,
    index: Index,
    samples: Vec<String>,
    rejected: Vec<RejectedSample>,
    bytes: u64,
    began: Instant,
}

impl Part {
    pub(crate) fn begin(folder: &mut Folder, shard: Shard) -> Result<Self, BatchError> {
        let number = folder.take_part();
        let fail = |error: std::io::Error| BatchError::write(folder.path())(error);
        let file = temporary_file(folder.path(), 0o666).map_err(fail)?;
        Ok(Self {
            name: part_name(shard.index(), number),
            number,
            tar: tar::Builder::new(BufWriter::new(file)),
            index: Index::default(),
            samples: Vec::new(),
            rejected: Vec::new(),
            bytes: 0,
            began: Instant::now(),
        })
    }

    /// Adds a clip.
    pub(crate) fn push(
        &mut self,
        clip: &MadeClip<'_>,
        formats: &[SampleFormat],
    ) -> Result<(), BatchError> {
        let tar = format!("{}.tar", self.name);
        for format in formats {
            let name = format!("{}.{format}", clip.id);
            let bytes = clip
                .clip
                .to_bytes(format.extension(), &SaveOptions::default())
                .map_err(BatchError::write(&name))?;
            let mut header = tar::Header::new_ustar();
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            self.tar
                .append_data(&mut header, &name, bytes.as_slice())
                .map_err(BatchError::write(&tar))?;
            self.bytes += bytes.len() as u64;
        }
        self.index
            .push(&tar, clip)
            .map_err(BatchError::write(&self.name))?;
        self.samples.push(clip.id.to_owned());
        Ok(())
    }

    pub(crate) fn reject(&mut self, sample: RejectedSample) {
        self.rejected.push(sample);
    }

    /// Whether it is as large or as old as a part gets.
    pub(crate) fn is_full(&self, options: &BatchOptions) -> bool {
        self.bytes >= options.part_bytes || self.began.elapsed() >= options.part_time
    }

    /// Gives its files their names, then writes the manifest, which makes them count.
    pub(crate) fn finish(
        self,
        folder: &Path,
        shard: Shard,
        options: &BatchOptions,
    ) -> Result<(), BatchError> {
        let is_empty = self.samples.is_empty();
        if is_empty && self.rejected.is_empty() {
            return Ok(());
        }
        let (mut tar, mut index) = (None, None);
        if !is_empty {
            let name = format!("{}.tar", self.name);
            let fail = |error: std::io::Error| BatchError::write(folder.join(&name))(error);
            let buffered = self.tar.into_inner().map_err(fail)?;
            let file = buffered
                .into_inner()
                .map_err(|error| fail(error.into_error()))?;
            tar = Some(named(file, folder, &name)?);
            let name = format!("{}.parquet", self.name);
            let fail = |error: std::io::Error| BatchError::write(folder.join(&name))(error);
            let mut file = temporary_file(folder, 0o666).map_err(fail)?;
            let written = self.index.write(file.as_file_mut());
            written.map_err(|error| fail(std::io::Error::other(error)))?;
            index = Some(named(file, folder, &name)?);
        }
        let manifest = Manifest {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            shard: [shard.index(), shard.count()],
            part: self.number,
            formats: options.formats.clone(),
            filters: options.filters,
            tar,
            index,
            samples: self.samples,
            rejected: self.rejected,
        };
        manifest.write(folder)
    }
}

/// A temporary file under its name, whole on the disk.
fn named(mut file: NamedTempFile, folder: &Path, name: &str) -> Result<WrittenFile, BatchError> {
    let path = folder.join(name);
    let fail = |error: std::io::Error| BatchError::write(&path)(error);
    file.flush().map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    let bytes = file.as_file().metadata().map_err(fail)?.len();
    file.persist_noclobber(&path)
        .map_err(|error| fail(error.error))?;
    let sha256 = sha256_of_file(&path).map_err(BatchError::write(&path))?;
    Ok(WrittenFile {
        path: name.to_owned(),
        sha256,
        bytes,
    })
}
