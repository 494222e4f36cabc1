//! A request's goals for the guidance and as measurements.

use kinograd_guidance::{Barrier, Circle, Frame, GroundGoals, Obstacles, Reduction, Waypoint};
use kinograd_motion::metrics::{deepest_penetration_m, target_error_m};
use ndarray::ArrayView3;

use crate::request::MODEL_FPS;
use crate::{Error, GenerateRequest, Goal};

/// Metres outside an obstacle's edge where the barrier begins, as in the code of Shen et al. 2024.
const MARGIN_M: f64 = 0.2;
/// Weight of the squared depth inside the margin, against the squared distance from the goals.
const BARRIER_WEIGHT: f64 = 10.0;

/// The barrier around obstacles, for methods that follow a loss.
pub(crate) fn barrier() -> Result<Obstacles, Error> {
    Ok(Obstacles::new(
        Barrier::SquaredHinge {
            weight: BARRIER_WEIGHT,
        },
        MARGIN_M,
        Reduction::Sum,
    )?)
}

/// A request's goals and obstacles on the ground.
pub(crate) fn ground_goals(request: &GenerateRequest) -> Result<GroundGoals, Error> {
    let waypoint = |goal: &Goal| -> Result<Waypoint, Error> {
        Ok(Waypoint {
            position_m: goal.xz_m,
            frame: frame_of(request, goal).map_or(Frame::Last, Frame::At),
        })
    };
    Ok(GroundGoals {
        waypoints: request
            .target
            .iter()
            .chain(&request.waypoints)
            .map(waypoint)
            .collect::<Result<_, _>>()?,
        obstacles: request
            .obstacles
            .iter()
            .map(|obstacle| Circle {
                center_m: obstacle.xz_m,
                radius_m: obstacle.radius_m,
            })
            .collect(),
    })
}

/// The model's frame at a goal's time; `None` for the last.
fn frame_of(request: &GenerateRequest, goal: &Goal) -> Option<usize> {
    let frame = (goal.seconds? * MODEL_FPS).round() as usize;
    Some(frame.min(request.frames().saturating_sub(1)))
}

/// How well a clip met its goals.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Met {
    pub target_error_m: Option<f64>,
    pub waypoint_errors_m: Vec<f64>,
    pub max_penetration_m: Option<f64>,
}

/// Measures joints `[frames, 22, 3]` at the model's frame rate.
pub(crate) fn measure(request: &GenerateRequest, joints: ArrayView3<'_, f32>) -> Met {
    let error = |goal: &Goal| target_error_m(joints, goal.xz_m, frame_of(request, goal));
    let circles: Vec<[f64; 3]> = request
        .obstacles
        .iter()
        .map(|o| [o.xz_m[0], o.xz_m[1], o.radius_m])
        .collect();
    Met {
        target_error_m: request.target.as_ref().map(error),
        waypoint_errors_m: request.waypoints.iter().map(error).collect(),
        max_penetration_m: (!circles.is_empty()).then(|| deepest_penetration_m(joints, &circles)),
    }
}
