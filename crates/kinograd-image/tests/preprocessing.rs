//! Pictures as networks see them: against torchvision, and through losses in groups.

use kinograd_guidance::Loss;
use kinograd_image::{
    ChannelOrder, ClassLoss, Interpolation, Network, NetworkPullBack, PixelFormat, PixelLayout,
    Preprocessed, Preprocessing,
};
use kinograd_testkit::{Golden, Tolerance, assert_close};
use ndarray::{Array2, ArrayD};

const TOLERANCE: Tolerance = Tolerance::Within {
    absolute: 2e-5,
    relative: 1e-5,
};

fn format(channels: usize, size: [usize; 2]) -> PixelFormat {
    PixelFormat {
        channels,
        size,
        order: ChannelOrder::Rgb,
        layout: PixelLayout::Nchw,
        interpolation: Interpolation::Bilinear,
        range: [0.0, 1.0],
        mean: Vec::new(),
        std: Vec::new(),
    }
}

fn imagenet(size: [usize; 2], interpolation: Interpolation) -> PixelFormat {
    PixelFormat {
        mean: vec![0.485, 0.456, 0.406],
        std: vec![0.229, 0.224, 0.225],
        interpolation,
        ..format(3, size)
    }
}

#[test]
fn pictures_are_what_torchvision_makes_of_them() {
    let golden = Golden::new("network_preprocessing");
    let caffe = PixelFormat {
        order: ChannelOrder::Bgr,
        layout: PixelLayout::Nhwc,
        range: [0.0, 255.0],
        mean: vec![103.939, 116.779, 123.68],
        ..format(3, [6, 20])
    };
    for (name, image, format) in [
        (
            "imagenet",
            "picture",
            imagenet([17, 23], Interpolation::Bilinear),
        ),
        ("clip", "picture", imagenet([6, 5], Interpolation::Bicubic)),
        ("caffe", "picture", caffe),
        ("to_grey", "picture", format(1, [8, 8])),
        (
            "from_grey",
            "grey",
            imagenet([12, 12], Interpolation::Bicubic),
        ),
    ] {
        let x = golden.f32(image);
        let from = [x.shape()[1], x.shape()[2], x.shape()[3]];
        let map = Preprocessing::new(from, format).unwrap();
        let tensor = |part: &str| golden.f32(&format!("{name}_{part}"));
        let seen = map.apply(&x).unwrap();
        assert_close(&seen, &tensor("seen"), TOLERANCE);
        let gradient = map.adjoint(&x, &tensor("v")).unwrap();
        assert_close(&gradient, &tensor("gradient"), TOLERANCE);
    }
}

/// Class scores that are sums of pixels' squares by weight, of at most two pictures at once.
struct TwoAtOnce(Array2<f32>);

impl Network for TwoAtOnce {
    fn batch(&self) -> Option<usize> {
        Some(2)
    }

    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkPullBack<'a>), Box<dyn std::error::Error + Send + Sync>> {
        let batch = x0.shape()[0];
        assert!(batch <= 2);
        let flat = x0.to_shape((batch, self.0.ncols()))?.into_owned();
        let shape = x0.raw_dim();
        let weights = &self.0;
        Ok((
            flat.mapv(|x| x * x).dot(&weights.t()).into_dyn(),
            Box::new(move |cotangent| {
                let cotangent = cotangent.to_shape((batch, weights.nrows()))?;
                let back = cotangent.dot(weights) * 2.0 * &flat;
                Ok(back.to_shape(shape.clone())?.into_owned())
            }),
        ))
    }
}

#[test]
fn a_fixed_batch_gives_what_single_pictures_give() {
    let weights = Array2::from_shape_fn((3, 48), |(c, i)| ((c * 48 + i) as f32 * 0.7).sin());
    let map = Preprocessing::new([3, 6, 6], format(3, [4, 4])).unwrap();
    let network = Preprocessed::new(TwoAtOnce(weights), map);
    let mut loss = ClassLoss::new(network, 1);
    let x = ArrayD::from_shape_fn(vec![5, 3, 6, 6], |index| {
        (index[0] as f32 + 0.9 * index[1] as f32 + 1.3 * index[2] as f32 - index[3] as f32).sin()
    });
    let all = loss.value_and_grad(&x).unwrap();
    assert_eq!(all.gradient.shape(), x.shape());
    for (row, picture) in x.outer_iter().enumerate() {
        let one = picture.to_owned().insert_axis(ndarray::Axis(0));
        let one = loss.value_and_grad(&one).unwrap();
        assert!((one.values[0] - all.values[row]).abs() < 1e-6);
        let own = all
            .gradient
            .index_axis(ndarray::Axis(0), row)
            .insert_axis(ndarray::Axis(0));
        assert!((&one.gradient - &own).iter().all(|off| off.abs() < 1e-6));
        assert!(own.iter().any(|g| g.abs() > 1e-4));
    }
}
