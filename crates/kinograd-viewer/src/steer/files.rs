//! Tasks and clips to and from files.

use std::path::Path;

use kinograd::motion::write_atomic;
use kinograd::{Task, TaskSpec};
use kinograd_bevy::words;

use super::state::Steer;

/// Reads a task.
///
/// # Errors
/// In words: the file and what is wrong with it.
pub fn load_scene(path: &Path) -> Result<TaskSpec, String> {
    let task = Task::read(path).map_err(|error| words(&error))?;
    Ok(task.into_spec())
}

/// Writes a task, whole or not at all.
///
/// # Errors
/// In words: what of the task cannot be, or why the file cannot be written.
pub fn save_scene(task: &TaskSpec, path: &Path) -> Result<(), String> {
    let task = task.clone().check().map_err(|error| words(&error))?;
    let json = task.to_json().map_err(|error| words(&error))?;
    write_atomic(path, |file| {
        std::io::Write::write_all(file, json.as_bytes())?;
        std::io::Write::write_all(file, b"\n")
    })
    .map_err(|error| words(&error))
}

/// Writes the clip that was made last, in the format of the path's extension.
///
/// # Errors
/// In words: that there is none yet, or why the file cannot be written.
pub fn save_clip(steer: &Steer, path: &Path) -> Result<(), String> {
    let made = steer.made.as_ref();
    let made = made.ok_or_else(|| "no clip was made yet".to_owned())?;
    made.clip.save(path).map_err(|error| words(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_bevy::edit::set_target;

    #[test]
    fn a_scene_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scene.json");
        let mut scene = TaskSpec::new("a person walks", 4.0);
        set_target(&mut scene, bevy::math::Vec2::new(1.25, 3.5));
        save_scene(&scene, &path).unwrap();
        assert_eq!(load_scene(&path).unwrap(), scene);
        std::fs::write(&path, "{").unwrap();
        assert!(load_scene(&path).unwrap_err().contains("scene.json"));
        assert!(
            save_clip(&Steer::default(), &path)
                .unwrap_err()
                .contains("no clip")
        );
    }
}
