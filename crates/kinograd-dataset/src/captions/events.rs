//! Short actions inside a clip, found from the joints: jumps, kicks, punches, waves, sitting down,
//! standing up and crouching.

use std::ops::Range;

use super::describe::mean;
use super::{Action, Kinematics};
use kinograd_motion::features::FEATURE_FPS;

/// A stretch of a clip around a short action.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it is.
    pub action: Action,
    /// Frames, with room before and after.
    pub frames: Range<usize>,
    /// Frames without that room: of a jump the flight, of a blow the blow.
    pub core: Range<usize>,
    /// Verb phrases for it, the plain one first.
    pub phrases: Vec<&'static str>,
}

const AIRBORNE_FOOT_M: f64 = 0.07;
const JUMP_RISE_M: f64 = 0.11;
const STANDING_PELVIS_M: f64 = 0.82;
const SEATED_PELVIS_M: f64 = 0.66;
/// Pelvis of a body on a high stool, and of one that stands for sure.
const STOOL_PELVIS_M: f64 = 0.865;
const UPRIGHT_PELVIS_M: f64 = 0.89;
/// Mean pelvis height over the whole stay: below it the body lies or sits on the floor.
const ON_FLOOR_M: f64 = 0.35;
/// Above it a seated body leans on a high stool rather than sits on a chair.
const PERCHED_PELVIS_M: f64 = 0.74;

/// How a lowered body is held.
#[derive(Clone, Copy)]
enum Posture {
    Seated,
    Perched,
    Crouched,
}

impl Posture {
    fn lowering(self) -> Vec<&'static str> {
        match self {
            Self::Seated => vec![
                "sits down",
                "is sitting down",
                "takes a seat",
                "lowers themselves to sit",
                "stands and then sits down",
            ],
            Self::Perched => vec![
                "sits on a high stool",
                "perches on a stool",
                "leans onto a high stool",
                "stands and then sits on a high stool",
            ],
            Self::Crouched => vec![
                "crouches down",
                "squats down",
                "bends the knees and crouches",
                "crouches",
                "squats",
            ],
        }
    }

    fn rising(self) -> Vec<&'static str> {
        match self {
            Self::Seated => vec![
                "stands up",
                "gets up from sitting",
                "stands up from a seat",
                "rises from sitting",
                "gets up",
            ],
            Self::Perched => vec![
                "rises from a high stool",
                "gets off a high stool",
                "leaves a high stool",
            ],
            Self::Crouched => vec![
                "stands up from a crouch",
                "stands up",
                "rises from a crouch",
                "gets up",
                "straightens up",
            ],
        }
    }

    fn staying(self) -> Vec<&'static str> {
        match self {
            Self::Perched => vec!["perches on a high stool", "sits on a high stool"],
            Self::Seated | Self::Crouched => {
                vec!["sits", "is sitting", "stays seated", "sits still"]
            }
        }
    }
}

/// Events of a clip, by kind and then by time. `sits` says that the clip is known to show sitting:
/// then a small lowering of the pelvis, as onto a high stool, is enough.
#[must_use]
pub fn find_events(kinematics: &Kinematics, sits: bool) -> Vec<Event> {
    if kinematics.len() < 20 {
        return Vec::new();
    }
    let mut events = jumps(kinematics);
    events.extend(kicks(kinematics));
    events.extend(punches(kinematics));
    events.extend(waves(kinematics));
    events.extend(height_changes(kinematics, sits));
    events
}

/// Frames `around`, widened by `before` and `after` and cut to the clip.
fn widen(
    kinematics: &Kinematics,
    around: Range<usize>,
    before: usize,
    after: usize,
) -> Range<usize> {
    around.start.saturating_sub(before)..(around.end + after).min(kinematics.len())
}

/// Stretches of frames where `holds`, those closer than `gap` joined.
fn stretches(frames: usize, gap: usize, holds: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for frame in (0..frames).filter(|&f| holds(f)) {
        match found.last_mut() {
            Some(last) if frame <= last.end + gap => last.end = frame + 1,
            _ => found.push(frame..frame + 1),
        }
    }
    found
}

