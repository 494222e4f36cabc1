//! Image losses: against torch and SciPy, against central differences, and sample by sample.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kinograd_guidance::{GuidanceError, Loss, TextSimilarity};
use kinograd_image::{
    AsEmbedding, Augmented, ClassLoss, ColourStatistics, ColourTarget, EdgeMatch,
    ImageAugmentation, ImageOperator, LinearMeasurement, MaskMatch, Network, NetworkPullBack,
    RewardLoss, edge_map,
};
use kinograd_testkit::{Golden, Tolerance, assert_close, central_difference};
use ndarray::{Array2, Array3, ArrayD, Axis, Ix2, Ix3, Ix4, IxDyn, Slice};

const SIZE: [usize; 2] = [16, 16];
const TOLERANCE: Tolerance = Tolerance::Within {
    absolute: 2e-6,
    relative: 2e-5,
};

fn golden() -> Golden {
    Golden::new("guidance_image_losses")
}

fn plane(name: &str) -> Array2<f64> {
    golden().f64(name).into_dimensionality::<Ix2>().unwrap()
}

fn picture(name: &str) -> Array3<f32> {
    golden().f32(name).into_dimensionality::<Ix3>().unwrap()
}

/// A linear network: `weights` `[outputs, elements]`.
struct Linear(Array2<f32>);

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Network for Linear {
    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkPullBack<'a>), Failure> {
        let batch = x0.shape()[0];
        let flat = x0.to_shape((batch, self.0.ncols()))?.into_owned();
        let shape = x0.raw_dim();
        let weights = &self.0;
        Ok((
            flat.dot(&weights.t()).into_dyn(),
            Box::new(move |cotangent| {
                let cotangent = cotangent.to_shape((batch, weights.nrows()))?;
                Ok(cotangent.dot(weights).to_shape(shape.clone())?.into_owned())
            }),
        ))
    }
}

fn linear() -> Linear {
    Linear(plane("weights").mapv(|w| w as f32))
}

/// Logits of the foreground: three times the channels' mean.
fn bright() -> Linear {
    let pixels = SIZE[0] * SIZE[1];
    Linear(Array2::from_shape_fn((pixels, 3 * pixels), |(to, from)| {
        if from % pixels == to { 1.0 } else { 0.0 }
    }))
}

fn colours(deviations: bool) -> ColourTarget {
    ColourTarget {
        means: golden().list("means"),
        deviations: deviations.then(|| golden().list("deviations")),
    }
}

/// Every loss under its golden's name.
fn losses() -> Vec<(&'static str, Box<dyn Loss>)> {
    let mask = plane("mask").mapv(|m| m as f32);
    let low = ImageOperator::box_downsample(SIZE, 4).unwrap();
    let keep = ImageOperator::keep(plane("kept")).unwrap();
    vec![
        (
            "sr",
            Box::new(LinearMeasurement::new("sr", low, picture("low").view()).unwrap()),
        ),
        (
            "inpaint",
            Box::new(LinearMeasurement::new("inpaint", keep, picture("photo").view()).unwrap()),
        ),
        (
            "sketch",
            Box::new(EdgeMatch::new(plane("drawing")).unwrap()),
        ),
        (
            "colour",
            Box::new(ColourStatistics::new(colours(true)).unwrap()),
        ),
        (
            "colour_means",
            Box::new(ColourStatistics::new(colours(false)).unwrap()),
        ),
        ("seg", Box::new(MaskMatch::new(bright(), mask).unwrap())),
        ("class", Box::new(ClassLoss::new(linear(), 3))),
        (
            "reward",
            Box::new(RewardLoss::new(Linear(
                linear().0.slice(ndarray::s![..1, ..]).to_owned(),
            ))),
        ),
    ]
}

