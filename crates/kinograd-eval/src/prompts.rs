//! The prompts that `eval model` samples, and what a clip of each must do.

use kinograd::motion::Motion;

/// Joints of the canonical skeleton.
const LEFT_HIP: usize = 1;
const RIGHT_HIP: usize = 2;
const ANKLES: [usize; 2] = [7, 8];
const TOES: [usize; 2] = [10, 11];
const SHOULDERS: [usize; 2] = [16, 17];
const WRISTS: [usize; 2] = [20, 21];

/// A prompt and what its clips must do.
#[derive(Debug, Clone, Copy)]
pub struct PromptCase {
    /// The prompt.
    pub prompt: &'static str,
    /// Length to sample, seconds.
    pub duration_secs: f64,
    /// What is checked, in words.
    pub rule: &'static str,
    /// The check.
    pub obeyed: fn(&Movement) -> bool,
}

/// What a body does in a clip, in the frame of its start: facing +Z, left at +X.
#[derive(Debug, Clone, PartialEq)]
pub struct Movement {
    /// Root at the end, metres to the left.
    pub left_m: f64,
    /// Root at the end, metres forward.
    pub forward_m: f64,
    /// Length of the root's path on the ground, metres.
    pub path_m: f64,
    /// Farthest distance of the root from its start, metres.
    pub reach_m: f64,
    /// Mean speed of the root on the ground, m/s.
    pub speed_m_s: f64,
    /// Mean speed over the first and over the last quarter, m/s.
    pub speed_of_quarters_m_s: [f64; 2],
    /// Turn from first to last frame, degrees, positive to the left, unwrapped.
    pub turn_deg: f64,
    /// Height of the pelvis in the first frame, the last frame and at its lowest, metres.
    pub pelvis_m: [f64; 3],
    /// Highest that both toes are at once above where they stand, metres.
    pub both_toes_up_m: f64,
    /// Highest left and right ankle, metres.
    pub ankles_m: [f64; 2],
    /// Highest that a wrist is above its shoulder, metres.
    pub wrist_above_shoulder_m: f64,
    /// Fastest a wrist moves from the root, m/s.
    pub wrist_speed_m_s: f64,
    /// Mean speed of all joints against the root, m/s.
    pub limb_speed_m_s: f64,
}

impl Movement {
    /// Measures a clip on the canonical body; `None` of fewer than two frames.
    #[must_use]
    pub fn of(motion: &Motion) -> Option<Self> {
        let joints = motion.joints_in_world_m();
        let (first, last) = (joints.first()?, joints.last()?);
        if joints.len() < 2 || first.len() < 22 {
            return None;
        }
        let steps: Vec<f64> = joints
            .windows(2)
            .map(|pair| ground(pair[1][0] - pair[0][0]))
            .collect();
        let seconds = steps.len() as f64 / motion.fps;
        let quarter = (steps.len() / 4).max(1);
        let speed = |part: &[f64]| part.iter().sum::<f64>() * motion.fps / part.len() as f64;
        let path_m: f64 = steps.iter().sum();
        let toe_floor = TOES.map(|toe| lowest(&joints, toe));
        let ups: Vec<[f64; 2]> = joints
            .iter()
            .map(|frame| [0, 1].map(|side| frame[TOES[side]].y - toe_floor[side]))
            .collect();
        Some(Self {
            left_m: last[0].x - first[0].x,
            forward_m: last[0].z - first[0].z,
            path_m,
            reach_m: maximum(joints.iter().map(|frame| ground(frame[0] - first[0]))),
            speed_m_s: path_m / seconds,
            speed_of_quarters_m_s: [
                speed(&steps[..quarter]),
                speed(&steps[steps.len() - quarter..]),
            ],
            turn_deg: turn_rad(&joints).to_degrees(),
            pelvis_m: [first[0].y, last[0].y, lowest(&joints, 0)],
            both_toes_up_m: maximum(ups.iter().map(|up| up[0].min(up[1]))),
            ankles_m: ANKLES.map(|ankle| maximum(joints.iter().map(|frame| frame[ankle].y))),
            wrist_above_shoulder_m: maximum(
                joints
                    .iter()
                    .flat_map(|f| [0, 1].map(|side| f[WRISTS[side]].y - f[SHOULDERS[side]].y)),
            ),
            wrist_speed_m_s: maximum(WRISTS.into_iter().flat_map(|wrist| {
                joints.windows(2).map(move |pair| {
                    (pair[1][wrist] - pair[1][0] - pair[0][wrist] + pair[0][0]).length()
                })
            })) * motion.fps,
            limb_speed_m_s: limb_speed(&joints) * motion.fps,
        })
    }
}

fn ground(v: glam::DVec3) -> f64 {
    v.x.hypot(v.z)
}