/// Both feet off the floor and the pelvis well above where it was: a jump, not the flight of a run.
/// Where one foot stays up before, during and after, it is a hop.
fn jumps(kinematics: &Kinematics) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for air in stretches(kinematics.len(), 1, |f| kinematics.in_flight[f]) {
        if !(2..=24).contains(&air.len()) {
            continue;
        }
        let around = widen(kinematics, air.clone(), 24, 24);
        let mut heights = kinematics.pelvis_m[around].to_vec();
        heights.sort_by(f64::total_cmp);
        let usual = heights[heights.len() / 2].max(0.85);
        let top = kinematics.pelvis_m[air.clone()]
            .iter()
            .copied()
            .fold(0.0, f64::max);
        let near = widen(kinematics, air.clone(), 4, 4);
        let held = (0..2).find(|&foot| near.clone().all(|f| kinematics.feet_m[f][foot] > 0.14));
        let approach = mean(&kinematics.speed_m_s[air.start.saturating_sub(20)..=air.start]);
        let (action, phrases) = match held {
            Some(foot) if approach < 1.6 && top > usual + 0.03 => (Action::Hop, hop_phrases(foot)),
            _ if air.len() >= 3 && top > usual + JUMP_RISE_M && is_high(kinematics, &air) => {
                (Action::Jump, jump_phrases(kinematics, &air, approach))
            }
            _ => continue,
        };
        match events.last_mut() {
            // Hop after hop is one stretch of hopping.
            Some(last)
                if action == Action::Hop
                    && last.action == Action::Hop
                    && last.phrases == phrases
                    && air.start < last.frames.end + 6
                    && air.end < last.frames.start + 120 =>
            {
                last.frames.end = (air.end + 10).min(kinematics.len());
                last.core.end = air.end;
            }
            _ => events.push(Event {
                action,
                core: air.clone(),
                frames: if action == Action::Hop {
                    widen(kinematics, air, 10, 10)
                } else {
                    widen(kinematics, air, 18, 18)
                },
                phrases,
            }),
        }
    }
    events
}

/// Whether both feet get well off the floor at the same time.
fn is_high(kinematics: &Kinematics, air: &Range<usize>) -> bool {
    let high = |f: &usize| kinematics.feet_m[*f].iter().all(|&h| h > AIRBORNE_FOOT_M);
    air.clone().filter(high).count() >= 3
}

fn hop_phrases(held: usize) -> Vec<&'static str> {
    if held == 1 {
        vec![
            "hops on one foot",
            "hops on the left foot",
            "hops",
            "is hopping on one leg",
            "hops on their left leg",
        ]
    } else {
        vec![
            "hops on one foot",
            "hops on the right foot",
            "hops",
            "is hopping on one leg",
            "hops on their right leg",
        ]
    }
}

fn jump_phrases(
    kinematics: &Kinematics,
    air: &Range<usize>,
    approach_m_s: f64,
) -> Vec<&'static str> {
    let (start, end) = (air.start, air.end - 1);
    let step = kinematics.path_m[end] - kinematics.path_m[start];
    let forward = kinematics.forward(start);
    let ahead = step.x * forward.x + step.y * forward.z;
    if approach_m_s > 1.6 {
        vec![
            "runs and jumps",
            "jumps while running",
            "leaps forward",
            "runs and leaps",
        ]
    } else if ahead > 0.35 {
        vec![
            "jumps forward",
            "jumps",
            "makes a jump forward",
            "leaps forward",
        ]
    } else if ahead < -0.3 {
        vec!["jumps backwards", "jumps back"]
    } else {
        vec![
            "jumps",
            "jumps up",
            "jumps in place",
            "is jumping",
            "makes a jump",
            "jumps up in the air",
        ]
    }
}

/// An ankle above most of hip height, quickly, while the other foot stands.
fn kicks(kinematics: &Kinematics) -> Vec<Event> {
    let mut events = Vec::new();
    for leg in 0..2 {
        let other = 1 - leg;
        let high = |f: usize| {
            kinematics.ankles_m[f][leg].y > 0.62
                && kinematics.ankles_m[f][leg].y > kinematics.pelvis_m[f] - 0.33
                && kinematics.feet_m[f][other] < 0.12
                && kinematics.pelvis_m[f] > 0.7
        };
        for up in stretches(kinematics.len(), 2, high) {
            let around = widen(kinematics, up.clone(), 8, 8);
            let fastest = (around.start + 1..around.end)
                .map(|f| {
                    (kinematics.ankles_m[f][leg] - kinematics.ankles_m[f - 1][leg]).length()
                        * FEATURE_FPS
                })
                .fold(0.0, f64::max);
            let frame = (up.start + up.end) / 2;
            let reach = kinematics.ankles_m[frame][leg];
            let forward = kinematics.forward(frame);
            let ahead = (reach.x - kinematics.path_m[frame].x) * forward.x
                + (reach.z - kinematics.path_m[frame].y) * forward.z;
            if fastest < 3.0 || up.len() > 14 || ahead < -0.1 {
                continue;
            }
            events.push(Event {
                action: Action::Kick,
                core: up.clone(),
                frames: widen(kinematics, up, 16, 16),
                phrases: if leg == 0 {
                    vec![
                        "kicks with the left leg",
                        "kicks",
                        "does a left kick",
                        "kicks with their left foot",
                        "throws a kick",
                        "does a high kick",
                    ]
                } else {
                    vec![
                        "kicks with the right leg",
                        "kicks",
                        "does a right kick",
                        "kicks with their right foot",
                        "throws a kick",
                        "does a high kick",
                    ]
                },
            });
        }
    }
    events
}

