//! Captions, actions and segments of motions whose description is known.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use kinograd_dataset::captions::{
    Action, Description, Direction, Event, Kinematics, action_from_label, captions, describe,
    event_captions, find_events, is_list, locomotion_phases, mirror_caption,
};
use kinograd_dataset::segment::{ClipText, Segment, segments};
use kinograd_motion::{JOINTS, MIRRORED_JOINTS, PARENTS, REST_OFFSETS};
use ndarray::{Array3, s};

/// Where a stiff body is at a frame.
#[derive(Clone, Copy, Default)]
struct Place {
    x_m: f64,
    z_m: f64,
    yaw_rad: f64,
    lift_m: f64,
}

/// The rest pose, moved as a whole: `[frames, 22, 3]`.
fn stiff_body(frames: usize, place: impl Fn(usize) -> Place) -> Array3<f64> {
    let mut rest = [[0.0; 3]; JOINTS];
    for (joint, offset) in REST_OFFSETS.iter().enumerate() {
        let from = if joint == 0 {
            [0.0; 3]
        } else {
            rest[PARENTS[joint]]
        };
        rest[joint] = std::array::from_fn(|axis| from[axis] + offset[axis]);
    }
    Array3::from_shape_fn((frames, JOINTS, 3), |(frame, joint, axis)| {
        let at = place(frame);
        let [x, y, z] = rest[joint];
        let (sin, cos) = at.yaw_rad.sin_cos();
        match axis {
            0 => x * cos + z * sin + at.x_m,
            1 => y + at.lift_m,
            _ => -x * sin + z * cos + at.z_m,
        }
    })
}

/// A body that faces `yaw_rad` and glides in a direction `travel_rad` from there.
fn glide(frames: usize, yaw_rad: f64, travel_rad: f64, speed_m_s: f64) -> Array3<f64> {
    stiff_body(frames, |f| {
        let way = speed_m_s * f as f64 / 20.0;
        let (sin, cos) = (yaw_rad + travel_rad).sin_cos();
        Place {
            x_m: way * sin,
            z_m: way * cos,
            yaw_rad,
            lift_m: 0.0,
        }
    })
}

/// A body that goes forward with a heading and a speed per frame.
fn steer(frames: usize, yaw: impl Fn(usize) -> f64, speed: impl Fn(usize) -> f64) -> Array3<f64> {
    let mut places = vec![Place {
        yaw_rad: yaw(0),
        ..Place::default()
    }];
    for f in 1..frames {
        let last = places[f - 1];
        let (sin, cos) = last.yaw_rad.sin_cos();
        let step = speed(f) / 20.0;
        places.push(Place {
            x_m: last.x_m + step * sin,
            z_m: last.z_m + step * cos,
            yaw_rad: yaw(f),
            lift_m: 0.0,
        });
    }
    stiff_body(frames, |f| places[f])
}

fn mirrored(joints: &Array3<f64>) -> Array3<f64> {
    Array3::from_shape_fn(joints.dim(), |(f, j, a)| {
        joints[[f, MIRRORED_JOINTS[j], a]] * if a == 0 { -1.0 } else { 1.0 }
    })
}

fn kinematics_of(joints: &Array3<f64>) -> Kinematics {
    Kinematics::new(joints.view()).expect("joints of a body")
}

fn seen(joints: &Array3<f64>) -> Description {
    let kinematics = kinematics_of(joints);
    describe(&kinematics, 0..kinematics.len()).expect("nothing to say")
}

fn plain(joints: &Array3<f64>) -> String {
    captions(&seen(joints), 1, 0).remove(0)
}

#[test]
fn directions_are_told_against_the_facing() {
    for yaw in [0.0, 1.0, 3.1, -2.0] {
        for (travel, action, caption) in [
            (0.0, Action::Walk, "a person walks forward"),
            (
                FRAC_PI_2,
                Action::SidestepLeft,
                "a person steps sideways to the left",
            ),
            (
                -FRAC_PI_2,
                Action::SidestepRight,
                "a person steps sideways to the right",
            ),
            (PI, Action::WalkBackward, "a person walks backwards"),
            (
                FRAC_PI_2 / 2.0,
                Action::Diagonal,
                "a person walks diagonally forward to the left",
            ),
        ] {
            let joints = glide(60, yaw, travel, 1.1);
            assert_eq!(seen(&joints).action, action, "yaw {yaw}, travel {travel}");
            assert_eq!(plain(&joints), caption, "yaw {yaw}, travel {travel}");
        }
    }
}

