//! Random changes of images, affine in the image, with exact adjoints.

use kinograd_guidance::GuidanceError;
use ndarray::{ArrayD, ArrayViewD, Axis};
use rand::RngExt;
use rand_chacha::ChaCha12Rng;

/// DiffAugment's policies (Zhao et al. 2020) as Shen et al. 2024 draw them, each around no change.
/// The default is their ImageNet script's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageAugmentation {
    /// Largest number added to all pixels.
    pub brightness: f64,
    /// Largest change of the factor 1 on the distance from grey.
    pub saturation: f64,
    /// Largest change of the factor 1 on the distance from the image's mean.
    pub contrast: f64,
    /// Largest shift, as a share of the image.
    pub translation: f64,
    /// Largest change of the zoom 1.
    pub resize: f64,
    /// Side of the square that is cut out, as a share of the image; 0 for none.
    pub cutout: f64,
    /// What is seen beyond the image's edge and in the cut: 0 is grey, 1 is white.
    pub fill: f64,
}

impl Default for ImageAugmentation {
    fn default() -> Self {
        Self {
            brightness: 0.5,
            saturation: 1.0,
            contrast: 0.5,
            translation: 0.125,
            resize: 0.2,
            cutout: 0.5,
            fill: 0.0,
        }
    }
}

impl ImageAugmentation {
    /// No change at all.
    pub const NONE: Self = Self {
        brightness: 0.0,
        saturation: 0.0,
        contrast: 0.0,
        translation: 0.0,
        resize: 0.0,
        cutout: 0.0,
        fill: 0.0,
    };

    pub(crate) fn check(&self) -> Result<(), GuidanceError> {
        for (field, value, most) in [
            ("brightness", self.brightness, f64::MAX),
            ("saturation", self.saturation, f64::MAX),
            ("contrast", self.contrast, f64::MAX),
            ("translation", self.translation, 1.0),
            ("resize", self.resize, 0.99),
            ("cutout", self.cutout, 1.0),
        ] {
            if !(value >= 0.0 && value <= most) {
                return Err(GuidanceError::Field {
                    field,
                    value: value.to_string(),
                    expected: "must not be negative (translation, resize and cutout: below 1)",
                });
            }
        }
        if !self.fill.is_finite() {
            return Err(GuidanceError::Field {
                field: "fill",
                value: self.fill.to_string(),
                expected: "must be finite",
            });
        }
        Ok(())
    }

    /// One augmentation of images of this size, `[channels, height, width]`.
    pub(crate) fn draw(&self, rng: &mut ChaCha12Rng, size: [usize; 3]) -> Draw {
        let mut around =
            |centre: f64, reach: f64| centre + reach * rng.random_range(-1.0_f64..=1.0);
        let brightness = around(0.0, self.brightness);
        let saturation = around(1.0, self.saturation);
        let contrast = around(1.0, self.contrast);
        let zoom = around(1.0, self.resize);
        let [_, height, width] = size.map(|side| side as f64);
        let shift = [
            around(0.0, self.translation * height),
            around(0.0, self.translation * width),
        ];
        let cut = [height, width].map(|side| {
            let half = self.cutout * side / 2.0;
            let centre = around(side / 2.0, side / 2.0);
            [centre - half, centre + half]
        });
        Draw {
            size,
            brightness,
            saturation,
            contrast,
            zoom,
            shift,
            cut,
            fill: self.fill,
        }
    }
}

/// One augmentation: colour, then zoom and shift, then the cut.
pub(crate) struct Draw {
    size: [usize; 3],
    brightness: f64,
    saturation: f64,
    contrast: f64,
    zoom: f64,
    shift: [f64; 2],
    /// From and to, along height and width.
    cut: [[f64; 2]; 2],
    fill: f64,
}

impl Draw {
    /// Images `[batch, channels, height, width]`, augmented.
    pub(crate) fn apply(&self, images: &ArrayD<f32>) -> ArrayD<f32> {
        per_image(images, |image| {
            let mut out = self.recolour(image, self.brightness);
            // Around the fill, resampling and cutting are linear maps.
            out.iter_mut().for_each(|value| *value -= self.fill);
            out = self.resample(&out, false);
            self.cut_out(&mut out);
            out.iter_mut().for_each(|value| *value += self.fill);
            out
        })
    }

