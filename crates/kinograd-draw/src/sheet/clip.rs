//! A clip to draw, and its poses.

use glam::DVec3;
use kinograd_motion::{JOINTS, MotionError};
use ndarray::Array3;

use super::marks::SceneMarks;
use super::pixmap::sheet_error;

/// A clip to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetClip {
    /// A line of text above the picture; may be empty.
    pub title: String,
    /// Joints of the canonical skeleton, `[frames, 22, 3]`, metres, Y up.
    pub joints: Array3<f32>,
    /// Frames per second.
    pub fps: f64,
}

pub(super) fn check(clips: &[SheetClip], marks: &SceneMarks) -> Result<(), MotionError> {
    if clips.is_empty() {
        return Err(sheet_error("no clips to draw".to_owned()));
    }
    for clip in clips {
        let (frames, joints, axes) = clip.joints.dim();
        if frames == 0 || joints != JOINTS || axes != 3 {
            return Err(MotionError::Shape {
                what: "joints",
                expected: format!("[1 or more, {JOINTS}, 3]"),
                got: clip.joints.shape().to_vec(),
            });
        }
        // Beyond a kilometre nothing could be seen, and pixels would overflow.
        let near = clip.joints.iter().all(|v| v.abs() < 1e3);
        if !(near && clip.fps.is_finite() && clip.fps > 0.0) {
            return Err(MotionError::Clip {
                clip: clip.title.clone(),
                message: "its joints or its frame rate are not finite, or beyond 1 km".to_owned(),
            });
        }
    }
    let prisms = marks.prisms.iter();
    let prisms = prisms.flat_map(|p| p.corners_m.iter().flatten().chain(&p.heights_m));
    let rods = marks.rods.iter();
    let rods = rods.flat_map(|r| r.ends_m.iter().flatten().chain([&r.radius_m]));
    let mut numbers = marks
        .target_m
        .iter()
        .chain(&marks.waypoints_m)
        .chain(marks.lines_m.iter().flatten())
        .flatten()
        .chain(marks.obstacles_m.iter().chain(&marks.places_m).flatten())
        .chain(prisms)
        .chain(rods);
    if !numbers.all(|v| v.abs() < 1e3) {
        return Err(sheet_error(
            "marks that are not finite, or beyond 1 km".to_owned(),
        ));
    }
    Ok(())
}

pub(super) fn poses(clip: &SheetClip) -> Vec<Vec<DVec3>> {
    let joints = &clip.joints;
    let point = |f: usize, j: usize| {
        DVec3::from_array(std::array::from_fn(|axis| f64::from(joints[[f, j, axis]])))
    };
    (0..joints.dim().0)
        .map(|f| (0..JOINTS).map(|j| point(f, j)).collect())
        .collect()
}

/// Frames spread evenly over the clip, both ends included.
pub(super) fn spread(frames: usize, count: usize) -> Vec<usize> {
    let count = count.clamp(1, frames);
    (0..count)
        .map(|i| {
            if count == 1 {
                0
            } else {
                (i * (frames - 1) + (count - 1) / 2) / (count - 1)
            }
        })
        .collect()
}

/// Poses that show a way without standing in one another.
pub(super) fn poses_along(all: &[Vec<DVec3>]) -> usize {
    let travelled: f64 = all
        .windows(2)
        .map(|pair| (pair[1][0] - pair[0][0]).with_y(0.0).length())
        .sum();
    (travelled / 0.55).round().clamp(4.0, 11.0) as usize
}
