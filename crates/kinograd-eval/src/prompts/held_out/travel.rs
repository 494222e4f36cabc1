//! Ways to go, turn, start and stop.

use kinograd_dataset::captions::Action;

use crate::obey::JointTrack;
use crate::obey::Side::{self, Left, Right};
use crate::obey::arms::{arm_swing_m, claps, hand_speed_mps, hands_over_hips_m, waves};
use crate::obey::legs::jumps;
use crate::obey::posture::{lean_deg, mean_height_m};
use crate::obey::series::{head, mean, reversals, tail};
use crate::obey::travel::{
    Travel, circles, end_speeds, goes_aside, goes_diagonally, moves, sharpest_turn_deg, turns,
    walks_back, weaves,
};
use crate::prompts::case::PromptCase;

/// Whether the body stands about and does nothing.
fn waits(track: &JointTrack) -> bool {
    Travel::of(track).speed_mps < 0.15
        && hand_speed_mps(track) < 0.6
        && claps(track) < 3
        && waves(track, Left).max(waves(track, Right)) < 3
        && mean_height_m(track) > 0.8
}

/// Mean speed along the heading over the first and the last 40 % of the clip, m/s.
fn speeds_of_ends(track: &JointTrack) -> [f64; 2] {
    let velocities = track.root_velocities();
    let along: Vec<f64> = velocities
        .iter()
        .enumerate()
        .map(|(frame, v)| v.dot(track.ahead(frame)))
        .collect();
    let part = (along.len() * 2 / 5).max(1);
    [mean(head(&along, part)), mean(tail(&along, part))]
}

