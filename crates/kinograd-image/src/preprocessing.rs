//! Pictures as a network was trained to see them.

use kinograd_guidance::GuidanceError;
use ndarray::{Array2, Array3, Array4, ArrayD, ArrayView3, ArrayView4, Axis, s};
use serde::{Deserialize, Serialize};

use crate::batch::images;
use crate::{ImageOperator, Interpolation};

/// Weights of red, green and blue in grey (ITU-R BT.601), as Pillow has them.
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// The order of colours in a network's channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as OpenCV and Caffe have it.
    Bgr,
}

/// Where the channels lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelLayout {
    /// `[batch, channels, height, width]`.
    #[default]
    Nchw,
    /// `[batch, height, width, channels]`, as TensorFlow has it.
    Nhwc,
}

/// What a network takes.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelFormat {
    /// 1 for grey, 3 for colours, 4 for colours and opacity.
    pub channels: usize,
    /// Height and width, pixels.
    pub size: [usize; 2],
    /// The order of the colours.
    pub order: ChannelOrder,
    /// Where the channels lie.
    pub layout: PixelLayout,
    /// How pictures of another size are resized.
    pub interpolation: Interpolation,
    /// The numbers of black and white, such as `[0, 1]` or `[0, 255]`.
    pub range: [f64; 2],
    /// What is subtracted from each of the network's channels, in units of the range: one number, or
    /// one a channel.
    pub mean: Vec<f64>,
    /// What each is divided by then.
    pub std: Vec<f64>,
}

/// The map from our pictures, `[batch, channels, height, width]` in −1..1, to a network's: opacity is
/// put on white where the network takes none, then the picture is resized, its channels are mixed and
/// its numbers scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct Preprocessing {
    from: [usize; 3],
    format: PixelFormat,
    resize: Option<ImageOperator>,
    /// `[channels out, channels in]`.
    mix: Array2<f64>,
    /// What a channel out has of its own: an opacity that our picture has not.
    constant: Vec<f64>,
    /// Factor and summand of each channel out.
    scale: Vec<[f64; 2]>,
}

impl Preprocessing {
    /// `from`: channels, height and width of our pictures.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if the number of channels is not 1, 3 or 4, a range is empty, or mean
    /// and deviation are none of the network's channels.
    pub fn new(from: [usize; 3], format: PixelFormat) -> Result<Self, GuidanceError> {
        let [channels, height, width] = from;
        for count in [channels, format.channels] {
            if !matches!(count, 1 | 3 | 4) {
                return Err(field("channels", &count, "must be 1, 3 or 4"));
            }
        }
        let flattened = flattened(channels, format.channels);
        let (mix, constant) = mixing(flattened, format.channels, format.order);
        let resize = (format.size != [height, width])
            .then(|| ImageOperator::resize([height, width], format.size, format.interpolation))
            .transpose()?;
        Ok(Self {
            from,
            scale: scaling(&format)?,
            format,
            resize,
            mix,
            constant,
        })
    }

    /// For something that takes our own pictures, in −1..1, of `to` channels, height and width.
    ///
    /// # Errors
    /// As [`Preprocessing::new`].
    pub fn between(from: [usize; 3], to: [usize; 3]) -> Result<Self, GuidanceError> {
        let [channels, height, width] = to;
        let format = PixelFormat {
            channels,
            size: [height, width],
            order: ChannelOrder::Rgb,
            layout: PixelLayout::Nchw,
            interpolation: Interpolation::Bilinear,
            range: [-1.0, 1.0],
            mean: Vec::new(),
            std: Vec::new(),
        };
        Self::new(from, format)
    }

    /// What the network takes.
    #[must_use]
    pub fn format(&self) -> &PixelFormat {
        &self.format
    }

