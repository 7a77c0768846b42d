//! How a finding reads: who may have done it, what it was, what became of it.
//!
//! Must not know how anything is found out.

use std::fmt::Write as _;

use super::compare::Item;
use super::leaks::Growth;
use super::restore::Restored;
use super::signals;
use crate::codes;

/// Most drivers that one message names.
const NAMES_MAX: usize = 8;

/// What was going on with a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Its library was opened, and its constructor ran.
    Built,
    /// It was asked whether it is ready.
    Asked,
    /// It was dropped.
    Dropped,
}

impl Doing {
    fn words(self) -> &'static str {
        match self {
            Doing::Built => "being built",
            Doing::Asked => "being asked whether it is ready",
            Doing::Dropped => "being dropped",
        }
    }
}

/// A driver whose code ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doer {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) doing: Doing,
}

/// Who may have done it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Suspects<'s> {
    /// One of these, while what it says went on.
    During(&'s [Doer]),
    /// The program, or one of these.
    SinceLastLook(&'s [String]),
}

impl Suspects<'_> {
    /// Namespace and name, if there is only one.
    pub(super) fn only(&self) -> (&str, &str) {
        match self {
            Suspects::During([one]) => (&one.namespace, &one.name),
            _ => ("", ""),
        }
    }

    fn did(&self, deed: &str) -> String {
        match self {
            Suspects::During([one]) => {
                format!("`{}` {deed} while {}", one.name, one.doing.words())
            }
            Suspects::During(all) => {
                let one = |d: &Doer| format!("`{}` while {}", d.name, d.doing.words());
                let ones: Vec<String> = all.iter().take(NAMES_MAX).map(one).collect();
                format!(
                    "one of these {deed}: {}{}",
                    ones.join(", "),
                    more(all.len())
                )
            }
            Suspects::SinceLastLook(names) => {
                format!(
                    "the program or a driver {deed} since the last look; built so far: {}",
                    list(names)
                )
            }
        }
    }
}

/// A difference and what became of it.
pub(super) fn changed(
    suspects: &Suspects<'_>,
    item: &Item,
    words: &str,
    restored: &Restored,
) -> String {
    let deed = match item {
        Item::Handler(number) => format!("replaced the handler of {}", signals::name(*number)),
        Item::Closed(number) => format!("closed descriptor {number}"),
        _ => format!("changed {words}"),
    };
    let mut text = suspects.did(&deed);
    let _ = match (restored, item) {
        (Restored::Yes, Item::Handler(n)) => {
            let signal = signals::name(*n);
            write!(
                text,
                "; it was put back, and a {signal} in between may have been missed"
            )
        }
        (Restored::Yes, _) => write!(text, "; it was put back"),
        (Restored::No, _) if item.is_vital() => write!(text, "; it cannot be undone"),
        (Restored::No, _) => write!(text, "; it stays so, as putting it back would harm more"),
        (Restored::Failed(error), _) => write!(text, "; it could not be put back: {error}"),
    };
    text
}

/// More threads or descriptors than there should be.
pub(super) fn grown(suspects: &Suspects<'_>, growth: &Growth) -> String {
    let Growth {
        what,
        was,
        is,
        commonest,
    } = growth;
    let mostly = commonest
        .as_ref()
        .map(|(name, count)| format!(", {count} of them `{name}`"));
    let mostly = mostly.unwrap_or_default();
    let numbers = format!("{was} → {is}{mostly}");
    match suspects {
        Suspects::During(_) => suspects.did(&format!("left {what} behind ({numbers})")),
        Suspects::SinceLastLook([one]) => format!("{what} {numbers} since {one} was built"),
        Suspects::SinceLastLook(names) => {
            format!("{what} {numbers} since these were built: {}", list(names))
        }
    }
}

/// What the log gets.
pub(super) fn with_code(text: &str, code: &str) -> String {
    debug_assert!(code == codes::DRIVER_CHANGED_PROCESS || code == codes::DRIVER_LEAKS);
    format!("{text} ({code})")
}

fn list(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_MAX).map(String::as_str).collect();
    match shown.is_empty() {
        true => "none".to_owned(),
        false => format!("{}{}", shown.join(", "), more(names.len())),
    }
}

/// The rest of a list that is cut.
fn more(count: usize) -> String {
    match count.saturating_sub(NAMES_MAX) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doer(name: &str, doing: Doing) -> Doer {
        Doer {
            namespace: "ns".to_owned(),
            name: name.to_owned(),
            doing,
        }
    }

    #[test]
    fn one_is_named_several_are_suspected() {
        let (item, words) = (Item::Handler(15), "SIGTERM handler");
        let one = [doer("a", Doing::Built)];
        let text = changed(&Suspects::During(&one), &item, words, &Restored::Yes);
        let wanted = "`a` replaced the handler of SIGTERM while being built; it was put back, and a SIGTERM in between may have been missed";
        assert_eq!(text, wanted);
        let two = [doer("a", Doing::Built), doer("b", Doing::Dropped)];
        let (item, words) = (Item::Umask, "umask `0022` to `0000`");
        let text = changed(&Suspects::During(&two), &item, words, &Restored::Yes);
        let wanted = "one of these changed umask `0022` to `0000`: `a` while being built, `b` while being dropped; it was put back";
        assert_eq!(text, wanted);
        assert_eq!(Suspects::During(&two).only(), ("", ""));
    }

    #[test]
    fn later_nobody_is_blamed_alone() {
        let names: Vec<String> = (0..30).map(|n| format!("`d{n}`")).collect();
        let item = Item::Variable("TZ".into());
        let suspects = Suspects::SinceLastLook(&names);
        let text = changed(&suspects, &item, "variable `TZ`", &Restored::No);
        assert!(text.starts_with("the program or a driver changed variable `TZ` since the last look; built so far: `d0`, "), "{text}");
        assert!(text.contains("`d7` and 22 more; it stays so"), "{text}");
        let growth = Growth {
            what: "threads",
            was: 12,
            is: 480,
            commonest: Some(("eager".to_owned(), 460)),
        };
        let one = ["`a`".to_owned()];
        let text = grown(&Suspects::SinceLastLook(&one), &growth);
        assert_eq!(
            text,
            "threads 12 → 480, 460 of them `eager` since `a` was built"
        );
    }
}
