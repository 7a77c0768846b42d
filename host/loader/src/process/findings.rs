//! What a look found, collected while the watch is locked and said when it is not: a program's sink may do anything.

use longshore_plugin_api::Level;

use super::leaks::{Counts, growths};
use super::words::{self, Suspects};
use crate::codes;
use crate::log;

/// What is to be said.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

struct Finding {
    level: Level,
    /// Namespace and name of the driver, if it is one alone.
    about: (String, String),
    text: String,
}

impl Findings {
    pub(super) fn add(&mut self, level: Level, suspects: &Suspects<'_>, text: &str, code: &str) {
        let (namespace, name) = suspects.only();
        self.0.push(Finding {
            level,
            about: (namespace.to_owned(), name.to_owned()),
            text: words::with_code(text, code),
        });
    }

    /// Answers whether there was something to say.
    pub(super) fn add_growths(&mut self, suspects: &Suspects<'_>, was: Counts, is: Counts) -> bool {
        let growths = growths(was, is);
        for growth in &growths {
            let text = words::grown(suspects, growth);
            self.add(Level::Warn, suspects, &text, codes::DRIVER_LEAKS);
        }
        !growths.is_empty()
    }

    pub(super) fn say(self) {
        for Finding { level, about, text } in self.0 {
            log::say(level, &about.0, &about.1, format_args!("{text}"));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(super) fn texts(self) -> Vec<String> {
        self.0.into_iter().map(|f| f.text).collect()
    }
}