/// A wrist that shoots forward at the height of chest and head until the arm is nearly straight.
fn punches(kinematics: &Kinematics) -> Vec<Event> {
    let mut found = Vec::new();
    for arm in 0..2 {
        let extension = |f: usize| {
            let reach = kinematics.wrists_m[f][arm] - kinematics.shoulders_m[f][arm];
            reach.dot(kinematics.forward(f))
        };
        let fast = |f: usize| {
            if f < 2 {
                return false;
            }
            let height = kinematics.wrists_m[f][arm].y - kinematics.shoulders_m[f][arm].y;
            (extension(f) - extension(f - 2)) * FEATURE_FPS / 2.0 > 2.4
                && extension(f) > 0.33
                && height.abs() < 0.3
                && kinematics.pelvis_m[f] > 0.6
        };
        found.extend(
            stretches(kinematics.len(), 4, fast)
                .into_iter()
                .map(|f| (arm, f)),
        );
    }
    found.sort_by_key(|(_, frames)| frames.start);
    let mut events: Vec<Event> = Vec::new();
    for (arm, frames) in found {
        let wide = widen(kinematics, frames.clone(), 14, 16);
        match events.last_mut() {
            // Two punches in one stretch are told without a side.
            Some(last) if wide.start < last.frames.end - 8 && wide.end - last.frames.start < 90 => {
                last.frames.end = wide.end;
                last.core.end = frames.end;
                last.phrases = vec![
                    "throws punches",
                    "punches",
                    "is punching",
                    "punches several times",
                    "boxes",
                ];
            }
            _ => events.push(Event {
                action: Action::Punch,
                core: frames,
                frames: wide,
                phrases: if arm == 0 {
                    vec![
                        "punches with the left hand",
                        "punches",
                        "throws a punch",
                        "throws a left punch",
                        "punches forward",
                    ]
                } else {
                    vec![
                        "punches with the right hand",
                        "punches",
                        "throws a punch",
                        "throws a right punch",
                        "punches forward",
                    ]
                },
            }),
        }
    }
    events
}

/// A raised hand that swings from side to side about the elbow while the body stands.
fn waves(kinematics: &Kinematics) -> Vec<Event> {
    const SPAN: usize = 30;
    let mut events = Vec::new();
    for arm in 0..2 {
        let raised = |f: usize| {
            let wrist = kinematics.wrists_m[f][arm].y;
            wrist > kinematics.elbows_m[f][arm].y
                && wrist > kinematics.shoulders_m[f][arm].y - 0.12
                && kinematics.speed_m_s[f] < 0.4
                && kinematics.pelvis_m[f] > SEATED_PELVIS_M
        };
        let sideways: Vec<f64> = (0..kinematics.len())
            .map(|f| {
                let (sin, cos) = kinematics.facing_rad[f].sin_cos();
                let forearm = kinematics.wrists_m[f][arm] - kinematics.elbows_m[f][arm];
                forearm.x * cos - forearm.z * sin
            })
            .collect();
        for up in stretches(kinematics.len(), 3, raised) {
            if up.len() < SPAN {
                continue;
            }
            let starts = up.end - SPAN + 1 - up.start;
            let waving = |k: usize| {
                let from = up.start + k;
                swings(&sideways[from..from + SPAN], 0.06) >= 3
            };
            for run in stretches(starts, 10, waving) {
                let run = up.start + run.start..up.start + run.end;
                let end = (run.end + SPAN).min(run.start + 90).min(up.end);
                events.push(Event {
                    action: Action::Wave,
                    core: run.start..end,
                    frames: widen(kinematics, run.start..end, 6, 6),
                    phrases: if arm == 0 {
                        vec![
                            "waves with the left hand",
                            "waves",
                            "waves a hand",
                            "is waving",
                            "raises the left hand and waves",
                        ]
                    } else {
                        vec![
                            "waves with the right hand",
                            "waves",
                            "waves a hand",
                            "is waving",
                            "raises the right hand and waves",
                        ]
                    },
                });
            }
        }
    }
    events.sort_by_key(|event| event.frames.start);
    join_both_hands(events)
}

