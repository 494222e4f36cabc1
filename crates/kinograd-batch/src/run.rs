//! One process's run over its tasks.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use kinograd::{Clip, Error, Observer, Task};
use kinograd_files::{error_chain, escape_json};
use serde::Serialize;

use crate::made::MadeClip;
use crate::make::Made;
use crate::manifest::Folder;
use crate::neighbours::{Neighbours, direction};
use crate::part::Part;
use crate::quota::Quota;
use crate::shard::fingerprint;
use crate::{BadLine, BatchError, BatchOptions, Line, Maker, RejectedSample, Shard, Source};

/// What a run tells of its tasks.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum BatchEvent<'a> {
    /// A task is done, in whichever way.
    Done(&'a BatchReport),
    /// A task failed.
    Failed(&'a BadLine),
}

/// Follows a batch, and the clips that it makes, and may stop it.
pub trait BatchObserver: Observer {
    /// Receives an event; `Break` stops the run with [`BatchError::Cancelled`] after what was made is
    /// written.
    fn batch(&mut self, event: &BatchEvent<'_>) -> ControlFlow<()>;
}

impl BatchObserver for () {
    fn batch(&mut self, _event: &BatchEvent<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BatchReport {
    /// Clips that were made and kept.
    pub made: usize,
    /// Tasks that an earlier run had done.
    pub skipped: usize,
    /// Clips that a filter rejected.
    pub rejected: usize,
    /// Tasks that were not made because enough clips of their label are kept.
    pub enough: usize,
    /// Tasks that failed.
    pub failed: usize,
    /// Parts that were written.
    pub parts: usize,
    /// How long it took.
    pub seconds: f64,
}

/// Makes the clips of a process's tasks into a folder. Tasks that are done there are skipped; a task that
/// failed is tried again. The reasons of failures are lines of `errors-SHARD.jsonl`.
///
/// # Errors
/// [`BatchError`] for what ends the batch, which a failed task does not, unless there are too many. What was
/// made before is written.
pub fn run(
    source: &Source,
    folder: &Path,
    options: &BatchOptions,
    maker: &mut dyn Maker,
    observer: &mut dyn BatchObserver,
) -> Result<BatchReport, BatchError> {
    let started = Instant::now();
    let folder = Folder::open(folder, options.shard, &options.formats, options.filters)?;
    let errors = ErrorFile::new(folder.path(), options.shard);
    let mut neighbours = Neighbours::default();
    let mut quota = options
        .per_label
        .map(|per_label| Quota::new(per_label, options.shard));
    if options.filters.min_distance.is_some() || quota.is_some() {
        folder.kept(options.shard, &mut |is_own, clip| {
            if let (Some(quota), Some(label)) = (&mut quota, &clip.label) {
                match is_own {
                    true => quota.keep(label),
                    false => quota.keep_others(label),
                }
            }
            if options.filters.min_distance.is_some() && options.shard.has(&clip.id) {
                neighbours.keep(&clip.model, &clip.id, &clip.embedding.unwrap_or_default());
            }
        })?;
    }
    let mut run = Run {
        options,
        folder,
        errors,
        neighbours,
        quota,
        part: None,
        report: BatchReport::default(),
    };
    let ended = run.all(source, maker, observer);
    // Whatever ended it, what was made is kept.
    let finished = run.finish_part();
    run.report.seconds = started.elapsed().as_secs_f64();
    ended.and(finished).map(|()| run.report)
}

struct Run<'a> {
    options: &'a BatchOptions,
    folder: Folder,
    errors: ErrorFile,
    /// Clips that this shard has kept, where later ones must be far from them.
    neighbours: Neighbours,
    quota: Option<Quota>,
    part: Option<Part>,
    report: BatchReport,
}

impl Run<'_> {
    fn all(
        &mut self,
        source: &Source,
        maker: &mut dyn Maker,
        observer: &mut dyn BatchObserver,
    ) -> Result<(), BatchError> {
        let mut seen = Seen::of(source);
        for line in source.lines()? {
            let line = seen.check(line?);
            let key = line
                .as_ref()
                .map_or_else(BadLine::key, |line| line.id.clone());
            if !self.options.shard.has(&key) {
                continue;
            }
            let done = line.and_then(|line| self.one(&line, maker, observer));
            match done {
                Ok(Outcome::Done) => {}
                Ok(Outcome::Ended(error)) => return Err(error),
                Err(bad) => self.failed(&bad, observer)?,
            }
            stop_if(observer.batch(&BatchEvent::Done(&self.report)))?;
        }
        Ok(())
    }

    /// Makes a task's clip, unless it is there.
    fn one(
        &mut self,
        line: &Line,
        maker: &mut dyn Maker,
        observer: &mut dyn BatchObserver,
    ) -> Result<Outcome, BadLine> {
        if self.folder.has(&line.id) {
            self.report.skipped += 1;
            return Ok(Outcome::Done);
        }
        if let (Some(quota), Some(label)) = (&self.quota, &line.label)
            && quota.is_met(label)
        {
            self.report.enough += 1;
            return Ok(Outcome::Done);
        }
        let task = line.checked(self.options.model.as_deref())?;
        let failed = |error: &Error| line.bad(error_chain(error));
        if self.options.filters.min_distance.is_some()
            && !maker.embeds(&task).map_err(|error| failed(&error))?
        {
            let model = task.model().to_owned();
            return Ok(Outcome::Ended(BatchError::NoEmbedding { model }));
        }
        let clip = match maker.make(&task, observer) {
            Ok(clip) => clip,
            Err(Error::Cancelled) => return Ok(Outcome::Ended(BatchError::Cancelled)),
            Err(error) => return Err(failed(&error)),
        };
        let report = clip.report.as_ref();
        let report = report.ok_or_else(|| line.bad("the clip has no report".to_owned()))?;
        let made = maker.describe(&task);
        let mut reason = self.options.filters.reject(report);
        if reason.is_none() {
            reason = self.too_near(line, &clip, &made)?;
        }
        let done = done_task(&clip);
        let made = MadeClip {
            id: &line.id,
            label: line.label.as_deref(),
            task: done.as_ref().unwrap_or(&task),
            clip: &clip,
            report,
            made,
        };
        let kept = self.keep(&made, reason);
        Ok(kept.map_or_else(Outcome::Ended, |()| Outcome::Done))
    }

    /// Why a clip is too near to one that was kept, if it is.
    fn too_near(&self, line: &Line, clip: &Clip, made: &Made) -> Result<Option<String>, BadLine> {
        let Some(least) = self.options.filters.min_distance else {
            return Ok(None);
        };
        let embedding = clip.embedding.as_deref().unwrap_or_default();
        if direction(embedding).is_none() {
            let reason = "--min-distance: the clip has no motion embedding with a direction";
            return Err(line.bad(reason.to_owned()));
        }
        let nearest = self.neighbours.nearest(&made.name(), embedding);
        let near = nearest.filter(|(_, distance)| *distance < least);
        Ok(near.map(|(id, distance)| format!("distance {distance:.4} to {id} < {least}")))
    }

    /// Writes a clip, or why it is not kept.
    fn keep(&mut self, made: &MadeClip<'_>, rejected: Option<String>) -> Result<(), BatchError> {
        let part = match &mut self.part {
            Some(part) => part,
            empty => empty.insert(Part::begin(&mut self.folder, self.options.shard)?),
        };
        match rejected {
            Some(reason) => {
                part.reject(RejectedSample {
                    id: made.id.to_owned(),
                    reason,
                });
                self.report.rejected += 1;
            }
            None => {
                part.push(made, &self.options.formats)?;
                self.report.made += 1;
                if let (Some(quota), Some(label)) = (&mut self.quota, made.label) {
                    quota.keep(label);
                }
                if let (Some(_), Some(embedding)) =
                    (self.options.filters.min_distance, &made.clip.embedding)
                {
                    self.neighbours.keep(&made.made.name(), made.id, embedding);
                }
            }
        }
        if part.is_full(self.options) {
            self.finish_part()?;
        }
        Ok(())
    }

    fn finish_part(&mut self) -> Result<(), BatchError> {
        if let Some(part) = self.part.take() {
            part.finish(self.folder.path(), self.options.shard, self.options)?;
            self.report.parts += 1;
        }
        Ok(())
    }

    fn failed(
        &mut self,
        bad: &BadLine,
        observer: &mut dyn BatchObserver,
    ) -> Result<(), BatchError> {
        self.report.failed += 1;
        self.errors.write(bad)?;
        stop_if(observer.batch(&BatchEvent::Failed(bad)))?;
        if self.report.failed > self.options.max_errors {
            return Err(BatchError::TooManyErrors {
                errors: self.report.failed,
                limit: self.options.max_errors,
                path: self.errors.path.clone(),
            });
        }
        Ok(())
    }
}

enum Outcome {
    Done,
    Ended(BatchError),
}

fn stop_if(flow: ControlFlow<()>) -> Result<(), BatchError> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(BatchError::Cancelled),
    }
}

