//! What was measured of a model.

use std::collections::BTreeMap;

use kinograd::MotionGenerator;
use kinograd_dataset::captions::Action;
use serde::Serialize;

use super::cell::{Cell, Measured};
use super::embedding::{MemoryReport, RetrievalReport};
use super::protocol::ModelProtocol;
use super::real::{ActionRow, RealReport, RealShares, TestRow};
pub use super::rows::{BestOf, LeastScore};
use super::rows::{best_of, least_score, mean_of, mean_of_some};
use crate::obey::{SetDistance, spread_m};
use crate::prompts::{PromptCase, PromptList};
use crate::statistics::Share;
use crate::validation::ValidationReport;

/// A prompt works at a length if at least this share of its clips obeys.
pub(super) const WORKS: f64 = 0.9;
/// A heading that turns faster than this flips, degrees a frame.
pub(super) const FLIP_DEG: f64 = 45.0;

/// One clip.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClipRow {
    /// Its seed.
    pub seed: u64,
    /// Whether it passes its prompt's test.
    pub obeyed: bool,
    /// Whether a user is warned that it may not show its prompt: its prompt is far from every known one,
    /// or its own score is low.
    pub warned: bool,
    /// Cosine between clip and prompt by the model's own embedding.
    pub text_score: Option<f64>,
    /// The same by the judge.
    pub judge_score: Option<f64>,
    /// As [`Quality::skate`](crate::obey::Quality::skate).
    pub skate: f64,
}

/// One prompt at one length.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CellRow {
    /// Length, seconds.
    pub secs: f64,
    /// Clips that obey.
    pub obeyed: Share,
    /// Clips that do not obey and of which nobody is warned.
    pub wrong_without_warning: usize,
    /// Mean distance of a joint between clips of two seeds, metres.
    pub spread_m: Option<f64>,
    /// Every clip.
    pub clips: Vec<ClipRow>,
}

/// One prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PromptRow {
    /// The prompt.
    pub prompt: String,
    /// The list that it is of.
    pub list: PromptList,
    /// What it asks for.
    pub action: Action,
    /// What is checked.
    pub rule: String,
    /// Clips of all lengths that obey.
    pub obeyed: Share,
    /// Lengths at which at least 90 % do, seconds.
    pub works_at_secs: Vec<f64>,
    /// Clips that do not obey and of which nobody is warned.
    pub wrong_without_warning: usize,
    /// Mean speed of the root, m/s.
    pub speed_m_s: f64,
    /// Mean cosine between clip and prompt by the model's own embedding.
    pub text_score: Option<f64>,
    /// The same by the judge.
    pub judge_score: Option<f64>,
    /// Mean of [`Quality::skate`](crate::obey::Quality::skate).
    pub skate: f64,
    /// Mean of [`Quality::float`](crate::obey::Quality::float).
    pub float: f64,
    /// Mean GMD foot-skate ratio after and before the foot lock.
    pub foot_skate_ratio: [f64; 2],
    /// Mean jerk, m/s³.
    pub jerk_m_s3: f64,
    /// Mean of [`Quality::arm_swing_m`](crate::obey::Quality::arm_swing_m).
    pub arm_swing_m: f64,
    /// Fastest turn of any clip, degrees a frame.
    pub turn_deg_per_frame: f64,
    /// Clips that turn by more than 45° in a frame.
    pub flips: usize,
    /// Mean spread over the seeds, metres.
    pub spread_m: Option<f64>,
    /// Mean spread of bone lengths before clean-up, millimetres.
    pub bone_std_mm: f64,
    /// Each length.
    pub lengths: Vec<CellRow>,
    /// The test on real clips, where a data set was given.
    pub real: Option<RealShares>,
}

/// All prompts at one length.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LengthRow {
    /// Length, seconds.
    pub secs: f64,
    /// Clips that obey.
    pub obeyed: Share,
}

/// One list of prompts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ListRow {
    /// The list.
    pub list: PromptList,
    /// Number of prompts.
    pub prompts: usize,
    /// Prompts that work at every length that was sampled.
    pub working: usize,
    /// Clips that obey.
    pub obeyed: Share,
    /// At each length.
    pub lengths: Vec<LengthRow>,
    /// Clips that do not obey and of which nobody is warned, of all clips.
    pub wrong_without_warning: Share,
    /// Clips of which a user is warned, of all clips.
    pub warned: Share,
    /// If of every so many clips the one that scores best were kept.
    pub best_of: Vec<BestOf>,
}

