//! Pictures in a batch, and the class and text that a network is conditioned on.

use ndarray::{Array1, Array2, Array3, ArrayD, ArrayViewD, Axis};

use super::batch::{DenoiserBatch, ImageCondition, PictureBatch};
use super::layout::{SampleLayout, Scale, another_modality};
use crate::{Classes, ImageText, Package, Role, RuntimeError, Tensor};

/// What a denoiser's pictures are, and what they are conditioned on.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionedPictures {
    /// `[channels, height, width]`.
    size: [usize; 3],
    classes: Option<Classes>,
    /// `[tokens, dims]`.
    text: Option<[usize; 2]>,
    /// Width of the pooled text.
    pooled: Option<usize>,
    class_port: String,
    text_port: String,
    pooled_port: String,
}

impl ConditionedPictures {
    /// Those of a package.
    ///
    /// # Errors
    /// [`RuntimeError::PackageFormat`] if the package makes no pictures.
    pub fn of(package: &Package) -> Result<Self, RuntimeError> {
        let manifest = package.manifest();
        let (mut text, mut pooled) = (None, None);
        if manifest.takes_text() {
            let conditioning = manifest.text()?;
            text = Some([conditioning.max_tokens, conditioning.dims]);
            pooled = conditioning.pooled_dims;
        }
        Ok(Self {
            size: manifest.sample_size()?,
            classes: manifest.classes.clone(),
            text,
            pooled,
            class_port: package.port(Role::Denoiser, "class"),
            text_port: package.port(Role::Denoiser, "condition"),
            pooled_port: package.port(Role::Denoiser, "pooled"),
        })
    }

    fn is_conditional(&self) -> bool {
        self.classes.is_some() || self.text.is_some()
    }

    fn check(&self, condition: &ImageCondition) -> Result<(), RuntimeError> {
        let wrong = |name, value: String, expected: String| {
            Err(RuntimeError::Parameter {
                name,
                value,
                expected,
            })
        };
        match (&self.classes, condition.class) {
            (None, Some(class)) => {
                return wrong("class", class.to_string(), "the model takes none".into());
            }
            (Some(classes), None) => {
                let expected = format!("one of the model's {} classes", classes.count);
                return wrong("class", "none".into(), expected);
            }
            (Some(classes), Some(class))
                if class >= classes.count && Some(class) != classes.null =>
            {
                let expected = format!("the model has classes 0 to {}", classes.count - 1);
                return wrong("class", class.to_string(), expected);
            }
            _ => {}
        }
        match (self.text, &condition.text) {
            (None, Some(_)) => wrong("condition", "a text".into(), "the model takes none".into()),
            (Some(_), None) => wrong("condition", "none".into(), "the model takes a text".into()),
            (Some(expected), Some(text)) => self.check_text(expected, text),
            (None, None) => Ok(()),
        }
    }

    fn check_text(&self, expected: [usize; 2], text: &ImageText) -> Result<(), RuntimeError> {
        let wrong = |what: &str, expected: String, got: String| {
            Err(RuntimeError::Tensor {
                what: what.into(),
                expected: format!("{expected}, as `conditioning` says"),
                got,
            })
        };
        let (got, pooled) = (text.states.shape(), text.pooled.as_ref().map(Array1::len));
        if got != expected {
            return wrong("condition", format!("{expected:?}"), format!("{got:?}"));
        }
        if pooled != self.pooled {
            let words = |width: Option<usize>| width.map_or("none".into(), |n| format!("[{n}]"));
            return wrong("pooled", words(self.pooled), words(pooled));
        }
        Ok(())
    }

    /// The graph's inputs for `each` pictures of every condition, one condition after the other.
    fn inputs(&self, conditions: &[(ImageCondition, f64)], each: usize) -> Vec<(String, Tensor)> {
        let rows = conditions
            .iter()
            .flat_map(|(condition, _)| std::iter::repeat_n(condition, each));
        let mut inputs = Vec::new();
        if self.classes.is_some() {
            let classes: Array1<i64> = rows
                .clone()
                .map(|condition| condition.class.unwrap_or_default() as i64)
                .collect();
            inputs.push((self.class_port.clone(), Tensor::from(classes)));
        }
        if let Some([tokens, dims]) = self.text {
            let mut states = Array3::zeros((each * conditions.len(), tokens, dims));
            for (mut row, condition) in states.axis_iter_mut(Axis(0)).zip(rows.clone()) {
                if let Some(text) = &condition.text {
                    row.assign(&text.states);
                }
            }
            inputs.push((self.text_port.clone(), Tensor::from(states)));
        }
        if let Some(width) = self.pooled {
            let mut pooled = Array2::zeros((each * conditions.len(), width));
            for (mut row, condition) in pooled.axis_iter_mut(Axis(0)).zip(rows) {
                if let Some(text) = condition
                    .text
                    .as_ref()
                    .and_then(|text| text.pooled.as_ref())
                {
                    row.assign(text);
                }
            }
            inputs.push((self.pooled_port.clone(), Tensor::from(pooled)));
        }
        inputs
    }
}

