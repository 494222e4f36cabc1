//! How good a model's clips are: prompts obeyed, physics against real clips, retrieval, memory.

use std::fmt;
use std::path::Path;

use kinograd::motion::features::decode_joints;
use kinograd::motion::metrics::{
    bone_length_std_m, foot_skate_ratio, mean_jerk, nearest_neighbour_distances, r_precision,
};
use kinograd::motion::{FEATURE_FPS, Skeleton};
use ndarray::{Array2, Array3, ArrayView2};
use serde::Serialize;

use super::prompts::{Movement, PROMPTS, PromptCase};
use super::reference::{Reference, Snippet};
use super::statistics::{mean, median, quantile};
use super::validation::{ValidationReport, validation};
use kinograd::{Clip, Error, MotionGenerator, Observer, Task};

/// Clips that are ranked against each other in R-precision, as the field does.
const GROUP: usize = 32;
/// A prompt works if this share of its clips do what it says.
const WORKS: f64 = 0.9;

/// What to sample.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelProtocol {
    /// Clips per prompt.
    pub seeds: usize,
    /// Sampling steps.
    pub steps: usize,
    /// Classifier-free guidance scale instead of the model's own.
    pub cfg: Option<f64>,
    /// Only prompts that hold this text.
    pub only: Option<String>,
    /// Most captions of held-out clips to sample.
    pub captions: usize,
}

impl Default for ModelProtocol {
    fn default() -> Self {
        Self {
            seeds: 16,
            steps: 20,
            cfg: None,
            only: None,
            captions: 3 * GROUP,
        }
    }
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PromptRow {
    /// The prompt.
    pub prompt: String,
    /// What is checked.
    pub rule: String,
    /// Number of clips.
    pub clips: usize,
    /// Share of clips that pass the check.
    pub obeyed: f64,
    /// Whether at least 90 % do.
    pub works: bool,
    /// Mean speed of the root, m/s.
    pub speed_m_s: f64,
    /// Mean foot-skate ratio after and before the foot lock.
    pub foot_skate_ratio: [f64; 2],
    /// Mean jerk after clean-up, m/s³.
    pub jerk_m_s3: f64,
    /// Mean spread of bone lengths in time, before and after the fit of rotations, mm.
    pub bone_std_mm: [f64; 2],
    /// Mean text score.
    pub text_score: Option<f64>,
}

/// Real clips and samples for their captions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RetrievalReport {
    /// Captions of held-out clips.
    pub captions: usize,
    /// Share of real clips among the three nearest of 32 to their caption.
    pub real_top3: f64,
    /// The same of samples for those captions.
    pub samples_top3: f64,
}

/// How near clips come to the nearest training clip, in the model's embedding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MemoryReport {
    /// Training clips.
    pub training_clips: usize,
    /// Samples: 5th percentile and median of the distance.
    pub samples: [f64; 2],
    /// Held-out real clips: the same.
    pub held_out: [f64; 2],
}

/// Physics of real clips on the same body.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RealReport {
    /// Held-out clips.
    pub clips: usize,
    /// Mean foot-skate ratio.
    pub foot_skate_ratio: f64,
    /// Mean jerk, m/s³.
    pub jerk_m_s3: f64,
}

/// What was measured of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelReport {
    /// `kinograd.eval-model/1`.
    pub schema: &'static str,
    /// The model.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// What was sampled.
    pub protocol: ModelProtocol,
    /// Each prompt.
    pub prompts: Vec<PromptRow>,
    /// Number of prompts that work.
    pub working: usize,
    /// Mean foot-skate ratio of all clips, after and before the foot lock.
    pub foot_skate_ratio: [f64; 2],
    /// Mean jerk of all clips, m/s³.
    pub jerk_m_s3: f64,
    /// Real clips, where a data set was given.
    pub real: Option<RealReport>,
    /// Error of x̂0 on held-out clips, where a data set was given.
    pub validation: Option<ValidationReport>,
    /// Retrieval, where a data set was given and the model has an embedding.
    pub retrieval: Option<RetrievalReport>,
    /// Distance from training clips, where the same holds.
    pub memory: Option<MemoryReport>,
}