/// How far the clips of two prompts are apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PairRow {
    /// A prompt.
    pub prompt: String,
    /// The other one.
    pub other: String,
    /// Length of the clips, seconds.
    pub secs: f64,
    /// Distance between the two sets.
    #[serde(flatten)]
    pub distance: SetDistance,
}

impl PairRow {
    pub(super) fn new(prompt: &str, other: &str, secs: f64, distance: SetDistance) -> Self {
        Self {
            prompt: prompt.to_owned(),
            other: other.to_owned(),
            secs,
            distance,
        }
    }
}

/// What was measured of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelReport {
    /// `kinograd.eval-model/2`.
    pub schema: &'static str,
    /// The model.
    pub model: String,
    /// The engine.
    pub engine: String,
    /// The package that judged, with its version.
    pub judge: Option<String>,
    /// What was sampled.
    pub protocol: ModelProtocol,
    /// Sampling steps.
    pub steps: usize,
    /// Each list.
    pub lists: Vec<ListRow>,
    /// The score below which at least 70 % of the clips do not obey.
    pub least_text_score: Option<LeastScore>,
    /// Each prompt.
    pub prompts: Vec<PromptRow>,
    /// Each action, with real clips where a data set was given.
    pub actions: Vec<ActionRow>,
    /// Styles and gestures against what they must differ from.
    pub pairs: Vec<PairRow>,
    /// Mean of all clips: [`Quality::skate`](crate::obey::Quality::skate).
    pub skate: f64,
    /// Mean of all clips: [`Quality::float`](crate::obey::Quality::float).
    pub float: f64,
    /// Mean GMD foot-skate ratio of all clips, after and before the foot lock.
    pub foot_skate_ratio: [f64; 2],
    /// Mean jerk of all clips, m/s³.
    pub jerk_m_s3: f64,
    /// Mean cosine between clip and prompt by the model's own embedding.
    pub text_score: Option<f64>,
    /// The same by the judge.
    pub judge_score: Option<f64>,
    /// Real clips, where a data set was given.
    pub real: Option<RealReport>,
    /// Error of x̂0 on held-out clips, where a data set was given.
    pub validation: Option<ValidationReport>,
    /// Retrieval, where a data set was given and the model has an embedding.
    pub retrieval: Option<RetrievalReport>,
    /// Distance from training clips, where the same holds.
    pub memory: Option<MemoryReport>,
    /// How long it took, seconds.
    pub seconds: f64,
}

impl ModelReport {
    pub(super) fn add_tests(&mut self, rows: &[TestRow]) {
        for (prompt, row) in self.prompts.iter_mut().zip(rows) {
            prompt.real = Some(row.real.clone());
        }
    }
}

/// A list, a prompt and its clips at each length.
pub(super) type Sampled<'a> = (PromptList, &'a PromptCase, Vec<Cell>);

