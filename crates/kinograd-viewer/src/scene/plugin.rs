//! Setting up the stage, and what penetrates it.

use bevy::light::{DirectionalLightShadowMap, NotShadowCaster, NotShadowReceiver};
use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd::motion::JOINT_NAMES;
use kinograd_bevy::{MotionPlayer, Penetrations, PlayerSystems, Pose};

use super::stage::{Stage, StageSettings};
use super::{blob, ground, joints, light, look, marks, trail};
use crate::quality::Quality;

/// Draws the stage. Needs rendering.
#[derive(Debug, Default)]
pub struct ScenePlugin;

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(ClearColor(look::SKY))
            .insert_resource(GlobalAmbientLight::NONE)
            .insert_resource(DirectionalLightShadowMap { size: 4096 })
            .init_resource::<Quality>()
            .init_resource::<Stage>()
            .init_resource::<StageSettings>()
            .add_systems(Startup, (ground::lay, light::light))
            .add_systems(Update, (set_stage, trail::draw_trails, joints::draw_ways))
            .add_systems(
                Update,
                (blob::add, blob::follow)
                    .chain()
                    .after(PlayerSystems::Pose)
                    .run_if(resource_equals(Quality::Low)),
            )
            .add_systems(Update, find_penetrations.after(PlayerSystems::Pose));
    }
}

/// Size of a letter's pixel in the names of lanes, metres.
const LETTER_M: f32 = 0.024;

/// Root of the things of one lane.
#[derive(Component, Debug, Clone, Copy)]
pub struct Lane;

/// Sets up the scene anew when it changes.
fn set_stage(
    mut commands: Commands,
    stage: Res<Stage>,
    lanes: Query<Entity, With<Lane>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    if !stage.is_changed() {
        return;
    }
    for lane in &lanes {
        commands.entity(lane).despawn();
    }
    for (&place, name) in stage.lanes_m.iter().zip(&stage.names) {
        let mut label = ground::FlatMesh::default();
        let ink = look::GRID.to_linear();
        // Before the start, to be read by who looks along +X.
        let at = Vec2::new(-0.12, -0.4 - 6.0 * LETTER_M * name.chars().count() as f32);
        ground::text(&mut label, name, at, Vec2::Y, Vec2::X, LETTER_M, ink);
        let flat = look::flat(Color::WHITE);
        commands.spawn((
            Lane,
            Mesh3d(meshes.add(label.mesh())),
            MeshMaterial3d(materials.add(flat)),
            Transform::from_translation(place + Vec3::Y * 0.002),
            NotShadowCaster,
            NotShadowReceiver,
        ));
    }
    let Some(scene) = &stage.scene else {
        return;
    };
    for &place in &stage.lanes_m {
        let lane = commands
            .spawn((
                Lane,
                Transform::from_translation(place),
                Visibility::default(),
            ))
            .id();
        for mark in marks::marks_of(scene) {
            mark.spawn(&mut commands, &mut meshes, &mut materials, lane);
        }
    }
}

/// Joints that are within obstacles which hold for them at a time: indices, in order.
#[must_use]
pub fn penetrating(scene: &TaskSpec, joints_m: &[Vec3], time_secs: f32) -> Vec<usize> {
    let time = f64::from(time_secs);
    let holds_now = |obstacle: &&kinograd::Obstacle| {
        obstacle.weight > 0.0
            && obstacle.from_secs.is_none_or(|from| from <= time)
            && obstacle.to_secs.is_none_or(|to| time <= to)
    };
    let obstacles: Vec<_> = scene.obstacles.iter().filter(holds_now).collect();
    let is_inside = |joint: usize| {
        let point = joints_m[joint].as_dvec3().to_array();
        obstacles.iter().any(|obstacle| {
            obstacle
                .joints
                .iter()
                .any(|name| name == JOINT_NAMES[joint])
                && obstacle.shape.distance_m(point).0 < 0.0
        })
    };
    (0..joints_m.len().min(JOINT_NAMES.len()))
        .filter(|&joint| is_inside(joint))
        .collect()
}

fn find_penetrations(
    mut commands: Commands,
    stage: Res<Stage>,
    mut characters: Query<(Entity, &Pose, &MotionPlayer, Option<&mut Penetrations>)>,
) {
    for (entity, pose, player, known) in &mut characters {
        let found = stage
            .scene
            .as_ref()
            .map(|scene| penetrating(scene, &pose.joints_m, player.time_secs))
            .unwrap_or_default();
        match known {
            Some(mut known) => {
                known.set_if_neq(Penetrations(found));
            }
            None => {
                commands.entity(entity).insert(Penetrations(found));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kinograd::Obstacle;

    use super::*;

    #[test]
    fn only_the_joints_that_an_obstacle_holds_for_penetrate() {
        let mut scene = TaskSpec::new("a person walks", 6.0);
        scene.obstacles.push(Obstacle::circle([1.0, 1.0], 0.5));
        let mut joints = vec![Vec3::new(1.0, 1.0, 1.0); 22];
        assert_eq!(penetrating(&scene, &joints, 1.0), vec![0]);
        scene.obstacles[0].joints = vec!["left_wrist".to_owned(), "pelvis".to_owned()];
        assert_eq!(penetrating(&scene, &joints, 1.0), vec![0, 20]);
        joints[0].x = 0.0;
        assert_eq!(penetrating(&scene, &joints, 1.0), vec![20]);
        scene.obstacles[0].to_secs = Some(0.5);
        assert!(penetrating(&scene, &joints, 1.0).is_empty());
    }
}
