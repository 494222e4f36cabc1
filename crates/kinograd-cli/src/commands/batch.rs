//! `kinograd batch`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::time::Duration;

use indicatif::ProgressBar;
use kinograd::{Event, Observer};
use kinograd_batch::{
    BatchEvent, BatchObserver, BatchOptions, BatchReport, Filters, Generators, Source,
    run as run_batch,
};
use serde::Serialize;

use crate::args::BatchArgs;
use crate::interrupt;
use crate::printer::Printer;

/// Makes a batch's clips.
pub fn run(args: &BatchArgs, printer: &Printer) -> anyhow::Result<()> {
    let source = Source::open(&args.source)?;
    let mut filters = Filters::default();
    filters.max_skate = args.max_skate;
    filters.max_goal_error = args.max_goal_error;
    filters.max_penetration = args.max_penetration;
    filters.min_text_score = args.min_text_score;
    filters.min_distance = args.min_distance;
    let mut options = BatchOptions::default();
    options.shard = args.shard;
    options.model.clone_from(&args.engine.model);
    options.formats.clone_from(&args.formats);
    options.filters = filters;
    options.per_label = args.per_label;
    options.part_bytes = args.part_megabytes.saturating_mul(1_000_000);
    options.part_time = Duration::from_secs(args.part_minutes.saturating_mul(60));
    options.max_errors = args.max_errors;
    let mut maker = Generators::new(crate::engine::options(&args.engine));
    let mut watcher = Watcher {
        printer,
        bar: printer.progress(0, "tasks"),
    };
    let report = run_batch(&source, &args.output, &options, &mut maker, &mut watcher);
    watcher.bar.finish_and_clear();
    let report = report?;
    let document = Document {
        schema: "kinograd.batch-run/1",
        version: env!("CARGO_PKG_VERSION"),
        report,
    };
    printer.document(&document, &summary(&report, args)?)?;
    Ok(())
}

#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    #[serde(flatten)]
    report: BatchReport,
}

/// Shows progress and failures, and stops the run after Ctrl-C.
struct Watcher<'a> {
    printer: &'a Printer,
    bar: ProgressBar,
}

fn flow() -> ControlFlow<()> {
    match interrupt::interrupted() {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

impl Observer for Watcher<'_> {
    fn event(&mut self, _event: &Event) -> ControlFlow<()> {
        // Warnings of a clip are in its record.
        flow()
    }
}

impl BatchObserver for Watcher<'_> {
    fn batch(&mut self, event: &BatchEvent<'_>) -> ControlFlow<()> {
        match event {
            BatchEvent::Done(report) => {
                self.bar.set_message(format!("{} clips", report.made));
                self.bar.inc(1);
            }
            BatchEvent::Failed(bad) => {
                let id = bad.id.as_deref().unwrap_or("no id");
                self.printer
                    .warning(format!("line {} ({id}): {}", bad.number, bad.reason));
            }
            _ => {}
        }
        flow()
    }
}

fn summary(report: &BatchReport, args: &BatchArgs) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(
        text,
        "made      {} clips in {} parts",
        report.made, report.parts
    )?;
    for (what, count) in [
        ("skipped", report.skipped),
        ("rejected", report.rejected),
        ("enough", report.enough),
        ("failed", report.failed),
    ] {
        if count > 0 {
            writeln!(text, "{what:<9} {count}")?;
        }
    }
    writeln!(text, "time      {:.1} s", report.seconds)?;
    writeln!(text, "{}", args.output.display())?;
    Ok(text)
}
