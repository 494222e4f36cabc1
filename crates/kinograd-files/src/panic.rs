use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// A library panicked on foreign input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{library}` gave up on it: {message}")]
pub struct Panicked {
    /// The library.
    pub library: &'static str,
    /// Its message.
    pub message: String,
}

/// Runs code of a `library` that panics on some foreign input, and makes an error of a panic;
/// nothing is printed. What `work` borrows must not be used after an error.
///
/// ```
/// let error = kinograd_files::catch_panic("png", || panic!("bad palette")).map(|()| ());
/// assert_eq!(error.unwrap_err().to_string(), "`png` gave up on it: bad palette");
/// assert_eq!(kinograd_files::catch_panic("png", || 3), Ok(3));
/// ```
///
/// # Errors
/// [`Panicked`] with the message.
pub fn catch_panic<T>(library: &'static str, work: impl FnOnce() -> T) -> Result<T, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if !EXPECTED.get() {
                usual(info);
            }
        }));
    });
    let before = EXPECTED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(before);
    outcome.map_err(|payload| Panicked {
        library,
        message: message_of(payload.as_ref()),
    })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked".to_owned())
}
