//! `kinograd convert`.

use std::path::Path;

use kinograd::motion::export::{Export, RootMotion};
use kinograd::{Clip, FileFormat, LoadOptions, Reading, SaveOptions, check_output};
use serde_json::json;

use super::rig::{judge, report_of};
use crate::args::ConvertArgs;
use crate::printer::Printer;

/// Converts a clip from one format to another.
pub fn run(args: &ConvertArgs, printer: &Printer) -> anyhow::Result<()> {
    let format = check_output(&args.output)?;
    let options = LoadOptions {
        retarget: args.retarget || args.rig.rig.is_some() || format == FileFormat::Png,
        fps: args.fps,
        ..args.reading.options()?
    };
    let mut clip = Clip::load(&args.input, &options)?;
    warn(&clip, &args.input, printer);
    if let Some(rig) = args.rig.settings() {
        clip = clip.on_character(&rig.open()?, &rig.options())?;
        judge(std::slice::from_ref(&clip), args.rig.strict, printer)?;
    }
    let export = args.writing.export();
    clip.save_with(
        &args.output,
        &SaveOptions {
            unit_to_metre: args.output_unit,
            export,
        },
    )?;
    let motion = &clip.motion;
    let duration_secs = motion.len() as f64 / motion.fps;
    let mut text = format!(
        "{}: {} joints, {} frames, {:.2} s at {:.4} fps",
        args.output.display(),
        motion.skeleton.len(),
        motion.len(),
        duration_secs,
        motion.fps
    );
    text.push_str(&form_in_words(&export));
    if let Some(reading) = &clip.reading {
        text.push('\n');
        text.push_str(&in_words(reading));
    }
    let mut document = json!({
        "schema": "kinograd.convert/1",
        "input": args.input.to_string_lossy(),
        "outputs": [args.output.to_string_lossy()],
        "joints": motion.skeleton.len(),
        "frames": motion.len(),
        "fps": motion.fps,
        "clip_seconds": duration_secs,
        "reading": clip.reading,
        "rig": report_of(&clip)?,
    });
    if export != Export::default() {
        document["export"] = json!(export);
    }
    printer.document(&document, &text)?;
    Ok(())
}

/// Prints what was noticed while a clip was read.
pub fn warn(clip: &Clip, path: &Path, printer: &Printer) {
    for warning in clip.reading.iter().flat_map(|reading| &reading.warnings) {
        printer.warning(format!("{}: {warning}", path.display()));
    }
}

/// What was done to the clip before it was written; nothing where nothing was.
fn form_in_words(export: &Export) -> String {
    let mut words = String::new();
    if export.root_motion != RootMotion::Keep {
        words.push_str(&format!(", root motion {}", export.root_motion.name()));
    }
    if let Some(names) = export.names {
        words.push_str(&format!(", names {}", names.name()));
    }
    if let Some(pose) = export.rest_pose {
        words.push_str(&format!(", rest pose {}", pose.name()));
    }
    words
}

/// What was chosen, in a line.
fn in_words(reading: &Reading) -> String {
    let animation = reading.animation.as_ref();
    let animation = animation.map_or_else(String::new, |name| format!(", animation `{name}`"));
    format!(
        "read with {} m a unit ({}), {} up ({}), root `{}`{animation}",
        reading.unit_to_metre,
        reading.unit_known_by,
        reading.up.name(),
        reading.up_known_by,
        reading.root,
    )
}
