//! What is fed: each reader of foreign text or bytes, with inputs that it accepts.
//!
//! A reader answers whether it took the input. What it refuses, it must refuse in words of one line.

use std::fs;
use std::path::Path;

use longshore_loader::diagnostic::{Style, render};
use longshore_loader::elf::{self, ElfNote, ElfRefusal};
use longshore_loader::inspect::{FileIdentity, Refusal, inspect_bytes};
use longshore_loader::lock::PluginsLock;
use longshore_loader::map::{MapError, PluginMap};
use longshore_loader::note::{self, EntryMetadata, NOTE_NAME, NOTE_TYPE};
use longshore_loader::settings_check;
use longshore_loader::signature::{self, Key};
use longshore_tests::files::workspace;

/// A reader.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Inputs that it accepts.
    pub(crate) good: fn() -> Vec<Vec<u8>>,
    /// Whether it accepts an input.
    pub(crate) read: fn(&[u8]) -> bool,
    /// What its format is made of.
    pub(crate) words: &'static [&'static str],
    /// How many bytes at the beginning hold its structure.
    pub(crate) head: usize,
}

const TOML: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "\"",
    "'",
    "\"\"\"",
    "\n",
    "\\u0000",
    "#",
    "lib",
    "alias",
    "patch",
    "true",
    "false",
    "nan",
    "-inf",
    "1e999",
    "0x",
    "99999999999999999999",
    "1979-05-27",
    "longshore",
    "é",
    "\u{202e}",
    "version",
    "plugin",
    "sha256",
    "entries",
];
const JSON: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "\"",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "1e999",
    "-0",
    "99999999999999999999",
    "\"v\":",
    "\"api\":",
    "\"1.0\"",
    "\"panic\"",
    "\"entries\":",
    "\"settings\":",
    "\"type\":\"list\"",
    "\"one_of\":[",
    "\"min\":",
    "\"default\":",
    "é",
    "\0",
];
const BYTES: &[&str] = &[
    "\x7fELF",
    "longshore\0",
    "GLIBC_2.4",
    "GNU\0",
    "\0\0\0\0\0\0\0\0",
    "libc.so.6\0",
];
const LETTERS: &[&str] = &[
    "\n",
    "\r\n",
    "=",
    "RW",
    "RU",
    "untrusted comment: ",
    "trusted comment: ",
    "é",
    "\0",
];

/// Everything.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "elf",
        good: plugins,
        read: read_elf,
        words: BYTES,
        head: 1024,
    },
    Target {
        name: "linking",
        good: plugins,
        read: read_linking,
        words: BYTES,
        head: 1024,
    },
    Target {
        name: "note",
        good: notes,
        read: read_note,
        words: JSON,
        head: usize::MAX,
    },
    Target {
        name: "map",
        good: maps,
        read: read_map,
        words: TOML,
        head: usize::MAX,
    },
    Target {
        name: "settings",
        good: settings,
        read: read_settings,
        words: JSON,
        head: usize::MAX,
    },
    Target {
        name: "lock",
        good: locks,
        read: read_lock,
        words: TOML,
        head: usize::MAX,
    },
    Target {
        name: "signature",
        good: signatures,
        read: read_signature,
        words: LETTERS,
        head: usize::MAX,
    },
];

const NOTE: &str = r#"{"v":1,"plugin":"acme-filters","version":"0.1.0","description":"d","license":"Apache-2.0","api":"1.0","rustc":"rustc 1.95.0","target":"t","panic":"unwind","entries":[{"namespace":"n.s","name":"ram","kind":"n.k","trait":"Filter","revision":1,"description":"x","settings":[{"key":"ratio","type":"float","default":1.5,"required":false,"help":"h","min":0.5,"max":9.5},{"key":"mode","type":"string","one_of":["a","b"],"secret":true},{"key":"many","type":"list"},{"key":"table","type":"table"},{"key":"n","type":"integer","required":true},{"key":"on","type":"boolean"}]}]}"#;
const SETTINGS: &str = "['n.s']\nram = { lib = 'a.so', settings = { ratio = 1.5, mode = 'a', many = ['x'], table = { a = 1 }, n = 3, on = true } }\n";
const LOCK: &str = "version = 1\n[[plugin]]\nsha256 = \"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\"\nlib = [\"a.so\"]\nplugin = \"a\"\nversion = \"1.2.0\"\napi = \"1.0\"\nentries = [\n  { namespace = \"n.s\", name = \"a\", export = \"a\", kind = \"n.k\", revision = 1 },\n]\n";
const SIGNATURE: &str = include_str!("../../host/loader/src/signature/testdata/one.minisig");
const KEY: &str = include_str!("../../host/loader/src/signature/testdata/one.pub");

