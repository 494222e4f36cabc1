//! The mannequin's shapes: smooth limbs on the canonical 22-joint body, in its rest pose.

use bevy::prelude::*;
use kinograd::motion::REST_OFFSETS;

use super::lathe::{RevolvedMesh, rounded};

/// What a part is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyMaterial {
    /// The body's own colour.
    Skin,
    /// Joints between limbs.
    Joint,
    /// The face.
    Visor,
}

/// A rigid part that moves with a joint.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Index of its joint.
    pub joint: usize,
    /// What it is made of.
    pub tone: BodyMaterial,
    /// Its surface, in the joint's frame.
    pub lathe: RevolvedMesh,
}

/// Cross-sections across an upright axis: depth, then width.
const UPRIGHT: [Vec3; 2] = [Vec3::Z, Vec3::X];
/// Across an axis that points sideways: height, then depth.
const SIDEWAYS: [Vec3; 2] = [Vec3::Y, Vec3::Z];
/// Across an axis that points forwards: width, then height.
const FORWARDS: [Vec3; 2] = [Vec3::X, Vec3::Y];

/// All parts of the body, about 1.73 m tall.
#[must_use]
pub fn parts() -> Vec<Part> {
    let mut all = torso();
    for side in [1.0_f32, -1.0] {
        all.extend(arm(side));
        all.extend(leg(side));
    }
    all
}

/// A part along +Y through `(height, forward shift, half depth, half width)`.
fn upright(joint: usize, tone: BodyMaterial, stations: &[[f32; 4]], tips: [f32; 2]) -> Part {
    let stations: Vec<(Vec3, Vec2)> = stations
        .iter()
        .map(|&[y, z, depth, width]| (Vec3::new(0.0, y, z), Vec2::new(depth, width)))
        .collect();
    Part {
        joint,
        tone,
        lathe: rounded(UPRIGHT, &stations, tips),
    }
}

fn torso() -> Vec<Part> {
    let skin = BodyMaterial::Skin;
    vec![
        upright(
            0,
            skin,
            &[
                [-0.115, 0.0, 0.080, 0.098],
                [-0.070, -0.004, 0.104, 0.146],
                [-0.010, -0.004, 0.104, 0.148],
                [0.045, 0.0, 0.090, 0.128],
                [0.075, 0.002, 0.082, 0.116],
            ],
            [0.035, 0.02],
        ),
        upright(
            3,
            BodyMaterial::Joint,
            &[
                [-0.060, 0.012, 0.074, 0.106],
                [0.020, 0.016, 0.072, 0.100],
                [0.110, 0.014, 0.078, 0.108],
            ],
            [0.02, 0.02],
        ),
        upright(
            9,
            skin,
            &[
                [-0.135, 0.006, 0.082, 0.114],
                [-0.060, 0.010, 0.103, 0.137],
                [0.030, 0.014, 0.114, 0.156],
                [0.095, 0.008, 0.106, 0.160],
                [0.150, -0.004, 0.082, 0.128],
                [0.185, -0.008, 0.060, 0.078],
            ],
            [0.03, 0.02],
        ),
        upright(
            12,
            BodyMaterial::Joint,
            &[[-0.030, -0.006, 0.050, 0.052], [0.080, 0.024, 0.046, 0.048]],
            [0.01, 0.01],
        ),
        upright(
            15,
            skin,
            &[
                [-0.048, 0.038, 0.050, 0.044],
                [-0.005, 0.022, 0.082, 0.064],
                [0.050, 0.012, 0.096, 0.076],
                [0.100, 0.006, 0.096, 0.077],
                [0.138, 0.002, 0.076, 0.062],
            ],
            [0.014, 0.03],
        ),
        upright(
            15,
            BodyMaterial::Visor,
            &[
                [0.012, 0.070, 0.042, 0.048],
                [0.050, 0.070, 0.047, 0.060],
                [0.084, 0.064, 0.044, 0.056],
            ],
            [0.02, 0.02],
        ),
    ]
}

