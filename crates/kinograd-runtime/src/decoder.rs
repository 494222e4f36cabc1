//! A latent model's decoder.

use std::sync::Arc;

use ndarray::ArrayD;

use crate::{
    Engine, LatentSize, NetworkGradient, OnnxNetwork, Package, Role, RuntimeError, SessionOptions,
};

/// Makes pictures of a package's latents, and pulls gradients back through that.
///
/// Latents are `[batch, channels, height, width]` as the denoiser has them; the network gets
/// `latent / scale + shift`. Pictures are `[batch, channels, height, width]` of the size that the
/// package names, in −1..1.
pub struct ImageDecoder {
    network: OnnxNetwork,
    latent: LatentSize,
    image: [usize; 3],
}

impl ImageDecoder {
    /// Opens the package's decoder, where it is a latent model; the graph is loaded when it is first
    /// needed.
    ///
    /// # Errors
    /// As [`Package::file`].
    pub fn open(
        engine: Arc<dyn Engine>,
        package: &Package,
        options: SessionOptions,
    ) -> Result<Option<Self>, RuntimeError> {
        let Some(latent) = package.manifest().latent else {
            return Ok(None);
        };
        let network =
            OnnxNetwork::of_package(engine, package, Role::Decoder, "latent", "image", options)?;
        Ok(Some(Self {
            network,
            latent,
            image: package.manifest().image()?.size(),
        }))
    }

    /// The pictures of latents.
    ///
    /// # Errors
    /// As [`OnnxNetwork::run`], and [`RuntimeError::Tensor`] if latents or pictures have another
    /// size than the package says.
    pub fn decode(&mut self, latents: &ArrayD<f32>) -> Result<ArrayD<f32>, RuntimeError> {
        self.check(latents)?;
        let pictures = self.network.run(&self.unscaled(latents))?;
        self.checked(pictures, latents)
    }

    /// The pictures of latents, and `v ↦ Jᵀv` from pictures to latents.
    ///
    /// # Errors
    /// As [`ImageDecoder::decode`] and [`OnnxNetwork::linearize`].
    pub fn linearize<'a>(
        &'a mut self,
        latents: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkGradient<'a>), RuntimeError> {
        self.check(latents)?;
        let inner = self.unscaled(latents);
        let (expected, scale) = (self.expected(latents), self.latent.scale);
        let (pictures, mut pull_back) = self.network.linearize(&inner)?;
        let pictures = of_size(pictures, &expected, "decoder's output")?;
        let pull_back = move |cotangent: &ArrayD<f32>| -> Result<ArrayD<f32>, RuntimeError> {
            let mut pulled = pull_back(cotangent)?;
            pulled.mapv_inplace(|v| (f64::from(v) / scale) as f32);
            Ok(pulled)
        };
        Ok((pictures, Box::new(pull_back)))
    }

    fn unscaled(&self, latents: &ArrayD<f32>) -> ArrayD<f32> {
        let (scale, shift) = (self.latent.scale, self.latent.shift.unwrap_or(0.0));
        latents.mapv(|z| (f64::from(z) / scale + shift) as f32)
    }

    fn expected(&self, latents: &ArrayD<f32>) -> Vec<usize> {
        let batch = latents.shape().first().copied().unwrap_or(0);
        [&[batch], self.image.as_slice()].concat()
    }

    fn check(&self, latents: &ArrayD<f32>) -> Result<(), RuntimeError> {
        let size = self.latent.size();
        if latents.ndim() == 4 && latents.shape()[1..] == size && latents.shape()[0] > 0 {
            return Ok(());
        }
        let [channels, height, width] = size;
        Err(RuntimeError::Tensor {
            what: "latents".into(),
            expected: format!("[batch, {channels}, {height}, {width}]"),
            got: format!("{:?}", latents.shape()),
        })
    }

    fn checked(
        &self,
        pictures: ArrayD<f32>,
        latents: &ArrayD<f32>,
    ) -> Result<ArrayD<f32>, RuntimeError> {
        of_size(pictures, &self.expected(latents), "decoder's output")
    }
}

fn of_size(
    array: ArrayD<f32>,
    expected: &[usize],
    what: &str,
) -> Result<ArrayD<f32>, RuntimeError> {
    if array.shape() == expected {
        return Ok(array);
    }
    Err(RuntimeError::Tensor {
        what: what.into(),
        expected: format!("{expected:?}, as `image` says"),
        got: format!("{:?}", array.shape()),
    })
}