/// Samples the prompts and, with a data set, the captions of held-out clips.
///
/// # Errors
/// As [`MotionGenerator::generate`]; [`Error::Read`] for the data set.
pub fn model(
    generator: &mut MotionGenerator,
    data: Option<&Path>,
    protocol: &ModelProtocol,
    observer: &mut dyn Observer,
) -> Result<ModelReport, Error> {
    let reference = data.map(Reference::open).transpose()?;
    let mut prompts = Vec::new();
    let mut sampled = Vec::new();
    let wanted = |case: &&PromptCase| {
        let only = protocol.only.as_deref();
        only.is_none_or(|text| case.prompt.contains(text))
    };
    for case in PROMPTS.iter().filter(wanted) {
        let clips = sample(
            generator,
            case.prompt,
            case.duration_secs,
            protocol.seeds,
            protocol,
            observer,
        )?;
        prompts.push(row(case, &clips)?);
        if reference.is_some() {
            for clip in &clips {
                sampled.extend(embedded(generator, clip)?);
            }
        }
    }
    let over = |value: &dyn Fn(&PromptRow) -> f64| {
        mean(&prompts.iter().map(value).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    let mut report = ModelReport {
        schema: "kinograd.eval-model/1",
        model: format!(
            "{} {}",
            generator.manifest().name,
            generator.manifest().version
        ),
        engine: generator.engine_name(),
        protocol: protocol.clone(),
        working: prompts.iter().filter(|row| row.works).count(),
        foot_skate_ratio: [0, 1].map(|i| over(&|row| row.foot_skate_ratio[i])),
        jerk_m_s3: over(&|row| row.jerk_m_s3),
        prompts,
        real: None,
        validation: None,
        retrieval: None,
        memory: None,
    };
    if let Some(reference) = &reference {
        let held_out = reference.snippets("val");
        report.real = Some(real(&held_out)?);
        report.validation = validation(generator, &held_out)?;
        report.retrieval = retrieval(generator, &held_out, protocol, observer)?;
        report.memory = memory(generator, reference, &held_out, &sampled)?;
    }
    Ok(report)
}

fn sample(
    generator: &mut MotionGenerator,
    prompt: &str,
    duration_secs: f64,
    clips: usize,
    protocol: &ModelProtocol,
    observer: &mut dyn Observer,
) -> Result<Vec<Clip>, Error> {
    let mut task = Task::builder(prompt)
        .duration(duration_secs)
        .count(clips)
        .steps(protocol.steps);
    if let Some(cfg) = protocol.cfg {
        task = task.cfg(cfg);
    }
    generator.generate(&task.build()?, observer)
}

fn row(case: &PromptCase, clips: &[Clip]) -> Result<PromptRow, Error> {
    let movements: Vec<Movement> = clips
        .iter()
        .filter_map(|c| Movement::of(&c.motion))
        .collect();
    let obeyed = movements.iter().filter(|m| (case.obeyed)(m)).count();
    let obeyed = obeyed as f64 / clips.len().max(1) as f64;
    let reports: Vec<_> = clips
        .iter()
        .filter_map(|clip| clip.report.as_ref())
        .collect();
    let over = |values: Vec<f64>| mean(&values).unwrap_or(f64::NAN);
    let parents = Skeleton::canonical().parents;
    let mut bones = [Vec::new(), Vec::new()];
    for clip in clips {
        if let Some(features) = &clip.features {
            bones[0].push(1e3 * bone_length_std_m(joints_of(features.view())?.view(), &parents));
        }
        let after = kinograd::motion::joints_array(&clip.motion);
        bones[1].push(1e3 * bone_length_std_m(after.view(), &parents));
    }
    Ok(PromptRow {
        prompt: case.prompt.to_owned(),
        rule: case.rule.to_owned(),
        clips: clips.len(),
        obeyed,
        works: obeyed >= WORKS,
        speed_m_s: over(movements.iter().map(|m| m.speed_m_s).collect()),
        foot_skate_ratio: [
            over(reports.iter().map(|r| r.foot_skate_ratio).collect()),
            over(reports.iter().map(|r| r.foot_skate_ratio_before).collect()),
        ],
        jerk_m_s3: over(reports.iter().map(|r| r.jerk_m_s3).collect()),
        bone_std_mm: bones.map(over),
        text_score: mean(
            &reports
                .iter()
                .filter_map(|r| r.text_score)
                .collect::<Vec<_>>(),
        ),
    })
}

fn joints_of(features: ArrayView2<'_, f32>) -> Result<Array3<f32>, Error> {
    Ok(decode_joints(features)?.mapv(|value| value as f32))
}

fn embedded(generator: &mut MotionGenerator, clip: &Clip) -> Result<Option<Vec<f32>>, Error> {
    match &clip.features {
        Some(features) => generator.embed_motion(features.view()),
        None => Ok(None),
    }
}

fn real(held_out: &[Snippet<'_>]) -> Result<RealReport, Error> {
    let (mut skates, mut jerks) = (Vec::new(), Vec::new());
    for snippet in held_out {
        let joints = joints_of(snippet.features)?;
        skates.push(foot_skate_ratio(joints.view(), FEATURE_FPS));
        jerks.push(mean_jerk(joints.view(), FEATURE_FPS));
    }
    Ok(RealReport {
        clips: held_out.len(),
        foot_skate_ratio: mean(&skates).unwrap_or(f64::NAN),
        jerk_m_s3: mean(&jerks).unwrap_or(f64::NAN),
    })
}

fn retrieval(
    generator: &mut MotionGenerator,
    held_out: &[Snippet<'_>],
    protocol: &ModelProtocol,
    observer: &mut dyn Observer,
) -> Result<Option<RetrievalReport>, Error> {
    // One clip per caption: two clips of one caption cannot be told apart by it.
    let mut seen = std::collections::BTreeSet::new();
    let mut chosen: Vec<&Snippet<'_>> = held_out
        .iter()
        .filter(|snippet| seen.insert(snippet.caption))
        .collect();
    // The order of captions, not of clips: neighbours in the data set are alike.
    chosen.sort_by_key(|snippet| kinograd::runtime::sha256_hex(snippet.caption.as_bytes()));
    chosen.truncate(protocol.captions / GROUP * GROUP);
    chosen.truncate(chosen.len() / GROUP * GROUP);
    if chosen.is_empty() {
        return Ok(None);
    }
    let captions: Vec<&str> = chosen.iter().map(|snippet| snippet.caption).collect();
    let texts = generator.embed_texts(&captions)?;
    let (mut reals, mut samples) = (Vec::new(), Vec::new());
    for snippet in &chosen {
        let duration_secs = (snippet.features.nrows() as f64 / FEATURE_FPS).clamp(1.0, 10.0);
        let clips = sample(
            generator,
            snippet.caption,
            duration_secs,
            1,
            protocol,
            observer,
        )?;
        let Some(real) = generator.embed_motion(snippet.features)? else {
            return Ok(None);
        };
        reals.push(real);
        for clip in &clips {
            samples.extend(embedded(generator, clip)?);
        }
    }
    let (reals, samples) = (rows(&reals)?, rows(&samples)?);
    Ok(Some(RetrievalReport {
        captions: chosen.len(),
        real_top3: r_precision(texts.view(), reals.view(), GROUP, 3)?,
        samples_top3: r_precision(texts.view(), samples.view(), GROUP, 3)?,
    }))
}

fn memory(
    generator: &mut MotionGenerator,
    reference: &Reference,
    held_out: &[Snippet<'_>],
    sampled: &[Vec<f32>],
) -> Result<Option<MemoryReport>, Error> {
    let mut training = Vec::new();
    for snippet in reference.snippets("train") {
        training.extend(generator.embed_motion(snippet.features)?);
    }
    let mut held = Vec::new();
    for snippet in held_out {
        held.extend(generator.embed_motion(snippet.features)?);
    }
    if training.is_empty() || held.is_empty() || sampled.is_empty() {
        return Ok(None);
    }
    let references = rows(&training)?;
    let of = |set: &[Vec<f32>]| -> Result<[f64; 2], Error> {
        let distances: Vec<f64> =
            nearest_neighbour_distances(rows(set)?.view(), references.view())?
                .into_iter()
                .map(|(_, distance)| distance)
                .collect();
        Ok([quantile(&distances, 0.05), median(&distances)].map(|v| v.unwrap_or(f64::NAN)))
    };
    Ok(Some(MemoryReport {
        training_clips: training.len(),
        samples: of(sampled)?,
        held_out: of(&held)?,
    }))
}

fn rows(vectors: &[Vec<f32>]) -> Result<Array2<f32>, Error> {
    let width = vectors.first().map_or(0, Vec::len);
    let flat: Vec<f32> = vectors.iter().flatten().copied().collect();
    Array2::from_shape_vec((vectors.len(), width), flat)
        .map_err(|error| Error::Internal(error.to_string()))
}

impl fmt::Display for ModelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} on {}: {} seeds a prompt, {} steps",
            self.model, self.engine, self.protocol.seeds, self.protocol.steps
        )?;
        writeln!(
            f,
            "{:44} {:>7} {:>5}  {:>6} {:>6} {:>6}  {:>6} {:>5}  rule",
            "prompt", "obeyed", "m/s", "skate", "before", "jerk", "bone", "text"
        )?;
        for row in &self.prompts {
            writeln!(
                f,
                "{:44} {:>5.0} % {:>5.2}  {:>6.3} {:>6.3} {:>6.0}  {:>6.1} {:>5}  {}{}",
                row.prompt,
                row.obeyed * 100.0,
                row.speed_m_s,
                row.foot_skate_ratio[0],
                row.foot_skate_ratio[1],
                row.jerk_m_s3,
                row.bone_std_mm[0],
                row.text_score.map_or("-".to_owned(), |s| format!("{s:.2}")),
                row.rule,
                if row.works { "" } else { "  NOT WORKING" }
            )?;
        }
        writeln!(
            f,
            "working        {} of {} prompts",
            self.working,
            self.prompts.len()
        )?;
        writeln!(
            f,
            "samples        skate {:.3} ({:.3} before foot lock), jerk {:.0} m/s³",
            self.foot_skate_ratio[0], self.foot_skate_ratio[1], self.jerk_m_s3
        )?;
        if let Some(real) = &self.real {
            writeln!(
                f,
                "held-out clips skate {:.3}, jerk {:.0} m/s³ ({} clips)",
                real.foot_skate_ratio, real.jerk_m_s3, real.clips
            )?;
        }
        if let Some(v) = &self.validation {
            let of_levels: Vec<String> = v
                .levels
                .iter()
                .zip(&v.mean_squared_error)
                .map(|(level, error)| format!("{level}: {error:.3}"))
                .collect();
            writeln!(
                f,
                "validation     mean squared error of x̂0 {:.3} ({})",
                v.mean,
                of_levels.join(", ")
            )?;
        }
        if let Some(r) = &self.retrieval {
            writeln!(
                f,
                "R-precision    top 3 of 32: samples {:.2}, real clips {:.2} ({} captions)",
                r.samples_top3, r.real_top3, r.captions
            )?;
        }
        if let Some(m) = &self.memory {
            writeln!(
                f,
                "nearest of {} training clips: samples {:.3} (5 % below {:.3}), held-out clips {:.3} ({:.3})",
                m.training_clips, m.samples[1], m.samples[0], m.held_out[1], m.held_out[0]
            )?;
        }
        Ok(())
    }
}