/// A part along the arm through `(distance, half height, half depth)`.
fn along_arm(
    joint: usize,
    tone: BodyMaterial,
    side: f32,
    stations: &[[f32; 3]],
    tips: [f32; 2],
) -> Part {
    let stations: Vec<(Vec3, Vec2)> = stations
        .iter()
        .map(|&[x, height, depth]| (Vec3::X * (side * x), Vec2::new(height, depth)))
        .collect();
    Part {
        joint,
        tone,
        lathe: rounded(SIDEWAYS, &stations, tips),
    }
}

fn ball(joint: usize, radius_m: f32) -> Part {
    let stations = [
        [-0.3 * radius_m, 0.0, 0.954 * radius_m, 0.954 * radius_m],
        [0.3 * radius_m, 0.0, 0.954 * radius_m, 0.954 * radius_m],
    ];
    upright(joint, BodyMaterial::Joint, &stations, [0.7 * radius_m; 2])
}

fn arm(side: f32) -> Vec<Part> {
    let left = |joint: usize| if side > 0.0 { joint } else { joint + 1 };
    let (collar, shoulder, elbow, wrist) = (left(13), left(16), left(18), left(20));
    let to_shoulder = REST_OFFSETS[16][0] as f32;
    let (upper, lower) = (REST_OFFSETS[18][0] as f32, REST_OFFSETS[20][0] as f32);
    let skin = BodyMaterial::Skin;
    let thumb = [
        (
            Vec3::new(side * 0.028, -0.004, 0.030),
            Vec2::new(0.013, 0.014),
        ),
        (
            Vec3::new(side * 0.060, -0.008, 0.052),
            Vec2::new(0.012, 0.012),
        ),
        (
            Vec3::new(side * 0.084, -0.012, 0.060),
            Vec2::new(0.010, 0.010),
        ),
    ];
    vec![
        along_arm(
            collar,
            skin,
            side,
            &[[0.0, 0.046, 0.062], [to_shoulder - 0.03, 0.052, 0.060]],
            [0.03, 0.03],
        ),
        ball(shoulder, 0.057),
        along_arm(
            shoulder,
            skin,
            side,
            &[
                [0.040, 0.050, 0.052],
                [0.100, 0.050, 0.052],
                [0.180, 0.043, 0.045],
                [upper - 0.035, 0.037, 0.038],
            ],
            [0.02, 0.012],
        ),
        ball(elbow, 0.038),
        along_arm(
            elbow,
            skin,
            side,
            &[
                [0.032, 0.037, 0.038],
                [0.080, 0.041, 0.040],
                [0.150, 0.034, 0.034],
                [lower - 0.025, 0.025, 0.028],
            ],
            [0.012, 0.01],
        ),
        ball(wrist, 0.027),
        along_arm(
            wrist,
            skin,
            side,
            &[
                [0.022, 0.020, 0.030],
                [0.060, 0.021, 0.041],
                [0.105, 0.017, 0.041],
                [0.150, 0.012, 0.031],
            ],
            [0.012, 0.02],
        ),
        Part {
            joint: wrist,
            tone: skin,
            lathe: rounded(SIDEWAYS, &thumb, [0.008, 0.012]),
        },
    ]
}

/// A part down the leg through `(drop, forward shift, half depth, half width)`.
fn down(joint: usize, tone: BodyMaterial, stations: &[[f32; 4]], tips: [f32; 2]) -> Part {
    let lifted: Vec<[f32; 4]> = stations
        .iter()
        .map(|&[drop, z, depth, width]| [-drop, z, depth, width])
        .collect();
    upright(joint, tone, &lifted, tips)
}

/// A part of the foot through `(forward, height, half width, half height)`, flat at the sole.
fn sole(joint: usize, stations: &[[f32; 4]], tips: [f32; 2], floor_m: f32) -> Part {
    let stations: Vec<(Vec3, Vec2)> = stations
        .iter()
        .map(|&[z, y, width, height]| (Vec3::new(0.0, y, z), Vec2::new(width, height)))
        .collect();
    let mut lathe = rounded(FORWARDS, &stations, tips);
    lathe.floor = Some(floor_m);
    Part {
        joint,
        tone: BodyMaterial::Skin,
        lathe,
    }
}

