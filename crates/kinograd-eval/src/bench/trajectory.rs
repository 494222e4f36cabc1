//! Keyframes of the pelvis or a wrist, as motion systems test control (Karunratanakul et al. 2023,
//! GMD; Xie et al. 2024, OmniControl).

use std::fmt::{self, Write as _};
use std::path::Path;

use kinograd::guidance::goal::JointTarget;
use kinograd::guidance::{Frame, KeyPose, Keyframes, MotionLossAdapter};
use kinograd::motion::features::decode_joints;
use kinograd::motion::{FEATURE_FPS, JOINT_NAMES, joints_array};
use ndarray::{Array3, ArrayView3};
use serde::{Deserialize, Serialize};

use super::guidance::{GuidanceProtocol, model_name, stepwise};
use super::run::{BenchCell, cell};
use super::tables::with_ends;
use super::watch::Watch;
use crate::reference::Reference;
use crate::statistics::ConfidenceInterval;
use kinograd::{Error, Method, MotionGenerator, Observer, Task};

/// First seed of the clips that keyframes are taken from.
const SOURCE_SEED: u64 = 2000;
/// Joint whose keyframes on the ground are goals for the projection.
const PELVIS: usize = 0;

/// What the test runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryProtocol {
    /// Prompts of the clips that keyframes are taken from, where they are generated.
    pub prompts: Vec<String>,
    /// Length of those clips, seconds.
    pub duration_secs: f64,
    /// Clips per prompt; of real clips, as many in all.
    pub seeds: usize,
    /// First seed of the controlled clips.
    pub seed: u64,
    /// Denoiser calls a clip.
    pub calls: usize,
    /// Joints, by index: pelvis and left wrist.
    pub joints: Vec<usize>,
    /// Keyframes: a count, or with a value below 1 or at `1.0` a share of the frames.
    pub keyframes: Vec<Keys>,
    /// Methods to compare. No steering is run besides.
    pub methods: Vec<Method>,
}

/// How many keyframes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// So many.
    Count(usize),
    /// A share of the frames.
    Share(f64),
}

impl Keys {
    /// Frames, evenly spread, the last of the clip among them.
    fn frames(self, length: usize) -> Vec<usize> {
        let count = match self {
            Self::Count(count) => count,
            Self::Share(share) => (share * length as f64).round() as usize,
        };
        let count = count.clamp(1, length.max(1));
        (1..=count)
            .map(|key| (key * length).div_ceil(count).saturating_sub(1))
            .collect()
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Share(share) => write!(f, "{} %", share * 100.0),
        }
    }
}

impl Default for TrajectoryProtocol {
    fn default() -> Self {
        Self {
            prompts: GuidanceProtocol::default().prompts,
            duration_secs: 6.0,
            seeds: 3,
            seed: 0,
            calls: 20,
            joints: vec![PELVIS, 20],
            keyframes: vec![
                Keys::Count(1),
                Keys::Count(2),
                Keys::Count(5),
                Keys::Share(0.25),
                Keys::Share(1.0),
            ],
            methods: vec![
                Method::Dps,
                Method::Mpgd,
                Method::PolyakCapped,
                Method::Normalized,
                Method::Tfg,
                Method::AdamDps,
                Method::Mean,
                Method::Projection,
            ],
        }
    }
}

/// Where keyframes come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrajectorySource {
    /// Unguided clips of the same prompt, other seeds.
    Generated,
    /// Held-out clips of a data set.
    HeldOut,
}

/// Measurements of one clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrajectoryRecord {
    /// Distance of the joint from its place at each keyframe, metres.
    pub errors_m: Vec<f64>,
    /// Foot-skate ratio after the foot lock.
    pub foot_skate_ratio: f64,
    /// Text score.
    pub text_score: Option<f64>,
    /// Jerk, m/s³.
    pub jerk_m_s3: f64,
}

/// One joint, number of keyframes and method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrajectoryRow {
    /// The joint's name.
    pub joint: String,
    /// How many keyframes.
    pub keyframes: Keys,
    /// The method.
    pub method: Method,
    /// Share of clips with a keyframe off by more than 20 cm.
    pub trajectory_20cm: Option<ConfidenceInterval>,
    /// Share of clips with a keyframe off by more than 50 cm.
    pub trajectory_50cm: Option<ConfidenceInterval>,
    /// Share of keyframes off by more than 50 cm.
    pub location_50cm: Option<ConfidenceInterval>,
    /// Mean distance, metres.
    pub average_m: Option<ConfidenceInterval>,
    /// Foot-skate ratio after the foot lock.
    pub foot_skate_ratio: Option<ConfidenceInterval>,
    /// Text score.
    pub text_score: Option<ConfidenceInterval>,
    /// Jerk, m/s³.
    pub jerk_m_s3: Option<ConfidenceInterval>,
    /// Clips on which the method broke down.
    pub failed: usize,
    /// Every clip.
    pub clips: Vec<TrajectoryRecord>,
}

