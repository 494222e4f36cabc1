//! Kicks, jumps, hops and steps.

use kinograd_dataset::captions::Action;

use crate::obey::JointTrack;
use crate::obey::Side::{self, Left, Right};
use crate::obey::arms::striking;
use crate::obey::legs::{
    airborne, feet_over_head, highest_ankle_m, hops, jump_ahead_m, jumping_jacks, jumps, kicking,
    kicks, kicks_ball, knee_lifts,
};
use crate::obey::posture::{lowest_m, passes};
use crate::obey::series::share;
use crate::obey::travel::{Travel, end_speeds, path_m};
use crate::prompts::case::PromptCase;
use crate::prompts::case::only;

/// Whether a foot is lifted above a height in a kick of that side, and less often of the other.
fn kicks_above(track: &JointTrack, side: Side, height_m: f64) -> bool {
    only(kicks, track, side) && highest_ankle_m(track, side) > height_m
}

/// First frame in which something holds.
fn first(holds: &[bool]) -> Option<usize> {
    holds.iter().position(|holds| *holds)
}

pub(super) const CASES: &[PromptCase] = &[
    PromptCase {
        prompt: "a karate fighter kicks high with the right foot",
        action: Action::Kick,
        rule: "kicks with the right leg above 0.9 m, less often with the left",
        captions: &[
            "a person does a crescent kick with the right leg",
            "a person does a right roundhouse kick",
        ],
        obeyed: |t| kicks_above(t, Right, 0.9),
    },
    PromptCase {
        prompt: "a roundhouse kick with the left leg",
        action: Action::Kick,
        rule: "kicks with the left leg above 0.7 m, less often with the right",
        captions: &[
            "a person does a left roundhouse kick",
            "a person does a left roundhouse kick to the body",
        ],
        obeyed: |t| kicks_above(t, Left, 0.7),
    },
    PromptCase {
        prompt: "a quick side kick, right leg",
        action: Action::Kick,
        rule: "kicks with the right leg above 0.6 m, less often with the left",
        captions: &["a person does a side kick with the right leg"],
        obeyed: |t| kicks_above(t, Right, 0.6),
    },
    PromptCase {
        prompt: "someone kicks straight ahead with the left foot",
        action: Action::Kick,
        rule: "the left foot 0.4 m ahead of the hips in a kick, less often the right",
        captions: &[
            "a person does a front kick with the left leg",
            "a person does a push kick with the left leg",
        ],
        obeyed: |t| {
            let ahead = kicking(t, Left)
                .iter()
                .enumerate()
                .any(|(frame, kicks)| *kicks && t.seen(frame, Left.ankle(), 0).z > 0.4);
            ahead && only(kicks, t, Left)
        },
    },
    PromptCase {
        prompt: "two kicks in a row with the left leg",
        action: Action::Kick,
        rule: "2 kicks with the left leg, none with the right",
        captions: &["a person kicks twice with the left leg"],
        obeyed: |t| kicks(t, Left) == 2 && kicks(t, Right) == 0,
    },
    PromptCase {
        prompt: "a footballer kicks a ball with the right foot",
        action: Action::Kick,
        rule: "the right foot swings ahead below the hips at 3.5 m/s or more, faster than the left",
        captions: &["a person kicks a soccer ball with the right foot"],
        obeyed: |t| kicks_ball(t, Right),
    },
    PromptCase {
        prompt: "someone punches and then kicks",
        action: Action::Fight,
        rule: "a punch, and a kick that begins later",
        captions: &[
            "a person throws punches, then kicks with the right leg",
            "a person punches with the right hand, then kicks with the right leg",
            "a person punches with the right hand, then kicks with the left leg",
        ],
        obeyed: |t| {
            let begin = |of: fn(&JointTrack, Side) -> Vec<bool>| {
                [Left, Right]
                    .into_iter()
                    .filter_map(|side| first(&of(t, side)))
                    .min()
            };
            matches!((begin(striking), begin(kicking)), (Some(punch), Some(kick)) if punch < kick)
        },
    },
    PromptCase {
        prompt: "raising the knees one after the other",
        action: Action::Sport,
        rule: "each knee within 12 cm of the hip's height, pelvis above 0.75 m, below 0.5 m/s",
        captions: &["a person lifts the knees in turn"],
        obeyed: |t| {
            knee_lifts(t, Left) >= 1
                && knee_lifts(t, Right) >= 1
                && lowest_m(t) > 0.75
                && Travel::of(t).speed_mps < 0.5
        },
    },
    PromptCase {
        prompt: "a child does star jumps",
        action: Action::Sport,
        rule: "both hands above the head with the feet 0.35 m apart, a time in 2 s or oftener",
        captions: &[
            "a person does jumping jacks",
            "someone does star jumps on the spot",
        ],
        obeyed: |t| jumping_jacks(t) as f64 >= (t.duration_secs() / 2.0).floor().max(1.0),
    },
    PromptCase {
        prompt: "two jumps on the spot",
        action: Action::Jump,
        rule: "both feet 10 cm up, 2 times, below 0.4 m/s",
        captions: &["a person jumps twice", "a person jumps two times"],
        obeyed: |t| jumps(t) == 2 && path_m(t) < 0.4 * t.duration_secs(),
    },
    PromptCase {
        prompt: "someone jumps up three times",
        action: Action::Jump,
        rule: "both feet 10 cm up, 3 times",
        captions: &[
            "a person jumps three times",
            "a person jumps up three times",
        ],
        obeyed: |t| jumps(t) == 3,
    },
    PromptCase {
        prompt: "a long jump forward with both feet",
        action: Action::Jump,
        rule: "both feet 10 cm up, 0.4 m ahead in the jump",
        captions: &["a person jumps forward"],
        obeyed: |t| jumps(t) >= 1 && jump_ahead_m(t) > 0.4,
    },
    PromptCase {
        prompt: "a runner leaps over a hurdle",
        action: Action::Jump,
        rule: "both feet 10 cm up, above 1.2 m/s",
        captions: &[
            "a person runs and jumps over an obstacle",
            "a person runs and leaps",
            "a person runs and jumps",
        ],
        obeyed: |t| jumps(t) >= 1 && Travel::of(t).speed_mps > 1.2,
    },
    PromptCase {
        prompt: "hopping on one leg",
        action: Action::Hop,
        rule: "2 hops or more on one foot, half as many on the other at most",
        captions: &["a person hops on one foot"],
        obeyed: |t| {
            let [one, other] = [Left, Right].map(|side| hops(t, side));
            one.max(other) >= 2 && 2 * one.min(other) <= one.max(other)
        },
    },
    PromptCase {
        prompt: "a child skips along happily",
        action: Action::Hop,
        rule: "both feet off the ground by 5 cm for 15 % of the time, 0.6 to 2.3 m/s ahead",
        captions: &["a person skips forward", "someone is skipping along"],
        obeyed: |t| {
            share(&airborne(t, 0.05)) > 0.15 && (0.6..2.3).contains(&Travel::of(t).forward_mps)
        },
    },
    PromptCase {
        prompt: "an athlete does squats",
        action: Action::Sport,
        rule: "pelvis between above 0.8 m and below 0.6 m, a time in 2 s or oftener, below 0.3 m/s",
        captions: &["a person does squats"],
        obeyed: |t| {
            passes(t, 0.6, 0.8) as f64 >= (t.duration_secs() / 2.0).floor().max(1.0)
                && Travel::of(t).speed_mps < 0.3
        },
    },
    PromptCase {
        prompt: "she turns a cartwheel",
        action: Action::Acrobatics,
        rule: "both feet above the head",
        captions: &[
            "a person does a cartwheel",
            "someone turns a cartwheel on their hands",
        ],
        obeyed: feet_over_head,
    },
    PromptCase {
        prompt: "someone walks up and kicks with the left foot",
        action: Action::Kick,
        rule: "first 0.75 s above 0.3 m/s, kicks with the left leg, less often with the right",
        captions: &[],
        obeyed: |t| end_speeds(t)[0] > 0.3 && only(kicks, t, Left),
    },
];
