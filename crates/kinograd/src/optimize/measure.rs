//! How natural clips are.

use kinograd_diffusion::{Denoiser, NoiseSchedule, NoiseSource, SeededNoise};
use kinograd_motion::Skeleton;
use kinograd_motion::features::decode_joints;
use kinograd_motion::metrics::{bone_length_std_m, foot_skate_ratio, mean_jerk};
use ndarray::{ArrayD, ArrayView2, Axis, Ix3};

use super::RoundReport;
use crate::task::MODEL_FPS;
use crate::{Error, MotionGenerator};

/// Where on the schedule samples are noised to see whether the model gives them back.
const RESIDUAL_AT: f64 = 0.1;

/// Measures clips `[batch, frames, 263]`, normalised. `text`: `[e]`, the prompt's embedding.
pub(super) fn measured(
    generator: &mut MotionGenerator,
    clips: &ArrayD<f32>,
    text: ArrayView2<'_, f32>,
    mut report: RoundReport,
) -> Result<RoundReport, Error> {
    let batch = clips
        .view()
        .into_dimensionality::<Ix3>()
        .map_err(|error| Error::Internal(error.to_string()))?;
    let lengths = vec![batch.dim().1; batch.dim().0];
    if let Some(embedding) = &mut generator.modality.embedding {
        let rows = embedding.embed(clips, &lengths)?;
        let text = text.row(0);
        report.text_scores = rows
            .outer_iter()
            .map(|row| f64::from(row.dot(&text)))
            .collect();
    }
    let parents = Skeleton::canonical().parents;
    for clip in batch.axis_iter(Axis(0)) {
        let features = generator.modality.representation.features(clip)?;
        let joints = decode_joints(features.view())?.mapv(|value| value as f32);
        report
            .foot_skate_ratios
            .push(foot_skate_ratio(joints.view(), MODEL_FPS));
        report.jerks_m_s3.push(mean_jerk(joints.view(), MODEL_FPS));
        report
            .bone_stds_m
            .push(bone_length_std_m(joints.view(), &parents));
    }
    report.residuals = residuals(
        &mut generator.model.denoiser,
        &generator.model.schedule,
        clips,
    )?;
    Ok(report)
}

/// How far samples are from what a model expects: root mean square of `x − x̂0(x_t)` over a sample at
/// 10 % of the schedule, with the same noise every time. A model's batch must be set.
pub(crate) fn residuals(
    denoiser: &mut dyn Denoiser,
    schedule: &NoiseSchedule,
    samples: &ArrayD<f32>,
) -> Result<Vec<f64>, Error> {
    let last = schedule.train_steps().saturating_sub(1);
    let level = schedule.level((last as f64 * RESIDUAL_AT).round())?;
    let (signal, spread) = (level.alpha_bar.sqrt(), level.noise_variance().sqrt());
    let mut x_t = ArrayD::zeros(samples.raw_dim());
    SeededNoise::counting_from(0, samples.len_of(Axis(0))).fill(&mut x_t)?;
    x_t.zip_mut_with(samples, |noise, &x| {
        *noise = (signal * f64::from(x) + spread * f64::from(*noise)) as f32;
    });
    let x0 = denoiser.denoise(&x_t, level)?;
    let gaps = &x0 - samples;
    Ok(gaps
        .axis_iter(Axis(0))
        .map(|gap| {
            let squares: f64 = gap.iter().map(|&g| f64::from(g).powi(2)).sum();
            (squares / gap.len().max(1) as f64).sqrt()
        })
        .collect())
}
