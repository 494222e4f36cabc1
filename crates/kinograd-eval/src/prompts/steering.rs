//! The prompts of `python/train/obey.py`, with its tests: what a training run is steered by, so that a
//! package's share of them is no held-out number.

use kinograd_dataset::captions::Action;

use super::case::{PromptCase, StylePair, only};
use crate::obey::Side::{Left, Right};
use crate::obey::arms::{claps, punches, rests, throws, walks_with_arms_ahead, waves};
use crate::obey::legs::{jumps, kicks};
use crate::obey::posture::{crouches, sits, stands_up};
use crate::obey::travel::{Travel, end_speeds, goes_aside, is_still, moves, turns};

/// As many as a turn can have, degrees.
const ANY_DEG: f64 = 400.0;

/// The prompts.
pub(super) const CASES: &[PromptCase] = &[
    PromptCase {
        prompt: "a person walks forward",
        action: Action::Walk,
        rule: "0.7 to 1.7 m/s ahead, turns less than 60°",
        captions: &["a person walks forward"],
        obeyed: |t| moves(t, 0.7, 1.7),
    },
    PromptCase {
        prompt: "a person walks slowly",
        action: Action::Walk,
        rule: "0.2 to 1.05 m/s ahead, turns less than 60°",
        captions: &["a person walks slowly"],
        obeyed: |t| moves(t, 0.2, 1.05),
    },
    PromptCase {
        prompt: "a person walks backwards",
        action: Action::WalkBackward,
        rule: "0.25 m/s back or more",
        captions: &["a person walks backwards"],
        obeyed: |t| Travel::of(t).forward_mps < -0.25,
    },
    PromptCase {
        prompt: "a person jogs forward",
        action: Action::Jog,
        rule: "1.3 to 3.5 m/s ahead, turns less than 60°",
        captions: &["a person jogs forward"],
        obeyed: |t| moves(t, 1.3, 3.5),
    },
    PromptCase {
        prompt: "a person runs forward",
        action: Action::Run,
        rule: "2.3 to 5.5 m/s ahead, turns less than 60°",
        captions: &["a person runs forward"],
        obeyed: |t| moves(t, 2.3, 5.5),
    },
    PromptCase {
        prompt: "a person walks and turns left",
        action: Action::TurnLeft,
        rule: "turns 30° or more to the left",
        captions: &["a person walks and turns left"],
        obeyed: |t| turns(t, Left, 30.0, ANY_DEG),
    },
    PromptCase {
        prompt: "a person walks and turns right",
        action: Action::TurnRight,
        rule: "turns more than 30° to the right",
        captions: &["a person walks and turns right"],
        obeyed: |t| Travel::of(t).turn_left_deg < -30.0,
    },
    PromptCase {
        prompt: "a person turns around",
        action: Action::TurnAround,
        rule: "turns more than 120°",
        captions: &["a person turns around"],
        obeyed: |t| Travel::of(t).turn_left_deg.abs() > 120.0,
    },
    PromptCase {
        prompt: "a person steps sideways to the left",
        action: Action::SidestepLeft,
        rule: "goes left by 0.15 m/s or more, less ahead or back",
        captions: &["a person steps sideways to the left"],
        obeyed: |t| goes_aside(t, Left),
    },
    PromptCase {
        prompt: "a person steps sideways to the right",
        action: Action::SidestepRight,
        rule: "goes right by 0.15 m/s or more, less ahead or back",
        captions: &["a person steps sideways to the right"],
        obeyed: |t| goes_aside(t, Right),
    },
    PromptCase {
        prompt: "a person walks forward and stops",
        action: Action::StopStart,
        rule: "first 0.75 s above 0.4 m/s, last below 0.3",
        captions: &["a person walks forward and stops"],
        obeyed: |t| matches!(end_speeds(t), [first, last] if first > 0.4 && last < 0.3),
    },
    PromptCase {
        prompt: "a person stands and then starts walking",
        action: Action::StopStart,
        rule: "first 0.75 s below 0.35 m/s, last above 0.5",
        captions: &["a person stands and then starts walking"],
        obeyed: |t| matches!(end_speeds(t), [first, last] if first < 0.35 && last > 0.5),
    },
    PromptCase {
        prompt: "a person stands still",
        action: Action::Idle,
        rule: "below 0.15 m/s, hands never above 1.5 m/s",
        captions: &["a person stands still"],
        obeyed: is_still,
    },
    PromptCase {
        prompt: "a person kicks with the right leg",
        action: Action::Kick,
        rule: "kicks with the right leg, less often with the left",
        captions: &["a person kicks with the right leg"],
        obeyed: |t| only(kicks, t, Right),
    },
    PromptCase {
        prompt: "a person kicks with the left leg",
        action: Action::Kick,
        rule: "kicks with the left leg, less often with the right",
        captions: &["a person kicks with the left leg"],
        obeyed: |t| only(kicks, t, Left),
    },
    PromptCase {
        prompt: "a person kicks twice with the right leg",
        action: Action::Kick,
        rule: "2 kicks with the right leg, none with the left",
        captions: &["a person kicks twice with the right leg"],
        obeyed: |t| kicks(t, Right) == 2 && kicks(t, Left) == 0,
    },
    PromptCase {
        prompt: "a person punches with the right hand",
        action: Action::Punch,
        rule: "punches with the right hand, less often with the left",
        captions: &["a person punches with the right hand"],
        obeyed: |t| only(punches, t, Right),
    },
    PromptCase {
        prompt: "a person punches with the left hand",
        action: Action::Punch,
        rule: "punches with the left hand, less often with the right",
        captions: &["a person punches with the left hand"],
        obeyed: |t| only(punches, t, Left),
    },
    PromptCase {
        prompt: "a person throws a punch",
        action: Action::Punch,
        rule: "1 punch or more",
        captions: &["a person throws a punch"],
        obeyed: |t| punches(t, Left) + punches(t, Right) >= 1,
    },
    PromptCase {
        prompt: "a person waves with the right hand",
        action: Action::Wave,
        rule: "3 reversals or more of the raised right hand, the left one rests",
        captions: &["a person waves with the right hand"],
        obeyed: |t| waves(t, Right) >= 3 && rests(t, Left),
    },
    PromptCase {
        prompt: "a person waves with the left hand",
        action: Action::Wave,
        rule: "3 reversals or more of the raised left hand, the right one rests",
        captions: &["a person waves with the left hand"],
        obeyed: |t| waves(t, Left) >= 3 && rests(t, Right),
    },
    PromptCase {
        prompt: "a person waves with both hands",
        action: Action::Wave,
        rule: "3 reversals or more of each raised hand",
        captions: &["a person waves with both hands"],
        obeyed: |t| waves(t, Left).min(waves(t, Right)) >= 3,
    },
    PromptCase {
        prompt: "a person claps their hands",
        action: Action::Clap,
        rule: "3 claps or more",
        captions: &["a person claps their hands"],
        obeyed: |t| claps(t) >= 3,
    },
    PromptCase {
        prompt: "a person throws a ball",
        action: Action::Throw,
        rule: "a raised hand flies ahead at more than 2.5 m/s",
        captions: &["a person throws a ball"],
        obeyed: |t| throws(t, None),
    },
    PromptCase {
        prompt: "a person sits down",
        action: Action::Sit,
        rule: "pelvis from above 0.8 m to below 0.7 m, to the end",
        captions: &["a person sits down"],
        obeyed: sits,
    },
    PromptCase {
        prompt: "a person stands up",
        action: Action::StandUp,
        rule: "pelvis from below 0.75 m to above 0.8 m, to the end",
        captions: &["a person stands up"],
        obeyed: stands_up,
    },
    PromptCase {
        prompt: "a person jumps",
        action: Action::Jump,
        rule: "both feet 10 cm up, once or more",
        captions: &["a person jumps"],
        obeyed: |t| jumps(t) >= 1,
    },
    PromptCase {
        prompt: "a person crouches down",
        action: Action::Crouch,
        rule: "pelvis from above 0.7 m to below it",
        captions: &["a person crouches down"],
        obeyed: crouches,
    },
    PromptCase {
        prompt: "a person stands, then kicks with the left leg",
        action: Action::Kick,
        rule: "first 0.75 s below 0.4 m/s, kicks with the left leg, less often with the right",
        captions: &["a person stands, then kicks with the left leg"],
        obeyed: |t| end_speeds(t)[0] < 0.4 && only(kicks, t, Left),
    },
    PromptCase {
        prompt: "a zombie walks",
        action: Action::Walk,
        rule: "an arm stretched ahead by 0.3 m for most of the time, above 0.15 m/s",
        captions: &["a zombie walks"],
        obeyed: walks_with_arms_ahead,
    },
];

/// Prompts whose clips differ: a style and the plain prompt, or two gestures.
pub(super) const PAIRS: &[StylePair] = &[
    StylePair("a zombie walks", "a person walks forward"),
    StylePair("a person walks angrily", "a person walks forward"),
    StylePair("a person walks happily", "a person walks forward"),
    StylePair("a person walks in a rush", "a person walks forward"),
    StylePair("a person walks stealthily", "a person walks forward"),
    StylePair("a person walks angrily", "a person walks happily"),
    StylePair(
        "a person claps their hands",
        "a person waves with both hands",
    ),
    StylePair(
        "a person throws a ball",
        "a person waves with the right hand",
    ),
    StylePair(
        "a person blocks high with the left arm",
        "a person throws a left jab",
    ),
    StylePair("a person looks around", "a person stands still"),
];
