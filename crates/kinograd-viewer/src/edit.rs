//! Editing of scenes, as plain functions: what can be taken hold of, and how it moves.

use bevy::math::Vec2;
use kinograd::GenerateRequest;
use kinograd::guidance::Shape;
use kinograd::guidance::scene::{Goal, Obstacle, Prompt, SCHEMA, Scene, TimedPoint};

/// Part of a scene that can be dragged over the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Grip {
    /// A point of a goal.
    Goal {
        /// Index of the goal.
        goal: usize,
        /// Index of its point.
        point: usize,
    },
    /// An obstacle as a whole.
    Obstacle(usize),
}

/// A scene with one prompt and nothing else.
#[must_use]
pub fn plain_scene(prompt: &str, duration_secs: f64) -> Scene {
    Scene {
        schema: SCHEMA,
        name: prompt.to_owned(),
        description: String::new(),
        duration_secs,
        prompts: vec![Prompt {
            text: prompt.to_owned(),
            from_secs: None,
            to_secs: None,
        }],
        goals: Vec::new(),
        obstacles: Vec::new(),
    }
}

/// An upright circle that the pelvis keeps out of.
#[must_use]
pub fn round_obstacle(center_m: [f64; 2], radius_m: f64) -> Option<Obstacle> {
    let shape = Shape::Circle { center_m, radius_m };
    // What a scene leaves out has the format's defaults.
    let json = serde_json::json!({ "shape": shape });
    serde_json::from_value(json).ok()
}

/// The scene that a request's goals on the ground amount to.
#[must_use]
pub fn scene_of_request(request: &GenerateRequest) -> Scene {
    let mut scene = plain_scene(&request.prompt, request.duration_secs);
    let mut from = None;
    scene.prompts.clear();
    let texts = std::iter::once(request.prompt.as_str());
    let texts = texts.chain(request.then.iter().map(|then| then.prompt.as_str()));
    let ends = request.then.iter().map(|then| Some(then.seconds));
    for (text, to_secs) in texts.zip(ends.chain([None])) {
        scene.prompts.push(Prompt {
            text: text.to_owned(),
            from_secs: from,
            to_secs,
        });
        from = to_secs;
    }
    if let Some(target) = request.target {
        scene.goals.push(Goal::RootTarget {
            position_m: target.xz_m,
            time_secs: target.seconds,
            weight: 1.0,
        });
    }
    if !request.waypoints.is_empty() {
        let point = |goal: &kinograd::Goal| TimedPoint {
            position_m: goal.xz_m,
            time_secs: goal.seconds,
        };
        scene.goals.push(Goal::Waypoints {
            points: request.waypoints.iter().map(point).collect(),
            weight: 1.0,
        });
    }
    let circles = request.obstacles.iter();
    let circles = circles.filter_map(|circle| round_obstacle(circle.xz_m, circle.radius_m));
    scene.obstacles.extend(circles);
    scene
}

/// Everything that can be dragged, with its place on the ground, `(x, z)`, metres.
#[must_use]
pub fn grips(scene: &Scene) -> Vec<(Grip, Vec2)> {
    let mut all = Vec::new();
    for (goal, stated) in scene.goals.iter().enumerate() {
        for (point, place) in goal_points(stated).into_iter().enumerate() {
            all.push((Grip::Goal { goal, point }, place));
        }
    }
    for (index, obstacle) in scene.obstacles.iter().enumerate() {
        all.push((Grip::Obstacle(index), shape_center(&obstacle.shape)));
    }
    all
}

/// What a point on the ground takes hold of: the nearest point of a goal within `reach_m`, else the
/// obstacle that covers it.
#[must_use]
pub fn grip_at(scene: &Scene, at: Vec2, reach_m: f32) -> Option<Grip> {
    let near = grips(scene)
        .into_iter()
        .filter(|(grip, place)| matches!(grip, Grip::Goal { .. }) && place.distance(at) <= reach_m)
        .min_by(|a, b| a.1.distance(at).total_cmp(&b.1.distance(at)));
    near.map(|(grip, _)| grip).or_else(|| {
        let covers = |obstacle: &Obstacle| {
            let height = if shape_is_on_ground(&obstacle.shape) {
                0.0
            } else {
                shape_height(&obstacle.shape)
            };
            obstacle
                .shape
                .distance_m([f64::from(at.x), height, f64::from(at.y)])
                .0
                <= f64::from(0.3 * reach_m)
        };
        scene.obstacles.iter().position(covers).map(Grip::Obstacle)
    })
}

