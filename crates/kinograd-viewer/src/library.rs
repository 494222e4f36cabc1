//! Clips of a window: opened from files, dropped on it, or made; in lanes or as ghosts.

use std::path::{Path, PathBuf};

use bevy::prelude::*;
use bevy::tasks::futures::check_ready;
use bevy::tasks::{IoTaskPool, Task};
use bevy::window::FileDragAndDrop;

use crate::camera::FrameAll;
use crate::character::{Joints, Mannequin};
use crate::clip::MotionClip;
use crate::generation::words;
use crate::offscreen::lanes;
use crate::player::MotionPlayer;
use crate::scene::{Stage, look};
use crate::steer::{Steer, Steered, load_scene};

/// Opens files and keeps clips in their places.
#[derive(Debug, Default)]
pub struct LibraryPlugin;

impl Plugin for LibraryPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Library>()
            .add_message::<OpenFile>()
            .add_message::<Failure>()
            .add_systems(
                Update,
                (read_drops, begin_opening, end_opening, place).chain(),
            );
    }
}

/// Asks for a file to be opened: a clip, or a scene as JSON.
#[derive(Message, Debug, Clone, PartialEq, Eq)]
pub struct OpenFile(pub PathBuf);

/// Something went wrong that the user should read.
#[derive(Message, Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

/// The clips' layout and the files that were open.
#[derive(Resource, Default)]
pub struct Library {
    /// Whether clips stand in one place, the later ones as ghosts.
    pub overlays: bool,
    /// Clips opened in this window, the latest first.
    pub recent: Vec<PathBuf>,
    opening: Vec<Task<Opened>>,
}

impl Library {
    /// Whether files are being read.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        !self.opening.is_empty()
    }
}

type Opened = Result<(PathBuf, Box<MotionClip>), String>;

/// A clip of the library.
#[derive(Component, Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// What the list calls it.
    pub name: String,
    /// A line of numbers under it.
    pub numbers: String,
}

/// Opacity of clips that stand in the place of another.
const GHOST: f32 = 0.45;
/// Files that the recent list keeps.
const RECENT: usize = 12;

fn read_drops(mut drops: MessageReader<FileDragAndDrop>, mut open: MessageWriter<OpenFile>) {
    for drop in drops.read() {
        if let FileDragAndDrop::DroppedFile { path_buf, .. } = drop {
            open.write(OpenFile(path_buf.clone()));
        }
    }
}

fn begin_opening(
    mut asked: MessageReader<OpenFile>,
    mut library: ResMut<Library>,
    mut failures: MessageWriter<Failure>,
    steer: Option<ResMut<Steer>>,
    mut frame: MessageWriter<FrameAll>,
) {
    let mut steer = steer;
    for OpenFile(path) in asked.read() {
        let is_scene = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("json"));
        if !is_scene {
            let path = path.clone();
            let task = IoTaskPool::get().spawn(async move { open(&path) });
            library.opening.push(task);
            continue;
        }
        match (load_scene(path), &mut steer) {
            (Ok(scene), Some(steer)) => {
                steer.remember();
                steer.scene = scene;
                if steer.follows_changes {
                    steer.make();
                }
                frame.write(FrameAll);
            }
            (Ok(_), None) => {}
            (Err(error), _) => {
                failures.write(Failure(error));
            }
        }
    }
}

fn open(path: &Path) -> Opened {
    let clip = MotionClip::load(path).map_err(|error| words(&error))?;
    Ok((path.to_owned(), Box::new(clip)))
}

fn end_opening(
    mut commands: Commands,
    mut library: ResMut<Library>,
    mut clips: ResMut<Assets<MotionClip>>,
    mut failures: MessageWriter<Failure>,
    mut frame: MessageWriter<FrameAll>,
    steer: Option<ResMut<Steer>>,
    shelved: Query<(), With<Shelved>>,
) {
    if library.opening.is_empty() {
        return;
    }
    let mut done: Vec<Opened> = Vec::new();
    library.opening.retain_mut(|task| match check_ready(task) {
        Some(opened) => {
            done.push(opened);
            false
        }
        None => true,
    });
    let mut steer = steer;
    let mut count = shelved.iter().count();
    for opened in done {
        match opened {
            Ok((path, clip)) => {
                if let (Some(steer), Some(scene)) = (&mut steer, &clip.scene)
                    && steer.made.is_none()
                    && !steer.is_busy()
                {
                    steer.scene = scene.clone();
                }
                library.recent.retain(|known| *known != path);
                library.recent.insert(0, path);
                library.recent.truncate(RECENT);
                count += 1;
                let name = clip.name.clone();
                shelve(&mut commands, &mut clips, *clip, name, String::new(), count);
                frame.write(FrameAll);
            }
            Err(error) => {
                failures.write(Failure(error));
            }
        }
    }
}

/// Puts a clip on the stage and in the list. `index` chooses its colour; the steered character has 0.
pub fn shelve(
    commands: &mut Commands,
    clips: &mut Assets<MotionClip>,
    clip: MotionClip,
    name: String,
    numbers: String,
    index: usize,
) -> Entity {
    let mut player = MotionPlayer::new(clips.add(clip));
    player.playing = false;
    let body = Mannequin::new(look::body_color(index));
    commands
        .spawn((Shelved { name, numbers }, player, body))
        .id()
}

/// A character of the list, or the steered one.
type Shown<'a> = (
    Entity,
    &'a MotionPlayer,
    &'a mut Transform,
    &'a mut Mannequin,
    Option<&'a Joints>,
    Has<Steered>,
);

/// Lanes beside each other, or one place for all.
fn place(
    mut commands: Commands,
    library: Res<Library>,
    clips: Res<Assets<MotionClip>>,
    mut stage: ResMut<Stage>,
    mut people: Query<Shown, Or<(With<Shelved>, With<Steered>)>>,
) {
    // The steered character stands first.
    let mut order: Vec<(bool, Entity, AssetId<MotionClip>)> = people
        .iter()
        .map(|(entity, player, .., steered)| (!steered, entity, player.clip.id()))
        .collect();
    order.sort();
    order.retain(|(.., clip)| clips.contains(*clip));
    let beside = !library.overlays && order.len() > 1;
    let places = if beside {
        let shown: Vec<&MotionClip> = order.iter().filter_map(|(.., id)| clips.get(*id)).collect();
        lanes(&shown, stage.scene.as_ref())
    } else {
        vec![Vec3::ZERO; order.len()]
    };
    for (rank, (&(_, entity, _), &at)) in order.iter().zip(&places).enumerate() {
        let Ok((_, _, mut transform, mut body, joints, _)) = people.get_mut(entity) else {
            continue;
        };
        if transform.translation != at {
            transform.translation = at;
        }
        let is_ghost = library.overlays && rank > 0;
        let opacity = if is_ghost { GHOST } else { 1.0 };
        if body.opacity != opacity {
            body.opacity = opacity;
            // The body is built anew in its new material.
            if let Some(hips) = joints.and_then(|joints| joints.0.first()) {
                commands.entity(*hips).despawn();
                commands.entity(entity).remove::<Joints>();
            }
        }
    }
    let lanes_m = if beside { places } else { vec![Vec3::ZERO] };
    if stage.lanes_m != lanes_m {
        stage.lanes_m = lanes_m;
    }
}
