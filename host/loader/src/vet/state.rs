//! The state that all code of a process shares, as a value that can be compared: signals, working directory, umask,
//! environment, limits, credentials, rounding, threads, descriptors.
//!
//! Reads `/proc/self`; what cannot be read compares as equal. Called by the child before and after each step of a plugin.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use super::signals;
use crate::diagnostic::escape;

/// Lines of `/proc/self/status` that are compared as they are, and what they are called.
const STATUS_LINES: [(&str, &str); 11] = [
    ("Umask", "umask"),
    ("Uid", "user"),
    ("Gid", "group"),
    ("Groups", "supplementary groups"),
    ("CapInh", "inheritable capabilities"),
    ("CapPrm", "permitted capabilities"),
    ("CapEff", "effective capabilities"),
    ("CapBnd", "capability bounding set"),
    ("CapAmb", "ambient capabilities"),
    ("NoNewPrivs", "no-new-privileges flag"),
    ("Seccomp", "system call filter"),
];
/// Signal sets of `/proc/self/status`, and what a change of one means.
const SIGNAL_SETS: [(&str, &str); 3] = [
    ("SigCgt", "handler"),
    ("SigIgn", "ignoring"),
    ("SigBlk", "blocking"),
];
/// Most threads, descriptors or variables that are looked at.
const ITEMS_MAX: usize = 4_096;

/// One look at the process.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ProcessState {
    status: BTreeMap<String, String>,
    limits: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    directory: Option<PathBuf>,
    root: Option<PathBuf>,
    arithmetic: [bool; 3],
    /// Name by number of each thread.
    threads: BTreeMap<u64, String>,
    /// Number and what it leads to.
    descriptors: BTreeMap<u64, String>,
}

impl ProcessState {
    /// How it is now.
    pub(super) fn now() -> ProcessState {
        let text = |name: &str| fs::read_to_string(name).unwrap_or_default();
        let mut status = BTreeMap::new();
        for line in text("/proc/thread-self/status").lines() {
            if let Some((key, value)) = line.split_once(':') {
                status.insert(key.to_owned(), value.trim().to_owned());
            }
        }
        let lines = text("/proc/self/limits");
        let lines = lines
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once("  "));
        let limits = lines.map(|(name, rest)| {
            let words: Vec<&str> = rest.split_whitespace().collect();
            (name.to_owned(), words.join(" "))
        });
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().take(ITEMS_MAX);
        ProcessState {
            status,
            limits: limits.collect(),
            environment: environment.map(|(k, v)| (lossy(k), lossy(v))).collect(),
            directory: fs::read_link("/proc/self/cwd").ok(),
            root: fs::read_link("/proc/self/root").ok(),
            arithmetic: arithmetic(),
            threads: threads(),
            descriptors: descriptors(),
        }
    }

    /// What a plugin has no business to change, one text each.
    pub(super) fn changes_to(&self, now: &ProcessState) -> Vec<String> {
        let mut found = Vec::new();
        for (set, word) in SIGNAL_SETS {
            let mask = |state: &ProcessState| {
                let text = state.status.get(set)?;
                u64::from_str_radix(text, 16).ok()
            };
            let differ = mask(self).unwrap_or_default() ^ mask(now).unwrap_or_default();
            found.extend(signals::of_mask(differ).map(|name| format!("{name} {word}")));
        }
        for (key, name) in STATUS_LINES {
            if let (Some(was), Some(is)) = (self.status.get(key), now.status.get(key))
                && was != is
            {
                found.push(format!("{name} `{was}` to `{is}`"));
            }
        }
        if self.directory != now.directory {
            found.push("working directory".to_owned());
        }
        if self.root != now.root {
            found.push("root directory".to_owned());
        }
        for (name, was) in &self.limits {
            if now.limits.get(name).is_some_and(|is| is != was) {
                found.push(format!("limit `{}`", name.to_lowercase()));
            }
        }
        found.extend(self.changed_variables(now));
        if self.arithmetic != now.arithmetic {
            found.push("rounding of floating-point numbers".to_owned());
        }
        for (number, was) in &self.descriptors {
            match now.descriptors.get(number) {
                Some(is) if is == was => {}
                Some(is) => found.push(format!("descriptor {number} to `{}`", escape(is))),
                None => found.push(format!("descriptor {number}, closed")),
            }
        }
        found
    }

    fn changed_variables(&self, now: &ProcessState) -> Vec<String> {
        let (was, is) = (&self.environment, &now.environment);
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let differ = names
            .into_iter()
            .filter(|name| was.get(*name) != is.get(*name));
        differ
            .map(|name| format!("variable `{}`", escape(name)))
            .collect()
    }

    /// Threads that were not there before, by name.
    pub(super) fn new_threads(&self, now: &ProcessState) -> Vec<String> {
        let new = now
            .threads
            .iter()
            .filter(|(id, _)| !self.threads.contains_key(id));
        new.map(|(_, name)| format!("`{}`", escape(name))).collect()
    }

    /// Descriptors that were not there before, and where they lead.
    pub(super) fn new_descriptors(&self, now: &ProcessState) -> Vec<String> {
        let new = now
            .descriptors
            .iter()
            .filter(|(n, _)| !self.descriptors.contains_key(n));
        new.map(|(n, to)| format!("descriptor {n} (`{}`)", escape(to)))
            .collect()
    }
}

