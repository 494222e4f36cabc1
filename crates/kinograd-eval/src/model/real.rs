//! What real clips make of the tests, and how they move.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kinograd::Error;
use kinograd::motion::FEATURE_FPS;
use kinograd::motion::metrics::{foot_skate_ratio, mean_jerk};
use kinograd_dataset::captions::Action;
use serde::Serialize;

use crate::obey::{JointTrack, Quality, spread_m};
use crate::prompts::{PromptCase, PromptList};
use crate::reference::{Reference, Snippet};
use crate::statistics::{Share, mean};

/// Splits of a data set.
const SPLITS: [&str; 2] = ["train", "val"];
/// Actions that a test is confused with most, in a report.
const CONFUSED: usize = 3;
/// Most real clips over which a spread is taken.
const SPREAD_CLIPS: usize = 16;

/// How real clips do by a prompt's test.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RealShares {
    /// Stretches of the train split with one of the prompt's captions that pass.
    pub train: Share,
    /// The same of the val split.
    pub val: Share,
    /// Stretches of other actions that pass, of both splits.
    pub others: Share,
    /// The other actions of which the most pass.
    pub confused: Vec<Confused>,
    /// Mean distance of a joint between two clips of the prompt's captions, metres.
    pub spread_m: Option<f64>,
}

/// Clips of another action that pass a test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Confused {
    /// The action.
    pub action: Action,
    /// Its stretches that pass.
    pub passed: Share,
}

/// A prompt's test.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TestRow {
    /// The prompt.
    pub prompt: String,
    /// The list that it is of.
    pub list: PromptList,
    /// What is checked.
    pub rule: String,
    /// Real clips.
    pub real: RealShares,
}

/// The tests, held against real clips.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TestReport {
    /// `kinograd.eval-tests/1`.
    pub schema: &'static str,
    /// Captioned stretches of real clips, mirrored copies among them.
    pub stretches: usize,
    /// Each test.
    pub tests: Vec<TestRow>,
}

/// How clips of an action move: means over the clips.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActionQuality {
    /// Clips.
    pub clips: usize,
    /// Jerk, m/s³.
    pub jerk_m_s3: f64,
    /// As [`Quality::arm_swing_m`].
    pub arm_swing_m: f64,
    /// As [`Quality::skate`].
    pub skate: f64,
    /// As [`Quality::float`].
    pub float: f64,
    /// Fastest turn of any clip, degrees a frame.
    pub turn_deg_per_frame: f64,
}

impl ActionQuality {
    fn of(clips: &[Quality]) -> Self {
        let over = |value: fn(&Quality) -> f64| {
            mean(&clips.iter().map(value).collect::<Vec<_>>()).unwrap_or(f64::NAN)
        };
        let turns = clips.iter().map(|clip| clip.turn_deg_per_frame);
        Self {
            clips: clips.len(),
            jerk_m_s3: over(|clip| clip.jerk_m_s3),
            arm_swing_m: over(|clip| clip.arm_swing_m),
            skate: over(|clip| clip.skate),
            float: over(|clip| clip.float),
            turn_deg_per_frame: turns.fold(0.0, f64::max),
        }
    }
}

/// One action.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ActionRow {
    /// The action.
    pub action: Action,
    /// Clips of its prompts.
    pub samples: ActionQuality,
    /// Real stretches of the action without a style, where a data set was given.
    pub real: Option<ActionQuality>,
}

impl ActionRow {
    pub(super) fn new(action: Action, samples: &[Quality]) -> Self {
        Self {
            action,
            samples: ActionQuality::of(samples),
            real: None,
        }
    }
}

/// Physics of real clips on the same body.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RealReport {
    /// Held-out clips.
    pub clips: usize,
    /// Mean of [`Quality::skate`].
    pub skate: f64,
    /// Mean of [`Quality::float`].
    pub float: f64,
    /// Mean GMD foot-skate ratio.
    pub foot_skate_ratio: f64,
    /// Mean jerk, m/s³.
    pub jerk_m_s3: f64,
}

/// Holds the tests of a list against the real clips of a data set; samples nothing.
///
/// # Errors
/// [`Error::Read`] for the data set; [`Error::Request`] where no prompt contains `only`.
pub fn real_tests(data: &Path, list: PromptList, only: Option<&str>) -> Result<TestReport, Error> {
    let cases = list.chosen(only)?;
    let reference = Reference::open(data)?;
    Ok(TestReport {
        schema: "kinograd.eval-tests/1",
        stretches: snippets(&reference).len(),
        tests: real_rows(&reference, &cases)?,
    })
}

