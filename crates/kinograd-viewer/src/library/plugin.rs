//! Opening files, and the places of clips.

use std::io::Read;
use std::path::{Path, PathBuf};

use bevy::prelude::*;
use bevy::tasks::futures::check_ready;
use bevy::tasks::{IoTaskPool, Task};
use bevy::window::FileDragAndDrop;

use kinograd_bevy::{Failure, Joints, Mannequin, MotionClip, MotionPlayer, words};
use kinograd_eval::bench::GuidanceReport;

use super::messages::{OpenFile, OpenedBench};
use super::slot::{ComparisonSlot, shelve};
use crate::camera::FrameAll;
use crate::lanes::lanes;
use crate::scene::Stage;
use crate::steer::{Steer, Steered, load_scene};

/// Opens files and keeps clips in their places.
#[derive(Debug, Default)]
pub struct LibraryPlugin;

impl Plugin for LibraryPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Library>()
            .add_message::<OpenFile>()
            .add_message::<Failure>()
            .add_message::<OpenedBench>()
            .add_systems(
                Update,
                (read_drops, begin_opening, end_opening, place).chain(),
            );
    }
}

/// The clips' layout and the files that were open.
#[derive(Resource, Default)]
pub struct Library {
    /// Whether clips stand in one place, the later ones as ghosts.
    pub overlays: bool,
    /// Clips, scenes and benchmarks opened in this window, the latest first.
    pub recent: Vec<PathBuf>,
    opening: Vec<Task<Opened>>,
}

impl Library {
    /// Whether files are being read.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        !self.opening.is_empty()
    }

    /// Puts a file at the head of the recent ones.
    fn remember(&mut self, path: &Path) {
        self.recent.retain(|known| known != path);
        self.recent.insert(0, path.to_owned());
        self.recent.truncate(RECENT);
    }
}

type Opened = Result<(PathBuf, Content), String>;

/// What a file held.
enum Content {
    Clip(Box<MotionClip>),
    Bench(Box<GuidanceReport>),
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
        if !is_scene || is_bench(path) {
            let path = path.clone();
            let task = IoTaskPool::get().spawn(async move { open(&path) });
            library.opening.push(task);
            continue;
        }
        match (load_scene(path), &mut steer) {
            (Ok(scene), Some(steer)) => {
                library.remember(path);
                steer.take(scene);
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
    let content = if is_bench(path) {
        GuidanceReport::read(path).map(|report| Content::Bench(Box::new(report)))
    } else {
        MotionClip::load(path).map(|clip| Content::Clip(Box::new(clip)))
    };
    let content = content.map_err(|error| words(&error))?;
    Ok((path.to_owned(), content))
}

/// Whether a file begins as a saved benchmark does.
#[must_use]
pub fn is_bench(path: &Path) -> bool {
    let mut start = [0; 200];
    let file = kinograd_files::open(path).map_err(kinograd_files::FileError::into_io);
    let read = file.and_then(|mut file| file.read(&mut start));
    let text = read.map(|count| String::from_utf8_lossy(&start[..count]).into_owned());
    text.is_ok_and(|text| text.contains("\"kinograd.bench-guidance/"))
}

#[expect(clippy::too_many_arguments, reason = "a system asks for what it uses")]
fn end_opening(
    mut commands: Commands,
    mut library: ResMut<Library>,
    mut clips: ResMut<Assets<MotionClip>>,
    mut failures: MessageWriter<Failure>,
    mut frame: MessageWriter<FrameAll>,
    steer: Option<ResMut<Steer>>,
    shelved: Query<(), With<ComparisonSlot>>,
    mut benches: MessageWriter<OpenedBench>,
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
            Ok((path, Content::Bench(report))) => {
                library.remember(&path);
                benches.write(OpenedBench(path, report));
            }
            Ok((path, Content::Clip(clip))) => {
                if let (Some(steer), Some(scene)) = (&mut steer, &clip.scene)
                    && steer.made.is_none()
                    && !steer.is_busy()
                {
                    steer.scene = scene.clone();
                }
                library.remember(&path);
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

/// A character of the list, or the steered one.
type Shown<'a> = (
    Entity,
    &'a MotionPlayer,
    &'a mut Transform,
    &'a mut Mannequin,
    Option<&'a Joints>,
    Option<&'a ComparisonSlot>,
);

/// Lanes beside each other, or one place for all.
fn place(
    mut commands: Commands,
    library: Res<Library>,
    clips: Res<Assets<MotionClip>>,
    mut stage: ResMut<Stage>,
    mut people: Query<Shown, Or<(With<ComparisonSlot>, With<Steered>)>>,
) {
    // The steered character stands first.
    let mut order: Vec<(usize, Entity, AssetId<MotionClip>)> = people
        .iter()
        .map(|(entity, player, .., shelved)| {
            (shelved.map_or(0, |one| one.index), entity, player.clip.id())
        })
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
    let mut names = Vec::new();
    for (rank, (&(_, entity, _), &at)) in order.iter().zip(&places).enumerate() {
        let Ok((_, _, mut transform, mut body, joints, shelved)) = people.get_mut(entity) else {
            continue;
        };
        if beside {
            names.push(shelved.map_or(String::new(), |shelved| shelved.name.clone()));
        }
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
    if stage.lanes_m != lanes_m || stage.names != names {
        stage.lanes_m = lanes_m;
        stage.names = names;
    }
}
