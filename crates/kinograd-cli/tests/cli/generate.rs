//! `generate` end to end on the repository's model and the built-in engine.

use std::path::Path;

use serde_json::Value;

use crate::support::{Run, command, files, kinograd, models, package_with};

/// A short guided clip: few steps of a short clip, since only the path is tested.
const SHORT: [&str; 14] = [
    "generate",
    "a person walks forward",
    "--seconds",
    "1",
    "--steps",
    "2",
    "--target",
    "-0.5,0.8",
    "--obstacle",
    "-0.3,0.4,0.1",
    "--runtime",
    "builtin",
    "--json",
    "-q",
];

fn short(folder: &Path, more: &[&str]) -> Run {
    let mut args = SHORT.to_vec();
    args.extend(more);
    kinograd(folder, &args)
}

#[test]
fn every_format_and_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let run = short(
        folder.path(),
        &[
            "-o", "a.glb", "-o", "a.bvh", "-o", "a.npz", "-o", "a.png", "-o", "a.json",
        ],
    )
    .ok();
    assert_eq!(
        files(folder.path()),
        ["a.bvh", "a.bvh.json", "a.glb", "a.json", "a.npz", "a.png"]
    );
    assert_eq!(run.stderr, "");
    let report = run.json();
    let saved: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("a.json")).unwrap()).unwrap();
    assert_eq!(saved["clips"], report["clips"]);
    assert_eq!(report["schema"], "kinograd.generate/1");
    assert_eq!(report["seed"], 0);
    assert_eq!(report["steps"], 2);
    assert_eq!(report["provider"], "cpu");
    assert_eq!(report["outputs"].as_array().map(Vec::len), Some(4));
    for key in [
        "target_error_m",
        "max_penetration_m",
        "text_score",
        "foot_skate_ratio",
        "seconds",
    ] {
        assert!(report[key].is_f64(), "{key}: {}", report[key]);
    }
    // The GLB, read back, holds the motion that the report measured.
    let clip = kinograd::Clip::load(
        &folder.path().join("a.glb"),
        &kinograd::LoadOptions::default(),
    )
    .unwrap();
    assert_eq!((clip.motion.len(), clip.motion.fps), (20, 20.0));
    let end = clip.motion.root_in_world_m[19];
    let error = (end.x + 0.5).hypot(end.z - 0.8);
    let reported = report["target_error_m"].as_f64().unwrap();
    assert!((error - reported).abs() < 1e-3, "{error} {reported}");
    assert_eq!(clip.provenance.seed, Some(0));
    assert!(clip.provenance.model_hashes.contains_key("denoiser"));
    let command = report["command"].as_str().unwrap();
    assert!(command.contains("--target '-0.5,0.8'"), "{command}");
    // Every format's record makes the same bytes again, on its own.
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    for (from, again) in [
        ("a.glb", "b.glb"),
        ("a.npz", "b.npz"),
        ("a.bvh", "b.bvh"),
        ("a.png", "b.png"),
    ] {
        let engine = ["--runtime", "builtin", "-q"];
        let args = [&["generate", "--from", from, "-o", again], &engine[..]].concat();
        kinograd(folder.path(), &args).ok();
        assert!(read(from) == read(again), "{again} is not {from}");
    }
}

/// What one clip of several scores, as `--best-of` counts it: text less skate, speed and misses.
fn score(clip: &Value) -> f64 {
    let number = |key: &str| clip[key].as_f64().unwrap();
    let goals = clip["goals"].as_array().unwrap();
    let missed = goals.iter().filter(|g| g["missed"].as_bool().unwrap());
    number("text_score")
        - number("foot_skate_ratio")
        - f64::from(clip["implausibly_fast"].as_bool().unwrap())
        - missed.count() as f64
}

