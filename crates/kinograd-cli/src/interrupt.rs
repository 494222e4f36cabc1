//! Ctrl-C: the first asks the work to stop at its next step, the second stops the process.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static HANDLER: OnceLock<bool> = OnceLock::new();

/// Exit code after an interrupt.
pub const EXIT_INTERRUPTED: i32 = 1;

/// Starts to listen for Ctrl-C and SIGTERM. Where that is not possible they end the process, as
/// they do by default.
pub fn listen() {
    HANDLER.get_or_init(|| {
        ctrlc::set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                exit_now();
            }
        })
        .is_ok()
    });
}

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

#[expect(
    clippy::exit,
    reason = "the second Ctrl-C has to work when no step ends"
)]
fn exit_now() {
    std::process::exit(EXIT_INTERRUPTED);
}
