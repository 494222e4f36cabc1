//! How good a model's clips are: prompts obeyed at every length, what is wrong without a warning, physics
//! and variety against real clips, retrieval, memory.

mod cell;
mod embedding;
mod protocol;
mod real;
mod report;
mod rows;
mod table;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use kinograd::{Error, MotionEvaluator, MotionGenerator, Observer};

use self::cell::{Cell, Sampler};
pub use self::embedding::{MemoryReport, RetrievalReport};
pub use self::protocol::ModelProtocol;
pub use self::real::{ActionRow, RealReport, RealShares, TestReport, TestRow, real_tests};
pub use self::report::{
    BestOf, CellRow, ClipRow, LeastScore, LengthRow, ListRow, ModelReport, PairRow, PromptRow,
};
use crate::obey::{apart, pose_profile};
use crate::prompts::{PromptCase, PromptList, StylePair};
use crate::reference::Reference;
use crate::validation::validation;

/// Samples the prompts, judges what comes, and, with a data set, puts real clips beside it.
///
/// A `judge` scores each clip's text beside the model's own embedding.
///
/// # Errors
/// [`Error::Request`] or [`Error::Task`] for what cannot be sampled; [`Error::Read`] for the data set; as
/// [`MotionGenerator::generate`].
pub fn model(
    generator: &mut MotionGenerator,
    judge: Option<MotionEvaluator>,
    data: Option<&Path>,
    protocol: &ModelProtocol,
    observer: &mut dyn Observer,
) -> Result<ModelReport, Error> {
    let started = Instant::now();
    let motion = generator.manifest().motion()?;
    protocol
        .check([motion.min_frames, motion.max_frames].map(|frames| frames as f64 / motion.fps))?;
    let reference = data.map(Reference::open).transpose()?;
    let judge_name = judge.as_ref().map(|judge| judge.name().to_owned());
    let cases = protocol.prompts.chosen(protocol.only.as_deref())?;
    let pairs = pairs_of(protocol, &cases);
    let beside = beside(&pairs, &cases);
    let steps = protocol.task("a person walks", protocol.lengths_secs[0], 1)?;
    let steps = generator.resolved(&steps)?.sampling.steps_or_usual();

    let mut sampler = Sampler {
        generator,
        judge,
        protocol,
        embeds: reference.is_some(),
        embedded: Vec::new(),
    };
    let total = cases.len() * protocol.lengths_secs.len() + beside.len();
    let mut progress = cell::Progress::new(observer, total)?;
    let mut sampled: Vec<(PromptList, &PromptCase, Vec<Cell>)> = Vec::new();
    for &(list, case) in &cases {
        let mut cells = Vec::new();
        for secs in &protocol.lengths_secs {
            cells.push(sampler.cell(case.prompt, Some(case), *secs, &mut progress)?);
        }
        sampled.push((list, case, cells));
    }
    let mut profiles: BTreeMap<&str, Vec<Vec<f64>>> = BTreeMap::new();
    for (_, case, cells) in &sampled {
        let cell = cells.iter().find(|cell| cell.secs == protocol.pair_secs());
        let tracks = cell.map(|cell| cell.tracks.iter().map(pose_profile).collect());
        profiles.insert(case.prompt, tracks.unwrap_or_default());
    }
    for prompt in beside {
        let cell = sampler.cell(prompt, None, protocol.pair_secs(), &mut progress)?;
        profiles.insert(prompt, cell.tracks.iter().map(pose_profile).collect());
    }
    progress.finish()?;
    let embedded = std::mem::take(&mut sampler.embedded);

    let mut report = report::of_cells(generator, judge_name, protocol, steps, &sampled);
    report.pairs = pairs
        .iter()
        .filter_map(|StylePair(a, b)| {
            let distance = apart(profiles.get(a)?, profiles.get(b)?)?;
            Some(PairRow::new(a, b, protocol.pair_secs(), distance))
        })
        .collect();
    if let Some(reference) = &reference {
        let held_out = reference.snippets("val");
        report.add_tests(&real::real_rows(reference, &cases)?);
        real::add_actions(&mut report.actions, reference)?;
        report.real = Some(real::physics(&held_out)?);
        report.validation = validation(generator, &held_out)?;
        report.retrieval = embedding::retrieval(generator, &held_out, protocol, observer)?;
        report.memory = embedding::memory(generator, reference, &held_out, &embedded)?;
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// The lists' pairs; with a text that prompts must contain, those of which a prompt has it.
fn pairs_of(protocol: &ModelProtocol, cases: &[(PromptList, &PromptCase)]) -> Vec<StylePair> {
    let mut pairs = protocol.prompts.pairs();
    if protocol.only.is_some() {
        pairs.retain(|StylePair(a, _)| cases.iter().any(|(_, case)| case.prompt == *a));
    }
    pairs
}

/// Prompts of pairs that have no test.
fn beside(pairs: &[StylePair], cases: &[(PromptList, &PromptCase)]) -> Vec<&'static str> {
    let mut beside: Vec<&'static str> = Vec::new();
    for prompt in pairs.iter().flat_map(|StylePair(a, b)| [*a, *b]) {
        let is_sampled = cases.iter().any(|(_, case)| case.prompt == prompt);
        if !is_sampled && !beside.contains(&prompt) {
            beside.push(prompt);
        }
    }
    beside
}