/// Waves of both hands at the same time are one event.
fn join_both_hands(events: Vec<Event>) -> Vec<Event> {
    let mut joined: Vec<Event> = Vec::new();
    for event in events {
        match joined.last_mut() {
            Some(last) if event.frames.start + 10 < last.frames.end => {
                last.frames.end = last.frames.end.max(event.frames.end);
                last.core.end = last.core.end.max(event.core.end);
                last.phrases = vec![
                    "waves both hands",
                    "waves",
                    "waves with both arms",
                    "is waving both hands",
                    "waves their arms",
                ];
            }
            _ => joined.push(event),
        }
    }
    joined
}

/// Number of times a curve turns back by at least `amplitude`.
fn swings(values: &[f64], amplitude: f64) -> usize {
    let Some(&first) = values.first() else {
        return 0;
    };
    // `extreme` is the furthest point in the present direction.
    let (mut extreme, mut rising, mut count) = (first, None, 0);
    for &value in values {
        match rising {
            None if (value - first).abs() > amplitude => {
                (rising, extreme) = (Some(value > first), value);
            }
            Some(up) if (value > extreme) == up => extreme = value,
            Some(up) if (value - extreme).abs() > amplitude => {
                (rising, extreme) = (Some(!up), value);
                count += 1;
            }
            _ => {}
        }
    }
    count
}

/// Sitting down, standing up and crouching: the pelvis leaves one level and stays at another.
fn height_changes(kinematics: &Kinematics, sits: bool) -> Vec<Event> {
    let (down_m, up_m) = if sits {
        (STOOL_PELVIS_M, UPRIGHT_PELVIS_M)
    } else {
        (SEATED_PELVIS_M, STANDING_PELVIS_M)
    };
    let frames = kinematics.len();
    let low = stretches(frames, 4, |f| kinematics.pelvis_m[f] < down_m);
    let mut events = Vec::new();
    for down in low {
        if down.len() < if sits { 20 } else { 12 } {
            continue;
        }
        let middle = (down.start + down.end) / 2;
        let seated = sits || is_seated(kinematics, middle);
        let height_m = mean(&kinematics.pelvis_m[down.clone()]);
        if height_m < ON_FLOOR_M {
            continue;
        }
        let posture = match (seated, height_m > PERCHED_PELVIS_M) {
            (true, true) => Posture::Perched,
            (true, false) => Posture::Seated,
            (false, _) => Posture::Crouched,
        };
        let stood_before = (down.start.saturating_sub(40)..down.start)
            .rev()
            .find(|&f| kinematics.pelvis_m[f] > up_m);
        let stood_after =
            (down.end..(down.end + 40).min(frames)).find(|&f| kinematics.pelvis_m[f] > up_m);
        if let Some(from) = stood_before {
            let stay = down.len().min(30);
            events.push(Event {
                action: if seated { Action::Sit } else { Action::Crouch },
                core: from..down.start + stay,
                frames: widen(kinematics, from..down.start + stay, 10, 0),
                phrases: posture.lowering(),
            });
        }
        if let Some(to) = stood_after {
            let stay = down.len().min(30);
            events.push(Event {
                action: Action::StandUp,
                core: down.end - stay..to,
                frames: widen(kinematics, down.end - stay..to, 0, 12),
                phrases: posture.rising(),
            });
        }
        if seated && down.len() > 50 {
            let stay = down.start + 5..(down.end - 5).min(down.start + 105);
            events.push(Event {
                action: Action::Sit,
                core: stay.clone(),
                frames: stay,
                phrases: posture.staying(),
            });
        }
    }
    events
}

/// Sitting rather than squatting: the pelvis is well behind or beside the ankles, not over them.
fn is_seated(kinematics: &Kinematics, frame: usize) -> bool {
    let ankles = (kinematics.ankles_m[frame][0] + kinematics.ankles_m[frame][1]) / 2.0;
    let away = (ankles.x - kinematics.path_m[frame].x).hypot(ankles.z - kinematics.path_m[frame].y);
    away > 0.27
        && mean(&kinematics.speed_m_s[frame.saturating_sub(5)..(frame + 5).min(kinematics.len())])
            < 0.35
}
