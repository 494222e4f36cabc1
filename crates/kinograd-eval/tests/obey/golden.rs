//! Held against `python/train/obey.py`: `tests/golden/obey/make.py`.

use glam::DVec3;
use kinograd_eval::PromptList;
use kinograd_eval::obey::Side::{self, Left, Right};
use kinograd_eval::obey::arms::{claps, punches, rests, throws, waves};
use kinograd_eval::obey::legs::{jumps, kicks};
use kinograd_eval::obey::posture::{sits, stands_up};
use kinograd_eval::obey::travel::{Travel, end_speeds};
use kinograd_eval::obey::{JointTrack, Quality, apart, pose_profile};
use kinograd_testkit::Golden;

type Count = fn(&JointTrack) -> usize;
type SideCount = fn(&JointTrack, Side) -> usize;

fn golden() -> Golden {
    Golden::new("obey")
}

/// Joints in whole millimetres `[clips, frames, 22, 3]`.
fn clips() -> Vec<JointTrack> {
    let joints = golden().f64("joints_mm");
    let clip = |frames: ndarray::ArrayViewD<'_, f64>| {
        let frames: Vec<Vec<DVec3>> = frames
            .outer_iter()
            .map(|pose| {
                let points = pose.outer_iter();
                points
                    .map(|p| DVec3::new(p[0], p[1], p[2]) / 1000.0)
                    .collect()
            })
            .collect();
        JointTrack::from_frames(&frames, 20.0).unwrap()
    };
    joints.outer_iter().map(clip).collect()
}

#[test]
fn counts_are_those_of_the_trainer() {
    let of_side: [(&str, SideCount); 5] = [
        ("kicks", kicks),
        ("punches", punches),
        ("waves", waves),
        ("rests", |t, side| usize::from(rests(t, side))),
        ("throws", |t, side| usize::from(throws(t, Some(side)))),
    ];
    let of_both: [(&str, Count); 4] = [
        ("claps", claps),
        ("jumps", jumps),
        ("sits", |t| usize::from(sits(t))),
        ("stands_up", |t| usize::from(stands_up(t))),
    ];
    let clips = clips();
    let golden = golden();
    for (name, count) in of_side {
        for (end, side) in [("l", Left), ("r", Right)] {
            let ours: Vec<f64> = clips.iter().map(|clip| count(clip, side) as f64).collect();
            assert_eq!(
                ours,
                golden.list(&format!("{name}_{end}")),
                "{name} {side:?}"
            );
        }
    }
    for (name, count) in of_both {
        let ours: Vec<f64> = clips.iter().map(|clip| count(clip) as f64).collect();
        assert_eq!(ours, golden.list(name), "{name}");
    }
}

#[test]
fn prompts_are_obeyed_as_the_trainer_says() {
    let names = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/obey/prompts.txt"
    );
    let names = std::fs::read_to_string(names).unwrap();
    let cases = PromptList::Steering.cases();
    let ours: Vec<&str> = cases.iter().map(|(_, case)| case.prompt).collect();
    assert_eq!(ours, names.lines().collect::<Vec<_>>());
    let clips = clips();
    let obeyed = golden().f64("obeyed");
    assert!(obeyed.iter().sum::<f64>() > 60.0);
    for ((_, case), theirs) in cases.iter().zip(obeyed.outer_iter()) {
        let ours: Vec<f64> = clips
            .iter()
            .map(|clip| f64::from(u8::from((case.obeyed)(clip))))
            .collect();
        assert_eq!(
            ours,
            theirs.into_iter().copied().collect::<Vec<_>>(),
            "{}",
            case.prompt
        );
    }
}

#[test]
fn measures_are_those_of_the_trainer() {
    let clips = clips();
    let golden = golden();
    let close = |name: &str, ours: Vec<f64>, tolerance: f64| {
        let theirs = golden.list(name);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (index, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            assert!(
                (a - b).abs() <= tolerance * b.abs().max(1.0),
                "{name}[{index}]: {a}, {b}"
            );
        }
    };
    let mut measures = Vec::new();
    for clip in &clips {
        let travel = Travel::of(clip);
        measures.extend([
            travel.speed_mps,
            travel.forward_mps,
            travel.leftward_mps,
            travel.turn_left_deg,
            travel.hand_speed_mps,
            Quality::of(clip).jerk_m_s3,
        ]);
    }
    // The jerk is of joints in single precision.
    close("measures", measures, 1e-4);
    close(
        "end_speeds",
        clips.iter().flat_map(end_speeds).collect(),
        1e-9,
    );
    let of =
        |value: fn(&Quality) -> f64| clips.iter().map(|clip| value(&Quality::of(clip))).collect();
    close("swing", of(|quality| quality.arm_swing_m), 1e-9);
    close("turn", of(|quality| quality.turn_deg_per_frame), 1e-9);
    let profiles: Vec<Vec<f64>> = clips.iter().map(pose_profile).collect();
    let (one, other) = profiles.split_at(profiles.len() / 2);
    let distance = apart(one, other).unwrap();
    // The trainer rounds to a hundredth.
    close("apart", vec![distance.cm, distance.over_spread], 6e-3);
}