#[test]
fn left_is_plus_x_when_facing_plus_z() {
    let joints = stiff_body(40, |f| Place {
        x_m: 0.05 * f as f64,
        ..Place::default()
    });
    assert_eq!(seen(&joints).action, Action::SidestepLeft);
}

#[test]
fn speed_chooses_the_verb() {
    for (speed, caption) in [
        (0.0, "a person stands still"),
        (0.45, "a person walks slowly"),
        (1.2, "a person walks forward"),
        (1.7, "a person walks quickly"),
        (2.3, "a person jogs forward"),
        (3.5, "a person runs forward"),
    ] {
        assert_eq!(plain(&glide(60, 0.4, 0.0, speed)), caption, "{speed} m/s");
    }
}

#[test]
fn turns_have_a_side_and_a_sharpness() {
    let slow = steer(80, |f| (f as f64 / 79.0) * FRAC_PI_2, |_| 1.1);
    assert_eq!(seen(&slow).action, Action::TurnLeft);
    assert_eq!(plain(&slow), "a person walks in a curve to the left");
    let quick = steer(
        80,
        |f| -((f as f64 - 32.0) / 14.0).clamp(0.0, 1.0) * FRAC_PI_2,
        |_| 1.1,
    );
    assert_eq!(seen(&quick).action, Action::TurnRight);
    assert_eq!(plain(&quick), "a person walks and turns right");
    let on_the_spot = stiff_body(50, |f| Place {
        yaw_rad: 0.03 * f as f64,
        ..Place::default()
    });
    assert_eq!(plain(&on_the_spot), "a person turns left");
}

#[test]
fn a_circle_is_a_closed_even_turn() {
    let frames = 172;
    let around = |f: usize| TAU * f as f64 / (frames - 1) as f64;
    let joints = steer(frames, around, |_| 1.1);
    let description = seen(&joints);
    assert_eq!(description.action, Action::Circle);
    let words = captions(&description, 20, 1);
    assert_eq!(words[0], "a person walks in a circle");
    assert!(
        words.iter().any(|w| w.contains("counterclockwise")),
        "{words:?}"
    );
    assert!(words.iter().all(|w| !w.contains("right")), "{words:?}");
    // Four corners close the path too, but are no circle.
    let corners = |f: usize| FRAC_PI_2 * ((f + 21) / 43) as f64;
    let square = kinematics_of(&steer(frames, corners, |_| 1.1));
    let told = describe(&square, 0..frames).map(|d| d.action);
    assert_ne!(told, Some(Action::Circle));
}

#[test]
fn stops_starts_and_changes_of_pace_are_told_in_order() {
    let stop = steer(90, |_| 0.3, |f| if f < 45 { 1.2 } else { 0.0 });
    assert_eq!(plain(&stop), "a person walks forward and stops");
    let start = steer(90, |_| 0.3, |f| if f < 45 { 0.0 } else { 1.2 });
    assert_eq!(
        plain(&start),
        "a person stands and then starts walking forward"
    );
    let faster = steer(90, |_| 0.0, |f| if f < 45 { 1.2 } else { 3.0 });
    assert_eq!(seen(&faster).action, Action::Transition);
    assert_eq!(plain(&faster), "a person walks and then runs");
    let slower = steer(90, |_| 0.0, |f| if f < 45 { 3.0 } else { 1.2 });
    assert_eq!(plain(&slower), "a person runs and then walks");
    let kinematics = kinematics_of(&stop);
    let phases = locomotion_phases(&kinematics, 0..90);
    let directions: Vec<Direction> = phases.iter().map(|p| p.direction).collect();
    assert_eq!(directions, [Direction::Forward, Direction::Still]);
    assert!(phases[0].frames.end.abs_diff(45) < 6);
}

