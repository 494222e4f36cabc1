//! Clips on characters: a clock and a pose, without anything that is drawn.

use bevy::prelude::*;

use crate::character::Joints;
use crate::clip::MotionClip;
use crate::pose::{Pose, blend};

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

/// Blends a character from the pose it was seen in into its clip, so that a change of clips does not show
/// as a jump. Insert it together with the new [`MotionPlayer`] and [`Transform`]; it removes itself.
#[derive(Component, Debug, Clone, PartialEq)]
pub struct Fade {
    /// In the world of the new clip.
    from: Pose,
    passed_secs: f32,
    secs: f32,
}

impl Fade {
    /// From a pose of a character placed at `was` to clips of one placed at `is`, within `secs`.
    #[must_use]
    pub fn new(pose: &Pose, was: &Transform, is: &Transform, secs: f32) -> Self {
        let into = is.to_matrix().inverse() * was.to_matrix();
        let turn = is.rotation.inverse() * was.rotation;
        let mut from = pose.clone();
        from.root_m = into.transform_point3(pose.root_m);
        if let Some(root) = from.local.first_mut() {
            *root = turn * *root;
        }
        for joint in &mut from.joints_m {
            *joint = into.transform_point3(*joint);
        }
        Self {
            from,
            passed_secs: 0.0,
            secs,
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
    time: Res<Time>,
    clips: Res<Assets<MotionClip>>,
    mut players: Query<(Entity, &MotionPlayer, Option<&mut Pose>, Option<&mut Fade>)>,
) {
    for (entity, player, pose, fade) in &mut players {
        let Some(clip) = clips.get(&player.clip) else {
            continue;
        };
        let mut now = clip.pose(player.time_secs);
        if let Some(mut fade) = fade {
            let share = fade.passed_secs / fade.secs.max(1e-3);
            if share < 1.0 {
                // Slow at both ends.
                let eased = share * share * (3.0 - 2.0 * share);
                now = blend(&clip.motion, &fade.from, &now, eased);
                fade.passed_secs += time.delta_secs();
            } else {
                commands.entity(entity).remove::<Fade>();
            }
        }
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
    use std::time::Duration;

    use bevy::time::TimeUpdateStrategy;
    use kinograd::motion::synth::synth_walk;

    use super::*;

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

    #[test]
    fn a_fade_begins_where_the_character_was_and_ends_in_the_clip() {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default(), PlayerPlugin))
            .init_asset::<MotionClip>()
            .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(
                50,
            )));
        let walk = MotionClip::new("walk", synth_walk(1.2, 2.0, 20.0)).unwrap();
        let (seen, begins) = (walk.pose(1.3), walk.pose(0.0));
        let was = Transform::from_xyz(1.0, 0.0, -2.0).with_rotation(Quat::from_rotation_y(0.7));
        let is = Transform::from_xyz(1.4, 0.0, -1.1).with_rotation(Quat::from_rotation_y(-1.9));
        let clip = app
            .world_mut()
            .resource_mut::<Assets<MotionClip>>()
            .add(walk);
        let mut player = MotionPlayer::new(clip);
        player.playing = false;
        let fade = Fade::new(&seen, &was, &is, 0.2);
        let character = app.world_mut().spawn((player, is, fade)).id();
        app.update();
        let first = app.world().get::<Pose>(character).unwrap();
        for (now, before) in first.joints_m.iter().zip(&seen.joints_m) {
            let (now, before) = (is.transform_point(*now), was.transform_point(*before));
            assert!(now.distance(before) < 1e-4, "{now} after {before}");
        }
        for _ in 0..8 {
            app.update();
        }
        assert_eq!(app.world().get::<Pose>(character), Some(&begins));
        assert!(app.world().get::<Fade>(character).is_none());
    }
}
