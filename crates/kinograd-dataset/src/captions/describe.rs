//! What a stretch of a clip does, as far as the root and the facing tell.

use std::ops::Range;

use super::{Action, Kinematics};

/// Slower than this is standing, m/s.
const STILL_M_S: f64 = 0.25;
/// From here on it is a run, m/s.
const RUN_M_S: f64 = 2.5;
/// From here on it is a jog even if no flight is seen, m/s.
const JOG_M_S: f64 = 2.2;
/// Nothing slower is a jog, m/s.
const SLOWEST_JOG_M_S: f64 = 1.1;
/// Share of a jog's frames that have no foot on the floor, at least.
const JOG_FLIGHT_SHARE: f64 = 0.05;
/// Rise and fall of the pelvis in a jog, at least, metres.
const JOG_BOUNCE_M: f64 = 0.05;
/// Phases shorter than this are taken as part of their neighbours, frames.
const SHORTEST_PHASE: usize = 9;
/// Mean pelvis height below which a body is bent low, metres (it stands at about 0.95).
const CROUCH_PELVIS_M: f64 = 0.80;
/// Mean pelvis height below which nothing is said of how it moves, metres.
const FLOOR_PELVIS_M: f64 = 0.55;

/// Direction of travel against the facing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Not travelling.
    Still,
    /// Where the body faces.
    Forward,
    /// Where its back faces.
    Backward,
    /// To its left.
    Left,
    /// To its right.
    Right,
    /// Between two of them.
    ForwardLeft,
    /// Between two of them.
    ForwardRight,
    /// Between two of them.
    BackwardLeft,
    /// Between two of them.
    BackwardRight,
}

/// How a body travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gait {
    /// A foot is always on the floor.
    Walk,
    /// Slow running.
    Jog,
    /// Fast running.
    Run,
}

/// A stretch of frames with one direction of travel.
#[derive(Debug, Clone, PartialEq)]
pub struct Phase {
    /// Direction of travel.
    pub direction: Direction,
    /// Frames.
    pub frames: Range<usize>,
    /// Mean ground speed, m/s.
    pub speed_m_s: f64,
    /// How it travels.
    pub gait: Gait,
}

/// What a stretch of a clip does.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The class it is filed under.
    pub action: Action,
    /// Phases in order.
    pub phases: Vec<Phase>,
    /// Change of facing over the stretch, degrees, positive to the left.
    pub turn_deg: f64,
    /// Whether most of the turn happens within about a second.
    pub sharp: bool,
    /// Whether it changes between walking and running: true for faster, false for slower.
    pub faster: Option<bool>,
    /// Whether the body is bent low.
    pub low: bool,
    /// Whether the same words hold for any part of it of a second or more.
    pub uniform: bool,
    /// Mean activity of the limbs, m/s.
    pub activity_m_s: f64,
}

fn direction(speed_m_s: f64, travel_rad: f64) -> Direction {
    if speed_m_s < STILL_M_S {
        return Direction::Still;
    }
    match travel_rad.to_degrees() {
        a if a.abs() <= 35.0 => Direction::Forward,
        a if a.abs() >= 145.0 => Direction::Backward,
        a if (58.0..=122.0).contains(&a) => Direction::Left,
        a if (-122.0..=-58.0).contains(&a) => Direction::Right,
        a if a > 122.0 => Direction::BackwardLeft,
        a if a < -122.0 => Direction::BackwardRight,
        a if a > 0.0 => Direction::ForwardLeft,
        _ => Direction::ForwardRight,
    }
}

/// The phases of a stretch (cut to the clip), short ones joined to the neighbour that is longer.
#[must_use]
pub fn locomotion_phases(kinematics: &Kinematics, frames: Range<usize>) -> Vec<Phase> {
    let frames = frames.start..frames.end.min(kinematics.len());
    let mut runs: Vec<(Direction, Range<usize>)> = Vec::new();
    for frame in frames.clone() {
        let here = direction(kinematics.speed_m_s[frame], kinematics.travel_rad[frame]);
        match runs.last_mut() {
            Some((last, run)) if *last == here => run.end = frame + 1,
            _ => runs.push((here, frame..frame + 1)),
        }
    }
    while runs.len() > 1 {
        let Some((index, length)) = runs
            .iter()
            .enumerate()
            .map(|(i, (_, run))| (i, run.len()))
            .min_by_key(|&(_, length)| length)
        else {
            break;
        };
        if length >= SHORTEST_PHASE {
            break;
        }
        let longer_before = index > 0
            && (index + 1 == runs.len() || runs[index - 1].1.len() >= runs[index + 1].1.len());
        let (_, gone) = runs.remove(index);
        let at = if longer_before { index - 1 } else { index };
        runs[at].1 = runs[at].1.start.min(gone.start)..runs[at].1.end.max(gone.end);
        if at + 1 < runs.len() && runs[at].0 == runs[at + 1].0 {
            let (_, next) = runs.remove(at + 1);
            runs[at].1.end = next.end;
        }
        if at > 0 && runs[at].0 == runs[at - 1].0 {
            let (_, this) = runs.remove(at);
            runs[at - 1].1.end = this.end;
        }
    }
    runs.into_iter()
        .map(|(direction, frames)| Phase {
            speed_m_s: mean(&kinematics.speed_m_s[frames.clone()]),
            gait: gait(kinematics, frames.clone()),
            direction,
            frames,
        })
        .collect()
}