    /// The adjoint of the linear part.
    pub(crate) fn adjoint(&self, cotangents: &ArrayD<f32>) -> ArrayD<f32> {
        per_image(cotangents, |mut cotangent| {
            self.cut_out(&mut cotangent);
            let out = self.resample(&cotangent, true);
            // Saturation and contrast mix with means: symmetric maps, which commute.
            self.recolour(out, 0.0)
        })
    }

    fn recolour(&self, mut image: Vec<f64>, brightness: f64) -> Vec<f64> {
        let [channels, height, width] = self.size;
        let pixels = height * width;
        // Opacity is moved with the colours and keeps its numbers.
        let channels = if channels == 4 { 3 } else { channels };
        let colours = &mut image[..channels * pixels];
        for pixel in 0..pixels {
            let grey: f64 = (0..channels).map(|c| colours[c * pixels + pixel]).sum();
            let grey = grey / channels.max(1) as f64;
            for channel in 0..channels {
                let value = &mut colours[channel * pixels + pixel];
                *value = grey + self.saturation * (*value - grey);
            }
        }
        let mean = colours.iter().sum::<f64>() / colours.len().max(1) as f64;
        for value in colours {
            *value = mean + self.contrast * (*value - mean) + brightness;
        }
        image
    }

    /// Bilinear zoom around the middle and shift, zero beyond the edge; or its transpose.
    fn resample(&self, image: &[f64], transpose: bool) -> Vec<f64> {
        let [channels, height, width] = self.size;
        let pixels = height * width;
        let mut out = vec![0.0; image.len()];
        let source = |at: usize, side: usize, shift: f64| {
            let middle = (side as f64 - 1.0) / 2.0;
            (at as f64 - middle - shift) / self.zoom + middle
        };
        for row in 0..height {
            let rows = taps(source(row, height, self.shift[0]), height);
            for column in 0..width {
                let columns = taps(source(column, width, self.shift[1]), width);
                for &(from_row, row_share) in &rows {
                    for &(from_column, column_share) in &columns {
                        let weight = row_share * column_share;
                        let (near, far) = (row * width + column, from_row * width + from_column);
                        let (to, from) = if transpose { (far, near) } else { (near, far) };
                        for channel in 0..channels {
                            out[channel * pixels + to] += weight * image[channel * pixels + from];
                        }
                    }
                }
            }
        }
        out
    }

    fn cut_out(&self, image: &mut [f64]) {
        let [channels, height, width] = self.size;
        let inside = |at: usize, [from, to]: [f64; 2]| {
            let middle = at as f64 + 0.5;
            from < middle && middle < to
        };
        for row in (0..height).filter(|&row| inside(row, self.cut[0])) {
            for column in (0..width).filter(|&column| inside(column, self.cut[1])) {
                for channel in 0..channels {
                    image[(channel * height + row) * width + column] = 0.0;
                }
            }
        }
    }
}

/// The two pixels around a place, within the image, and their shares.
fn taps(place: f64, side: usize) -> Vec<(usize, f64)> {
    let below = place.floor();
    let share = place - below;
    [(below, 1.0 - share), (below + 1.0, share)]
        .into_iter()
        .filter(|&(at, share)| at >= 0.0 && at < side as f64 && share > 0.0)
        .map(|(at, share)| (at as usize, share))
        .collect()
}