fn threads() -> BTreeMap<u64, String> {
    let Ok(all) = fs::read_dir("/proc/self/task") else {
        return BTreeMap::new();
    };
    let numbers = all
        .take(ITEMS_MAX)
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let named = numbers.map(|id: u64| {
        let name = fs::read_to_string(format!("/proc/self/task/{id}/comm"));
        (id, name.unwrap_or_default().trim_end().to_owned())
    });
    named.collect()
}

fn descriptors() -> BTreeMap<u64, String> {
    let Ok(all) = fs::read_dir("/proc/self/fd") else {
        return BTreeMap::new();
    };
    // Collected first: the one that lists them is closed by then and leads nowhere.
    let numbers = all
        .take(ITEMS_MAX)
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    let numbers: Vec<u64> = numbers.collect();
    let open = numbers.into_iter().filter_map(|n| {
        let to = fs::read_link(format!("/proc/self/fd/{n}")).ok()?;
        Some((n, to.to_string_lossy().into_owned()))
    });
    open.collect()
}

/// What the control word does to three sums: two that tell the rounding modes apart, one that flushing spoils.
fn arithmetic() -> [bool; 3] {
    let one = black_box(1.0_f32);
    let up = one + black_box(f32::EPSILON * 0.75) > one;
    let down = one + black_box(f32::EPSILON * 0.25) > one;
    let tiny = black_box(f32::MIN_POSITIVE) / black_box(2.0) > 0.0;
    [up, down, tiny]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> ProcessState {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect()
        };
        ProcessState {
            status: pairs(&[("SigCgt", "0000000000000440"), ("Umask", "0022")]),
            limits: pairs(&[("Max open files", "1024 4096 files")]),
            environment: pairs(&[("LANG", "C")]),
            descriptors: [(0, "/dev/null".to_owned())].into(),
            ..ProcessState::default()
        }
    }

    #[test]
    fn each_change_is_named() {
        let mut now = state();
        now.status
            .insert("SigCgt".to_owned(), "0000000000010440".to_owned());
        now.status.insert("Umask".to_owned(), "0000".to_owned());
        now.limits
            .insert("Max open files".to_owned(), "9 9 files".to_owned());
        now.environment.insert("LANG".to_owned(), "de".to_owned());
        now.environment.insert("TZ".to_owned(), "UTC".to_owned());
        now.directory = Some("/".into());
        now.descriptors = [(3, "pipe".to_owned())].into();
        let wanted = [
            "SIGCHLD handler",
            "umask `0022` to `0000`",
            "working directory",
            "limit `max open files`",
            "variable `LANG`",
            "variable `TZ`",
            "descriptor 0, closed",
        ];
        assert_eq!(state().changes_to(&now), wanted);
        assert_eq!(state().new_descriptors(&now), ["descriptor 3 (`pipe`)"]);
        assert_eq!(state().changes_to(&state()), Vec::<String>::new());
    }

    #[test]
    fn this_process_has_a_state() {
        let now = ProcessState::now();
        assert!(!now.status.is_empty() && !now.limits.is_empty() && !now.threads.is_empty());
        assert_eq!(now.arithmetic, [true, false, true]);
    }
}
