//! Model packages on engines.

use std::ffi::c_char;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use kinograd::MotionGenerator;
use kinograd::runtime::EngineOptions;
use kinograd::task::DEFAULT_MODEL;

use crate::argument::{Structure, optional_text, options, out, write_text};
use crate::entry::entry;
use crate::handle::{get, insert, object, remove};
use crate::status::{Failure, kg_status};

/// A model package on an engine, ready to make clips.
pub struct kg_model(());

/// How a model is run. All bytes 0 but `struct_size` is the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct kg_engine_options {
    /// sizeof(kg_engine_options).
    pub struct_size: u32,
    /// Processor threads; 0 takes one per core.
    pub threads: u32,
    /// `auto`, `onnxruntime` or `built-in`; NULL is `auto`: ONNX Runtime where its library is found,
    /// else the built-in engine.
    pub engine: *const c_char,
    /// `auto`, `cpu`, `cuda` or `tensorrt`; NULL is `auto`.
    pub provider: *const c_char,
    /// Path of ONNX Runtime's library or of its folder; NULL looks for it as the command line does.
    pub onnx_runtime: *const c_char,
}

// SAFETY: `repr(C)`, the size first, numbers and pointers.
unsafe impl Structure for kg_engine_options {
    const NAME: &'static str = "kg_engine_options";
    const FIRST_SIZE: usize = size_of::<Self>();
}

/// The model behind a handle. One job at a time has its generator.
pub(crate) struct Model {
    seat: Mutex<Seat>,
    changed: Condvar,
    info: String,
}

enum Seat {
    Free(Box<MotionGenerator>),
    Taken,
    /// A run panicked, and nobody knows in what state it left the generator.
    Lost,
}

object!(Model, kg_model, 2, "model");

impl Model {
    fn open(name: &str, options: &EngineOptions) -> Result<Self, Failure> {
        let generator = MotionGenerator::open(name, options)?;
        Ok(Self {
            info: info(&generator),
            seat: Mutex::new(Seat::Free(Box::new(generator))),
            changed: Condvar::new(),
        })
    }

    fn seat(&self) -> MutexGuard<'_, Seat> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` with the generator once no other job has it, unless `cancelled` comes first.
    pub fn with_generator<T>(
        &self,
        cancelled: &AtomicBool,
        work: impl FnOnce(&mut MotionGenerator) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut generator = self.take(cancelled)?;
        let mut turn = Turn {
            model: self,
            after: Seat::Lost,
        };
        let made = work(&mut generator);
        turn.after = Seat::Free(generator);
        made
    }

    fn take(&self, cancelled: &AtomicBool) -> Result<Box<MotionGenerator>, Failure> {
        let mut seat = self.seat();
        loop {
            if cancelled.load(Ordering::Acquire) {
                return Err(kinograd::Error::Cancelled.into());
            }
            match std::mem::replace(&mut *seat, Seat::Taken) {
                Seat::Free(generator) => return Ok(generator),
                Seat::Taken => {}
                Seat::Lost => {
                    *seat = Seat::Lost;
                    return Err(lost());
                }
            }
            let woken = self.changed.wait(seat);
            seat = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes waiting jobs look whether they were cancelled.
    pub fn wake(&self) {
        // With the lock, so that none is between its look and its sleep.
        drop(self.seat());
        self.changed.notify_all();
    }
}

/// A job's turn with the generator. Its end, also by a panic, makes way for the next.
struct Turn<'a> {
    model: &'a Model,
    after: Seat,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        std::mem::swap(&mut *self.model.seat(), &mut self.after);
        self.model.changed.notify_all();
    }
}

fn lost() -> Failure {
    let message = "an earlier job of this model failed inside: open the model again";
    Failure::new(kg_status::Internal, message)
}

fn info(generator: &MotionGenerator) -> String {
    let engine = generator.engine();
    let document = serde_json::json!({
        "schema": "kinograd.model/1",
        "package": generator.manifest(),
        "engine": {
            "name": engine.engine,
            "version": engine.version,
            "provider": engine.provider,
            "library": engine.library.as_ref().map(|path| path.to_string_lossy()),
            "threads": engine.threads,
            "notes": engine.notes,
        },
    });
    document.to_string()
}

/// Reads a program's options.
///
/// # Safety
/// As `argument` says.
unsafe fn engine_options(pointer: *const kg_engine_options) -> Result<EngineOptions, Failure> {
    // SAFETY: as asked of the caller.
    let (asked, engine, provider, library) = unsafe {
        let asked = options(pointer)?;
        (
            asked,
            optional_text(asked.engine, "engine")?,
            optional_text(asked.provider, "provider")?,
            optional_text(asked.onnx_runtime, "onnx_runtime")?,
        )
    };
    let argument = |error: kinograd::runtime::RuntimeError| Failure::argument(error.to_string());
    Ok(EngineOptions {
        engine: engine.unwrap_or("auto").parse().map_err(argument)?,
        provider: provider.unwrap_or("auto").parse().map_err(argument)?,
        library: library.map(PathBuf::from),
        threads: asked.threads as usize,
    })
}

/// Opens a model package: by name (`motion-base`, looked for as the command line does), or by the
/// path of its folder, which has a separator in it. NULL is the default, `motion-base`. It reads and
/// checks files for a second or so; `options` may be NULL.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_model_open(
    name_or_folder: *const c_char,
    options: *const kg_engine_options,
    model: *mut *mut kg_model,
) -> kg_status {
    entry(|| {
        // SAFETY: the caller keeps to the rules of `argument`.
        let (model, name, options) = unsafe {
            (
                out(model, "model")?,
                optional_text(name_or_folder, "name_or_folder")?,
                engine_options(options)?,
            )
        };
        let opened = Model::open(name.unwrap_or(DEFAULT_MODEL), &options)?;
        model.set(insert(opened)?);
        Ok(())
    })
}

/// What the package says of itself (its manifest: name, version, licence, known prompts, limits) and
/// which engine runs it, as JSON. See "Texts" above for `buffer`, `capacity` and `size`.
///
/// Any thread may call it, also while a job runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kg_model_info_json(
    model: *const kg_model,
    buffer: *mut c_char,
    capacity: u64,
    size: *mut u64,
) -> kg_status {
    entry(|| {
        let model = get::<Model>(model)?;
        // SAFETY: the caller keeps to the rules of `argument`.
        unsafe { write_text(&model.info, buffer, capacity, size) }
    })
}

/// Destroys a model; NULL is taken. Jobs that use it go on, and its memory is freed with the last.
///
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn kg_model_destroy(model: *mut kg_model) -> kg_status {
    entry(|| remove::<Model>(model).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::caught;

    #[test]
    fn a_panic_at_work_loses_the_generator_and_hangs_nobody() {
        let options = EngineOptions {
            engine: kinograd::runtime::EngineChoice::BuiltIn,
            ..EngineOptions::default()
        };
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/motion-base");
        let model = Model::open(folder, &options).unwrap();
        let go_on = AtomicBool::new(false);
        let seat = || model.with_generator(&go_on, |generator| Ok(generator.timings().open_s));
        assert!(seat().unwrap() > 0.0);
        let panicked =
            caught(|| model.with_generator(&go_on, |_| -> Result<(), _> { panic!("x") }));
        assert_eq!(panicked.unwrap_err().message, "internal: x");
        let failure = seat().unwrap_err();
        assert_eq!(failure, lost());
        go_on.store(true, Ordering::Release);
        assert_eq!(seat().unwrap_err().status, kg_status::Cancelled);
    }
}
