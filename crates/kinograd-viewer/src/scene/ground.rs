//! The floor: a wide plane, a grid that fades, and numbers that say metres.

use bevy::asset::RenderAssetUsages;
use bevy::light::{NotShadowCaster, NotShadowReceiver};
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use kinograd::draw::sheet::glyph;

use super::look;
use crate::quality::Quality;

/// The floor's entities.
#[derive(Component, Debug)]
pub struct Ground;

/// Half the side of the grid, metres.
const REACH_M: i32 = 14;
/// Size of a numeral's pixel, metres.
const PIXEL_M: f32 = 0.016;

/// Quads flat on the ground with a colour each, as one mesh.
#[derive(Debug, Default)]
pub struct FlatMesh {
    positions: Vec<[f32; 3]>,
    colors: Vec<[f32; 4]>,
    indices: Vec<u32>,
}

impl FlatMesh {
    /// Adds a quad by its corners in turn, `(x, z)`, at a height, metres, with an opacity each.
    pub fn quad(&mut self, corners: [Vec2; 4], height_m: f32, color: LinearRgba, alphas: [f32; 4]) {
        let first = self.positions.len() as u32;
        for (corner, alpha) in corners.into_iter().zip(alphas) {
            self.positions.push([corner.x, height_m, corner.y]);
            self.colors
                .push(color.with_alpha(color.alpha * alpha).to_f32_array());
        }
        self.indices.extend([0, 1, 2, 0, 2, 3].map(|i| first + i));
    }

    /// Adds a straight band between two points.
    pub fn band(
        &mut self,
        from: Vec2,
        to: Vec2,
        width_m: f32,
        height_m: f32,
        color: LinearRgba,
        alphas: [f32; 2],
    ) {
        let side = (to - from).perp().normalize_or_zero() * (0.5 * width_m);
        let [a, b] = alphas;
        self.quad(
            [from - side, from + side, to + side, to - side],
            height_m,
            color,
            [a, a, b, b],
        );
    }

    /// The mesh, facing up.
    #[must_use]
    pub fn mesh(self) -> Mesh {
        let normals = vec![[0.0, 1.0, 0.0]; self.positions.len()];
        Mesh::new(
            PrimitiveTopology::TriangleList,
            RenderAssetUsages::default(),
        )
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, self.positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, self.colors)
        .with_inserted_indices(Indices::U32(self.indices))
    }
}

/// How strongly the grid shows at a distance from the origin, 1 to 0.
fn fade(point: Vec2) -> f32 {
    let reach = REACH_M as f32;
    (1.0 - point.length() / reach).clamp(0.0, 1.0).powf(0.8)
}

/// Grid lines each half metre, whole metres stronger.
fn grid() -> Mesh {
    let mut mesh = FlatMesh::default();
    let halves = 2 * REACH_M;
    for line in -halves..=halves {
        let across = 0.5 * line as f32;
        let (width, strength) = if line % 2 == 0 {
            (0.012, 0.55)
        } else {
            (0.006, 0.22)
        };
        let color = look::GRID.to_linear().with_alpha(strength);
        for piece in -halves..halves {
            let (from, to) = (0.5 * piece as f32, 0.5 * (piece + 1) as f32);
            for [a, b] in [
                [Vec2::new(across, from), Vec2::new(across, to)],
                [Vec2::new(from, across), Vec2::new(to, across)],
            ] {
                let alphas = [fade(a), fade(b)];
                if alphas != [0.0, 0.0] {
                    mesh.band(a, b, width, 0.002, color, alphas);
                }
            }
        }
    }
    // The start and the way the person faces.
    let ink = look::GRID.to_linear().with_alpha(0.9);
    mesh.band(
        Vec2::new(-0.16, 0.0),
        Vec2::new(0.16, 0.0),
        0.02,
        0.003,
        ink,
        [1.0; 2],
    );
    mesh.band(
        Vec2::new(0.0, -0.16),
        Vec2::new(0.0, 0.30),
        0.02,
        0.003,
        ink,
        [1.0; 2],
    );
    for side in [-1.0, 1.0] {
        mesh.band(
            Vec2::new(side * 0.08, 0.22),
            Vec2::new(0.0, 0.31),
            0.02,
            0.003,
            ink,
            [1.0; 2],
        );
    }
    mesh.mesh()
}

/// A text flat on the ground: `right` and `up` are directions of reading, `(x, z)`.
pub fn text(
    mesh: &mut FlatMesh,
    text: &str,
    at: Vec2,
    right: Vec2,
    up: Vec2,
    pixel_m: f32,
    color: LinearRgba,
) {
    for (place, letter) in text.chars().enumerate() {
        for (row, bits) in glyph(letter).into_iter().enumerate() {
            for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                let x = (6 * place + column) as f32 * pixel_m;
                let y = (6 - row) as f32 * pixel_m;
                let corner = at + right * x + up * y;
                let (dx, dy) = (right * pixel_m, up * pixel_m);
                mesh.quad(
                    [corner, corner + dy, corner + dx + dy, corner + dx],
                    0.003,
                    color,
                    [1.0; 4],
                );
            }
        }
    }
}

/// Metres along both axes.
fn numbers() -> Mesh {
    let mut mesh = FlatMesh::default();
    let (right, up) = (Vec2::Y, Vec2::X);
    for metre in -10..=10_i32 {
        if metre == 0 {
            continue;
        }
        let far = metre as f32;
        for (place, axis) in [
            (Vec2::new(-0.16, far + 0.03), ""),
            (Vec2::new(far - 0.14, 0.03), "x "),
        ] {
            let strength = 0.8 * fade(place);
            let color = look::GRID.to_linear().with_alpha(strength);
            text(
                &mut mesh,
                &format!("{axis}{metre}"),
                place,
                right,
                up,
                PIXEL_M,
                color,
            );
        }
    }
    mesh.mesh()
}

/// Lays the floor.
pub fn lay(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    quality: Res<Quality>,
) {
    // Most of a picture is floor: in low quality it is the background.
    if *quality == Quality::High {
        commands.spawn((
            Ground,
            Mesh3d(meshes.add(Circle::new(80.0).mesh().resolution(96).build())),
            MeshMaterial3d(materials.add(StandardMaterial {
                base_color: look::FLOOR,
                perceptual_roughness: 0.95,
                reflectance: 0.15,
                ..default()
            })),
            Transform::from_rotation(Quat::from_rotation_x(-std::f32::consts::FRAC_PI_2)),
            NotShadowCaster,
        ));
    }
    let ink = materials.add(look::flat(Color::WHITE));
    for mesh in [grid(), numbers()] {
        commands.spawn((
            Ground,
            Mesh3d(meshes.add(mesh)),
            MeshMaterial3d(ink.clone()),
            NotShadowCaster,
            NotShadowReceiver,
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_fades_to_nothing_and_letters_have_their_pixels() {
        assert_eq!(fade(Vec2::ZERO), 1.0);
        assert_eq!(fade(Vec2::splat(REACH_M as f32)), 0.0);
        let mut mesh = FlatMesh::default();
        text(
            &mut mesh,
            "1",
            Vec2::ZERO,
            Vec2::X,
            Vec2::Y,
            1.0,
            LinearRgba::WHITE,
        );
        let pixels: u32 = glyph('1').iter().map(|row| row.count_ones()).sum();
        assert_eq!(mesh.indices.len(), 6 * pixels as usize);
    }
}
