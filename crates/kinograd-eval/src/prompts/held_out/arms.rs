//! Blows, gestures and work with the hands.

use kinograd_dataset::captions::Action;

use crate::obey::Side::{Left, Right};
use crate::obey::arms::{
    blocks_high, bounces, carrying_share, claps, guard_share, higher_hand_m, hooks, lower_hand_m,
    overhead, pitches, rests, strikes, throws, uppercuts, walks_with_arms_ahead, waves, wipes,
};
use crate::obey::series::{least, share, tail};
use crate::obey::travel::Travel;
use crate::obey::{JointTrack, Side, frames};
use crate::prompts::case::PromptCase;
use crate::prompts::case::only;

/// Whether the body stays about where it is.
fn stays(track: &JointTrack) -> bool {
    Travel::of(track).speed_mps < 0.4
}

pub(super) const CASES: &[PromptCase] = &[
    PromptCase {
        prompt: "a boxer throws a left jab",
        action: Action::Punch,
        rule: "the left fist shoots out at 1.5 m/s or more to 0.8 of the arm at the shoulder's height, less often the other",
        captions: &[
            "a person throws a left jab",
            "a person boxes with a quick left jab",
        ],
        obeyed: |t| only(strikes, t, Left),
    },
    PromptCase {
        prompt: "punching hard with the right fist",
        action: Action::Punch,
        rule: "the right fist shoots out at 1.5 m/s or more to 0.8 of the arm at the shoulder's height, less often the other",
        captions: &[
            "a person throws a right cross punch",
            "a person throws a right jab",
            "a person boxes with a quick right jab",
        ],
        obeyed: |t| only(strikes, t, Right),
    },
    PromptCase {
        prompt: "a fighter swings a right uppercut",
        action: Action::Punch,
        rule: "the bent right arm swings up at 3 m/s or more to above the shoulder, the left one less often",
        captions: &["a person throws a right uppercut"],
        obeyed: |t| only(uppercuts, t, Right),
    },
    PromptCase {
        prompt: "a left hook",
        action: Action::Punch,
        rule: "the left fist sweeps across at 2 m/s or more at the shoulder's height, the right one less often",
        captions: &["a person throws a left hook"],
        obeyed: |t| only(hooks, t, Left),
    },
    PromptCase {
        prompt: "someone boxes, punching with both hands",
        action: Action::Punch,
        rule: "each fist shoots out at 1.5 m/s or more to 0.8 of the arm at the shoulder's height",
        captions: &[
            "a person is boxing",
            "a person shadow boxes",
            "a person throws punches",
        ],
        obeyed: |t| strikes(t, Left) >= 1 && strikes(t, Right) >= 1,
    },
    PromptCase {
        prompt: "exactly two punches",
        action: Action::Punch,
        rule: "a fist shoots out at 1.5 m/s or more to 0.8 of the arm at the shoulder's height, 2 times in all",
        captions: &[
            "a person punches twice",
            "a person punches twice with the right hand",
        ],
        obeyed: |t| strikes(t, Left) + strikes(t, Right) == 2,
    },
    PromptCase {
        prompt: "a fighter stands ready",
        action: Action::Fight,
        rule: "both fists held up in front for 60 % of the time, no claps, below 0.4 m/s",
        captions: &[
            "a person stands in a fighting stance",
            "a fighter bounces on the toes with fists up",
        ],
        obeyed: |t| guard_share(t) > 0.6 && claps(t) < 3 && stays(t),
    },
    PromptCase {
        prompt: "he blocks a blow above his head with the right arm",
        action: Action::Block,
        rule: "the right arm is held at the brow or above for 0.5 s, the left hand is not, neither waves nor throws, stays",
        captions: &["a person blocks high with the right arm"],
        obeyed: |t| blocks_high(t, Right) && !throws(t, Some(Right)) && stays(t),
    },
    PromptCase {
        prompt: "someone waves hello",
        action: Action::Wave,
        rule: "2 reversals or more of a raised hand, the other one rests",
        captions: &[
            "a person waves hello",
            "someone raises the right hand and waves hello",
        ],
        obeyed: |t| {
            let one = |side: Side| waves(t, side) >= 2 && rests(t, side.other());
            one(Left) || one(Right)
        },
    },
    PromptCase {
        prompt: "she says goodbye, waving her left hand",
        action: Action::Wave,
        rule: "3 reversals or more of the raised left hand, the right one rests",
        captions: &[
            "someone raises the left hand and waves hello",
            "a person lifts the left arm and waves it from side to side",
        ],
        obeyed: |t| waves(t, Left) >= 3 && rests(t, Right),
    },
    PromptCase {
        prompt: "waving both arms overhead to get attention",
        action: Action::Wave,
        rule: "3 reversals or more of each raised hand, both above the head for a third of the time",
        captions: &["a person waves both arms above the head"],
        obeyed: |t| {
            let high = [Left, Right].map(|side| share(&overhead(t, side)));
            waves(t, Left).min(waves(t, Right)) >= 3 && high[0].min(high[1]) > 0.33
        },
    },
    PromptCase {
        prompt: "an audience member applauds",
        action: Action::Clap,
        rule: "3 claps or more, hands below the head",
        captions: &["someone applauds", "a person gives a round of applause"],
        obeyed: |t| claps(t) >= 3 && share(&overhead(t, Left)) < 0.2,
    },
    PromptCase {
        prompt: "pitches a ball with the left arm",
        action: Action::Throw,
        rule: "the left hand is raised above the shoulder, then flies ahead at 1.5 m/s or more above the chest, faster than the other, which rests",
        captions: &[
            "a person throws a ball with the left hand",
            "a person swings the left arm and throws",
        ],
        obeyed: |t| pitches(t, Left),
    },
    PromptCase {
        prompt: "someone hurls a stone with their right hand",
        action: Action::Throw,
        rule: "the right hand is raised above the shoulder, then flies ahead at 1.5 m/s or more above the chest, faster than the other, which rests",
        captions: &[
            "a person throws a ball with the right hand",
            "a person swings the right arm and throws",
        ],
        obeyed: |t| pitches(t, Right),
    },
    PromptCase {
        prompt: "a player dribbles a ball, running forward",
        action: Action::Sport,
        rule: "a hand bounces below the shoulder by 15 cm, 3 reversals or more, the other half as often at most, above 0.4 m/s",
        captions: &["a person dribbles a basketball forward"],
        obeyed: |t| {
            let [one, other] = [Left, Right].map(|side| bounces(t, side));
            one.max(other) >= 3
                && 2 * one.min(other) <= one.max(other)
                && Travel::of(t).forward_mps > 0.4
        },
    },
    PromptCase {
        prompt: "a cleaner wipes a window",
        action: Action::Other,
        rule: "a hand stretched ahead at the chest's height or above moves to and fro by 20 cm, 2 reversals or more, the other is lower for half of the time, stays",
        captions: &["a person washes a window"],
        obeyed: |t| (wipes(t, Left) || wipes(t, Right)) && stays(t),
    },
    PromptCase {
        prompt: "somebody carries a heavy box",
        action: Action::Carry,
        rule: "both hands level in front of the body for 70 % of the time, above 0.3 m/s",
        captions: &[
            "a person walks carrying a box",
            "someone carries a box in front of them while walking",
        ],
        obeyed: |t| carrying_share(t) > 0.7 && Travel::of(t).speed_mps > 0.3,
    },
    PromptCase {
        prompt: "a worker picks up a box from the ground",
        action: Action::Carry,
        rule: "both hands below 0.45 m, at the end above 0.8 m and in front of the body",
        captions: &[
            "a person bends down and picks up a box",
            "someone lifts a box off the floor",
        ],
        obeyed: |t| {
            let last = t.len() - 1;
            let in_front = |side: Side| t.seen(last, side.wrist(), 0).z > 0.1;
            least(&higher_hand_m(t)) < 0.45
                && least(tail(&lower_hand_m(t), frames(0.25))) > 0.8
                && in_front(Left)
                && in_front(Right)
        },
    },
    PromptCase {
        prompt: "sets a box down on the floor, then walks off",
        action: Action::Carry,
        rule: "both hands below 0.45 m, last 0.75 s above 0.4 m/s, upright",
        captions: &["a person puts down a box and walks on"],
        obeyed: |t| {
            least(&higher_hand_m(t)) < 0.45
                && crate::obey::travel::end_speeds(t)[1] > 0.4
                && crate::obey::posture::ends_at_m(t)[0] > 0.75
        },
    },
    PromptCase {
        prompt: "someone shambles along like a zombie",
        action: Action::Walk,
        rule: "an arm stretched ahead by 0.3 m for most of the time, above 0.15 m/s",
        captions: &[
            "a person walks like a zombie",
            "a person walks like a zombie with arms stretched forward",
        ],
        obeyed: walks_with_arms_ahead,
    },
];
