//! C and C++ programs: the examples, which `docs/c.md` shows, by plain compilers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kinograd_testkit::skip;

use crate::support::repository;

const LIBRARY: &str = "kinograd_capi";

/// The shared library that this test's build made.
pub fn library() -> PathBuf {
    let name = format!(
        "{}{LIBRARY}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    // This program is in `deps`, where the library is, too.
    let program = std::env::current_exe().unwrap();
    let mut folders = program.ancestors().skip(1).take(2);
    let found = folders.find_map(|folder| Some(folder.join(&name)).filter(|path| path.is_file()));
    found.unwrap_or_else(|| panic!("no {name} beside {}", program.display()))
}

struct Language {
    /// Its compiler, or what the environment names in its place.
    compiler: (&'static str, &'static str),
    standard: &'static str,
    extension: &'static str,
}

const C: Language = Language {
    compiler: ("CC", "cc"),
    standard: "-std=c99",
    extension: "c",
};
const CXX: Language = Language {
    compiler: ("CXX", "c++"),
    standard: "-std=c++17",
    extension: "cpp",
};

impl Language {
    /// Compiles a program in a folder, with every warning an error; `None` without a compiler.
    fn compile(&self, source: &Path, folder: &Path) -> Option<PathBuf> {
        let (variable, usual) = self.compiler;
        let compiler = std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
        let libraries = library().parent().unwrap().to_owned();
        let program = folder.join(source.file_stem().unwrap());
        let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
        let output = Command::new(&compiler)
            .args([self.standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
            .args([Path::new("-I"), &include, source])
            .arg("-o")
            .arg(&program)
            .args([Path::new("-L"), &libraries])
            .arg(format!("-l{LIBRARY}"))
            .arg(format!("-Wl,-rpath,{}", libraries.display()))
            .output();
        let Ok(output) = output else {
            skip(usual, format!("`{compiler}` does not start"));
            return None;
        };
        assert!(output.status.success(), "{}", told(&output));
        Some(program)
    }
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}

/// Runs a program in a folder, with the models of this repository; what it printed.
#[track_caller]
fn run(program: &Path, arguments: &[&Path], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("KINOGRAD_MODELS", repository().join("models"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn example(name: &str) -> PathBuf {
    repository().join("examples/capi").join(name)
}

#[test]
fn walk_in_c() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = C.compile(&example("walk.c"), folder.path()) else {
        return;
    };
    run(&program, &[], folder.path());
    let file = fs::read(folder.path().join("walk.glb")).unwrap();
    assert!(file.starts_with(b"glTF"));
}

#[test]
fn game_loop_in_c() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = C.compile(&example("game_loop.c"), folder.path()) else {
        return;
    };
    let printed = run(&program, &[], folder.path());
    assert!(printed.contains("of 5: head at 1."), "{printed}");
    assert!(printed.contains("22 joints, 1.00 s,"), "{printed}");
}

#[test]
fn convert_in_c() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = C.compile(&example("convert.c"), folder.path()) else {
        return;
    };
    let assets = repository().join("assets");
    let (clip, character) = (
        assets.join("clips/walk_mixamo_cm.bvh"),
        assets.join("characters/small.glb"),
    );
    let printed = run(
        &program,
        &[&clip, &character, Path::new("out.glb")],
        folder.path(),
    );
    let bytes = fs::metadata(folder.path().join("out.glb")).unwrap().len();
    assert!(
        printed.ends_with(&format!("\n{bytes} bytes as GLB\n")),
        "{printed}"
    );
}

#[test]
fn walk_in_cpp() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = CXX.compile(&example("walk.cpp"), folder.path()) else {
        return;
    };
    let character = repository().join("assets/characters/small.glb");
    let printed = run(&program, &[&character], folder.path());
    assert!(printed.starts_with("FBX of "), "{printed}");
    let file = fs::read(folder.path().join("on_rig.glb")).unwrap();
    assert!(file.starts_with(b"glTF"));
}

/// The header is C99 and C++, alone and in two files of one program.
#[test]
fn the_header_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let main = "int main(void) { return kg_version() == 0; }\n";
    let texts = [
        (&C, format!("#include <kinograd.h>\n{main}")),
        (&CXX, format!("#include <kinograd.h>\n{main}")),
        (
            &CXX,
            format!("#include <kinograd.hpp>\n#include <kinograd.hpp>\n{main}"),
        ),
    ];
    for (number, (language, text)) in texts.iter().enumerate() {
        let name = format!("alone{number}.{}", language.extension);
        let source = folder.path().join(name);
        fs::write(&source, text).unwrap();
        if let Some(program) = language.compile(&source, folder.path()) {
            run(&program, &[], folder.path());
        }
    }
}

/// Programs of the guide are the examples, to the letter.
#[test]
fn the_guide_shows_the_examples() {
    let guide = fs::read_to_string(repository().join("docs/c.md")).unwrap();
    let mut shown = 0;
    for block in guide.split("<!-- file: ").skip(1) {
        let (file, rest) = block.split_once(" -->").unwrap();
        let code = rest.split("```").nth(1).unwrap();
        let code = code.split_once('\n').unwrap().1;
        let stands = fs::read_to_string(repository().join(file)).unwrap();
        assert!(code == stands, "docs/c.md does not show {file} as it is");
        shown += 1;
    }
    let blocks = guide.matches("\n```c\n").count() + guide.matches("\n```cpp\n").count();
    assert_eq!(
        (shown, blocks),
        (3, 3),
        "programs of the guide that are files"
    );
}
