//! Ctrl-C and SIGTERM: the first asks the work to stop at its next step, and ends the process where
//! none comes soon; the second ends it at once. Temporary files are removed either way.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::printer::stderr_line;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static HANDLER: OnceLock<bool> = OnceLock::new();

/// Exit code after an interrupt.
pub const EXIT_INTERRUPTED: i32 = 1;

/// How long the work may take to stop by itself.
const PATIENCE: Duration = Duration::from_millis(1200);

/// Starts to listen for Ctrl-C and SIGTERM. Where that is not possible they end the process, as
/// they do by default.
pub fn listen() {
    HANDLER.get_or_init(|| {
        ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                end_now();
            }
            let waiting = std::thread::Builder::new().spawn(|| {
                std::thread::sleep(PATIENCE);
                end_now();
            });
            if waiting.is_err() {
                end_now();
            }
        })
        .is_ok()
    });
}

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

fn end_now() {
    kinograd_files::remove_temporaries();
    stderr_line("error: interrupted");
    exit();
}

/// Ends the process without the destructors of libraries, whose threads are still at work.
#[cfg(unix)]
#[expect(
    unsafe_code,
    reason = "no safe function ends a process without destructors"
)]
fn exit() {
    // SAFETY: `_exit` takes any code, returns never and touches no memory of ours.
    unsafe { libc::_exit(EXIT_INTERRUPTED) }
}

#[cfg(not(unix))]
#[expect(clippy::exit, reason = "a signal has to work when no step ends")]
fn exit() {
    std::process::exit(EXIT_INTERRUPTED);
}
