//! What the whole body does.

use kinograd_eval::obey::Side::{Left, Right};

use super::moves::{dances, dips, dodges, ducks, rolls, stand, starts, stops, touches, walk};
use super::{Shown, shown};
use crate::clips::{crawler, riser, sitter, waving};
use crate::puppet::{STANDS_M, ramp, sway};

pub fn cases() -> Vec<Shown> {
    vec![
        shown(
            "someone takes a seat on a chair",
            sitter(1.0),
            [riser(1.0), dips(0.42), stand()],
        ),
        shown(
            "an old man gets up from his chair",
            riser(1.0),
            [sitter(1.0), stand()],
        ),
        shown(
            "a person sits down and gets up again",
            dips(0.42),
            [sitter(1.0), riser(1.0), stand()],
        ),
        shown(
            "someone walks up and sits down",
            sitter(2.0).ahead(|t| 1.2 * (1.0 - ramp(t, 1.0, 0.5))),
            [sitter(2.0), stops()],
        ),
        shown(
            "a person rises from a seat and walks away",
            riser(0.4).ahead(|t| 1.2 * ramp(t, 2.0, 0.5)),
            [riser(0.4), starts(1.2)],
        ),
        shown(
            "a person sits quietly on a chair",
            stand().pelvis(|_| 0.52),
            [stand(), sitter(1.0), walk(0.5).pelvis(|_| 0.52)],
        ),
        shown(
            "a thief sneaks ahead",
            walk(0.6).pelvis(|_| 0.8).lean(|_| 20.0),
            [
                walk(0.6),
                walk(0.6).pelvis(|_| 0.8),
                walk(0.6).lean(|_| 20.0),
            ],
        ),
        shown(
            "walking with bent knees, staying low",
            walk(0.7).pelvis(|_| 0.74),
            [walk(0.7), crawler(0.7), stand().pelvis(|_| 0.74)],
        ),
        shown(
            "a soldier crouches and stays down",
            stand().pelvis(|t| STANDS_M - 0.35 * ramp(t, 1.0, 0.7)),
            [dips(0.35), stand()],
        ),
        shown(
            "a runner ducks under a branch",
            ducks(2.5),
            [walk(2.5), ducks(0.5)],
        ),
        shown(
            "a baby crawls ahead on all fours",
            crawler(0.4),
            [crawler(-0.4), walk(0.4), crawler(0.0)],
        ),
        shown(
            "crawling backwards on hands and knees",
            crawler(-0.4),
            [crawler(0.4), walk(-0.4)],
        ),
        shown(
            "someone is lying on the floor",
            stand().pelvis(|_| 0.15).lean(|_| 88.0),
            [stand(), crawler(0.0), stand().pelvis(|_| 0.15)],
        ),
        shown(
            "a wounded man falls to the ground and stays there",
            stand().pelvis(|t| STANDS_M - 0.8 * ramp(t, 1.0, 1.0)),
            [sitter(1.0), dips(0.8), stand().pelvis(|_| 0.15)],
        ),
        shown(
            "someone gets up from the floor",
            stand().pelvis(|t| 0.15 + 0.6 * ramp(t, 1.0, 1.5)),
            [stand().pelvis(|_| 0.15), riser(1.0)],
        ),
        shown(
            "a person leans over to touch their toes",
            touches(0.1),
            [touches(0.5), dips(0.1)],
        ),
        shown(
            "twisting the torso left and right",
            stand().twist(|t| 40.0 * sway(t, 0.4)),
            [
                stand(),
                stand().twist(|t| 8.0 * sway(t, 0.4)),
                walk(1.0).twist(|t| 40.0 * sway(t, 0.4)),
            ],
        ),
        shown(
            "a lookout turns the head left and right",
            stand().head_turn(|t| 50.0 * sway(t, 0.3)),
            [
                stand(),
                stand()
                    .head_turn(|t| 50.0 * sway(t, 0.3))
                    .hands(waving(1.5)),
            ],
        ),
        shown(
            "a boxer dodges to the right",
            dodges(Right, true),
            [dodges(Left, true), dodges(Right, false), stand()],
        ),
        shown(
            "a gymnast rolls over the ground",
            rolls(0.1),
            [rolls(0.9), sitter(1.0)],
        ),
        shown(
            "someone does a wild, energetic dance",
            dances(40.0),
            [dances(0.0), stand()],
        ),
    ]
}
