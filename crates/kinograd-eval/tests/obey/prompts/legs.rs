//! What legs do.

use kinograd_eval::obey::Side::{Left, Right};

use super::moves::{
    comes_to_kick, hops, kicks_ball, knees, punches_and_kicks, slow_leg, squats, stand, star_jumps,
    stops, walk,
};
use super::{Shown, shown};
use crate::clips::{jumper, kicker, puncher, sitter, stepping};
use crate::puppet::{bump, sway};

pub fn cases() -> Vec<Shown> {
    vec![
        shown(
            "a karate fighter kicks high with the right foot",
            kicker(Right, &[1.0], 1.1),
            [kicker(Left, &[1.0], 1.1), kicker(Right, &[1.0], 0.7)],
        ),
        shown(
            "a roundhouse kick with the left leg",
            kicker(Left, &[1.0], 0.9),
            [kicker(Right, &[1.0], 0.9), kicker(Left, &[1.0], 0.55)],
        ),
        shown(
            "a quick side kick, right leg",
            kicker(Right, &[1.0], 0.8),
            [
                kicker(Left, &[1.0], 0.8),
                kicker(Right, &[1.0], 0.5),
                slow_leg(Right),
            ],
        ),
        shown(
            "someone kicks straight ahead with the left foot",
            kicker(Left, &[1.0], 0.9),
            [
                kicker(Right, &[1.0], 0.9),
                stand().foot(Left, |t| {
                    [
                        0.1 + 0.6 * bump(t, 1.0, 0.5),
                        0.06 + 0.8 * bump(t, 1.0, 0.5),
                        0.0,
                    ]
                }),
            ],
        ),
        shown(
            "two kicks in a row with the left leg",
            kicker(Left, &[0.8, 2.2], 0.9),
            [kicker(Left, &[0.8], 0.9), kicker(Right, &[0.8, 2.2], 0.9)],
        ),
        shown(
            "a footballer kicks a ball with the right foot",
            kicks_ball(Right),
            [kicks_ball(Left), stand(), slow_leg(Right)],
        ),
        shown(
            "someone punches and then kicks",
            punches_and_kicks(&[0.8], &[2.2]),
            [punches_and_kicks(&[2.4], &[0.6]), puncher(Right, &[0.8])],
        ),
        shown(
            "raising the knees one after the other",
            knees(&[Left, Right]),
            [
                knees(&[Left]),
                knees(&[Left, Right]).ahead(|_| 1.5),
                stepping(0.1, 0.5),
            ],
        ),
        shown(
            "a child does star jumps",
            star_jumps(true, true),
            [star_jumps(true, false), star_jumps(false, true), stand()],
        ),
        shown(
            "two jumps on the spot",
            jumper(&[0.8, 2.0], 0.3),
            [
                jumper(&[0.8], 0.3),
                jumper(&[0.5, 1.5, 2.5], 0.3),
                jumper(&[0.8, 2.0], 0.3).ahead(|_| 1.0),
            ],
        ),
        shown(
            "someone jumps up three times",
            jumper(&[0.5, 1.5, 2.5], 0.3),
            [jumper(&[0.8, 2.0], 0.3), jumper(&[0.5, 1.5, 2.5], 0.05)],
        ),
        shown(
            "a long jump forward with both feet",
            jumper(&[1.0], 0.3).ahead(|t| 2.0 * bump(t, 0.9, 0.7)),
            [
                jumper(&[1.0], 0.3),
                jumper(&[1.0], 0.3).ahead(|t| -2.0 * bump(t, 0.9, 0.7)),
            ],
        ),
        shown(
            "a runner leaps over a hurdle",
            jumper(&[1.5], 0.3).ahead(|_| 2.5),
            [walk(2.5), jumper(&[1.5], 0.3)],
        ),
        shown(
            "hopping on one leg",
            hops(&[0.5, 1.2, 1.9]),
            [jumper(&[0.5, 1.2, 1.9], 0.15), hops(&[]), hops(&[0.5])],
        ),
        shown(
            "a child skips along happily",
            walk(1.2).lift(|t| 0.15 * sway(t, 1.0).abs()),
            [
                walk(1.2),
                stand().lift(|t| 0.15 * sway(t, 1.0).abs()),
                walk(3.5).lift(|t| 0.15 * sway(t, 1.0).abs()),
            ],
        ),
        shown(
            "an athlete does squats",
            squats(),
            [stand(), sitter(1.0), squats().ahead(|_| 1.0)],
        ),
        shown(
            "she turns a cartwheel",
            stand()
                .feet(|t| [0.1, 0.06 + 1.2 * bump(t, 1.0, 1.0), 0.0])
                .head_at(|t| 1.55 - 1.1 * bump(t, 1.0, 1.0)),
            [stand(), kicker(Left, &[1.0], 1.2)],
        ),
        shown(
            "someone walks up and kicks with the left foot",
            comes_to_kick(Left),
            [comes_to_kick(Right), kicker(Left, &[2.2], 0.9), stops()],
        ),
    ]
}
