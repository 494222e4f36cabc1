//! The door that every call comes through.

use kinograd_files::catch_panic;

use crate::status::{Failure, kg_status, remember};

/// Does a call's work, keeps its message for [`kg_last_error`](crate::status::kg_last_error) and
/// makes a status of what comes of it, a panic included.
pub(crate) fn entry(work: impl FnOnce() -> Result<(), Failure>) -> kg_status {
    let failure = match caught(work) {
        Ok(()) => {
            remember("");
            return kg_status::Ok;
        }
        Err(failure) => failure,
    };
    remember(&failure.message);
    failure.status
}

/// The work's result, or [`kg_status::Internal`] with the message of its panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_panic("kinograd", work).unwrap_or_else(|panicked| {
        let message = format!("internal: {}", panicked.message);
        tracing::error!("{message}");
        Err(Failure::new(kg_status::Internal, message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::kg_last_error;

    fn last() -> String {
        // SAFETY: the text is this thread's and holds until its next call.
        let text = unsafe { std::ffi::CStr::from_ptr(kg_last_error()) };
        text.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_panic_is_a_status_and_a_success_clears_the_message() {
        assert_eq!(entry(|| panic!("a \0 fault")), kg_status::Internal);
        assert_eq!(last(), "internal: a \u{fffd} fault");
        assert_eq!(entry(|| Ok(())), kg_status::Ok);
        assert_eq!(last(), "");
        let other = std::thread::spawn(|| entry(|| Err(Failure::argument("x"))));
        assert_eq!(other.join().unwrap(), kg_status::InvalidArgument);
        assert_eq!(last(), "");
    }
}
