//! The clips of one prompt at one length.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use kinograd::motion::Skeleton;
use kinograd::motion::features::decode_joints;
use kinograd::motion::metrics::bone_length_std_m;
use kinograd::{Clip, Error, Event, MotionEvaluator, MotionGenerator, Observer, Warning};

use super::protocol::ModelProtocol;
use crate::obey::{JointTrack, Quality};
use crate::prompts::PromptCase;

/// A clip and what was measured of it.
pub(super) struct Measured {
    pub seed: u64,
    /// Whether it passes its prompt's test; of a prompt without one it does not.
    pub obeyed: bool,
    /// Whether a user is warned that the clip may not show its prompt.
    pub warned: bool,
    pub text_score: Option<f64>,
    pub judge_score: Option<f64>,
    pub speed_mps: f64,
    pub quality: Quality,
    /// GMD's foot-skate ratio after and before the foot lock.
    pub foot_skate_ratio: [f64; 2],
    /// Spread of bone lengths before the fit of rotations, millimetres.
    pub bone_std_mm: f64,
    /// What the best of several draws is chosen by.
    pub choice: f64,
}

/// The clips of a prompt at a length.
pub(super) struct Cell {
    pub secs: f64,
    pub clips: Vec<Measured>,
    pub tracks: Vec<JointTrack>,
}

/// Makes cells.
pub(super) struct Sampler<'a> {
    pub generator: &'a mut MotionGenerator,
    pub judge: Option<MotionEvaluator>,
    pub protocol: &'a ModelProtocol,
    /// Whether embeddings of clips are kept.
    pub embeds: bool,
    pub embedded: Vec<Vec<f32>>,
}

impl Sampler<'_> {
    /// Samples and measures a prompt at a length, as users get it.
    pub fn cell(
        &mut self,
        prompt: &str,
        case: Option<&PromptCase>,
        secs: f64,
        progress: &mut Progress<'_>,
    ) -> Result<Cell, Error> {
        let task = self.protocol.task(prompt, secs, self.protocol.seeds)?;
        let mut watched = Watched {
            progress,
            prompt_warned: false,
            seeds_warned: BTreeSet::new(),
        };
        let made = self.generator.generate(&task, &mut watched)?;
        let (prompt_warned, seeds_warned) = (watched.prompt_warned, watched.seeds_warned);
        let mut cell = Cell {
            secs,
            clips: Vec::with_capacity(made.len()),
            tracks: Vec::with_capacity(made.len()),
        };
        for clip in &made {
            let track = JointTrack::of(&clip.motion)?;
            let mut measured = self.measured(clip, prompt, &track)?;
            measured.obeyed = case.is_some_and(|case| (case.obeyed)(&track));
            measured.warned = prompt_warned || seeds_warned.contains(&measured.seed);
            cell.clips.push(measured);
            cell.tracks.push(track);
        }
        progress.advance()?;
        Ok(cell)
    }

    fn measured(
        &mut self,
        clip: &Clip,
        prompt: &str,
        track: &JointTrack,
    ) -> Result<Measured, Error> {
        let Some(report) = &clip.report else {
            let message = "a generated clip has no report".to_owned();
            return Err(Error::Internal(message));
        };
        let mut bone_std_mm = 0.0;
        let mut judge_score = None;
        if let Some(features) = &clip.features {
            let joints = decode_joints(features.view())?.mapv(|value| value as f32);
            bone_std_mm = 1e3 * bone_length_std_m(joints.view(), &Skeleton::canonical().parents);
            if let Some(judge) = &mut self.judge {
                judge_score = Some(judge.score(features.view(), prompt)?);
            }
            if self.embeds {
                let row = self.generator.embed_motion(features.view())?;
                self.embedded.extend(row);
            }
        }
        Ok(Measured {
            seed: report.seed,
            obeyed: false,
            warned: false,
            text_score: report.text_score,
            judge_score,
            speed_mps: crate::obey::travel::Travel::of(track).speed_mps,
            quality: Quality::of(track),
            foot_skate_ratio: [report.foot_skate_ratio, report.foot_skate_ratio_before],
            bone_std_mm,
            choice: report.text_score.unwrap_or(0.0)
                - report.foot_skate_ratio
                - f64::from(u8::from(report.implausibly_fast)),
        })
    }
}

/// Cells that are done, told to the caller's observer.
pub(super) struct Progress<'a> {
    observer: &'a mut dyn Observer,
    done: u64,
}

impl<'a> Progress<'a> {
    /// Begins `total` cells.
    pub fn new(observer: &'a mut dyn Observer, total: usize) -> Result<Self, Error> {
        let mut progress = Self { observer, done: 0 };
        let total = total as u64;
        let work = "evaluating";
        progress.tell(&Event::Started { work, total })?;
        Ok(progress)
    }

    /// One cell more is done.
    pub fn advance(&mut self) -> Result<(), Error> {
        self.done += 1;
        let done = self.done;
        self.tell(&Event::Advanced { done })
    }

    /// All are done.
    pub fn finish(mut self) -> Result<(), Error> {
        self.tell(&Event::Finished)
    }

    fn tell(&mut self, event: &Event) -> Result<(), Error> {
        match self.observer.event(event) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }
}

/// Notes what a user would be warned of, and lets the caller's observer stop the run at every step.
struct Watched<'a, 'p> {
    progress: &'a mut Progress<'p>,
    prompt_warned: bool,
    seeds_warned: BTreeSet<u64>,
}

impl Observer for Watched<'_, '_> {
    fn event(&mut self, event: &Event) -> ControlFlow<()> {
        match event {
            Event::Warning(Warning::UnknownPrompt { .. }) => self.prompt_warned = true,
            Event::Warning(Warning::LowScore { seed, .. }) => {
                self.seeds_warned.insert(*seed);
            }
            _ => {}
        }
        let done = self.progress.done;
        self.progress.observer.event(&Event::Advanced { done })
    }
}
