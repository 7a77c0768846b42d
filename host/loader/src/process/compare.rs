//! What differs between two looks at the process, and what to call it.
//!
//! Each difference is a value, so that `restore` can undo it and `watch` can say it once. Must not know whose doing it is.

use std::collections::BTreeSet;
use std::ffi::OsString;

use super::signals;
use super::state::{LIMITS, NAMESPACES, ProcessState, RIGHTS, STREAMS};
use crate::diagnostic::escape;

/// One thing that all code of the process, or of a thread, shares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    /// What happens at a signal.
    Handler(i32),
    /// Whether a thread keeps a signal out.
    Blocked(i32),
    /// The working directory.
    Directory,
    /// The root directory.
    Root,
    /// The mode bits that new files do not get.
    Umask,
    /// A limit, by its place in `LIMITS`.
    Limit(usize),
    /// A variable of the environment.
    Variable(OsString),
    /// A standard stream that is closed.
    Closed(i32),
    /// A standard stream that leads elsewhere.
    Redirected(i32),
    /// How a thread rounds.
    FloatControl,
    /// Whether the process may be traced and dumped.
    Dumpable,
    /// A right of a thread, by its place in `RIGHTS`.
    Right(usize),
    /// A namespace of a thread, by its place in `NAMESPACES`.
    Namespace(usize),
}

impl Item {
    /// Whether another thread may have it otherwise.
    pub(super) fn is_of_thread(&self) -> bool {
        use Item::{Blocked, FloatControl, Namespace, Right};
        matches!(self, Blocked(_) | FloatControl | Right(_) | Namespace(_))
    }

    /// Whether the process is no longer what its operator started once this has changed: who it is, what it may do, what
    /// it sees. None of it can be taken back.
    pub(super) fn is_vital(&self) -> bool {
        matches!(self, Item::Root | Item::Right(_) | Item::Namespace(_))
    }
}

impl ProcessState {
    /// What is otherwise now, each with its words: `SIGCHLD handler`, ``umask `0022` to `0000` ``.
    pub(crate) fn differences(&self, now: &ProcessState) -> Vec<(Item, String)> {
        let mut found = self.of_signals(now);
        let mut add = |differs: bool, item: Item, words: &dyn Fn() -> String| {
            if differs {
                found.push((item, words()));
            }
        };
        add(
            differ(&self.directory, &now.directory),
            Item::Directory,
            &|| {
                let path = escape(&now.directory_path.to_string_lossy());
                format!("working directory to `{path}`")
            },
        );
        add(differ(&self.root, &now.root), Item::Root, &|| {
            "root directory".to_owned()
        });
        let (was, is) = (&self.umask, &now.umask);
        add(differ(was, is), Item::Umask, &|| {
            format!("umask {}", from_to(was, is))
        });
        let pairs = self.limits.iter().zip(&now.limits).zip(LIMITS).enumerate();
        for (n, ((was, is), (_, name))) in pairs {
            add(was != is, Item::Limit(n), &|| format!("limit `{name}`"));
        }
        for name in self.changed_variables(now) {
            let shown = escape(&name.to_string_lossy());
            add(true, Item::Variable(name), &|| {
                format!("variable `{shown}`")
            });
        }
        for ((n, was), is) in STREAMS.iter().zip(self.streams).zip(now.streams) {
            let (item, how) = match is {
                None => (Item::Closed(*n), ", closed"),
                Some(_) => (Item::Redirected(*n), ""),
            };
            add(was != is, item, &|| format!("descriptor {n}{how}"));
        }
        let differs = self.float_control != now.float_control;
        add(differs, Item::FloatControl, &|| {
            "rounding of floating-point numbers".to_owned()
        });
        add(self.dumpable != now.dumpable, Item::Dumpable, &|| {
            "whether it may be dumped".to_owned()
        });
        let pairs = self.rights.iter().zip(&now.rights).zip(RIGHTS).enumerate();
        for (n, ((was, is), (_, name))) in pairs {
            add(differ(was, is), Item::Right(n), &|| {
                format!("{name} {}", from_to(was, is))
            });
        }
        let pairs = self.namespaces.iter().zip(&now.namespaces).zip(NAMESPACES);
        for (n, ((was, is), name)) in pairs.enumerate() {
            add(differ(was, is), Item::Namespace(n), &|| {
                format!("namespace `{name}`")
            });
        }
        found
    }

