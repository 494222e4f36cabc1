//! Scenes and clips to and from files.

use std::path::Path;

use kinograd::guidance::scene::Scene;
use kinograd::motion::write_atomic;

use super::Steer;
use crate::generation::words;

/// Reads a scene.
///
/// # Errors
/// In words: the file and what is wrong with it.
pub fn load_scene(path: &Path) -> Result<Scene, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Scene::parse(&text).map_err(|error| format!("{}: {}", path.display(), words(&error)))
}

/// Writes a scene, whole or not at all.
///
/// # Errors
/// In words: what of the scene cannot be, or why the file cannot be written.
pub fn save_scene(scene: &Scene, path: &Path) -> Result<(), String> {
    let json = scene.to_json().map_err(|error| words(&error))?;
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
    use crate::edit::{plain_scene, set_target};

    #[test]
    fn a_scene_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scene.json");
        let mut scene = plain_scene("a person walks", 4.0);
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