#[test]
fn operators_follow_torch_and_scipy() {
    let image = golden().f64("image").into_dimensionality::<Ix4>().unwrap();
    for (name, operator) in [
        ("box", ImageOperator::box_downsample(SIZE, 4)),
        ("bicubic", ImageOperator::bicubic_downsample(SIZE, 4)),
        ("blur", ImageOperator::gaussian_blur(SIZE, 1.6)),
    ] {
        let operator = operator.unwrap();
        for (index, image) in image.outer_iter().enumerate() {
            let expected = golden().f64(name).index_axis(Axis(0), index).to_owned();
            assert_close(&operator.apply(image).into_dyn(), &expected, TOLERANCE);
        }
    }
}

#[test]
fn losses_follow_torch() {
    let image = golden().f32("image");
    for (name, mut loss) in losses() {
        let found = loss.value_and_grad(&image).unwrap();
        let values = ArrayD::from_shape_vec(IxDyn(&[2]), found.values).unwrap();
        assert_close(&values, &golden().f64(name), TOLERANCE);
        let gradient = found.gradient.mapv(f64::from);
        assert_close(&gradient, &golden().f64(&format!("{name}_grad")), TOLERANCE);
    }
    let edges = edge_map(image.index_axis(Axis(0), 1).into_dimensionality().unwrap());
    let expected = golden().f64("edges").index_axis(Axis(0), 1).to_owned();
    assert_close(&edges.into_dyn(), &expected, TOLERANCE);
}

/// The other witness for what torch does not state above, and for networks behind adapters.
#[test]
fn gradients_are_difference_quotients() {
    let image = golden()
        .f32("image")
        .slice_axis(Axis(0), Slice::from(..1))
        .to_owned();
    let blur = ImageOperator::gaussian_blur(SIZE, 1.0).unwrap();
    let bicubic = ImageOperator::bicubic_downsample(SIZE, 4).unwrap();
    let text = [0.3, -0.2, 0.9, 0.1, 0.4];
    let more: Vec<(&str, Box<dyn Loss>)> = vec![
        (
            "blur",
            Box::new(LinearMeasurement::new("blur", blur, picture("photo").view()).unwrap()),
        ),
        (
            "bicubic",
            Box::new(LinearMeasurement::new("sr", bicubic, picture("low").view()).unwrap()),
        ),
        (
            "text",
            Box::new(TextSimilarity::new(AsEmbedding(linear()), &text).unwrap()),
        ),
    ];
    for (name, mut loss) in losses().into_iter().chain(more) {
        let gradient = loss
            .value_and_grad(&image)
            .unwrap()
            .gradient
            .mapv(f64::from);
        let quotients =
            central_difference(|x| loss.value_and_grad(x).unwrap().values[0], &image, 1e-3);
        let largest = quotients.iter().fold(0.0_f64, |a, q| a.max(q.abs()));
        let worst = (&gradient - &quotients)
            .iter()
            .fold(0.0_f64, |a, d| a.max(d.abs()));
        assert!(
            worst < 2e-3 * largest.max(1e-2),
            "{name}: {worst} of {largest}"
        );
    }
}

#[test]
fn samples_of_a_batch_are_apart() {
    let image = golden().f32("image");
    let last = image.slice_axis(Axis(0), Slice::from(1..)).to_owned();
    for (name, mut loss) in losses() {
        let both = loss.value_and_grad(&image).unwrap();
        let alone = loss.value_and_grad(&last).unwrap();
        let difference = (both.values[1] - alone.values[0]).abs();
        assert!(difference < 1e-6, "{name}: {difference}");
        let part = both
            .gradient
            .slice_axis(Axis(0), Slice::from(1..))
            .to_owned();
        assert_close(
            &part.mapv(f64::from),
            &alone.gradient.mapv(f64::from),
            TOLERANCE,
        );
    }
}

