//! Losses on what a network says of an image.

use kinograd_guidance::{Embedding, EmbeddingPullBack, GuidanceError, Loss, LossValue};
use ndarray::{Array2, ArrayD, ArrayView1, Axis, Ix2, Slice};

/// What a network may fail with.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// `v ↦ Jᵀv` of a network: shape of its output to the shape of x̂0.
pub type NetworkPullBack<'a> = Box<dyn FnMut(&ArrayD<f32>) -> Result<ArrayD<f32>, Failure> + 'a>;

/// A network on x̂0, sample by sample of the batch.
pub trait Network {
    /// The number of samples that it takes at once, where that is fixed: losses give it its batch in
    /// groups of at most so many.
    fn batch(&self) -> Option<usize> {
        None
    }

    /// The output `[batch, ...]` at `x0` `[batch, ...]`, and the map `v ↦ Jᵀv` there.
    ///
    /// # Errors
    /// The network's own.
    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkPullBack<'a>), Failure>;
}

impl<N: Network + ?Sized> Network for &mut N {
    fn batch(&self) -> Option<usize> {
        (**self).batch()
    }

    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkPullBack<'a>), Failure> {
        (**self).linearize(x0)
    }
}

impl<N: Network + ?Sized> Network for Box<N> {
    fn batch(&self) -> Option<usize> {
        (**self).batch()
    }

    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(ArrayD<f32>, NetworkPullBack<'a>), Failure> {
        (**self).linearize(x0)
    }
}

/// A network with output `[batch, e]` as an [`Embedding`], for
/// [`TextSimilarity`](kinograd_guidance::TextSimilarity): likeness to a text, a face or a picture.
pub struct AsEmbedding<N>(pub N);

impl<N: Network> Embedding for AsEmbedding<N> {
    fn linearize<'a>(
        &'a mut self,
        x0: &ArrayD<f32>,
    ) -> Result<(Array2<f32>, EmbeddingPullBack<'a>), Failure> {
        let (output, mut pull_back) = self.0.linearize(x0)?;
        let output = output.into_dimensionality::<Ix2>()?;
        Ok((
            output,
            Box::new(move |cotangent| pull_back(&cotangent.clone().into_dyn())),
        ))
    }
}

/// A sample's value from the network's output, which also writes its slope.
trait Judge: FnMut(&[f32], &mut [f32]) -> Result<f64, GuidanceError> {}

impl<F: FnMut(&[f32], &mut [f32]) -> Result<f64, GuidanceError>> Judge for F {}

/// Values and cotangents from a network's output, one sample after another.
fn through(
    name: &str,
    network: &mut dyn Network,
    x0: &ArrayD<f32>,
    mut judge: impl Judge,
) -> Result<LossValue, GuidanceError> {
    let batch = x0.shape().first().copied().unwrap_or(0);
    let group = network.batch().unwrap_or(batch).max(1);
    if batch <= group {
        return group_through(name, network, x0, &mut judge);
    }
    // Group by group, backward included: the activations of one only are kept.
    let mut values = Vec::with_capacity(batch);
    let mut gradient = ArrayD::zeros(x0.raw_dim());
    for start in (0..batch).step_by(group) {
        let rows = Slice::from(start..(start + group).min(batch));
        let own = x0.slice_axis(Axis(0), rows).to_owned();
        let own = group_through(name, network, &own, &mut judge)?;
        values.extend(own.values);
        gradient.slice_axis_mut(Axis(0), rows).assign(&own.gradient);
    }
    Ok(LossValue { values, gradient })
}

fn group_through(
    name: &str,
    network: &mut dyn Network,
    x0: &ArrayD<f32>,
    judge: &mut impl Judge,
) -> Result<LossValue, GuidanceError> {
    let failed = |source| GuidanceError::Loss {
        loss: name.to_owned(),
        source,
    };
    let batch = x0.shape().first().copied().unwrap_or(0);
    let (output, mut pull_back) = network.linearize(x0).map_err(failed)?;
    if output.shape().first() != Some(&batch) {
        return Err(GuidanceError::Shape {
            what: "network's output",
            expected: vec![batch],
            got: output.shape().to_vec(),
        });
    }
    let mut cotangent = ArrayD::zeros(output.raw_dim());
    let mut values = Vec::with_capacity(batch);
    for (sample, mut out) in output
        .axis_iter(Axis(0))
        .zip(cotangent.axis_iter_mut(Axis(0)))
    {
        let flat: Vec<f32> = sample.iter().copied().collect();
        let mut slope = vec![0.0; flat.len()];
        values.push(judge(&flat, &mut slope)?);
        for (out, slope) in out.iter_mut().zip(slope) {
            *out = slope;
        }
    }
    let gradient = pull_back(&cotangent).map_err(failed)?;
    Ok(LossValue { values, gradient })
}

