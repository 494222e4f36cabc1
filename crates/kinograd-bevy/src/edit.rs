//! Editing of tasks, as plain functions: what can be taken hold of, and how it moves.

use bevy::math::{Ray3d, Vec2, Vec3Swizzles};
use kinograd::goal::{MotionGoal, RootTarget, TimedPoint, Waypoints};
use kinograd::{Goal, Obstacle, TaskSpec};

/// Part of a task that can be dragged over the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handle {
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

/// Everything that can be dragged, with its place on the ground, `(x, z)`, metres.
#[must_use]
pub fn handles(task: &TaskSpec) -> Vec<(Handle, Vec2)> {
    let mut all = Vec::new();
    for (goal, stated) in task.goals.iter().enumerate() {
        for (point, place) in stated.handles().into_iter().enumerate() {
            all.push((Handle::Goal { goal, point }, ground(place)));
        }
    }
    for (index, obstacle) in task.obstacles.iter().enumerate() {
        all.push((Handle::Obstacle(index), ground(obstacle.shape.center_m())));
    }
    all
}

/// What a point on the ground takes hold of: the nearest point of a goal within `reach_m`, else the
/// obstacle that covers it.
#[must_use]
pub fn handle_at(task: &TaskSpec, at: Vec2, reach_m: f32) -> Option<Handle> {
    let near = handles(task)
        .into_iter()
        .filter(|(handle, place)| {
            matches!(handle, Handle::Goal { .. }) && place.distance(at) <= reach_m
        })
        .min_by(|a, b| a.1.distance(at).total_cmp(&b.1.distance(at)));
    near.map(|(handle, _)| handle).or_else(|| {
        let covers = |obstacle: &Obstacle| {
            let height = obstacle.shape.center_height_m();
            obstacle
                .shape
                .distance_m([f64::from(at.x), height, f64::from(at.y)])
                .0
                <= f64::from(0.3 * reach_m)
        };
        task.obstacles.iter().position(covers).map(Handle::Obstacle)
    })
}

/// Moves what is held so that its place is `to`; false where there is no such thing.
pub fn move_handle(task: &mut TaskSpec, handle: Handle, to: Vec2) -> bool {
    match handle {
        Handle::Goal { goal, point } => {
            let goal = task.goals.get_mut(goal);
            goal.is_some_and(|goal| goal.move_handle(point, pair(to)))
        }
        Handle::Obstacle(index) => {
            let obstacle = task.obstacles.get_mut(index);
            obstacle.is_some_and(|obstacle| obstacle.move_handle(0, pair(to)))
        }
    }
}

/// Removes what is held; false where there is no such thing.
pub fn remove_handle(task: &mut TaskSpec, handle: Handle) -> bool {
    match handle {
        Handle::Goal { goal, point } => {
            let Some(stated) = task.goals.get_mut(goal) else {
                return false;
            };
            if !stated.remove_handle(point) {
                task.goals.remove(goal);
            }
            true
        }
        Handle::Obstacle(index) if index < task.obstacles.len() => {
            task.obstacles.remove(index);
            true
        }
        Handle::Obstacle(_) => false,
    }
}

/// Adds a root target, or moves the one that is there.
pub fn set_target(task: &mut TaskSpec, to: Vec2) {
    let target = task
        .goals
        .iter()
        .position(|goal| matches!(goal, Goal::RootTarget(_)));
    if let Some(goal) = target {
        move_handle(task, Handle::Goal { goal, point: 0 }, to);
    } else {
        task.goals.push(RootTarget::at_end(pair(to)).into());
    }
}

/// Adds a waypoint in the middle of the longest time without a goal.
pub fn add_waypoint(task: &mut TaskSpec, to: Vec2) {
    let mut times: Vec<f64> = vec![0.0, task.duration_secs];
    for goal in &task.goals {
        if let Goal::Waypoints(Waypoints { points, .. }) = goal {
            times.extend(points.iter().filter_map(|point| point.time_secs));
        }
    }
    times.sort_by(f64::total_cmp);
    let longest = times
        .windows(2)
        .max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
    let time = longest.map_or(0.5 * task.duration_secs, |gap| gap[0].midpoint(gap[1]));
    let point = TimedPoint {
        position_m: pair(to),
        time_secs: Some((10.0 * time).round() / 10.0),
    };
    for goal in &mut task.goals {
        if let Goal::Waypoints(Waypoints { points, .. }) = goal {
            points.push(point);
            points.sort_by(|a, b| {
                let end = f64::INFINITY;
                (a.time_secs.unwrap_or(end)).total_cmp(&b.time_secs.unwrap_or(end))
            });
            return;
        }
    }
    let (points, weight) = (vec![point], 1.0);
    task.goals.push(Waypoints { points, weight }.into());
}

