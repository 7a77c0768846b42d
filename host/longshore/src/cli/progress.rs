//! A spinner on the error stream while a command waits, or a bar while it works. Silent unless a person would see it.
//!
//! Called by `wait` and `simulate`; must not know what is waited for.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);
/// How a bar looks; it has at most 80 columns.
const BAR: &str = "{msg} {bar:30} {pos}/{len}, {eta} left";

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

    /// Starts to show how much of `total` is done, if `shown`.
    pub(super) fn bar(shown: bool, text: String, total: u64) -> Progress {
        let target = match shown {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        // A style that is not understood would leave the plain bar.
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        bar.set_message(text);
        Progress { bar }
    }

    /// Says how much is done.
    pub(super) fn at(&self, done: u64) {
        self.bar.set_position(done);
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
