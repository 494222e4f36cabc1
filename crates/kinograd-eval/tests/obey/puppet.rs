//! A body that is moved by formulas.

use std::rc::Rc;

use glam::DVec3;
use kinograd_eval::obey::{JointTrack, Side};

/// Heights over the pelvis of a body that stands, metres.
const SHOULDERS_M: f64 = 0.47;
const NECK_M: f64 = 0.515;
/// Height of the pelvis of a body that stands, metres.
pub const STANDS_M: f64 = 0.94;
/// Height of a hand that hangs, metres.
pub const HANGS_M: f64 = STANDS_M - 0.04;

type Number = Rc<dyn Fn(f64) -> f64>;
type Place = Rc<dyn Fn(f64) -> [f64; 3]>;

/// Formulas of time in seconds.
#[derive(Clone)]
pub struct Puppet {
    secs: f64,
    fps: f64,
    ahead_mps: Number,
    left_mps: Number,
    heading_deg: Number,
    pelvis_m: Number,
    lift_m: Number,
    lean_deg: Number,
    twist_deg: Number,
    head_deg: Number,
    /// Metres to the left of the pelvis, above the floor, ahead of the pelvis.
    wrists: [Option<Place>; 2],
    ankles: [Option<Place>; 2],
    /// Height of the head in place of what the trunk says.
    head_m: Option<Number>,
}

fn index(side: Side) -> usize {
    usize::from(side == Side::Right)
}

/// Rises from 0 to 1 and falls again within `width` seconds from `at` on.
pub fn bump(secs: f64, at: f64, width: f64) -> f64 {
    let share = (secs - at) / width;
    if (0.0..1.0).contains(&share) {
        (std::f64::consts::PI * share).sin().powi(2)
    } else {
        0.0
    }
}

