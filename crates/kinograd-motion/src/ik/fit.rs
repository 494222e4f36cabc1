//! Fit of local rotations to joint positions.

use glam::{DQuat, DVec3};

use super::align::{best_rotation, swing, twist_about, wrapped};
use crate::{Motion, MotionError, Skeleton};

/// Rotations on `skeleton` whose forward kinematics come as near as they can to `joints`
/// (`[frame][joint]`, metres, in the skeleton's order).
///
/// Joints with several children get the best rotation in the least-squares sense; joints with
/// one child get the shortest rotation that points the bone at the child's target, seen from
/// where the joint really is, so that errors do not pile up along a limb. What positions leave
/// open is chosen as a body would: thighs and upper arms twist so that knees and elbows bend
/// about their hinges (a straight leg follows its foot, a straight arm does not twist), the twist between pelvis and
/// chest spreads along the spine, and leaves do not turn. Quaternions keep their signs in time.
///
/// Where the joints were made by the same skeleton, they are reproduced exactly.
///
/// # Errors
/// When the skeleton is not sound, a frame has another number of joints than it, a number is not finite, or
/// `fps` is not positive.
pub fn fit_rotations(
    skeleton: &Skeleton,
    joints: &[Vec<DVec3>],
    fps: f64,
) -> Result<Motion, MotionError> {
    check(skeleton, joints, fps)?;
    let mut fit = Fit::new(skeleton, joints);
    for joint in 0..skeleton.len() {
        fit.solve(joint);
    }
    Ok(fit.into_motion(fps))
}

fn check(skeleton: &Skeleton, joints: &[Vec<DVec3>], fps: f64) -> Result<(), MotionError> {
    skeleton.validate()?;
    for (frame, positions) in joints.iter().enumerate() {
        if positions.len() != skeleton.len() {
            return Err(MotionError::Shape {
                what: "joints",
                expected: format!("[frames, {}, 3]", skeleton.len()),
                got: vec![joints.len(), positions.len(), 3],
            });
        }
        if let Some(joint) = positions.iter().position(|p| !p.is_finite()) {
            return Err(MotionError::Format {
                format: "joints",
                message: format!(
                    "frame {frame}, joint `{}`: {} is not finite",
                    skeleton.names[joint], positions[joint]
                ),
            });
        }
    }
    if !(fps.is_finite() && fps > 0.0) {
        return Err(MotionError::Format {
            format: "frame rate",
            message: format!("expected a positive number, got {fps}"),
        });
    }
    Ok(())
}

/// Axis, in the rest frame of the upper bone's joint, about which the next joint flexes.
fn hinge_axis(upper: &str) -> Option<DVec3> {
    match upper {
        "left_hip" | "right_hip" => Some(DVec3::X),
        "left_shoulder" => Some(DVec3::NEG_Y),
        "right_shoulder" => Some(DVec3::Y),
        _ => None,
    }
}

struct Fit<'a> {
    skeleton: &'a Skeleton,
    targets: &'a [Vec<DVec3>],
    children: Vec<Vec<usize>>,
    /// `[joint][frame]`.
    positions: Vec<Vec<DVec3>>,
    world: Vec<Vec<DQuat>>,
}

impl<'a> Fit<'a> {
    fn new(skeleton: &'a Skeleton, targets: &'a [Vec<DVec3>]) -> Self {
        let mut children = vec![Vec::new(); skeleton.len()];
        for (joint, parent) in skeleton.parents.iter().enumerate() {
            if let Some(parent) = *parent {
                children[parent].push(joint);
            }
        }
        Self {
            skeleton,
            targets,
            children,
            positions: Vec::with_capacity(skeleton.len()),
            world: Vec::with_capacity(skeleton.len()),
        }
    }

    /// Places a joint and finds its rotation in the world, for all frames; parents come first.
    fn solve(&mut self, joint: usize) {
        let offset = self.skeleton.offsets_m[joint];
        let frames = self.targets.len();
        let parent = self.skeleton.parents[joint];
        let positions: Vec<DVec3> = (0..frames)
            .map(|frame| match parent {
                None => self.targets[frame][joint],
                Some(parent) => self.positions[parent][frame] + self.world[parent][frame] * offset,
            })
            .collect();
        let base: Vec<DQuat> = match parent {
            None => vec![DQuat::IDENTITY; frames],
            Some(parent) => self.world[parent].clone(),
        };
        self.positions.push(positions);
        let world = match self.children[joint].as_slice() {
            [] => base,
            [child] => self.point_at(joint, *child, base),
            _ => self.align(joint, &base),
        };
        self.world.push(world);
        if self.children[joint].len() > 1 {
            self.spread_twist(joint);
        }
    }

