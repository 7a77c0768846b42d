//! A spinner on the error stream while a command waits. Silent unless a person would see it.
//!
//! Called by `wait`; must not know what is waited for.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// What shows that something is waited for. Removed when dropped.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts to show `text`, if `shown`.
    pub(super) fn start(shown: bool, text: String) -> Progress {
        let bar = if shown {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        };
        bar.set_message(text);
        if shown {
            bar.enable_steady_tick(TICK);
        }
        Progress { bar }
    }

    /// Changes the text.
    pub(super) fn say(&self, text: String) {
        self.bar.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
