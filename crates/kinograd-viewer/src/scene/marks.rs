//! Goals and obstacles of a scene as things that stand on the floor.

use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::prelude::*;
use kinograd::guidance::Shape;
use kinograd::guidance::scene::{Goal, Obstacle, Scene};

use super::ground::{FlatMesh, text};
use super::look;
use super::solids::{CUT_M, outline, rim, solid};
use crate::edit::{Grip, goal_points};

/// Height of the target's pole, metres: above a figure that has arrived.
const POLE_M: f32 = 2.05;
/// Length of its pennant, metres.
const PENNANT_M: f32 = 0.36;
/// Height of a waypoint's pin, metres.
const PIN_M: f32 = 0.5;

/// Something to draw.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Its surface.
    pub mesh: Mesh,
    /// Its material.
    pub material: StandardMaterial,
    /// Where it stands.
    pub transform: Transform,
    /// What a hand that takes it holds.
    pub grip: Option<Grip>,
    /// Whether it is painted on the floor: no shadow of its own.
    pub is_flat: bool,
}

impl Mark {
    fn solid(mesh: impl Into<Mesh>, color: Color, at: Vec3, grip: Option<Grip>) -> Self {
        Self {
            mesh: mesh.into(),
            material: look::matte(color),
            transform: Transform::from_translation(at),
            grip,
            is_flat: false,
        }
    }

    fn flat(mesh: Mesh, color: Color, at: Vec3, grip: Option<Grip>) -> Self {
        Self {
            mesh,
            material: look::flat(color),
            transform: Transform::from_translation(at),
            grip,
            is_flat: true,
        }
    }

    /// Puts it on the stage under `parent`.
    pub fn spawn(
        self,
        commands: &mut Commands,
        meshes: &mut Assets<Mesh>,
        materials: &mut Assets<StandardMaterial>,
        parent: Entity,
    ) {
        let mut entity = commands.spawn((
            super::StageMark { grip: self.grip },
            Mesh3d(meshes.add(self.mesh)),
            MeshMaterial3d(materials.add(self.material)),
            self.transform,
            ChildOf(parent),
        ));
        if self.is_flat {
            entity.insert((NotShadowCaster, NotShadowReceiver));
        }
    }
}

/// Everything that a scene shows.
#[must_use]
pub fn marks_of(scene: &Scene) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (goal, stated) in scene.goals.iter().enumerate() {
        goal_marks(stated, goal, &mut marks);
    }
    for (index, obstacle) in scene.obstacles.iter().enumerate() {
        obstacle_marks(obstacle, Grip::Obstacle(index), &mut marks);
    }
    marks
}

/// Points that a picture of the scene has to have in it, metres.
#[must_use]
pub fn extent(scene: &Scene) -> Vec<Vec3> {
    let mut points = Vec::new();
    for goal in &scene.goals {
        for at in goal_points(goal) {
            points.push(on_ground(at, 0.0));
            if matches!(goal, Goal::RootTarget { .. }) {
                points.push(on_ground(at + Vec2::Y * PENNANT_M, POLE_M));
            }
        }
        if let Goal::KeepIn { shape, .. } = goal {
            points.extend(
                outline(shape)
                    .into_iter()
                    .flatten()
                    .map(|at| on_ground(at, 0.0)),
            );
        }
    }
    for obstacle in &scene.obstacles {
        match outline(&obstacle.shape) {
            Some(rim) => {
                let both = rim.into_iter().step_by(4);
                points.extend(both.flat_map(|at| [on_ground(at, 0.0), on_ground(at, CUT_M)]));
            }
            None => points.push(on_ground(crate::edit::shape_center(&obstacle.shape), 1.0)),
        }
    }
    points
}

/// A flat plate over an outline.
fn plate(points: &[Vec2]) -> Mesh {
    let corners = super::solids::triangles(points)
        .into_iter()
        .flat_map(|[a, b, c]| [a, c, b].map(|i| on_ground(points[i], 0.0)));
    super::solids::facets(corners.collect())
}

fn on_ground(p: Vec2, height_m: f32) -> Vec3 {
    Vec3::new(p.x, height_m, p.y)
}

fn disc(radius_m: f32) -> Vec<Vec2> {
    (0..72)
        .map(|step| radius_m * Vec2::from_angle(std::f32::consts::TAU * step as f32 / 72.0))
        .collect()
}

