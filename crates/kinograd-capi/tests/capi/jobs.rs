//! Jobs: on threads, cancelled, destroyed while they work.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use kinograd::{MotionGenerator, SaveOptions, Task, runtime};
use kinograd_capi::*;

use crate::support::{
    bytes, c, info, last_error, made, ok, open_model, progress, repository, sample, start, text,
    walk,
};

const FOR_AS_LONG_AS_IT_TAKES: f64 = -1.0;

fn clip_of(job: *mut kg_job) -> *mut kg_clip {
    made(|clip| unsafe { kg_job_clip(job, 0, clip) })
}

/// The bytes of the facade.
#[test]
fn a_job_makes_what_the_facade_makes() {
    let (model, task) = (open_model(), walk(3));
    ok(kg_task_set_seed(task, 5));
    ok(kg_task_add_target(task, 0.2, 0.8, -1.0));
    let job = start(model, task);
    let json = text(|at, capacity, size| unsafe { kg_task_to_json(task, at, capacity, size) });
    ok(kg_job_wait(job, FOR_AS_LONG_AS_IT_TAKES));
    let done = progress(job);
    assert_eq!(
        (done.state, done.done),
        (kg_job_state::Done as i32, done.total)
    );
    assert_eq!(done.clip_count, 1);
    let clip = clip_of(job);
    assert_eq!((info(clip).seed, info(clip).frame_count), (5, 20));
    let format = c("npz");
    let file = made(|file| unsafe { kg_clip_encode(clip, format.as_ptr(), null(), file) });

    let options = runtime::EngineOptions {
        engine: runtime::EngineChoice::BuiltIn,
        ..Default::default()
    };
    let folder = repository().join("models/motion-base");
    let mut generator = MotionGenerator::open(&folder.to_string_lossy(), &options).unwrap();
    let same = generator.generate(&Task::from_json(&json).unwrap(), &mut ());
    let same = same.unwrap()[0].to_bytes("npz", &SaveOptions::default());
    assert!(
        bytes(file) == same.unwrap(),
        "other bytes than the facade's"
    );

    let report =
        text(|at, capacity, size| unsafe { kg_clip_report_json(clip, at, capacity, size) });
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["provenance"]["seed"], 5);
    assert!(report["report"]["target_error_m"].is_number(), "{report}");
    let told = text(|at, capacity, size| unsafe { kg_model_info_json(model, at, capacity, size) });
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["package"]["name"], "motion-base");
    assert_eq!(told["engine"]["name"], "built-in");
    let mut none = null_mut();
    let status = unsafe { kg_job_clip(job, 1, &raw mut none) };
    assert_eq!(status, kg_status::InvalidArgument);
    let status = unsafe { kg_job_partial(job, &raw mut none) };
    assert_eq!(status, kg_status::NotReady);
    ok(kg_clip_destroy(clip));
    ok(kg_job_destroy(job));
    ok(kg_task_destroy(task));
    ok(kg_model_destroy(model));
}

/// Two jobs of one model: one at work, one that waits.
#[test]
fn jobs_are_cancelled_at_work_and_in_the_queue() {
    let (model, task) = (open_model(), walk(500));
    let first = start(model, task);
    while progress(first).done == 0 {
        assert_eq!(
            kg_job_wait(first, 0.02),
            kg_status::Timeout,
            "{}",
            last_error()
        );
    }
    let second = start(model, task);
    assert_eq!(progress(second).state, kg_job_state::Queued as i32);
    let mut none = null_mut();
    let status = unsafe { kg_job_clip(second, 0, &raw mut none) };
    assert_eq!(status, kg_status::NotReady);
    // The second ends although the first is still at work.
    ok(kg_job_cancel(second));
    let ended = kg_job_wait(second, FOR_AS_LONG_AS_IT_TAKES);
    assert_eq!(ended, kg_status::Cancelled);
    assert_eq!(progress(second).state, kg_job_state::Cancelled as i32);
    assert_eq!(progress(first).state, kg_job_state::Running as i32);
    ok(kg_job_cancel(first));
    let ended = kg_job_wait(first, FOR_AS_LONG_AS_IT_TAKES);
    assert_eq!(ended, kg_status::Cancelled);
    let done = progress(first);
    assert!(done.done < done.total, "{done:?}");
    // The model is free again; what is destroyed at work gives it back, too.
    let third = start(model, task);
    while progress(third).done == 0 {
        assert_eq!(
            kg_job_wait(third, 0.02),
            kg_status::Timeout,
            "{}",
            last_error()
        );
    }
    ok(kg_job_destroy(third));
    assert_eq!(kg_job_wait(third, 0.0), kg_status::InvalidHandle);
    ok(kg_task_set_steps(task, 2));
    let last = start(model, task);
    // A job keeps what it needs.
    ok(kg_model_destroy(model));
    ok(kg_task_destroy(task));
    ok(kg_job_wait(last, FOR_AS_LONG_AS_IT_TAKES));
    for job in [first, second, last] {
        ok(kg_job_destroy(job));
    }
}

