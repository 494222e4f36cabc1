//! Where a prompt's clips can get to.

use kinograd::motion::joints_array;
use serde::{Deserialize, Serialize};

use super::watch::Watch;
use crate::statistics::median;
use kinograd::{Clip, Error, Method, MotionGenerator, Task};

/// First seed of the clips that the reach is measured on: no other clip of a benchmark has it.
const REACH_SEED: u64 = 1000;
/// Clips that the reach is measured on.
const REACH_CLIPS: usize = 8;
/// Frames between the points that a path's length is taken over: half a second, so that the sway
/// of the hips does not count.
const STRIDE: usize = 10;
/// Distance of the reference's target, (6, 6), over the radius of its obstacle, 1.
const DISTANCE_OVER_RADIUS: f64 = 6.0 * std::f64::consts::SQRT_2;
/// Nearest target, metres.
const NEAREST_M: f64 = 1.0;

/// A prompt and the goal that its clips can reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Scenario {
    /// The prompt.
    pub prompt: String,
    /// Median length of the way of unguided clips, metres.
    pub unguided_way_m: f64,
    /// Where they go: 0 for +Z, 180 for −Z.
    pub heading_deg: f64,
    /// Distance of the target from the start, metres.
    pub distance_m: f64,
    /// Radius of the circle half-way, metres.
    pub radius_m: f64,
}

impl Scenario {
    /// Target (x, z) at an angle from the heading, degrees towards +X.
    #[must_use]
    pub fn target_m(&self, direction_deg: f64) -> [f64; 2] {
        let (sin, cos) = (self.heading_deg + direction_deg).to_radians().sin_cos();
        [self.distance_m * sin, self.distance_m * cos]
    }

    /// The circle half-way, x, z and radius.
    #[must_use]
    pub fn circle_m(&self, direction_deg: f64) -> [f64; 3] {
        let [x, z] = self.target_m(direction_deg);
        [x / 2.0, z / 2.0, self.radius_m]
    }
}

/// Measures the unguided way of each prompt (8 clips) and puts the target at `reach` of its
/// median, rounded to decimetres; the circle's radius keeps the reference's proportion to the
/// distance.
///
/// # Errors
/// As [`MotionGenerator::generate`].
pub fn measure_scenarios(
    generator: &mut MotionGenerator,
    prompts: &[String],
    duration_secs: f64,
    steps: usize,
    reach: f64,
    observer: &mut dyn kinograd::Observer,
) -> Result<Vec<Scenario>, Error> {
    let mut scenarios = Vec::new();
    for prompt in prompts {
        let task = Task::builder(prompt)
            .duration(duration_secs)
            .steps(steps)
            .count(REACH_CLIPS)
            .seed(REACH_SEED)
            .method(Method::None)
            .build()?;
        let clips = generator.generate(&task, &mut Watch::silent(observer))?;
        let ways: Vec<f64> = clips.iter().map(way_m).collect();
        let forward: f64 = clips.iter().map(|clip| last_m(clip)[1]).sum();
        let unguided_way_m = median(&ways).unwrap_or(0.0);
        let distance_m = ((reach * unguided_way_m * 10.0).round() / 10.0).max(NEAREST_M);
        scenarios.push(Scenario {
            prompt: prompt.clone(),
            unguided_way_m,
            heading_deg: if forward < 0.0 { 180.0 } else { 0.0 },
            distance_m,
            radius_m: distance_m / DISTANCE_OVER_RADIUS,
        });
    }
    Ok(scenarios)
}

/// The root on the ground in every frame.
pub(super) fn path_m(clip: &Clip) -> Vec<[f64; 2]> {
    joints_array(&clip.motion)
        .outer_iter()
        .map(|joints| [f64::from(joints[[0, 0]]), f64::from(joints[[0, 2]])])
        .collect()
}

fn last_m(clip: &Clip) -> [f64; 2] {
    path_m(clip).last().copied().unwrap_or_default()
}

fn way_m(clip: &Clip) -> f64 {
    let path = path_m(clip);
    let mut stops: Vec<[f64; 2]> = path.iter().copied().step_by(STRIDE).collect();
    stops.extend(path.last().copied());
    stops
        .windows(2)
        .map(|leg| (leg[1][0] - leg[0][0]).hypot(leg[1][1] - leg[0][1]))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_lie_on_the_heading_and_circles_half_way() {
        let scenario = Scenario {
            prompt: "back".to_owned(),
            unguided_way_m: 6.0,
            heading_deg: 180.0,
            distance_m: 4.0,
            radius_m: 0.5,
        };
        let [x, z] = scenario.target_m(0.0);
        assert!(x.abs() < 1e-12 && (z + 4.0).abs() < 1e-12);
        let [x, z, radius] = scenario.circle_m(-45.0);
        let half = 2.0 / std::f64::consts::SQRT_2;
        assert!((x - half).abs() < 1e-12 && (z + half).abs() < 1e-12);
        assert_eq!(radius, 0.5);
    }
}