    /// Pictures as the network sees them.
    ///
    /// # Errors
    /// [`GuidanceError::Shape`] if they are no pictures of the size that was given.
    pub fn apply(&self, pictures: &ArrayD<f32>) -> Result<ArrayD<f32>, GuidanceError> {
        let view = pictures.view();
        let view = self.checked(images("picture", &view)?)?;
        let [height, width] = self.format.size;
        let mut out = Array4::zeros((view.dim().0, self.format.channels, height, width));
        for (picture, mut to) in view.outer_iter().zip(out.outer_iter_mut()) {
            let mut seen = self.on_white(picture.mapv(f64::from));
            if let Some(resize) = &self.resize {
                seen = resize.apply(seen.view());
            }
            for (channel, mut to) in to.outer_iter_mut().enumerate() {
                let [factor, summand] = self.scale[channel];
                let own = self.constant[channel] * factor + summand;
                to.fill(own as f32);
                for (from, plane) in seen.outer_iter().enumerate() {
                    let weight = factor * self.mix[[channel, from]];
                    to.zip_mut_with(&plane, |to, &from| *to += (weight * from) as f32);
                }
            }
        }
        let out = match self.format.layout {
            PixelLayout::Nchw => out,
            PixelLayout::Nhwc => out.permuted_axes([0, 2, 3, 1]),
        };
        Ok(out.as_standard_layout().into_owned().into_dyn())
    }

    /// `Jᵀ v` of [`Preprocessing::apply`] at these pictures; `cotangents` are shaped like what it
    /// returns.
    ///
    /// # Errors
    /// [`GuidanceError::Shape`] if one of the two has another shape.
    pub fn adjoint(
        &self,
        pictures: &ArrayD<f32>,
        cotangents: &ArrayD<f32>,
    ) -> Result<ArrayD<f32>, GuidanceError> {
        let view = pictures.view();
        let view = self.checked(images("picture", &view)?)?;
        let v = cotangents.view();
        let v = images("gradient of what the network sees", &v)?;
        let v = match self.format.layout {
            PixelLayout::Nchw => v,
            PixelLayout::Nhwc => v.permuted_axes([0, 3, 1, 2]),
        };
        let [height, width] = self.format.size;
        let expected = [view.dim().0, self.format.channels, height, width];
        if v.shape() != expected {
            return Err(GuidanceError::Shape {
                what: "gradient of what the network sees",
                expected: expected.to_vec(),
                got: cotangents.shape().to_vec(),
            });
        }
        let mut out = view.map(|_| 0.0_f32);
        for ((picture, v), mut to) in view
            .outer_iter()
            .zip(v.outer_iter())
            .zip(out.outer_iter_mut())
        {
            let mut back = self.unmixed(v);
            if let Some(resize) = &self.resize {
                back = resize.adjoint(back.view());
            }
            to.assign(&self.off_white(picture, back).mapv(|g| g as f32));
        }
        Ok(out.into_dyn())
    }

    fn checked<'a>(
        &self,
        pictures: ArrayView4<'a, f32>,
    ) -> Result<ArrayView4<'a, f32>, GuidanceError> {
        if pictures.shape()[1..] == self.from {
            return Ok(pictures);
        }
        let mut expected = vec![pictures.dim().0];
        expected.extend(self.from);
        Err(GuidanceError::Shape {
            what: "picture",
            expected,
            got: pictures.shape().to_vec(),
        })
    }

    fn unmixed(&self, v: ArrayView3<'_, f32>) -> Array3<f64> {
        let [height, width] = self.format.size;
        let mut out = Array3::zeros((self.mix.ncols(), height, width));
        for (from, mut to) in out.outer_iter_mut().enumerate() {
            for (channel, plane) in v.outer_iter().enumerate() {
                let weight = self.scale[channel][0] * self.mix[[channel, from]];
                to.zip_mut_with(&plane, |to, &from| *to += weight * f64::from(from));
            }
        }
        out
    }

    /// Colours on white where the network takes no opacity: `1 + a (x − 1)`, white being 1.
    fn on_white(&self, picture: Array3<f64>) -> Array3<f64> {
        if !self.is_flattened() {
            return picture;
        }
        let opacity = picture.index_axis(Axis(0), 3).mapv(|a| (a + 1.0) / 2.0);
        let mut colours = picture.slice(s![..3, .., ..]).to_owned();
        for mut plane in colours.outer_iter_mut() {
            plane.zip_mut_with(&opacity, |x, a| *x = 1.0 + a * (*x - 1.0));
        }
        colours
    }

    /// The adjoint of [`Preprocessing::on_white`] at a picture.
    fn off_white(&self, picture: ArrayView3<'_, f32>, v: Array3<f64>) -> Array3<f64> {
        if !self.is_flattened() {
            return v;
        }
        let (_, height, width) = v.dim();
        let mut out = Array3::zeros((4, height, width));
        for ((channel, y, x), &v) in v.indexed_iter() {
            let opacity = (f64::from(picture[[3, y, x]]) + 1.0) / 2.0;
            out[[channel, y, x]] = opacity * v;
            out[[3, y, x]] += 0.5 * v * (f64::from(picture[[channel, y, x]]) - 1.0);
        }
        out
    }

    fn is_flattened(&self) -> bool {
        self.from[0] == 4 && self.format.channels != 4
    }
}