#[test]
fn the_estimate_of_a_step_is_a_clip() {
    let (model, task) = (open_model(), walk(3));
    let options = kg_job_options {
        struct_size: size_of::<kg_job_options>() as u32,
        keep_partial: 1,
    };
    let job = made(|job| unsafe { kg_job_start(model, task, &raw const options, job) });
    ok(kg_job_wait(job, FOR_AS_LONG_AS_IT_TAKES));
    assert_eq!(progress(job).partial_count, 3);
    let partial = made(|clip| unsafe { kg_job_partial(job, clip) });
    let clip = clip_of(job);
    ok(kg_job_destroy(job));
    assert_eq!(info(partial).frame_count, info(clip).frame_count);
    // The last estimate is the clip before its clean-up.
    let heads = [partial, clip].map(|clip| sample(clip, 0.5, kg_space::World)[15]);
    let [a, b] = heads.map(|head| glam::Vec3::from_array(head.translation_m));
    assert!(a.distance(b) < 0.1, "{a} {b}");
    ok(kg_clip_destroy(partial));
    ok(kg_clip_destroy(clip));
    ok(kg_task_destroy(task));
    ok(kg_model_destroy(model));
}

/// A pointer that threads may share: handles are numbers.
struct Shared<T>(*mut T);
impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Shared<T> {}
unsafe impl<T> Send for Shared<T> {}
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    fn get(self) -> *mut T {
        self.0
    }
}

/// Threads start, poll, cancel and destroy jobs of one model and sample one clip, while another
/// thread destroys what they use.
#[test]
fn many_threads_at_once() {
    let (model, task) = (Shared(open_model()), Shared(walk(2)));
    let clip = Shared(crate::support::captured());
    let joints = info(clip.get()).joint_count;
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for round in 0..3 {
                    let job = start(model.get(), task.get());
                    if (thread + round) % 3 == 0 {
                        ok(kg_job_cancel(job));
                    }
                    let ended = kg_job_wait(job, FOR_AS_LONG_AS_IT_TAKES);
                    assert!(matches!(ended, kg_status::Ok | kg_status::Cancelled));
                    ok(kg_job_destroy(job));
                }
            });
            scope.spawn(move || {
                let zero = kg_transform {
                    translation_m: [0.0; 3],
                    rotation: [0.0; 4],
                };
                let mut pose = vec![zero; joints as usize];
                for time in 0..400 {
                    let (secs, at) = (f64::from(time) / 100.0, pose.as_mut_ptr());
                    let status = unsafe { kg_clip_sample(clip.get(), secs, 1, at, joints) };
                    if thread == 0 && time == 200 {
                        ok(kg_clip_destroy(clip.get()));
                    }
                    assert!(matches!(status, kg_status::Ok | kg_status::InvalidHandle));
                }
            });
        }
    });
    assert_eq!(kg_clip_destroy(clip.get()), kg_status::InvalidHandle);
    ok(kg_task_destroy(task.get()));
    ok(kg_model_destroy(model.get()));
}

unsafe extern "C" fn note(user: *mut c_void, level: i32, message: *const c_char) {
    let (messages, message) = unsafe {
        let messages = user.cast::<Mutex<Vec<(i32, String)>>>();
        (&*messages, CStr::from_ptr(message))
    };
    let message = message.to_str().unwrap().to_owned();
    // From within, nothing is logged and no other callback is set.
    assert_eq!(
        kg_log_set_callback(0, None, null_mut()),
        kg_status::InvalidArgument
    );
    messages.lock().unwrap().push((level, message));
}

#[test]
fn warnings_come_to_the_callback_until_it_is_taken_away() {
    let messages: Mutex<Vec<(i32, String)>> = Mutex::default();
    let user = (&raw const messages).cast_mut().cast::<c_void>();
    let warn = kg_log_level::Warn as i32;
    let (model, task) = (open_model(), walk(1));
    let json = text(|at, capacity, size| unsafe { kg_task_to_json(task, at, capacity, size) });
    ok(kg_task_destroy(task));
    let json = c(json.replace("a person walks forward", "quarterly tax declaration forms"));
    let task = made(|task| unsafe { kg_task_from_json(json.as_ptr(), task) });
    ok(kg_log_set_callback(warn, Some(note), user));
    let run = || {
        let job = start(model, task);
        ok(kg_job_wait(job, FOR_AS_LONG_AS_IT_TAKES));
        ok(kg_job_destroy(job));
    };
    run();
    ok(kg_log_set_callback(0, None, null_mut()));
    // Other tests may have had something to say, too.
    let said = messages.lock().unwrap().clone();
    let about = |(level, text): &(i32, String)| {
        *level == warn && text.contains("the model knows nothing close to")
    };
    assert!(said.iter().any(about), "{said:?}");
    run();
    let after = messages.lock().unwrap().len();
    assert_eq!(after, said.len(), "nothing is said any more");
    ok(kg_task_destroy(task));
    ok(kg_model_destroy(model));
}
