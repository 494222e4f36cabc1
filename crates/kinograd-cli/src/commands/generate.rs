//! `kinograd generate`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use indicatif::ProgressBar;
use kinograd::motion::export::Export;
use kinograd::{
    Clip, ClipReport, Event, FileFormat, Goal, GoalOutcome, Method, MotionGenerator, Observer,
    SamplerKind, SaveOptions, Task, Timings, check_output, save_report,
};
use kinograd_eval::statistics::mean;
use serde::Serialize;
use serde_json::Value;

use super::rig::{judge, report_of};
use crate::args::GenerateArgs;
use crate::engine;
use crate::interrupt;
use crate::invocation::command_line;
use crate::printer::Printer;
use crate::task_flags::{Asked, task_of};

/// Generates clips, writes and reports them.
pub fn run(args: &GenerateArgs, printer: &Printer) -> anyhow::Result<()> {
    let started = Instant::now();
    let Asked { task, only_seed } = task_of(args)?;
    for output in &args.outputs {
        check_output(output)?;
    }
    let mut generator = engine::open_for(&task, &args.engine, printer)?;
    let task = generator.resolved(&task)?;
    let mut watcher = Watcher::new(printer);
    let clips = match (&task.optimization, only_seed) {
        (Some(_), seed) => {
            let mut clips = generator.optimize(&task, &mut watcher)?.clips;
            clips.retain(|clip| seed.is_none_or(|seed| clip.provenance.seed == Some(seed)));
            clips
        }
        (None, Some(seed)) => vec![generator.generate_one(&task, seed, &mut watcher)?],
        (None, None) => generator.generate(&task, &mut watcher)?,
    };
    let first_step_s = watcher
        .first_step
        .map(|at| at.duration_since(started).as_secs_f64());
    judge(&clips, args.rig.strict, printer)?;
    let written = write_clips(&clips, &args.outputs, args.writing.export(), printer)?;
    let report = report(&Outcome {
        task: &task,
        generator: &generator,
        clips: &clips,
        written: &written,
        warnings: watcher.warnings,
        seconds: started.elapsed().as_secs_f64(),
        first_step_s,
    })?;
    let document = serde_json::to_value(&report)?;
    for path in args.outputs.iter().filter(|path| is_json(path)) {
        save_report(path, &document)?;
    }
    printer.document(&document, &summary(&report, &task)?)?;
    Ok(())
}

/// Shows progress and warnings, and stops the run after Ctrl-C.
pub struct Watcher<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    /// When the first step was done.
    pub first_step: Option<Instant>,
    /// What the user was warned of.
    pub warnings: Vec<String>,
}

impl<'a> Watcher<'a> {
    /// Watches one command's runs.
    pub fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            bar: None,
            first_step: None,
            warnings: Vec::new(),
        }
    }
}

