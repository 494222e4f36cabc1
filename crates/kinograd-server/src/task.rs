//! A request as a task of ours.

use std::hash::{BuildHasher, Hasher, RandomState};

use kinograd::goal::{JointTarget, Loop, TimedPoint, Waypoints};
use kinograd::task::Prompt;
use kinograd::{Goal, TaskSpec};

use crate::error::{ApiError, Code};
use crate::model::ModelInfo;
use crate::plan::{Figure, Plan};
use crate::pose::{Pose, facing};
use crate::request::Request;
use crate::request::constraints::{Constraint, EffectorTarget, RootPath, unsupported};
use crate::start::start_of;

/// Places of the root, and headings, are asked for this far apart, seconds: a step of the pelvis at a
/// walk. The way between them is smooth by itself.
const ROOT_APART_SECS: f64 = 0.2;
/// Places of other joints, seconds.
const JOINT_APART_SECS: f64 = 0.1;
/// Stands for the words where nothing is said; the model does not hear it.
const NO_WORDS: &str = "a person moves";

/// What is to be made for a request.
pub(crate) fn plan_of(request: Request, model: &ModelInfo) -> Result<Plan, ApiError> {
    let figure = Figure::of(&request.skeleton)?;
    let placement = start_of(&request, &figure);
    let frames_of_model = (request.seconds() * model.fps - 1e-9).ceil() as usize;
    let frames_of_model = frames_of_model.clamp(model.min_frames, model.max_frames);
    let mut spec = TaskSpec::new(NO_WORDS, frames_of_model as f64 / model.fps);
    spec.model = Some(model.id.clone());
    prompts(&request, &mut spec)?;
    sampling(&request, &mut spec)?;
    let mut goals = goals(&request, &figure)?;
    goals.extend(request.extension.goals.iter().cloned());
    let goals = goals.into_iter().map(|goal| placement.goal_in_clip(goal));
    spec.goals = goals.collect::<Result<_, _>>()?;
    if request.options.is_loop {
        spec.goals.push(Goal::from(Loop {
            in_place: false,
            weight: 1.0,
        }));
    }
    let obstacles = request.extension.obstacles.iter().cloned();
    let obstacles = obstacles.map(|obstacle| placement.obstacle_in_clip(obstacle));
    spec.obstacles = obstacles.collect::<Result<_, _>>()?;
    spec.output.fps = request.fps;
    spec.output.foot_lock = request.options.post_processing;
    Ok(Plan {
        task: spec.check()?,
        figure,
        placement,
        frames: request.frames,
        fps: request.fps,
        is_loop: request.options.is_loop,
        skeleton: request.skeleton,
    })
}

fn prompts(request: &Request, spec: &mut TaskSpec) -> Result<(), ApiError> {
    let segments = &request.segments;
    let told = segments
        .iter()
        .filter(|segment| segment.prompt.is_some())
        .count();
    spec.sampling.cfg = request.options.cfg;
    if let Some(method) = request.extension.method {
        spec.guidance.method = method;
    }
    spec.guidance.text = request.extension.text;
    if told == 0 {
        spec.sampling.cfg = Some(0.0);
        spec.guidance.text = Some(0.0);
        return Ok(());
    }
    if told < segments.len() {
        return Err(ApiError::new(
            Code::UnsupportedSegment,
            "segments of type `unconditioned` are not taken beside those of type `text`",
        ));
    }
    let mut at = 0;
    spec.prompts = Vec::with_capacity(segments.len());
    for segment in segments {
        let text = segment.prompt.clone().unwrap_or_default();
        spec.prompts.push(Prompt {
            from_secs: (at > 0).then_some(at as f64 / request.fps),
            ..Prompt::new(text)
        });
        at += segment.frames;
    }
    Ok(())
}