fn leg(side: f32) -> Vec<Part> {
    let left = |joint: usize| if side > 0.0 { joint } else { joint + 1 };
    let (hip, knee, ankle, toe) = (left(1), left(4), left(7), left(10));
    let thigh = -REST_OFFSETS[4][1] as f32;
    let shin = -REST_OFFSETS[7][1] as f32;
    // Heights over the floor in the rest pose.
    let ankle_m =
        (REST_OFFSETS[0][1] + REST_OFFSETS[1][1] + REST_OFFSETS[4][1] + REST_OFFSETS[7][1]) as f32;
    let toe_m = ankle_m + REST_OFFSETS[10][1] as f32;
    let skin = BodyMaterial::Skin;
    vec![
        down(
            hip,
            skin,
            &[
                [-0.010, 0.0, 0.086, 0.076],
                [0.070, 0.002, 0.088, 0.080],
                [0.170, 0.004, 0.080, 0.074],
                [0.290, 0.003, 0.065, 0.061],
                [thigh - 0.045, 0.001, 0.055, 0.053],
            ],
            [0.05, 0.015],
        ),
        ball(knee, 0.053),
        down(
            knee,
            skin,
            &[
                [0.042, -0.002, 0.053, 0.050],
                [0.110, -0.014, 0.060, 0.052],
                [0.200, -0.012, 0.052, 0.046],
                [0.300, -0.008, 0.038, 0.036],
                [shin - 0.035, -0.009, 0.033, 0.031],
            ],
            [0.015, 0.012],
        ),
        ball(ankle, 0.034),
        sole(
            ankle,
            &[
                [-0.052, -0.034, 0.030, 0.028],
                [-0.010, -0.028, 0.036, 0.036],
                [0.050, -0.034, 0.040, 0.030],
                [0.118, -0.046, 0.045, 0.020],
            ],
            [0.018, 0.012],
            -ankle_m,
        ),
        sole(
            toe,
            &[
                [0.004, 0.001, 0.045, 0.019],
                [0.034, -0.002, 0.043, 0.016],
                [0.060, -0.004, 0.034, 0.013],
            ],
            [0.014, 0.014],
            -toe_m,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy::mesh::VertexAttributeValues;
    use kinograd::motion::{JOINTS, PARENTS};

    /// Corners of all parts in the rest pose.
    fn rest_points() -> Vec<Vec3> {
        let mut places: Vec<Vec3> = Vec::new();
        for joint in 0..JOINTS {
            let offset = Vec3::from_array(REST_OFFSETS[joint].map(|v| v as f32));
            let parent = if joint == 0 {
                Vec3::ZERO
            } else {
                places[PARENTS[joint]]
            };
            places.push(parent + offset);
        }
        let mut points = Vec::new();
        for part in parts() {
            let mesh = part.lathe.mesh();
            if let Some(VertexAttributeValues::Float32x3(values)) =
                mesh.attribute(Mesh::ATTRIBUTE_POSITION)
            {
                points.extend(
                    values
                        .iter()
                        .map(|&p| places[part.joint] + Vec3::from_array(p)),
                );
            }
        }
        points
    }

    #[test]
    fn the_body_stands_on_the_floor_with_human_proportions() {
        let points = rest_points();
        let low = points.iter().fold(Vec3::MAX, |low, p| low.min(*p));
        let high = points.iter().fold(Vec3::MIN, |high, p| high.max(*p));
        assert!(low.y.abs() < 1e-4, "soles at {} m", low.y);
        assert!((1.68..1.80).contains(&high.y), "height {} m", high.y);
        // Span of the arms is about the height.
        let span = high.x - low.x;
        assert!((0.95..1.1).contains(&(span / high.y)), "span {span} m");
        assert!((low.x + high.x).abs() < 1e-4, "lopsided");
    }

    #[test]
    fn every_part_belongs_to_a_joint() {
        assert!(parts().iter().all(|part| part.joint < JOINTS));
        let with_parts: std::collections::BTreeSet<usize> =
            parts().iter().map(|part| part.joint).collect();
        // The lower spine is covered by its neighbours.
        assert_eq!(with_parts.len(), JOINTS - 1);
    }
}