/// Pictures as the graph takes them.
pub(super) struct Pictures {
    spec: ConditionedPictures,
    conditions: Vec<(ImageCondition, f64)>,
    /// Pictures that `inputs` are for.
    each: usize,
    inputs: Vec<(String, Tensor)>,
}

impl Pictures {
    /// Pictures of nothing that is told; where the network takes conditions, none until a batch is set.
    pub fn new(spec: ConditionedPictures) -> Self {
        let conditions = if spec.is_conditional() {
            Vec::new()
        } else {
            PictureBatch::default().conditions
        };
        Self {
            conditions,
            each: 0,
            inputs: Vec::new(),
            spec,
        }
    }

    fn scale_of(&self, part: usize, scale: Scale) -> f64 {
        match scale {
            Scale::All(by) => by,
            Scale::Weighted(by) => by * self.conditions[part].1,
        }
    }
}

impl SampleLayout for Pictures {
    fn set(&mut self, batch: DenoiserBatch) -> Result<(), RuntimeError> {
        let DenoiserBatch::Pictures(batch) = batch else {
            return Err(another_modality("pictures"));
        };
        for (condition, weight) in &batch.conditions {
            self.spec.check(condition)?;
            if !weight.is_finite() {
                return Err(RuntimeError::Parameter {
                    name: "guidance_scale",
                    value: weight.to_string(),
                    expected: "a finite number".into(),
                });
            }
        }
        self.conditions = batch.conditions;
        self.each = 0;
        Ok(())
    }

    fn stacked(&mut self, x: &ArrayD<f32>, scale: Scale) -> Result<ArrayD<f32>, RuntimeError> {
        if self.conditions.is_empty() {
            return Err(RuntimeError::Parameter {
                name: "condition",
                value: "none".into(),
                expected: "set before the first step".into(),
            });
        }
        let batch = x.shape().first().copied().unwrap_or(0);
        if x.ndim() != 4 || x.shape()[1..] != self.spec.size || batch == 0 {
            let [channels, height, width] = self.spec.size;
            return Err(RuntimeError::Tensor {
                what: "x_t".into(),
                expected: format!("[batch, {channels}, {height}, {width}]"),
                got: format!("{:?}", x.shape()),
            });
        }
        if batch != self.each {
            self.inputs = self.spec.inputs(&self.conditions, batch);
            self.each = batch;
        }
        let mut shape = x.shape().to_vec();
        shape[0] *= self.conditions.len();
        let mut stacked = ArrayD::zeros(shape);
        for (part, mut rows) in stacked.axis_chunks_iter_mut(Axis(0), batch).enumerate() {
            let by = self.scale_of(part, scale);
            rows.zip_mut_with(x, |to, &x| *to = (by * f64::from(x)) as f32);
        }
        Ok(stacked)
    }

    fn conditions(&self) -> &[(String, Tensor)] {
        &self.inputs
    }

    fn combined(
        &self,
        output: ArrayViewD<'_, f32>,
        scale: Scale,
        x: &ArrayD<f32>,
        skip: f64,
    ) -> Result<ArrayD<f32>, RuntimeError> {
        let batch = x.shape()[0];
        let mut expected = x.shape().to_vec();
        expected[0] *= self.conditions.len();
        if output.shape() != expected {
            return Err(RuntimeError::Tensor {
                what: "denoiser's output".into(),
                expected: format!("{expected:?}"),
                got: format!("{:?}", output.shape()),
            });
        }
        let mut sum = x.mapv(|x| skip * f64::from(x));
        for (part, rows) in output.axis_chunks_iter(Axis(0), batch).enumerate() {
            let by = self.scale_of(part, scale);
            sum.zip_mut_with(&rows, |sum, &value| *sum += by * f64::from(value));
        }
        Ok(sum.mapv(|value| value as f32))
    }
}