/// The protocol and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrajectoryReport {
    /// `kinograd.bench-trajectory/1`.
    pub schema: String,
    /// The model and its version.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// What was run.
    pub protocol: TrajectoryProtocol,
    /// Where keyframes come from.
    pub source: TrajectorySource,
    /// What it gave.
    pub rows: Vec<TrajectoryRow>,
}

/// A clip to follow.
struct Source {
    prompt: String,
    duration_secs: f64,
    seed: u64,
    joints: Array3<f32>,
}

/// Runs the test. With `data`, a folder that `dataset build` wrote, keyframes come from its
/// held-out clips and their captions are the prompts.
///
/// # Errors
/// As [`MotionGenerator::generate`], but a method that breaks down on a clip fails that clip only.
pub fn trajectory(
    generator: &mut MotionGenerator,
    protocol: &TrajectoryProtocol,
    data: Option<&Path>,
    observer: &mut dyn Observer,
) -> Result<TrajectoryReport, Error> {
    if let Some(joint) = protocol.joints.iter().find(|j| **j >= JOINT_NAMES.len()) {
        return Err(Error::Request {
            field: "joints",
            message: format!("{joint} is none of {} joints", JOINT_NAMES.len()),
        });
    }
    let sources = match data {
        Some(data) => held_out(data, protocol)?,
        None => generated(generator, protocol, observer)?,
    };
    stepwise(protocol.methods.iter().copied())?;
    let mut methods = vec![Method::None];
    methods.extend(protocol.methods.iter().filter(|m| **m != Method::None));
    let cases = protocol.joints.len() * protocol.keyframes.len();
    // Unsteered clips do not depend on the keyframes.
    let total = sources.len() * (1 + (methods.len() - 1) * cases);
    let mut watch = Watch::start(observer, "clips", total)?;
    let mut unsteered = Vec::new();
    let mut rows = Vec::new();
    for &joint in &protocol.joints {
        for &keyframes in &protocol.keyframes {
            for &method in &methods {
                let mut clips = Vec::new();
                let mut failed = 0;
                for (index, source) in sources.iter().enumerate() {
                    let keys = keyframes.frames(source.joints.dim().0);
                    let trial = KeyframeTrial {
                        source,
                        joint,
                        keys: &keys,
                        method,
                        calls: protocol.calls,
                    };
                    let made = if method == Method::None {
                        if unsteered.len() <= index {
                            unsteered.push(trial.run(generator, &mut watch)?);
                        }
                        &unsteered[index]
                    } else {
                        &trial.run(generator, &mut watch)?
                    };
                    let records: Vec<_> = made
                        .clips
                        .iter()
                        .filter_map(|clip| trial.measure(clip))
                        .collect();
                    failed += usize::from(records.is_empty());
                    clips.extend(records);
                }
                rows.push(row(JOINT_NAMES[joint], keyframes, method, clips, failed));
            }
        }
    }
    Ok(TrajectoryReport {
        schema: "kinograd.bench-trajectory/1".to_owned(),
        model: model_name(generator),
        engine: generator.engine_name(),
        protocol: protocol.clone(),
        source: if data.is_some() {
            TrajectorySource::HeldOut
        } else {
            TrajectorySource::Generated
        },
        rows,
    })
}

fn generated(
    generator: &mut MotionGenerator,
    protocol: &TrajectoryProtocol,
    observer: &mut dyn Observer,
) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for prompt in &protocol.prompts {
        let task = Task::builder(prompt)
            .duration(protocol.duration_secs)
            .steps(protocol.calls)
            .count(protocol.seeds)
            .seed(SOURCE_SEED)
            .method(Method::None)
            .build()?;
        let clips = generator.generate(&task, &mut Watch::silent(observer))?;
        for (seed, clip) in (protocol.seed..).zip(&clips) {
            sources.push(Source {
                prompt: prompt.clone(),
                duration_secs: protocol.duration_secs,
                seed,
                joints: joints_array(&clip.motion),
            });
        }
    }
    Ok(sources)
}

/// Held-out clips, evenly chosen among those of 2 s and more.
fn held_out(data: &Path, protocol: &TrajectoryProtocol) -> Result<Vec<Source>, Error> {
    let reference = Reference::open(data)?;
    let snippets: Vec<_> = reference
        .snippets("test")
        .into_iter()
        .filter(|snippet| snippet.features.nrows() >= (2.0 * FEATURE_FPS) as usize)
        .collect();
    let wanted = protocol.seeds * protocol.prompts.len();
    let stride = (snippets.len() / wanted.max(1)).max(1);
    (protocol.seed..)
        .zip(snippets.iter().step_by(stride).take(wanted))
        .map(|(seed, snippet)| {
            Ok(Source {
                prompt: snippet.caption().to_owned(),
                duration_secs: snippet.features.nrows() as f64 / FEATURE_FPS,
                seed,
                joints: decode_joints(snippet.features)?.mapv(|v| v as f32),
            })
        })
        .collect()
}

