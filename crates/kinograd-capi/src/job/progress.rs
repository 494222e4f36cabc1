//! How far a job is, as C programs see it.

use crate::argument::Structure;

/// Where a job stands.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kg_job_state {
    /// It waits for another job of its model.
    Queued = 0,
    /// It works.
    Running = 1,
    /// Its clips are there.
    Done = 2,
    /// It failed; kg_job_wait says why.
    Failed = 3,
    /// It was cancelled.
    Cancelled = 4,
}

/// How far a job is.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kg_job_progress {
    /// sizeof(kg_job_progress), set by the caller.
    pub struct_size: u32,
    /// A kg_job_state.
    pub state: i32,
    /// Units of work that are done, as denoising steps.
    pub done: u64,
    /// Units of work; 0 before they are known.
    pub total: u64,
    /// Number of clips that are there: all of them, once the job is done.
    pub clip_count: u32,
    /// How many estimates kg_job_partial has had; a change says that there is a new one.
    pub partial_count: u32,
}

// SAFETY: `repr(C)`, the size first, numbers.
unsafe impl Structure for kg_job_progress {
    const NAME: &'static str = "kg_job_progress";
    const FIRST_SIZE: usize = size_of::<Self>();
}
