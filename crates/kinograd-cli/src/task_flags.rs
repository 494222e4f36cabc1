//! Options as a task: the only place that knows both.

use std::path::Path;

use anyhow::Context;
use kinograd::goal::RootTarget;
use kinograd::guidance::StepSchedule;
use kinograd::task::usual_duration_secs;
use kinograd::task::{Checked, GuidanceSchedule, Prompt, SharedMut, Spec, TaskBuilder, TaskSpec};
use kinograd::{Error, Goal, Task, read_record};
use serde::de::DeserializeOwned;

use crate::args::{GenerateArgs, SamplingArgs, ScheduleArgs};

/// What to run.
pub struct Asked<S: Spec> {
    /// The task.
    pub task: Checked<S>,
    /// Of an earlier run's file: its seed, if that sample alone is to be made again.
    pub only_seed: Option<u64>,
}

/// The task that options ask for: what a file says, with the options that are given.
pub fn task_of(args: &GenerateArgs) -> anyhow::Result<Asked<TaskSpec>> {
    let prompt = args.prompt.clone().unwrap_or_default();
    let mut default = Task::builder(prompt.as_str()).into_spec();
    // Places, circles and further prompts have times of their own.
    let is_free = args.then.is_empty() && args.waypoints.is_empty() && args.obstacles.is_empty();
    if is_free && args.target.is_none() {
        default.duration_secs = usual_duration_secs(&prompt);
    }
    let files = (args.task.as_deref(), args.from.as_deref());
    asked(
        files,
        Task::read,
        default,
        |spec| Ok(with_options(spec, args)),
        |spec| &spec.goals,
    )
}

/// A task of any modality: from a task's file or an earlier run's, or else `default`, with options put
/// in; `goals` are those that options wrote, for errors.
pub fn asked<S: Spec + DeserializeOwned>(
    (task, from): (Option<&Path>, Option<&Path>),
    read: impl FnOnce(&Path) -> Result<Checked<S>, Error>,
    default: S,
    with_options: impl FnOnce(S) -> anyhow::Result<S>,
    goals: impl FnOnce(&S) -> &[Goal],
) -> anyhow::Result<Asked<S>> {
    let (base, only_seed) = match (task, from) {
        (Some(path), _) => (read(path)?.into_spec(), None),
        (None, Some(path)) => {
            let (task, seed) = recorded::<Checked<S>>(path)?;
            (task.into_spec(), seed)
        }
        (None, None) => (default, None),
    };
    let spec = with_options(base)?;
    let task = Checked::new(spec.clone()).map_err(|error| {
        if task.is_some() || from.is_some() {
            error
        } else {
            as_option(error, goals(&spec))
        }
    })?;
    Ok(Asked { task, only_seed })
}

/// The task in the record of an earlier run's file, and the seed of its one clip or picture; no seed
/// where it shows several.
fn recorded<T: DeserializeOwned>(path: &Path) -> anyhow::Result<(T, Option<u64>)> {
    let record = read_record(path)?.unwrap_or_default();
    let task = record.task.with_context(|| {
        let path = path.display();
        format!("{path} has no record of the task that made it")
    })?;
    let task = serde_json::from_value(task);
    let task = task.with_context(|| format!("the task in the record of {}", path.display()))?;
    Ok((task, record.seed))
}

fn with_options(mut spec: TaskSpec, args: &GenerateArgs) -> TaskSpec {
    if let Some(prompt) = &args.prompt {
        spec.prompts = vec![Prompt::new(prompt)];
    }
    spec.model = args.engine.model.clone().or(spec.model);
    spec.duration_secs = args.seconds.unwrap_or(spec.duration_secs);
    spec.output.fps = args.fps.unwrap_or(spec.output.fps);
    spec.output.foot_lock &= !args.no_foot_lock;
    spec.output.rig = args.rig.settings().or(spec.output.rig);
    spec.guidance.text = args.text_guidance.or(spec.guidance.text);
    add_sampling(&mut spec, &args.sampling, &args.schedule);
    let mut task = TaskBuilder::from(spec);
    for then in &args.then {
        task = task.then(&then.prompt, then.seconds);
    }
    for network in &args.networks {
        task = task.network(&network.path, network.weight);
    }
    if let Some(target) = args.target {
        task = task.goal(RootTarget {
            time_secs: target.seconds,
            arrive: args.arrive,
            ..RootTarget::at_end(target.xz_m)
        });
    }
    for waypoint in &args.waypoints {
        let [x, z] = waypoint.xz_m;
        task = task.waypoint(x, z, waypoint.seconds);
    }
    for obstacle in &args.obstacles {
        let [x, z] = obstacle.xz_m;
        task = task.obstacle(x, z, obstacle.radius_m);
    }
    task.into_spec()
}

