//! What a projection follows besides its goals.

use kinograd_diffusion::{Layout, StepInfo};
use ndarray::{ArrayD, Axis};

use super::loss_guidance::{noise_norm, norm};
use super::{CappedPolyak, SampleStep, StepRule};

/// The capped Polyak move of the further loss.
pub(super) fn extra_moves(
    scale: f64,
    mut gradient: ArrayD<f32>,
    x_t: &ArrayD<f32>,
    x0: &ArrayD<f32>,
    step: &StepInfo<'_>,
) -> ArrayD<f32> {
    for (sample, mut g) in gradient.axis_iter_mut(Axis(0)).enumerate() {
        let elements = step.layout.elements(sample);
        let at = SampleStep {
            loss: 0.0,
            gradient_norm: norm(g.view(), elements),
            noise_norm: noise_norm(x_t, x0, sample, elements, step.pair),
            elements,
            pair: step.pair,
        };
        let factor = if at.gradient_norm > 0.0 {
            scale * CappedPolyak::default().factor(&at)
        } else {
            0.0
        };
        for (index, element) in g.iter_mut().enumerate() {
            let kept = if index < elements { factor } else { 0.0 };
            *element = (-kept * f64::from(*element)) as f32;
        }
    }
    gradient
}

/// Takes the part along the goals' gradient out of each sample's further move: to first order,
/// `⟨δ*, x̂0⟩` stays what it is.
pub(super) fn leave_way(further: &mut ArrayD<f32>, goals: &ArrayD<f32>, layout: &Layout) {
    let samples = further
        .axis_iter_mut(Axis(0))
        .zip(goals.axis_iter(Axis(0)))
        .enumerate();
    for (sample, (mut further, goals)) in samples {
        let elements = layout.elements(sample);
        let dot = |a: f32, b: f32| f64::from(a) * f64::from(b);
        let pairs = || further.iter().zip(&goals).take(elements);
        let along: f64 = pairs().map(|(&move_by, &g)| dot(move_by, g)).sum();
        let squared: f64 = goals.iter().take(elements).map(|&g| dot(g, g)).sum();
        if squared > 0.0 {
            for (move_by, &g) in further.iter_mut().zip(&goals).take(elements) {
                *move_by -= (along / squared * f64::from(g)) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first sample's move loses its part along the goals, the padding and a sample without goals
    /// keep all.
    #[test]
    fn a_further_move_leaves_the_way_to_the_goals() {
        let layout = Layout::with_lengths(&[2, 2, 2], vec![1, 2]).unwrap();
        let array = |values: [f32; 8]| {
            ndarray::Array3::from_shape_vec((2, 2, 2), values.to_vec())
                .unwrap()
                .into_dyn()
        };
        let mut further = array([3.0, 1.0, 9.0, 9.0, 1.0, 2.0, 3.0, 4.0]);
        let goals = array([2.0, 0.0, 5.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
        leave_way(&mut further, &goals, &layout);
        assert_eq!(further, array([0.0, 1.0, 9.0, 9.0, 1.0, 2.0, 3.0, 4.0]));
    }
}
