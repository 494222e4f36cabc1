//! Tasks: all that is asked for.

use std::ffi::c_char;
use std::sync::{Mutex, PoisonError};

use kinograd::{Method, RigSettings, Task, TaskBuilder, TaskSpec};

use crate::argument::{optional_text, out, text, write_text};
use crate::entry::entry;
use crate::handle::{get, insert, object, remove};
use crate::rig::travel_of;
use crate::status::{Failure, kg_status};

/// All that is asked for. It is collected step by step or read from JSON, and checked by
/// kg_task_check and by kg_job_start.
pub struct kg_task(());

/// What was collected.
pub(crate) struct Collected(Mutex<TaskSpec>);

object!(Collected, kg_task, 3, "task");

impl Collected {
    fn change(&self, change: impl FnOnce(TaskBuilder) -> TaskBuilder) {
        let mut spec = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *spec = change(spec.clone().into()).into_spec();
    }

    /// The task, checked.
    pub fn checked(&self) -> Result<Task, Failure> {
        let spec = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(spec.clone().check()?)
    }
}

fn change(
    task: *const kg_task,
    change: impl FnOnce(TaskBuilder) -> TaskBuilder,
) -> Result<(), Failure> {
    get::<Collected>(task)?.change(change);
    Ok(())
}

/// A task with a prompt for the whole clip, of 6 seconds.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_task_create(
    prompt: *const c_char,
    task: *mut *mut kg_task,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (task, prompt) = unsafe { (out(task, "task")?, text(prompt, "prompt")?) };
        let spec = Task::builder(prompt).into_spec();
        task.set(insert(Collected(Mutex::new(spec)))?);
        Ok(())
    })
}

/// A task from its JSON form, which says everything that a task can say: timed prompts, goals for
/// any joint, shapes in space, losses, rewards. A mistake is an error that names the field.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_task_from_json(
    json: *const c_char,
    task: *mut *mut kg_task,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (task, json) = unsafe { (out(task, "task")?, text(json, "json")?) };
        let spec = Task::from_json(json)?.into_spec();
        task.set(insert(Collected(Mutex::new(spec)))?);
        Ok(())
    })
}

/// The task as JSON, which makes the same task again. See "Texts" above for `buffer`, `capacity` and
/// `size`. A task that cannot be is an error, as of kg_task_check.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_task_to_json(
    task: *const kg_task,
    buffer: *mut c_char,
    capacity: u64,
    size: *mut u64,
) -> kg_status {
    entry(|| {
        let json = get::<Collected>(task)?.checked()?.to_json()?;
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_text(&json, buffer, capacity, size) }
    })
}

/// Whether the task can be; if not, the message names the field, what came and what was expected.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_check(task: *const kg_task) -> kg_status {
    entry(|| get::<Collected>(task)?.checked().map(drop))
}

/// Adds a prompt for what the person does from `from_secs` on, in place of what they did before.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_task_add_prompt(
    task: *mut kg_task,
    prompt: *const c_char,
    from_secs: f64,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let prompt = unsafe { text(prompt, "prompt") }?;
        change(task, |builder| builder.then(prompt, from_secs))
    })
}

/// Sets the length of the clip, seconds.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_set_duration(task: *mut kg_task, duration_secs: f64) -> kg_status {
    entry(|| change(task, |builder| builder.duration(duration_secs)))
}

/// Sets the frames per second of the clip; 20, the model's own, if it is not set.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_set_fps(task: *mut kg_task, fps: f64) -> kg_status {
    entry(|| change(task, |builder| builder.fps(fps)))
}

/// Adds a place on the ground to be at: metres, and seconds from the start of the clip; a negative
/// time is its end.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_add_target(
    task: *mut kg_task,
    x_m: f64,
    z_m: f64,
    time_secs: f64,
) -> kg_status {
    entry(|| {
        change(task, |builder| {
            if time_secs < 0.0 {
                builder.target(x_m, z_m)
            } else {
                builder.target_at(x_m, z_m, time_secs)
            }
        })
    })
}

