//! Places for several clips.

use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd_bevy::{MotionClip, edit::handles};

/// So many clips stand in one row.
const MOST_BESIDE: usize = 4;

/// Where clips stand so that none is in the way of another: beside each other along +X, and more than four
/// in rows and columns, the columns along +Z.
#[must_use]
pub fn lanes(clips: &[&MotionClip], scene: Option<&TaskSpec>) -> Vec<Vec3> {
    let marks: Vec<Vec2> = scene
        .map(handles)
        .unwrap_or_default()
        .into_iter()
        .map(|(_, at)| at)
        .collect();
    let room = |clip: &&MotionClip| {
        let way = clip.root_path_m();
        let seen = way.iter().chain(&marks).filter(|at| at.is_finite());
        seen.fold(Rect::from_corners(Vec2::ZERO, Vec2::ZERO), |room, &at| {
            room.union_point(at)
        })
    };
    let rooms: Vec<Rect> = clips.iter().map(room).collect();
    let columns = if clips.len() > MOST_BESIDE {
        (clips.len() as f32 / 1.5).sqrt().round() as usize
    } else {
        1
    };
    // Every row is as wide as its widest clip, every column as deep as its deepest.
    let offsets = |count: usize, line_of: &dyn Fn(usize) -> usize, axis: usize, gap_m: f32| {
        let (mut at, mut edge) = (Vec::with_capacity(count), None);
        for line in 0..count {
            let inside = || (0..rooms.len()).filter(|&index| line_of(index) == line);
            let low = inside().map(|i| rooms[i].min[axis]).fold(0.0, f32::min);
            let high = inside().map(|i| rooms[i].max[axis]).fold(0.0, f32::max);
            let place = edge.map_or(0.0, |edge: f32| edge + gap_m - low);
            edge = Some(place + high);
            at.push(place);
        }
        at
    };
    let rows = clips.len().div_ceil(columns);
    let xs = offsets(rows, &|index| index / columns, 0, 1.4);
    let zs = offsets(columns, &|index| index % columns, 1, 2.6);
    (0..clips.len())
        .map(|index| Vec3::new(xs[index / columns], 0.0, zs[index % columns]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    #[test]
    fn lanes_keep_clips_apart() {
        let walk = MotionClip::new("walk", synth_walk(1.2, 2.0, 20.0)).unwrap();
        let places = lanes(&[&walk; 3], None);
        assert_eq!(places[0], Vec3::ZERO);
        for pair in places.windows(2) {
            assert!(pair[1].x - pair[0].x >= 1.4);
        }
    }

    #[test]
    fn many_clips_stand_in_a_grid() {
        let walk = MotionClip::new("walk", synth_walk(1.2, 2.0, 20.0)).unwrap();
        let reach = walk.root_path_m().last().unwrap().y;
        let places = lanes(&[&walk; 14], None);
        assert_eq!(places[0], Vec3::ZERO);
        for (index, a) in places.iter().enumerate() {
            for b in &places[index + 1..] {
                let apart = (*a - *b).abs();
                assert!(apart.x >= 1.4 || apart.z >= reach + 1.4, "{a} and {b}");
            }
        }
        let far = places.iter().fold(Vec3::ZERO, |far, at| far.max(*at));
        assert!(far.z > 2.0 * reach && far.x < 9.0, "{far}");
    }
}