/// Moves what is held so that its place is `to`; false where there is no such thing.
pub fn move_grip(scene: &mut Scene, grip: Grip, to: Vec2) -> bool {
    match grip {
        Grip::Goal { goal, point } => scene
            .goals
            .get_mut(goal)
            .is_some_and(|stated| move_goal_point(stated, point, to)),
        Grip::Obstacle(index) => match scene.obstacles.get_mut(index) {
            Some(obstacle) => {
                let by = to - shape_center(&obstacle.shape);
                move_shape(&mut obstacle.shape, [f64::from(by.x), f64::from(by.y)]);
                true
            }
            None => false,
        },
    }
}

/// Removes what is held; false where there is no such thing.
pub fn remove_grip(scene: &mut Scene, grip: Grip) -> bool {
    match grip {
        Grip::Goal { goal, point } => {
            let Some(stated) = scene.goals.get_mut(goal) else {
                return false;
            };
            match stated {
                Goal::Waypoints { points, .. } if points.len() > 1 && point < points.len() => {
                    points.remove(point);
                }
                _ => {
                    scene.goals.remove(goal);
                }
            }
            true
        }
        Grip::Obstacle(index) if index < scene.obstacles.len() => {
            scene.obstacles.remove(index);
            true
        }
        Grip::Obstacle(_) => false,
    }
}

/// Adds a root target, or moves the one that is there.
pub fn set_target(scene: &mut Scene, to: Vec2) {
    let target = scene
        .goals
        .iter()
        .position(|goal| matches!(goal, Goal::RootTarget { .. }));
    if let Some(goal) = target {
        move_grip(scene, Grip::Goal { goal, point: 0 }, to);
    } else {
        scene.goals.push(Goal::RootTarget {
            position_m: pair(to),
            time_secs: None,
            weight: 1.0,
        });
    }
}

/// Adds a waypoint in the middle of the longest time without a goal.
pub fn add_waypoint(scene: &mut Scene, to: Vec2) {
    let mut times: Vec<f64> = vec![0.0, scene.duration_secs];
    for goal in &scene.goals {
        if let Goal::Waypoints { points, .. } = goal {
            times.extend(points.iter().filter_map(|point| point.time_secs));
        }
    }
    times.sort_by(f64::total_cmp);
    let longest = times
        .windows(2)
        .max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
    let time = longest.map_or(0.5 * scene.duration_secs, |gap| gap[0].midpoint(gap[1]));
    let point = TimedPoint {
        position_m: pair(to),
        time_secs: Some((10.0 * time).round() / 10.0),
    };
    for goal in &mut scene.goals {
        if let Goal::Waypoints { points, .. } = goal {
            points.push(point);
            points.sort_by(|a, b| {
                let end = f64::INFINITY;
                (a.time_secs.unwrap_or(end)).total_cmp(&b.time_secs.unwrap_or(end))
            });
            return;
        }
    }
    scene.goals.push(Goal::Waypoints {
        points: vec![point],
        weight: 1.0,
    });
}

fn pair(point: Vec2) -> [f64; 2] {
    // Centimetres: what a hand can place, and what reads well in a file.
    [point.x, point.y].map(|v| (100.0 * f64::from(v)).round() / 100.0)
}

fn ground(point: [f64; 2]) -> Vec2 {
    Vec2::new(point[0] as f32, point[1] as f32)
}

/// Points of a goal that lie on the ground.
#[must_use]
pub fn goal_points(goal: &Goal) -> Vec<Vec2> {
    match goal {
        Goal::RootTarget { position_m, .. } => vec![ground(*position_m)],
        Goal::Waypoints { points, .. } => points.iter().map(|p| ground(p.position_m)).collect(),
        Goal::Trajectory { path_m, .. } => path_m.iter().map(|&p| ground(p)).collect(),
        Goal::KeepIn { shape, .. } => vec![shape_center(shape)],
        Goal::Facing {
            towards_m: Some(point),
            ..
        } => vec![ground(*point)],
        Goal::JointTarget {
            position_m: [Some(x), _, Some(z)],
            relative_to: None,
            ..
        } => vec![ground([*x, *z])],
        _ => Vec::new(),
    }
}

