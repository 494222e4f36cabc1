//! The engine and the model that the options ask for.

use std::path::Path;

use kinograd::runtime::{EngineChoice, EngineOptions, Provider, RuntimeError};
use kinograd::{MotionEvaluator, MotionGenerator};

use crate::args::{DEFAULT_JUDGE, EngineArgs, ImageModelArgs, ProviderArg};
use crate::printer::Printer;

/// The word for `--runtime` that stands for the built-in engine.
const BUILT_IN: [&str; 2] = ["builtin", "built-in"];

/// The engine's options.
pub fn options(args: &EngineArgs) -> EngineOptions {
    EngineOptions {
        provider: match args.provider {
            ProviderArg::Auto => Provider::Auto,
            ProviderArg::Cpu => Provider::Cpu,
            ProviderArg::Cuda => Provider::Cuda,
            ProviderArg::Tensorrt => Provider::TensorRt,
        },
        ..cpu_options(args.runtime.as_deref(), args.threads)
    }
}

/// The processor's options, with `--runtime` as it was given.
pub fn cpu_options(runtime: Option<&Path>, threads: usize) -> EngineOptions {
    let built_in =
        runtime.is_some_and(|path| BUILT_IN.iter().any(|word| path.as_os_str() == *word));
    EngineOptions {
        engine: if built_in {
            EngineChoice::BuiltIn
        } else {
            EngineChoice::Auto
        },
        provider: Provider::Cpu,
        library: runtime.filter(|_| !built_in).map(Path::to_path_buf),
        threads,
    }
}

/// How an engine is opened for pictures.
pub fn image_options(args: &ImageModelArgs) -> EngineOptions {
    options(&EngineArgs {
        model: args.model.clone(),
        provider: args.provider,
        runtime: args.runtime.clone(),
        threads: args.threads,
    })
}

/// Opens a task's model as [`open_generator`] does.
pub fn open_for(
    task: &kinograd::Task,
    args: &EngineArgs,
    printer: &Printer,
) -> Result<MotionGenerator, kinograd::Error> {
    let args = EngineArgs {
        model: Some(task.model().to_owned()),
        ..args.clone()
    };
    open_generator(&args, printer)
}

/// Opens the model, and says once what its engine is if that is not what one would wish for.
pub fn open_generator(
    args: &EngineArgs,
    printer: &Printer,
) -> Result<MotionGenerator, kinograd::Error> {
    let options = options(args);
    let generator = MotionGenerator::open(args.model(), &options)?;
    let report = generator.engine();
    // The built-in engine has said itself, once, that it runs where no library was found.
    if report.library.is_some() {
        for note in &report.notes {
            printer.note(note);
        }
    }
    Ok(generator)
}

/// Most memory that this process has used, in MiB, where the system tells.
pub fn peak_memory_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// Opens the package that judges clips; the usual one may be missing.
pub fn open_judge(
    generator: &MotionGenerator,
    name: &str,
) -> Result<Option<MotionEvaluator>, kinograd::Error> {
    match generator.open_judge(name) {
        Ok(judge) => Ok(Some(judge)),
        Err(kinograd::Error::Runtime(RuntimeError::PackageNotFound { .. }))
            if name == DEFAULT_JUDGE =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
