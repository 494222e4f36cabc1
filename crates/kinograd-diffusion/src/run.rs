//! The sampling loop.

use ndarray::{ArrayD, IxDyn};

use crate::model::check;
use crate::{
    DiffusionError, Guidance, Layout, Model, NoiseSource, Observer, Progress, Sampler, StepInfo,
    StepPair,
};

/// Draws `x_T` from the noise source and walks `steps` down to a sample of the layout's shape.
///
/// x̂0 is not clipped. The steps come from
/// [`NoiseSchedule::steps`](crate::NoiseSchedule::steps); the noise source is asked once for `x_T`,
/// then by the sampler and by time travel.
///
/// # Example
/// ```
/// use kinograd_diffusion::{
///     Ddim, Denoiser, DiffusionError, Layout, Model, NoObserver, NoiseLevel, NoiseSchedule,
///     SeededNoise, Spacing, sample,
/// };
/// use ndarray::ArrayD;
///
/// struct Zero;
/// impl Denoiser for Zero {
///     fn denoise(&mut self, x_t: &ArrayD<f32>, _: NoiseLevel) -> Result<ArrayD<f32>, DiffusionError> {
///         Ok(ArrayD::zeros(x_t.raw_dim()))
///     }
/// }
///
/// let steps = NoiseSchedule::cosine(1000)?.steps(Spacing::Trailing, 10)?;
/// let clean = sample(
///     &mut Model::forward_only(&mut Zero),
///     &mut Ddim::default(),
///     &steps,
///     &Layout::full(&[1, 8, 3])?,
///     &mut SeededNoise::new(vec![0]),
///     None,
///     &mut NoObserver,
/// )?;
/// assert!(clean.iter().all(|&value| value == 0.0));
/// # Ok::<(), DiffusionError>(())
/// ```
///
/// # Errors
/// What the model, the guidance and the noise source return; [`DiffusionError::NonFinite`] if the
/// sample stops being finite; [`DiffusionError::Cancelled`] if the observer asks for it;
/// [`DiffusionError::NoGradient`] if the guidance needs a gradient that the model lacks.
pub fn sample(
    model: &mut Model<'_>,
    sampler: &mut dyn Sampler,
    steps: &[StepPair],
    layout: &Layout,
    noise: &mut dyn NoiseSource,
    guidance: Option<&mut (dyn Guidance + '_)>,
    observer: &mut dyn Observer,
) -> Result<ArrayD<f32>, DiffusionError> {
    let mut x_start = ArrayD::zeros(IxDyn(layout.shape()));
    noise.fill(&mut x_start)?;
    sample_from(
        x_start, model, sampler, steps, layout, noise, guidance, observer,
    )
}

/// As [`sample`], from a given `x_T` (or any noised sample at the level of `steps[0].from`).
///
/// # Errors
/// As [`sample`]; [`DiffusionError::Shape`] if `x_start` doesn't have the layout's shape.
#[expect(
    clippy::too_many_arguments,
    reason = "each is a seam of its own, and a bag of them would only be filled here"
)]
pub fn sample_from(
    x_start: ArrayD<f32>,
    model: &mut Model<'_>,
    sampler: &mut dyn Sampler,
    steps: &[StepPair],
    layout: &Layout,
    noise: &mut dyn NoiseSource,
    mut guidance: Option<&mut (dyn Guidance + '_)>,
    observer: &mut dyn Observer,
) -> Result<ArrayD<f32>, DiffusionError> {
    let Some(first) = steps.first() else {
        return Err(DiffusionError::Parameter {
            name: "steps",
            value: "0".to_owned(),
            expected: "must be at least 1",
        });
    };
    check("x_T", &x_start, layout.shape(), first.from)?;
    if let Some(guidance) = guidance.as_deref_mut() {
        if guidance.needs_gradient() && !model.has_gradient() {
            return Err(DiffusionError::NoGradient);
        }
        guidance.begin(layout)?;
    }
    sampler.reset();
    let mut x = x_start;
    for (index, &pair) in steps.iter().enumerate() {
        let mut info = StepInfo {
            index,
            total: steps.len(),
            repeat: 0,
            pair,
            layout,
        };
        let visits = guidance.as_deref().map_or(1, |g| g.visits(&info)).max(1);
        for repeat in 0..visits {
            info.repeat = repeat;
            let (x0, x_next) = step(&x, model, sampler, noise, guidance.as_deref_mut(), &info)?;
            check("x", &x_next, layout.shape(), pair.to)
                .map_err(|error| blamed(error, guidance.as_deref(), pair))?;
            let progress = Progress {
                index,
                total: steps.len(),
                repeat,
                pair,
                calls: model.calls(),
                x0: &x0,
                x_next: &x_next,
            };
            if observer.step_done(&progress).is_break() {
                return Err(DiffusionError::Cancelled);
            }
            x = x_next;
            if repeat + 1 < visits {
                x = noised_back(&x, pair, noise)?;
                sampler.reset();
            }
        }
    }
    Ok(x)
}

/// What goes wrong after a guided step is the method's.
fn blamed(
    error: DiffusionError,
    guidance: Option<&(dyn Guidance + '_)>,
    pair: StepPair,
) -> DiffusionError {
    match guidance {
        None => error,
        Some(guidance) => DiffusionError::Guidance {
            method: guidance.name().to_owned(),
            timestep: pair.from.timestep,
            source: Box::new(error),
        },
    }
}

/// One step with both guidance seams; returns x̂0 and `x_{t−1}`.
fn step(
    x_t: &ArrayD<f32>,
    model: &mut Model<'_>,
    sampler: &mut dyn Sampler,
    noise: &mut dyn NoiseSource,
    mut guidance: Option<&mut (dyn Guidance + '_)>,
    info: &StepInfo<'_>,
) -> Result<(ArrayD<f32>, ArrayD<f32>), DiffusionError> {
    let x0 = match guidance.as_deref_mut() {
        Some(guidance) => guidance.predict(model, x_t, info)?,
        None => model.denoise(x_t, info.pair.from)?,
    };
    check("guided x̂0", &x0, info.layout.shape(), info.pair.from)?;
    let mut x_next = sampler.step(x_t, &x0, info.pair, noise, &mut |x, level| match guidance
        .as_deref_mut()
    {
        Some(guidance) => guidance.predict_again(model, x, level, info),
        None => model.denoise(x, level),
    })?;
    if let Some(guidance) = guidance {
        guidance.correct(&mut x_next, x_t, &x0, info)?;
    }
    Ok((x0, x_next))
}

/// `x_t ~ q(x_t | x_{t−1}) = √α x_{t−1} + √(1 − α) n` with α = ᾱ_t / ᾱ_{t−1}.
fn noised_back(
    x_next: &ArrayD<f32>,
    pair: StepPair,
    noise: &mut dyn NoiseSource,
) -> Result<ArrayD<f32>, DiffusionError> {
    let (signal, deviation) = (pair.alpha().sqrt(), (1.0 - pair.alpha()).sqrt());
    let mut x_t = ArrayD::zeros(x_next.raw_dim());
    noise.fill(&mut x_t)?;
    x_t.zip_mut_with(x_next, |n, &x| {
        *n = (signal * f64::from(x) + deviation * f64::from(*n)) as f32;
    });
    Ok(x_t)
}
