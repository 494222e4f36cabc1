//! `kinograd dataset`.

use std::fmt::Write as _;
use std::path::Path;

use indicatif::ProgressBar;
use kinograd_batch::dataset_from_batch;
use kinograd_dataset::{BuildReport, Progress, import_folder};
use serde_json::json;

use crate::args::{DatasetBuildArgs, DatasetFromBatchArgs};
use crate::interrupt;
use crate::printer::Printer;

/// Most reasons for dropping that are shown; all are in the report.
const SHOWN_REASONS: usize = 12;

/// Shows a long job over many files.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar that says what is done.
    pub fn new(printer: &Printer, message: &'static str) -> Self {
        let bar = printer.progress(0, "clips");
        bar.set_message(message);
        Self(bar)
    }
}

impl Progress for Bar {
    fn start(&self, total: usize) {
        self.0.set_length(total as u64);
    }

    fn advance(&self, _item: &str) {
        self.0.inc(1);
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }

    fn is_cancelled(&self) -> bool {
        interrupt::interrupted()
    }
}

/// Builds a data set.
pub fn build(args: &DatasetBuildArgs, printer: &Printer) -> anyhow::Result<()> {
    kinograd::use_threads(args.threads)?;
    let bar = Bar::new(printer, "importing");
    let report = import_folder(&args.source, &args.output, args.no_mirror, &bar)?;
    show(&report, "kinograd.dataset-build/1", &args.output, printer)
}

/// Makes a data set of a batch.
pub fn from_batch(args: &DatasetFromBatchArgs, printer: &Printer) -> anyhow::Result<()> {
    kinograd::use_threads(args.threads)?;
    let output = args.output.clone().unwrap_or_else(|| {
        // `clips/` and `clips` are one folder.
        let mut name = args.batch.components().as_path().as_os_str().to_owned();
        name.push("-dataset");
        name.into()
    });
    let bar = Bar::new(printer, "reading");
    let report = dataset_from_batch(&args.batch, &output, args.no_mirror, &bar)?;
    show(&report, "kinograd.dataset-from-batch/1", &output, printer)
}

fn show(
    report: &BuildReport,
    schema: &str,
    output: &Path,
    printer: &Printer,
) -> anyhow::Result<()> {
    let mut document = serde_json::to_value(report)?;
    document["schema"] = json!(schema);
    document["outputs"] = json!([output.to_string_lossy()]);
    printer.document(&document, &summary(report)?)?;
    Ok(())
}

/// The report in words.
pub fn summary(report: &BuildReport) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "clips            {} of {} kept",
        report.clips_kept, report.clips_in
    )?;
    writeln!(text, "frames           {}", report.frames)?;
    writeln!(
        text,
        "speed            {:.0} source frames/s ({:.1} s)",
        report.source_frames_per_second, report.seconds
    )?;
    writeln!(
        text,
        "round trip       {:.3} mm at most",
        report.round_trip_max_m * 1000.0
    )?;
    writeln!(text, "foot skate       {:.3}", report.foot_skate_ratio)?;
    writeln!(text, "jerk             {:.0} m/s³", report.jerk_m_s3)?;
    if !report.dropped_per_reason.is_empty() {
        writeln!(text, "dropped          {}", report.clips_dropped)?;
        let mut reasons: Vec<_> = report.dropped_per_reason.iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(a.1));
        for (reason, count) in reasons.into_iter().take(SHOWN_REASONS) {
            writeln!(text, "  {count:4}  {reason}")?;
        }
    }
    Ok(text)
}
