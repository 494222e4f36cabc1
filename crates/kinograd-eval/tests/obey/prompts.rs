//! A clip that obeys each prompt, and clips that do not.

use std::collections::BTreeSet;
use std::f64::consts::PI;

use kinograd_eval::PromptList;
use kinograd_eval::obey::Side::{self, Left, Right};

use crate::clips::{
    clapping, crawler, jumper, kicker, kicking, puncher, punching, raised, riser, round, sitter,
    stepping, swinging, throwing, turner, waving,
};
use crate::puppet::{HANGS_M, Puppet, STANDS_M, bump, ramp, sway};

/// A prompt, a clip that obeys it, and clips that do not.
struct Shown {
    prompt: &'static str,
    right: Puppet,
    wrong: Vec<Puppet>,
}

fn shown<const N: usize>(prompt: &'static str, right: Puppet, wrong: [Puppet; N]) -> Shown {
    Shown {
        prompt,
        right,
        wrong: wrong.into(),
    }
}

fn stand() -> Puppet {
    Puppet::stand(4.0)
}

fn walk(mps: f64) -> Puppet {
    Puppet::walk(4.0, mps)
}

/// Walks, and stops at 2.5 s.
fn stops() -> Puppet {
    stand().ahead(|t| 1.2 * (1.0 - ramp(t, 2.0, 0.5)))
}

/// Stands, and goes from 1.5 s on.
fn starts(mps: f64) -> Puppet {
    stand().ahead(move |t| mps * ramp(t, 1.5, 0.5))
}

/// A leg that is raised slowly.
fn slow_leg(side: Side) -> Puppet {
    stand().foot(side, |t| {
        [0.1, 0.06 + 0.8 * ramp(t, 0.5, 2.5), 0.6 * ramp(t, 0.5, 2.5)]
    })
}

/// An arm that is stretched ahead slowly.
fn slow_arm(side: Side) -> Puppet {
    stand().hand(side, |t| [0.18, 1.38, 0.1 + 0.41 * ramp(t, 0.5, 2.5)])
}

/// The pelvis goes down and comes up again.
fn dips(by_m: f64) -> Puppet {
    stand().pelvis(move |t| STANDS_M - by_m * bump(t, 0.7, 2.5))
}

/// The body shifts to a side over its feet and comes back.
fn dodges(side: Side, comes_back: bool) -> Puppet {
    let shift = move |t: f64| {
        if comes_back {
            0.25 * bump(t, 1.0, 1.5)
        } else {
            0.25 * ramp(t, 1.0, 0.75)
        }
    };
    let sign = side.sign();
    let foot = move |own: f64| move |t: f64| [0.1 - own * sign * shift(t), 0.06, 0.0];
    stand()
        .left(move |t| sign * (shift(t + 1e-4) - shift(t - 1e-4)) / 2e-4)
        .foot(Left, foot(1.0))
        .foot(Right, foot(-1.0))
}

fn hooks(side: Side) -> Puppet {
    stand().hand(side, |t| [0.45 - 0.45 * bump(t, 1.0, 0.4), 1.4, 0.3])
}

fn uppercuts(side: Side) -> Puppet {
    stand().hand(side, |t| [0.18, 1.1 + 0.4 * bump(t, 1.0, 0.3), 0.2])
}

fn blocks(side: Side) -> Puppet {
    stand().hand(side, |t| {
        let up = ramp(t, 0.5, 0.4);
        [0.2 - 0.1 * up, HANGS_M + 0.72 * up, 0.2 * up]
    })
}

fn star_jumps(hands: bool, feet: bool) -> Puppet {
    let open = |t: f64| (1.0 - (2.0 * PI * t).cos()) / 2.0;
    let mut puppet = stand();
    if hands {
        puppet = puppet.hands(move |t| [0.2, HANGS_M + 0.9 * open(t), 0.0]);
    }
    if feet {
        puppet = puppet.feet(move |t| [0.1 + 0.25 * open(t), 0.06, 0.0]);
    }
    puppet
}

fn kicks_ball(side: Side) -> Puppet {
    stand().foot(side, |t| {
        let out = bump(t, 1.0, 0.4);
        [0.1, 0.06 + 0.15 * out, 0.6 * out]
    })
}

fn hops(times: &'static [f64]) -> Puppet {
    jumper(times, 0.15).foot(Left, |_| [0.1, 0.35, -0.2])
}

