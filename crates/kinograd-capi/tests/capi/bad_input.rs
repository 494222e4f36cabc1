//! Input that is wrong: a status and a message, and nothing written.

use std::ffi::{CString, c_char};
use std::ptr::{null, null_mut};

use kinograd_capi::*;

use crate::support::{bytes, c, captured, info, last_error, made, ok, sample, text, walk};

/// Checks the status and that the message has a part.
#[track_caller]
fn refused(status: kg_status, expected: kg_status, part: &str) {
    let message = last_error();
    assert_eq!(status, expected, "{message}");
    assert!(message.contains(part), "{message} lacks {part}");
}

const NOT_UTF8: &[u8] = b"walk \xff\0";

#[test]
fn null_is_refused_by_name() {
    use kg_status::{InvalidArgument, InvalidHandle};
    let (prompt, mut task, mut clip) = (c("a person walks"), null_mut(), null_mut());
    unsafe {
        refused(
            kg_task_create(null(), &raw mut task),
            InvalidArgument,
            "prompt is NULL",
        );
        refused(
            kg_task_create(prompt.as_ptr(), null_mut()),
            InvalidArgument,
            "task is NULL",
        );
        refused(
            kg_clip_load(null(), &raw mut clip),
            InvalidArgument,
            "path is NULL",
        );
        refused(kg_task_check(null()), InvalidHandle, "the task is NULL");
        refused(
            kg_clip_save(null(), prompt.as_ptr(), null()),
            InvalidHandle,
            "the clip is NULL",
        );
        refused(kg_job_wait(null(), 0.0), InvalidHandle, "the job is NULL");
        let none = kg_job_start(null(), null(), null(), null_mut());
        refused(none, InvalidArgument, "job is NULL");
        refused(
            kg_blob_copy(null(), null_mut(), 0),
            InvalidHandle,
            "the blob is NULL",
        );
    }
    assert!(task.is_null() && clip.is_null());
}

#[test]
fn null_is_destroyed_as_often_as_one_likes() {
    ok(kg_task_destroy(null_mut()));
    ok(kg_model_destroy(null_mut()));
    ok(kg_job_destroy(null_mut()));
    ok(kg_clip_destroy(null_mut()));
    ok(kg_rig_destroy(null_mut()));
    ok(kg_blob_destroy(null_mut()));
}

#[test]
fn handles_that_are_none_are_refused() {
    let task = walk(4);
    // Another kind, as a cast in C makes one.
    let clip: *const kg_clip = task.cast_const().cast();
    let mut feet = 7;
    let status = unsafe { kg_clip_foot_contacts(clip, 0.0, &raw mut feet) };
    refused(
        status,
        kg_status::InvalidHandle,
        "the clip is no such handle",
    );
    assert_eq!(feet, 7);
    // What somebody else's memory is.
    let other = 5_u64;
    let other: *const kg_task = (&raw const other).cast();
    assert_eq!(kg_task_check(other), kg_status::InvalidHandle);
    ok(kg_task_destroy(task));
    for again in [
        kg_task_destroy(task),
        kg_task_set_seed(task, 1),
        kg_task_check(task),
    ] {
        assert_eq!(again, kg_status::InvalidHandle);
    }
    refused(
        kg_task_destroy(task),
        kg_status::InvalidHandle,
        "the task was destroyed before",
    );
    // A new one in the same place does not bring the old handle back.
    let next = walk(4);
    assert_eq!(kg_task_check(task), kg_status::InvalidHandle);
    ok(kg_task_destroy(next));
}

#[test]
fn texts_that_are_not_utf8_are_refused() {
    let (bad, mut task) = (NOT_UTF8.as_ptr().cast::<c_char>(), null_mut());
    let status = unsafe { kg_task_create(bad, &raw mut task) };
    refused(status, kg_status::InvalidArgument, "prompt is not UTF-8");
    let walk = walk(4);
    let status = unsafe { kg_task_set_method(walk, bad) };
    refused(status, kg_status::InvalidArgument, "method is not UTF-8");
    ok(kg_task_destroy(walk));
}

#[test]
fn tasks_that_cannot_be_name_the_field() {
    let task = walk(4);
    ok(kg_task_set_duration(task, -1.0));
    refused(
        kg_task_check(task),
        kg_status::InvalidTask,
        "duration_secs: -1",
    );
    ok(kg_task_set_duration(task, 2.0));
    ok(kg_task_add_target(task, f64::NAN, 0.0, -1.0));
    refused(
        kg_task_check(task),
        kg_status::InvalidTask,
        "goals[0].position_m",
    );
    let word = c("projektion");
    let status = unsafe { kg_task_set_method(task, word.as_ptr()) };
    refused(status, kg_status::InvalidArgument, "projection");
    ok(kg_task_destroy(task));
    let mut task = null_mut();
    for (json, part) in [
        (
            r#"{"duration_sec": 5, "prompts": []}"#,
            "did you mean `duration_secs`?",
        ),
        ("", "EOF"),
        ("[[[[", "line 1"),
    ] {
        let json = c(json);
        let status = unsafe { kg_task_from_json(json.as_ptr(), &raw mut task) };
        refused(status, kg_status::InvalidTask, part);
        assert!(task.is_null());
    }
}