/// Jogs and runs have flight and bounce, walks have neither; between jog and run the speed decides.
fn gait(kinematics: &Kinematics, frames: Range<usize>) -> Gait {
    let speed = mean(&kinematics.speed_m_s[frames.clone()]);
    let flying = kinematics.in_flight[frames.clone()].iter().filter(|f| **f);
    let flight = flying.count() as f64 / frames.len().max(1) as f64;
    let (low, high) = spread(&kinematics.pelvis_m[frames]);
    let bounces = flight > JOG_FLIGHT_SHARE && high - low > JOG_BOUNCE_M;
    match speed {
        s if s >= RUN_M_S => Gait::Run,
        s if s >= JOG_M_S || (s >= SLOWEST_JOG_M_S && bounces) => Gait::Jog,
        _ => Gait::Walk,
    }
}

/// Describes frames `range` of a clip, or `None` where root and facing are not enough to be sure.
#[must_use]
pub fn describe(kinematics: &Kinematics, range: Range<usize>) -> Option<Description> {
    if range.len() < SHORTEST_PHASE || range.end > kinematics.len() {
        return None;
    }
    let pelvis = mean(&kinematics.pelvis_m[range.clone()]);
    let pelvis_low = kinematics.pelvis_m[range.clone()]
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let low = pelvis < CROUCH_PELVIS_M;
    // Getting up or down is told by events.
    if pelvis < FLOOR_PELVIS_M || (!low && pelvis_low < CROUCH_PELVIS_M - 0.08) {
        return None;
    }
    let phases = locomotion_phases(kinematics, range.clone());
    let (first, last) = (range.start, range.end - 1);
    let turn_deg = kinematics.turn_deg(first, last);
    let turn_total: f64 = (first..last)
        .map(|f| kinematics.turn_deg(f, f + 1).abs())
        .sum();
    let activity_m_s = mean(&kinematics.activity_m_s[range.clone()]);
    let steady_turn = turn_total < turn_deg.abs() + 60.0 + 0.25 * turn_deg.abs();
    let sharp = sharpest_second_deg(kinematics, &range) > 0.7 * turn_deg.abs();
    let action = classify(
        kinematics,
        &range,
        &phases,
        turn_deg,
        steady_turn,
        sharp,
        activity_m_s,
    )?;
    let uniform = phases.len() == 1 && turn_total < 30.0 && !matches!(action, Action::Circle);
    Some(Description {
        action: if low { Action::Crouch } else { action },
        phases,
        turn_deg,
        sharp,
        faster: pace_change(kinematics, &range),
        low,
        uniform,
        activity_m_s,
    })
}

