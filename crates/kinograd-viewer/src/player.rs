//! Clips on characters: a clock and a pose, without anything that is drawn.

use bevy::prelude::*;

use crate::character::Joints;
use crate::clip::MotionClip;
use crate::pose::Pose;

/// Moves characters by their clips; needs no rendering.
#[derive(Debug, Default)]
pub struct PlayerPlugin;

impl Plugin for PlayerPlugin {
    fn build(&self, app: &mut App) {
        app.configure_sets(
            Update,
            (PlayerSystems::Advance, PlayerSystems::Pose).chain(),
        )
        .add_systems(Update, advance_players.in_set(PlayerSystems::Advance))
        .add_systems(
            Update,
            (write_poses, pose_joints)
                .chain()
                .in_set(PlayerSystems::Pose),
        );
    }
}

/// When players move.
#[derive(SystemSet, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlayerSystems {
    /// Clocks go on.
    Advance,
    /// Poses follow the clocks.
    Pose,
}

/// Plays a clip on a character. [`Pose`] has the joints; a [`crate::Mannequin`] follows them.
#[derive(Component, Debug, Clone, PartialEq)]
#[require(Transform)]
pub struct MotionPlayer {
    /// What is played.
    pub clip: Handle<MotionClip>,
    /// Where it is, seconds.
    pub time_secs: f32,
    /// 1 is real time; negative plays backwards.
    pub speed: f32,
    /// Whether the clock runs.
    pub playing: bool,
    /// Whether the end leads back to the start.
    pub looping: bool,
}

impl MotionPlayer {
    /// Plays a clip from its start, over and over.
    #[must_use]
    pub fn new(clip: Handle<MotionClip>) -> Self {
        Self {
            clip,
            time_secs: 0.0,
            speed: 1.0,
            playing: true,
            looping: true,
        }
    }
}

/// The time after `by_secs`, and whether the clip goes on: it ends where it does not loop.
#[must_use]
pub fn advanced(time_secs: f32, by_secs: f32, duration_secs: f32, looping: bool) -> (f32, bool) {
    let time = time_secs + by_secs;
    if (0.0..=duration_secs).contains(&time) {
        (time, true)
    } else if looping && duration_secs > 0.0 && time.is_finite() {
        (time.rem_euclid(duration_secs), true)
    } else {
        (time.clamp(0.0, duration_secs.max(0.0)), false)
    }
}

fn advance_players(
    time: Res<Time>,
    clips: Res<Assets<MotionClip>>,
    mut players: Query<&mut MotionPlayer>,
) {
    for mut player in &mut players {
        if !player.playing {
            continue;
        }
        let Some(clip) = clips.get(&player.clip) else {
            continue;
        };
        let by = time.delta_secs() * player.speed;
        let (now, goes_on) = advanced(player.time_secs, by, clip.duration_secs(), player.looping);
        player.time_secs = now;
        player.playing = goes_on;
    }
}

fn write_poses(
    mut commands: Commands,
    clips: Res<Assets<MotionClip>>,
    mut players: Query<(Entity, &MotionPlayer, Option<&mut Pose>)>,
) {
    for (entity, player, pose) in &mut players {
        let Some(clip) = clips.get(&player.clip) else {
            continue;
        };
        let now = clip.pose(player.time_secs);
        match pose {
            Some(mut pose) => {
                pose.set_if_neq(now);
            }
            None => {
                commands.entity(entity).insert(now);
            }
        }
    }
}

fn pose_joints(
    posed: Query<(&Pose, &Joints), Or<(Changed<Pose>, Added<Joints>)>>,
    mut transforms: Query<&mut Transform>,
) {
    for (pose, joints) in &posed {
        for (joint, (&entity, &turn)) in joints.0.iter().zip(&pose.local).enumerate() {
            if let Ok(mut transform) = transforms.get_mut(entity) {
                transform.rotation = turn;
                if joint == 0 {
                    transform.translation = pose.root_m;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    #[test]
    fn clocks_loop_end_and_run_backwards() {
        assert_eq!(advanced(0.5, 0.25, 2.0, false), (0.75, true));
        assert_eq!(advanced(1.75, 0.5, 2.0, true), (0.25, true));
        assert_eq!(advanced(1.75, 0.5, 2.0, false), (2.0, false));
        assert_eq!(advanced(0.25, -0.5, 2.0, true), (1.75, true));
        assert_eq!(advanced(0.25, -0.5, 2.0, false), (0.0, false));
        assert_eq!(advanced(0.0, 1.0, 0.0, true), (0.0, false));
    }

    #[test]
    fn a_player_writes_the_pose_of_its_time_without_a_window() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default(), PlayerPlugin))
            .init_asset::<MotionClip>();
        let walk = MotionClip::new("walk", synth_walk(1.2, 2.0, 20.0)).unwrap();
        let expected = walk.pose(0.5);
        let clip = app
            .world_mut()
            .resource_mut::<Assets<MotionClip>>()
            .add(walk);
        let mut player = MotionPlayer::new(clip);
        player.playing = false;
        player.time_secs = 0.5;
        let character = app.world_mut().spawn(player).id();
        app.update();
        assert_eq!(app.world().get::<Pose>(character), Some(&expected));
    }
}
