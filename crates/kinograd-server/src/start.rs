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
