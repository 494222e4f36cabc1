//! Where clips have been: the root's way, joints' ways, footprints.

use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::prelude::*;
use kinograd_bevy::{Mannequin, MotionClip, MotionPlayer};

use super::ground::FlatMesh;
use super::look;
use super::stage::StageSettings;

/// A trail of a character, for one clip.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct Trail {
    /// The character.
    pub character: Entity,
}

/// A foot's stand: which foot, from which frame to which, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// Left foot or right one.
    pub left: bool,
    /// First frame.
    pub from: usize,
    /// Last frame.
    pub to: usize,
}

/// When toes stand, by the clip's contacts.
#[must_use]
pub fn stands(contacts: &[[bool; 4]]) -> Vec<Stand> {
    let mut all = Vec::new();
    for (left, channel) in [(true, 1), (false, 3)] {
        let mut since = None;
        for frame in 0..=contacts.len() {
            let down = contacts.get(frame).is_some_and(|row| row[channel]);
            match (since, down) {
                (None, true) => since = Some(frame),
                (Some(from), false) => {
                    all.push(Stand {
                        left,
                        from,
                        to: frame - 1,
                    });
                    since = None;
                }
                _ => {}
            }
        }
    }
    all
}

/// Ribbons and footprints of a clip, flat on the ground.
#[must_use]
pub fn trail_mesh(clip: &MotionClip, color: Color) -> Mesh {
    let mut mesh = FlatMesh::default();
    let path = clip.root_path_m();
    let count = path.len().max(2) - 1;
    let strength = |index: usize| 0.25 + 0.65 * index as f32 / count as f32;
    for (index, pair) in path.windows(2).enumerate() {
        let alphas = [strength(index), strength(index + 1)];
        mesh.band(pair[0], pair[1], 0.024, 0.004, color.to_linear(), alphas);
    }
    let ink = look::GRID.to_linear().with_alpha(0.5);
    for stand in stands(&clip.contacts) {
        footprint(&mut mesh, clip, stand, ink);
    }
    mesh.mesh()
}

/// An oval under a foot, where it stands in the middle of its stand.
fn footprint(mesh: &mut FlatMesh, clip: &MotionClip, stand: Stand, color: LinearRgba) {
    let joints = &clip.joints_m[usize::midpoint(stand.from, stand.to)];
    let (ankle, toe) = if stand.left {
        (joints[7], joints[10])
    } else {
        (joints[8], joints[11])
    };
    let flat = |p: Vec3| Vec2::new(p.x, p.z);
    let along = (flat(toe) - flat(ankle)).normalize_or(Vec2::Y);
    let (heel, tip) = (flat(ankle) - along * 0.05, flat(toe) + along * 0.06);
    let (center, length) = (0.5 * (heel + tip), 0.5 * heel.distance(tip));
    let steps = 20;
    let at = |step: usize| {
        let (sin, cos) = (std::f32::consts::TAU * step as f32 / steps as f32).sin_cos();
        center + along * (length * cos) + along.perp() * (0.042 * sin)
    };
    for step in 0..steps {
        mesh.quad(
            [center, at(step), at(step + 1), center],
            0.003,
            color,
            [1.0; 4],
        );
    }
}

/// Draws a trail for each character whose clip is new or has changed.
#[expect(clippy::too_many_arguments, reason = "a system asks for what it uses")]
pub fn draw_trails(
    mut commands: Commands,
    settings: Res<StageSettings>,
    clips: Res<Assets<MotionClip>>,
    mut changes: MessageReader<AssetEvent<MotionClip>>,
    characters: Query<(Entity, Ref<MotionPlayer>, &Mannequin)>,
    trails: Query<(Entity, &Trail)>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut drawn: Local<bevy::platform::collections::HashMap<Entity, AssetId<MotionClip>>>,
) {
    let changed: Vec<AssetId<MotionClip>> = changes
        .read()
        .filter_map(|event| match event {
            AssetEvent::Added { id } | AssetEvent::Modified { id } => Some(*id),
            _ => None,
        })
        .collect();
    if settings.is_changed() {
        drawn.clear();
    }
    drawn.retain(|character, _| characters.contains(*character));
    for (trail, owner) in &trails {
        if !characters.contains(owner.character) || !settings.shows_trails {
            commands.entity(trail).despawn();
        }
    }
    if !settings.shows_trails {
        return;
    }
    for (character, player, mannequin) in &characters {
        let id = player.clip.id();
        if drawn.get(&character) == Some(&id) && !changed.contains(&id) {
            continue;
        }
        let Some(clip) = clips.get(id) else {
            continue;
        };
        for (trail, owner) in &trails {
            if owner.character == character {
                commands.entity(trail).despawn();
            }
        }
        commands.spawn((
            Trail { character },
            Mesh3d(meshes.add(trail_mesh(clip, mannequin.color))),
            MeshMaterial3d(materials.add(look::flat(Color::WHITE))),
            NotShadowCaster,
            NotShadowReceiver,
            ChildOf(character),
        ));
        drawn.insert(character, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_begin_and_end_with_the_contacts() {
        let (up, left, both) = (
            [false; 4],
            [false, true, false, false],
            [false, true, false, true],
        );
        let found = stands(&[left, left, up, both, both]);
        let stand = |left, from, to| Stand { left, from, to };
        assert_eq!(
            found,
            vec![stand(true, 0, 1), stand(true, 3, 4), stand(false, 3, 4)]
        );
        assert!(stands(&[]).is_empty());
    }
}
