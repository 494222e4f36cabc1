//! Goals and obstacles of a task as things that stand on the floor.

use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd::goal::{Mark as GoalMark, MarkKind, MotionGoal};
use kinograd::guidance::Shape;
use kinograd_bevy::edit::{Handle, ground as flat};

use super::ground::{FlatMesh, text};
use super::look;
use super::solids::{CUT_M, outline, rim, solid};

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
    pub handle: Option<Handle>,
    /// Whether it is painted on the floor: no shadow of its own.
    pub is_flat: bool,
}

impl Mark {
    fn solid(mesh: impl Into<Mesh>, color: Color, at: Vec3, handle: Option<Handle>) -> Self {
        Self {
            mesh: mesh.into(),
            material: look::matte(color),
            transform: Transform::from_translation(at),
            handle,
            is_flat: false,
        }
    }

    fn flat(mesh: Mesh, color: Color, at: Vec3, handle: Option<Handle>) -> Self {
        Self {
            mesh,
            material: look::flat(color),
            transform: Transform::from_translation(at),
            handle,
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
            super::StageMark {
                handle: self.handle,
            },
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

/// Everything that a task shows.
#[must_use]
pub fn marks_of(task: &TaskSpec) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (goal, stated) in task.goals.iter().enumerate() {
        for mark in stated.marks() {
            let handle = mark.handle.map(|point| Handle::Goal { goal, point });
            draw(&mark, handle, &mut marks);
        }
    }
    for (index, obstacle) in task.obstacles.iter().enumerate() {
        for mark in obstacle.marks() {
            draw(&mark, Some(Handle::Obstacle(index)), &mut marks);
        }
    }
    marks
}

/// Points that a picture of the task has to have in it, metres.
#[must_use]
pub fn extent(task: &TaskSpec) -> Vec<Vec3> {
    let mut points = Vec::new();
    for (_, goal) in task.goal_set().iter() {
        for at in goal.handles() {
            points.push(on_ground(flat(at), 0.0));
        }
        for mark in goal.marks() {
            match mark.what {
                MarkKind::Target(at) => {
                    points.push(on_ground(flat(at) + Vec2::Y * PENNANT_M, POLE_M));
                }
                MarkKind::KeepIn(shape) => {
                    let rim = outline(&shape).into_iter().flatten();
                    points.extend(rim.map(|at| on_ground(at, 0.0)));
                }
                MarkKind::KeepOut(shape) => match outline(&shape) {
                    Some(rim) => {
                        let both = rim.into_iter().step_by(4);
                        points
                            .extend(both.flat_map(|at| [on_ground(at, 0.0), on_ground(at, CUT_M)]));
                    }
                    None => points.push(on_ground(flat(shape.center_m()), 1.0)),
                },
                _ => {}
            }
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
fn rings(color: Color, at: Vec2, radius_m: f32, handle: Option<Handle>, marks: &mut Vec<Mark>) {
    for (share, width, alpha) in [(1.0, 0.035, 0.95), (0.62, 0.025, 0.6)] {
        let ring = rim(&disc(share * radius_m), width * radius_m / 0.3, 0.0);
        marks.push(Mark::flat(
            ring,
            color.with_alpha(alpha),
            on_ground(at, 0.006),
            handle,
        ));
    }
    let middle = plate(&disc(0.28 * radius_m));
    marks.push(Mark::flat(
        middle,
        color.with_alpha(0.6),
        on_ground(at, 0.006),
        handle,
    ));
}

fn draw(mark: &GoalMark, handle: Option<Handle>, marks: &mut Vec<Mark>) {
    match &mark.what {
        MarkKind::Target(at) => {
            rings(look::TARGET, flat(*at), 0.32, handle, marks);
            flag(flat(*at), handle, marks);
        }
        MarkKind::Waypoint(at, time_secs) => {
            rings(look::WAYPOINT, flat(*at), 0.16, handle, marks);
            pin(look::WAYPOINT, flat(*at), handle, marks);
            if let Some(secs) = time_secs {
                marks.push(label(flat(*at), &format!("{secs} s")));
            }
        }
        MarkKind::Path(line) => marks.push(band(line, 0.05, look::WAYPOINT, 0.7)),
        MarkKind::OtherPath(line) => marks.push(band(line, 0.04, look::PLACE, 0.6)),
        MarkKind::Corner(at) => rings(look::WAYPOINT, flat(*at), 0.09, handle, marks),
        MarkKind::LookAt(at) => {
            rings(look::PLACE, flat(*at), 0.12, handle, marks);
            pin(look::PLACE, flat(*at), handle, marks);
        }
        MarkKind::Place(at) => place(Vec3::from_array(at.map(|v| v as f32)), handle, marks),
        MarkKind::KeepIn(shape) => keep_in(shape, handle, marks),
        MarkKind::KeepOut(shape) => keep_out(shape, handle, marks),
        _ => {}
    }
}

/// A line on the floor.
fn band(line: &[[f64; 2]], width_m: f32, color: Color, alpha: f32) -> Mark {
    let mut mesh = FlatMesh::default();
    for pair in line.windows(2) {
        let [a, b] = [pair[0], pair[1]].map(flat);
        mesh.band(a, b, width_m, 0.0, color.to_linear(), [alpha; 2]);
    }
    Mark::flat(mesh.mesh(), Color::WHITE, Vec3::Y * 0.005, None)
}

/// Words on the floor beside a waypoint.
fn label(at: Vec2, words: &str) -> Mark {
    let mut mesh = FlatMesh::default();
    let (right, up) = (Vec2::Y, Vec2::X);
    let place = at + Vec2::new(-0.36, -0.12);
    let ink = look::WAYPOINT.to_linear();
    text(&mut mesh, words, place, right, up, 0.016, ink);
    Mark::flat(mesh.mesh(), Color::WHITE, Vec3::Y * 0.002, None)
}

/// A pole with a pennant.
fn flag(at: Vec2, handle: Option<Handle>, marks: &mut Vec<Mark>) {
    let pole = Cylinder::new(0.012, POLE_M).mesh().resolution(16).build();
    let dark = look::TARGET.mix(&Color::BLACK, 0.35);
    marks.push(Mark::solid(pole, dark, on_ground(at, 0.5 * POLE_M), handle));
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
        handle,
        is_flat: false,
    });
}

/// A ball on a needle.
fn pin(color: Color, at: Vec2, handle: Option<Handle>, marks: &mut Vec<Mark>) {
    let needle = Cylinder::new(0.008, PIN_M).mesh().resolution(12).build();
    let dark = color.mix(&Color::BLACK, 0.3);
    marks.push(Mark::solid(
        needle,
        dark,
        on_ground(at, 0.5 * PIN_M),
        handle,
    ));
    let ball = Sphere::new(0.055).mesh().uv(32, 16);
    marks.push(Mark::solid(ball, color, on_ground(at, PIN_M), handle));
}

/// A place in the air, with a needle down to the floor.
fn place(at: Vec3, handle: Option<Handle>, marks: &mut Vec<Mark>) {
    let ball = Sphere::new(0.05).mesh().uv(32, 16);
    marks.push(Mark::solid(ball, look::PLACE, at, handle));
    if at.y > 0.1 {
        let needle = Cylinder::new(0.006, at.y).mesh().resolution(12).build();
        let dark = look::PLACE.mix(&Color::BLACK, 0.3);
        marks.push(Mark::solid(needle, dark, at.with_y(0.5 * at.y), handle));
    }
}

fn keep_in(shape: &Shape, handle: Option<Handle>, marks: &mut Vec<Mark>) {
    match outline(shape) {
        Some(points) => {
            let floor = plate(&points);
            let paint = look::KEEP_IN;
            marks.push(Mark::flat(
                floor,
                paint.with_alpha(0.13),
                Vec3::Y * 0.004,
                handle,
            ));
            let edge = rim(&points, 0.03, 0.0);
            marks.push(Mark::flat(
                edge,
                paint.with_alpha(0.9),
                Vec3::Y * 0.006,
                handle,
            ));
        }
        None => {
            let (mesh, transform) = solid(shape);
            marks.push(Mark {
                mesh,
                material: look::flat(look::KEEP_IN.with_alpha(0.15)),
                transform,
                handle,
                is_flat: true,
            });
        }
    }
}

fn keep_out(shape: &Shape, handle: Option<Handle>, marks: &mut Vec<Mark>) {
    let (mesh, transform) = solid(shape);
    marks.push(Mark {
        mesh,
        material: look::matte(look::OBSTACLE),
        transform,
        handle,
        is_flat: false,
    });
    if let Some(points) = outline(shape) {
        let lid = rim(&points, 0.03, CUT_M + 0.003);
        let pale = look::OBSTACLE.mix(&Color::WHITE, 0.55);
        marks.push(Mark::flat(lid, pale, Vec3::ZERO, handle));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::{Obstacle, Task};

    use kinograd_bevy::edit::{add_waypoint, set_target};

    #[test]
    fn goals_and_obstacles_show_where_they_are() {
        let mut scene = TaskSpec::new("a person walks", 6.0);
        assert!(marks_of(&scene).is_empty());
        set_target(&mut scene, Vec2::new(2.0, 3.0));
        add_waypoint(&mut scene, Vec2::new(0.5, 1.0));
        scene.obstacles.push(Obstacle::circle([1.0, 1.5], 0.5));
        let marks = marks_of(&scene);
        let at = |handle: Handle| {
            let found = marks
                .iter()
                .find(|mark| mark.handle == Some(handle) && !mark.is_flat);
            found.unwrap().transform.translation.xz()
        };
        assert_eq!(at(Handle::Goal { goal: 0, point: 0 }), Vec2::new(2.0, 3.0));
        assert_eq!(at(Handle::Goal { goal: 1, point: 0 }), Vec2::new(0.5, 1.0));
        assert_eq!(at(Handle::Obstacle(0)), Vec2::new(1.0, 1.5));
    }

    #[test]
    fn every_scene_of_the_repository_can_be_drawn() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/scenes");
        let mut drawn = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_scene = path.extension().is_some_and(|end| end == "json");
            if is_scene && !path.ends_with("schema.json") {
                let scene = Task::read(&path).unwrap();
                drawn += usize::from(!marks_of(&scene).is_empty());
            }
        }
        assert!(drawn >= 10, "{drawn}");
    }
}