fn move_goal_point(goal: &mut Goal, point: usize, to: Vec2) -> bool {
    match goal {
        Goal::RootTarget { position_m, .. } => *position_m = pair(to),
        Goal::Waypoints { points, .. } => match points.get_mut(point) {
            Some(stated) => stated.position_m = pair(to),
            None => return false,
        },
        Goal::Trajectory { path_m, .. } => match path_m.get_mut(point) {
            Some(stated) => *stated = pair(to),
            None => return false,
        },
        Goal::KeepIn { shape, .. } => {
            let by = to - shape_center(shape);
            move_shape(shape, [f64::from(by.x), f64::from(by.y)]);
        }
        Goal::Facing {
            towards_m: Some(stated),
            ..
        } => *stated = pair(to),
        Goal::JointTarget {
            position_m: [Some(x), _, Some(z)],
            relative_to: None,
            ..
        } => [*x, *z] = pair(to),
        _ => return false,
    }
    true
}

fn shape_is_on_ground(shape: &Shape) -> bool {
    matches!(
        shape,
        Shape::Circle { .. } | Shape::Box { .. } | Shape::Capsule { .. } | Shape::Polygon { .. }
    )
}

/// Height of a solid's centre, metres; 0 for shapes on the ground.
fn shape_height(shape: &Shape) -> f64 {
    match shape {
        Shape::Sphere { center_m, .. } | Shape::Box3d { center_m, .. } => center_m[1],
        Shape::Capsule3d { from_m, to_m, .. } => from_m[1].midpoint(to_m[1]),
        _ => 0.0,
    }
}

/// The middle of a shape on the ground, metres.
#[must_use]
pub fn shape_center(shape: &Shape) -> Vec2 {
    match shape {
        Shape::Circle { center_m, .. } | Shape::Box { center_m, .. } => ground(*center_m),
        Shape::Capsule { from_m, to_m, .. } => (ground(*from_m) + ground(*to_m)) / 2.0,
        Shape::Polygon { points_m } => {
            let sum: Vec2 = points_m.iter().map(|&p| ground(p)).sum();
            sum / points_m.len().max(1) as f32
        }
        Shape::Sphere { center_m, .. } | Shape::Box3d { center_m, .. } => {
            ground([center_m[0], center_m[2]])
        }
        Shape::Capsule3d { from_m, to_m, .. } => {
            (ground([from_m[0], from_m[2]]) + ground([to_m[0], to_m[2]])) / 2.0
        }
        _ => Vec2::ZERO,
    }
}

