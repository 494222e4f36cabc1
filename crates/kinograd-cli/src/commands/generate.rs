//! `kinograd generate`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use indicatif::ProgressBar;
use kinograd::eval::statistics::mean;
use kinograd::guidance::scene::{Prompt, Scene};
use kinograd::{
    Clip, ClipReport, Event, FileFormat, GenerateRequest, MotionGenerator, Observer, check_output,
    save_report,
};
use serde_json::{Value, json};

use crate::args::{GenerateArgs, MethodArg, SamplerArg, ScheduleArg, SteeringArgs};
use crate::engine;
use crate::interrupt;
use crate::printer::Printer;

/// Length of a clip that nothing else is said of.
const DEFAULT_SECONDS: f64 = 6.0;

/// Generates clips, writes and reports them.
pub fn run(args: &GenerateArgs, printer: &Printer) -> anyhow::Result<()> {
    let started = Instant::now();
    let scene = scene_of(args)?;
    let request = request_of(args, scene.as_ref())?;
    for output in &args.outputs {
        check_output(output)?;
    }
    let mut generator = engine::open_generator(&args.engine, printer)?;
    let mut watcher = Watcher::new(printer);
    let clips = match &scene {
        Some(scene) => generator.generate_scene(&request, scene, &mut watcher)?,
        None => generator.generate(&request, &mut watcher)?,
    };
    let first_step_s = watcher
        .first_step
        .map(|at| at.duration_since(started).as_secs_f64());
    let written = write_clips(&clips, &args.outputs, printer)?;
    let report = report(&Outcome {
        request: &request,
        scene: args.scene.as_deref(),
        own_prompts: args.prompt.is_some(),
        generator: &generator,
        clips: &clips,
        written: &written,
        seconds: started.elapsed().as_secs_f64(),
        first_step_s,
    })?;
    for path in args.outputs.iter().filter(|path| is_json(path)) {
        save_report(path, &report)?;
    }
    printer.document(&report, &summary(&report, &clips)?)?;
    Ok(())
}

/// The scene, with the command line's prompt and length where they are given.
pub fn scene_of(args: &GenerateArgs) -> anyhow::Result<Option<Scene>> {
    let Some(path) = &args.scene else {
        return Ok(None);
    };
    let shown = || format!("scene {}", path.display());
    let text = std::fs::read_to_string(path).with_context(shown)?;
    let mut scene = Scene::parse(&text).with_context(shown)?;
    if let Some(seconds) = args.seconds {
        scene.duration_secs = seconds;
    }
    if let Some(prompt) = &args.prompt {
        scene.prompts = vec![Prompt {
            text: prompt.clone(),
            from_secs: None,
            to_secs: None,
        }];
    }
    scene.check().with_context(shown)?;
    Ok(Some(scene))
}

/// What the arguments ask for.
pub fn request_of(
    args: &GenerateArgs,
    scene: Option<&Scene>,
) -> Result<GenerateRequest, kinograd::Error> {
    let request = match scene {
        Some(scene) => kinograd::request_from_scene(scene)?,
        None => GenerateRequest::builder(args.prompt.clone().unwrap_or_default())
            .seconds(args.seconds.unwrap_or(DEFAULT_SECONDS)),
    };
    let mut request = request
        .fps(args.fps)
        .clips(args.n)
        .seed(args.seed)
        .steps(args.steps)
        .steering((&args.steering).into())
        .foot_lock(!args.no_foot_lock);
    if let Some(sampler) = args.sampler {
        request = request.sampler(sampler.into());
    }
    if let Some(cfg) = args.cfg {
        request = request.cfg(cfg);
    }
    if let Some(method) = args.method {
        request = request.method(method.into());
    }
    if let Some(scale) = args.guidance_scale {
        request = request.guidance_scale(scale);
    }
    if let Some(weight) = args.text_guidance {
        request = request.text_guidance(weight);
    }
    for network in &args.networks {
        request = request.network(&network.path, network.weight);
    }
    if let Some(target) = args.target {
        let [x, z] = target.xz_m;
        request = match target.seconds {
            Some(seconds) => request.target_at(x, z, seconds),
            None => request.target(x, z),
        };
    }
    for then in &args.then {
        request = request.then(&then.prompt, then.seconds);
    }
    for waypoint in &args.waypoints {
        let [x, z] = waypoint.xz_m;
        request = request.waypoint(x, z, waypoint.seconds);
    }
    for obstacle in &args.obstacles {
        let [x, z] = obstacle.xz_m;
        request = request.obstacle(x, z, obstacle.radius_m);
    }
    request.build()
}