/// Puts the options that are given into a task of any modality.
pub fn add_sampling(spec: &mut impl Spec, args: &SamplingArgs, schedule: &ScheduleArgs) {
    if let Some(method) = args.method {
        spec.shared_mut().choose_method(method);
    }
    let SharedMut {
        sampling,
        scale,
        schedule: own,
        ..
    } = spec.shared_mut();
    sampling.count = args.n.unwrap_or(sampling.count);
    sampling.best_of = args.best_of.unwrap_or(sampling.best_of);
    sampling.seed = args.seed.unwrap_or(sampling.seed);
    sampling.steps = args.steps.or(sampling.steps);
    sampling.sampler = args.sampler.or(sampling.sampler);
    sampling.cfg = args.cfg.or(sampling.cfg);
    *scale = args.guidance_scale.or(*scale);
    add_schedule(own, schedule);
}

/// Puts the options that are given into a schedule.
fn add_schedule(schedule: &mut GuidanceSchedule, args: &ScheduleArgs) {
    schedule.interval = args.interval.map(|i| i.0).or(schedule.interval);
    schedule.strength = args.schedule.unwrap_or(schedule.strength);
    schedule.max_step_rms = args.max_move.or(schedule.max_step_rms);
    schedule.iterations = args.iterations.or(schedule.iterations);
    schedule.resampling = args.time_travel.map(|t| t.0).or(schedule.resampling);
}

/// The schedule that options ask for.
pub fn schedule_of(args: &ScheduleArgs) -> GuidanceSchedule {
    let mut schedule = GuidanceSchedule {
        strength: StepSchedule::Constant,
        ..GuidanceSchedule::default()
    };
    add_schedule(&mut schedule, args);
    schedule
}

/// An error of a task that options wrote, by the option instead of the field's path.
pub fn as_option(error: Error, goals: &[Goal]) -> Error {
    let Error::Task { path, message } = error else {
        return error;
    };
    let path = option_of(&path, goals).unwrap_or(path);
    Error::Task { path, message }
}

/// The option that writes a field.
fn option_of(path: &str, goals: &[Goal]) -> Option<String> {
    let name = match path {
        "duration_secs" => "seconds",
        "output.fps" => "fps",
        "prompts[0].text" | "conditioning.text" => "prompt",
        "sampling.count" => "n",
        "sampling.best_of" => "best-of",
        "guidance.scale" => "guidance-scale",
        "guidance.text" => "text-guidance",
        "guidance.augmentations" => "augment",
        "guidance.schedule.interval" => "interval",
        "guidance.schedule.iterations" => "iterations",
        "guidance.schedule.max_step_rms" | "optimization.max_step_rms" => "max-move",
        "optimization.window_secs" => "window",
        "optimization.fine_tune.steps" => "train-steps",
        "optimization.fine_tune.batch" => "train-batch",
        "optimization.fine_tune.learning_rate" => "learning-rate",
        _ => match path {
            p if p.starts_with("prompts[") => "then",
            p if p.starts_with("losses[") => "loss-onnx",
            p if p.starts_with("obstacles[") => "obstacle",
            p if p.starts_with("guidance.schedule.resampling") => "time-travel",
            p if p.starts_with("goals[") => return goal_option(p, goals),
            p => p
                .strip_prefix("sampling.")
                .or_else(|| p.strip_prefix("guidance."))
                .or_else(|| p.strip_prefix("optimization."))?,
        },
    };
    Some(if name == "prompt" {
        name.to_owned()
    } else {
        format!("--{name}")
    })
}

fn goal_option(path: &str, goals: &[Goal]) -> Option<String> {
    let index = path.strip_prefix("goals[")?.split(']').next()?;
    Some(match goals.get(index.parse::<usize>().ok()?)? {
        Goal::RootTarget(_) => "--target".to_owned(),
        Goal::Waypoints(_) => "--waypoint".to_owned(),
        _ => return None,
    })
}