#[test]
fn the_mirrored_motion_has_the_mirrored_captions() {
    let motions = [
        glide(60, 0.7, FRAC_PI_2, 0.9),
        glide(60, 0.7, 0.0, 1.2),
        steer(80, |f| 0.02 * f as f64, |_| 1.1),
        steer(172, |f| TAU * f as f64 / 171.0, |_| 1.1),
        stiff_body(50, |f| Place {
            yaw_rad: 0.03 * f as f64,
            ..Place::default()
        }),
    ];
    for (index, joints) in motions.iter().enumerate() {
        let (one, other) = (seen(joints), seen(&mirrored(joints)));
        assert_eq!(other.action, one.action.mirrored(), "motion {index}");
        assert!((other.turn_deg + one.turn_deg).abs() < 1e-6);
        let expected: Vec<String> = captions(&one, 8, 5)
            .iter()
            .map(|c| mirror_caption(c))
            .collect();
        assert_eq!(captions(&other, 8, 5), expected, "motion {index}");
    }
}

#[test]
fn the_same_seed_gives_the_same_words() {
    let description = seen(&glide(60, 0.0, 0.0, 1.2));
    assert_eq!(captions(&description, 5, 9), captions(&description, 5, 9));
    let many: Vec<Vec<String>> = (0..10)
        .map(|seed| captions(&description, 5, seed))
        .collect();
    assert!(many.iter().any(|words| *words != many[0]));
    for words in &many {
        assert_eq!(words[0], "a person walks forward");
        let mut distinct = words.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), words.len());
        assert!(
            words
                .iter()
                .all(|w| !w.contains("  ") && w.trim() == w && !w.contains('^'))
        );
    }
}

fn events_of(joints: &Array3<f64>) -> Vec<Event> {
    find_events(&kinematics_of(joints), false)
}

