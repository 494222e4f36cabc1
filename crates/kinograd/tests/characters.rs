//! Clips on characters, with the real model on the built-in engine.

use std::path::{Path, PathBuf};

use kinograd::motion::rig::RigOptions;
use kinograd::runtime::{EngineChoice, EngineOptions};
use kinograd::{MotionGenerator, RigSettings, Task, TaskBuilder, open_character};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn walk() -> TaskBuilder {
    Task::builder("a person walks forward")
        .duration(3.0)
        .steps(3)
        .seed(5)
        .target(0.3, 2.0)
        .obstacle(0.0, 1.0, 0.2)
}

/// A place is in the character's world, whether the task names its file or the caller has it in memory.
#[test]
fn goals_are_in_the_world_of_a_character_in_memory_too() {
    let options = EngineOptions {
        engine: EngineChoice::BuiltIn,
        ..EngineOptions::default()
    };
    let models = root().join("models/motion-base");
    let mut generator = MotionGenerator::open(&models.to_string_lossy(), &options).unwrap();
    let file = root().join("assets/characters/small.glb");
    let character = open_character(&file, None).unwrap();
    assert!(character.rig().scale() < 0.9, "a smaller body than ours");

    let named = walk().rig(RigSettings::new(file)).build().unwrap();
    let by_file = generator.generate(&named, &mut ()).unwrap();
    let in_memory = generator
        .generate_on(
            &walk().build().unwrap(),
            &character,
            &RigOptions::default(),
            &mut (),
        )
        .unwrap();

    for clips in [&by_file, &in_memory] {
        let frames = clips[0].motion.joints_in_world_m();
        // Joint 0 is the file's root bone, which stays.
        let hips = frames.last().unwrap()[1];
        let (x, z) = (hips.x, hips.z);
        assert!((x - 0.3).hypot(z - 2.0) < 0.02, "{x} {z}");
    }
    assert_eq!(
        by_file[0].motion.joints_in_world_m(),
        in_memory[0].motion.joints_in_world_m()
    );
}
