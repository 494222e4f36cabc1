//! Random changes of pictures: the same for all samples, with the gradient of central differences.

use kinograd_guidance::{ClosureLoss, Loss};
use kinograd_image::{Augmented, ImageAugmentation};
use kinograd_testkit::{Tolerance, assert_close, central_difference};
use ndarray::{ArrayD, Axis, Slice};

/// ‖x − 1‖⁴ per sample.
fn quartic() -> impl Loss {
    ClosureLoss::new("quartic", |x: &ArrayD<f32>| {
        let mut gradient = x.mapv(|x| x - 1.0);
        let mut values = Vec::new();
        for mut sample in gradient.axis_iter_mut(Axis(0)) {
            let squared = sample.mapv(|g| f64::from(g).powi(2)).sum();
            values.push(squared * squared);
            sample.mapv_inplace(|g| (4.0 * squared * f64::from(g)) as f32);
        }
        Ok((values, gradient))
    })
}

#[test]
fn random_augmentation_and_its_gradient() {
    let image = ArrayD::from_shape_fn(vec![2, 3, 6, 5], |i| {
        (i[0] as f32 + 1.3 * i[1] as f32 + 0.7 * i[2] as f32 + 2.1 * i[3] as f32).sin()
    });
    let evaluate = |image: &ArrayD<f32>| {
        Augmented::new(quartic(), ImageAugmentation::default(), 4, 7)
            .unwrap()
            .value_and_grad(image)
            .unwrap()
    };
    let got = evaluate(&image);
    for sample in 0..2 {
        let own = image.slice_axis(Axis(0), Slice::from(sample..=sample));
        let alone = evaluate(&own.into_owned());
        assert_eq!(got.values[sample], alone.values[0]);
        assert_eq!(
            got.gradient.index_axis(Axis(0), sample),
            alone.gradient.index_axis(Axis(0), 0)
        );
    }
    let f = |image: &ArrayD<f32>| evaluate(image).values.iter().sum();
    let expected = central_difference(f, &image, 1e-2);
    let scale = expected.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    let tolerance = Tolerance::Within {
        absolute: 1e-3 * scale,
        relative: 0.0,
    };
    assert_close(&got.gradient, &expected, tolerance);
    let none = Augmented::new(quartic(), ImageAugmentation::NONE, 3, 0);
    let plain = quartic().value_and_grad(&image).unwrap();
    let unchanged = none.unwrap().value_and_grad(&image).unwrap();
    assert_close(&unchanged.gradient, &plain.gradient, Tolerance::Approximate);
    assert!(Augmented::new(quartic(), ImageAugmentation::NONE, 0, 0).is_err());
}