/// A target's rings.
fn rings(color: Color, at: Vec2, radius_m: f32, grip: Option<Grip>, marks: &mut Vec<Mark>) {
    for (share, width, alpha) in [(1.0, 0.035, 0.95), (0.62, 0.025, 0.6)] {
        let ring = rim(&disc(share * radius_m), width * radius_m / 0.3, 0.0);
        marks.push(Mark::flat(
            ring,
            color.with_alpha(alpha),
            on_ground(at, 0.006),
            grip,
        ));
    }
    let middle = plate(&disc(0.28 * radius_m));
    marks.push(Mark::flat(
        middle,
        color.with_alpha(0.6),
        on_ground(at, 0.006),
        grip,
    ));
}

fn goal_marks(goal: &Goal, index: usize, marks: &mut Vec<Mark>) {
    let grip = |point: usize| Some(Grip::Goal { goal: index, point });
    match goal {
        Goal::RootTarget { .. } => {
            for (point, at) in goal_points(goal).into_iter().enumerate() {
                rings(look::TARGET, at, 0.32, grip(point), marks);
                flag(at, grip(point), marks);
            }
        }
        Goal::Waypoints { points, .. } => {
            for (point, (at, stated)) in goal_points(goal).into_iter().zip(points).enumerate() {
                rings(look::WAYPOINT, at, 0.16, grip(point), marks);
                pin(look::WAYPOINT, at, grip(point), marks);
                if let Some(secs) = stated.time_secs {
                    let mut label = FlatMesh::default();
                    let (right, up) = (Vec2::Y, Vec2::X);
                    let place = at + Vec2::new(-0.36, -0.12);
                    let ink = look::WAYPOINT.to_linear();
                    text(
                        &mut label,
                        &format!("{secs} s"),
                        place,
                        right,
                        up,
                        0.016,
                        ink,
                    );
                    marks.push(Mark::flat(
                        label.mesh(),
                        Color::WHITE,
                        Vec3::Y * 0.002,
                        None,
                    ));
                }
            }
        }
        Goal::Trajectory { path_m, .. } => {
            let mut line = FlatMesh::default();
            for pair in path_m.windows(2) {
                let [a, b] = [pair[0], pair[1]].map(|p| Vec2::new(p[0] as f32, p[1] as f32));
                line.band(a, b, 0.05, 0.0, look::WAYPOINT.to_linear(), [0.7; 2]);
            }
            marks.push(Mark::flat(line.mesh(), Color::WHITE, Vec3::Y * 0.005, None));
            for (point, at) in goal_points(goal).into_iter().enumerate() {
                rings(look::WAYPOINT, at, 0.09, grip(point), marks);
            }
        }
        Goal::KeepIn { shape, .. } => keep_in(shape, grip(0), marks),
        Goal::JointTarget {
            position_m: [x, y, z],
            relative_to: None,
            ..
        } => {
            let [x, y, z] = [x, y, z].map(|v| v.unwrap_or(0.0) as f32);
            place(Vec3::new(x, y, z), grip(0), marks);
        }
        Goal::Keyframe { joints_m, .. } => {
            for position in joints_m.values() {
                place(Vec3::from_array(position.map(|v| v as f32)), None, marks);
            }
        }
        Goal::Facing {
            towards_m: Some(_), ..
        } => {
            for at in goal_points(goal) {
                rings(look::PLACE, at, 0.12, grip(0), marks);
                pin(look::PLACE, at, grip(0), marks);
            }
        }
        Goal::PersonDistance { path_m, .. } => {
            let mut line = FlatMesh::default();
            for pair in path_m.windows(2) {
                let [a, b] = [pair[0], pair[1]].map(|p| Vec2::new(p[0] as f32, p[1] as f32));
                line.band(a, b, 0.04, 0.0, look::PLACE.to_linear(), [0.6; 2]);
            }
            marks.push(Mark::flat(line.mesh(), Color::WHITE, Vec3::Y * 0.005, None));
        }
        _ => {}
    }
}

/// A pole with a pennant.
fn flag(at: Vec2, grip: Option<Grip>, marks: &mut Vec<Mark>) {
    let pole = Cylinder::new(0.012, POLE_M).mesh().resolution(16).build();
    let dark = look::TARGET.mix(&Color::BLACK, 0.35);
    marks.push(Mark::solid(pole, dark, on_ground(at, 0.5 * POLE_M), grip));
    let corners = [
        Vec3::new(0.0, 0.0, 0.0),
        Vec3::new(0.0, -0.24, 0.0),
        Vec3::new(0.0, -0.12, PENNANT_M),
    ];
    let mut pennant = look::matte(look::TARGET);
    pennant.cull_mode = None;
    pennant.double_sided = true;
    marks.push(Mark {
        mesh: super::solids::facets(corners.to_vec()),
        material: pennant,
        transform: Transform::from_translation(on_ground(at, POLE_M)),
        grip,
        is_flat: false,
    });
}