fn knees(sides: &[Side]) -> Puppet {
    let mut puppet = stand();
    for side in sides {
        let sign = side.sign();
        puppet = puppet.foot(*side, move |t| {
            let up = (sign * sway(t, 0.5)).max(0.0);
            [0.1, 0.06 + 0.5 * up, 0.3 * up]
        });
    }
    puppet
}

fn squats() -> Puppet {
    stand().pelvis(|t| 0.72 + 0.22 * (PI * t).cos())
}

fn picks_up(end_m: f64) -> Puppet {
    dips(0.35).hands(move |t| {
        let (down, up) = (ramp(t, 0.7, 1.0), ramp(t, 2.2, 1.0));
        [
            0.2,
            HANGS_M - 0.55 * down + (end_m - HANGS_M + 0.55) * up,
            0.3,
        ]
    })
}

fn puts_down(mps: f64) -> Puppet {
    stand()
        .pelvis(|t| STANDS_M - 0.35 * bump(t, 0.2, 1.6))
        .hands(|t| [0.2, HANGS_M - 0.5 * bump(t, 0.2, 1.6), 0.3])
        .ahead(move |t| mps * ramp(t, 2.0, 0.5))
}

fn dances(deg: f64) -> Puppet {
    stepping(0.3, 1.0)
        .hands(|t| [0.3 + 0.3 * sway(t, 1.0), 1.2 + 0.3 * sway(t, 1.5), 0.2])
        .heading(move |t| deg * sway(t, 0.3))
}

fn rolls(head_m: f64) -> Puppet {
    stand()
        .pelvis(|t| STANDS_M - 0.6 * bump(t, 1.0, 1.5))
        .head_at(move |t| 1.55 - (1.55 - head_m) * bump(t, 1.0, 1.5))
}

fn touches(pelvis_falls_m: f64) -> Puppet {
    dips(pelvis_falls_m).hands(|t| [0.1, HANGS_M - 0.7 * bump(t, 0.7, 2.5), 0.3])
}

fn ducks(mps: f64) -> Puppet {
    walk(mps).head_at(|t| 1.55 - 0.5 * bump(t, 1.5, 1.0))
}

fn overhead_waves(height_m: f64) -> Puppet {
    stand().hands(move |t| [0.35 + 0.12 * sway(t, 1.5), height_m, 0.1])
}

fn dribbles(mps: f64) -> Puppet {
    walk(mps).hand(Right, |t| [0.2, 0.95 + 0.15 * sway(t, 1.5), 0.35])
}

fn wipes(t: f64) -> [f64; 3] {
    [0.2 + 0.25 * sway(t, 0.8), 1.45, 0.45]
}

fn guard(_: f64) -> [f64; 3] {
    [0.15, 1.35, 0.3]
}

fn holds_box(mps: f64) -> Puppet {
    walk(mps).hands(|_| [0.18, 1.0, 0.3])
}

fn arms_ahead(mps: f64) -> Puppet {
    walk(mps).hands(|_| [0.2, 1.35, 0.45])
}

fn punches_and_kicks(punch: &'static [f64], kick: &'static [f64]) -> Puppet {
    stand()
        .hand(Right, punching(punch))
        .foot(Right, kicking(kick, 0.9))
}

fn comes_to_kick(side: Side) -> Puppet {
    kicker(side, &[2.2], 0.9).ahead(|t| 1.2 * (1.0 - ramp(t, 1.0, 0.5)))
}

