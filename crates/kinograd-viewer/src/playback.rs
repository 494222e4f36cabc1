//! One clock for all clips of a window.

use bevy::prelude::*;
use kinograd_bevy::{MotionClip, MotionPlayer, PlayerSystems, advanced};

/// Plays all clips in step.
#[derive(Debug, Default)]
pub struct PlaybackPlugin;

impl Plugin for PlaybackPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Playback>()
            .add_systems(Update, run_clock.in_set(PlayerSystems::Advance));
    }
}

/// The clock. Characters whose [`MotionPlayer`] does not play by itself follow it.
#[derive(Resource, Debug, Clone, PartialEq)]
pub struct Playback {
    /// Where it is, seconds.
    pub time_secs: f32,
    /// Length of the longest clip, seconds.
    pub duration_secs: f32,
    /// Frames per second of the clip with most of them, for stepping.
    pub fps: f32,
    /// 1 is real time.
    pub speed: f32,
    /// Whether it runs.
    pub playing: bool,
    /// Whether the end leads back to the start.
    pub looping: bool,
}

impl Default for Playback {
    fn default() -> Self {
        Self {
            time_secs: 0.0,
            duration_secs: 0.0,
            fps: 20.0,
            speed: 1.0,
            playing: true,
            looping: true,
        }
    }
}

impl Playback {
    /// Goes to a time, within the clips.
    pub fn seek(&mut self, time_secs: f32) {
        self.time_secs = time_secs.clamp(0.0, self.duration_secs);
    }

    /// Stops, and goes so many frames on, or back if negative.
    pub fn step(&mut self, frames: f32) {
        self.playing = false;
        let frame = (self.time_secs * self.fps).round() + frames;
        self.seek(frame / self.fps);
    }

    /// Plays or stops; from the end it starts anew.
    pub fn toggle(&mut self) {
        self.playing = !self.playing;
        if self.playing && !self.looping && self.time_secs >= self.duration_secs {
            self.time_secs = 0.0;
        }
    }
}

fn run_clock(
    time: Res<Time>,
    clips: Res<Assets<MotionClip>>,
    mut playback: ResMut<Playback>,
    mut players: Query<&mut MotionPlayer>,
) {
    let shown = || players.iter().filter_map(|player| clips.get(&player.clip));
    let duration = shown().map(MotionClip::duration_secs).fold(0.0, f32::max);
    let fps = shown()
        .map(|clip| clip.motion.fps as f32)
        .fold(1.0, f32::max);
    if playback.duration_secs != duration || playback.fps != fps {
        playback.duration_secs = duration;
        playback.fps = fps;
        playback.time_secs = playback.time_secs.min(duration);
    }
    if playback.playing {
        let by = time.delta_secs() * playback.speed;
        let (now, goes_on) = advanced(playback.time_secs, by, duration, playback.looping);
        playback.time_secs = now;
        playback.playing = goes_on || playback.looping;
    }
    for mut player in &mut players {
        if !player.playing && player.time_secs != playback.time_secs {
            player.time_secs = playback.time_secs;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bevy::time::TimeUpdateStrategy;
    use kinograd::motion::synth::synth_walk;

    use super::*;
    use kinograd_bevy::PlayerPlugin;

    fn app() -> (App, Entity) {
        let mut app = App::new();
        app.add_plugins((
            MinimalPlugins,
            AssetPlugin::default(),
            PlayerPlugin,
            PlaybackPlugin,
        ))
        .init_asset::<MotionClip>()
        .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(
            100,
        )));
        let walk = MotionClip::new("walk", synth_walk(1.2, 2.0, 20.0)).unwrap();
        let clip = app
            .world_mut()
            .resource_mut::<Assets<MotionClip>>()
            .add(walk);
        let mut player = MotionPlayer::new(clip);
        player.playing = false;
        let entity = app.world_mut().spawn(player).id();
        app.update();
        (app, entity)
    }

    #[test]
    fn characters_follow_the_clock() {
        let (mut app, entity) = app();
        let before = app.world().resource::<Playback>().time_secs;
        app.update();
        let now = app.world().resource::<Playback>().time_secs;
        assert!((now - before - 0.1).abs() < 1e-5, "{before} to {now}");
        assert_eq!(
            app.world().get::<MotionPlayer>(entity).unwrap().time_secs,
            now
        );
    }

    #[test]
    fn steps_stop_and_stay_within_the_clip() {
        let (mut app, entity) = app();
        let mut playback = app.world_mut().resource_mut::<Playback>();
        playback.seek(0.5);
        playback.step(1.0);
        assert!((playback.time_secs - 0.55).abs() < 1e-6 && !playback.playing);
        playback.step(-1e6);
        assert_eq!(playback.time_secs, 0.0);
        playback.step(1e6);
        assert_eq!(playback.time_secs, playback.duration_secs);
        app.update();
        let end = app.world().resource::<Playback>().duration_secs;
        assert_eq!(
            app.world().get::<MotionPlayer>(entity).unwrap().time_secs,
            end
        );
    }
}
