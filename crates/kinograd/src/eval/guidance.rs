//! The guidance protocol: reach a place 2, 3 or 4 m away in three directions, round a circle on
//! the way.

use std::fmt;

use kinograd_diffusion::DiffusionError;
use serde::Serialize;

use super::WithoutWarnings;
use super::statistics::{mean, median, quantile};
use crate::{Clip, Error, GenerateRequest, Method, MotionGenerator, Observer};

/// What the protocol runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuidanceProtocol {
    /// Prompt of every clip.
    pub prompt: String,
    /// Length of every clip, seconds.
    pub duration_secs: f64,
    /// Distances of the targets from the start, metres.
    pub distances_m: Vec<f64>,
    /// Directions of the targets, degrees from +Z towards +X.
    pub directions_deg: Vec<f64>,
    /// Radius of the circle half-way, metres.
    pub obstacle_radius_m: f64,
    /// Clips per target.
    pub seeds: usize,
    /// Sampling steps, that is denoiser calls, to compare.
    pub steps: Vec<usize>,
    /// Methods to compare. [`Method::None`] is run besides, to compare with.
    pub methods: Vec<Method>,
    /// Strength instead of each method's own.
    pub guidance_scale: Option<f64>,
    /// Weight of the text loss beside the goals, instead of each method's own.
    pub text_guidance: Option<f64>,
    /// First seed.
    pub seed: u64,
    /// Classifier-free guidance scale instead of the model's own.
    pub cfg: Option<f64>,
}

impl Default for GuidanceProtocol {
    fn default() -> Self {
        Self {
            prompt: "a person walks".to_owned(),
            duration_secs: 6.0,
            distances_m: vec![2.0, 3.0, 4.0],
            directions_deg: vec![-45.0, 0.0, 45.0],
            obstacle_radius_m: 0.45,
            seeds: 12,
            steps: vec![20, 50],
            methods: vec![Method::DEFAULT],
            guidance_scale: None,
            text_guidance: None,
            seed: 0,
            cfg: None,
        }
    }
}

/// One method at one number of steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GuidanceRow {
    /// The method.
    pub method: Method,
    /// Sampling steps.
    pub steps: usize,
    /// Number of clips.
    pub clips: usize,
    /// Mean distance from the target, metres.
    pub target_error_mean_m: f64,
    /// Median distance from the target, metres.
    pub target_error_median_m: f64,
    /// 90th percentile of the distance from the target, metres.
    pub target_error_p90_m: f64,
    /// Mean over the clips of how deep the root enters the circle, metres.
    pub penetration_mean_m: f64,
    /// Deepest of all clips, metres.
    pub penetration_max_m: f64,
    /// Share of clips that move faster than 2.6 m/s for half a second.
    pub implausible_share: f64,
    /// Mean foot-skate ratio after clean-up.
    pub foot_skate_ratio: f64,
    /// Mean foot-skate ratio before clean-up.
    pub foot_skate_ratio_before: f64,
    /// Foot skate over that of unguided clips of the same steps, both after clean-up.
    pub skate_over_unguided: f64,
    /// Mean text score, where the model has an embedding.
    pub text_score: Option<f64>,
    /// Wall time per clip, seconds.
    pub seconds_per_clip: f64,
}

/// The protocol and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GuidanceReport {
    /// `kinograd.eval-guidance/1`.
    pub schema: &'static str,
    /// The engine.
    pub engine: String,
    /// What was run.
    pub protocol: GuidanceProtocol,
    /// What it gave.
    pub rows: Vec<GuidanceRow>,
    /// Methods that broke down, with their steps and why.
    pub failed: Vec<(Method, usize, String)>,
}

