//! What the library has to say, to the program's own log.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_void};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, set_global_default};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::entry::entry;
use crate::status::{Failure, kg_status};

/// How much a message matters.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum kg_log_level {
    /// Nothing is said.
    Off = 0,
    /// Something failed.
    Error = 1,
    /// Something that a user should know, as a prompt that is far from all the model knows.
    Warn = 2,
    /// What is done.
    Info = 3,
    /// How it is done.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

/// Gets a message: `user` as it was given, a kg_log_level, and UTF-8 text that holds until the
/// function returns. It may be called from any thread and from several at once. It must not throw
/// and must not set another callback.
pub type kg_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: i32, message: *const c_char)>;

/// The callback, and the program's own pointer as a number.
static CALLBACK: RwLock<Option<(CFunction, usize)>> = RwLock::new(None);
type CFunction = unsafe extern "C" fn(*mut c_void, i32, *const c_char);

static LEAST: AtomicI32 = AtomicI32::new(kg_log_level::Off as i32);

thread_local! {
    /// Whether this thread is in the callback: what is logged from within is dropped.
    static TALKING: Cell<bool> = const { Cell::new(false) };
}

/// Takes messages up to `level`, a kg_log_level, to `callback`, with `user` as its first argument;
/// NULL ends it. Without one, the library says nothing; warnings of jobs are in their clips' reports
/// all the same.
///
/// Any thread may call it, but not the callback. When it returns, the callback before is not running
/// and will not be called again.
#[unsafe(no_mangle)]
pub extern "C" fn kg_log_set_callback(
    level: i32,
    callback: kg_log_callback,
    user: *mut c_void,
) -> kg_status {
    entry(|| {
        if !(kg_log_level::Off as i32..=kg_log_level::Trace as i32).contains(&level) {
            let message = format!("level is {level}; a kg_log_level was expected");
            return Err(Failure::argument(message));
        }
        if TALKING.get() {
            let message = "a log callback cannot set another";
            return Err(Failure::argument(message));
        }
        listen()?;
        let mut place = CALLBACK.write().unwrap_or_else(PoisonError::into_inner);
        *place = callback.map(|callback| (callback, user.expose_provenance()));
        let least = if place.is_some() { level } else { 0 };
        LEAST.store(least, Ordering::Release);
        Ok(())
    })
}

/// Makes the library's messages come here, once.
fn listen() -> Result<(), Failure> {
    static LISTENING: OnceLock<bool> = OnceLock::new();
    if *LISTENING.get_or_init(|| set_global_default(Messages).is_ok()) {
        return Ok(());
    }
    let message =
        "this Rust program has a subscriber of `tracing` already, which gets all messages";
    Err(Failure::argument(message))
}

/// Hands messages to the callback.
struct Messages;

impl Subscriber for Messages {
    /// The level may change at any time.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        number(*metadata.level()) <= LEAST.load(Ordering::Acquire)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if TALKING.get() {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let message = text.message + &text.fields;
        let message = CString::new(message.replace('\0', "\u{fffd}")).unwrap_or_default();
        let place = CALLBACK.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((callback, user)) = *place {
            let user = std::ptr::with_exposed_provenance_mut(user);
            TALKING.set(true);
            // SAFETY: the program promises a function of this type that does not unwind.
            unsafe { callback(user, number(*event.metadata().level()), message.as_ptr()) };
            TALKING.set(false);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn number(level: Level) -> i32 {
    let level = match level {
        Level::ERROR => kg_log_level::Error,
        Level::WARN => kg_log_level::Warn,
        Level::INFO => kg_log_level::Info,
        Level::DEBUG => kg_log_level::Debug,
        Level::TRACE => kg_log_level::Trace,
    };
    level as i32
}

/// A message, and its fields as `key=value`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a text does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}