#[test]
fn the_best_of_several_draws_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let all = short(folder.path(), &["--n", "4"]).ok().json();
    let clips = all["clips"].as_array().unwrap();
    let best = short(
        folder.path(),
        &["--n", "2", "--best-of", "2", "-o", "best.glb"],
    );
    let best = best.ok().json();
    for (pair, chosen) in clips.chunks(2).zip(best["clips"].as_array().unwrap()) {
        let expected = if score(&pair[1]) > score(&pair[0]) {
            &pair[1]
        } else {
            &pair[0]
        };
        assert_eq!(chosen["seed"], expected["seed"]);
        assert_eq!(chosen["text_score"], expected["text_score"]);
    }
    // A record makes the clip that was chosen again, beside the same neighbours.
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let args = ["generate", "--from", "best-01.glb", "-o", "again.glb"];
    kinograd(
        folder.path(),
        &[&args[..], &["--runtime", "builtin", "-q"]].concat(),
    )
    .ok();
    assert!(read("best-01.glb") == read("again.glb"));
}

#[test]
fn noise_is_optimised_through_the_whole_run() {
    let folder = tempfile::tempdir().unwrap();
    let error = |method: &str, more: &[&str]| {
        let args = [&["--method", method, "--no-foot-lock"], more].concat();
        let run = short(folder.path(), &args).ok().json();
        run["target_error_m"].as_f64().unwrap()
    };
    let (free, steered) = (error("none", &[]), error("dno", &["--iterations", "40"]));
    assert!(steered < 0.5 * free, "{steered} m, {free} m unsteered");
}

#[test]
fn text_guidance_brings_the_clip_nearer_to_its_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let score = |weight: &str| {
        let more = ["--steps", "6", "--text-guidance", weight, "-o", "a.npz"];
        let mut args = SHORT.to_vec();
        args.drain(4..6);
        args.extend(more);
        let run = kinograd(folder.path(), &args).ok().json();
        run["text_score"].as_f64().unwrap()
    };
    assert!(score("1") > score("0") + 0.05);
}

