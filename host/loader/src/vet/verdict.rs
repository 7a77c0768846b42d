//! What came of trying a plugin, as a value that is kept and shown.

use serde::{Deserialize, Serialize};

use super::Subject;
use crate::codes;
use crate::inspect::Refusal;

/// Whether a plugin may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It may.
    Passed,
    /// It may not.
    Failed,
}

/// Something that is not nice and is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// `area/slug`.
    pub code: String,
    /// What was seen.
    pub text: String,
}

/// What came of trying a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Whether it may be loaded.
    pub outcome: Outcome,
    /// The code of the failure; empty when it passed.
    pub code: String,
    /// Why it failed.
    pub why: String,
    /// What to do about it.
    pub help: String,
    /// What was seen besides.
    pub warnings: Vec<Warning>,
    /// What the constructor or the drop answered, if that was an error. It is not a failure here: the host gets the same
    /// answer when it builds the driver.
    pub driver_error: Option<String>,
    /// The end of what was printed, as it was: escape it before it is shown.
    pub output: String,
    /// Whether it may be remembered. What another machine state could change is not.
    pub lasting: bool,
    /// Milliseconds that it took.
    pub ms: u64,
}

impl Verdict {
    /// Nothing was wrong.
    pub fn passed() -> Verdict {
        Verdict {
            outcome: Outcome::Passed,
            code: String::new(),
            why: String::new(),
            help: String::new(),
            warnings: Vec::new(),
            driver_error: None,
            output: String::new(),
            lasting: true,
            ms: 0,
        }
    }

    pub(super) fn failed(code: &str, why: String, help: &str) -> Verdict {
        Verdict {
            outcome: Outcome::Failed,
            code: code.to_owned(),
            why,
            help: help.to_owned(),
            ..Verdict::passed()
        }
    }

    /// The same verdict where warnings are failures.
    #[must_use]
    pub fn strictly(self) -> Verdict {
        match self.warnings.first() {
            Some(first) if self.outcome == Outcome::Passed => Verdict {
                outcome: Outcome::Failed,
                code: first.code.clone(),
                why: first.text.clone(),
                help: "mend the plugin, or set `policy = \"permissive\"`".to_owned(),
                ..self
            },
            _ => self,
        }
    }

    /// Why the plugin is refused, if it is.
    pub fn refusal(&self, subject: &Subject) -> Option<Refusal> {
        if self.outcome == Outcome::Passed {
            return None;
        }
        let known = codes::TABLE.iter().find(|known| known.code == self.code);
        let code = known.map_or(codes::PLUGIN_CANNOT_VET, |known| known.code);
        let refusal = Refusal::new(code, &subject.shown, self.why.clone(), self.help.clone());
        Some(refusal.for_entry(&subject.namespace, &subject.name))
    }
}