    fn toward(&self, joint: usize, child: usize, frame: usize) -> DVec3 {
        self.targets[frame][child] - self.positions[joint][frame]
    }

    /// Least squares over all children, weighing directions by bone length.
    fn align(&self, joint: usize, base: &[DQuat]) -> Vec<DQuat> {
        let mut previous: Option<DQuat> = None;
        (0..self.targets.len())
            .map(|frame| {
                let pairs: Vec<_> = self.children[joint]
                    .iter()
                    .map(|&child| {
                        let to = self.toward(joint, child, frame);
                        (self.skeleton.offsets_m[child], to, 1.0)
                    })
                    .collect();
                let prior = previous.unwrap_or(base[frame]);
                let rotation = best_rotation(&pairs, prior);
                previous = Some(rotation);
                rotation
            })
            .collect()
    }

    /// Shortest swing to the only child, then the twist that suits the hinge after it.
    fn point_at(&self, joint: usize, child: usize, base: Vec<DQuat>) -> Vec<DQuat> {
        let offset = self.skeleton.offsets_m[child];
        let hinge = hinge_axis(&self.skeleton.names[joint]);
        let fallback = hinge.unwrap_or_else(|| offset.any_orthogonal_vector());
        let mut world: Vec<DQuat> = base
            .iter()
            .enumerate()
            .map(|(frame, &parent)| {
                let to = self.toward(joint, child, frame);
                (swing(parent * offset, to, parent * fallback) * parent).normalize()
            })
            .collect();
        if let (Some(hinge), [lower]) = (hinge, self.children[child].as_slice())
            && let Some(bone) = offset.try_normalize()
        {
            let foot = match self.children[*lower].as_slice() {
                [foot] => Some(*foot),
                _ => None,
            };
            let twists: Vec<(f64, f64)> = world
                .iter()
                .enumerate()
                .map(|(frame, &rotation)| {
                    let targets = &self.targets[frame];
                    let middle = self.positions[joint][frame] + rotation * offset;
                    let to_upper = rotation.conjugate();
                    let to_end = to_upper * (targets[*lower] - middle);
                    let foot = foot.map(|foot| to_upper * (targets[foot] - targets[*lower]));
                    hinge_twist(bone, to_end, foot, hinge)
                })
                .collect();
            for (rotation, twist) in world.iter_mut().zip(smooth_twist(&twists)) {
                *rotation *= DQuat::from_axis_angle(bone, twist);
            }
        }
        world
    }

    /// Spreads the twist between this joint and the last ancestor with several children over
    /// the bones between them. Positions do not change: each bone turns about itself.
    fn spread_twist(&mut self, joint: usize) {
        let mut chain = Vec::new();
        let mut child = joint;
        while let Some(parent) = self.skeleton.parents[child] {
            if self.children[parent].len() != 1 {
                break;
            }
            chain.push((parent, child));
            child = parent;
        }
        let Some(&(last, _)) = chain.first() else {
            return;
        };
        let Some(axis) = self.skeleton.offsets_m[joint].try_normalize() else {
            return;
        };
        let mut previous = 0.0;
        for frame in 0..self.targets.len() {
            let relative = self.world[last][frame].conjugate() * self.world[joint][frame];
            let twist = previous + wrapped(twist_about(relative, axis) - previous);
            previous = twist;
            for (above, &(bone_joint, bone_child)) in chain.iter().enumerate() {
                let share = (chain.len() - above) as f64 / (chain.len() + 1) as f64;
                if let Some(bone) = self.skeleton.offsets_m[bone_child].try_normalize() {
                    self.world[bone_joint][frame] *= DQuat::from_axis_angle(bone, twist * share);
                }
            }
        }
    }