fn per_image(images: &ArrayD<f32>, f: impl Fn(Vec<f64>) -> Vec<f64>) -> ArrayD<f32> {
    let mut out = images.clone();
    for (mut image, source) in out.axis_iter_mut(Axis(0)).zip(images.axis_iter(Axis(0))) {
        let flat = |view: ArrayViewD<'_, f32>| view.iter().map(|&v| f64::from(v)).collect();
        for (out, value) in image.iter_mut().zip(f(flat(source))) {
            *out = value as f32;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_testkit::inner_product;
    use rand::SeedableRng;

    fn image(seed: f32) -> ArrayD<f32> {
        image_of(3, seed)
    }

    fn image_of(channels: usize, seed: f32) -> ArrayD<f32> {
        ArrayD::from_shape_fn(vec![2, channels, 7, 6], |i| {
            (seed + i[0] as f32 + 1.3 * i[1] as f32 + 0.7 * i[2] as f32 + 2.1 * i[3] as f32).sin()
        })
    }

    /// ⟨u, T x − T 0⟩ = ⟨Tᵀu, x⟩.
    #[test]
    fn the_adjoint_is_the_linear_parts() {
        let mut rng = ChaCha12Rng::seed_from_u64(4);
        let mut cut = 0;
        for channels in [1, 3, 4].into_iter().cycle().take(60) {
            let (x, u) = (image_of(channels, 0.2), image_of(channels, 1.9));
            let draw = ImageAugmentation::default().draw(&mut rng, [channels, 7, 6]);
            let offset = draw.apply(&ArrayD::zeros(x.raw_dim()));
            let applied = draw.apply(&x);
            cut += applied.iter().filter(|v| **v == 0.0).count();
            let left = inner_product(&u, &(&applied - &offset));
            let right = inner_product(&draw.adjoint(&u), &x);
            assert!((left - right).abs() < 1e-4, "{left}, {right}");
        }
        assert!(cut > 100);
    }

    #[test]
    fn single_policies_do_what_they_say() {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        let x = image(0.5);
        let bright = ImageAugmentation {
            brightness: 0.5,
            ..ImageAugmentation::NONE
        };
        let opaque = image_of(4, 0.5);
        let bright = bright.draw(&mut rng, [4, 7, 6]).apply(&opaque);
        let change = |channel| {
            let [a, b] = [&bright, &opaque].map(|x| x.index_axis(Axis(1), channel).to_owned());
            (a - b).mapv(f32::abs).sum()
        };
        assert!(change(0) > 1.0 && change(3) < 1e-6);
        let none = ImageAugmentation::NONE.draw(&mut rng, [3, 7, 6]);
        assert!((&none.apply(&x) - &x).iter().all(|d| d.abs() < 1e-6));
        let shifted = Draw {
            shift: [2.0, -1.0],
            ..ImageAugmentation::NONE.draw(&mut rng, [3, 7, 6])
        };
        let moved = shifted.apply(&x);
        let from = x[[1, 2, 2, 4].as_slice()];
        assert!((moved[[1, 2, 4, 3].as_slice()] - from).abs() < 1e-6);
        assert_eq!(moved[[1, 2, 1, 3].as_slice()], 0.0);
        let on_white = Draw {
            fill: 1.0,
            ..shifted
        };
        let moved = on_white.apply(&x);
        assert!((moved[[1, 2, 4, 3].as_slice()] - from).abs() < 1e-6);
        assert_eq!(moved[[1, 2, 1, 3].as_slice()], 1.0);
        let grey = Draw {
            saturation: 0.0,
            ..ImageAugmentation::NONE.draw(&mut rng, [3, 7, 6])
        };
        let grey = grey.apply(&x);
        assert!((grey[[0, 0, 3, 3].as_slice()] - grey[[0, 2, 3, 3].as_slice()]).abs() < 1e-6);
        let flat = Draw {
            contrast: 0.0,
            brightness: 0.25,
            ..ImageAugmentation::NONE.draw(&mut rng, [3, 7, 6])
        };
        let mean = x.index_axis(Axis(0), 0).mean().unwrap() + 0.25;
        let flat = flat.apply(&x);
        assert!(
            flat.index_axis(Axis(0), 0)
                .iter()
                .all(|v| (v - mean).abs() < 1e-5)
        );
        let wrong = ImageAugmentation {
            cutout: 1.5,
            ..ImageAugmentation::NONE
        };
        assert!(wrong.check().unwrap_err().to_string().contains("cutout"));
    }
}