fn classify(
    kinematics: &Kinematics,
    range: &Range<usize>,
    phases: &[Phase],
    turn_deg: f64,
    steady_turn: bool,
    sharp: bool,
    activity_m_s: f64,
) -> Option<Action> {
    let forward = |p: &Phase| {
        matches!(
            p.direction,
            Direction::Forward | Direction::ForwardLeft | Direction::ForwardRight
        )
    };
    let still = |p: &Phase| p.direction == Direction::Still;
    // In a turn the travel leads or trails the facing: count the diagonals as forward.
    let turning = turn_deg.abs() > 40.0;
    let all_forward = phases.iter().all(|p| p.direction == Direction::Forward)
        || (turning && phases.iter().all(forward));
    let turned = |fallback: Action| match turn_deg {
        t if t.abs() < 40.0 => fallback,
        t if t.abs() > 135.0 && sharp => Action::TurnAround,
        t if t > 0.0 => Action::TurnLeft,
        _ => Action::TurnRight,
    };
    if !steady_turn {
        return None;
    }
    if all_forward {
        if is_circle(kinematics, range, turn_deg) {
            return Some(Action::Circle);
        }
        if turn_deg.abs() < 40.0 && pace_change(kinematics, range).is_some() {
            return Some(Action::Transition);
        }
        return Some(turned(match gait(kinematics, range.clone()) {
            Gait::Walk => Action::Walk,
            Gait::Jog => Action::Jog,
            Gait::Run => Action::Run,
        }));
    }
    match phases {
        [only] => match only.direction {
            Direction::Still if turning => Some(turned(Action::Idle)),
            Direction::Still if activity_m_s < 0.25 && turn_deg.abs() < 20.0 => Some(Action::Idle),
            Direction::Backward if turn_deg.abs() < 40.0 => Some(Action::WalkBackward),
            Direction::Left if turn_deg.abs() < 30.0 => Some(Action::SidestepLeft),
            Direction::Right if turn_deg.abs() < 30.0 => Some(Action::SidestepRight),
            Direction::ForwardLeft
            | Direction::ForwardRight
            | Direction::BackwardLeft
            | Direction::BackwardRight
                if turn_deg.abs() < 30.0 && only.frames.len() >= 15 =>
            {
                Some(Action::Diagonal)
            }
            _ => None,
        },
        [a, b] if turn_deg.abs() < 30.0 && (still(a) != still(b)) => {
            let moving = if still(a) { b } else { a };
            simple(moving.direction).then_some(Action::StopStart)
        }
        [a, b, c]
            if turn_deg.abs() < 30.0
                && a.direction == c.direction
                && still(b)
                && simple(a.direction) =>
        {
            Some(Action::StopStart)
        }
        [a, b] if turn_deg.abs() < 30.0 && simple(a.direction) && simple(b.direction) => {
            Some(Action::Transition)
        }
        [a, b, c]
            if turn_deg.abs() < 30.0 && still(b) && simple(a.direction) && simple(c.direction) =>
        {
            Some(Action::Transition)
        }
        _ => None,
    }
}

fn simple(direction: Direction) -> bool {
    matches!(
        direction,
        Direction::Forward | Direction::Backward | Direction::Left | Direction::Right
    )
}

/// Whether a stretch goes from a walk to a run (true) or from a run to a walk (false).
fn pace_change(kinematics: &Kinematics, range: &Range<usize>) -> Option<bool> {
    if range.len() < 36 {
        return None;
    }
    let third = range.len() / 3;
    let first = mean(&kinematics.speed_m_s[range.start..range.start + third]);
    let last = mean(&kinematics.speed_m_s[range.end - third..range.end]);
    match (first, last) {
        (a, b) if a < 1.6 && b > 2.2 => Some(true),
        (a, b) if a > 2.2 && b < 1.6 => Some(false),
        _ => None,
    }
}

fn is_circle(kinematics: &Kinematics, range: &Range<usize>, turn_deg: f64) -> bool {
    if turn_deg.abs() < 280.0 {
        return false;
    }
    let path = &kinematics.path_m[range.clone()];
    let length: f64 = path.windows(2).map(|p| p[0].distance(p[1])).sum();
    let (first, last) = (path[0], path[path.len() - 1]);
    let reach = path.iter().map(|p| p.distance(first)).fold(0.0, f64::max);
    reach > 0.5
        && reach < 8.0
        && first.distance(last) < 0.25 * length
        && is_even_turn(kinematics, range, turn_deg)
}

/// Whether every two seconds take their share of the turn, as on a circle and not round corners.
fn is_even_turn(kinematics: &Kinematics, range: &Range<usize>, turn_deg: f64) -> bool {
    let span = 30.min(range.len() - 1);
    let even = turn_deg * span as f64 / (range.len() - 1) as f64;
    (range.start..range.end - span).all(|f| kinematics.turn_deg(f, f + span) / even > 0.35)
}

fn sharpest_second_deg(kinematics: &Kinematics, range: &Range<usize>) -> f64 {
    let span = 24.min(range.len() - 1);
    (range.start..range.end - span)
        .map(|f| kinematics.turn_deg(f, f + span).abs())
        .fold(0.0, f64::max)
}

/// 10th and 90th percentile.
fn spread(values: &[f64]) -> (f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (share * sorted.len().saturating_sub(1) as f64) as usize;
        sorted.get(index).copied().unwrap_or_default()
    };
    (at(0.1), at(0.9))
}

pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
}