fn snippets(reference: &Reference) -> Vec<(usize, Snippet<'_>)> {
    let of = |(index, split): (usize, &&str)| {
        let own = reference.snippets_of_both_sides(split);
        own.into_iter().map(move |snippet| (index, snippet))
    };
    SPLITS.iter().enumerate().flat_map(of).collect()
}

/// The tests of cases, in their order.
pub(super) fn real_rows(
    reference: &Reference,
    cases: &[(PromptList, &PromptCase)],
) -> Result<Vec<TestRow>, Error> {
    let snippets = snippets(reference);
    let is_own = |case: &PromptCase, snippet: &Snippet<'_>| {
        let said = |caption: &&str| snippet.captions.iter().any(|own| own == *caption);
        case.captions.iter().any(said)
    };
    let mut tallies: Vec<Tally> = cases
        .iter()
        .map(|(_, case)| {
            let own = snippets.iter().filter(|(_, snippet)| is_own(case, snippet));
            let mut actions: BTreeSet<Action> = own.map(|(_, snippet)| snippet.action).collect();
            actions.insert(case.action);
            Tally::new(actions)
        })
        .collect();
    for (split, snippet) in &snippets {
        let track = JointTrack::from_features(snippet.features)?;
        for ((_, case), tally) in cases.iter().zip(&mut tallies) {
            if is_own(case, snippet) {
                tally.own[*split].push((case.obeyed)(&track));
                if tally.tracks.len() < SPREAD_CLIPS {
                    tally.tracks.push(track.clone());
                }
            } else if !tally.actions.contains(&snippet.action) {
                let others = tally.others.entry(snippet.action).or_default();
                others.push((case.obeyed)(&track));
            }
        }
    }
    Ok(cases
        .iter()
        .zip(tallies)
        .map(|((list, case), tally)| TestRow {
            prompt: case.prompt.to_owned(),
            list: *list,
            rule: case.rule.to_owned(),
            real: tally.shares(),
        })
        .collect())
}

/// What passes a test.
struct Tally {
    /// Actions of the prompt's own stretches.
    actions: BTreeSet<Action>,
    own: [Vec<bool>; SPLITS.len()],
    others: BTreeMap<Action, Vec<bool>>,
    tracks: Vec<JointTrack>,
}

impl Tally {
    fn new(actions: BTreeSet<Action>) -> Self {
        Self {
            actions,
            own: Default::default(),
            others: BTreeMap::new(),
            tracks: Vec::new(),
        }
    }

    fn shares(self) -> RealShares {
        let share = |passed: &[bool]| Share::counted(passed.iter().copied());
        let mut confused: Vec<Confused> = self
            .others
            .iter()
            .map(|(action, passed)| Confused {
                action: *action,
                passed: share(passed),
            })
            .filter(|confused| confused.passed.hits > 0)
            .collect();
        confused.sort_by(|a, b| b.passed.share.total_cmp(&a.passed.share));
        confused.truncate(CONFUSED);
        RealShares {
            train: share(&self.own[0]),
            val: share(&self.own[1]),
            others: Share::counted(self.others.values().flatten().copied()),
            confused,
            spread_m: spread_m(&self.tracks),
        }
    }
}

/// Puts the real stretches of each action beside the samples.
pub(super) fn add_actions(rows: &mut [ActionRow], reference: &Reference) -> Result<(), Error> {
    let mut by_action: BTreeMap<Action, Vec<Quality>> = BTreeMap::new();
    for (_, snippet) in snippets(reference) {
        let is_wanted = rows.iter().any(|row| row.action == snippet.action);
        if is_wanted && snippet.style.is_none() {
            let quality = Quality::of(&JointTrack::from_features(snippet.features)?);
            by_action.entry(snippet.action).or_default().push(quality);
        }
    }
    for row in rows {
        let real = by_action.get(&row.action);
        row.real = real.map(|qualities| ActionQuality::of(qualities));
    }
    Ok(())
}

/// Physics of held-out clips.
pub(super) fn physics(held_out: &[Snippet<'_>]) -> Result<RealReport, Error> {
    let (mut qualities, mut ratios, mut jerks) = (Vec::new(), Vec::new(), Vec::new());
    for snippet in held_out {
        let track = JointTrack::from_features(snippet.features)?;
        let joints = track.to_array();
        ratios.push(foot_skate_ratio(joints.view(), FEATURE_FPS));
        jerks.push(mean_jerk(joints.view(), FEATURE_FPS));
        qualities.push(Quality::of(&track));
    }
    let all = ActionQuality::of(&qualities);
    Ok(RealReport {
        clips: held_out.len(),
        skate: all.skate,
        float: all.float,
        foot_skate_ratio: mean(&ratios).unwrap_or(f64::NAN),
        jerk_m_s3: mean(&jerks).unwrap_or(f64::NAN),
    })
}