/// Adds a place on the ground to pass on the way: metres, and seconds from the start of the clip.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_add_waypoint(
    task: *mut kg_task,
    x_m: f64,
    z_m: f64,
    time_secs: f64,
) -> kg_status {
    entry(|| change(task, |builder| builder.waypoint(x_m, z_m, time_secs)))
}

/// Adds a circle on the ground that the body's root keeps out of, metres. Shapes in space are added
/// by JSON.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_add_obstacle(
    task: *mut kg_task,
    x_m: f64,
    z_m: f64,
    radius_m: f64,
) -> kg_status {
    entry(|| change(task, |builder| builder.obstacle(x_m, z_m, radius_m)))
}

/// Sets the seed: the same task, model, engine and number of threads give the same bytes on one
/// machine. Clip `i` of several has the noise of `seed + i`.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_set_seed(task: *mut kg_task, seed: u64) -> kg_status {
    entry(|| change(task, |builder| builder.seed(seed)))
}

/// Sets how many clips a job makes; 1 if it is not set.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_set_count(task: *mut kg_task, count: u32) -> kg_status {
    entry(|| change(task, |builder| builder.count(count as usize)))
}

/// Sets how many clips are drawn for each that is kept, the best of them; 1 if it is not set.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_set_best_of(task: *mut kg_task, draws: u32) -> kg_status {
    entry(|| change(task, |builder| builder.best_of(draws as usize)))
}

/// Sets the number of denoising steps; the model's own if it is not set, or else 20.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_set_steps(task: *mut kg_task, steps: u32) -> kg_status {
    entry(|| change(task, |builder| builder.steps(steps as usize)))
}

/// Sets how goals steer, by the method's name, such as `projection`, which is taken if none is set,
/// or `none`. A name that is unknown is an error that lists the known ones.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_task_set_method(
    task: *mut kg_task,
    method: *const c_char,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let name = unsafe { text(method, "method") }?;
        let method: Method = name
            .parse()
            .map_err(|error| Failure::argument(format!("method: {error}")))?;
        change(task, |builder| builder.method(method))
    })
}

/// Sets the strength of the steering; what was tuned for the method if it is not set.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_set_guidance_scale(task: *mut kg_task, scale: f64) -> kg_status {
    entry(|| change(task, |builder| builder.guidance_scale(scale)))
}

/// Sets whether feet in contact are held still: 0 leaves them as the model has them. They are held
/// if it is not set.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_set_foot_lock(task: *mut kg_task, foot_lock: u32) -> kg_status {
    entry(|| change(task, |builder| builder.foot_lock(foot_lock != 0)))
}

/// Makes clips for a character: a GLB, VRM, FBX or BVH, or a clip as NPZ. The goals' places are then
/// in the character's world. `mapping` is a file that says which joints are which, or NULL where
/// their names tell; `travel` is `scaled` (NULL: in proportion to its legs) or `kept`. The files are
/// read when the job starts.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_task_set_rig(
    task: *mut kg_task,
    file: *const c_char,
    mapping: *const c_char,
    travel: *const c_char,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (file, mapping, travel) = unsafe {
            (
                text(file, "file")?,
                optional_text(mapping, "mapping")?,
                travel_of(travel)?,
            )
        };
        let rig = RigSettings {
            mapping: mapping.map(Into::into),
            travel,
            ..RigSettings::new(file)
        };
        change(task, |builder| builder.rig(rig))
    })
}

/// The name or folder of the model that the task asks for, for kg_model_open. See "Texts" above for
/// `buffer`, `capacity` and `size`.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_task_model(
    task: *const kg_task,
    buffer: *mut c_char,
    capacity: u64,
    size: *mut u64,
) -> kg_status {
    entry(|| {
        let checked = get::<Collected>(task)?.checked()?;
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_text(checked.model(), buffer, capacity, size) }
    })
}

/// Destroys a task; NULL is taken. Jobs that were started with it go on.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_task_destroy(task: *mut kg_task) -> kg_status {
    entry(|| remove::<Collected>(task).map(drop))
}