/// Runs the protocol.
///
/// # Errors
/// As [`MotionGenerator::generate`].
pub fn guidance(
    generator: &mut MotionGenerator,
    protocol: &GuidanceProtocol,
    observer: &mut dyn Observer,
) -> Result<GuidanceReport, Error> {
    let observer = &mut WithoutWarnings(observer);
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for &steps in &protocol.steps {
        let unguided = run(generator, protocol, Method::None, steps, observer)?;
        let mut row = row_of(&unguided, Method::None, steps);
        row.skate_over_unguided = 1.0;
        let skate = row.foot_skate_ratio;
        rows.push(row);
        for &method in protocol.methods.iter().filter(|&&m| m != Method::None) {
            let run = match run(generator, protocol, method, steps, observer) {
                Ok(run) => run,
                Err(error @ Error::Diffusion(DiffusionError::Guidance { .. })) => {
                    failed.push((method, steps, with_causes(&error)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut row = row_of(&run, method, steps);
            row.skate_over_unguided = row.foot_skate_ratio / skate;
            rows.push(row);
        }
    }
    Ok(GuidanceReport {
        schema: "kinograd.eval-guidance/1",
        engine: generator.engine_name(),
        protocol: protocol.clone(),
        rows,
        failed,
    })
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

struct Run {
    clips: Vec<Clip>,
    seconds: f64,
}

fn run(
    generator: &mut MotionGenerator,
    protocol: &GuidanceProtocol,
    method: Method,
    steps: usize,
    observer: &mut dyn Observer,
) -> Result<Run, Error> {
    let started = std::time::Instant::now();
    let mut clips = Vec::new();
    for &distance_m in &protocol.distances_m {
        for &direction_deg in &protocol.directions_deg {
            let (sin, cos) = direction_deg.to_radians().sin_cos();
            let (x, z) = (distance_m * sin, distance_m * cos);
            let mut request = GenerateRequest::builder(&protocol.prompt)
                .seconds(protocol.duration_secs)
                .clips(protocol.seeds)
                .seed(protocol.seed)
                .steps(steps)
                .method(method)
                .target(x, z)
                .obstacle(x / 2.0, z / 2.0, protocol.obstacle_radius_m);
            if let Some(weight) = protocol.text_guidance.filter(|_| method != Method::None) {
                request = request.text_guidance(weight);
            }
            if let Some(scale) = protocol.guidance_scale {
                request = request.guidance_scale(scale);
            }
            if let Some(cfg) = protocol.cfg {
                request = request.cfg(cfg);
            }
            clips.extend(generator.generate(&request.build()?, observer)?);
        }
    }
    Ok(Run {
        clips,
        seconds: started.elapsed().as_secs_f64(),
    })
}

fn row_of(run: &Run, method: Method, steps: usize) -> GuidanceRow {
    let reports: Vec<_> = run.clips.iter().filter_map(|c| c.report.as_ref()).collect();
    let of = |value: &dyn Fn(&crate::ClipReport) -> Option<f64>| -> Vec<f64> {
        reports.iter().filter_map(|report| value(report)).collect()
    };
    let errors = of(&|report| report.target_error_m);
    let depths = of(&|report| report.max_penetration_m);
    let fast = of(&|report| Some(f64::from(u8::from(report.implausibly_fast))));
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    GuidanceRow {
        method,
        steps,
        clips: reports.len(),
        target_error_mean_m: or_nan(mean(&errors)),
        target_error_median_m: or_nan(median(&errors)),
        target_error_p90_m: or_nan(quantile(&errors, 0.9)),
        penetration_mean_m: or_nan(mean(&depths)),
        penetration_max_m: or_nan(quantile(&depths, 1.0)),
        implausible_share: or_nan(mean(&fast)),
        foot_skate_ratio: or_nan(mean(&of(&|report| Some(report.foot_skate_ratio)))),
        foot_skate_ratio_before: or_nan(mean(&of(&|report| Some(report.foot_skate_ratio_before)))),
        skate_over_unguided: f64::NAN,
        text_score: mean(&of(&|report| report.text_score)),
        seconds_per_clip: run.seconds / reports.len().max(1) as f64,
    }
}

impl fmt::Display for GuidanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = &self.protocol;
        writeln!(
            f,
            "\"{}\", {} s, targets {:?} m away at {:?}°, circle of {} m half-way, {} seeds from {}, {}",
            p.prompt,
            p.duration_secs,
            p.distances_m,
            p.directions_deg,
            p.obstacle_radius_m,
            p.seeds,
            p.seed,
            self.engine
        )?;
        writeln!(
            f,
            "{:14} {:>5} {:>5}  {:>6} {:>6} {:>6}  {:>6} {:>6}  {:>6}  {:>6} {:>6} {:>6}  {:>5}  {:>6}",
            "method",
            "steps",
            "clips",
            "mean m",
            "median",
            "p90",
            "pen cm",
            "max",
            "fast %",
            "skate",
            "before",
            "×plain",
            "text",
            "s/clip"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:14} {:>5} {:>5}  {:>6.3} {:>6.3} {:>6.3}  {:>6.2} {:>6.2}  {:>6.1}  {:>6.3} {:>6.3} {:>6.2}  {:>5}  {:>6.2}",
                row.method.name(),
                row.steps,
                row.clips,
                row.target_error_mean_m,
                row.target_error_median_m,
                row.target_error_p90_m,
                row.penetration_mean_m * 100.0,
                row.penetration_max_m * 100.0,
                row.implausible_share * 100.0,
                row.foot_skate_ratio,
                row.foot_skate_ratio_before,
                row.skate_over_unguided,
                row.text_score
                    .map_or("-".to_owned(), |score| format!("{score:.2}")),
                row.seconds_per_clip
            )?;
        }
        for (method, steps, why) in &self.failed {
            writeln!(f, "{:14} {steps:>5}  broke down: {why}", method.name())?;
        }
        Ok(())
    }
}
