//! Builds a data set: `build_dataset MANIFEST.csv MAPPING.json OUT`, or `build_dataset FOLDER OUT`.

use std::path::Path;

use kinograd_dataset::{BuildOptions, Silent, build, entries_in_folder, read_manifest};
use kinograd_motion::mapping::MappingFile;

#[expect(clippy::print_stdout, reason = "an example reports to its user")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (entries, mappings, out) = match arguments.as_slice() {
        [manifest, mapping, out] => (
            read_manifest(Path::new(manifest))?,
            Some(MappingFile::read(Path::new(mapping))?),
            out,
        ),
        [folder, out] => (entries_in_folder(Path::new(folder))?, None, out),
        _ => return Err("usage: build_dataset MANIFEST.csv MAPPING.json OUT | FOLDER OUT".into()),
    };
    let options = BuildOptions {
        mappings,
        ..BuildOptions::default()
    };
    let report = build(&entries, &options, Path::new(out), &Silent)?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