fn move_shape(shape: &mut Shape, by: [f64; 2]) {
    let cm = |v: f64| (100.0 * v).round() / 100.0;
    let flat = |point: &mut [f64; 2]| *point = [cm(point[0] + by[0]), cm(point[1] + by[1])];
    let solid = |p: &mut [f64; 3]| *p = [cm(p[0] + by[0]), p[1], cm(p[2] + by[1])];
    match shape {
        Shape::Circle { center_m, .. } | Shape::Box { center_m, .. } => flat(center_m),
        Shape::Capsule { from_m, to_m, .. } => {
            flat(from_m);
            flat(to_m);
        }
        Shape::Polygon { points_m } => points_m.iter_mut().for_each(flat),
        Shape::Sphere { center_m, .. } | Shape::Box3d { center_m, .. } => solid(center_m),
        Shape::Capsule3d { from_m, to_m, .. } => {
            solid(from_m);
            solid(to_m);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Scene {
        let mut scene = plain_scene("a person walks", 6.0);
        set_target(&mut scene, Vec2::new(2.0, 3.0));
        add_waypoint(&mut scene, Vec2::new(0.5, 1.0));
        scene.obstacles.extend(round_obstacle([1.0, 1.5], 0.5));
        scene
    }

    #[test]
    fn the_nearest_point_is_taken_before_the_obstacle_under_it() {
        let scene = scene();
        assert_eq!(
            grip_at(&scene, Vec2::new(2.1, 3.0), 0.3),
            Some(Grip::Goal { goal: 0, point: 0 })
        );
        assert_eq!(
            grip_at(&scene, Vec2::new(1.2, 1.6), 0.3),
            Some(Grip::Obstacle(0))
        );
        assert_eq!(grip_at(&scene, Vec2::new(-3.0, -3.0), 0.3), None);
    }

    #[test]
    fn whatever_is_moved_ends_where_it_was_put_and_the_scene_stays_valid() {
        let mut scene = scene();
        for (index, (grip, _)) in grips(&scene).into_iter().enumerate() {
            let to = Vec2::new(1.5 + index as f32, -1.25);
            assert!(move_grip(&mut scene, grip, to));
            let now = grips(&scene).into_iter().find(|(g, _)| *g == grip).unwrap();
            assert!(now.1.distance(to) < 0.006, "{grip:?}: {}", now.1);
        }
        scene.check().unwrap();
        assert!(!move_grip(&mut scene, Grip::Obstacle(7), Vec2::ZERO));
    }

    #[test]
    fn every_shape_moves_by_its_middle() {
        let shapes = [
            r#"{"kind": "circle", "center_m": [1, 2], "radius_m": 0.4}"#,
            r#"{"kind": "box", "center_m": [1, 2], "half_extents_m": [0.5, 0.4], "yaw_deg": 20}"#,
            r#"{"kind": "capsule", "from_m": [0, 2], "to_m": [2, 2], "radius_m": 0.3}"#,
            r#"{"kind": "polygon", "points_m": [[1, 1], [2, 1], [1, 3]]}"#,
            r#"{"kind": "sphere", "center_m": [1, 1, 2], "radius_m": 0.4}"#,
            r#"{"kind": "box_3d", "center_m": [1, 1, 2], "half_extents_m": [0.5, 0.4, 0.2]}"#,
            r#"{"kind": "capsule_3d", "from_m": [0, 1, 2], "to_m": [2, 1, 2], "radius_m": 0.3}"#,
        ];
        for json in shapes {
            let mut shape: Shape = serde_json::from_str(json).unwrap();
            let before = shape_center(&shape);
            move_shape(&mut shape, [0.5, -1.0]);
            let moved = shape_center(&shape) - before;
            assert!(
                moved.distance(Vec2::new(0.5, -1.0)) < 0.01,
                "{json}: {moved}"
            );
        }
    }

    #[test]
    fn a_request_is_the_scene_it_came_from() {
        let request = GenerateRequest::builder("a person walks")
            .then("a person sits down", 3.0)
            .target(2.0, 3.0)
            .waypoint(1.0, 1.0, 2.0)
            .obstacle(1.0, 2.0, 0.5)
            .build()
            .unwrap();
        let scene = scene_of_request(&request);
        scene.check().unwrap();
        let again = kinograd::request_from_scene(&scene)
            .unwrap()
            .build()
            .unwrap();
        assert_eq!(again.target.map(|t| t.xz_m), request.target.map(|t| t.xz_m));
        assert_eq!(again.waypoints, request.waypoints);
        assert_eq!(again.obstacles, request.obstacles);
        assert_eq!(again.then, request.then);
    }

    #[test]
    fn removing_takes_one_point_at_a_time() {
        let mut scene = scene();
        add_waypoint(&mut scene, Vec2::new(1.0, 2.0));
        assert_eq!(grips(&scene).len(), 4);
        assert!(remove_grip(&mut scene, Grip::Goal { goal: 1, point: 0 }));
        assert_eq!(grips(&scene).len(), 3);
        assert!(remove_grip(&mut scene, Grip::Goal { goal: 1, point: 0 }));
        assert!(remove_grip(&mut scene, Grip::Obstacle(0)));
        assert_eq!(
            grips(&scene),
            vec![(Grip::Goal { goal: 0, point: 0 }, Vec2::new(2.0, 3.0))]
        );
    }
}
