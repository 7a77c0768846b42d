//! `Guest`: what `fake` remembers of one guest, and the text of its file.
//!
//! The file is `key value` lines between a first and a last line that never change: a file that a
//! full disk or a crash has cut is recognised. Knows no paths; `store` keeps guests, `driver` makes
//! them.

use longshore_plugin_api::{Instance, PowerState};

const FIRST: &str = "longshore-fake 1";
const LAST: &str = "end";

/// The part of a name that is kept, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// One guest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Guest {
    /// What it is doing; `NoState` when its file could not be understood.
    pub(crate) state: PowerState,
    /// Its processors.
    pub(crate) vcpus: u32,
    /// Its memory, MB.
    pub(crate) memory_mb: u64,
    /// Its disks together, GB.
    pub(crate) disk_gb: u64,
    /// The start of its name, for people who look at the file.
    pub(crate) name: String,
}

impl Guest {
    /// A running guest, as asked for.
    pub(crate) fn of(instance: &Instance) -> Self {
        let mut name = String::new();
        for c in instance.name.chars().filter(|c| !c.is_control()) {
            if name.len() + c.len_utf8() > NAME_BYTES_MAX {
                break;
            }
            name.push(c);
        }
        Self {
            state: PowerState::Running,
            vcpus: instance.vcpus,
            memory_mb: instance.memory_mb,
            disk_gb: instance.root_gb.saturating_add(instance.ephemeral_gb),
            name,
        }
    }

    /// What stands for a guest whose file cannot be understood: it is listed, holds nothing, and
    /// can be destroyed.
    pub(crate) fn unknown() -> Self {
        let (vcpus, memory_mb, disk_gb, name) = (0, 0, 0, String::new());
        Self {
            state: PowerState::NoState,
            vcpus,
            memory_mb,
            disk_gb,
            name,
        }
    }

    /// The text of its file.
    pub(crate) fn to_text(&self) -> String {
        let Guest {
            state,
            vcpus,
            memory_mb,
            disk_gb,
            name,
        } = self;
        let state = *state as u32;
        format!(
            "{FIRST}\nstate {state}\nvcpus {vcpus}\nmemory_mb {memory_mb}\ndisk_gb {disk_gb}\n\
             name {name}\n{LAST}\n"
        )
    }

    /// Reads the text of a file; `None` unless all of it is as [`Guest::to_text`] writes it.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut value = |key: &str| lines.next()?.strip_prefix(key)?.strip_prefix(' ');
        if value("longshore-fake")? != "1" {
            return None;
        }
        let guest = Self {
            state: state(value("state")?.parse().ok()?)?,
            vcpus: value("vcpus")?.parse().ok()?,
            memory_mb: value("memory_mb")?.parse().ok()?,
            disk_gb: value("disk_gb")?.parse().ok()?,
            name: value("name")?.to_owned(),
        };
        (lines.next() == Some(LAST) && text.ends_with('\n')).then_some(guest)
    }
}

fn state(number: u32) -> Option<PowerState> {
    use PowerState::{Paused, Running, Shutdown};
    [Running, Paused, Shutdown]
        .iter()
        .copied()
        .find(|s| *s as u32 == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(name: &str) -> Guest {
        Guest::of(&Instance {
            name: name.into(),
            vcpus: 2,
            memory_mb: 512,
            root_gb: 3,
            ephemeral_gb: 4,
            ..Instance::default()
        })
    }

    #[test]
    fn the_text_comes_back_and_no_part_of_it_does() {
        let guest = guest("naïve 🦀");
        let text = guest.to_text();
        assert_eq!(Guest::from_text(&text).as_ref(), Some(&guest));
        for (cut, _) in text.char_indices() {
            assert_eq!(Guest::from_text(&text[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_name_cannot_write_lines_of_its_own() {
        let guest = guest("a\nend\nstate 4\r\u{2028}b");
        assert_eq!(Guest::from_text(&guest.to_text()), Some(guest));
        assert!(
            super::Guest::of(&Instance {
                name: "ü".repeat(9999),
                ..Instance::default()
            })
            .name
            .len()
                <= 1024
        );
    }
}