#[test]
fn files_that_are_not_there_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| c(folder.path().join(name).to_string_lossy());
    let (missing, odd) = (path("none.bvh"), path("walk.abc"));
    let (mut clip, mut rig, mut model) = (null_mut(), null_mut(), null_mut());
    unsafe {
        let status = kg_clip_load(missing.as_ptr(), &raw mut clip);
        refused(status, kg_status::ReadFailed, "none.bvh");
        let status = kg_rig_open(missing.as_ptr(), null(), &raw mut rig);
        refused(status, kg_status::ReadFailed, "none.bvh");
        let status = kg_model_open(missing.as_ptr(), null(), &raw mut model);
        refused(status, kg_status::ModelFailed, "none.bvh");
        let status = kg_gradient_write(missing.as_ptr(), odd.as_ptr(), null(), null_mut());
        refused(status, kg_status::GradientFailed, "none.bvh");
    }
    let walk = captured();
    let nowhere = path("no/folder/walk.glb");
    unsafe {
        let status = kg_clip_save(walk, odd.as_ptr(), null());
        refused(status, kg_status::UnknownFormat, "walk.abc");
        let status = kg_clip_save(walk, nowhere.as_ptr(), null());
        refused(status, kg_status::WriteFailed, "walk.glb");
        let (mut file, format) = (null_mut(), c("../x.glb"));
        let status = kg_clip_encode(walk, format.as_ptr(), null(), &raw mut file);
        refused(status, kg_status::InvalidArgument, "is no extension");
    }
    ok(kg_clip_destroy(walk));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn engines_that_cannot_be_opened_say_why() {
    let word = c("gpu");
    let folder = tempfile::tempdir().unwrap();
    let library = c(folder.path().to_string_lossy());
    let none = kg_engine_options {
        struct_size: size_of::<kg_engine_options>() as u32,
        threads: 0,
        engine: null(),
        provider: null(),
        onnx_runtime: null(),
    };
    let mut model = null_mut();
    let mut open = |options: kg_engine_options| unsafe {
        kg_model_open(null(), &raw const options, &raw mut model)
    };
    let provider = word.as_ptr();
    let wrong = open(kg_engine_options { provider, ..none });
    refused(wrong, kg_status::InvalidArgument, "choose one of auto, cpu");
    let onnx_runtime = library.as_ptr();
    let wrong = open(kg_engine_options {
        onnx_runtime,
        ..none
    });
    assert_ne!(wrong, kg_status::Ok);
    let wrong = open(kg_engine_options {
        threads: 1 << 30,
        ..none
    });
    assert_ne!(wrong, kg_status::Ok);
    let wrong = open(kg_engine_options {
        struct_size: 4,
        ..none
    });
    refused(
        wrong,
        kg_status::InvalidArgument,
        "sizeof(kg_engine_options)",
    );
}

#[test]
fn too_small_a_buffer_stays_as_it_is() {
    let clip = captured();
    let joints = info(clip).joint_count;
    let mut parents = vec![77_i32; joints as usize - 1];
    let at = parents.as_mut_ptr();
    let status = unsafe { kg_clip_parents(clip, at, joints - 1) };
    refused(status, kg_status::BufferTooSmall, "are needed");
    assert!(parents.iter().all(|parent| *parent == 77));
    let (mut letters, mut size) = ([1 as c_char; 2], 0);
    let at = letters.as_mut_ptr();
    let status = unsafe { kg_clip_joint_name(clip, 0, at, 2, &raw mut size) };
    refused(status, kg_status::BufferTooSmall, "the buffer has 2 bytes");
    assert_eq!(letters, [1; 2]);
    let name =
        text(|at, capacity, size| unsafe { kg_clip_joint_name(clip, 0, at, capacity, size) });
    assert_eq!(size, name.len() as u64 + 1);
    let status = unsafe { kg_clip_joint_name(clip, joints, at, 2, &raw mut size) };
    refused(status, kg_status::InvalidArgument, "the clip has");
    let format = c("json");
    let file = made(|file| unsafe { kg_clip_encode(clip, format.as_ptr(), null(), file) });
    let mut byte = 0;
    let status = unsafe { kg_blob_copy(file, &raw mut byte, 1) };
    refused(status, kg_status::BufferTooSmall, "the buffer has 1 bytes");
    assert!(bytes(file).starts_with(b"{"));
    ok(kg_clip_destroy(clip));
}

#[test]
fn numbers_that_are_none_are_refused() {
    let clip = captured();
    let mut root = sample(clip, 0.0, kg_space::Local)[0];
    let before = root;
    for time in [f64::NAN, f64::INFINITY] {
        let status = unsafe { kg_clip_root(clip, time, &raw mut root) };
        refused(status, kg_status::InvalidArgument, "the time is");
    }
    let many = info(clip).joint_count;
    let status = unsafe { kg_clip_sample(clip, 0.0, 2, &raw mut root, many) };
    refused(
        status,
        kg_status::InvalidArgument,
        "a kg_space was expected",
    );
    assert_eq!(root, before);
    let status = kg_log_set_callback(6, None, null_mut());
    refused(status, kg_status::InvalidArgument, "kg_log_level");
    let mut info = kg_clip_info {
        struct_size: 8,
        ..info(clip)
    };
    let status = unsafe { kg_clip_get_info(clip, &raw mut info) };
    refused(status, kg_status::InvalidArgument, "sizeof(kg_clip_info)");
    let path = CString::default();
    let options = kg_save_options {
        struct_size: size_of::<kg_save_options>() as u32,
        reserved: 0,
        fps: -1.0,
        unit_to_metre: 0.0,
        root_motion: null(),
        joint_names: null(),
        rest_pose: null(),
    };
    let status = unsafe { kg_clip_save(clip, path.as_ptr(), &raw const options) };
    refused(status, kg_status::InvalidArgument, "fps is -1");
    ok(kg_clip_destroy(clip));
}
