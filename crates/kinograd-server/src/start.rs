//! Where a clip starts, as far as the request's places tell.

use crate::placement::Placement;
use crate::plan::Figure;
use crate::pose::{Pose, heading_rad};
use crate::request::Request;
use crate::request::constraints::Constraint;

/// A place farther from the origin than this speed covers was meant for a clip that starts nearer,
/// metres per second.
const REACHED_MPS: f64 = 1.6;
/// How fast the clip then comes to it.
const WALK_MPS: f64 = 1.2;
/// Places nearer than this tell no direction, metres.
const TELLS_M: f64 = 0.2;

/// A place of the root, and its heading where that is stated.
struct Stated {
    frame: i64,
    place_xz: [f64; 2],
    heading_rad: Option<f64>,
}

/// Where the clip of a request starts. A place or a heading at frame 0 is where it starts; else it
/// starts at the origin facing +Z, or, where that is too far from its first place, behind that.
pub(crate) fn start_of(request: &Request, figure: &Figure) -> Placement {
    let stated = stated(request, figure);
    let Some(first) = stated.first() else {
        return Placement::default();
    };
    let [x, z] = first.place_xz;
    let seconds = first.frame as f64 / request.fps;
    let onwards = stated.iter().find_map(|other| {
        let [dx, dz] = [other.place_xz[0] - x, other.place_xz[1] - z];
        (dx.hypot(dz) > TELLS_M).then(|| dx.atan2(dz))
    });
    if first.frame == 0 {
        return Placement {
            start_xz: first.place_xz,
            yaw_rad: first.heading_rad.or(onwards).unwrap_or(0.0),
        };
    }
    if x.hypot(z) <= REACHED_MPS * seconds {
        return Placement::default();
    }
    let yaw_rad = first.heading_rad.or(onwards).unwrap_or(0.0);
    let back = WALK_MPS * seconds;
    Placement {
        start_xz: [x - back * yaw_rad.sin(), z - back * yaw_rad.cos()],
        yaw_rad,
    }
}

