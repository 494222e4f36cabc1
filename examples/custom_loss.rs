//! A loss of one's own: the root stays on the circle of radius 1 m around (1, 0).
//!
//! `cargo run --release --example custom_loss`

use std::path::Path;

use kinograd::guidance::{GuidanceError, PathLoss, RootPathLossAdapter};
use kinograd::runtime::EngineOptions;
use kinograd::{MotionGenerator, Task};
use ndarray::{Array2, ArrayView2};

struct OnCircle;

impl PathLoss for OnCircle {
    fn name(&self) -> &str {
        "on circle"
    }

    /// Σ (distance from the centre − 1)² over the frames, and its gradient.
    fn value_and_grad(
        &self,
        path: ArrayView2<'_, f64>,
    ) -> Result<(f64, Array2<f64>), GuidanceError> {
        let mut gradient = Array2::zeros(path.raw_dim());
        let mut value = 0.0;
        for (point, mut slope) in path.outer_iter().zip(gradient.outer_iter_mut()) {
            let (x, z) = (point[0] - 1.0, point[1]);
            let distance = x.hypot(z).max(1e-9);
            value += (distance - 1.0).powi(2);
            slope[0] = 2.0 * (distance - 1.0) * x / distance;
            slope[1] = 2.0 * (distance - 1.0) * z / distance;
        }
        Ok((value, gradient))
    }
}

fn main() -> Result<(), kinograd::Error> {
    let mut generator = MotionGenerator::open("motion-base", &EngineOptions::default())?;
    let task = Task::builder("a person walks in a circle").build()?;
    let clips = generator.generate_with(
        &task,
        &mut |decoder| {
            Ok(Box::new(
                RootPathLossAdapter::new(decoder).with(1.0, OnCircle),
            ))
        },
        &mut (),
    )?;
    for clip in clips {
        clip.save(Path::new("circle.png"))?;
    }
    Ok(())
}
