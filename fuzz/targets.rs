// What the fuzzer and the ordinary tests run on arbitrary bytes: no input may make it panic, hang or
// take far more memory than its budget. Networks have targets of their own: crates/onnx-grad/fuzz.

use std::path::Path;

use kinograd::image::ReadPicture;
use kinograd::{Clip, LoadOptions, Task, read_record};

/// Reads the bytes as a file with this ending.
fn as_file(data: &[u8], ending: &str, read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(format!("input.{ending}"));
    std::fs::write(&path, data).expect("written");
    read(&path);
}

fn clip(data: &[u8], ending: &str) {
    as_file(data, ending, |path| {
        for retarget in [false, true] {
            let options = LoadOptions {
                retarget,
                ..LoadOptions::default()
            };
            if let Ok(clip) = Clip::load(path, &options) {
                // What was read is written and read again.
                let again = path.with_file_name("again.glb");
                if clip.save(&again).is_ok() {
                    let _ = Clip::load(&again, &LoadOptions::default());
                }
            }
        }
        let _ = read_record(path);
    });
}

/// Reads a BVH.
pub fn bvh(data: &[u8]) {
    clip(data, "bvh");
}

/// Reads a GLB.
pub fn glb(data: &[u8]) {
    clip(data, "glb");
}

/// Reads an FBX.
pub fn fbx(data: &[u8]) {
    clip(data, "fbx");
}

/// Reads an NPZ.
pub fn npz(data: &[u8]) {
    clip(data, "npz");
}

/// Reads a task or a scene.
pub fn task(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(task) = Task::from_json(text)
    {
        let _ = (task.warnings(), task.frames());
        let json = serde_json::to_string(&*task).expect("a task is JSON");
        Task::from_json(&json).expect("what was checked passes again");
    }
}

/// Reads a `model.json`.
pub fn manifest(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("model.json"), data).expect("written");
    if let Ok(package) = kinograd::runtime::Package::open(folder.path()) {
        let _ = (package.check(), package.constants(), package.reference());
    }
}

/// Reads a PNG as a picture and for its record.
pub fn png(data: &[u8]) {
    as_file(data, "png", |path| {
        let _ = (ReadPicture::open(path), read_record(path));
    });
}

/// Reads a record as JSON.
pub fn record(data: &[u8]) {
    as_file(data, "json", |path| drop(read_record(path)));
}

/// Reads a `tokenizer.json`.
pub fn tokenizer(data: &[u8]) {
    kinograd::runtime::fuzzing::tokenizer(data);
}

/// Reads a page of a package index.
pub fn page(data: &[u8]) {
    kinograd::runtime::fuzzing::index_page(data);
}

/// Reads an array and an archive of arrays.
pub fn arrays(data: &[u8]) {
    let _ = kinograd_files::check_npy(data);
    let _ = kinograd_files::unzip(data, &kinograd_files::Budget::default());
}