#[test]
fn what_is_done_later_is_another_clip_after_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, more: &[&str]| {
        let args = [
            "generate",
            "a person walks forward",
            "--seconds",
            "3",
            "--steps",
            "6",
            "--method",
            "none",
            "--runtime",
            "builtin",
            "-q",
            "--json",
            "-o",
            name,
        ];
        let report = kinograd(folder.path(), &[&args[..], more].concat())
            .ok()
            .json();
        let clip =
            kinograd::Clip::load(&folder.path().join(name), &kinograd::LoadOptions::default());
        let root = |second: f64| {
            let joints = clip.as_ref().unwrap().motion.joints_in_world_m();
            let at = joints[(second * 20.0) as usize - 1][0];
            [at.x, at.z]
        };
        let way = |from: f64, to: f64| {
            let ([x0, z0], [x1, z1]) = (root(from), root(to));
            (x1 - x0).hypot(z1 - z0) / (to - from)
        };
        (report, way(0.05, 1.0), way(2.0, 3.0))
    };
    let (_, _, walks_on) = make("walk.npz", &[]);
    let (report, walks, stands) = make("stop.npz", &["--then", "a person stands still@1.5"]);
    assert_eq!(
        report["prompt"],
        "a person walks forward, then a person stands still"
    );
    assert!(
        walks > 0.4 && walks_on > 0.4 && stands < 0.15,
        "{walks} {walks_on} {stands} m/s"
    );

    let run = short(folder.path(), &["--then", "a person stands@9"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("--then: 9 must come after 0"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_scene_states_prompt_length_and_goals() {
    let folder = tempfile::tempdir().unwrap();
    let scene = r#"{"schema": 1, "name": "under a beam", "duration_secs": 1.5,
        "prompts": [{"text": "a person walks forward"}],
        "goals": [{"kind": "root_target", "position_m": [0.2, 1.2]},
                  {"kind": "joint_target", "joint": "left_wrist", "position_m": [0.4, 1.3, null],
                   "relative_to": "body", "time_secs": 1}],
        "obstacles": [{"shape": {"kind": "sphere", "center_m": [0, 1.6, 0.6], "radius_m": 0.2},
                       "joints": ["head"]}]}"#;
    std::fs::write(folder.path().join("beam.json"), scene).unwrap();
    let args = [
        "generate",
        "--scene",
        "beam.json",
        "--steps",
        "3",
        "--runtime",
        "builtin",
        "-o",
        "a.glb",
        "--json",
        "-q",
    ];
    let report = kinograd(folder.path(), &args).ok().json();
    assert_eq!(report["prompt"], "a person walks forward");
    assert_eq!(report["task"]["name"], "under a beam");
    assert!(report["target_error_m"].as_f64().unwrap() < 0.05);
    let command = report["command"].as_str().unwrap();
    assert!(command.contains("--scene beam.json"), "{command}");
    let goals = report["clips"][0]["goals"].as_array().unwrap();
    let off = |index: usize| goals[index]["off"].as_f64().unwrap();
    assert!(off(0) < 0.05 && off(2) < 0.05, "{goals:?}");
    assert_eq!(goals[1]["what"], "left_wrist at its target");
    let unguided = [&args[..], &["--method", "none"]].concat();
    let unguided = kinograd(folder.path(), &unguided).ok().json();
    let wrist = unguided["clips"][0]["goals"][1]["off"].as_f64().unwrap();
    assert!(off(1) < 0.5 * wrist, "{wrist} {goals:?}");
    let glb = std::fs::read(folder.path().join("a.glb")).unwrap();
    let text = String::from_utf8_lossy(&glb);
    assert!(text.contains("under a beam"), "the record holds the task");

    std::fs::write(
        folder.path().join("beam.json"),
        scene.replace("radius_m", "radious_m"),
    )
    .unwrap();
    let run = kinograd(folder.path(), &args);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stderr.contains("beam.json") && run.stderr.contains("radius_m"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    short(folder.path(), &["-o", "a.glb", "-o", "a.npz"]).ok();
    short(folder.path(), &["-o", "b.glb", "-o", "b.npz"]).ok();
    short(folder.path(), &["--seed", "1", "-o", "c.glb"]).ok();
    assert_eq!(read("a.glb"), read("b.glb"));
    assert_eq!(read("a.npz"), read("b.npz"));
    assert_ne!(read("a.glb"), read("c.glb"));
}

#[test]
fn a_prompt_that_the_model_does_not_know_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let warn = |prompt: &str| {
        let args = [
            "generate",
            prompt,
            "--seconds",
            "1",
            "--steps",
            "1",
            "--runtime",
            "builtin",
        ];
        kinograd(folder.path(), &args).ok().stderr
    };
    assert!(!warn("A person walks forward").contains("knows nothing close"));
    let stderr = warn("qwertz uiopü asdfgh");
    assert!(
        stderr.contains("the model knows nothing close to"),
        "{stderr}"
    );
    assert!(stderr.matches("\n  ").count() >= 3, "{stderr}");
    // What the training has nothing of.
    for prompt in ["a person rides a bicycle", "a person juggles"] {
        let stderr = warn(prompt);
        assert!(stderr.contains("knows nothing close to"), "{stderr}");
    }
}

#[test]
fn words_that_the_model_was_not_trained_on_are_named_once_a_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let run = |prompt: &str, more: &[&str]| {
        let args = [
            "generate",
            prompt,
            "--steps",
            "1",
            "--runtime",
            "builtin",
            "--json",
        ];
        let args = [&args[..], more].concat();
        kinograd(folder.path(), &args).ok()
    };
    let made = run(
        "A person does a Moonwalk!",
        &[
            "--then",
            "a person does not kick@1",
            "--then",
            "a person does a moonwalk@2",
            "--then",
            "a person kicks seven times@3",
            "-o",
            "a.glb",
        ],
    );
    let warnings = made.json()["warnings"].clone();
    let of = |part: &str| -> Vec<&str> {
        let all = warnings.as_array().unwrap().iter();
        let all = all.map(|warning| warning.as_str().unwrap());
        all.filter(|warning| warning.contains(part)).collect()
    };
    assert_eq!(
        of("not trained"),
        ["the model was not trained on the word \"moonwalk\" of \"A person does a Moonwalk\""]
    );
    assert_eq!(of("does not understand \"not\"").len(), 1, "{warnings}");
    let [count] = of("does not count")[..] else {
        panic!("{warnings}");
    };
    assert!(
        count.contains("\"seven times\" of") && count.contains("; it knows "),
        "{count}"
    );
    let (stderr, first) = (
        &made.stderr,
        "warning: the model was not trained on the word",
    );
    assert!(stderr.contains(first), "{stderr}");
    let clip = kinograd::Clip::load(&folder.path().join("a.glb"), &Default::default()).unwrap();
    assert_eq!(clip.provenance.extra["warnings"], warnings);
    // Nothing to say of what it knows, of a package that does not say its words, and of a prompt that it
    // is not told.
    let plain = run("Someone walked forwards.", &["--seconds", "1"]);
    let plain = plain.json()["warnings"].to_string();
    assert!(!plain.contains("the model "), "{plain}");
    let (own, silent) = (models().join("motion-base"), folder.path().join("silent"));
    package_with(&own, &silent, |manifest| {
        manifest.as_object_mut().unwrap().remove("text").unwrap();
    });
    let unheard = ["--seconds", "1", "--model", "./silent"];
    let unheard = run("a person does a moonwalk", &unheard).json()["warnings"].clone();
    assert!(!unheard.to_string().contains("not trained"), "{unheard}");
    let untold = ["--seconds", "1", "--cfg", "0"];
    let untold = run("qwertz does not kick", &untold).json()["warnings"].clone();
    assert!(!untold.to_string().contains("qwertz"), "{untold}");
}

#[test]
fn a_packages_defaults_hold_unless_something_else_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (own, few) = (models().join("motion-base"), folder.path().join("few"));
    package_with(&own, &few, |manifest| {
        manifest["defaults"] = serde_json::json!({"steps": 3, "sampler": "dpmpp-2m", "cfg": 1.25});
    });
    let engine = ["--runtime", "builtin", "-q", "--json"];
    let made = |args: &[&str]| {
        let run = kinograd(folder.path(), &[&["generate"], args, &engine[..]].concat());
        let report = run.ok().json();
        let said = ["steps", "sampler", "cfg"].map(|key| report[key].to_string());
        let recorded = &report["task"]["sampling"];
        assert_eq!(
            ["steps", "sampler", "cfg"].map(|key| recorded[key].to_string()),
            said
        );
        said.join(" ").replace('"', "")
    };
    let walk = ["a person walks", "--seconds", "1", "--model", "./few"];
    let made_of = |more: &[&str]| made(&[&walk[..], more].concat());
    assert_eq!(made_of(&["-o", "own.glb"]), "3 dpmpp-2m 1.25");
    assert_eq!(
        made_of(&[
            "--steps",
            "3",
            "--sampler",
            "dpmpp-2m",
            "--cfg",
            "1.25",
            "-o",
            "said.npz"
        ]),
        "3 dpmpp-2m 1.25"
    );
    let load =
        |name: &str| kinograd::Clip::load(&folder.path().join(name), &Default::default()).unwrap();
    assert_eq!(load("own.glb").motion.len(), load("said.npz").motion.len());
    assert_eq!(
        load("own.glb").provenance.task,
        load("said.npz").provenance.task
    );
    let options = ["--steps", "2", "--sampler", "ddim", "--cfg", "3"];
    assert_eq!(made_of(&options), "2 ddim 3.0");
    assert_eq!(made_of(&["--method", "dsg"]), "3 ddpm 1.25");
    let task = r#"{"duration_secs": 1, "prompts": [{"text": "a person walks"}], "model": "./few",
        "sampling": {"seed": 4, "steps": 2}}"#;
    std::fs::write(folder.path().join("task.json"), task).unwrap();
    assert_eq!(made(&["--task", "task.json"]), "2 dpmpp-2m 1.25");
    // What was used is in the record, whatever the package says later.
    std::fs::remove_dir_all(&few).unwrap();
    package_with(&own, &few, |manifest| {
        manifest["defaults"] = serde_json::json!({"steps": 5, "cfg": 2.0});
    });
    assert_eq!(
        made(&["--from", "own.glb", "-o", "again.glb"]),
        "3 dpmpp-2m 1.25"
    );
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert!(read("own.glb") == read("again.glb"));
    // A sampler that was a method's own does not go over to another method.
    assert_eq!(made_of(&["-o", "ddim.glb"]), "5 ddim 2.0");
    assert_eq!(
        made(&["--from", "ddim.glb", "--method", "dsg"]),
        "5 ddpm 2.0"
    );
    // Of motion-base nothing changes.
    let own = ["a person walks", "--seconds", "1"];
    assert_eq!(made(&own), "20 ddim 2.0");
}

