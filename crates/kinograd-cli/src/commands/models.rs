//! `kinograd models`.

use std::fmt::Write as _;

use kinograd::models::{self, CheckReport, MdmParts, NewPackage, Preset};
use kinograd::runtime::{
    EngineOptions, Manifest, Package, find_package, list_packages, package_folders,
};
use kinograd_files::escape;
use serde_json::{Value, json};

use crate::args::{ModelsAddArgs, ModelsCommand, PresetArg};
use crate::engine;
use crate::printer::Printer;

/// Lists, shows, checks and adds model packages.
pub fn run(command: ModelsCommand, printer: &Printer) -> anyhow::Result<()> {
    match command {
        ModelsCommand::List => list(printer),
        ModelsCommand::Show { model } => show(&find_package(&model)?, printer),
        ModelsCommand::Check { engine } => {
            let report = models::check(engine.model(), &engine::options(&engine))?;
            checked(&report, "kinograd.models-check/1", printer)
        }
        ModelsCommand::Add(args) => {
            let new = new_package(args);
            if new.dry_run
                && let Some(manifest) = models::planned(&new)?
            {
                return plan(&manifest, printer);
            }
            let report = models::add(&new, &EngineOptions::default())?;
            checked(&report, "kinograd.models-add/1", printer)?;
            if new.dry_run {
                printer.note("nothing was added: --dry-run");
            }
            Ok(())
        }
    }
}

fn new_package(args: ModelsAddArgs) -> NewPackage {
    let parts = args.text.zip(args.stats);
    let preset = args.preset.zip(parts).map(|(preset, (text, statistics))| {
        let parts = MdmParts {
            text,
            statistics,
            train_steps: args.train_steps,
        };
        match preset {
            PresetArg::Mdm => Preset::Mdm(parts),
            PresetArg::Gmd => Preset::Gmd(parts),
        }
    });
    NewPackage {
        source: args.source,
        name: args.name,
        like: args.like,
        size: args.size,
        into: args.into,
        preset,
        dry_run: args.dry_run,
    }
}

fn list(printer: &Printer) -> anyhow::Result<()> {
    let mut text = String::new();
    let mut models = Vec::new();
    for found in list_packages() {
        let folder = found.folder.display().to_string();
        match found.package {
            Ok(package) => {
                let manifest = package.manifest();
                let (name, version) = (escape(&manifest.name), escape(&manifest.version));
                writeln!(text, "{name:20} {version:8} {}", escape(&folder))?;
                models.push(json!({
                    "name": manifest.name,
                    "version": manifest.version,
                    "kind": manifest.kind,
                    "folder": folder,
                }));
            }
            Err(error) => {
                printer.warning(format!("{folder}: {error}"));
                models.push(json!({ "folder": folder, "error": error.to_string() }));
            }
        }
    }
    if models.is_empty() {
        let looked_in: Vec<String> = package_folders()
            .iter()
            .map(|folder| folder.display().to_string())
            .collect();
        printer.note(format!("no model package in {}", looked_in.join(", ")));
    }
    printer.document(
        &json!({ "schema": "kinograd.models/1", "models": models }),
        &text,
    )?;
    Ok(())
}

/// Shows what would be added.
fn plan(manifest: &Manifest, printer: &Printer) -> anyhow::Result<()> {
    let mut document = serde_json::to_value(manifest)?;
    if let Some(files) = document["files"].as_object_mut() {
        for file in files.values_mut().filter_map(Value::as_object_mut) {
            file.remove("sha256");
        }
    }
    let text = serde_json::to_string_pretty(&document)?;
    let document = json!({ "schema": "kinograd.models-plan/1", "manifest": document });
    printer.document(&document, &(text + "\n"))?;
    printer.note("nothing was added: --dry-run");
    Ok(())
}

fn show(package: &Package, printer: &Printer) -> anyhow::Result<()> {
    let manifest = package.manifest();
    let mut document = serde_json::to_value(manifest)?;
    document["folder"] = json!(package.folder().to_string_lossy());
    document["package_schema"] = document["schema"].take();
    document["schema"] = json!("kinograd.model/1");
    let mut text = String::new();
    let (name, version) = (escape(&manifest.name), escape(&manifest.version));
    writeln!(text, "{name} {version}")?;
    writeln!(text, "folder        {}", package.folder().display())?;
    writeln!(text, "licence       {}", escape(&manifest.licence))?;
    writeln!(text, "data          {}", escape(&manifest.data))?;
    if let Some(motion) = &manifest.representation {
        writeln!(
            text,
            "clips         {} to {} s at {} fps",
            motion.min_frames as f64 / motion.fps,
            motion.max_frames as f64 / motion.fps,
            motion.fps
        )?;
        writeln!(text, "frames        {}", motion.kind.describe())?;
    }
    if let Some(image) = &manifest.image {
        writeln!(
            text,
            "pictures      {} × {} pixels",
            image.width, image.height
        )?;
    }
    if let Some(latent) = &manifest.latent {
        let [channels, height, width] = latent.size();
        writeln!(text, "latents       {channels} × {height} × {width}")?;
    }
    if let Some(classes) = &manifest.classes {
        writeln!(text, "classes       {}", classes.count)?;
    }
    writeln!(text, "files")?;
    for (role, file) in &manifest.files {
        writeln!(text, "  {:18} {}", role.as_str(), escape(&file.path))?;
    }
    section(&mut text, "limits", &manifest.limits)?;
    section(&mut text, "known prompts", &manifest.known_prompts)?;
    if !manifest.metrics.is_empty() {
        writeln!(text, "metrics")?;
        for (name, value) in &manifest.metrics {
            writeln!(text, "  {:32} {}", escape(name), escape(&plain(value)))?;
        }
    }
    printer.document(&document, &text)?;
    Ok(())
}

fn section(text: &mut String, title: &str, lines: &[String]) -> std::fmt::Result {
    if !lines.is_empty() {
        writeln!(text, "{title}")?;
    }
    lines
        .iter()
        .try_for_each(|line| writeln!(text, "  {}", escape(line)))
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Shows what a check found; a wrong gradient is an error.
fn checked(report: &CheckReport, schema: &str, printer: &Printer) -> anyhow::Result<()> {
    let mut text = String::new();
    writeln!(text, "{}", report.folder.display())?;
    writeln!(text, "files      {} with the right hashes", report.files)?;
    writeln!(text, "forward    runs on {}", report.engine)?;
    writeln!(text, "output     {:.3} root mean square", report.output_rms)?;
    for tensor in &report.adapted {
        writeln!(text, "adapted    {}", escape(tensor))?;
    }
    match (&report.no_gradient, report.gradient_error) {
        (Some(reason), _) => writeln!(text, "gradient   none: {reason}")?,
        (None, Some(error)) => writeln!(
            text,
            "gradient   {error:.1e} off the central difference, relative"
        )?,
        (None, None) => {}
    }
    let mut document = serde_json::to_value(report)?;
    document["schema"] = json!(schema);
    printer.document(&document, &text)?;
    if report.no_gradient.is_none() && !report.gradient_is_right() {
        anyhow::bail!(
            "{}: the gradient does not agree with the central difference",
            report.name
        );
    }
    Ok(())
}