fn sampling(request: &Request, spec: &mut TaskSpec) -> Result<(), ApiError> {
    let options = &request.options;
    let own = request.segments.iter().filter_map(|segment| segment.seed);
    let of_segment = match request.segments.as_slice() {
        [only] => only.seed,
        _ if own.count() > 0 => {
            let message = "seeds of segments are taken of a single segment alone";
            return Err(ApiError::new(Code::InvalidOptions, message));
        }
        _ => None,
    };
    let seed = of_segment.or(options.seed);
    spec.sampling.seed = seed.map_or_else(random, |seed| seed.bits());
    spec.sampling.count = options.samples;
    if let Some(steps) = options.steps {
        spec.sampling.steps = Some(steps);
    }
    Ok(())
}

/// A number that nobody chose: the keys of the standard library's hash maps are random.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The goals of the constraints, in the client's world.
fn goals(request: &Request, figure: &Figure) -> Result<Vec<Goal>, ApiError> {
    let mut goals = Vec::new();
    for constraint in &request.constraints {
        match constraint {
            Constraint::RootPath(path) => path_goals(path, request.fps, &mut goals),
            Constraint::EffectorTarget(target) => {
                target_goals(target, request.fps, figure, &mut goals)?;
            }
            Constraint::PoseKeyframe(keyframe) => {
                let pose = Pose::of(keyframe, &request.skeleton, figure);
                let time_secs = keyframe.frame as f64 / request.fps;
                goals.extend(pose.goals(keyframe.root_position.is_some(), time_secs));
            }
        }
    }
    Ok(goals)
}

fn path_goals(path: &RootPath, fps: f64, goals: &mut Vec<Goal>) {
    // The clip starts at frame 0's place and heading, if there is one.
    let kept = apart(&path.frames, ROOT_APART_SECS * fps);
    let kept: Vec<usize> = kept.into_iter().filter(|&at| path.frames[at] > 0).collect();
    let time = |at: usize| path.frames[at] as f64 / fps;
    let points = kept.iter().map(|&at| TimedPoint {
        position_m: path.positions_xz[at],
        time_secs: Some(time(at)),
    });
    let points: Vec<TimedPoint> = points.collect();
    if !points.is_empty() {
        goals.push(Goal::from(Waypoints {
            points,
            weight: 1.0,
        }));
    }
    if let Some(headings) = &path.heading_radians {
        goals.extend(kept.iter().map(|&at| facing(headings[at], time(at))));
    }
}

fn target_goals(
    target: &EffectorTarget,
    fps: f64,
    figure: &Figure,
    goals: &mut Vec<Goal>,
) -> Result<(), ApiError> {
    let joint = figure.canonical(&target.joint).ok_or_else(|| {
        let names: Vec<String> = figure.names().into_iter().map(|(_, own)| own).collect();
        unsupported(format!(
            "joint `{}` cannot be a target; those that can: {}",
            target.joint,
            names.join(", ")
        ))
    })?;
    let kept = apart(&target.frames, JOINT_APART_SECS * fps);
    goals.extend(kept.into_iter().map(|at| {
        Goal::from(JointTarget {
            joint: joint.to_owned(),
            position_m: target.positions[at].map(Some),
            relative_to: None,
            time_secs: Some(target.frames[at] as f64 / fps),
            weight: 1.0,
        })
    }));
    Ok(())
}

/// Indices of frames, the last included, of which neighbours are at least so many frames apart.
fn apart(frames: &[i64], least: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..frames.len()).collect();
    order.sort_by_key(|&at| frames[at]);
    let mut kept: Vec<usize> = Vec::new();
    for (rank, &at) in order.iter().enumerate() {
        let is_last = rank + 1 == order.len();
        let far = |&before: &usize| (frames[at] - frames[before]) as f64 >= least;
        if kept.last().is_none_or(far) {
            kept.push(at);
        } else if is_last {
            // The end matters more than the one before it.
            if kept.len() > 1 {
                kept.pop();
            }
            kept.push(at);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_frames_are_thinned_and_both_ends_stay() {
        let frames: Vec<i64> = (0..=29).collect();
        assert_eq!(apart(&frames, 6.0), [0, 6, 12, 18, 29]);
        assert_eq!(apart(&[0, 1], 6.0), [0, 1]);
        assert_eq!(apart(&[40, 0, 80], 6.0), [1, 0, 2]);
        assert_eq!(apart(&[5], 6.0), [0]);
    }
}