/// A ball on a needle.
fn pin(color: Color, at: Vec2, grip: Option<Grip>, marks: &mut Vec<Mark>) {
    let needle = Cylinder::new(0.008, PIN_M).mesh().resolution(12).build();
    let dark = color.mix(&Color::BLACK, 0.3);
    marks.push(Mark::solid(needle, dark, on_ground(at, 0.5 * PIN_M), grip));
    let ball = Sphere::new(0.055).mesh().uv(32, 16);
    marks.push(Mark::solid(ball, color, on_ground(at, PIN_M), grip));
}

/// A place in the air, with a needle down to the floor.
fn place(at: Vec3, grip: Option<Grip>, marks: &mut Vec<Mark>) {
    let ball = Sphere::new(0.05).mesh().uv(32, 16);
    marks.push(Mark::solid(ball, look::PLACE, at, grip));
    if at.y > 0.1 {
        let needle = Cylinder::new(0.006, at.y).mesh().resolution(12).build();
        let dark = look::PLACE.mix(&Color::BLACK, 0.3);
        marks.push(Mark::solid(needle, dark, at.with_y(0.5 * at.y), grip));
    }
}

fn keep_in(shape: &Shape, grip: Option<Grip>, marks: &mut Vec<Mark>) {
    match outline(shape) {
        Some(points) => {
            let floor = plate(&points);
            let paint = look::KEEP_IN;
            marks.push(Mark::flat(
                floor,
                paint.with_alpha(0.13),
                Vec3::Y * 0.004,
                grip,
            ));
            let edge = rim(&points, 0.03, 0.0);
            marks.push(Mark::flat(
                edge,
                paint.with_alpha(0.9),
                Vec3::Y * 0.006,
                grip,
            ));
        }
        None => {
            let (mesh, transform) = solid(shape);
            marks.push(Mark {
                mesh,
                material: look::flat(look::KEEP_IN.with_alpha(0.15)),
                transform,
                grip,
                is_flat: true,
            });
        }
    }
}

fn obstacle_marks(obstacle: &Obstacle, grip: Grip, marks: &mut Vec<Mark>) {
    let (mesh, transform) = solid(&obstacle.shape);
    marks.push(Mark {
        mesh,
        material: look::matte(look::OBSTACLE),
        transform,
        grip: Some(grip),
        is_flat: false,
    });
    if let Some(points) = outline(&obstacle.shape) {
        let lid = rim(&points, 0.03, CUT_M + 0.003);
        let pale = look::OBSTACLE.mix(&Color::WHITE, 0.55);
        marks.push(Mark::flat(lid, pale, Vec3::ZERO, Some(grip)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{add_waypoint, plain_scene, round_obstacle, set_target};

    #[test]
    fn goals_and_obstacles_show_where_they_are() {
        let mut scene = plain_scene("a person walks", 6.0);
        assert!(marks_of(&scene).is_empty());
        set_target(&mut scene, Vec2::new(2.0, 3.0));
        add_waypoint(&mut scene, Vec2::new(0.5, 1.0));
        scene.obstacles.extend(round_obstacle([1.0, 1.5], 0.5));
        let marks = marks_of(&scene);
        let at = |grip: Grip| {
            let found = marks
                .iter()
                .find(|mark| mark.grip == Some(grip) && !mark.is_flat);
            found.unwrap().transform.translation.xz()
        };
        assert_eq!(at(Grip::Goal { goal: 0, point: 0 }), Vec2::new(2.0, 3.0));
        assert_eq!(at(Grip::Goal { goal: 1, point: 0 }), Vec2::new(0.5, 1.0));
        assert_eq!(at(Grip::Obstacle(0)), Vec2::new(1.0, 1.5));
    }

    #[test]
    fn every_scene_of_the_repository_can_be_drawn() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/scenes");
        let mut drawn = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_scene = path.extension().is_some_and(|end| end == "json");
            if is_scene && !path.ends_with("schema.json") {
                let scene = Scene::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
                drawn += usize::from(!marks_of(&scene).is_empty());
            }
        }
        assert!(drawn >= 10, "{drawn}");
    }
}
