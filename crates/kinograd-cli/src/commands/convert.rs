//! `kinograd convert`.

use kinograd::{Clip, FileFormat, LoadOptions, check_output};
use serde_json::json;

use crate::args::ConvertArgs;
use crate::printer::Printer;

/// Converts a clip from one format to another.
pub fn run(args: &ConvertArgs, printer: &Printer) -> anyhow::Result<()> {
    let format = check_output(&args.output)?;
    let options = LoadOptions {
        unit_to_metre: args.unit,
        retarget: args.retarget || format == FileFormat::Png,
    };
    let mut clip = Clip::load(&args.input, options)?;
    if let Some(fps) = args.fps {
        clip = clip.resampled(fps)?;
    }
    clip.save(&args.output)?;
    let motion = &clip.motion;
    let duration_secs = motion.len() as f64 / motion.fps;
    printer.document(
        &json!({
            "schema": "kinograd.convert/1",
            "input": args.input,
            "outputs": [args.output],
            "joints": motion.skeleton.len(),
            "frames": motion.len(),
            "fps": motion.fps,
            "clip_seconds": duration_secs,
        }),
        &format!(
            "{}: {} joints, {} frames, {:.2} s at {:.4} fps",
            args.output.display(),
            motion.skeleton.len(),
            motion.len(),
            duration_secs,
            motion.fps
        ),
    )?;
    Ok(())
}