impl Observer for Watcher<'_> {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Started { work, total } => {
                let bar = self.printer.progress(*total, "steps");
                bar.set_message(*work);
                self.bar = Some(bar);
            }
            Event::Advanced { done } => {
                self.first_step.get_or_insert_with(Instant::now);
                if let Some(bar) = &self.bar {
                    bar.set_position(*done);
                }
            }
            Event::Loss { value } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("loss {value:.3}"));
                }
            }
            Event::Finished => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            Event::Warning(warning) => {
                self.printer.warning(warning);
                self.warnings.push(warning.to_string());
            }
            _ => {}
        }
        if interrupt::interrupted() {
            if let Some(bar) = self.bar.take() {
                bar.finish_and_clear();
            }
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Whether a file holds the report instead of a clip.
pub fn is_json(path: &Path) -> bool {
    FileFormat::of(path).is_ok_and(|format| format == FileFormat::Json)
}

/// Writes every clip to every output; a .json holds the report of the whole run instead.
pub fn write_clips(
    clips: &[Clip],
    outputs: &[PathBuf],
    export: Export,
    printer: &Printer,
) -> anyhow::Result<Vec<Vec<PathBuf>>> {
    let files: Vec<&PathBuf> = outputs.iter().filter(|path| !is_json(path)).collect();
    let bar = printer.progress((clips.len() * files.len()) as u64, "files");
    let options = SaveOptions {
        export,
        ..SaveOptions::default()
    };
    let mut written = Vec::with_capacity(clips.len());
    for (index, clip) in clips.iter().enumerate() {
        let mut paths = Vec::with_capacity(files.len());
        for file in &files {
            if interrupt::interrupted() {
                return Err(kinograd::Error::Cancelled).context(format!(
                    "{} of {} files were written",
                    bar.position(),
                    bar.length().unwrap_or(0)
                ));
            }
            let path = numbered(file, index, clips.len());
            clip.save_with(&path, &options)?;
            bar.inc(1);
            paths.push(path);
        }
        written.push(paths);
    }
    bar.finish_and_clear();
    Ok(written)
}

/// `walk.glb` of clip 3 of 10 is `walk-03.glb`.
pub fn numbered(path: &Path, index: usize, clips: usize) -> PathBuf {
    if clips == 1 {
        return path.to_path_buf();
    }
    let width = (clips - 1).to_string().len().max(2);
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{index:0width$}."));
    name.push(path.extension().unwrap_or_default());
    path.with_file_name(name)
}

struct Outcome<'a> {
    task: &'a Task,
    generator: &'a MotionGenerator,
    clips: &'a [Clip],
    written: &'a [Vec<PathBuf>],
    warnings: Vec<String>,
    seconds: f64,
    first_step_s: Option<f64>,
}

/// A run as one document. Numbers are means over the clips, but the deepest penetration of all.
#[derive(Debug, Serialize)]
struct GenerateReport {
    schema: &'static str,
    version: &'static str,
    prompt: String,
    command: Option<String>,
    task: Task,
    model: String,
    seed: u64,
    method: Method,
    steps: usize,
    sampler: SamplerKind,
    cfg: Option<f64>,
    engine: String,
    provider: String,
    clip_seconds: f64,
    fps: f64,
    target_error_m: Option<f64>,
    max_penetration_m: Option<f64>,
    text_score: Option<f64>,
    foot_skate_ratio: Option<f64>,
    foot_skate_ratio_before: Option<f64>,
    warnings: Vec<String>,
    seconds: f64,
    first_step_seconds: Option<f64>,
    timings: Timings,
    peak_memory_mb: Option<f64>,
    #[serde(serialize_with = "kinograd::serialize_paths")]
    outputs: Vec<PathBuf>,
    clips: Vec<ClipEntry>,
}

/// A clip's own report and where it was written.
#[derive(Debug, Serialize)]
struct ClipEntry {
    #[serde(flatten)]
    report: ClipReport,
    /// How well the clip sits on its character.
    #[serde(skip_serializing_if = "Value::is_null")]
    rig: Value,
    #[serde(serialize_with = "kinograd::serialize_paths")]
    outputs: Vec<PathBuf>,
}

fn report(run: &Outcome<'_>) -> anyhow::Result<GenerateReport> {
    let reports: Vec<&ClipReport> = run.clips.iter().filter_map(|c| c.report.as_ref()).collect();
    let mean_of = |value: &dyn Fn(&ClipReport) -> Option<f64>| {
        mean(&reports.iter().filter_map(|r| value(r)).collect::<Vec<_>>())
    };
    let mut clips = Vec::with_capacity(run.clips.len());
    for (clip, outputs) in run.clips.iter().zip(run.written) {
        if let Some(report) = &clip.report {
            clips.push(ClipEntry {
                report: report.clone(),
                rig: report_of(clip)?,
                outputs: outputs.clone(),
            });
        }
    }
    let (task, engine, manifest) = (run.task, run.generator.engine(), run.generator.manifest());
    let deepest = reports.iter().filter_map(|report| report.max_penetration_m);
    Ok(GenerateReport {
        schema: "kinograd.generate/1",
        version: env!("CARGO_PKG_VERSION"),
        prompt: task.prompts_in_words(),
        command: command_line(),
        model: format!("{} {}", manifest.name, manifest.version),
        seed: task.sampling.seed,
        method: task.guidance.method,
        steps: task.sampling.steps_or_usual(),
        sampler: task.sampling.sampler_for(task.guidance.method),
        cfg: task.sampling.cfg,
        engine: format!("{} {}", engine.engine, engine.version),
        provider: engine.provider.to_string(),
        clip_seconds: task.duration_secs,
        fps: task.output.fps,
        target_error_m: mean_of(&|r| r.target_error_m),
        max_penetration_m: deepest.reduce(f64::max),
        text_score: mean_of(&|r| r.text_score),
        foot_skate_ratio: mean_of(&|r| Some(r.foot_skate_ratio)),
        foot_skate_ratio_before: mean_of(&|r| Some(r.foot_skate_ratio_before)),
        warnings: run.warnings.clone(),
        seconds: run.seconds,
        first_step_seconds: run.first_step_s,
        timings: run.generator.timings(),
        peak_memory_mb: engine::peak_memory_mb(),
        outputs: run.written.iter().flatten().cloned().collect(),
        clips,
        task: task.clone(),
    })
}

