//! `kinograd rig`, and how well clips sit on characters.

use std::fmt::Write as _;

use kinograd::{Clip, open_character, save_report};
use serde_json::{Value, json};

use crate::args::{RigCommand, RigInspectArgs};
use crate::printer::Printer;

/// Runs a command of `rig`.
pub fn run(command: &RigCommand, printer: &Printer) -> anyhow::Result<()> {
    match command {
        RigCommand::Inspect(args) => inspect(args, printer),
    }
}

fn inspect(args: &RigInspectArgs, printer: &Printer) -> anyhow::Result<()> {
    let character = open_character(&args.file, args.mapping.as_deref())?;
    let report = character.report();
    for warning in &report.warnings {
        printer.warning(warning);
    }
    let mut text = format!(
        "{}: {} joints, legs {:.2} times as long as our body's\n",
        args.file.display(),
        report.joints,
        report.scale
    );
    for part in &report.mapping {
        writeln!(text, "  {:16} {}", part.part, part.joint)?;
    }
    if !report.unmapped.is_empty() {
        writeln!(text, "left as they are: {}", report.unmapped.join(", "))?;
    }
    for doubt in &report.doubts {
        writeln!(text, "doubtful: {}: {}", doubt.part, doubt.reason)?;
    }
    if let Some(path) = &args.write {
        save_report(path, &serde_json::to_value(character.mapping())?)?;
        writeln!(text, "{}", path.display())?;
    }
    let mut document = serde_json::to_value(&report)?;
    document["schema"] = json!("kinograd.rig/1");
    document["file"] = json!(args.file.to_string_lossy());
    printer.document(&document, text.trim_end())?;
    Ok(())
}

/// Says which clips do not sit well on their characters; refuses them where `strict`.
pub fn judge(clips: &[Clip], strict: bool, printer: &Printer) -> anyhow::Result<()> {
    let mut bad = 0;
    for (index, clip) in clips.iter().enumerate() {
        let gates = clip.rig_report.iter().flat_map(|report| report.gates());
        let words: Vec<String> = gates.map(|gate| gate.to_string()).collect();
        if words.is_empty() {
            continue;
        }
        bad += 1;
        printer.warning(format!(
            "clip {index} on its character: {}",
            words.join("; ")
        ));
    }
    anyhow::ensure!(
        !strict || bad == 0,
        "{bad} of {} clips do not sit well on the character; nothing was written (--strict)",
        clips.len()
    );
    Ok(())
}

/// How well a clip sits, for reports; null where it is on our body.
pub fn report_of(clip: &Clip) -> anyhow::Result<Value> {
    let Some(report) = &clip.rig_report else {
        return Ok(Value::Null);
    };
    let mut value = serde_json::to_value(report)?;
    let gates: Vec<String> = report.gates().iter().map(ToString::to_string).collect();
    value["exceeded"] = json!(gates);
    Ok(value)
}
