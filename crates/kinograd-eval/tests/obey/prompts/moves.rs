//! Puppets that several prompts are shown with.

use std::f64::consts::PI;

use kinograd_eval::obey::Side::{self, Left, Right};

use crate::clips::{jumper, kicker, kicking, punching, stepping};
use crate::puppet::{HANGS_M, Puppet, STANDS_M, bump, ramp, sway};

pub fn stand() -> Puppet {
    Puppet::stand(4.0)
}

pub fn walk(mps: f64) -> Puppet {
    Puppet::walk(4.0, mps)
}

/// Walks, and stops at 2.5 s.
pub fn stops() -> Puppet {
    stand().ahead(|t| 1.2 * (1.0 - ramp(t, 2.0, 0.5)))
}

/// Stands, and goes from 1.5 s on.
pub fn starts(mps: f64) -> Puppet {
    stand().ahead(move |t| mps * ramp(t, 1.5, 0.5))
}

/// A leg that is raised slowly.
pub fn slow_leg(side: Side) -> Puppet {
    stand().foot(side, |t| {
        [0.1, 0.06 + 0.8 * ramp(t, 0.5, 2.5), 0.6 * ramp(t, 0.5, 2.5)]
    })
}

/// An arm that is stretched ahead slowly.
pub fn slow_arm(side: Side) -> Puppet {
    stand().hand(side, |t| [0.18, 1.38, 0.1 + 0.41 * ramp(t, 0.5, 2.5)])
}

/// The pelvis goes down and comes up again.
pub fn dips(by_m: f64) -> Puppet {
    stand().pelvis(move |t| STANDS_M - by_m * bump(t, 0.7, 2.5))
}

/// The body shifts to a side over its feet and comes back.
pub fn dodges(side: Side, comes_back: bool) -> Puppet {
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

pub fn hooks(side: Side) -> Puppet {
    stand().hand(side, |t| [0.45 - 0.45 * bump(t, 1.0, 0.4), 1.4, 0.3])
}

pub fn uppercuts(side: Side) -> Puppet {
    stand().hand(side, |t| [0.18, 1.1 + 0.4 * bump(t, 1.0, 0.3), 0.2])
}

pub fn blocks(side: Side) -> Puppet {
    stand().hand(side, |t| {
        let up = ramp(t, 0.5, 0.4);
        [0.2 - 0.1 * up, HANGS_M + 0.72 * up, 0.2 * up]
    })
}

pub fn star_jumps(hands: bool, feet: bool) -> Puppet {
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

pub fn kicks_ball(side: Side) -> Puppet {
    stand().foot(side, |t| {
        let out = bump(t, 1.0, 0.4);
        [0.1, 0.06 + 0.15 * out, 0.6 * out]
    })
}

pub fn hops(times: &'static [f64]) -> Puppet {
    jumper(times, 0.15).foot(Left, |_| [0.1, 0.35, -0.2])
}

pub fn knees(sides: &[Side]) -> Puppet {
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

pub fn squats() -> Puppet {
    stand().pelvis(|t| 0.72 + 0.22 * (PI * t).cos())
}

pub fn picks_up(end_m: f64) -> Puppet {
    dips(0.35).hands(move |t| {
        let (down, up) = (ramp(t, 0.7, 1.0), ramp(t, 2.2, 1.0));
        [
            0.2,
            HANGS_M - 0.55 * down + (end_m - HANGS_M + 0.55) * up,
            0.3,
        ]
    })
}

pub fn puts_down(mps: f64) -> Puppet {
    stand()
        .pelvis(|t| STANDS_M - 0.35 * bump(t, 0.2, 1.6))
        .hands(|t| [0.2, HANGS_M - 0.5 * bump(t, 0.2, 1.6), 0.3])
        .ahead(move |t| mps * ramp(t, 2.0, 0.5))
}

pub fn dances(deg: f64) -> Puppet {
    stepping(0.3, 1.0)
        .hands(|t| [0.3 + 0.3 * sway(t, 1.0), 1.2 + 0.3 * sway(t, 1.5), 0.2])
        .heading(move |t| deg * sway(t, 0.3))
}

pub fn rolls(head_m: f64) -> Puppet {
    stand()
        .pelvis(|t| STANDS_M - 0.6 * bump(t, 1.0, 1.5))
        .head_at(move |t| 1.55 - (1.55 - head_m) * bump(t, 1.0, 1.5))
}

pub fn touches(pelvis_falls_m: f64) -> Puppet {
    dips(pelvis_falls_m).hands(|t| [0.1, HANGS_M - 0.7 * bump(t, 0.7, 2.5), 0.3])
}

pub fn ducks(mps: f64) -> Puppet {
    walk(mps).head_at(|t| 1.55 - 0.5 * bump(t, 1.5, 1.0))
}

pub fn overhead_waves(height_m: f64) -> Puppet {
    stand().hands(move |t| [0.35 + 0.12 * sway(t, 1.5), height_m, 0.1])
}

pub fn dribbles(mps: f64) -> Puppet {
    walk(mps).hand(Right, |t| [0.2, 0.95 + 0.15 * sway(t, 1.5), 0.35])
}

pub fn wipes(t: f64) -> [f64; 3] {
    [0.2 + 0.25 * sway(t, 0.8), 1.45, 0.45]
}

pub fn guard(_: f64) -> [f64; 3] {
    [0.15, 1.35, 0.3]
}

pub fn holds_box(mps: f64) -> Puppet {
    walk(mps).hands(|_| [0.18, 1.0, 0.3])
}

pub fn arms_ahead(mps: f64) -> Puppet {
    walk(mps).hands(|_| [0.2, 1.35, 0.45])
}

pub fn punches_and_kicks(punch: &'static [f64], kick: &'static [f64]) -> Puppet {
    stand()
        .hand(Right, punching(punch))
        .foot(Right, kicking(kick, 0.9))
}

pub fn comes_to_kick(side: Side) -> Puppet {
    kicker(side, &[2.2], 0.9).ahead(|t| 1.2 * (1.0 - ramp(t, 1.0, 0.5)))
}