fn steering() -> Vec<Shown> {
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

fn travel() -> Vec<Shown> {
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

fn arms() -> Vec<Shown> {
    vec![
        shown(
            "a boxer throws a left jab",
            puncher(Left, &[1.0]),
            [puncher(Right, &[1.0]), slow_arm(Left)],
        ),
        shown(
            "punching hard with the right fist",
            puncher(Right, &[1.0]),
            [puncher(Left, &[1.0]), slow_arm(Right)],
        ),
        shown(
            "a fighter swings a right uppercut",
            uppercuts(Right),
            [uppercuts(Left), puncher(Right, &[1.0])],
        ),
        shown(
            "a left hook",
            hooks(Left),
            [hooks(Right), puncher(Left, &[1.0])],
        ),
        shown(
            "someone boxes, punching with both hands",
            stand().hands(punching(&[1.0, 2.0])),
            [puncher(Right, &[1.0, 2.0]), stand()],
        ),
        shown(
            "exactly two punches",
            puncher(Right, &[0.8, 2.0]),
            [puncher(Right, &[0.8]), puncher(Right, &[0.5, 1.5, 2.5])],
        ),
        shown(
            "a fighter stands ready",
            stand().hands(guard),
            [
                stand(),
                stand().hands(clapping(1.5)),
                walk(1.0).hands(guard),
            ],
        ),
        shown(
            "he blocks a blow above his head with the right arm",
            blocks(Right),
            [blocks(Left), stand(), stand().hand(Right, throwing)],
        ),
        shown(
            "someone waves hello",
            stand().hand(Left, waving(1.5)),
            [stand().hand(Left, raised), stand().hands(waving(1.5))],
        ),
        shown(
            "she says goodbye, waving her left hand",
            stand().hand(Left, waving(1.5)),
            [stand().hand(Right, waving(1.5)), stand().hand(Left, raised)],
        ),
        shown(
            "waving both arms overhead to get attention",
            overhead_waves(1.75),
            [overhead_waves(1.45), stand().hands(|_| [0.35, 1.75, 0.1])],
        ),
        shown(
            "an audience member applauds",
            stand().hands(clapping(1.5)),
            [stand(), stand().hands(|t| [clapping(1.5)(t)[0], 1.75, 0.1])],
        ),
        shown(
            "pitches a ball with the left arm",
            stand().hand(Left, throwing),
            [stand().hand(Right, throwing), stand().hand(Left, raised)],
        ),
        shown(
            "someone hurls a stone with their right hand",
            stand().hand(Right, throwing),
            [stand().hand(Left, throwing), stand().hand(Right, raised)],
        ),
        shown(
            "a player dribbles a ball, running forward",
            dribbles(1.5),
            [
                dribbles(0.0),
                walk(1.5),
                walk(1.5).hands(|t| [0.2, 0.95 + 0.15 * sway(t, 1.5), 0.35]),
            ],
        ),
        shown(
            "a cleaner wipes a window",
            stand().hand(Right, wipes),
            [
                stand().hands(wipes),
                walk(1.0).hand(Right, wipes),
                stand().hand(Right, |_| wipes(0.0)),
            ],
        ),
        shown(
            "somebody carries a heavy box",
            holds_box(1.0),
            [walk(1.0), holds_box(0.0)],
        ),
        shown(
            "a worker picks up a box from the ground",
            picks_up(1.0),
            [picks_up(0.5), dips(0.35)],
        ),
        shown(
            "sets a box down on the floor, then walks off",
            puts_down(1.2),
            [puts_down(0.0), starts(1.2)],
        ),
        shown(
            "someone shambles along like a zombie",
            arms_ahead(0.7),
            [walk(0.7), arms_ahead(0.0)],
        ),
    ]
}

fn legs() -> Vec<Shown> {
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

fn body() -> Vec<Shown> {
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

fn all() -> Vec<Shown> {
    [steering(), travel(), arms(), legs(), body()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn every_prompt_is_shown() {
    let shown: BTreeSet<&str> = all().iter().map(|shown| shown.prompt).collect();
    let prompts: BTreeSet<&str> = PromptList::All
        .cases()
        .iter()
        .map(|(_, case)| case.prompt)
        .collect();
    let missing: Vec<_> = prompts.difference(&shown).collect();
    let unknown: Vec<_> = shown.difference(&prompts).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing {missing:?}, unknown {unknown:?}"
    );
}

#[test]
fn each_test_passes_a_right_clip_and_fails_wrong_ones() {
    let cases = PromptList::All.cases();
    let mut faults = Vec::new();
    for Shown {
        prompt,
        right,
        wrong,
    } in all()
    {
        let (_, case) = cases
            .iter()
            .find(|(_, case)| case.prompt == prompt)
            .unwrap();
        assert!(!wrong.is_empty(), "{prompt}");
        for fps in [20.0, 60.0] {
            if !(case.obeyed)(&right.clone().fps(fps).track()) {
                faults.push(format!("{prompt}: the right clip fails at {fps} fps"));
            }
            for (index, wrong) in wrong.iter().enumerate() {
                if (case.obeyed)(&wrong.clone().fps(fps).track()) {
                    faults.push(format!("{prompt}: wrong clip {index} passes at {fps} fps"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
