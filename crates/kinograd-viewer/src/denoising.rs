//! The steps of the last run: which of them is shown, and what they measured.

use bevy::prelude::*;
use kinograd_bevy::{MotionClip, MotionPlayer, StepRecord};

use crate::steer::{Steer, SteerSystems, Steered};

/// Scrubbing through the sampler's steps. Wants [`crate::SteerPlugin`].
#[derive(Debug, Default)]
pub struct DenoisingPlugin;

impl Plugin for DenoisingPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Denoising>()
            .add_systems(Update, show_step.after(SteerSystems));
    }
}

/// The steps of the last run.
#[derive(Resource, Debug, Clone, Default)]
pub struct Denoising {
    /// In order.
    pub steps: Vec<StepRecord>,
    /// Which one is shown; `None` is the clip itself.
    pub shown: Option<usize>,
    /// Whether the steps are those of the run before.
    is_old: bool,
}

impl Denoising {
    /// A new run begins; the steps of the one before stay until its first.
    pub fn begin(&mut self) {
        self.is_old = true;
        self.shown = None;
    }

    /// A step is done; steps that are redone (time travel) take the place of the first try.
    pub fn push(&mut self, record: StepRecord) {
        if std::mem::take(&mut self.is_old) {
            self.steps.clear();
        }
        match self
            .steps
            .iter_mut()
            .find(|step| step.index == record.index)
        {
            Some(step) => *step = record,
            None => self.steps.push(record),
        }
    }

    /// Values of every loss against the step, by name, in order of first appearance.
    #[must_use]
    pub fn loss_curves(&self) -> Vec<(String, Vec<[f64; 2]>)> {
        let mut curves: Vec<(String, Vec<[f64; 2]>)> = Vec::new();
        for step in &self.steps {
            // Two goals of a kind have one name: they are told apart by their order.
            let mut seen: Vec<&str> = Vec::new();
            for (name, value) in &step.losses {
                let before = seen.iter().filter(|other| *other == name).count();
                seen.push(name);
                let label = if before == 0 {
                    name.clone()
                } else {
                    format!("{name} {}", before + 1)
                };
                let point = [step.index as f64, *value];
                match curves.iter_mut().find(|(known, _)| *known == label) {
                    Some((_, points)) => points.push(point),
                    None => curves.push((label, vec![point])),
                }
            }
        }
        curves
    }

    /// A number of every step against the step.
    #[must_use]
    pub fn curve(&self, value: impl Fn(&StepRecord) -> f64) -> Vec<[f64; 2]> {
        let point = |step: &StepRecord| [step.index as f64, value(step)];
        self.steps.iter().map(point).collect()
    }
}

/// The steered character wears the step that is looked at, and the clip again when none is.
fn show_step(
    denoising: Res<Denoising>,
    steer: Res<Steer>,
    steered: Query<&MotionPlayer, With<Steered>>,
    mut clips: ResMut<Assets<MotionClip>>,
    mut worn: Local<Option<usize>>,
) {
    if *worn == denoising.shown || steer.is_busy() {
        return;
    }
    let wanted = match denoising.shown {
        Some(index) => denoising.steps.get(index).map(|step| &step.clip),
        None => steer.made.as_ref().map(|made| &made.motion),
    };
    if let (Ok(player), Some(wanted)) = (steered.single(), wanted)
        && let Some(clip) = clips.get_mut(&player.clip)
    {
        *clip.into_inner() = wanted.clone();
        *worn = denoising.shown;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    #[test]
    fn curves_tell_goals_of_a_kind_apart() {
        let clip = MotionClip::new("walk", synth_walk(1.0, 1.0, 20.0)).unwrap();
        let mut denoising = Denoising::default();
        for index in [0, 1, 1] {
            denoising.push(StepRecord {
                index,
                total: 2,
                clip: clip.clone(),
                losses: vec![
                    ("region".to_owned(), index as f64),
                    ("region".to_owned(), 5.0),
                ],
                gradient_norm: 1.0,
                step_size: 0.5,
            });
        }
        let curves = denoising.loss_curves();
        denoising.begin();
        assert_eq!(denoising.steps.len(), 2, "until there are others");
        assert_eq!(curves.len(), 2);
        assert_eq!(
            curves[0],
            ("region".to_owned(), vec![[0.0, 0.0], [1.0, 1.0]])
        );
        assert_eq!(curves[1].0, "region 2");
        assert_eq!(
            denoising.curve(|step| step.step_size),
            vec![[0.0, 0.5], [1.0, 0.5]]
        );
        let first = denoising.steps[0].clone();
        denoising.push(first);
        assert_eq!(denoising.steps.len(), 1);
    }
}
