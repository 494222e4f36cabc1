//! Clips against the facade, and gradients.

use std::ptr::null;

use kinograd::formats::LoadOptions;
use kinograd::motion::resample::resample;
use kinograd::{Clip, SaveOptions};
use kinograd_capi::*;

use crate::support::{bytes, c, captured, info, made, ok, repository, sample, text};

fn walk() -> (Clip, *mut kg_clip) {
    let path = repository().join("assets/clips/walk.glb");
    let clip = Clip::load(&path, &LoadOptions::default()).unwrap();
    let path = c(path.to_string_lossy());
    (
        clip,
        made(|clip| unsafe { kg_clip_load(path.as_ptr(), clip) }),
    )
}

/// Between frames they are what the resampled clip has there.
#[test]
fn samples_are_those_of_the_resampled_clip() {
    let (clip, handle) = walk();
    let fine = resample(&clip.motion, 71.0).unwrap();
    let found = info(handle);
    assert_eq!(found.frame_count as usize, clip.motion.len());
    assert!((found.duration_secs - clip.motion.len() as f64 / clip.motion.fps).abs() < 1e-12);
    for frame in (0..fine.len()).step_by(7) {
        let secs = frame as f64 / 71.0;
        let (places, turns) = fine.joint_poses_in_world(frame);
        for (joint, at) in sample(handle, secs, kg_space::World).iter().enumerate() {
            let place = glam::DVec3::from_array(at.translation_m.map(f64::from));
            let turn = glam::DQuat::from_array(at.rotation.map(f64::from));
            assert!(place.distance(places[joint]) < 1e-5, "{joint} at {secs}");
            assert!(
                turn.dot(turns[joint]).abs() > 1.0 - 1e-6,
                "{joint} at {secs}"
            );
        }
    }
    ok(kg_clip_destroy(handle));
}

/// Local transforms under their parents are the transforms in the world.
#[test]
fn spaces_agree_along_the_parents() {
    let (clip, handle) = walk();
    let count = info(handle).joint_count;
    let mut parents = vec![0_i32; count as usize];
    ok(unsafe { kg_clip_parents(handle, parents.as_mut_ptr(), count) });
    assert_eq!(parents[0], -1);
    let (local, world) = (
        sample(handle, 0.321, kg_space::Local),
        sample(handle, 0.321, kg_space::World),
    );
    for (joint, &parent) in parents.iter().enumerate().skip(1) {
        let above = world[usize::try_from(parent).unwrap()];
        let turn = glam::Quat::from_array(above.rotation);
        let place = glam::Vec3::from_array(above.translation_m)
            + turn * glam::Vec3::from_array(local[joint].translation_m);
        let expected = glam::Vec3::from_array(world[joint].translation_m);
        assert!(place.distance(expected) < 1e-5, "joint {joint}");
    }
    let names: Vec<String> = (0..count)
        .map(|joint| {
            text(|at, capacity, size| unsafe {
                kg_clip_joint_name(handle, joint, at, capacity, size)
            })
        })
        .collect();
    assert_eq!(names, clip.motion.skeleton.names);
    ok(kg_clip_destroy(handle));
}

/// Steps of root motion, one after the other, lead from the first place to the last.
#[test]
fn root_motion_adds_up() {
    let (_, handle) = walk();
    let root = |secs: f64| {
        let mut at = sample(handle, 0.0, kg_space::Local)[0];
        ok(unsafe { kg_clip_root(handle, secs, &raw mut at) });
        at
    };
    let (start, end) = (root(0.0), root(1.0));
    assert!(start.translation_m[1] == 0.0 && end.translation_m[1] == 0.0);
    let mut turn = glam::Quat::from_array(start.rotation);
    let mut place = glam::Vec3::from_array(start.translation_m);
    for step in 0..20 {
        let (from, to) = (f64::from(step) / 20.0, f64::from(step + 1) / 20.0);
        let mut motion = start;
        ok(unsafe { kg_clip_root_motion(handle, from, to, &raw mut motion) });
        place += turn * glam::Vec3::from_array(motion.translation_m);
        turn *= glam::Quat::from_array(motion.rotation);
    }
    assert!(place.distance(glam::Vec3::from_array(end.translation_m)) < 1e-4);
    assert!(turn.dot(glam::Quat::from_array(end.rotation)).abs() > 0.999_999);
    ok(kg_clip_destroy(handle));
}