    fn into_motion(self, fps: f64) -> Motion {
        let mut local_rotations: Vec<Vec<DQuat>> = Vec::with_capacity(self.targets.len());
        for frame in 0..self.targets.len() {
            let mut rotations: Vec<DQuat> = (0..self.skeleton.len())
                .map(|joint| {
                    let world = self.world[joint][frame];
                    let local = match self.skeleton.parents[joint] {
                        None => world,
                        Some(parent) => self.world[parent][frame].conjugate() * world,
                    };
                    let local = local.normalize();
                    if local.w < 0.0 { -local } else { local }
                })
                .collect();
            if let Some(previous) = local_rotations.last() {
                crate::resample::keep_signs(previous, &mut rotations);
            }
            local_rotations.push(rotations);
        }
        Motion {
            skeleton: self.skeleton.clone(),
            fps,
            root_in_world_m: self.targets.iter().map(|f| f[0]).collect(),
            local_rotations,
            translations: std::collections::BTreeMap::new(),
        }
    }
}

/// Twist about `bone` that lets the lower bone bend about `hinge`, and how much to trust it, in
/// [0, 1]. All directions are in the upper joint's frame: `lower` from the middle joint to the
/// end, `foot` from the end on, where there is a foot. A bent limb shows its hinge by its plane;
/// a straight leg by where its foot points.
fn hinge_twist(bone: DVec3, lower: DVec3, foot: Option<DVec3>, hinge: DVec3) -> (f64, f64) {
    let Some(lower) = lower.try_normalize() else {
        return (0.0, 0.0);
    };
    let Some(axis) = hinge.reject_from_normalized(bone).try_normalize() else {
        return (0.0, 0.0);
    };
    // Across the bone; the length is the sine of the angle between the two.
    let flat = |v: DVec3| v.reject_from_normalized(bone);
    let flexed = bone.cross(lower);
    let folded = bone.dot(lower) < 0.0;
    // Past a right angle the sine shrinks again, though the plane stays as clear for long.
    let bend_trust = if folded {
        ramp(flexed.length(), 0.02, 0.3)
    } else {
        ramp(flexed.length(), 0.08, 0.5)
    };
    let mut normal = flexed.normalize_or_zero() * bend_trust;
    if let Some(foot) = foot.and_then(DVec3::try_normalize) {
        let across = flat(foot.cross(lower));
        let foot_trust = (1.0 - bend_trust) * ramp(across.length(), 0.1, 0.6);
        normal += across.normalize_or_zero() * foot_trust;
    }
    let angle = axis.cross(normal).dot(bone).atan2(axis.dot(normal));
    (angle, normal.length().min(1.0))
}

/// Smooth step from 0 at `low` to 1 at `high`.
fn ramp(x: f64, low: f64, high: f64) -> f64 {
    let x = ((x - low) / (high - low)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// Twist in time: follows `(angle, trust)`, fades to zero where nothing is known, and does not
/// jump. Minimises `Σ trust (x − angle)² + REST x² + SMOOTH (x − x₋₁)²` by the tridiagonal
/// algorithm, with angles unwrapped in time first.
fn smooth_twist(wanted: &[(f64, f64)]) -> Vec<f64> {
    const SMOOTH: f64 = 1.0;
    const REST: f64 = 0.02;
    let frames = wanted.len();
    let mut near = 0.0;
    let mut upper = vec![0.0; frames];
    let mut value = vec![0.0; frames];
    for (frame, &(angle, trust)) in wanted.iter().enumerate() {
        let angle = near + wrapped(angle - near);
        // Full turns are never kept: the estimate follows trusted frames and sinks to rest.
        near += trust * (angle - near);
        near *= 1.0 - REST;
        let first = frame == 0;
        let last = frame + 1 == frames;
        let below = if first { 0.0 } else { -SMOOTH };
        let diagonal =
            trust + REST + if first { 0.0 } else { SMOOTH } + if last { 0.0 } else { SMOOTH };
        let (upper_before, value_before) = if first {
            (0.0, 0.0)
        } else {
            (upper[frame - 1], value[frame - 1])
        };
        let pivot = diagonal - below * upper_before;
        upper[frame] = if last { 0.0 } else { -SMOOTH / pivot };
        value[frame] = (trust * angle - below * value_before) / pivot;
    }
    for frame in (0..frames.saturating_sub(1)).rev() {
        value[frame] -= upper[frame] * value[frame + 1];
    }
    value
}
