//! Ways of going.

use super::moves::{stand, starts, stops, walk};
use super::{Shown, shown};
use crate::clips::{clapping, jumper, round, stepping, swinging, turner};
use crate::puppet::{ramp, sway};

pub fn cases() -> Vec<Shown> {
    let diagonal = |ahead: f64, left: f64| walk(ahead).left(move |_| left);
    let bend = |deg: f64, within: f64| walk(1.0).heading(move |t| deg * ramp(t, 1.5, within));
    vec![
        shown(
            "a man strolls along",
            walk(1.1),
            [walk(0.2), walk(2.2), stand()],
        ),
        shown(
            "a person walks fast in a straight line",
            walk(1.8),
            [walk(1.0), round(1.8, 40.0)],
        ),
        shown(
            "someone takes a few slow steps forward",
            walk(0.4),
            [walk(1.1), stand()],
        ),
        shown("the character backs away", walk(-0.7), [walk(0.7), stand()]),
        shown(
            "a soldier jogs straight ahead",
            walk(2.4),
            [walk(1.1), round(2.4, 40.0)],
        ),
        shown(
            "a woman sprints forward",
            walk(4.0),
            [walk(2.0), walk(-4.0)],
        ),
        shown("someone runs backward", walk(-1.8), [walk(-0.7), walk(1.8)]),
        shown(
            "a person hurries along",
            swinging(1.6, 0.6, 0.9).lean(|_| 8.0),
            [
                swinging(1.6, 0.6, 0.9),
                walk(1.6).lean(|_| 8.0),
                swinging(0.4, 0.6, 0.9).lean(|_| 8.0),
            ],
        ),
        shown(
            "an angry man stomps around",
            swinging(1.2, 0.4, 0.9).lean(|_| 10.0),
            [swinging(1.2, 0.4, 0.9), walk(1.2), stand().lean(|_| 10.0)],
        ),
        shown(
            "a happy person walks with a spring in their step",
            swinging(1.1, 0.7, 1.0),
            [swinging(1.1, 0.2, 1.0), walk(1.1), swinging(0.0, 0.7, 1.0)],
        ),
        shown(
            "a person shuffles to the left",
            stand().left(|_| 0.4),
            [
                stand().left(|_| -0.4),
                walk(0.4),
                stand().left(|_| 0.4).heading(|t| 30.0 * t),
            ],
        ),
        shown(
            "side steps to the right side",
            stand().left(|_| -0.4),
            [stand().left(|_| 0.4), stand()],
        ),
        shown(
            "a person moves diagonally forward and to the right",
            diagonal(0.5, -0.4),
            [diagonal(0.5, 0.4), diagonal(0.5, 0.0), diagonal(-0.5, -0.4)],
        ),
        shown(
            "someone steps back diagonally to the left",
            diagonal(-0.4, 0.4),
            [
                diagonal(-0.4, -0.4),
                diagonal(-0.4, 0.0),
                diagonal(0.4, 0.4),
            ],
        ),
        shown(
            "a person walks, making a ninety degree turn to the left",
            round(1.0, 22.0),
            [round(1.0, -22.0), round(1.0, 60.0), walk(1.0), turner(90.0)],
        ),
        shown(
            "walking, then a sharp right turn",
            bend(-100.0, 0.8),
            [bend(100.0, 0.8), bend(-30.0, 0.8), turner(-100.0)],
        ),
        shown(
            "someone walks in a gentle curve to the right",
            round(1.0, -20.0),
            [round(1.0, 20.0), bend(-170.0, 0.4), walk(1.0)],
        ),
        shown(
            "a person turns to the right without walking",
            turner(-90.0),
            [turner(90.0), round(1.0, -25.0), stand()],
        ),
        shown(
            "someone spins round to the left",
            turner(180.0),
            [turner(-180.0), turner(60.0)],
        ),
        shown(
            "a runner turns left",
            round(2.5, 20.0),
            [round(2.5, -20.0), round(0.8, 20.0)],
        ),
        shown(
            "someone walks around in a circle, counterclockwise",
            round(1.0, 50.0),
            [
                round(1.0, -50.0),
                walk(1.0),
                walk(1.0).heading(|t| 200.0 * ramp(t, 0.2, 0.5)),
            ],
        ),
        shown(
            "someone jogs in circles",
            round(2.0, -50.0),
            [round(0.8, 50.0), walk(2.0)],
        ),
        shown(
            "a person walks in zigzags",
            walk(1.0).heading(|t| 40.0 * sway(t, 0.5)),
            [
                walk(1.0),
                round(1.0, 30.0),
                stand().heading(|t| 40.0 * sway(t, 0.5)),
            ],
        ),
        shown(
            "a person walks, turns around and walks back",
            bend(180.0, 1.0),
            [walk(1.0), turner(180.0), round(1.0, 90.0)],
        ),
        shown(
            "the guard walks a few steps and comes to a halt",
            stops(),
            [walk(1.2), starts(1.2)],
        ),
        shown(
            "from a standstill, someone starts to run",
            starts(3.0),
            [starts(1.0), walk(3.0)],
        ),
        shown(
            "a runner slows down to a walk",
            stand().ahead(|t| 3.0 - 1.8 * ramp(t, 1.5, 1.0)),
            [
                walk(3.0),
                walk(1.2),
                stand().ahead(|t| 3.0 - 3.0 * ramp(t, 1.5, 1.0)),
            ],
        ),
        shown(
            "a person walks and breaks into a sprint",
            stand().ahead(|t| 1.1 + 2.0 * ramp(t, 1.5, 1.0)),
            [
                walk(1.1),
                walk(3.1),
                stand().ahead(|t| 3.1 - 2.0 * ramp(t, 1.5, 1.0)),
            ],
        ),
        shown(
            "someone walks backward, stops and comes forward again",
            stand().ahead(|t| -0.8 + 1.6 * ramp(t, 1.7, 0.6)),
            [
                walk(-0.8),
                walk(0.8),
                stand().ahead(|t| 0.8 - 1.6 * ramp(t, 1.7, 0.6)),
            ],
        ),
        shown(
            "a guard stands and waits",
            stand(),
            [
                stand().hands(clapping(1.5)),
                walk(0.5),
                stand().pelvis(|_| 0.6),
            ],
        ),
        shown(
            "a person jogs on the spot",
            stepping(0.2, 1.2),
            [
                jumper(&[0.5, 1.2, 1.9, 2.6], 0.3),
                stand(),
                stepping(0.2, 1.2).ahead(|_| 1.5),
            ],
        ),
    ]
}
