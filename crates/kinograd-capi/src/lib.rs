//! The C library: what the [facade](kinograd) does, as C functions. `include/kinograd.h` is made
//! from these files and documents every function; `docs/c.md` is the guide.
//!
//! Rules that hold for all of them:
//!
//! - A function returns a [`kg_status`]. The message of the last call of a thread is
//!   [`kg_last_error`]. This is what SDL and libgit2 do. ONNX Runtime's status
//!   objects would have to be released by the caller after every failure.
//! - Objects are handles. A handle is a number in a pointer's clothes: it is looked up in a table
//!   with its kind and its generation and never followed, so that one that was destroyed, or is of
//!   another kind, is a status and not undefined behaviour.
//! - Nothing that this library allocates is freed by the caller, and nothing that the caller
//!   allocates is kept. Texts, transforms and files are written into the caller's memory.
//! - No panic crosses: `entry` makes [`kg_status::Internal`] of one.

#![expect(
    unsafe_code,
    reason = "C callers hand over pointers; `argument` says what is asked of them and reads them all"
)]
#![expect(
    non_camel_case_types,
    reason = "types have the names that C programs use"
)]
#![expect(
    clippy::missing_safety_doc,
    reason = "what pointers must be is said once, in `argument` and at the top of the header"
)]

mod argument;
mod blob;
mod clip;
mod entry;
mod gradient;
mod handle;
mod job;
mod log;
mod model;
mod rig;
mod status;
mod task;
mod version;

pub use blob::*;
pub use clip::*;
pub use gradient::*;
pub use job::*;
pub use log::*;
pub use model::*;
pub use rig::*;
pub use status::*;
pub use task::*;
pub use version::*;