/// Rises from 0 to 1 within `width` seconds from `at` on, and stays.
pub fn ramp(secs: f64, at: f64, width: f64) -> f64 {
    let share = ((secs - at) / width).clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// Swings between −1 and 1 so often a second.
pub fn sway(secs: f64, per_sec: f64) -> f64 {
    (std::f64::consts::TAU * per_sec * secs).sin()
}

impl Puppet {
    /// Stands, the hands hanging.
    pub fn stand(secs: f64) -> Self {
        let constant = |value: f64| -> Number { Rc::new(move |_| value) };
        Self {
            secs,
            fps: 20.0,
            ahead_mps: constant(0.0),
            left_mps: constant(0.0),
            heading_deg: constant(0.0),
            pelvis_m: constant(STANDS_M),
            lift_m: constant(0.0),
            lean_deg: constant(0.0),
            twist_deg: constant(0.0),
            head_deg: constant(0.0),
            wrists: [None, None],
            ankles: [None, None],
            head_m: None,
        }
    }

    /// Goes straight ahead.
    pub fn walk(secs: f64, mps: f64) -> Self {
        Self::stand(secs).ahead(move |_| mps)
    }

    pub fn fps(mut self, fps: f64) -> Self {
        self.fps = fps;
        self
    }

    pub fn ahead(mut self, mps: impl Fn(f64) -> f64 + 'static) -> Self {
        self.ahead_mps = Rc::new(mps);
        self
    }

    pub fn left(mut self, mps: impl Fn(f64) -> f64 + 'static) -> Self {
        self.left_mps = Rc::new(mps);
        self
    }

    pub fn heading(mut self, deg: impl Fn(f64) -> f64 + 'static) -> Self {
        self.heading_deg = Rc::new(deg);
        self
    }

    pub fn pelvis(mut self, m: impl Fn(f64) -> f64 + 'static) -> Self {
        self.pelvis_m = Rc::new(m);
        self
    }

    /// Lifts the whole body, feet and all.
    pub fn lift(mut self, m: impl Fn(f64) -> f64 + 'static) -> Self {
        self.lift_m = Rc::new(m);
        self
    }

    pub fn lean(mut self, deg: impl Fn(f64) -> f64 + 'static) -> Self {
        self.lean_deg = Rc::new(deg);
        self
    }

    pub fn twist(mut self, deg: impl Fn(f64) -> f64 + 'static) -> Self {
        self.twist_deg = Rc::new(deg);
        self
    }

    pub fn head_turn(mut self, deg: impl Fn(f64) -> f64 + 'static) -> Self {
        self.head_deg = Rc::new(deg);
        self
    }

    pub fn head_at(mut self, m: impl Fn(f64) -> f64 + 'static) -> Self {
        self.head_m = Some(Rc::new(m));
        self
    }

    /// A hand: metres outward from the middle of the body, above the floor, ahead.
    pub fn hand(mut self, side: Side, place: impl Fn(f64) -> [f64; 3] + 'static) -> Self {
        self.wrists[index(side)] = Some(Rc::new(place));
        self
    }

    pub fn hands(self, place: impl Fn(f64) -> [f64; 3] + Clone + 'static) -> Self {
        let other = place.clone();
        self.hand(Side::Left, place).hand(Side::Right, other)
    }

    /// A foot, as a hand.
    pub fn foot(mut self, side: Side, place: impl Fn(f64) -> [f64; 3] + 'static) -> Self {
        self.ankles[index(side)] = Some(Rc::new(place));
        self
    }

    pub fn feet(self, place: impl Fn(f64) -> [f64; 3] + Clone + 'static) -> Self {
        let other = place.clone();
        self.foot(Side::Left, place).foot(Side::Right, other)
    }

    /// The clip.
    pub fn track(&self) -> JointTrack {
        JointTrack::from_frames(&self.frames(), self.fps).unwrap()
    }

    fn frames(&self) -> Vec<Vec<DVec3>> {
        // Small steps, so that the way does not depend on the frame rate.
        const STEPS: usize = 60;
        let count = (self.secs * self.fps).round() as usize + 1;
        let dt = 1.0 / (self.fps * STEPS as f64);
        let (mut x, mut z) = (0.0, 0.0);
        (0..count)
            .map(|frame| {
                let secs = frame as f64 / self.fps;
                let pose = self.pose(secs, [x, z]);
                for step in 0..STEPS {
                    let now = secs + step as f64 * dt;
                    let (sin, cos) = (self.heading_deg)(now).to_radians().sin_cos();
                    let (ahead, left) = ((self.ahead_mps)(now), (self.left_mps)(now));
                    x += dt * (ahead * sin + left * cos);
                    z += dt * (ahead * cos - left * sin);
                }
                pose
            })
            .collect()
    }

    fn pose(&self, secs: f64, [x, z]: [f64; 2]) -> Vec<DVec3> {
        let pelvis_m = (self.pelvis_m)(secs);
        let lean = (self.lean_deg)(secs).to_radians();
        let twist = (self.twist_deg)(secs).to_radians();
        let head = (self.head_deg)(secs).to_radians();
        let trunk =
            |left: f64, up: f64| DVec3::new(left, pelvis_m + up * lean.cos(), up * lean.sin());
        let neck = trunk(0.0, NECK_M);
        let mut joints = vec![trunk(0.0, 0.2); 22];
        joints[0] = trunk(0.0, 0.0);
        joints[12] = neck;
        joints[15] = neck + DVec3::new(0.035 * head.sin(), 0.1, 0.035 * head.cos());
        if let Some(height) = &self.head_m {
            joints[15].y = height(secs);
        }
        for side in Side::BOTH {
            let sign = side.sign();
            let hip = DVec3::new(0.085 * sign, pelvis_m - 0.085, 0.0);
            let shoulder = trunk(0.18 * sign * twist.cos(), SHOULDERS_M)
                - DVec3::Z * 0.18 * sign * twist.sin();
            let at = |place: &Option<Place>, otherwise: [f64; 3]| {
                let [out, up, ahead] = place.as_ref().map_or(otherwise, |place| place(secs));
                DVec3::new(sign * out, up, ahead)
            };
            let wrist = at(&self.wrists[index(side)], [0.2, pelvis_m - 0.04, 0.0]);
            let ankle = at(&self.ankles[index(side)], [0.1, 0.06, 0.0]);
            joints[side.hip()] = hip;
            joints[side.knee()] = bent(hip, ankle, [0.415, 0.395], DVec3::Z);
            joints[side.ankle()] = ankle;
            joints[side.toe()] = ankle + DVec3::new(0.0, -0.045, 0.13);
            joints[side.shoulder()] = shoulder;
            joints[side.elbow()] = bent(shoulder, wrist, [0.265, 0.25], DVec3::NEG_Y);
            joints[side.wrist()] = wrist;
        }
        let lift = (self.lift_m)(secs);
        let (sin, cos) = (self.heading_deg)(secs).to_radians().sin_cos();
        joints
            .into_iter()
            .map(|p| {
                DVec3::new(
                    x + p.x * cos + p.z * sin,
                    p.y + lift,
                    z - p.x * sin + p.z * cos,
                )
            })
            .collect()
    }
}

/// The joint between two others on bones of given lengths, bent towards `way`.
fn bent(from: DVec3, to: DVec3, [upper, lower]: [f64; 2], way: DVec3) -> DVec3 {
    let along = to - from;
    let length = along.length().max(1e-9);
    let first = (upper * upper - lower * lower + length * length) / (2.0 * length);
    let first = first.clamp(0.0, length);
    let out = (upper * upper - first * first).max(0.0).sqrt();
    let direction = along / length;
    let across = (way - direction * way.dot(direction)).normalize_or_zero();
    from + direction * first + across * if length < upper + lower { out } else { 0.0 }
}