/// The report of the clips, without what needs a data set or other prompts.
pub(super) fn of_cells(
    generator: &MotionGenerator,
    judge: Option<String>,
    protocol: &ModelProtocol,
    steps: usize,
    sampled: &[Sampled<'_>],
) -> ModelReport {
    let all: Vec<&Measured> = clips_of(sampled).collect();
    let manifest = generator.manifest();
    ModelReport {
        schema: "kinograd.eval-model/2",
        model: format!("{} {}", manifest.name, manifest.version),
        engine: generator.engine_name(),
        judge,
        protocol: protocol.clone(),
        steps,
        lists: lists(protocol, sampled),
        least_text_score: least_score(&all),
        prompts: sampled.iter().map(prompt_row).collect(),
        actions: actions(sampled),
        pairs: Vec::new(),
        skate: mean_of(&all, |clip| clip.quality.skate),
        float: mean_of(&all, |clip| clip.quality.float),
        foot_skate_ratio: [0, 1].map(|i| mean_of(&all, |clip| clip.foot_skate_ratio[i])),
        jerk_m_s3: mean_of(&all, |clip| clip.quality.jerk_m_s3),
        text_score: mean_of_some(&all, |clip| clip.text_score),
        judge_score: mean_of_some(&all, |clip| clip.judge_score),
        real: None,
        validation: None,
        retrieval: None,
        memory: None,
        seconds: 0.0,
    }
}

fn clips_of<'a>(sampled: &'a [Sampled<'a>]) -> impl Iterator<Item = &'a Measured> {
    let cells = sampled.iter().flat_map(|(.., cells)| cells);
    cells.flat_map(|cell| &cell.clips)
}

fn wrong_unwarned(clip: &Measured) -> bool {
    !clip.obeyed && !clip.warned
}

fn obeyed<'a>(clips: impl IntoIterator<Item = &'a Measured>) -> Share {
    Share::counted(clips.into_iter().map(|clip| clip.obeyed))
}

fn lists(protocol: &ModelProtocol, sampled: &[Sampled<'_>]) -> Vec<ListRow> {
    let mut rows = Vec::new();
    for list in [
        PromptList::Steering,
        PromptList::HeldOut,
        PromptList::Reworded,
    ] {
        let own: Vec<&Sampled<'_>> = sampled.iter().filter(|row| row.0 == list).collect();
        if own.is_empty() {
            continue;
        }
        let cells = || own.iter().flat_map(|(.., cells)| cells);
        let clips = || cells().flat_map(|cell| &cell.clips);
        let lengths = protocol.lengths_secs.iter().map(|secs| LengthRow {
            secs: *secs,
            obeyed: obeyed(cells().filter(|c| c.secs == *secs).flat_map(|c| &c.clips)),
        });
        let works = |(.., cells): &&&Sampled<'_>| {
            cells.iter().all(|cell| obeyed(&cell.clips).share >= WORKS)
        };
        rows.push(ListRow {
            list,
            prompts: own.len(),
            working: own.iter().filter(works).count(),
            obeyed: obeyed(clips()),
            lengths: lengths.collect(),
            wrong_without_warning: Share::counted(clips().map(wrong_unwarned)),
            warned: Share::counted(clips().map(|clip| clip.warned)),
            best_of: best_of(&cells().collect::<Vec<_>>(), protocol.seeds),
        });
    }
    rows
}

fn prompt_row((list, case, cells): &Sampled<'_>) -> PromptRow {
    let all: Vec<&Measured> = cells.iter().flat_map(|cell| &cell.clips).collect();
    let lengths: Vec<CellRow> = cells.iter().map(cell_row).collect();
    let spreads: Vec<f64> = lengths.iter().filter_map(|row| row.spread_m).collect();
    let turns = all.iter().map(|clip| clip.quality.turn_deg_per_frame);
    PromptRow {
        prompt: case.prompt.to_owned(),
        list: *list,
        action: case.action,
        rule: case.rule.to_owned(),
        obeyed: obeyed(all.iter().copied()),
        works_at_secs: lengths
            .iter()
            .filter(|row| row.obeyed.share >= WORKS)
            .map(|row| row.secs)
            .collect(),
        wrong_without_warning: lengths.iter().map(|row| row.wrong_without_warning).sum(),
        speed_m_s: mean_of(&all, |clip| clip.speed_mps),
        text_score: mean_of_some(&all, |clip| clip.text_score),
        judge_score: mean_of_some(&all, |clip| clip.judge_score),
        skate: mean_of(&all, |clip| clip.quality.skate),
        float: mean_of(&all, |clip| clip.quality.float),
        foot_skate_ratio: [0, 1].map(|i| mean_of(&all, |clip| clip.foot_skate_ratio[i])),
        jerk_m_s3: mean_of(&all, |clip| clip.quality.jerk_m_s3),
        arm_swing_m: mean_of(&all, |clip| clip.quality.arm_swing_m),
        turn_deg_per_frame: turns.clone().fold(0.0, f64::max),
        flips: turns.filter(|deg| *deg > FLIP_DEG).count(),
        spread_m: crate::statistics::mean(&spreads),
        bone_std_mm: mean_of(&all, |clip| clip.bone_std_mm),
        lengths,
        real: None,
    }
}

fn cell_row(cell: &Cell) -> CellRow {
    let row = |clip: &Measured| ClipRow {
        seed: clip.seed,
        obeyed: clip.obeyed,
        warned: clip.warned,
        text_score: clip.text_score,
        judge_score: clip.judge_score,
        skate: clip.quality.skate,
    };
    CellRow {
        secs: cell.secs,
        obeyed: obeyed(&cell.clips),
        wrong_without_warning: cell.clips.iter().filter(|c| wrong_unwarned(c)).count(),
        spread_m: spread_m(&cell.tracks),
        clips: cell.clips.iter().map(row).collect(),
    }
}

fn actions(sampled: &[Sampled<'_>]) -> Vec<ActionRow> {
    let mut by_action: BTreeMap<Action, Vec<&Measured>> = BTreeMap::new();
    for (_, case, cells) in sampled {
        let clips = cells.iter().flat_map(|cell| &cell.clips);
        by_action.entry(case.action).or_default().extend(clips);
    }
    by_action
        .into_iter()
        .map(|(action, clips)| {
            let qualities: Vec<_> = clips.iter().map(|clip| clip.quality).collect();
            ActionRow::new(action, &qualities)
        })
        .collect()
}