fn maximum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, f64::max)
}

fn lowest(joints: &[Vec<glam::DVec3>], joint: usize) -> f64 {
    joints
        .iter()
        .map(|frame| frame[joint].y)
        .fold(f64::INFINITY, f64::min)
}

fn limb_speed(joints: &[Vec<glam::DVec3>]) -> f64 {
    let mut sum = 0.0;
    let mut count = 0;
    for pair in joints.windows(2) {
        for joint in 1..pair[0].len() {
            sum += (pair[1][joint] - pair[1][0] - pair[0][joint] + pair[0][0]).length();
            count += 1;
        }
    }
    sum / f64::from(count.max(1))
}

/// Unwrapped turn of the hips' line, positive to the left.
fn turn_rad(joints: &[Vec<glam::DVec3>]) -> f64 {
    use std::f64::consts::{PI, TAU};
    let heading = |frame: &[glam::DVec3]| {
        let across = frame[LEFT_HIP] - frame[RIGHT_HIP];
        (-across.z).atan2(across.x)
    };
    joints
        .windows(2)
        .map(|pair| (heading(&pair[1]) - heading(&pair[0]) + PI).rem_euclid(TAU) - PI)
        .sum()
}

/// The prompts of the protocol.
pub const PROMPTS: [PromptCase; 24] = [
    PromptCase {
        prompt: "a person walks forward",
        duration_secs: 4.0,
        rule: "0.8 to 1.6 m/s, ends in front",
        obeyed: |m| (0.8..=1.6).contains(&m.speed_m_s) && m.forward_m > 1.5 * m.left_m.abs(),
    },
    PromptCase {
        prompt: "a person walks slowly",
        duration_secs: 4.0,
        rule: "0.25 to 1.05 m/s, ends in front",
        obeyed: |m| (0.25..=1.05).contains(&m.speed_m_s) && m.forward_m > m.left_m.abs(),
    },
    PromptCase {
        prompt: "a person walks backwards",
        duration_secs: 4.0,
        rule: "ends more than 0.8 m behind",
        obeyed: |m| m.forward_m < -0.8 && m.forward_m.abs() > m.left_m.abs(),
    },
    PromptCase {
        prompt: "a person jogs forward",
        duration_secs: 4.0,
        rule: "1.5 to 3.5 m/s, ends in front",
        obeyed: |m| (1.5..=3.5).contains(&m.speed_m_s) && m.forward_m > m.left_m.abs(),
    },
    PromptCase {
        prompt: "a person runs forward",
        duration_secs: 3.0,
        rule: "2.5 to 5 m/s, ends in front",
        obeyed: |m| (2.5..=5.0).contains(&m.speed_m_s) && m.forward_m > m.left_m.abs(),
    },
    PromptCase {
        prompt: "a person walks and turns left",
        duration_secs: 4.0,
        rule: "turns 30° or more to the left",
        obeyed: |m| m.turn_deg > 30.0,
    },
    PromptCase {
        prompt: "a person walks and turns right",
        duration_secs: 4.0,
        rule: "turns 30° or more to the right",
        obeyed: |m| m.turn_deg < -30.0,
    },
    PromptCase {
        prompt: "a person turns around",
        duration_secs: 3.0,
        rule: "turns 120° or more",
        obeyed: |m| m.turn_deg.abs() > 120.0,
    },
    PromptCase {
        prompt: "a person steps sideways to the left",
        duration_secs: 3.0,
        rule: "ends 0.3 m or more to the left, turned less than 60°",
        obeyed: |m| m.left_m > 0.3 && m.left_m > m.forward_m.abs() && m.turn_deg.abs() < 60.0,
    },
    PromptCase {
        prompt: "a person steps sideways to the right",
        duration_secs: 3.0,
        rule: "ends 0.3 m or more to the right, turned less than 60°",
        obeyed: |m| m.left_m < -0.3 && -m.left_m > m.forward_m.abs() && m.turn_deg.abs() < 60.0,
    },
    PromptCase {
        prompt: "a person walks in a circle",
        duration_secs: 6.0,
        rule: "turns 200° or more while walking 2 m or more",
        obeyed: |m| m.turn_deg.abs() > 200.0 && m.path_m > 2.0,
    },
    PromptCase {
        prompt: "a person walks forward and stops",
        duration_secs: 4.0,
        rule: "walks 0.8 m or more, last quarter below 0.35 m/s",
        obeyed: |m| m.path_m > 0.8 && m.speed_of_quarters_m_s[1] < 0.35,
    },
    PromptCase {
        prompt: "a person stands and then starts walking",
        duration_secs: 4.0,
        rule: "first quarter below 0.35 m/s, last above 0.5 m/s",
        obeyed: |m| m.speed_of_quarters_m_s[0] < 0.35 && m.speed_of_quarters_m_s[1] > 0.5,
    },
    PromptCase {
        prompt: "a person stands still",
        duration_secs: 4.0,
        rule: "stays within 0.4 m, limbs below 0.25 m/s",
        obeyed: |m| m.reach_m < 0.4 && m.limb_speed_m_s < 0.25,
    },
    PromptCase {
        prompt: "a person jumps",
        duration_secs: 3.0,
        rule: "both toes 8 cm up at once",
        obeyed: |m| m.both_toes_up_m > 0.08,
    },
    PromptCase {
        prompt: "a person hops",
        duration_secs: 3.0,
        rule: "a foot 8 cm up, both 3 cm up at once",
        obeyed: |m| m.both_toes_up_m > 0.03 && m.ankles_m[0].max(m.ankles_m[1]) > 0.16,
    },
    PromptCase {
        prompt: "a person kicks with the right leg",
        duration_secs: 3.0,
        rule: "the right ankle above 0.5 m and the left",
        obeyed: |m| m.ankles_m[1] > 0.5 && m.ankles_m[1] > m.ankles_m[0],
    },
    PromptCase {
        prompt: "a person kicks with the left leg",
        duration_secs: 3.0,
        rule: "the left ankle above 0.5 m and the right",
        obeyed: |m| m.ankles_m[0] > 0.5 && m.ankles_m[0] > m.ankles_m[1],
    },
    PromptCase {
        prompt: "a person throws a punch",
        duration_secs: 3.0,
        rule: "a wrist faster than 2.5 m/s, stays within 1.5 m",
        obeyed: |m| m.wrist_speed_m_s > 2.5 && m.reach_m < 1.5,
    },
    PromptCase {
        prompt: "a person waves",
        duration_secs: 3.0,
        rule: "a wrist above its shoulder, stays within 1 m",
        obeyed: |m| m.wrist_above_shoulder_m > 0.0 && m.reach_m < 1.0,
    },
    PromptCase {
        prompt: "a person sits down",
        duration_secs: 3.0,
        rule: "pelvis ends below 0.75 m and 0.12 m lower than it began",
        obeyed: |m| m.pelvis_m[1] < 0.75 && m.pelvis_m[0] - m.pelvis_m[1] > 0.12,
    },
    PromptCase {
        prompt: "a person stands up",
        duration_secs: 3.0,
        rule: "pelvis starts below 0.75 m and ends above 0.82 m",
        obeyed: |m| m.pelvis_m[0] < 0.75 && m.pelvis_m[1] > 0.82,
    },
    PromptCase {
        prompt: "a person crouches down",
        duration_secs: 3.0,
        rule: "pelvis below 0.75 m",
        obeyed: |m| m.pelvis_m[2] < 0.75,
    },
    PromptCase {
        prompt: "a person dances",
        duration_secs: 6.0,
        rule: "limbs above 0.3 m/s",
        obeyed: |m| m.limb_speed_m_s > 0.3,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synthetic_walk_goes_forward_and_nothing_else() {
        let walk = kinograd::motion::synth::synth_walk(1.2, 5.0, 20.0);
        let movement = Movement::of(&walk).unwrap();
        assert!((movement.speed_m_s - 1.2).abs() < 0.15, "{movement:?}");
        assert!((movement.forward_m - 6.0).abs() < 0.3, "{movement:?}");
        assert!(movement.turn_deg.abs() < 20.0, "{movement:?}");
        let obeyed: Vec<&str> = PROMPTS
            .iter()
            .filter(|case| (case.obeyed)(&movement))
            .map(|case| case.prompt)
            .collect();
        assert!(obeyed.contains(&"a person walks forward"), "{obeyed:?}");
        for other in [
            "a person walks backwards",
            "a person runs forward",
            "a person walks and turns left",
            "a person steps sideways to the left",
            "a person stands still",
            "a person sits down",
            "a person jumps",
        ] {
            assert!(!obeyed.contains(&other), "{other}: {movement:?}");
        }
    }

    #[test]
    fn left_is_left() {
        let mut walk = kinograd::motion::synth::synth_walk(1.0, 4.0, 20.0);
        let frames = walk.len();
        for frame in 0..frames {
            // Turns the body by 90° to the left over the clip.
            let angle = std::f64::consts::FRAC_PI_2 * frame as f64 / (frames - 1) as f64;
            let turn = glam::DQuat::from_rotation_y(angle);
            walk.local_rotations[frame][0] = turn * walk.local_rotations[frame][0];
        }
        let turn_deg = Movement::of(&walk).unwrap().turn_deg;
        assert!((turn_deg - 90.0).abs() < 15.0, "{turn_deg}");
    }
}
