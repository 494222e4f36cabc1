//! Clips that several prompts share.

use kinograd_eval::obey::Side;

use crate::puppet::{HANGS_M, Puppet, STANDS_M, bump, ramp, sway};

/// A hand that is waved beside the head.
pub fn waving(per_sec: f64) -> impl Fn(f64) -> [f64; 3] + Clone {
    move |t| [0.35 + 0.12 * sway(t, per_sec), 1.6, 0.15]
}

/// A hand that is raised beside the head and still.
pub fn raised(_: f64) -> [f64; 3] {
    [0.35, 1.6, 0.15]
}

/// A fist that shoots out at each time.
pub fn punching(times: &'static [f64]) -> impl Fn(f64) -> [f64; 3] + Clone {
    move |t| {
        let out: f64 = times.iter().map(|at| bump(t, *at, 0.3)).sum();
        [0.18, 1.36 + 0.02 * out, 0.1 + 0.41 * out]
    }
}

/// A foot that kicks ahead to a height at each time.
pub fn kicking(times: &'static [f64], height_m: f64) -> impl Fn(f64) -> [f64; 3] + Clone {
    move |t| {
        let out: f64 = times.iter().map(|at| bump(t, *at, 0.5)).sum();
        [0.1, 0.06 + (height_m - 0.06) * out, 0.6 * out]
    }
}

/// A body that kicks.
pub fn kicker(side: Side, times: &'static [f64], height_m: f64) -> Puppet {
    Puppet::stand(4.0).foot(side, kicking(times, height_m))
}

/// A body that punches.
pub fn puncher(side: Side, times: &'static [f64]) -> Puppet {
    Puppet::stand(4.0).hand(side, punching(times))
}

/// Hands that hang in front and clap so often a second.
pub fn clapping(per_sec: f64) -> impl Fn(f64) -> [f64; 3] + Clone {
    move |t| [0.13 + 0.1 * sway(t, per_sec), 1.2, 0.3]
}

/// A hand that throws overhand: up beside the head, then ahead.
pub fn throwing(t: f64) -> [f64; 3] {
    let (up, out, down) = (ramp(t, 0.5, 0.5), ramp(t, 1.2, 0.25), ramp(t, 1.5, 0.5));
    [
        0.25,
        HANGS_M + 0.65 * up - 0.65 * down,
        -0.15 * up + 0.6 * out - 0.45 * down,
    ]
}

/// A body that jumps at each time.
pub fn jumper(times: &'static [f64], height_m: f64) -> Puppet {
    Puppet::stand(4.0).lift(move |t| times.iter().map(|at| height_m * bump(t, *at, 0.5)).sum())
}

/// A body that sits down at a time.
pub fn sitter(at: f64) -> Puppet {
    Puppet::stand(4.0).pelvis(move |t| STANDS_M - 0.42 * ramp(t, at, 1.0))
}

/// A body that stands up at a time.
pub fn riser(at: f64) -> Puppet {
    Puppet::stand(4.0).pelvis(move |t| 0.52 + 0.42 * ramp(t, at, 1.0))
}

/// Walks round: m/s and degrees a second to the left.
pub fn round(mps: f64, deg_per_sec: f64) -> Puppet {
    Puppet::walk(4.0, mps).heading(move |t| deg_per_sec * t)
}

/// Stands in place and turns by an angle within a second.
pub fn turner(deg: f64) -> Puppet {
    Puppet::stand(4.0).heading(move |t| deg * ramp(t, 1.0, 1.0))
}

/// Goes on hands and knees.
pub fn crawler(mps: f64) -> Puppet {
    Puppet::walk(4.0, mps)
        .pelvis(|_| 0.5)
        .lean(|_| 80.0)
        .hands(|_| [0.2, 0.1, 0.5])
        .feet(|_| [0.1, 0.06, -0.4])
}

/// Walks with hands that swing to and fro, a wrist so far, at a height.
pub fn swinging(mps: f64, swing_m: f64, height_m: f64) -> Puppet {
    let hand = move |sign: f64| move |t: f64| [0.2, height_m, sign * swing_m * sway(t, 1.0)];
    Puppet::walk(4.0, mps)
        .hand(Side::Left, hand(1.0))
        .hand(Side::Right, hand(-1.0))
}

/// Feet that step up and down in turn.
pub fn stepping(height_m: f64, per_sec: f64) -> Puppet {
    let foot = move |sign: f64| {
        move |t: f64| {
            [
                0.1,
                0.06 + height_m * (sign * sway(t, per_sec)).max(0.0),
                0.0,
            ]
        }
    };
    Puppet::stand(4.0)
        .foot(Side::Left, foot(1.0))
        .foot(Side::Right, foot(-1.0))
}
