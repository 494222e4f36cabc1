//! Calls of the library with Rust's types.

use std::ffi::{CStr, CString, c_char};
use std::path::{Path, PathBuf};
use std::ptr::null;

use kinograd_capi::*;

pub fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    folder.canonicalize().unwrap()
}

pub fn c(text: impl AsRef<str>) -> CString {
    CString::new(text.as_ref()).unwrap()
}

/// What the thread's last call had to say.
pub fn last_error() -> String {
    let text = unsafe { CStr::from_ptr(kg_last_error()) };
    text.to_str().unwrap().to_owned()
}

#[track_caller]
pub fn ok(status: kg_status) {
    assert_eq!(status, kg_status::Ok, "{}", last_error());
}

/// The handle that a call writes.
#[track_caller]
pub fn made<T>(call: impl FnOnce(*mut *mut T) -> kg_status) -> *mut T {
    let mut handle = std::ptr::null_mut();
    ok(call(&raw mut handle));
    assert!(!handle.is_null());
    handle
}

/// The text that a call writes, asked for its size first.
#[track_caller]
pub fn text(call: impl Fn(*mut c_char, u64, *mut u64) -> kg_status) -> String {
    let mut size = 0;
    ok(call(std::ptr::null_mut(), 0, &raw mut size));
    let mut buffer = vec![0_u8; usize::try_from(size).unwrap()];
    ok(call(buffer.as_mut_ptr().cast(), size, std::ptr::null_mut()));
    let text = CStr::from_bytes_with_nul(&buffer).unwrap();
    text.to_str().unwrap().to_owned()
}

/// The bytes of a blob, which is destroyed.
pub fn bytes(blob: *mut kg_blob) -> Vec<u8> {
    let mut size = 0;
    ok(unsafe { kg_blob_size(blob, &raw mut size) });
    let mut buffer = vec![0_u8; usize::try_from(size).unwrap()];
    ok(unsafe { kg_blob_copy(blob, buffer.as_mut_ptr(), size) });
    ok(kg_blob_destroy(blob));
    buffer
}

/// The repository's model on the built-in engine.
pub fn open_model() -> *mut kg_model {
    let engine = c("built-in");
    let options = kg_engine_options {
        struct_size: size_of::<kg_engine_options>() as u32,
        threads: 0,
        engine: engine.as_ptr(),
        provider: null(),
        onnx_runtime: null(),
    };
    let folder = repository().join("models/motion-base");
    let folder = c(folder.to_string_lossy());
    made(|model| unsafe { kg_model_open(folder.as_ptr(), &raw const options, model) })
}

/// A walk of a second, in so many steps.
pub fn walk(steps: u32) -> *mut kg_task {
    let prompt = c("a person walks forward");
    let task = made(|task| unsafe { kg_task_create(prompt.as_ptr(), task) });
    ok(kg_task_set_duration(task, 1.0));
    ok(kg_task_set_steps(task, steps));
    task
}

pub fn start(model: *mut kg_model, task: *mut kg_task) -> *mut kg_job {
    made(|job| unsafe { kg_job_start(model, task, null(), job) })
}

pub fn progress(job: *const kg_job) -> kg_job_progress {
    let mut progress = kg_job_progress {
        struct_size: size_of::<kg_job_progress>() as u32,
        state: -1,
        done: 0,
        total: 0,
        clip_count: 0,
        partial_count: 0,
    };
    ok(unsafe { kg_job_poll(job, &raw mut progress) });
    progress
}

/// A clip of motion capture of this repository.
pub fn captured() -> *mut kg_clip {
    let folder = std::fs::read_dir(repository().join("assets/clips")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "bvh"))
        .collect();
    paths.sort();
    let path = c(paths[0].to_string_lossy());
    made(|clip| unsafe { kg_clip_load(path.as_ptr(), clip) })
}

pub fn info(clip: *const kg_clip) -> kg_clip_info {
    let mut info = kg_clip_info {
        struct_size: size_of::<kg_clip_info>() as u32,
        joint_count: 0,
        frame_count: 0,
        is_loop: 9,
        fps: 0.0,
        duration_secs: 0.0,
        seed: 0,
    };
    ok(unsafe { kg_clip_get_info(clip, &raw mut info) });
    info
}

pub fn sample(clip: *const kg_clip, time_secs: f64, space: kg_space) -> Vec<kg_transform> {
    let count = info(clip).joint_count;
    let zero = kg_transform {
        translation_m: [0.0; 3],
        rotation: [0.0; 4],
    };
    let mut joints = vec![zero; count as usize];
    let at = joints.as_mut_ptr();
    ok(unsafe { kg_clip_sample(clip, time_secs, space as i32, at, count) });
    joints
}
