//! Jobs: clips made on a thread of their own.

mod progress;
mod run;
mod state;

use std::time::Duration;

use crate::argument::{Structure, options, out, write_structure};
use crate::clip::{Held, kg_clip};
use crate::entry::entry;
use crate::handle::{get, insert, object, remove};
use crate::model::{Model, kg_model};
use crate::status::{Failure, kg_status};
use crate::task::{Collected, kg_task};

pub use self::progress::{kg_job_progress, kg_job_state};
use self::state::Job;

/// Clips that are being made, or were.
pub struct kg_job(());

/// The job behind a handle. Without its handle a job has nobody to work for.
pub(crate) struct HeldJob(std::sync::Arc<Job>);

impl Drop for HeldJob {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

object!(HeldJob, kg_job, 5, "job");

/// What a job does besides its clips. All bytes 0 but `struct_size` is the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kg_job_options {
    /// sizeof(kg_job_options).
    pub struct_size: u32,
    /// Not 0 keeps the estimate of each step for kg_job_partial, which costs time at each.
    pub keep_partial: u32,
}

// SAFETY: `repr(C)`, the size first, numbers.
unsafe impl Structure for kg_job_options {
    const NAME: &'static str = "kg_job_options";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// Checks the task and starts to make its clips with a model, on a thread of its own. Jobs of one
/// model work one after the other, in no promised order; jobs of several models work at the same
/// time. A task with `optimization` is optimised. Later changes of the task do not matter. `options`
/// may be NULL.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_job_start(
    model: *const kg_model,
    task: *const kg_task,
    options: *const kg_job_options,
    job: *mut *mut kg_job,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (job, options) = unsafe { (out(job, "job")?, crate::job::options(options)?) };
        let model = get::<Model>(model)?;
        let task = get::<Collected>(task)?.checked()?;
        let started = run::start(model, task, options.keep_partial != 0)?;
        job.set(insert(HeldJob(started))?);
        Ok(())
    })
}

/// How far a job is; it does not wait. `progress->struct_size` must be set.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_job_poll(
    job: *const kg_job,
    progress: *mut kg_job_progress,
) -> kg_status {
    entry(|| {
        let now = get::<HeldJob>(job)?.0.progress();
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_structure(&now, progress) }
    })
}

/// Waits until a job is done, for `timeout_secs` at most; a negative number waits for as long as it
/// takes, 0 looks only. Returns KG_STATUS_OK when the clips are there, KG_STATUS_TIMEOUT when the
/// time is over, KG_STATUS_CANCELLED for a job that was cancelled, or why it failed.
///
/// Any thread may call it, and several may wait for one job.
#[unsafe(no_mangle)]
pub extern "C" fn kg_job_wait(job: *const kg_job, timeout_secs: f64) -> kg_status {
    entry(|| {
        if timeout_secs.is_nan() {
            return Err(Failure::argument("timeout_secs is not a number"));
        }
        // More seconds than a duration holds are as long as it takes.
        let timeout = Duration::try_from_secs_f64(timeout_secs).ok();
        get::<HeldJob>(job)?.0.wait(timeout)
    })
}

/// Asks a job to stop, and returns at once. It stops after the step that it is at; kg_job_wait tells
/// when. A job that has ended stays as it is.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_job_cancel(job: *const kg_job) -> kg_status {
    entry(|| {
        get::<HeldJob>(job)?.0.cancel();
        Ok(())
    })
}

/// A clip of a job that is done, by its number from 0. It is the caller's, as is every handle, and
/// stays when the job is destroyed. KG_STATUS_NOT_READY before; why it failed, where it did.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_job_clip(
    job: *const kg_job,
    index: u32,
    clip: *mut *mut kg_clip,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let clip = unsafe { out(clip, "clip") }?;
        let made = get::<HeldJob>(job)?.0.clip(index as usize)?;
        clip.set(insert(Held::new(made)?)?);
        Ok(())
    })
}

/// The current estimate of the first clip at work, as a clip on the canonical body of 22 joints at 20
/// frames per second, without the clean-up that finished clips get. KG_STATUS_NOT_READY where no
/// step is done yet or the job was started without `keep_partial`.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_job_partial(job: *const kg_job, clip: *mut *mut kg_clip) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let clip = unsafe { out(clip, "clip") }?;
        let partial = get::<HeldJob>(job)?.0.partial()?;
        clip.set(insert(Held::new(partial)?)?);
        Ok(())
    })
}

/// Destroys a job; NULL is taken. One that works is cancelled and stops on its own after the step
/// that it is at, without being waited for. Before this library is unloaded, or the program ends,
/// cancel jobs and wait for them.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_job_destroy(job: *mut kg_job) -> kg_status {
    entry(|| remove::<HeldJob>(job).map(drop))
}
