//! Ending the process without running what plugins left to be run at its end, and hearing of it when one of them ends it.
//!
//! Two functions of the C library that have no safe wrapper elsewhere. Reads no memory of ours. Called by programs that
//! load plugins; must not know why the process ends.

use std::ffi::c_int;
use std::panic::catch_unwind;
use std::sync::OnceLock;

unsafe extern "C" {
    fn _exit(status: c_int) -> !;
    fn atexit(handler: extern "C" fn()) -> c_int;
}

/// What runs when somebody calls `exit`.
static HANDLER: OnceLock<fn()> = OnceLock::new();

/// Ends the process at once: no exit handlers, no destructors of statics, of nobody. Flush first.
pub fn leave(status: u8) -> ! {
    // SAFETY: takes a number and never returns; the kernel frees what the process has.
    unsafe { _exit(c_int::from(status)) }
}

/// Calls `handler` when code of this process calls `exit`, on that thread, after its thread-locals are gone. Only the
/// first handler counts; [`leave`] does not call it. Register before plugins are loaded: handlers run last one first.
/// Answers whether it was registered.
pub fn on_exit(handler: fn()) -> bool {
    if HANDLER.set(handler).is_err() {
        return false;
    }
    // SAFETY: the handler is a function of this program, which is never unloaded.
    unsafe { atexit(run_handler) == 0 }
}

extern "C" fn run_handler() {
    if let Some(handler) = HANDLER.get() {
        // A panic must not cross into the C library, and the process ends anyway.
        let _ = catch_unwind(handler);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write as _};
    use std::process::Command;

    use super::*;

    const HOW: &str = "PROCESS_END_TEST";

    /// Runs in a process of its own, started by the test below; does nothing otherwise.
    #[test]
    fn ends_itself_as_it_is_told() {
        let how = std::env::var(HOW).unwrap_or_default();
        if how.is_empty() {
            return;
        }
        assert!(on_exit(|| {
            let _ = io::stderr().write_all(b"the handler ran");
        }));
        match how.as_str() {
            "exit" => std::process::exit(4),
            _ => leave(3),
        }
    }

    #[test]
    fn whoever_exits_is_heard_and_leaving_runs_no_handlers() {
        for (how, code, is_heard) in [("exit", 4, true), ("leave", 3, false)] {
            let mut this = Command::new(std::env::current_exe().unwrap());
            let child = "dynlib::process_end::tests::ends_itself_as_it_is_told";
            let child = this.args(["--exact", child, "--nocapture"]).env(HOW, how);
            let said = child.output().unwrap();
            assert_eq!(said.status.code(), Some(code), "{how}: {said:?}");
            let text = String::from_utf8_lossy(&said.stderr);
            assert_eq!(text.contains("the handler ran"), is_heard, "{how}: {text}");
        }
    }
}