    fn of_signals(&self, now: &ProcessState) -> Vec<(Item, String)> {
        let pairs = self.handlers.iter().zip(&now.handlers).zip(signals::all());
        let handlers = pairs.filter(|((was, is), _)| was != is);
        let handlers =
            handlers.map(|(_, n)| (Item::Handler(n), format!("{} handler", signals::name(n))));
        let blocked = signals::of_mask(self.blocked ^ now.blocked);
        let blocked = blocked.map(|n| (Item::Blocked(n), format!("{} blocking", signals::name(n))));
        handlers.chain(blocked).collect()
    }

    fn changed_variables(&self, now: &ProcessState) -> BTreeSet<OsString> {
        let (was, is) = (&self.environment, &now.environment);
        if was == is {
            return BTreeSet::new();
        }
        let names = was.keys().chain(is.keys());
        let differ = names.filter(|name| was.get(*name) != is.get(*name));
        differ.cloned().collect()
    }

    /// Takes over how an item is in another look.
    pub(super) fn adopt(&mut self, item: &Item, from: &ProcessState) {
        match item {
            Item::Handler(number) => {
                if let Some(n) = signals::all().position(|n| n == *number) {
                    self.handlers[n] = from.handlers[n];
                }
            }
            Item::Directory => {
                self.directory = from.directory;
                self.directory_path.clone_from(&from.directory_path);
            }
            Item::Root => self.root = from.root,
            Item::Umask => self.umask.clone_from(&from.umask),
            Item::Limit(n) => self.limits[*n] = from.limits[*n],
            Item::Variable(name) => {
                match from.environment.get(name) {
                    Some(value) => self.environment.insert(name.clone(), value.clone()),
                    None => self.environment.remove(name),
                };
            }
            Item::Closed(n) | Item::Redirected(n) => {
                if let Some(n) = STREAMS.iter().position(|stream| stream == n) {
                    self.streams[n] = from.streams[n];
                }
            }
            Item::Dumpable => self.dumpable = from.dumpable,
            Item::Right(n) => self.rights[*n].clone_from(&from.rights[*n]),
            Item::Namespace(n) => self.namespaces[*n].clone_from(&from.namespaces[*n]),
            // Of one thread, which other looks do not see.
            Item::Blocked(_) | Item::FloatControl => {}
        }
    }
}

/// What could not be read compares as equal.
fn differ<T: PartialEq>(was: &Option<T>, is: &Option<T>) -> bool {
    was.is_some() && is.is_some() && was != is
}

fn from_to(was: &Option<String>, is: &Option<String>) -> String {
    let text = |value: &Option<String>| {
        let words = value.as_deref().unwrap_or_default().split_whitespace();
        escape(&words.collect::<Vec<_>>().join(" "))
    };
    format!("`{}` to `{}`", text(was), text(is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_is_named_and_can_be_taken_over() {
        let was = ProcessState::now();
        assert_eq!(was.differences(&was.clone()), []);
        let mut now = was.clone();
        let sigchld = signals::all().position(|n| n == 17).unwrap();
        now.handlers[sigchld] = was.handlers[10];
        now.umask = Some("0777".to_owned());
        now.directory = Some((0, 0));
        now.root = None;
        now.limits[7].current = Some(7);
        now.environment.insert("TZ_OF_TEST".into(), "UTC".into());
        now.streams[0] = None;
        now.float_control ^= 1 << 13;
        now.rights[0] = Some("7".to_owned());
        let differences = was.differences(&now);
        let words: Vec<&str> = differences
            .iter()
            .map(|(_, words)| words.as_str())
            .collect();
        let umask = format!("umask `{}` to `0777`", was.umask.as_deref().unwrap());
        let directory = format!("working directory to `{}`", was.directory_path.display());
        let user = format!(
            "user `{}` to `7`",
            was.rights[0].as_deref().unwrap().replace('\t', " ")
        );
        let wanted = [
            "SIGCHLD handler",
            &directory,
            &umask,
            "limit `max open files`",
            "variable `TZ_OF_TEST`",
            "descriptor 0, closed",
            "rounding of floating-point numbers",
            &user,
        ];
        assert_eq!(words, wanted);
        let mut settled = was.clone();
        for (item, _) in &differences {
            settled.adopt(item, &now);
        }
        let left = settled.differences(&now);
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].0, Item::FloatControl);
    }
}
