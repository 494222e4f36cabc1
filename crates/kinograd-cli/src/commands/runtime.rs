//! `kinograd runtime`.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use kinograd::runtime::{
    EngineChoice, EngineOptions, InstallKind, InstallProgress, ONNX_RUNTIME_VERSION, cache_dir,
    check_installed, find_library, install, open_engine,
};
use serde_json::json;

use crate::args::RuntimeCommand;
use crate::interrupt;
use crate::printer::Printer;

/// Shows or installs engines.
pub fn run(command: &RuntimeCommand, printer: &Printer) -> anyhow::Result<()> {
    match command {
        RuntimeCommand::Info { runtime } => info(runtime.as_deref(), printer),
        RuntimeCommand::Install { gpu } => fetch(*gpu, printer),
    }
}

fn info(runtime: Option<&Path>, printer: &Printer) -> anyhow::Result<()> {
    let mut text = String::new();
    for kind in [InstallKind::Gpu, InstallKind::Cpu] {
        if let Err(error) = check_installed(kind) {
            printer.warning(format!(
                "{error}; `kinograd runtime install` fetches it again"
            ));
        }
    }
    let found = match find_library(runtime) {
        // A library that was named and is not there is the input's fault.
        Err(error) if runtime.is_some() => return Err(error.into()),
        found => found,
    };
    let onnx_runtime = match &found {
        Ok((library, origin)) => {
            let opened = open_engine(&EngineOptions {
                engine: EngineChoice::OnnxRuntime,
                library: Some(library.clone()),
                ..EngineOptions::default()
            });
            writeln!(text, "ONNX Runtime   {}", library.display())?;
            match opened {
                Ok(engine) => {
                    let report = engine.report;
                    writeln!(text, "version        {}", report.version)?;
                    writeln!(text, "provider       {}", report.provider)?;
                    for note in &report.notes {
                        writeln!(text, "               {note}")?;
                    }
                    json!({
                        "library": library,
                        "found": format!("{origin:?}").to_lowercase(),
                        "version": report.version,
                        "provider": report.provider,
                        "notes": report.notes,
                    })
                }
                Err(error) => {
                    writeln!(text, "               cannot be used: {error}")?;
                    json!({ "library": library, "error": error.to_string() })
                }
            }
        }
        Err(error) => {
            writeln!(text, "ONNX Runtime   {error}")?;
            json!({ "error": error.to_string() })
        }
    };
    let built_in = open_engine(&EngineOptions {
        engine: EngineChoice::BuiltIn,
        ..EngineOptions::default()
    })?
    .report;
    writeln!(text, "built-in       {} (cpu)", built_in.version)?;
    if let Some(cache) = cache_dir() {
        writeln!(text, "cache          {}", cache.display())?;
    }
    printer.document(
        &json!({
            "schema": "kinograd.runtime-info/1",
            "onnx_runtime": onnx_runtime,
            "built_in": { "version": built_in.version, "provider": built_in.provider },
            "cache": cache_dir(),
        }),
        &text,
    )?;
    Ok(())
}

fn fetch(gpu: bool, printer: &Printer) -> anyhow::Result<()> {
    let kind = if gpu {
        InstallKind::Gpu
    } else {
        InstallKind::Cpu
    };
    let bar = printer.progress(0, "KiB");
    let mut shown = None;
    let library = install(kind, &mut |progress| {
        match &progress {
            InstallProgress::Downloading {
                wheel,
                bytes,
                total,
            } => {
                if shown.is_none() {
                    printer.note(format!("downloading {wheel}"));
                    shown = Some(());
                }
                bar.set_length(total / 1024);
                bar.set_position(bytes / 1024);
            }
            InstallProgress::Checking => bar.set_message("checking"),
            InstallProgress::Unpacking { .. } => bar.set_message("unpacking"),
        }
        if interrupt::interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    bar.finish_and_clear();
    let library = library?;
    printer.document(
        &json!({
            "schema": "kinograd.runtime-install/1",
            "version": ONNX_RUNTIME_VERSION,
            "library": library,
        }),
        &format!("ONNX Runtime {ONNX_RUNTIME_VERSION}: {}", library.display()),
    )?;
    Ok(())
}
