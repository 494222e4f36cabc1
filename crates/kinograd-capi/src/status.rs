//! Status codes, and the message of the last failure of each thread.

use std::cell::RefCell;
use std::ffi::{CString, c_char};

use kinograd::Error;
use kinograd_files::error_chain;

/// What came of a call. Values keep their meaning in later versions, which may add others.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kg_status {
    /// It did what it says.
    Ok = 0,
    /// A pointer is NULL that must not be, a text is not UTF-8, a number or a word is none that is
    /// taken, or a `struct_size` fits no version of the structure.
    InvalidArgument = 1,
    /// A handle is NULL, was destroyed, is of another kind or was never one.
    InvalidHandle = 2,
    /// What was to be written is longer than the buffer; nothing was written.
    BufferTooSmall = 3,
    /// A task asks for what cannot be; the message names the field.
    InvalidTask = 4,
    /// A file could not be read.
    ReadFailed = 5,
    /// A file could not be written; what was there before is still there.
    WriteFailed = 6,
    /// No file format has this extension.
    UnknownFormat = 7,
    /// A model package, an engine or a network failed.
    ModelFailed = 8,
    /// A clip or a rig is not what is needed, as one whose joints cannot be told.
    InvalidClip = 9,
    /// A network could not be differentiated.
    GradientFailed = 10,
    /// The job was cancelled.
    Cancelled = 11,
    /// The time is over and the job goes on.
    Timeout = 12,
    /// The job has not got there yet.
    NotReady = 13,
    /// More is asked for than this library takes on, as frames of a clip or bytes of a file.
    OverBudget = 14,
    /// A fault of this library.
    Internal = 15,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub status: kg_status,
    pub message: String,
}

impl Failure {
    pub fn new(status: kg_status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    pub fn argument(message: impl Into<String>) -> Self {
        Self::new(kg_status::InvalidArgument, message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Request { .. } => kg_status::InvalidArgument,
            Error::Task { .. } | Error::Json { .. } => kg_status::InvalidTask,
            Error::Read { .. } => kg_status::ReadFailed,
            Error::Write { .. } => kg_status::WriteFailed,
            Error::FileFormat { .. } => kg_status::UnknownFormat,
            Error::Runtime(_) | Error::Diffusion(_) | Error::Guidance(_) => kg_status::ModelFailed,
            Error::Motion(_) => kg_status::InvalidClip,
            Error::Gradient { .. } => kg_status::GradientFailed,
            Error::Cancelled => kg_status::Cancelled,
            Error::OverBudget(_) => kg_status::OverBudget,
            _ => kg_status::Internal,
        };
        Self::new(status, error_chain(&error))
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::new(CString::default());
}

/// Keeps the message of this thread's last call, empty where it went well.
pub(crate) fn remember(message: &str) {
    // A thread that ends has no place for messages any more.
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default();
        }
    });
}

/// What went wrong in the last call of this thread, in English, as UTF-8; empty where it went well.
/// It holds until the thread's next call of this library and must not be freed.
///
/// Any thread may call it; it tells of the calls of its own thread only.
#[unsafe(no_mangle)]
pub extern "C" fn kg_last_error() -> *const c_char {
    let last = LAST.try_with(|last| last.try_borrow().map(|text| text.as_ptr()));
    last.ok()
        .and_then(Result::ok)
        .unwrap_or(c"the thread is ending".as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let path = std::path::PathBuf::from("a.bvh");
        let source = Box::new(std::io::Error::other("no such thing"));
        let failure = Failure::from(Error::Read { path, source });
        assert_eq!(failure.message, "cannot read a.bvh: no such thing");
        assert_eq!(failure.status, kg_status::ReadFailed);
    }
}