fn only_event(joints: &Array3<f64>) -> Event {
    let mut events = events_of(joints);
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn standing(frames: usize) -> Array3<f64> {
    stiff_body(frames, |_| Place::default())
}

#[test]
fn a_glide_has_no_events() {
    assert_eq!(events_of(&glide(100, 0.0, 0.0, 1.2)), []);
    assert_eq!(events_of(&standing(100)), []);
    assert_eq!(events_of(&standing(3)), []);
}

#[test]
fn both_feet_in_the_air_are_a_jump() {
    let lift = |f: usize| (0.3 * (1.0 - ((f as f64 - 40.0) / 6.0).powi(2))).max(0.0);
    let up = stiff_body(80, |f| Place {
        lift_m: lift(f),
        ..Place::default()
    });
    let event = only_event(&up);
    assert_eq!(event.action, Action::Jump);
    assert!(event.frames.start < 36 && event.frames.end > 46);
    assert_eq!(event_captions(&event, 3, 0)[0], "a person jumps");
    let far = stiff_body(80, |f| Place {
        lift_m: lift(f),
        z_m: ((f as f64 - 34.0) / 12.0).clamp(0.0, 1.0) * 1.2,
        ..Place::default()
    });
    assert_eq!(
        event_captions(&only_event(&far), 1, 0),
        ["a person jumps forward"]
    );
}

#[test]
fn flight_on_one_leg_is_a_hop() {
    let mut joints = stiff_body(90, |f| Place {
        lift_m: 0.1 * (TAU * f as f64 / 12.0).sin().max(0.0),
        ..Place::default()
    });
    for f in 0..90 {
        for joint in [8, 11] {
            joints[[f, joint, 1]] += 0.4;
        }
    }
    let events = events_of(&joints);
    assert!(!events.is_empty());
    assert!(events.iter().all(|e| e.action == Action::Hop), "{events:?}");
    assert!(events[0].phrases.contains(&"hops on the left foot"));
}

#[test]
fn a_foot_that_shoots_up_is_a_kick() {
    let mut joints = standing(70);
    for (f, share) in [(32, 0.5), (33, 1.0), (34, 1.0), (35, 0.5)] {
        for joint in [8, 11] {
            joints[[f, joint, 1]] += 0.85 * share;
            joints[[f, joint, 2]] += 0.7 * share;
        }
    }
    let event = only_event(&joints);
    assert_eq!(event.action, Action::Kick);
    assert_eq!(
        event_captions(&event, 1, 0),
        ["a person kicks with the right leg"]
    );
}

#[test]
fn a_wrist_that_shoots_forward_is_a_punch() {
    let mut joints = standing(70);
    for f in 0..70 {
        let reach = match f {
            30 => 0.25,
            31 => 0.42,
            32..=36 => 0.5,
            _ => 0.12,
        };
        for (axis, offset) in [(0, 0.0), (1, -0.05), (2, reach)] {
            joints[[f, 20, axis]] = joints[[f, 16, axis]] + offset;
        }
    }
    let event = only_event(&joints);
    assert_eq!(event.action, Action::Punch);
    assert!(event.phrases.contains(&"throws a left punch"));
}

#[test]
fn a_raised_hand_that_swings_is_a_wave() {
    let mut joints = standing(100);
    for f in 20..80 {
        let swing = 0.12 * (TAU * 2.0 * f as f64 / 20.0).sin();
        for (axis, offset) in [(0, swing), (1, 0.2), (2, 0.0)] {
            joints[[f, 21, axis]] = joints[[f, 19, axis]] + offset;
        }
    }
    let event = only_event(&joints);
    assert_eq!(event.action, Action::Wave);
    assert_eq!(
        event_captions(&event, 1, 0),
        ["a person waves with the right hand"]
    );
}

#[test]
fn lowering_behind_the_feet_is_sitting_and_over_them_crouching() {
    let lowered = |back_m: f64| {
        let mut joints = standing(200);
        for f in 0..200 {
            let share = ((f as f64 - 50.0) / 15.0).clamp(0.0, 1.0)
                - ((f as f64 - 140.0) / 15.0).clamp(0.0, 1.0);
            for joint in (0..JOINTS).filter(|j| ![7, 8, 10, 11].contains(j)) {
                joints[[f, joint, 1]] -= 0.42 * share;
                joints[[f, joint, 2]] -= back_m * share;
            }
        }
        events_of(&joints)
    };
    let actions = |events: &[Event]| events.iter().map(|e| e.action).collect::<Vec<_>>();
    assert_eq!(
        actions(&lowered(0.35)),
        [Action::Sit, Action::StandUp, Action::Sit]
    );
    assert_eq!(actions(&lowered(0.05)), [Action::Crouch, Action::StandUp]);
}

#[test]
fn a_small_lowering_of_one_who_sits_is_onto_a_high_stool() {
    let mut joints = standing(200);
    for f in 50..140 {
        for joint in (0..JOINTS).filter(|j| ![7, 8, 10, 11].contains(j)) {
            joints[[f, joint, 1]] -= 0.1;
        }
    }
    let kinematics = kinematics_of(&joints);
    assert!(find_events(&kinematics, false).is_empty());
    let found = find_events(&kinematics, true);
    assert!(!found.is_empty());
    for event in found {
        assert!(
            event.phrases.iter().all(|p| p.contains("stool")),
            "{event:?}"
        );
    }
}

fn text<'a>(label: &'a str, captions: &'a [String]) -> ClipText<'a> {
    ClipText {
        label,
        captions,
        part: false,
    }
}

fn check(found: &[Segment], frames: usize) {
    for segment in found {
        assert!(segment.start + segment.frames <= frames, "{segment:?}");
        assert!(
            (20..=200).contains(&segment.frames) || segment.frames == frames,
            "{segment:?}"
        );
        assert!(!segment.captions.is_empty());
    }
}

#[test]
fn a_short_clip_keeps_its_captions_and_gets_more() {
    let said = ["a person strolls along".to_owned()];
    let kinematics = kinematics_of(&glide(100, 0.0, 0.0, 1.1));
    let found = segments(&kinematics, text("walk", &said), 3);
    check(&found, 100);
    assert_eq!((found[0].start, found[0].frames), (0, 100));
    assert_eq!(found[0].captions[0], "a person strolls along");
    assert!(
        found[0]
            .captions
            .contains(&"a person walks forward".to_owned())
    );
    assert!(found[0].croppable);
    assert_eq!(found, segments(&kinematics, text("walk", &said), 3));
}

#[test]
fn windows_of_a_long_take_do_not_get_its_list_of_actions() {
    let said = ["a person exercises: jumping jacks, jogging in place and squats".to_owned()];
    let kinematics = kinematics_of(&glide(500, 0.0, 0.0, 1.1));
    let found = segments(&kinematics, text("jumping jacks, jog, squats", &said), 3);
    assert!(found.iter().all(|s| !s.captions.contains(&said[0])));
    let walked = segments(
        &kinematics,
        text("walk, turn", &["a person walks, then turns".to_owned()]),
        3,
    );
    check(&walked, 500);
    assert!(walked.len() > 10);
    assert!(
        walked
            .iter()
            .all(|s| s.action == Action::Walk && s.captions[0] == "a person walks forward")
    );
}

#[test]
fn a_take_of_one_action_gives_windows_that_hold_anywhere() {
    let said = [
        "a person dances salsa".to_owned(),
        "someone steps, turns and dances".to_owned(),
    ];
    let kinematics = kinematics_of(&glide(450, 0.0, 0.0, 0.5));
    let found = segments(&kinematics, text("salsa dance", &said), 3);
    check(&found, 450);
    assert_eq!(found.len(), 2);
    assert!(
        found
            .iter()
            .all(|s| s.action == Action::Dance && s.croppable)
    );
    let words = ["a person dances salsa", "a person dances"];
    assert!(found.iter().all(|s| s.captions == words));
}

#[test]
fn a_jump_is_cut_out_of_a_clip_that_nobody_described() {
    let lift = |f: usize| (0.3 * (1.0 - ((f as f64 - 150.0) / 6.0).powi(2))).max(0.0);
    let joints = stiff_body(300, |f| Place {
        lift_m: lift(f),
        ..Place::default()
    });
    let found = segments(&kinematics_of(&joints), ClipText::default(), 1);
    check(&found, 300);
    let jumps: Vec<&Segment> = found.iter().filter(|s| s.action == Action::Jump).collect();
    let (alone, context): (Vec<&Segment>, Vec<&Segment>) =
        jumps.into_iter().partition(|s| s.frames < 60);
    assert_eq!(alone.len(), 1);
    // With what comes before and after, the caption says the order.
    assert!(!context.is_empty());
    for segment in context {
        assert!(segment.start <= alone[0].start, "{segment:?}");
        assert!(segment.captions[0].contains("stands"), "{segment:?}");
        assert!(segment.captions[0].contains("jumps"), "{segment:?}");
    }
    // No window that holds the jump says that the person stands.
    assert!(
        found
            .iter()
            .all(|s| { s.action == Action::Jump || s.start + s.frames <= 142 || s.start >= 158 })
    );
}

#[test]
fn windows_of_a_styled_take_keep_its_style() {
    let said = [
        "a person walks like a zombie with arms stretched forward".to_owned(),
        "a person moves around the room, changing direction".to_owned(),
    ];
    let left = steer(400, |f| 0.02 * f as f64, |_| 0.9);
    let found = segments(&kinematics_of(&left), text("zombie", &said), 3);
    check(&found, 400);
    assert!(found.iter().any(|s| s.action == Action::TurnLeft));
    for segment in &found {
        assert_eq!(segment.style.as_deref(), Some("zombie"));
        for caption in &segment.captions {
            let told = caption.contains("zombie") || caption.contains("undead");
            assert!(told, "{caption}");
        }
    }
    let turn = found.iter().find(|s| s.action == Action::TurnLeft);
    let words = &turn.expect("a turn").captions;
    let both = |c: &String| c.contains("left") && c.starts_with("a person walks");
    assert!(words.iter().any(both), "{words:?}");
}

#[test]
fn one_who_looks_around_does_not_stand_idle() {
    let said = ["a person stands and looks around".to_owned()];
    let found = segments(&kinematics_of(&standing(300)), text("look", &said), 3);
    assert!(!found.is_empty());
    assert!(found.iter().all(|s| s.captions[0] == said[0]
        && s.captions[1] == "a person looks around"
        && s.action == Action::Other));
}

#[test]
fn kicks_are_counted() {
    let mut joints = standing(140);
    for up in [40, 80] {
        for (f, share) in [(up, 0.5), (up + 1, 1.0), (up + 2, 1.0), (up + 3, 0.5)] {
            for joint in [8, 11] {
                joints[[f, joint, 1]] += 0.85 * share;
                joints[[f, joint, 2]] += 0.7 * share;
            }
        }
    }
    let said = ["a person kicks".to_owned()];
    let found = segments(&kinematics_of(&joints), text("kick", &said), 3);
    let twice = |s: &&Segment| s.captions[0] == "a person kicks twice with the right leg";
    let segment = found.iter().find(twice).expect("two kicks");
    assert!(segment.start < 40 && segment.start + segment.frames > 84);
}

/// Jump after jump, each less than a second after the one before.
#[test]
fn a_segment_of_two_jumps_shows_no_third() {
    let mut joints = standing(140);
    let flights: Vec<usize> = (0..4).map(|jump| 30 + 18 * jump).collect();
    for &start in &flights {
        for f in start..start + 9 {
            let t = (f - start + 1) as f64 / 10.0;
            let rise = 1.2 * t * (1.0 - t);
            joints.slice_mut(s![f, .., 1]).mapv_inplace(|y| y + rise);
        }
    }
    let said = ["a person jumps".to_owned()];
    let found = segments(&kinematics_of(&joints), text("jump", &said), 3);
    for (times, words) in [(2, "twice"), (3, "three times"), (4, "four times")] {
        let told = format!("a person jumps {words}");
        let of_it: Vec<_> = found
            .iter()
            .filter(|s| s.captions.contains(&told))
            .collect();
        assert!(!of_it.is_empty(), "{told}");
        for segment in of_it {
            let frames = segment.start..segment.start + segment.frames;
            // A flight that the segment cuts counts as shown.
            let shown = flights
                .iter()
                .filter(|&&f| frames.contains(&f) || frames.contains(&(f + 8)));
            assert_eq!(shown.count(), times, "{told}: {frames:?}");
        }
    }
}

/// The words of side that captions of the data set use, with their mirror images.
#[test]
fn every_word_of_side_changes_sides() {
    for (one, other) in [
        (
            "a person throws a left hook",
            "a person throws a right hook",
        ),
        (
            "someone kicks high with the front left leg",
            "someone kicks high with the front right leg",
        ),
        (
            "a fighter pivots left, step by step",
            "a fighter pivots right, step by step",
        ),
        (
            "a person walks in a counterclockwise circle",
            "a person walks in a clockwise circle",
        ),
        (
            "someone weaves left and right like a snake",
            "someone weaves right and left like a snake",
        ),
        ("a left-handed wave", "a right-handed wave"),
        ("Left jab, right cross", "Right jab, left cross"),
        ("moves leftwards", "moves rightwards"),
        ("the leftmost step", "the rightmost step"),
        (
            "someone practices karate and kicks three times with the right leg and once with the left leg",
            "someone practices karate and kicks three times with the left leg and once with the right leg",
        ),
        (
            "a fighter defends with a high left block",
            "a fighter defends with a high right block",
        ),
        (
            "a person walks and veers slightly to the left",
            "a person walks and veers slightly to the right",
        ),
    ] {
        assert_eq!(mirror_caption(one), other);
        assert_eq!(mirror_caption(other), one);
    }
}

#[test]
fn mirrored_segments_change_sides() {
    let segment = Segment {
        start: 3,
        frames: 40,
        action: Action::SidestepLeft,
        style: None,
        captions: vec!["a person steps to the left".to_owned()],
        croppable: true,
    };
    let other = segment.mirrored();
    assert_eq!(other.action, Action::SidestepRight);
    assert_eq!(other.captions, ["a person steps to the right"]);
    assert_eq!(other.mirrored(), segment);
}

#[test]
fn labels_speak_of_actions() {
    for (label, action) in [
        ("walk, 90-degree left turn", Some(Action::Walk)),
        ("boxing", Some(Action::Punch)),
        ("lift box", Some(Action::Carry)),
        ("dance - small jetes, pirouette", Some(Action::Dance)),
        ("side step left", Some(Action::SidestepLeft)),
        ("Walk_Backwards", Some(Action::WalkBackward)),
        ("elephant (human subject)", None),
        ("", None),
    ] {
        assert_eq!(action_from_label(label), action, "{label}");
    }
    assert!(is_list("jog, squats"));
    assert!(is_list("run to walk"));
    assert!(!is_list("dance - arabesque"));
    assert!(!is_list("a person walks forward"));
}

#[test]
fn names_of_actions_are_those_of_the_index() {
    for action in [
        Action::TurnLeft,
        Action::StandUp,
        Action::WalkBackward,
        Action::Idle,
    ] {
        let json = serde_json::to_string(&action).unwrap();
        assert_eq!(json.trim_matches('"'), action.name());
    }
}