#[test]
fn files_in_memory_are_those_on_the_disk() {
    let (clip, handle) = walk();
    let folder = tempfile::tempdir().unwrap();
    for format in ["glb", "fbx", "bvh", "npz", "json", "png"] {
        let path = folder.path().join(format!("other.{format}"));
        clip.save_with(&path, &SaveOptions::default()).unwrap();
        let format = c(format);
        let file = made(|file| unsafe { kg_clip_encode(handle, format.as_ptr(), null(), file) });
        assert!(bytes(file) == std::fs::read(&path).unwrap(), "{format:?}");
    }
    ok(kg_clip_destroy(handle));
}

#[test]
fn feet_are_those_of_the_facade() {
    let (clip, handle) = walk();
    let contacts = clip.foot_contacts().unwrap();
    let mut seen = 0;
    for (frame, stands) in contacts.outer_iter().enumerate() {
        let mut feet = 0;
        let secs = frame as f64 / clip.motion.fps;
        ok(unsafe { kg_clip_foot_contacts(handle, secs, &raw mut feet) });
        let expected = [
            (kg_foot::LeftAnkle, stands[0]),
            (kg_foot::LeftToe, stands[1]),
            (kg_foot::RightAnkle, stands[2]),
            (kg_foot::RightToe, stands[3]),
        ];
        for (foot, stands) in expected {
            assert_eq!(feet & foot as u32 != 0, stands, "{foot:?} in frame {frame}");
        }
        seen |= feet;
    }
    assert_eq!(seen, 15, "every part of the feet stands once in a walk");
    ok(kg_clip_destroy(handle));
}

#[test]
fn a_clip_goes_onto_a_character() {
    let (walk, path) = (captured(), repository().join("assets/characters/small.glb"));
    let path = c(path.to_string_lossy());
    let rig = made(|rig| unsafe { kg_rig_open(path.as_ptr(), null(), rig) });
    let report = text(|at, capacity, size| unsafe { kg_rig_report_json(rig, at, capacity, size) });
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let on_rig = made(|clip| unsafe { kg_rig_retarget(rig, walk, null(), clip) });
    // Neither is needed any more.
    ok(kg_rig_destroy(rig));
    ok(kg_clip_destroy(walk));
    assert_eq!(report["joints"], info(on_rig).joint_count);
    let mut feet = 0;
    ok(unsafe { kg_clip_foot_contacts(on_rig, 0.5, &raw mut feet) });
    let format = c("glb");
    let file = made(|file| unsafe { kg_clip_encode(on_rig, format.as_ptr(), null(), file) });
    let file = bytes(file);
    // The character's mesh is in the file.
    assert!(file.windows(8).any(|part| part == b"\"meshes\""));
    ok(kg_clip_destroy(on_rig));
}

#[test]
fn gradients_are_written_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let model = repository().join("models/motion-base/motion_embedding.onnx");
    let (model, path) = (
        c(model.to_string_lossy()),
        c(folder.path().join("gradient.onnx").to_string_lossy()),
    );
    let report =
        made(|report| unsafe { kg_gradient_write(model.as_ptr(), path.as_ptr(), null(), report) });
    let report: serde_json::Value = serde_json::from_slice(&bytes(report)).unwrap();
    assert_eq!(report["files"][0], path.to_str().unwrap());
    assert!(folder.path().join("gradient.onnx").is_file());
    let names = [c("nothing")];
    let names = names.each_ref().map(|name| name.as_ptr());
    let options = kg_gradient_options {
        struct_size: size_of::<kg_gradient_options>() as u32,
        split: 0,
        weights: 0,
        input_count: 1,
        output_count: 0,
        reserved: 0,
        inputs: names.as_ptr(),
        outputs: null(),
    };
    let status = unsafe {
        let options = &raw const options;
        kg_gradient_write(model.as_ptr(), path.as_ptr(), options, std::ptr::null_mut())
    };
    assert_eq!(status, kg_status::GradientFailed);
    let message = crate::support::last_error();
    assert!(message.contains("nothing"), "{message}");
}
