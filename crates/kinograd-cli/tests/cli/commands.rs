//! What the other commands give, as JSON and as files.

use kinograd::formats::bvh;
use kinograd::motion::synth::synth_walk;

use crate::support::{Run, command, files, kinograd, models};

#[test]
fn models_are_listed_shown_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let list = kinograd(folder.path(), &["models", "list", "--json"]).ok();
    let names: Vec<String> = list.json()["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.contains(&"motion-base".to_owned()), "{names:?}");

    let show = kinograd(folder.path(), &["models", "show", "motion-base", "--json"]).ok();
    assert_eq!(show.json()["schema"], "kinograd.model/1");
    assert!(
        show.json()["known_prompts"]
            .as_array()
            .is_some_and(|p| !p.is_empty())
    );

    let check = |model: &str| {
        let args = [
            "models",
            "check",
            "--runtime",
            "builtin",
            "--json",
            "--model",
            model,
        ];
        kinograd(folder.path(), &args).ok().json()
    };
    for model in ["motion-base", "emoji-64", "emoji-clip"] {
        let check = check(model);
        assert!(check["gradient_error"].as_f64().unwrap() < 0.02, "{check}");
    }
    // It only judges: not every engine runs its gradient.
    let check = check("motion-judge");
    assert!(check["output_rms"].as_f64().unwrap() > 0.0, "{check}");
}

#[test]
fn a_package_of_ones_own_denoiser() {
    let folder = tempfile::tempdir().unwrap();
    let denoiser = models().join("motion-base/denoiser.onnx");
    let denoiser = denoiser.to_str().unwrap();
    let add = |name: &str| {
        kinograd(
            folder.path(),
            &[
                "models", "add", denoiser, "--name", name, "--into", "packages",
            ],
        )
    };
    add("mine").ok();
    assert_eq!(files(&folder.path().join("packages")), ["mine"]);
    let args = ["models", "show", "packages/mine", "--json"];
    assert_eq!(kinograd(folder.path(), &args).ok().json()["name"], "mine");
    let again = add("mine");
    assert_eq!(again.code, Some(1));
    assert!(
        again.stderr.contains("is there already"),
        "{}",
        again.stderr
    );
    std::fs::write(folder.path().join("bad.onnx"), b"not a model").unwrap();
    let bad = kinograd(
        folder.path(),
        &[
            "models", "add", "bad.onnx", "--name", "bad", "--into", "packages",
        ],
    );
    assert_eq!(bad.code, Some(1));
    assert!(bad.stderr.contains("bad.onnx"), "{}", bad.stderr);
    assert_eq!(files(&folder.path().join("packages")), ["mine"]);
}