/// What is stated of the root, or else of joints, in order of time.
fn stated(request: &Request, figure: &Figure) -> Vec<Stated> {
    let mut stated = Vec::new();
    let mut near = Vec::new();
    for constraint in &request.constraints {
        match constraint {
            Constraint::RootPath(path) => {
                let headings = path.heading_radians.as_ref();
                for (index, (frame, place)) in
                    path.frames.iter().zip(&path.positions_xz).enumerate()
                {
                    stated.push(Stated {
                        frame: *frame,
                        place_xz: *place,
                        heading_rad: headings.and_then(|list| list.get(index).copied()),
                    });
                }
            }
            Constraint::PoseKeyframe(keyframe) => {
                let Some([x, _, z]) = keyframe.root_position else {
                    continue;
                };
                let pose = Pose::of(keyframe, &request.skeleton, figure);
                stated.push(Stated {
                    frame: i64::try_from(keyframe.frame).unwrap_or(i64::MAX),
                    place_xz: [x, z],
                    heading_rad: pose.knows_heading.then(|| heading_rad(&pose.joints_m)),
                });
            }
            Constraint::EffectorTarget(target) => {
                for (frame, [x, _, z]) in target.frames.iter().zip(&target.positions) {
                    near.push(Stated {
                        frame: *frame,
                        place_xz: [*x, *z],
                        heading_rad: None,
                    });
                }
            }
        }
    }
    if stated.is_empty() {
        // A hand's place does not say where the root is: only where the clip has to be near.
        stated = near.into_iter().filter(|place| place.frame > 0).collect();
    }
    stated.sort_by_key(|place| place.frame);
    stated
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

    use serde_json::{Value, json};

    use super::*;
    use crate::capabilities::capabilities;
    use crate::limits::Limits;
    use crate::model::ModelInfo;
    use crate::task::plan_of;

    fn model() -> ModelInfo {
        ModelInfo {
            id: "walker".to_owned(),
            fps: 20.0,
            min_frames: 20,
            max_frames: 200,
        }
    }

    fn request(constraints: &Value, extension: &Value) -> Request {
        let limits = Limits::default();
        let own = capabilities(&model(), &limits);
        let body = json!({
            "protocol_version": "1.2", "model": "walker",
            "skeleton": own["models"][0]["canonical_skeleton"],
            "segments": [{"type": "text", "prompt": "a person walks", "duration_frames": 60}],
            "constraints": constraints, "x_kinograd": extension,
        });
        Request::read(&body, &model(), &limits).unwrap()
    }

    fn start(constraints: &Value) -> ([f64; 2], f64) {
        let placement = start_of(&request(constraints, &json!({})), &Figure::Body);
        (placement.start_xz, placement.yaw_rad)
    }

    #[test]
    fn a_clip_starts_where_its_places_say() {
        let path = |frames: Value, places: Value| json!([{"type": "root_path", "frames": frames, "positions_xz": places}]);
        let from = path(json!([0, 40]), json!([[3, 1], [4, 2]]));
        let (place, yaw) = start(&from);
        assert_eq!(place, [3.0, 1.0]);
        assert!((yaw - FRAC_PI_4).abs() < 1e-12, "{yaw}");
        // 2 s are enough for 2 m from the origin.
        assert_eq!(
            start(&path(json!([40]), json!([[0, 2]]))),
            ([0.0, 0.0], 0.0)
        );
        // A hundred metres are not: it starts 2.4 m before, along the way that goes on to +X.
        let (place, yaw) = start(&path(json!([40, 59]), json!([[100, 5], [101, 5]])));
        assert!((yaw - FRAC_PI_2).abs() < 1e-12, "{yaw}");
        assert!(
            (place[0] - 97.6).abs() < 1e-9 && (place[1] - 5.0).abs() < 1e-9,
            "{place:?}"
        );
    }

    #[test]
    fn a_keyframe_at_the_start_says_where_the_body_faces() {
        let half = FRAC_PI_4.sin();
        let constraints = json!([{
            "type": "pose_keyframe", "frame": 0, "root_position": [1, 0.95, 2],
            "joint_rotations": {"pelvis": [0, half, 0, half]},
        }]);
        let (place, yaw) = start(&constraints);
        assert_eq!(place, [1.0, 2.0]);
        assert!((yaw - FRAC_PI_2).abs() < 1e-6, "{yaw}");
    }

    #[test]
    fn goals_are_in_the_clips_own_frame() {
        let constraints = json!([
            {"type": "root_path", "frames": [0, 40], "positions_xz": [[3, 1], [5, 1]]},
            {"type": "effector_target", "joint": "right_wrist", "frames": [50], "positions": [[5, 1.4, 2]]},
            {"type": "pose_keyframe", "frame": 30, "joint_rotations": {"left_shoulder": [0, 0, 0, 1]}},
        ]);
        let extension = json!({
            "obstacles": [{"shape": {"kind": "circle", "center_m": [4, 1], "radius_m": 0.3}}],
        });
        let plan = plan_of(request(&constraints, &extension), &model()).unwrap();
        let goals = serde_json::to_value(&plan.task.goals).unwrap();
        let close = |value: &Value, expected: &[f64]| {
            let numbers = value.as_array().unwrap().iter().zip(expected);
            let holds = numbers
                .clone()
                .all(|(a, b)| (a.as_f64().unwrap() - b).abs() < 1e-6);
            assert!(holds, "{value} is not {expected:?}");
        };
        // The clip's +Z is the world's +X, its +X the world's -Z.
        close(&goals[0]["points"][0]["position_m"], &[0.0, 2.0]);
        assert_eq!(goals[0]["points"].as_array().unwrap().len(), 1);
        close(&goals[1]["position_m"], &[-1.0, 1.4, 2.0]);
        assert_eq!(goals[1]["time_secs"], 2.5);
        // The arm that rests lies to the left of the body, at the height of its shoulder.
        assert_eq!(goals[2]["joint"], "left_elbow");
        assert_eq!(goals[2]["relative_to"], "body");
        close(&goals[2]["position_m"], &[0.445, 1.385, -0.01]);
        assert_eq!(goals.as_array().unwrap().len(), 3);
        let obstacles = serde_json::to_value(&plan.task.obstacles).unwrap();
        close(&obstacles[0]["shape"]["center_m"], &[0.0, 1.0]);
    }
}
