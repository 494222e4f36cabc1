//! Clips made anew as goals move.

use bevy::prelude::*;
use kinograd_bevy::{
    Generation, GenerationUpdate, Mannequin, MotionClip, MotionPlayer, Update, receive_updates,
};

use super::hand::{DragState, hold};
use super::state::{Run, Status, Steer, SteerSystems, Steered};
use crate::camera::FrameAll;
use crate::denoising::Denoising;
use crate::scene::{Stage, look};

/// Scenes that are dragged and clips that follow. Wants a [`Generation`] resource to make them.
#[derive(Debug, Default)]
pub struct SteerPlugin;

impl Plugin for SteerPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Steer>()
            .init_resource::<DragState>()
            .init_resource::<Denoising>()
            .add_message::<GenerationUpdate>()
            .add_message::<FrameAll>()
            .add_systems(PreUpdate, receive_updates)
            .add_systems(
                Update,
                (hold, take_updates, hand_in, show_scene, show_clip)
                    .chain()
                    .in_set(SteerSystems),
            );
    }
}

/// Hands in what was asked for: the newest wins. While something is dragged, the run before is shown once
/// before it is dropped, so that a steady hand always sees something form.
fn hand_in(
    mut steer: ResMut<Steer>,
    generation: Option<Res<Generation>>,
    mut denoising: ResMut<Denoising>,
) {
    if steer.asked.is_none() {
        return;
    }
    let waits = steer.is_held && steer.run.as_ref().is_some_and(|run| !run.was_seen);
    if waits {
        return;
    }
    let Some(generation) = generation else {
        steer.asked = None;
        steer.status = Status::Failed("no model is open".to_owned());
        return;
    };
    if let Some(run) = steer.run.take() {
        run.ticket.cancel();
    }
    if let Some(job) = steer.asked.take() {
        denoising.begin();
        steer.notes.clear();
        steer.status = Status::Waiting;
        steer.run = Some(Run {
            scene: job.scene.clone(),
            ticket: generation.submit(job),
            was_seen: false,
        });
    }
}

fn take_updates(
    mut updates: MessageReader<GenerationUpdate>,
    mut steer: ResMut<Steer>,
    mut denoising: ResMut<Denoising>,
    mut frame: MessageWriter<FrameAll>,
) {
    for GenerationUpdate { job, update } in updates.read() {
        let is_ours = steer.run.as_ref().is_some_and(|run| run.ticket.id == *job);
        if !is_ours {
            continue;
        }
        let waited = steer.changed_at.map(|at| at.elapsed().as_secs_f32());
        match update {
            Update::Started { steps } => {
                steer.status = Status::Running {
                    done: 0,
                    steps: *steps,
                };
            }
            Update::Progress { done } => {
                if let Status::Running { done: shown, .. } = &mut steer.status {
                    *shown = *done;
                }
            }
            Update::Step(record) => {
                // A run before the last change may still be shown; the wait is for the one after it.
                if steer.asked.is_none() {
                    steer.waits_secs.0 = steer.waits_secs.0.or(waited);
                }
                steer.preview = Some(record.clip.clone());
                denoising.push((**record).clone());
                if let Some(run) = &mut steer.run {
                    run.was_seen = true;
                }
            }
            Update::Note(note) => steer.notes.push(note.clone()),
            Update::Done(made) => {
                steer.waits_secs.1 = waited;
                steer.preview = Some(made.motion.clone());
                steer.status = Status::Done {
                    seconds: made.seconds,
                };
                steer.made = Some((**made).clone());
                if steer.count == 0 {
                    frame.write(FrameAll);
                }
                steer.count += 1;
                steer.run = None;
            }
            Update::Failed(error) => {
                steer.status = Status::Failed(error.clone());
                steer.run = None;
            }
            Update::Cancelled => {
                steer.status = Status::Stopped;
                steer.run = None;
            }
        }
    }
}

/// The stage shows the scene that is steered.
fn show_scene(steer: Res<Steer>, mut stage: ResMut<Stage>) {
    if stage.scene.as_ref() != Some(&steer.scene) {
        stage.scene = Some(steer.scene.clone());
    }
}

/// The steered character wears the newest x̂0 or clip.
fn show_clip(
    mut commands: Commands,
    mut steer: ResMut<Steer>,
    mut clips: ResMut<Assets<MotionClip>>,
    steered: Query<&MotionPlayer, With<Steered>>,
    mut frame: MessageWriter<FrameAll>,
) {
    if steer.preview.is_none() {
        return;
    }
    let Some(preview) = steer.preview.take() else {
        return;
    };
    if let Ok(player) = steered.single() {
        if let Some(clip) = clips.get_mut(&player.clip) {
            *clip.into_inner() = preview;
        }
        return;
    }
    let mut player = MotionPlayer::new(clips.add(preview));
    player.playing = false;
    frame.write(FrameAll);
    commands.spawn((Steered, player, Mannequin::new(look::body_color(0))));
}
