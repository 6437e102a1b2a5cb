//! Ctrl-C: the first asks for an orderly stop, the second stops at once.

use crate::exit::{Exit, Failure};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// What is done before the program stops at once.
static LAST: OnceLock<fn()> = OnceLock::new();

/// Does this before the program stops at once: what would outlive it. The first to say so is heard.
#[cfg(feature = "watch")]
pub(crate) fn at_last(act: fn()) {
    let _ = LAST.set(act);
}

/// From now on Ctrl-C, and a polite request to end, are noticed instead of obeyed. May be called again.
pub(crate) fn watch() -> Result<(), Failure> {
    static WATCHING: AtomicBool = AtomicBool::new(false);
    if WATCHING.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let noticed = || {
        if ASKED.swap(true, Ordering::Relaxed) {
            if let Some(act) = LAST.get() {
                act();
            }
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    };
    ctrlc::set_handler(noticed)
        .map_err(|error| Failure::new(Exit::Internal, format!("cannot watch for Ctrl-C: {error}")))
}

/// Set when the user wants to stop: for the library, which knows no signals.
pub(crate) fn flag() -> &'static AtomicBool {
    &ASKED
}

/// Whether the user wants to stop.
#[cfg(feature = "watch")]
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
