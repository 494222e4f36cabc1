//! The committed C# declarations are those that the sources make, and say what the header says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use csbindgen::Builder;

use crate::support::repository;

fn committed() -> PathBuf {
    repository().join("bindings/csharp/Kinograd/Native/NativeMethods.g.cs")
}

const TITLE: &str = "// P/Invoke declarations of kinograd.h. To make them again:
//   KINOGRAD_HEADER=write cargo test -p kinograd-capi csharp";

/// The library's files, in order of their names.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Declarations that C# 7.3 and Unity take: `IntPtr`, and delegates in place of function pointers.
fn generated() -> String {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    let builder = files.iter().fold(Builder::default(), |builder, file| {
        builder.input_extern_file(file)
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.cs");
    builder
        .csharp_namespace("Kinograd.Native")
        .csharp_class_name("NativeMethods")
        .csharp_dll_name("kinograd_capi")
        // Unity for iOS links libraries into the program.
        .csharp_dll_name_if("UNITY_IOS && !UNITY_EDITOR", "__Internal")
        .csharp_use_function_pointer(false)
        .csharp_use_nint_types(false)
        .csharp_generate_const_filter(|name| name.starts_with("KG_VERSION_"))
        .always_included_types(["kg_space", "kg_job_state", "kg_log_level", "kg_foot"])
        .csharp_file_header(TITLE)
        .generate_csharp_file(&file)
        .unwrap();
    let made = fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = made.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned() + "\n"
}

#[test]
fn the_csharp_declarations_are_those_of_the_sources() {
    let made = generated();
    if std::env::var_os("KINOGRAD_HEADER").is_some_and(|value| value == "write") {
        fs::write(committed(), &made).unwrap();
    }
    let stands = fs::read_to_string(committed()).unwrap_or_default();
    let differs = made.lines().zip(stands.lines()).find(|(a, b)| a != b);
    assert!(
        made == stands,
        "NativeMethods.g.cs is not what the sources make, first at {differs:?}; \
         KINOGRAD_HEADER=write cargo test -p kinograd-capi csharp writes it"
    );
}

/// A declaration of C with the words of C#: `const kg_model *model` is `kg_model* model`.
fn in_csharp(declaration: &str) -> String {
    let stars = declaration.replace('*', " * ");
    let mut text = String::new();
    for word in stars
        .split_whitespace()
        .flat_map(|word| word.split_inclusive(['(', ',']))
    {
        let csharp = match word {
            "const" => continue,
            "uint8_t" | "char" => "byte",
            "uint32_t" => "uint",
            "int32_t" => "int",
            "uint64_t" => "ulong",
            word => word,
        };
        if csharp != "*" && !text.is_empty() && !text.ends_with('(') {
            text.push(' ');
        }
        text.push_str(csharp);
    }
    text
}

/// The types of a function and of its parameters, in order: the last word of each is its name.
fn signature(declaration: &str, name: &str) -> Vec<String> {
    let (before, after) = declaration.split_once(&format!("{name}(")).unwrap();
    let parameters = after.trim_end_matches(';').trim_end_matches(')');
    let parameters = parameters
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty() && *one != "void")
        .map(|one| one.rsplit_once(' ').unwrap().0.to_owned());
    std::iter::once(before.trim().to_owned())
        .chain(parameters)
        .collect()
}

/// Statements that end in `);`, without their comments, by the function's name.
fn functions(text: &str, translate: fn(&str) -> String) -> BTreeMap<String, Vec<String>> {
    let code: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//") && !line.starts_with('#') && !line.starts_with('['))
        .collect();
    let code = code.join(" ");
    let mut found = BTreeMap::new();
    for statement in code.split_inclusive(';') {
        let start = statement.rfind(['}', '{']).map_or(0, |at| at + 1);
        let statement = translate(statement[start..].trim());
        let head = statement.split('(').next().unwrap_or_default();
        let name = head
            .rsplit([' ', '*'])
            .next()
            .unwrap_or_default()
            .to_owned();
        let is_function = statement.ends_with(");") && !statement.contains("delegate void ");
        if is_function && name.starts_with("kg_") {
            let signature = signature(&statement, &name);
            assert!(found.insert(name, signature).is_none(), "{statement}");
        }
    }
    found
}

/// Every function of the header is declared in C#, with the same types in the same order.
#[test]
fn the_csharp_declarations_are_those_of_the_header() {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/kinograd.h");
    let mut header = functions(&fs::read_to_string(header).unwrap(), in_csharp);
    // A pointer to a function has a type of its own in C#.
    let log = header.get_mut("kg_log_set_callback").unwrap();
    assert_eq!(log[2], "kg_log_callback");
    log[2] = "kg_log_set_callback_callback_delegate".to_owned();
    let csharp = functions(&fs::read_to_string(committed()).unwrap(), |text| {
        text.replace("internal static extern ", "")
    });
    assert!(header.len() > 50, "{header:?}");
    assert_eq!(csharp, header);
}