/// What is met exactly costs nothing and pulls nowhere.
#[test]
fn a_perfect_image_is_left_alone() {
    let image = golden()
        .f32("image")
        .slice_axis(Axis(0), Slice::from(..1))
        .to_owned();
    let one = image
        .index_axis(Axis(0), 0)
        .into_dimensionality::<Ix3>()
        .unwrap();
    let operator = ImageOperator::gaussian_blur(SIZE, 1.0).unwrap();
    let measured = operator
        .apply(one.mapv(f64::from).view())
        .mapv(|v| v as f32);
    let mut all: Vec<Box<dyn Loss>> = vec![
        Box::new(LinearMeasurement::new("blur", operator, measured.view()).unwrap()),
        Box::new(ColourStatistics::new(ColourTarget::of(one)).unwrap()),
        Box::new(EdgeMatch::new(edge_map(one)).unwrap()),
    ];
    for loss in &mut all {
        let found = loss.value_and_grad(&image).unwrap();
        assert!(
            found.values[0] < 1e-6,
            "{}: {:?}",
            loss.name(),
            found.values
        );
        assert!(found.gradient.iter().all(|g| g.abs() < 0.1));
    }
}

/// The loss behind an augmentation sees one batch of all augmented images.
#[test]
fn augmentations_are_one_call() {
    struct Counting<'a>(Linear, &'a mut Vec<usize>);
    impl Network for Counting<'_> {
        fn linearize<'a>(
            &'a mut self,
            x0: &ArrayD<f32>,
        ) -> Result<(ArrayD<f32>, NetworkPullBack<'a>), Failure> {
            self.1.push(x0.shape()[0]);
            self.0.linearize(x0)
        }
    }
    let mut calls = Vec::new();
    let network = Counting(linear(), &mut calls);
    let loss = ClassLoss::new(network, 2);
    let augmentation = ImageAugmentation {
        fill: 1.0,
        ..ImageAugmentation::default()
    };
    let image = golden().f32("image");
    let mut loss = Augmented::new(loss, augmentation, 10, 3).unwrap();
    let found = loss.value_and_grad(&image).unwrap();
    assert_eq!(found.values.len(), 2);
    drop(loss);
    assert_eq!(calls, [20]);
}

/// The gradient through drawn augmentations, redrawn alike for every quotient.
#[test]
fn the_gradient_through_augmentations_is_a_difference_quotient() {
    let image = golden()
        .f32("image")
        .slice_axis(Axis(0), Slice::from(..1))
        .to_owned();
    let augmentation = ImageAugmentation {
        fill: 1.0,
        ..ImageAugmentation::default()
    };
    let fresh = || Augmented::new(ClassLoss::new(linear(), 1), augmentation, 3, 5).unwrap();
    let gradient = fresh()
        .value_and_grad(&image)
        .unwrap()
        .gradient
        .mapv(f64::from);
    let quotients = central_difference(
        |x| fresh().value_and_grad(x).unwrap().values[0],
        &image,
        1e-2,
    );
    let worst = (&gradient - &quotients)
        .iter()
        .fold(0.0_f64, |a, d| a.max(d.abs()));
    let largest = quotients.iter().fold(0.0_f64, |a, q| a.max(q.abs()));
    assert!(worst < 1e-3 * largest, "{worst} of {largest}");
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let refused = |result: Result<(), GuidanceError>, part: &str| {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(part), "{message} lacks {part}");
    };
    let empty = Array2::zeros((16, 16));
    refused(EdgeMatch::new(empty.clone()).map(drop), "edges");
    let no_foreground = empty.mapv(|v: f64| v as f32);
    refused(
        MaskMatch::new(linear(), no_foreground).map(drop),
        "foreground",
    );
    refused(
        ColourStatistics::new(ColourTarget {
            means: vec![f64::NAN],
            deviations: None,
        })
        .map(drop),
        "colour",
    );
    let operator = ImageOperator::box_downsample(SIZE, 2).unwrap();
    refused(
        LinearMeasurement::new("sr", operator, picture("photo").view()).map(drop),
        "measured image: expected shape [3, 8, 8], got [3, 16, 16]",
    );
    let flat = ArrayD::zeros(vec![2, 5]);
    for (name, mut loss) in losses() {
        let result = loss.value_and_grad(&flat);
        assert!(result.is_err(), "{name}");
    }
    let image = golden().f32("image");
    let too_far = ClassLoss::new(linear(), 9).value_and_grad(&image).map(drop);
    refused(too_far, "class = 9");
    let two = RewardLoss::new(linear()).value_and_grad(&image).map(drop);
    refused(two, "reward");
}