/// Mean binary cross-entropy, in nats, between a network's mask and one that is given.
pub struct MaskMatch<N> {
    network: N,
    mask: Array2<f32>,
}

impl<N: Network> MaskMatch<N> {
    /// `network`: logits of the foreground, `[batch, 1, height, width]`. `mask`:
    /// `[height, width]`, 0 for background to 1.
    ///
    /// # Errors
    /// [`GuidanceError::Field`] if a value is outside 0..1 or all are 0.
    pub fn new(network: N, mask: Array2<f32>) -> Result<Self, GuidanceError> {
        let within = mask.iter().all(|m| (0.0..=1.0).contains(m));
        if within && mask.iter().any(|m| *m > 0.0) {
            return Ok(Self { network, mask });
        }
        Err(GuidanceError::Field {
            field: "mask",
            value: format!("{} × {} pixels", mask.nrows(), mask.ncols()),
            expected: "must be from 0 to 1 and have a foreground",
        })
    }
}

impl<N: Network> Loss for MaskMatch<N> {
    fn name(&self) -> &str {
        "seg"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let mask = &self.mask;
        through("seg", &mut self.network, x0, |logits, slope| {
            if logits.len() != mask.len() {
                return Err(GuidanceError::Shape {
                    what: "segmentation",
                    expected: vec![1, mask.nrows(), mask.ncols()],
                    got: vec![logits.len()],
                });
            }
            let count = mask.len() as f64;
            let mut sum = 0.0;
            for ((&logit, &wanted), slope) in logits.iter().zip(mask).zip(slope) {
                let (logit, wanted) = (f64::from(logit), f64::from(wanted));
                // log(1 + eᶻ) − y z, without overflow.
                sum += logit.max(0.0) - wanted * logit + (-logit.abs()).exp().ln_1p();
                *slope = ((1.0 / (1.0 + (-logit).exp()) - wanted) / count) as f32;
            }
            Ok(sum / count)
        })
    }
}

/// Cross-entropy, in nats, of one class.
pub struct ClassLoss<N> {
    network: N,
    class: usize,
}

impl<N: Network> ClassLoss<N> {
    /// `network`: logits `[batch, classes]`.
    pub fn new(network: N, class: usize) -> Self {
        Self { network, class }
    }
}

impl<N: Network> Loss for ClassLoss<N> {
    fn name(&self) -> &str {
        "class"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        let class = self.class;
        through("class", &mut self.network, x0, |logits, slope| {
            if class >= logits.len() {
                return Err(GuidanceError::Field {
                    field: "class",
                    value: class.to_string(),
                    expected: "must be below the number of the network's classes",
                });
            }
            let logits = ArrayView1::from(logits).mapv(f64::from);
            let largest = logits.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
            let total: f64 = logits.iter().map(|l| (l - largest).exp()).sum();
            for (index, (slope, logit)) in slope.iter_mut().zip(&logits).enumerate() {
                let share = (logit - largest).exp() / total;
                *slope = (share - f64::from(index == class)) as f32;
            }
            Ok(largest + total.ln() - logits[class])
        })
    }
}

/// Minus a reward.
pub struct RewardLoss<N> {
    network: N,
}

impl<N: Network> RewardLoss<N> {
    /// `network`: one reward for each sample, `[batch]` or `[batch, 1]`.
    pub fn new(network: N) -> Self {
        Self { network }
    }
}

impl<N: Network> Loss for RewardLoss<N> {
    fn name(&self) -> &str {
        "reward"
    }

    fn value_and_grad(&mut self, x0: &ArrayD<f32>) -> Result<LossValue, GuidanceError> {
        through("reward", &mut self.network, x0, |reward, slope| {
            let (&[reward], [slope]) = (reward, slope) else {
                return Err(GuidanceError::Shape {
                    what: "reward of a sample",
                    expected: vec![1],
                    got: vec![reward.len()],
                });
            };
            *slope = -1.0;
            Ok(-f64::from(reward))
        })
    }
}