#[test]
fn several_clips_are_numbered_and_differ() {
    let folder = tempfile::tempdir().unwrap();
    let run = short(folder.path(), &["--n", "2", "-o", "walk.bvh"]).ok();
    assert_eq!(
        files(folder.path()),
        [
            "walk-00.bvh",
            "walk-00.bvh.json",
            "walk-01.bvh",
            "walk-01.bvh.json"
        ]
    );
    let report = run.json();
    let clips = report["clips"].as_array().unwrap();
    assert_eq!(clips.len(), 2);
    assert_eq!(clips[1]["seed"], 1);
    assert_ne!(clips[0]["text_score"], clips[1]["text_score"]);
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_ne!(read("walk-00.bvh"), read("walk-01.bvh"));
}

#[test]
fn a_corrupt_model_file_is_refused_by_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("broken");
    std::fs::create_dir(&package).unwrap();
    for entry in std::fs::read_dir(crate::support::models().join("motion-base")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, package.join(path.file_name().unwrap())).unwrap();
        }
    }
    let denoiser = package.join("denoiser.onnx");
    let mut bytes = std::fs::read(&denoiser).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&denoiser, bytes).unwrap();
    let args = ["--model", "./broken", "-o", "walk.glb"];
    let run = short(folder.path(), &args);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("denoiser.onnx"), "{}", run.stderr);
    std::fs::remove_file(&denoiser).unwrap();
    let run = short(folder.path(), &args);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("denoiser.onnx"), "{}", run.stderr);
    assert!(!folder.path().join("walk.glb").exists());
}