/// A few lines for a person.
fn summary(report: &GenerateReport, task: &Task) -> anyhow::Result<String> {
    let mut text = String::new();
    let several = if report.clips.len() > 1 {
        " (mean)"
    } else {
        ""
    };
    for output in &report.outputs {
        writeln!(text, "{}", output.display())?;
    }
    if let Some(error_m) = report.target_error_m {
        writeln!(text, "target error         {error_m:.3} m{several}")?;
    }
    if let Some(depth_m) = report.max_penetration_m {
        writeln!(text, "deepest penetration  {depth_m:.3} m")?;
    }
    for goal in other_goals(report, task) {
        writeln!(text, "{goal}")?;
    }
    if let Some(score) = report.text_score {
        writeln!(text, "text score           {score:.3}{several}")?;
    }
    if let (Some(before), Some(after)) = (report.foot_skate_ratio_before, report.foot_skate_ratio) {
        writeln!(
            text,
            "foot skate           {before:.3} before foot lock, {after:.3} after{several}"
        )?;
    }
    writeln!(
        text,
        "time                 {:.2} s on {} ({})",
        report.seconds, report.engine, report.provider
    )?;
    Ok(text)
}

/// How far the clips are from each goal that has no line of its own, in the mean.
fn other_goals(report: &GenerateReport, task: &Task) -> Vec<String> {
    let first = report.clips.first();
    let first = first.map_or(&[][..], |clip| &clip.report.goals[..]);
    let several = if report.clips.len() > 1 {
        " (mean)"
    } else {
        ""
    };
    let has_line = |place: &str| {
        let goals = task.goals.iter().enumerate();
        let mut targets = goals.filter(|(_, goal)| matches!(goal, Goal::RootTarget(_)));
        let circles = task.obstacles.iter().enumerate();
        let mut circles = circles.filter(|(_, o)| o.circle_for_root().is_some());
        targets.any(|(index, _)| place == format!("goals[{index}]"))
            || circles.any(|(index, _)| place == format!("obstacles[{index}]"))
    };
    let line = |(index, goal): (usize, &GoalOutcome)| {
        let all = report.clips.iter();
        let all = all.filter_map(|clip| clip.report.goals.get(index));
        let off = mean(&all.map(|goal| goal.off).collect::<Vec<_>>()).unwrap_or(goal.off);
        let (what, unit) = (&goal.what, goal.unit);
        format!("off by               {off:.3} {unit}{several}: {what}")
    };
    let goals = first.iter().enumerate();
    goals
        .filter(|(_, goal)| !has_line(&goal.place))
        .map(line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_numbered_only_when_there_are_several() {
        let path = Path::new("out/walk.tar.glb");
        assert_eq!(numbered(path, 0, 1), path);
        assert_eq!(numbered(path, 3, 10), Path::new("out/walk.tar-03.glb"));
        assert_eq!(numbered(path, 3, 1000), Path::new("out/walk.tar-003.glb"));
    }
}