struct KeyframeTrial<'a> {
    source: &'a Source,
    joint: usize,
    keys: &'a [usize],
    method: Method,
    calls: usize,
}

impl KeyframeTrial<'_> {
    fn place_m(&self, joints: ArrayView3<'_, f32>, frame: usize) -> [f64; 3] {
        [0, 1, 2].map(|axis| f64::from(joints[[frame, self.joint, axis]]))
    }

    /// The projection takes the pelvis's places on the ground as goals, its height as a loss, and a
    /// wrist's places as goals for the joint. All else follows the loss.
    fn run(
        &self,
        generator: &mut MotionGenerator,
        watch: &mut Watch<'_>,
    ) -> Result<BenchCell, Error> {
        let mut task = Task::builder(&self.source.prompt)
            .duration(self.source.duration_secs)
            .steps(self.calls)
            .method(self.method)
            .text_guidance(0.0);
        let targets = self.source.joints.view();
        let projects = self.method == Method::Projection;
        for &frame in self.keys.iter().filter(|_| projects) {
            let place = self.place_m(targets, frame);
            let time_secs = frame as f64 / FEATURE_FPS;
            if self.joint != PELVIS {
                task = task.goal(JointTarget {
                    joint: JOINT_NAMES[self.joint].to_owned(),
                    position_m: place.map(Some),
                    time_secs: Some(time_secs),
                    relative_to: None,
                    weight: 1.0,
                });
            } else if frame > 0 {
                task = task.waypoint(place[0], place[2], time_secs);
            }
        }
        // The mean over the keyframes, so that the step sizes do not depend on their number.
        let weight = 1.0 / self.keys.len().max(1) as f64;
        let mut make =
            |generator: &mut MotionGenerator, task: &Task, observer: &mut dyn Observer| {
                if self.method == Method::None || (projects && self.joint != PELVIS) {
                    return generator.generate(task, observer);
                }
                generator.generate_with(
                    task,
                    &mut |decoder| {
                        let poses = self.keys.iter().map(|&frame| KeyPose {
                            frame: Frame::At(frame),
                            joints: vec![(self.joint, self.place_m(targets, frame))],
                        });
                        let loss = Keyframes::new(poses.collect())?;
                        Ok(Box::new(
                            MotionLossAdapter::new(decoder).with(weight, loss)?,
                        ))
                    },
                    observer,
                )
            };
        let seeds = (self.source.seed, 1);
        cell(generator, &mut make, &task, seeds, 0, watch)
    }

    fn measure(&self, clip: &kinograd::Clip) -> Option<TrajectoryRecord> {
        let report = clip.report.as_ref()?;
        let joints = joints_array(&clip.motion);
        let error = |&frame: &usize| {
            let frame = frame.min(joints.dim().0.checked_sub(1)?);
            let at = self.place_m(joints.view(), frame);
            let wanted = self.place_m(self.source.joints.view(), frame);
            let squares = at
                .iter()
                .zip(wanted)
                .map(|(at, wanted)| (at - wanted).powi(2));
            Some(squares.sum::<f64>().sqrt()).filter(|error| error.is_finite())
        };
        Some(TrajectoryRecord {
            errors_m: self.keys.iter().map(error).collect::<Option<_>>()?,
            foot_skate_ratio: report.foot_skate_ratio,
            text_score: report.text_score,
            jerk_m_s3: report.jerk_m_s3,
        })
    }
}

fn row(
    joint: &str,
    keyframes: Keys,
    method: Method,
    clips: Vec<TrajectoryRecord>,
    failed: usize,
) -> TrajectoryRow {
    let over = |value: &dyn Fn(&TrajectoryRecord) -> Option<f64>| {
        let values: Vec<f64> = clips.iter().filter_map(value).collect();
        ConfidenceInterval::of(&values)
    };
    let off = |clip: &TrajectoryRecord, limit_m: f64| {
        let beyond = clip.errors_m.iter().filter(|error| **error > limit_m);
        beyond.count() as f64 / clip.errors_m.len().max(1) as f64
    };
    let any =
        |clip: &TrajectoryRecord, limit_m| Some(f64::from(u8::from(off(clip, limit_m) > 0.0)));
    TrajectoryRow {
        joint: joint.to_owned(),
        keyframes,
        method,
        trajectory_20cm: over(&|clip| any(clip, 0.2)),
        trajectory_50cm: over(&|clip| any(clip, 0.5)),
        location_50cm: over(&|clip| Some(off(clip, 0.5))),
        average_m: over(&|clip| crate::statistics::mean(&clip.errors_m)),
        foot_skate_ratio: over(&|clip| Some(clip.foot_skate_ratio)),
        text_score: over(&|clip| clip.text_score),
        jerk_m_s3: over(&|clip| Some(clip.jerk_m_s3)),
        failed,
        clips,
    }
}

