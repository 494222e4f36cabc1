//! What an image denoiser is told besides the noise.

use ndarray::{Array1, Array2, Array3, Axis};

use crate::{Classes, Package, Role, RuntimeError, Tensor};

/// What one part of a batch shows, as the network takes it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageCondition {
    /// The class, where the package has classes: below their number, or the null class.
    pub class: Option<usize>,
    /// `[tokens, dims]`: what the text encoder makes of the prompt, where the package takes text.
    pub text: Option<Array2<f32>>,
}

/// Which conditions a package's denoiser takes.
#[derive(Debug, Clone)]
pub(super) struct ConditioningSpec {
    classes: Option<Classes>,
    /// `[tokens, dims]`.
    text: Option<[usize; 2]>,
    class_port: String,
    text_port: String,
}

impl ConditioningSpec {
    pub fn of(package: &Package) -> Result<Self, RuntimeError> {
        let manifest = package.manifest();
        let text = if manifest.takes_text() {
            let conditioning = manifest.text()?;
            Some([conditioning.max_tokens, conditioning.dims])
        } else {
            None
        };
        Ok(Self {
            classes: manifest.classes.clone(),
            text,
            class_port: package.port(Role::Denoiser, "class"),
            text_port: package.port(Role::Denoiser, "condition"),
        })
    }

    pub fn nothing(&self) -> bool {
        self.classes.is_none() && self.text.is_none()
    }

    pub fn check(&self, condition: &ImageCondition) -> Result<(), RuntimeError> {
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
        let got = condition.text.as_ref().map(Array2::dim);
        match (self.text, got) {
            (None, Some(_)) => wrong("condition", "a text".into(), "the model takes none".into()),
            (Some(_), None) => wrong("condition", "none".into(), "the model takes a text".into()),
            (Some(expected), Some((tokens, dims))) if expected != [tokens, dims] => {
                Err(RuntimeError::Tensor {
                    what: "condition".into(),
                    expected: format!("{expected:?}, as `conditioning` says"),
                    got: format!("{:?}", [tokens, dims]),
                })
            }
            _ => Ok(()),
        }
    }

    /// The graph's inputs for a batch whose equal parts show these.
    pub fn inputs(
        &self,
        parts: &[ImageCondition],
        batch: usize,
    ) -> Result<Vec<(String, Tensor)>, RuntimeError> {
        if self.nothing() {
            return Ok(Vec::new());
        }
        if parts.is_empty() || !batch.is_multiple_of(parts.len()) {
            return Err(RuntimeError::Parameter {
                name: "condition",
                value: format!("{} parts for {batch} samples", parts.len()),
                expected: "set before the first step, and the parts be of one size".into(),
            });
        }
        let each = batch / parts.len();
        let rows = parts
            .iter()
            .flat_map(|part| std::iter::repeat_n(part, each));
        let mut inputs = Vec::new();
        if self.classes.is_some() {
            let classes: Array1<i64> = rows
                .clone()
                .map(|part| part.class.unwrap_or_default() as i64)
                .collect();
            inputs.push((self.class_port.clone(), Tensor::from(classes)));
        }
        if let Some([tokens, dims]) = self.text {
            let mut states = Array3::zeros((batch, tokens, dims));
            for (mut row, part) in states.axis_iter_mut(Axis(0)).zip(rows) {
                if let Some(text) = &part.text {
                    row.assign(text);
                }
            }
            inputs.push((self.text_port.clone(), Tensor::from(states)));
        }
        Ok(inputs)
    }
}