#[test]
fn the_gradient_of_a_model_as_one_graph_and_as_two() {
    let folder = tempfile::tempdir().unwrap();
    let model = models().join("motion-base/motion_embedding.onnx");
    let model = model.to_str().unwrap();
    let one = kinograd(folder.path(), &["grad", model, "-o", "one.onnx", "--json"]).ok();
    assert_eq!(one.json()["schema"], "kinograd.grad/2");
    // By an ONNX Runtime, where one is installed.
    let by = &one.json()["loaded_by"];
    assert!(*by == "ONNX Runtime" || by.is_null(), "{by}");
    let two = [
        "grad",
        model,
        "-o",
        "two.onnx",
        "--split",
        "--runtime",
        "none",
    ];
    let two = kinograd(folder.path(), &two).ok();
    assert!(
        two.stderr.contains("not loaded by an engine"),
        "{}",
        two.stderr
    );
    assert_eq!(
        files(folder.path()),
        ["one.onnx", "two-backward.onnx", "two-forward.onnx"]
    );
    let summary = kinograd::runtime::inspect(&folder.path().join("one.onnx")).unwrap();
    let cotangent = one.json()["cotangents"][0]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(summary.inputs.iter().any(|input| input.name == cotangent));
    let args = [
        "grad",
        model,
        "-o",
        "w.onnx",
        "--weights",
        "all",
        "--split",
        "--json",
    ];
    let sizes = ["--dim", "batch=2", "--dim", "frames=40"];
    let weights = kinograd(folder.path(), &[&args[..], &sizes[..]].concat())
        .ok()
        .json();
    assert!(
        weights["gradients"].as_array().unwrap().len() > 4,
        "{weights}"
    );
    assert!(weights["saved_bytes"].as_u64().unwrap() > 0, "{weights}");
    let wrong = kinograd(
        folder.path(),
        &["grad", model, "-o", "no.onnx", "--wrt", "nothing"],
    );
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("no input `nothing`"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn the_cache_says_its_size_keeps_to_a_limit_and_clears() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let run = |args: &[&str]| -> Run {
        let mut command = command(folder.path());
        command.env("KINOGRAD_CACHE", &cache).args(args);
        command.output().unwrap().into()
    };
    let entry = |name: &str| {
        let entry = kinograd::runtime::CacheEntry::new(&cache, "graphs", name, name).unwrap();
        entry.write(&[1; 40_000]).unwrap();
    };
    entry("a.ort");
    let held = run(&["cache", "--json"]).ok().json();
    assert_eq!(held["kinds"]["graphs"]["entries"], 1);
    assert!(held["bytes"].as_u64().unwrap() > 40_000);
    assert_eq!(held["limit_bytes"], 20_000_000_000_u64);
    entry("b.ort");
    run(&["cache", "--cache-limit", "60kB"]).ok();
    let held = run(&["cache", "--json"]).ok().json();
    assert_eq!(held["kinds"]["graphs"]["entries"], 1, "{held}");
    let cleared = run(&["cache", "clear", "--json"]).ok().json();
    assert_eq!(
        (&cleared["bytes"], &cleared["kinds"]),
        (&0.into(), &serde_json::json!({}))
    );
    assert!(cleared["freed_bytes"].as_u64().unwrap() > 40_000);
    let wrong = run(&["cache", "--cache-limit", "much"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("`much` is no size"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_data_set_of_ones_own_motion_capture() {
    let folder = tempfile::tempdir().unwrap();
    let mocap = folder.path().join("mocap");
    std::fs::create_dir(&mocap).unwrap();
    for (name, speed_mps) in [("slow", 0.8), ("walk", 1.2)] {
        let walk = synth_walk(speed_mps, 4.0, 30.0);
        let options = bvh::WriteOptions {
            unit_to_metre: 0.01,
        };
        bvh::write(&mocap.join(format!("{name}.bvh")), &walk, options).unwrap();
    }
    std::fs::write(mocap.join("broken.bvh"), "HIERARCHY\n").unwrap();
    let build = kinograd(
        folder.path(),
        &["dataset", "build", "mocap", "-o", "data", "--json"],
    )
    .ok();
    let report = build.json();
    assert_eq!(
        (&report["clips_in"], &report["clips_kept"]),
        (&3.into(), &2.into())
    );
    assert!(
        report["round_trip_max_m"].as_f64().unwrap() < 1e-3,
        "{report}"
    );
    let written = files(&folder.path().join("data"));
    for file in ["features.npy", "index.json", "mean.npy", "std.npy"] {
        assert!(written.iter().any(|name| name == file), "{written:?}");
    }
    // A second build does not overwrite the first.
    let again = kinograd(folder.path(), &["dataset", "build", "mocap", "-o", "data"]);
    assert_eq!(again.code, Some(1), "{}", again.stderr);
    let text = kinograd(folder.path(), &["eval", "data", "mocap", "-q"]).ok();
    assert!(text.stdout.contains("2 of 3 kept"), "{}", text.stdout);
}

#[test]
fn engines_and_completions() {
    let folder = tempfile::tempdir().unwrap();
    let info = kinograd(folder.path(), &["runtime", "info", "--json"]).ok();
    assert_eq!(info.json()["schema"], "kinograd.runtime-info/1");
    assert!(info.json()["built_in"]["version"].is_string());
    for shell in ["bash", "zsh", "fish"] {
        let script = kinograd(folder.path(), &["completions", shell]).ok().stdout;
        assert!(script.contains("generate"), "{shell}");
    }
}