/// Ctrl-C in the middle: the run ends at its next step, says so and leaves nothing behind.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_behind() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path())
        .args(["generate", "a person walks forward", "--seconds", "10"])
        .args(["--steps", "1000", "--runtime", "builtin", "-o", "walk.glb"])
        .args(["-vv"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // The library says when it begins to sample.
    let began = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|l| l.contains("sampling"));
    assert!(began, "the run ended before it began to sample");
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1), "{rest:?}");
    assert!(
        rest.iter().any(|line| line.contains("error: interrupted")),
        "{rest:?}"
    );
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[test]
fn steering_options_change_the_clip_and_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str, more: &[&str]| {
        let method = ["--method", "polyak-capped", "-o", name];
        let run = short(folder.path(), &[&method[..], more].concat()).ok();
        let clip = kinograd::Clip::load(&folder.path().join(name), &Default::default()).unwrap();
        let task = clip.task().unwrap();
        (run.json(), task.guidance.schedule, clip.motion)
    };
    let (_, schedule, plain) = made("plain.npz", &[]);
    assert!(schedule.is_default(), "{schedule:?}");
    for (index, option) in [
        ["--time-travel", "2@0..600"],
        ["--interval", "0..600"],
        ["--schedule", "signal"],
        ["--max-move", "0.01"],
    ]
    .iter()
    .enumerate()
    {
        let (_, schedule, motion) = made(&format!("{index}.npz"), option);
        assert!(!schedule.is_default(), "{option:?}");
        assert_ne!(motion, plain, "{option:?}");
    }
    for (option, part) in [
        (["--time-travel", "0"], "time-travel: 0 is outside"),
        (["--interval", "600..1"], "interval: 600..1 must be"),
        (["--max-move", "-1"], "max-move: -1 must be"),
    ] {
        let run = short(folder.path(), &option);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}