type Column = (
    &'static str,
    fn(&TrajectoryRow) -> Option<ConfidenceInterval>,
    usize,
);

const COLUMNS: [Column; 7] = [
    ("trajectory 20 cm", |row| row.trajectory_20cm, 2),
    ("trajectory 50 cm", |row| row.trajectory_50cm, 2),
    ("location 50 cm", |row| row.location_50cm, 2),
    ("average, m", |row| row.average_m, 3),
    ("skate", |row| row.foot_skate_ratio, 3),
    ("text", |row| row.text_score, 2),
    ("jerk", |row| row.jerk_m_s3, 0),
];

impl TrajectoryReport {
    fn setting(&self) -> String {
        let source = match self.source {
            TrajectorySource::Generated => "of unguided clips of the same prompts",
            TrajectorySource::HeldOut => "of held-out real clips, guided by their captions",
        };
        let clips = self
            .rows
            .iter()
            .map(|row| row.clips.len() + row.failed)
            .max();
        format!(
            "{} on {}: keyframes {source}, {} clips a row, {} calls",
            self.model,
            self.engine,
            clips.unwrap_or(0),
            self.protocol.calls
        )
    }

    /// The report as a Markdown document.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = format!(
            "# Keyframes of a joint\n\n`kinograd bench trajectory` with {}. Errors in 3-D, of the joint \
             after clean-up; trajectory: share of clips with a keyframe off by more than that; location: \
             share of keyframes; 95 % intervals in brackets.\n\n| joint | keyframes | method |",
            self.setting()
        );
        for (name, ..) in COLUMNS {
            let _ = write!(text, " {name} |");
        }
        let _ = writeln!(text, " failed |\n|{}", "---|".repeat(COLUMNS.len() + 4));
        for row in &self.rows {
            let _ = write!(
                text,
                "| {} | {} | {} |",
                row.joint, row.keyframes, row.method
            );
            for (_, of, digits) in COLUMNS {
                let _ = write!(text, " {} |", with_ends(of(row), digits));
            }
            let _ = writeln!(text, " {} |", row.failed);
        }
        text
    }
}

impl fmt::Display for TrajectoryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.setting())?;
        write!(f, "{:11} {:>5}  {:14}", "joint", "keys", "method")?;
        for (name, ..) in COLUMNS {
            write!(f, " {name:>16}")?;
        }
        writeln!(f, "  failed")?;
        for row in &self.rows {
            let keys = row.keyframes.to_string();
            write!(f, "{:11} {keys:>5}  {:14}", row.joint, row.method.name())?;
            for (_, of, digits) in COLUMNS {
                let mean = of(row).map_or("-".to_owned(), |i| format!("{:.digits$}", i.mean));
                write!(f, " {mean:>16}")?;
            }
            writeln!(f, "  {}", row.failed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframes_are_spread_and_end_with_the_clip() {
        assert_eq!(Keys::Count(1).frames(120), [119]);
        assert_eq!(Keys::Count(2).frames(120), [59, 119]);
        assert_eq!(Keys::Share(0.25).frames(8), [3, 7]);
        assert_eq!(Keys::Share(1.0).frames(5), [0, 1, 2, 3, 4]);
        assert_eq!(Keys::Count(9).frames(3), [0, 1, 2]);
    }

    #[test]
    fn a_row_counts_clips_and_keyframes() {
        let clip = |errors_m: &[f64]| TrajectoryRecord {
            errors_m: errors_m.to_vec(),
            foot_skate_ratio: 0.1,
            text_score: None,
            jerk_m_s3: 70.0,
        };
        let clips = vec![clip(&[0.1, 0.3]), clip(&[0.6, 0.0])];
        let row = row("pelvis", Keys::Count(2), Method::Mpgd, clips, 1);
        let mean = |interval: Option<ConfidenceInterval>| interval.unwrap().mean;
        assert_eq!(mean(row.trajectory_20cm), 1.0);
        assert_eq!(mean(row.trajectory_50cm), 0.5);
        assert_eq!(mean(row.location_50cm), 0.25);
        assert!((mean(row.average_m) - 0.25).abs() < 1e-12);
        assert_eq!(row.text_score, None);
    }
}
