//! The native part of the Python package: what the [facade](kinograd) does, as classes and functions
//! of `kinograd._kinograd`. The package's own modules (`python/kinograd`) are what users import;
//! `docs/python.md` is the guide.
//!
//! - Tasks come as JSON text, arrays go as NumPy arrays that nobody can write to: an array is packed
//!   once per clip and handed out as it is.
//! - The interpreter is let go of for as long as something is sampled, read or written. At each step
//!   a `watch::Watcher` takes it back for signals, progress and warnings.
//! - Every failure is an exception of `kinograd._errors`; what a caller's own function raises passes
//!   through as it is.

mod array;
mod clip;
mod command;
mod error;
mod gradient;
mod loss;
mod model;
mod rig;
mod seat;
mod task;
mod watch;

use pyo3::prelude::*;

#[pymodule]
fn _kinograd(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_class::<clip::Clip>()?;
    module.add_class::<rig::Rig>()?;
    module.add_function(wrap_pyfunction!(clip::read, module)?)?;
    module.add_function(wrap_pyfunction!(command::run_command, module)?)?;
    module.add_function(wrap_pyfunction!(task::check_task, module)?)?;
    module.add_function(wrap_pyfunction!(gradient::differentiate, module)?)?;
    Ok(())
}