fn pair(point: Vec2) -> [f64; 2] {
    // Centimetres: what a hand can place, and what reads well in a file.
    [point.x, point.y].map(|v| (100.0 * f64::from(v)).round() / 100.0)
}

/// Where a ray meets the floor, `(x, z)`, metres; `None` if it never does.
#[must_use]
pub fn on_floor(ray: Ray3d) -> Option<Vec2> {
    let slope = ray.direction.y;
    let distance = -ray.origin.y / slope;
    let hits = slope < -1e-4 && distance.is_finite() && distance < 500.0;
    hits.then(|| ray.get_point(distance).xz())
}

/// A point on the ground, `(x, z)`, metres.
#[must_use]
pub fn ground(point: [f64; 2]) -> Vec2 {
    Vec2::new(point[0] as f32, point[1] as f32)
}

#[cfg(test)]
mod tests {
    use bevy::math::{Dir3, Vec3};

    use super::*;

    fn walk() -> TaskSpec {
        let mut scene = TaskSpec::new("a person walks", 6.0);
        set_target(&mut scene, Vec2::new(2.0, 3.0));
        add_waypoint(&mut scene, Vec2::new(0.5, 1.0));
        scene.obstacles.push(Obstacle::circle([1.0, 1.5], 0.5));
        scene
    }

    #[test]
    fn the_nearest_point_is_taken_before_the_obstacle_under_it() {
        let scene = walk();
        assert_eq!(
            handle_at(&scene, Vec2::new(2.1, 3.0), 0.3),
            Some(Handle::Goal { goal: 0, point: 0 })
        );
        assert_eq!(
            handle_at(&scene, Vec2::new(1.2, 1.6), 0.3),
            Some(Handle::Obstacle(0))
        );
        assert_eq!(handle_at(&scene, Vec2::new(-3.0, -3.0), 0.3), None);
    }

    #[test]
    fn whatever_is_moved_ends_where_it_was_put_and_the_task_stays_valid() {
        let mut scene = walk();
        for (index, (handle, _)) in handles(&scene).into_iter().enumerate() {
            let to = Vec2::new(1.5 + index as f32, -1.25);
            assert!(move_handle(&mut scene, handle, to));
            let now = handles(&scene)
                .into_iter()
                .find(|(g, _)| *g == handle)
                .unwrap();
            assert!(now.1.distance(to) < 0.006, "{handle:?}: {}", now.1);
        }
        scene.clone().check().unwrap();
        assert!(!move_handle(&mut scene, Handle::Obstacle(7), Vec2::ZERO));
    }

    #[test]
    fn removing_takes_one_point_at_a_time() {
        let mut scene = walk();
        add_waypoint(&mut scene, Vec2::new(1.0, 2.0));
        assert_eq!(handles(&scene).len(), 4);
        assert!(remove_handle(
            &mut scene,
            Handle::Goal { goal: 1, point: 0 }
        ));
        assert_eq!(handles(&scene).len(), 3);
        assert!(remove_handle(
            &mut scene,
            Handle::Goal { goal: 1, point: 0 }
        ));
        assert!(remove_handle(&mut scene, Handle::Obstacle(0)));
        assert_eq!(
            handles(&scene),
            vec![(Handle::Goal { goal: 0, point: 0 }, Vec2::new(2.0, 3.0))]
        );
    }

    #[test]
    fn rays_meet_the_floor_or_not() {
        let ray = |origin: Vec3, way: Vec3| Ray3d::new(origin, Dir3::new(way).unwrap());
        let down = ray(Vec3::new(1.0, 2.0, 3.0), Vec3::new(1.0, -1.0, 0.0));
        assert!(on_floor(down).unwrap().distance(Vec2::new(3.0, 3.0)) < 1e-5);
        assert_eq!(on_floor(ray(Vec3::Y, Vec3::Y)), None);
        assert_eq!(on_floor(ray(Vec3::Y, Vec3::X)), None);
    }
}