/// The smallest of the kept plugins: what is damaged is copied each time.
fn plugins() -> Vec<Vec<u8>> {
    let dir = fs::read_dir(workspace().join("tests/old")).expect("kept plugins");
    let paths = dir.filter_map(|e| Some(e.ok()?.path()));
    let plugins = paths.filter(|p| p.extension().is_some_and(|x| x == "so"));
    let mut plugins: Vec<_> = plugins.filter_map(|p| fs::read(p).ok()).collect();
    plugins.sort_by_key(Vec::len);
    plugins.truncate(2);
    plugins
}

fn notes() -> Vec<Vec<u8>> {
    vec![NOTE.into()]
}

fn maps() -> Vec<Vec<u8>> {
    let shipped = fs::read(workspace().join("plugins.toml")).unwrap_or_default();
    vec![shipped, SETTINGS.into()]
}

/// A map, a zero byte, and a schema.
fn settings() -> Vec<Vec<u8>> {
    vec![format!("{SETTINGS}\0{NOTE}").into()]
}

fn locks() -> Vec<Vec<u8>> {
    vec![LOCK.into(), "version = 1\n".into()]
}

fn signatures() -> Vec<Vec<u8>> {
    vec![SIGNATURE.into(), SIGNATURE.replace('\n', "\r\n").into()]
}

fn read_elf(bytes: &[u8]) -> bool {
    said(elf::read(bytes).map(drop))
}

/// The whole inspection, with what the system has.
fn read_linking(bytes: &[u8]) -> bool {
    let identity = FileIdentity {
        dev: 0,
        inode: 0,
        size: 0,
        mtime_ns: 0,
        ctime_ns: 0,
    };
    refused(inspect_bytes(Path::new("x.so"), identity, bytes).map(drop))
}

fn read_note(bytes: &[u8]) -> bool {
    let note = ElfNote {
        name: NOTE_NAME,
        kind: NOTE_TYPE,
        desc: bytes,
    };
    said(note::read(&[note]).and_then(|m| note::check_panic(&m)))
}

fn read_map(bytes: &[u8]) -> bool {
    match PluginMap::parse(&String::from_utf8_lossy(bytes), "plugins.toml") {
        Ok(map) => {
            let again = PluginMap::parse(&map.to_toml(), "printed");
            assert!(again.is_ok(), "what is printed is read");
            render(map.diagnostics(), Style::default());
            true
        }
        Err(error) => complained(&error),
    }
}

fn read_settings(bytes: &[u8]) -> bool {
    let middle = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let (map, schema) = bytes.split_at(middle);
    let note = ElfNote {
        name: NOTE_NAME,
        kind: NOTE_TYPE,
        desc: schema.get(1..).unwrap_or_default(),
    };
    let Ok(metadata) = note::read(&[note]) else {
        return false;
    };
    let Ok(map) = PluginMap::parse(&String::from_utf8_lossy(map), "plugins.toml") else {
        return false;
    };
    let mut clean = true;
    for entry in map.all_entries() {
        for EntryMetadata { settings, .. } in &metadata.entries {
            let found = settings_check::check(entry, &entry.name, settings);
            clean &= found.is_empty();
            render(&found, Style::default());
            settings_check::with_defaults(&entry.settings, settings);
        }
    }
    clean
}

fn read_lock(bytes: &[u8]) -> bool {
    match PluginsLock::parse(bytes, "plugins.lock") {
        Ok(lock) => {
            let again = PluginsLock::parse(lock.to_toml().as_bytes(), "printed");
            assert_eq!(again.as_ref(), Ok(&lock), "what is printed is read");
            lock.changes_to(&PluginsLock::default());
            true
        }
        Err(error) => complained(&error),
    }
}

fn read_signature(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let keys: Vec<Key> = Key::parse(KEY)
        .into_iter()
        .chain(Key::parse(&text))
        .collect();
    let content: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    refused(signature::verify(Path::new("x.so"), &content[..], &text, &keys).map(drop))
}

fn said(outcome: Result<(), ElfRefusal>) -> bool {
    let Err(refusal) = outcome else { return true };
    let text = format!("{}{}", refusal.why, refusal.help);
    assert!(!text.contains('\n') && !refusal.why.is_empty(), "one line");
    false
}

fn refused(outcome: Result<(), Refusal>) -> bool {
    let Err(refusal) = outcome else { return true };
    assert!(!refusal.one_line().contains('\n'), "one line");
    false
}

fn complained(error: &MapError) -> bool {
    assert!(!error.diagnostics.is_empty() && !error.to_string().is_empty());
    false
}
