//! Why a command did not do what it was told: what, why, what to do, and how to exit.
//!
//! A value; `render` turns it into text or JSON. Must not print.

use longshore_loader::diagnostic::Diagnostic;
use longshore_loader::inspect::Refusal;

use super::exit::Exit;

/// A failed command.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// How to exit.
    pub exit: Exit,
    /// What to say.
    pub report: Report,
    /// The API said that the thing does not exist.
    pub not_found: bool,
}

/// What is said about a failure.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// One error.
    Message(Box<Message>),
    /// Things that are wrong in files and variables, and warnings among them.
    Diagnostics(Vec<Diagnostic>),
    /// Several failures of one attempt, none of which is of this variant. The first decides how to exit.
    Several(Vec<Failure>),
}

/// One error in three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `area/slug`.
    pub code: String,
    /// What failed, with a name in backticks.
    pub what: String,
    /// The file it is about.
    pub file: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

/// What failed in one attempt that goes on to its end, so that all of it is said at once.
#[derive(Debug, Default)]
pub struct Failures(Vec<Failure>);

impl Failures {
    /// Keeps the failure, if it is one that was not met yet.
    pub fn keep<T>(&mut self, made: Result<T, Failure>) -> Option<T> {
        let failure = match made {
            Ok(made) => return Some(made),
            Err(failure) => failure,
        };
        match failure.report {
            Report::Several(parts) => parts.into_iter().for_each(|part| self.add(part)),
            _ => self.add(failure),
        }
        None
    }

    fn add(&mut self, failure: Failure) {
        if !self.0.contains(&failure) {
            self.0.push(failure);
        }
    }

    /// Whether nothing failed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it as one failure, which exits as the first does.
    pub fn into_one(mut self) -> Failure {
        if self.0.len() == 1 {
            return self.0.remove(0);
        }
        Failure {
            exit: self.0.first().map_or(Exit::Failed, |first| first.exit),
            report: Report::Several(self.0),
            not_found: false,
        }
    }
}

impl Failure {
    /// A failure with a message.
    pub fn new(exit: Exit, code: &str, what: impl Into<String>) -> Failure {
        let message = Message {
            code: code.to_owned(),
            what: what.into(),
            file: None,
            why: None,
            help: None,
        };
        Failure {
            exit,
            report: Report::Message(Box::new(message)),
            not_found: false,
        }
    }

    /// Invalid files or variables.
    pub fn configuration(diagnostics: Vec<Diagnostic>) -> Failure {
        Failure {
            exit: Exit::Configuration,
            report: Report::Diagnostics(diagnostics),
            not_found: false,
        }
    }

    /// A plugin that is refused.
    pub fn refusal(refusal: &Refusal) -> Failure {
        let mut failure = Failure::new(Exit::Plugin, refusal.code, refusal.what())
            .why(refusal.why.clone())
            .help(refusal.help.clone());
        if let Report::Message(message) = &mut failure.report {
            message.file = Some(refusal.file.display().to_string());
        }
        failure
    }

    /// What, why and what to do, on one line, for logs.
    pub fn one_line(&self) -> String {
        let message = match &self.report {
            Report::Message(message) => message,
            Report::Diagnostics(all) => {
                return all.first().map_or(String::new(), ToString::to_string);
            }
            Report::Several(all) => {
                let each: Vec<String> = all.iter().map(Failure::one_line).collect();
                return each.join("; ");
            }
        };
        let part = |word: &str, text: &Option<String>, end: &str| {
            let text = text.as_ref();
            text.map(|t| format!("{word}{t}{end}")).unwrap_or_default()
        };
        let (why, help) = (
            part(": ", &message.why, ""),
            part(" (do: ", &message.help, ")"),
        );
        format!("{}{why}{help}", message.what)
    }

    /// Says why.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Failure {
        if let Report::Message(message) = &mut self.report {
            message.why = Some(why.into());
        }
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        if let Report::Message(message) = &mut self.report {
            message.help = Some(help.into());
        }
        self
    }

    /// The code of the error, or of the first one.
    pub fn code(&self) -> &str {
        match &self.report {
            Report::Message(message) => &message.code,
            Report::Diagnostics(all) => all.first().map_or("", |d| d.code),
            Report::Several(all) => all.first().map_or("", Failure::code),
        }
    }
}
