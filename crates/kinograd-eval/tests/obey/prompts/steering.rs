//! How fast, which way and when people go.

use kinograd_eval::obey::Side::{Left, Right};

use super::moves::{arms_ahead, dips, slow_arm, slow_leg, stand, starts, stops, walk};
use super::{Shown, shown};
use crate::clips::{
    clapping, jumper, kicker, puncher, raised, riser, round, sitter, throwing, turner, waving,
};
use crate::puppet::HANGS_M;

pub fn cases() -> Vec<Shown> {
    vec![
        shown(
            "a person walks forward",
            walk(1.2),
            [walk(0.3), walk(3.0), round(1.2, 30.0)],
        ),
        shown("a person walks slowly", walk(0.5), [walk(1.4), stand()]),
        shown("a person walks backwards", walk(-0.8), [walk(0.8), stand()]),
        shown("a person jogs forward", walk(2.2), [walk(1.0), walk(4.0)]),
        shown("a person runs forward", walk(3.5), [walk(1.5), stand()]),
        shown(
            "a person walks and turns left",
            round(1.0, 20.0),
            [round(1.0, -20.0), walk(1.0)],
        ),
        shown(
            "a person walks and turns right",
            round(1.0, -20.0),
            [round(1.0, 20.0), walk(1.0)],
        ),
        shown(
            "a person turns around",
            turner(170.0),
            [turner(60.0), stand()],
        ),
        shown(
            "a person steps sideways to the left",
            stand().left(|_| 0.4),
            [stand().left(|_| -0.4), walk(0.4)],
        ),
        shown(
            "a person steps sideways to the right",
            stand().left(|_| -0.4),
            [stand().left(|_| 0.4), walk(0.4)],
        ),
        shown(
            "a person walks forward and stops",
            stops(),
            [walk(1.2), stand(), starts(1.2)],
        ),
        shown(
            "a person stands and then starts walking",
            starts(1.2),
            [walk(1.2), stand(), stops()],
        ),
        shown(
            "a person stands still",
            stand(),
            [stand().hands(waving(3.0)), walk(0.5)],
        ),
        shown(
            "a person kicks with the right leg",
            kicker(Right, &[1.0], 0.9),
            [
                kicker(Left, &[1.0], 0.9),
                kicker(Right, &[1.0], 0.35),
                slow_leg(Right),
            ],
        ),
        shown(
            "a person kicks with the left leg",
            kicker(Left, &[1.0], 0.9),
            [kicker(Right, &[1.0], 0.9), slow_leg(Left), stand()],
        ),
        shown(
            "a person kicks twice with the right leg",
            kicker(Right, &[0.8, 2.2], 0.9),
            [
                kicker(Right, &[0.8], 0.9),
                kicker(Right, &[0.3, 1.5, 2.8], 0.9),
                kicker(Left, &[0.8, 2.2], 0.9),
            ],
        ),
        shown(
            "a person punches with the right hand",
            puncher(Right, &[1.0]),
            [puncher(Left, &[1.0]), slow_arm(Right)],
        ),
        shown(
            "a person punches with the left hand",
            puncher(Left, &[1.0]),
            [puncher(Right, &[1.0]), slow_arm(Left)],
        ),
        shown(
            "a person throws a punch",
            puncher(Left, &[1.0]),
            [slow_arm(Left), stand()],
        ),
        shown(
            "a person waves with the right hand",
            stand().hand(Right, waving(1.5)),
            [
                stand().hand(Left, waving(1.5)),
                stand().hand(Right, raised),
                stand().hands(waving(1.5)),
                stand().hand(Right, waving(0.3)),
            ],
        ),
        shown(
            "a person waves with the left hand",
            stand().hand(Left, waving(1.5)),
            [stand().hand(Right, waving(1.5)), stand().hand(Left, raised)],
        ),
        shown(
            "a person waves with both hands",
            stand().hands(waving(1.5)),
            [stand().hand(Right, waving(1.5)), stand().hands(raised)],
        ),
        shown(
            "a person claps their hands",
            stand().hands(clapping(1.5)),
            [
                stand().hands(clapping(0.4)),
                stand().hands(|_| [0.05, 1.2, 0.3]),
            ],
        ),
        shown(
            "a person throws a ball",
            stand().hand(Right, throwing),
            [
                stand().hand(Right, |t| [0.25, HANGS_M, throwing(t)[2]]),
                stand().hand(Right, raised),
            ],
        ),
        shown(
            "a person sits down",
            sitter(1.0),
            [riser(1.0), stand(), dips(0.42)],
        ),
        shown(
            "a person stands up",
            riser(1.0),
            [sitter(1.0), stand(), stand().pelvis(|_| 0.52)],
        ),
        shown(
            "a person jumps",
            jumper(&[1.0], 0.3),
            [jumper(&[1.0], 0.05), stand()],
        ),
        shown(
            "a person crouches down",
            dips(0.4),
            [stand(), stand().pelvis(|_| 0.5)],
        ),
        shown(
            "a person stands, then kicks with the left leg",
            kicker(Left, &[2.0], 0.9),
            [
                kicker(Left, &[2.0], 0.9).ahead(|_| 1.0),
                kicker(Right, &[2.0], 0.9),
                stand(),
            ],
        ),
        shown(
            "a zombie walks",
            arms_ahead(0.7),
            [walk(0.7), arms_ahead(0.0)],
        ),
    ]
}
