//! The task's JSON, and the scenes that ship.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use kinograd::Task;
use kinograd::image::PictureTask;

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets")
}

fn scenes() -> Vec<PathBuf> {
    let files = std::fs::read_dir(assets().join("scenes")).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect()
}

#[test]
fn every_scene_that_ships_is_a_task() {
    let scenes = scenes();
    assert!(scenes.len() >= 12, "{} scenes", scenes.len());
    for path in scenes {
        let task = Task::read(&path).unwrap();
        assert!(task.is_guided(), "{}", path.display());
        let again = Task::from_json(&task.to_json().unwrap()).unwrap();
        assert_eq!(again, task, "{}", path.display());
    }
}

/// A scene of schema 1 says less than a task, and what it says means the same.
#[test]
fn scenes_of_schema_1_are_brought_up() {
    for path in scenes() {
        let now = std::fs::read_to_string(&path).unwrap();
        let before = now.replacen("\"schema\": 2", "\"schema\": 1", 1);
        assert_ne!(before, now, "{}", path.display());
        assert_eq!(
            Task::from_json(&before).unwrap(),
            Task::from_json(&now).unwrap()
        );
    }
}

#[test]
fn faults_name_their_field() {
    let task = |more: &str| {
        let json = format!(
            r#"{{"schema": 2, "duration_secs": 4, "prompts": [{{"text": "walk"}}]{more}}}"#
        );
        Task::from_json(&json)
    };
    assert!(task("").is_ok());
    for (more, parts) in [
        (r#", "gaols": []"#, ["gaols", "did you mean `goals`"]),
        (
            r#", "goals": [{"kind": "root_traget", "position_m": [0, 1]}]"#,
            ["root_traget", "did you mean `root_target`"],
        ),
        (
            r#", "goals": [{"kind": "root_target", "positon_m": [0, 1]}]"#,
            ["positon_m", "did you mean `position_m`"],
        ),
        (
            r#", "goals": [{"kind": "speed", "speed_mps": 1}, {"kind": "smooth", "weight": -2}]"#,
            ["goals[1].weight", "-2"],
        ),
        (
            r#", "sampling": {"steps": 0}"#,
            ["sampling.steps", "0 is outside 1 to 1000"],
        ),
        (
            r#", "guidance": {"method": "dsp"}"#,
            ["dsp", "there are none, dps"],
        ),
        (
            r#", "guidance": {"schedule": {"resampling": {"count": 0}}}"#,
            ["guidance.schedule.resampling.count", "0"],
        ),
        (
            r#", "sampling": {"best_of": 0}"#,
            ["sampling.best_of", "0 is outside"],
        ),
        (
            r#", "sampling": {"best_of": 100, "count": 100}"#,
            ["sampling.best_of", "more than 1000 draws"],
        ),
    ] {
        let text = task(more).unwrap_err().to_string();
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    for (json, part) in [
        (
            r#"{"schema": 3, "duration_secs": 4, "prompts": []}"#,
            "schema: 3",
        ),
        (r#"{"duration_secs": 1e9, "prompts": []}"#, "duration_secs"),
        (r#"{"duration_secs": 4, "prompts": []}"#, "prompts"),
        (
            r#"{"duration_secs": 4, "prompts": [{"text": " "}]}"#,
            "prompts[0].text",
        ),
        (
            r#"{"duration_secs": 4, "prompts": [{"text": "a", "from_secs": 5}]}"#,
            "prompts[0].from_secs",
        ),
        ("[", "EOF"),
    ] {
        let text = Task::from_json(json).unwrap_err().to_string();
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_pictures_task_has_the_same_outside() {
    let task = PictureTask::from_json(
        r#"{"schema": 2, "goals": [{"kind": "text", "prompt": "a red heart"}],
            "sampling": {"seed": 3, "count": 2}, "guidance": {"method": "dps"}}"#,
    )
    .unwrap();
    assert_eq!((task.sampling.seed, task.sampling.count), (3, 2));
    assert_eq!(task.prompt(), Some("a red heart"));
    assert_eq!(task.guidance.augmentations, 10);
    let typo = r#"{"goals": [{"kind": "txet", "prompt": "a"}]}"#;
    let text = PictureTask::from_json(typo).unwrap_err().to_string();
    assert!(text.contains("did you mean `text`"), "{text}");
}