fn field(field: &'static str, value: &impl ToString, expected: &'static str) -> GuidanceError {
    GuidanceError::Field {
        field,
        value: value.to_string(),
        expected,
    }
}

/// Channels that are left when opacity is put on white.
fn flattened(from: usize, to: usize) -> usize {
    if from == 4 && to != 4 { 3 } else { from }
}

/// Weights `[to, from]`, and what is added: opacity 1 where the picture has none.
fn mixing(from: usize, to: usize, order: ChannelOrder) -> (Array2<f64>, Vec<f64>) {
    let mut mix = Array2::zeros((to, from));
    let mut constant = vec![0.0; to];
    if to == 1 {
        for (channel, weight) in mix.iter_mut().enumerate() {
            *weight = if from == 1 { 1.0 } else { LUMA[channel] };
        }
        return (mix, constant);
    }
    for channel in 0..3 {
        let at = match order {
            ChannelOrder::Rgb => channel,
            ChannelOrder::Bgr => 2 - channel,
        };
        mix[[at, channel.min(from - 1)]] = 1.0;
    }
    match (to, from) {
        (4, 4) => mix[[3, 3]] = 1.0,
        (4, _) => constant[3] = 1.0,
        _ => {}
    }
    (mix, constant)
}

/// From −1..1 to the range, less the mean and over the deviation.
fn scaling(format: &PixelFormat) -> Result<Vec<[f64; 2]>, GuidanceError> {
    let [low, high] = format.range;
    if !(low.is_finite() && high.is_finite() && low < high) {
        let value = format!("{low}..{high}");
        return Err(field(
            "range",
            &value,
            "must be two numbers that rise, as 0..1",
        ));
    }
    let of = |name, values: &[f64], channel: usize, default| match values {
        [] => Ok(default),
        [one] => Ok(*one),
        several if several.len() == format.channels => Ok(several[channel]),
        several => {
            let value = format!("{} numbers for {} channels", several.len(), format.channels);
            Err(field(name, &value, "must be one number, or one a channel"))
        }
    };
    (0..format.channels)
        .map(|channel| {
            let mean = of("mean", &format.mean, channel, 0.0)?;
            let std = of("std", &format.std, channel, 1.0)?;
            if !(std > 0.0 && std.is_finite() && mean.is_finite()) {
                return Err(field("std", &std, "must be above 0, and the mean finite"));
            }
            let half = (high - low) / 2.0;
            Ok([half / std, (low + half - mean) / std])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(shape: &[usize], seed: f32) -> ArrayD<f32> {
        let mut at = 0.0_f32;
        ArrayD::from_shape_simple_fn(shape, || {
            at += 1.0;
            (seed + 1.7 * at + 0.013 * at * at).sin()
        })
    }

    fn dot(a: &ArrayD<f32>, b: &ArrayD<f32>) -> f64 {
        a.iter()
            .zip(b)
            .map(|(&a, &b)| f64::from(a) * f64::from(b))
            .sum()
    }

    fn kinds() -> Vec<([usize; 3], PixelFormat)> {
        let mut kinds = Vec::new();
        for from in [1, 3, 4] {
            for channels in [1, 3, 4] {
                for (size, layout, order, interpolation) in [
                    (
                        [14, 10],
                        PixelLayout::Nchw,
                        ChannelOrder::Rgb,
                        Interpolation::Bilinear,
                    ),
                    (
                        [5, 4],
                        PixelLayout::Nhwc,
                        ChannelOrder::Bgr,
                        Interpolation::Bicubic,
                    ),
                    (
                        [8, 6],
                        PixelLayout::Nhwc,
                        ChannelOrder::Rgb,
                        Interpolation::Bilinear,
                    ),
                ] {
                    kinds.push((
                        [from, 8, 6],
                        PixelFormat {
                            channels,
                            size,
                            order,
                            layout,
                            interpolation,
                            range: [0.0, 1.0],
                            mean: (0..channels).map(|c| 0.4 + 0.1 * c as f64).collect(),
                            std: vec![0.25],
                        },
                    ));
                }
            }
        }
        kinds
    }

    #[test]
    fn adjoints_are_exact_and_agree_with_differences() {
        for (from, format) in kinds() {
            let map = Preprocessing::new(from, format).unwrap();
            let shape = [2, from[0], from[1], from[2]];
            let x = waves(&shape, 0.3);
            let seen = map.apply(&x).unwrap();
            let (u, v) = (waves(&shape, 1.1), waves(seen.shape(), 2.2));
            let pulled = map.adjoint(&x, &v).unwrap();
            let step = 0.5_f32;
            let ahead = map.apply(&(&x + &u.mapv(|u| u * step))).unwrap();
            let behind = map.apply(&(&x - &u.mapv(|u| u * step))).unwrap();
            // Of second degree at most: the central difference is exact for any step.
            let by_difference = dot(&v, &(&ahead - &behind)) / f64::from(2.0 * step);
            let by_adjoint = dot(&pulled, &u);
            let size = dot(&pulled, &pulled).sqrt() * dot(&u, &u).sqrt();
            let off = (by_difference - by_adjoint).abs() / size;
            assert!(off < 1e-6, "{off} of {from:?} to {:?}", map.format());
        }
    }

    #[test]
    fn white_and_opaque_stay_so() {
        for (from, format) in kinds() {
            let map = Preprocessing::new(from, format.clone()).unwrap();
            let white = map
                .apply(&ArrayD::ones(vec![1, from[0], from[1], from[2]]))
                .unwrap();
            let last = white.ndim() - 1;
            let axis = if format.layout == PixelLayout::Nhwc {
                last
            } else {
                1
            };
            for (channel, plane) in white.axis_iter(Axis(axis)).enumerate() {
                let expected = (1.0 - (0.4 + 0.1 * channel as f32)) / 0.25;
                assert!(plane.iter().all(|x| (x - expected).abs() < 1e-5));
            }
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        let (_, good) = kinds().swap_remove(3);
        let refused = |from, change: &dyn Fn(&mut PixelFormat)| {
            let mut format = good.clone();
            change(&mut format);
            Preprocessing::new(from, format).unwrap_err().to_string()
        };
        let from = [3, 8, 6];
        for (message, part) in [
            (refused([2, 8, 6], &|_| {}), "channels = 2"),
            (refused(from, &|f| f.range = [1.0, 0.0]), "range = 1..0"),
            (refused(from, &|f| f.std = vec![0.0]), "std = 0"),
            (
                refused(from, &|f| f.mean = vec![0.0; 2]),
                "mean = 2 numbers",
            ),
            (refused(from, &|f| f.size = [0, 4]), "size = 0 × 4"),
        ] {
            assert!(message.contains(part), "{message} lacks {part}");
        }
        let map = Preprocessing::new(from, good.clone()).unwrap();
        assert!(map.apply(&ArrayD::zeros(vec![1, 1, 8, 6])).is_err());
        let x = ArrayD::zeros(vec![1, 3, 8, 6]);
        assert!(map.adjoint(&x, &ArrayD::zeros(vec![1, 3, 8, 6])).is_err());
    }
}
