//! Any ONNX network of one input and one output, with its vector–Jacobian product.

use std::path::Path;
use std::sync::Arc;

use ndarray::ArrayD;

use crate::{
    Activations, Engine, GradientSession, ModelSource, Package, Role, RuntimeError, Session,
    SessionOptions, Tensor, inspect,
};

/// A network behind a loss: an embedding, a mask, a classifier, a reward.
///
/// ```no_run
/// use kinograd_runtime::*;
/// use ndarray::ArrayD;
///
/// let engine = open_engine(&EngineOptions::default())?.engine;
/// let mut reward = OnnxNetwork::of_file(engine, "reward.onnx".as_ref(), SessionOptions::default())?;
/// let (value, mut pull_back) = reward.linearize(&ArrayD::zeros(vec![1, 3, 64, 64]))?;
/// let gradient = pull_back(&ArrayD::ones(value.shape()))?;
/// # Ok::<(), kinograd_runtime::RuntimeError>(())
/// ```
pub struct OnnxNetwork {
    engine: Arc<dyn Engine>,
    model: ModelSource,
    options: SessionOptions,
    input: String,
    output: String,
    plain: Option<Box<dyn Session>>,
    gradient: Option<GradientSession>,
}

/// `v ↦ Jᵀv` of an [`OnnxNetwork`].
pub type NetworkGradient<'a> =
    Box<dyn FnMut(&ArrayD<f32>) -> Result<ArrayD<f32>, RuntimeError> + 'a>;

impl OnnxNetwork {
    /// A package's network; `input` and `output` are the contract's names for the role.
    ///
    /// # Errors
    /// As [`Package::file`].
    pub fn of_package(
        engine: Arc<dyn Engine>,
        package: &Package,
        role: Role,
        input: &str,
        output: &str,
        options: SessionOptions,
    ) -> Result<Self, RuntimeError> {
        Ok(Self {
            engine,
            model: package.model(role)?,
            options,
            input: package.port(role, input),
            output: package.port(role, output),
            plain: None,
            gradient: None,
        })
    }

    /// An ONNX file with one input; its first output is taken.
    ///
    /// # Errors
    /// [`RuntimeError::Io`] if the file cannot be read, [`RuntimeError::Load`] if it is no ONNX
    /// model, [`RuntimeError::Tensor`] if it takes anything but one tensor of floats.
    pub fn of_file(
        engine: Arc<dyn Engine>,
        path: &Path,
        options: SessionOptions,
    ) -> Result<Self, RuntimeError> {
        let summary = inspect(path)?;
        let ([input], Some(output)) = (summary.inputs.as_slice(), summary.outputs.first()) else {
            return Err(RuntimeError::Tensor {
                what: path.display().to_string(),
                expected: "a network with one input and an output".into(),
                got: format!(
                    "{} inputs and {} outputs",
                    summary.inputs.len(),
                    summary.outputs.len()
                ),
            });
        };
        Ok(Self {
            engine,
            model: ModelSource::file(path)?,
            options: options.of_user_network(),
            input: input.name.clone(),
            output: output.name.clone(),
            plain: None,
            gradient: None,
        })
    }

    /// SHA-256 of the file.
    pub fn sha256(&self) -> &str {
        self.model.sha256()
    }

    /// The output at `x`.
    ///
    /// # Errors
    /// As [`Engine::load`] and [`Session::run`].
    pub fn run(&mut self, x: &ArrayD<f32>) -> Result<ArrayD<f32>, RuntimeError> {
        if self.plain.is_none() && self.gradient.is_none() {
            self.plain = Some(self.engine.load(&self.model, &self.options)?);
        }
        let tensor = Tensor::from(x.clone());
        let named = [(self.input.as_str(), &tensor)];
        match (&mut self.plain, &mut self.gradient) {
            (Some(plain), _) => plain.run(&named, &[&self.output])?.remove(0).into_f32(),
            (None, Some(gradient)) => gradient.forward(&named)?.0.into_f32(),
            (None, None) => Err(crate::denoiser::not_loaded()),
        }
    }

    /// The output at `x`, and `v ↦ Jᵀv` there.
    ///
    /// # Errors
    /// As [`GradientSession::open`] and [`Session::run`].
    pub fn linearize<'a>(
        &'a mut self,
        x: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkGradient<'a>), RuntimeError> {
        if self.gradient.is_none() {
            self.gradient = Some(GradientSession::open(
                &self.engine,
                &self.model,
                &self.output,
                &self.input,
                &self.options,
            )?);
        }
        let Self {
            gradient, input, ..
        } = self;
        let gradient = gradient.as_mut().ok_or_else(crate::denoiser::not_loaded)?;
        let tensor = Tensor::from(x.clone());
        let (output, activations): (Tensor, Activations) =
            gradient.forward(&[(input.as_str(), &tensor)])?;
        let input = input.as_str();
        let pull_back = move |cotangent: &ArrayD<f32>| -> Result<ArrayD<f32>, RuntimeError> {
            let cotangent = Tensor::from(cotangent.clone());
            gradient
                .backward(&activations, &[(input, &tensor)], &cotangent)?
                .into_f32()
        };
        Ok((output.into_f32()?, Box::new(pull_back)))
    }
}