/// Shows progress and warnings, and stops the run after Ctrl-C.
pub struct Watcher<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    /// When the first step was done.
    pub first_step: Option<Instant>,
}

impl<'a> Watcher<'a> {
    /// Watches one command's runs.
    pub fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            bar: None,
            first_step: None,
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
            Event::Warning(warning) => self.printer.warning(warning),
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
    printer: &Printer,
) -> anyhow::Result<Vec<Vec<PathBuf>>> {
    let files: Vec<&PathBuf> = outputs.iter().filter(|path| !is_json(path)).collect();
    let bar = printer.progress((clips.len() * files.len()) as u64, "files");
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
            clip.save(&path)?;
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
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-{index:0width$}.{extension}"))
}

struct Outcome<'a> {
    request: &'a GenerateRequest,
    scene: Option<&'a Path>,
    /// Whether the prompts are not the scene's.
    own_prompts: bool,
    generator: &'a MotionGenerator,
    clips: &'a [Clip],
    written: &'a [Vec<PathBuf>],
    seconds: f64,
    first_step_s: Option<f64>,
}

/// The run as one document. Means over the clips, but the deepest penetration of all.
fn report(run: &Outcome<'_>) -> anyhow::Result<Value> {
    let reports: Vec<&ClipReport> = run.clips.iter().filter_map(|c| c.report.as_ref()).collect();
    let mean_of = |value: &dyn Fn(&ClipReport) -> Option<f64>| {
        mean(&reports.iter().filter_map(|r| value(r)).collect::<Vec<_>>())
    };
    let deepest = reports
        .iter()
        .filter_map(|report| report.max_penetration_m)
        .reduce(f64::max);
    let clips = reports
        .iter()
        .zip(run.written)
        .map(|(report, outputs)| {
            let mut value = serde_json::to_value(report)?;
            value["outputs"] = json!(outputs);
            Ok(value)
        })
        .collect::<Result<Vec<Value>, serde_json::Error>>()?;
    let engine = run.generator.engine();
    let manifest = run.generator.manifest();
    Ok(json!({
        "schema": "kinograd.generate/1",
        "version": env!("CARGO_PKG_VERSION"),
        "prompt": run.request.prompts_in_words(),
        "command": run.scene.map_or_else(
            || run.request.to_command(),
            |scene| run.request.to_command_with_scene(scene, run.own_prompts),
        ),
        "scene": run.scene,
        "model": format!("{} {}", manifest.name, manifest.version),
        "seed": run.request.seed,
        "method": run.request.method,
        "steps": run.request.steps,
        "sampler": run.request.sampler,
        "cfg": run.request.cfg.or(manifest.defaults.cfg),
        "engine": format!("{} {}", engine.engine, engine.version),
        "provider": engine.provider,
        "clip_seconds": run.request.duration_secs,
        "fps": run.request.fps,
        "target_error_m": mean_of(&|r| r.target_error_m),
        "max_penetration_m": deepest,
        "text_score": mean_of(&|r| r.text_score),
        "foot_skate_ratio": mean_of(&|r| Some(r.foot_skate_ratio)),
        "foot_skate_ratio_before": mean_of(&|r| Some(r.foot_skate_ratio_before)),
        "seconds": run.seconds,
        "first_step_seconds": run.first_step_s,
        "timings": run.generator.timings(),
        "peak_memory_mb": engine::peak_memory_mb(),
        "outputs": run.written.iter().flatten().collect::<Vec<_>>(),
        "clips": clips,
    }))
}