/// The ids of a list so far, and where they were; a sweep's differ by themselves.
struct Seen(Option<HashMap<u128, u64>>);

impl Seen {
    fn of(source: &Source) -> Self {
        match source {
            Source::List(_) => Self(Some(HashMap::new())),
            Source::Sweep(_) => Self(None),
        }
    }

    fn check(&mut self, line: Result<Line, BadLine>) -> Result<Line, BadLine> {
        let line = line?;
        let Some(seen) = &mut self.0 else {
            return Ok(line);
        };
        match seen.insert(fingerprint(&line.id), line.number) {
            None => Ok(line),
            Some(first) => {
                seen.insert(fingerprint(&line.id), first);
                Err(BadLine {
                    number: line.number,
                    reason: format!("id: line {first} has it already"),
                    id: Some(line.id),
                })
            }
        }
    }
}

/// Why tasks failed, a line each; made with the first.
struct ErrorFile {
    path: PathBuf,
    file: Option<File>,
}

/// The task as the clip's record says that it was done, with the model's own steps and sampler.
fn done_task(clip: &Clip) -> Option<Task> {
    serde_json::from_value(clip.provenance.task.clone()?).ok()
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    line: u64,
    id: Option<&'a str>,
    error: &'a str,
}

impl ErrorFile {
    /// Those of an earlier run are tried again, and told again where they fail again.
    fn new(folder: &Path, shard: Shard) -> Self {
        let path = folder.join(format!("errors-{:05}.jsonl", shard.index()));
        let _ = std::fs::remove_file(&path);
        Self { path, file: None }
    }

    fn write(&mut self, bad: &BadLine) -> Result<(), BatchError> {
        let line = ErrorLine {
            line: bad.number,
            id: bad.id.as_deref(),
            error: &bad.reason,
        };
        let text = serde_json::to_string(&line).map_err(BatchError::write(&self.path))?;
        let file = match &mut self.file {
            Some(file) => file,
            empty => empty.insert(File::create(&self.path).map_err(BatchError::write(&self.path))?),
        };
        let text = format!("{}\n", escape_json(&text));
        file.write_all(text.as_bytes())
            .map_err(BatchError::write(&self.path))
    }
}