pub(super) const CASES: &[PromptCase] = &[
    PromptCase {
        prompt: "a man strolls along",
        action: Action::Walk,
        rule: "0.5 to 1.6 m/s ahead, turns less than 60°",
        captions: &[
            "a person walks at a normal pace",
            "a person walks forward at a normal pace",
        ],
        obeyed: |t| moves(t, 0.5, 1.6),
    },
    PromptCase {
        prompt: "a person walks fast in a straight line",
        action: Action::Walk,
        rule: "1.4 to 2.4 m/s ahead, turns less than 60°",
        captions: &[
            "a person walks quickly",
            "a person walks briskly",
            "a person walks fast",
        ],
        obeyed: |t| moves(t, 1.4, 2.4),
    },
    PromptCase {
        prompt: "someone takes a few slow steps forward",
        action: Action::Walk,
        rule: "0.1 to 0.75 m/s ahead, turns less than 60°",
        captions: &[
            "a person walks forward slowly",
            "a person takes slow steps",
            "a person slowly walks",
        ],
        obeyed: |t| moves(t, 0.1, 0.75),
    },
    PromptCase {
        prompt: "the character backs away",
        action: Action::WalkBackward,
        rule: "0.25 m/s back or more, turns less than 60°",
        captions: &[
            "a person walks backward",
            "walking backwards",
            "a person walks straight back",
        ],
        obeyed: |t| moves(t, -3.0, -0.25),
    },
    PromptCase {
        prompt: "a soldier jogs straight ahead",
        action: Action::Jog,
        rule: "1.3 to 3.5 m/s ahead, turns less than 60°",
        captions: &[
            "a person jogs",
            "a person jogs straight ahead",
            "jogging forward",
        ],
        obeyed: |t| moves(t, 1.3, 3.5),
    },
    PromptCase {
        prompt: "a woman sprints forward",
        action: Action::Run,
        rule: "2.6 to 8 m/s ahead, turns less than 60°",
        captions: &[
            "a person runs straight ahead",
            "someone runs",
            "running forward",
        ],
        obeyed: |t| moves(t, 2.6, 8.0),
    },
    PromptCase {
        prompt: "someone runs backward",
        action: Action::WalkBackward,
        rule: "1 m/s back or more, turns less than 60°",
        captions: &[
            "a person runs backward",
            "a person runs backwards",
            "a person jogs backwards",
        ],
        obeyed: |t| moves(t, -5.0, -1.0),
    },
    PromptCase {
        prompt: "a person hurries along",
        action: Action::Walk,
        rule: "trunk leans ahead by 4.5°, hands swing by 0.33 m, 0.7 to 2.2 m/s",
        captions: &["a person walks in a rush", "someone hurries around"],
        obeyed: |t| {
            lean_deg(t) > 4.5
                && arm_swing_m(t) > 0.33
                && (0.7..2.2).contains(&Travel::of(t).speed_mps)
                && hands_over_hips_m(t) < 0.03
        },
    },
    PromptCase {
        prompt: "an angry man stomps around",
        action: Action::Walk,
        rule: "trunk leans ahead by 6°, hands swing by 0.18 to 0.5 m, 0.4 to 2 m/s, pelvis above 0.88 m",
        captions: &["a person walks angrily", "someone stomps around in anger"],
        obeyed: |t| {
            lean_deg(t) > 6.0
                && (0.18..0.5).contains(&arm_swing_m(t))
                && (0.4..2.0).contains(&Travel::of(t).speed_mps)
                && mean_height_m(t) > 0.88
        },
    },
    PromptCase {
        prompt: "a happy person walks with a spring in their step",
        action: Action::Walk,
        rule: "hands swing by 0.42 m and are at the hips' height or above, 0.5 to 1.7 m/s",
        captions: &["a person walks happily", "someone walks around happily"],
        obeyed: |t| {
            arm_swing_m(t) > 0.42
                && hands_over_hips_m(t) > -0.03
                && (0.5..1.7).contains(&Travel::of(t).speed_mps)
        },
    },
    PromptCase {
        prompt: "a person shuffles to the left",
        action: Action::SidestepLeft,
        rule: "goes left by 0.15 m/s or more, less ahead or back, turns less than 60°",
        captions: &[
            "a person sidesteps to the left",
            "a person moves to the left without turning",
        ],
        obeyed: |t| goes_aside(t, Left) && Travel::of(t).turn_left_deg.abs() < 60.0,
    },
    PromptCase {
        prompt: "side steps to the right side",
        action: Action::SidestepRight,
        rule: "goes right by 0.15 m/s or more, less ahead or back, turns less than 60°",
        captions: &[
            "a person sidesteps to the right",
            "a person moves to the right without turning",
        ],
        obeyed: |t| goes_aside(t, Right) && Travel::of(t).turn_left_deg.abs() < 60.0,
    },
    PromptCase {
        prompt: "a person moves diagonally forward and to the right",
        action: Action::Diagonal,
        rule: "0.12 m/s ahead and to the right or more, neither above 3 times the other, turns less than 60°",
        captions: &[
            "a person walks diagonally forward to the right",
            "a person jogs diagonally forward to the right",
        ],
        obeyed: |t| goes_diagonally(t, true, Right),
    },
    PromptCase {
        prompt: "someone steps back diagonally to the left",
        action: Action::Diagonal,
        rule: "0.12 m/s back and to the left or more, neither above 3 times the other, turns less than 60°",
        captions: &[
            "a person walks diagonally backward to the left",
            "a person jogs diagonally backward to the left",
        ],
        obeyed: |t| goes_diagonally(t, false, Left),
    },
    PromptCase {
        prompt: "a person walks, making a ninety degree turn to the left",
        action: Action::TurnLeft,
        rule: "turns 50° to 135° to the left, above 0.3 m/s",
        captions: &[
            "a person walks and turns left ninety degrees",
            "a person walks and makes a left turn",
        ],
        obeyed: |t| turns(t, Left, 50.0, 135.0) && Travel::of(t).speed_mps > 0.3,
    },
    PromptCase {
        prompt: "walking, then a sharp right turn",
        action: Action::TurnRight,
        rule: "turns 60° to 180° to the right, above 0.3 m/s",
        captions: &[
            "a person walks and turns sharply right",
            "a person walks and turns right ninety degrees",
        ],
        obeyed: |t| turns(t, Right, 60.0, 180.0) && Travel::of(t).speed_mps > 0.3,
    },
    PromptCase {
        prompt: "someone walks in a gentle curve to the right",
        action: Action::TurnRight,
        rule: "turns 20° or more to the right, above 0.4 m/s, never by 90° in half a second",
        captions: &[
            "a person walks in a curve to the right",
            "a person walks and turns slightly right",
        ],
        obeyed: |t| {
            turns(t, Right, 20.0, 800.0)
                && Travel::of(t).speed_mps > 0.4
                && sharpest_turn_deg(t) < 90.0
        },
    },
    PromptCase {
        prompt: "a person turns to the right without walking",
        action: Action::TurnRight,
        rule: "turns 40° or more to the right, below 0.5 m/s",
        captions: &[
            "a person turns right in place",
            "a person turns on the spot to the right",
        ],
        obeyed: |t| turns(t, Right, 40.0, 400.0) && Travel::of(t).speed_mps < 0.5,
    },
    PromptCase {
        prompt: "someone spins round to the left",
        action: Action::TurnAround,
        rule: "turns 110° or more to the left",
        captions: &["a person turns around to the left"],
        obeyed: |t| turns(t, Left, 110.0, 800.0),
    },
    PromptCase {
        prompt: "a runner turns left",
        action: Action::TurnLeft,
        rule: "turns 30° or more to the left, above 1.5 m/s",
        captions: &[
            "a person runs and turns left",
            "a person runs and turns left ninety degrees",
            "a person runs and turns sharply left",
        ],
        obeyed: |t| turns(t, Left, 30.0, 400.0) && Travel::of(t).speed_mps > 1.5,
    },
    PromptCase {
        prompt: "someone walks around in a circle, counterclockwise",
        action: Action::Circle,
        rule: "turns left by more than 30° a second all the time, above 0.4 m/s",
        captions: &[
            "a person walks in a circle to the left",
            "a person walks in a counterclockwise circle",
        ],
        obeyed: |t| circles(t, Some(Left), 0.4),
    },
    PromptCase {
        prompt: "someone jogs in circles",
        action: Action::Circle,
        rule: "turns to one side by more than 30° a second all the time, above 1.2 m/s",
        captions: &["a person jogs in a circle", "a person jogs in circles"],
        obeyed: |t| circles(t, None, 1.2),
    },
    PromptCase {
        prompt: "a person walks in zigzags",
        action: Action::Other,
        rule: "turns 20° or more to one side and to the other, 0.4 m/s ahead or more",
        captions: &["a person moves along a winding path"],
        obeyed: weaves,
    },
    PromptCase {
        prompt: "a person walks, turns around and walks back",
        action: Action::TurnAround,
        rule: "walks above 0.4 m/s at the start and the end, in opposite directions, turns 120° to 280° between",
        captions: &["a person walks, turns around and walks back"],
        obeyed: walks_back,
    },
    PromptCase {
        prompt: "the guard walks a few steps and comes to a halt",
        action: Action::StopStart,
        rule: "first 0.75 s above 0.4 m/s, last below 0.3",
        captions: &["a person walks and comes to a stop"],
        obeyed: |t| matches!(end_speeds(t), [first, last] if first > 0.4 && last < 0.3),
    },
    PromptCase {
        prompt: "from a standstill, someone starts to run",
        action: Action::StopStart,
        rule: "first 0.75 s below 0.9 m/s, last above 1.4",
        captions: &[
            "a person stands and then starts running",
            "a person stands and then starts running forward",
            "a person stands and then starts jogging forward",
        ],
        obeyed: |t| matches!(end_speeds(t), [first, last] if first < 0.9 && last > 1.4),
    },
    PromptCase {
        prompt: "a runner slows down to a walk",
        action: Action::Transition,
        rule: "first 0.75 s above 1.5 m/s, last 0.3 to 1.9 and 0.7 m/s slower",
        captions: &[
            "a person runs and slows to a walk",
            "a person runs and then walks",
        ],
        obeyed: |t| {
            matches!(end_speeds(t), [first, last]
                if first > 1.5 && (0.3..1.9).contains(&last) && last < first - 0.7)
        },
    },
    PromptCase {
        prompt: "a person walks and breaks into a sprint",
        action: Action::Transition,
        rule: "first 0.75 s 0.3 to 1.9 m/s, last above 1.7 and 0.7 m/s faster",
        captions: &[
            "a person walks and then breaks into a run",
            "a person walks and then runs",
        ],
        obeyed: |t| {
            matches!(end_speeds(t), [first, last]
                if (0.3..1.9).contains(&first) && last > 1.7 && last > first + 0.7)
        },
    },
    PromptCase {
        prompt: "someone walks backward, stops and comes forward again",
        action: Action::Transition,
        rule: "goes back by 0.15 m/s or more over the first 40 %, ahead over the last 40 %",
        captions: &[
            "a person walks backward, stops and walks forward",
            "a person walks backwards, stops, then walks forward",
        ],
        obeyed: |t| matches!(speeds_of_ends(t), [first, last] if first < -0.15 && last > 0.15),
    },
    PromptCase {
        prompt: "a guard stands and waits",
        action: Action::Idle,
        rule: "below 0.15 m/s, hands below 0.6 m/s in the mean, neither waves nor claps, pelvis above 0.8 m",
        captions: &[
            "a person stands waiting",
            "a person stands",
            "someone stands in place",
        ],
        obeyed: waits,
    },
    PromptCase {
        prompt: "a person jogs on the spot",
        action: Action::Sport,
        rule: "each foot rises by 6 cm, 3 reversals or more, never both by 10 cm, below 0.35 m/s",
        captions: &["a person jogs in place"],
        obeyed: |t| {
            let steps = |side: Side| reversals(&t.heights(side.ankle()), 0.06);
            steps(Left).min(steps(Right)) >= 3 && jumps(t) == 0 && Travel::of(t).speed_mps < 0.35
        },
    },
];