/// A few lines for a person.
fn summary(report: &Value, clips: &[Clip]) -> anyhow::Result<String> {
    let mut text = String::new();
    let number = |key: &str| report[key].as_f64();
    let several = if clips.len() > 1 { " (mean)" } else { "" };
    for output in report["outputs"].as_array().into_iter().flatten() {
        writeln!(text, "{}", output.as_str().unwrap_or_default())?;
    }
    if let Some(error_m) = number("target_error_m") {
        writeln!(text, "target error         {error_m:.3} m{several}")?;
    }
    if let Some(depth_m) = number("max_penetration_m") {
        writeln!(text, "deepest penetration  {depth_m:.3} m")?;
    }
    for goal in goals_of(clips) {
        writeln!(text, "{goal}")?;
    }
    if let Some(score) = number("text_score") {
        writeln!(text, "text score           {score:.3}{several}")?;
    }
    if let (Some(before), Some(after)) = (
        number("foot_skate_ratio_before"),
        number("foot_skate_ratio"),
    ) {
        writeln!(
            text,
            "foot skate           {before:.3} before foot lock, {after:.3} after{several}"
        )?;
    }
    if let Some(seconds) = number("seconds") {
        writeln!(
            text,
            "time                 {seconds:.2} s on {} ({})",
            report["engine"].as_str().unwrap_or_default(),
            report["provider"].as_str().unwrap_or_default()
        )?;
    }
    Ok(text)
}

/// How far the clips are from each goal of the scene, in the mean.
fn goals_of(clips: &[Clip]) -> Vec<String> {
    let reports: Vec<&ClipReport> = clips.iter().filter_map(|c| c.report.as_ref()).collect();
    let first = reports.first().map_or(&[][..], |report| &report.goals[..]);
    let line = |(index, goal): (usize, &kinograd::guidance::scene::Distance)| {
        let all = reports.iter().filter_map(|report| report.goals.get(index));
        let off = mean(&all.map(|goal| goal.off).collect::<Vec<_>>()).unwrap_or(goal.off);
        let several = if clips.len() > 1 { " (mean)" } else { "" };
        let (what, unit) = (&goal.what, goal.unit);
        format!("off by               {off:.3} {unit}{several}: {what}")
    };
    first.iter().enumerate().map(line).collect()
}

impl From<&SteeringArgs> for kinograd::Steering {
    fn from(args: &SteeringArgs) -> Self {
        let mut steering = Self::default();
        steering.interval = args.interval.map(|interval| interval.0);
        steering.schedule = args.schedule.into();
        steering.max_move = args.max_move;
        steering.time_travel = args.time_travel.map(|visits| visits.0);
        steering
    }
}

impl From<ScheduleArg> for kinograd::guidance::StepSchedule {
    fn from(schedule: ScheduleArg) -> Self {
        match schedule {
            ScheduleArg::Constant => Self::Constant,
            ScheduleArg::Rising => Self::Rising,
            ScheduleArg::Falling => Self::Falling,
            ScheduleArg::Signal => Self::Signal,
            ScheduleArg::Noise => Self::Noise,
            ScheduleArg::Posterior => Self::Posterior,
        }
    }
}

impl From<SamplerArg> for kinograd::Sampler {
    fn from(sampler: SamplerArg) -> Self {
        match sampler {
            SamplerArg::Ddim => Self::Ddim,
            SamplerArg::Ddpm => Self::Ddpm,
            SamplerArg::DpmSolverPp2M => Self::DpmSolverPp2m,
            SamplerArg::Heun => Self::Heun,
        }
    }
}

impl From<MethodArg> for kinograd::Method {
    fn from(method: MethodArg) -> Self {
        match method {
            MethodArg::None => Self::None,
            MethodArg::Dps => Self::Dps,
            MethodArg::Freedom => Self::Freedom,
            MethodArg::Mpgd => Self::Mpgd,
            MethodArg::Polyak => Self::Polyak,
            MethodArg::PolyakCapped => Self::PolyakCapped,
            MethodArg::Normalized => Self::Normalized,
            MethodArg::Projection => Self::Projection,
            MethodArg::LgdMc => Self::LgdMc,
            MethodArg::Ugd => Self::Ugd,
            MethodArg::Tfg => Self::Tfg,
            MethodArg::Dsg => Self::Dsg,
            MethodArg::AdamDps => Self::AdamDps,
            MethodArg::Mean => Self::Mean,
        }
    }
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
