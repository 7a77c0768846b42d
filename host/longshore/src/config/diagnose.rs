//! Every text about `longshore.toml`, the variables and what they mean.
//!
//! Functions from facts to a `Diagnostic`; they decide nothing. Called by the readers and the
//! checks of this module's siblings.

use std::path::Path;

use longshore_loader::diagnostic::{Diagnostic, Place, advise, escape, quoted_list};
use longshore_loader::spanned::{Node, Value};

use super::keys::{self, KEYS, Key, Kind, SECTIONS};
use super::unit;
use crate::codes;

/// Where to look when a list of candidates would be too long.
const POINTER: &str = "see `longshore config show` for every key";

/// A file that was named is not there.
pub(super) fn not_found(path: &Path, near: Option<&str>, place: Place) -> Diagnostic {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = escape(&name.to_string_lossy());
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => escape(&dir.display().to_string()),
        _ => ".".to_owned(),
    };
    let what = format!("no file `{name}` in `{dir}`");
    let help = match near {
        Some(near) => format!("did you mean `{}`?", escape(near)),
        None => "correct the name; without it a missing file means the defaults".to_owned(),
    };
    Diagnostic::error(codes::NOT_FOUND, place, what).with_help(help)
}

/// A file that cannot be read.
pub(super) fn unreadable(path: &Path, why: &str) -> Diagnostic {
    let name = path.display().to_string();
    let what = format!("cannot read `{}`", escape(&name));
    Diagnostic::error(codes::UNREADABLE, Place::File(name), what)
        .with_why(why)
        .with_help("name a regular file that can be read")
}

/// A table, or a key outside of all tables, that does not exist.
pub(super) fn unknown_table(name: &str, is_table: bool, place: Place) -> Diagnostic {
    let shown = escape(name);
    if !is_table && let Some(key) = KEYS.iter().find(|k| k.name == name) {
        let what = format!("`{shown}` stands outside of all tables");
        return Diagnostic::error(codes::UNKNOWN_KEY, place, what)
            .with_label("not in a table")
            .with_help(format!("move it below `[{}]`", key.section));
    }
    let (what, label) = if is_table {
        (
            format!("unknown table `[{shown}]`"),
            "not a table of this file",
        )
    } else {
        (
            format!("unknown key `{shown}`"),
            "no key stands outside of a table",
        )
    };
    let d = Diagnostic::error(codes::UNKNOWN_KEY, place, what).with_label(label);
    let (near, _) = advise(name, SECTIONS, "");
    let d = match near {
        Some(near) => d
            .with_help(format!("did you mean `[{near}]`?"))
            .with_suggestion(near),
        None => d.with_help(format!("there are {}", quoted_list(SECTIONS))),
    };
    with_look_alike(d, name)
}

/// A variable whose first part is no table.
pub(super) fn variable_table(name: &str, place: Place) -> Diagnostic {
    let what = format!("no table `{}`", escape(name));
    Diagnostic::error(codes::UNKNOWN_KEY, place, what).with_advice(name, SECTIONS, POINTER)
}

/// A variable that names a table, and no key of it.
pub(super) fn variable_without_key(section: &str, place: Place) -> Diagnostic {
    let what = format!("it names the table `[{section}]`, and no key of it");
    let (keys, variable) = (
        quoted_list(&keys::names_in(section)),
        section.to_uppercase(),
    );
    Diagnostic::error(codes::UNKNOWN_KEY, place, what).with_help(format!(
        "write `LONGSHORE__{variable}__KEY`; the keys are {keys}"
    ))
}

/// A section that is not a table.
pub(super) fn not_a_table(section: &str, found: &str, place: Place) -> Diagnostic {
    let what = format!("`{section}` must be a table, not {found}");
    Diagnostic::error(codes::WRONG_TYPE, place, what)
        .with_label("expected a table")
        .with_help(format!("write `[{section}]`, and its keys below"))
}

/// A key that its table does not have.
pub(super) fn unknown_key(section: &str, name: &str, place: Place) -> Diagnostic {
    let shown = escape(name);
    let names = keys::names_in(section);
    let elsewhere: Vec<&Key> = KEYS.iter().filter(|k| k.name == name).collect();
    if let [key] = elsewhere.as_slice() {
        let what = format!(
            "`{shown}` belongs to `[{}]`, not to `[{section}]`",
            key.section
        );
        return Diagnostic::error(codes::UNKNOWN_KEY, place, what)
            .with_label(format!("not a key of `[{section}]`"))
            .with_help(format!("move it below `[{}]`", key.section));
    }
    let what = format!("unknown key `{shown}` in `[{section}]`");
    let d = Diagnostic::error(codes::UNKNOWN_KEY, place, what)
        .with_label(format!("not a key of `[{section}]`"))
        .with_advice(name, &names, POINTER);
    with_look_alike(d, name)
}

/// A key with an old name.
pub(super) fn renamed(section: &str, old: &str, new: &str, place: Place) -> Diagnostic {
    let what = format!("`{old}` of `[{section}]` is now `{new}`");
    Diagnostic::warning(codes::RENAMED, place, what)
        .with_label("the old name")
        .with_why("its value is used; the next major release refuses the old name")
        .with_help(format!("write `{new}`"))
        .with_suggestion(new)
}

/// A value of another type. `right` is what was meant.
pub(super) fn wrong_type(
    key: &Key,
    found: &str,
    right: Option<String>,
    place: Place,
) -> Diagnostic {
    let expected = expected(key);
    let what = format!("`{}` must be {expected}, not {found}", key.path());
    let d = Diagnostic::error(codes::WRONG_TYPE, place, what)
        .with_label(format!("expected {expected}, found {found}"));
    with_right(d, right, || format!("write {}", example(key)))
}

/// An item of a list that is not a text.
pub(super) fn wrong_item(
    key: &Key,
    found: &str,
    right: Option<String>,
    place: Place,
) -> Diagnostic {
    let what = format!("the items of `{}` must be texts, not {found}", key.path());
    let d = Diagnostic::error(codes::WRONG_TYPE, place, what)
        .with_label(format!("expected text, found {found}"));
    with_right(d, right, || format!("write {}", example(key)))
}

/// A multiplier that is not a number.
pub(super) fn wrong_weight(name: &str, found: &Value, place: Place) -> Diagnostic {
    let kind = found.kind();
    let what = format!(
        "the multiplier of weigher `{}` must be a number, not {kind}",
        escape(name)
    );
    let right = match found {
        Value::String(text) => text.trim().parse::<f64>().ok().filter(|n| n.is_finite()),
        _ => None,
    };
    let d = Diagnostic::error(codes::WRONG_TYPE, place, what)
        .with_label(format!("expected a number, found {kind}"));
    with_right(d, right.map(|n| format!("{n:?}")), || {
        "write a number, for example `1.0`".into()
    })
}

/// A multiplier that is infinite or not a number.
pub(super) fn not_finite(name: &str, shown: &str, place: Place) -> Diagnostic {
    let name = escape(name);
    let what = format!(
        "the multiplier of weigher `{name}` must be finite, not `{}`",
        escape(shown)
    );
    Diagnostic::error(codes::OUT_OF_RANGE, place, what)
        .with_label("not finite")
        .with_help("write a finite number, for example `1.0`")
}

/// A number outside its limits.
pub(super) fn out_of_range(key: &Key, shown: &str, place: Place) -> Diagnostic {
    let limits = match key.kind {
        Kind::Integer(min, max) => format!("between {min} and {max}"),
        Kind::Float(min, max) => format!("between {min} and {max}"),
        _ => "finite".to_owned(),
    };
    let what = format!("`{}` must be {limits}, not {}", key.path(), escape(shown));
    Diagnostic::error(codes::OUT_OF_RANGE, place, what)
        .with_label("out of range")
        .with_help(format!("write a number {limits}"))
}

/// A word that is not offered.
pub(super) fn bad_word(key: &Key, text: &str, words: &[&str], place: Place) -> Diagnostic {
    let what = format!("`{}` cannot be `{}`", key.path(), escape(text));
    Diagnostic::error(codes::BAD_VALUE, place, what)
        .with_label(format!("not one of {}", quoted_list(words)))
        .with_advice(text, words, POINTER)
}

/// A unit that is not known. `near` is the number that was probably meant.
pub(super) fn bad_unit(key: &Key, found: &str, near: Option<String>, place: Place) -> Diagnostic {
    let wanted = key.unit().unwrap_or("its own unit");
    let what = format!(
        "unknown unit `{}`: `{}` counts {wanted}",
        escape(found),
        key.path()
    );
    let d = Diagnostic::error(codes::BAD_VALUE, place, what).with_label("unknown unit");
    match near {
        Some(number) => d.with_help(format!("write `{number}`, a number of {wanted}")),
        None => d.with_help(format!("write a whole number of {wanted}")),
    }
}

/// An empty text.
pub(super) fn empty(key: &Key, place: Place) -> Diagnostic {
    let what = format!("`{}` is empty", key.path());
    Diagnostic::error(codes::BAD_VALUE, place, what)
        .with_label("empty")
        .with_help("give it a value, or remove the key to use the default")
}

/// A variable that is empty or too long.
pub(super) fn variable_size(bytes: usize, bytes_max: usize, place: Place) -> Diagnostic {
    if bytes == 0 {
        return Diagnostic::error(codes::BAD_VALUE, place, "its value is empty")
            .with_help("give it a value, or unset it");
    }
    let what = format!("its value has {bytes} bytes, the limit is {bytes_max}");
    Diagnostic::error(codes::TOO_LARGE, place, what).with_help("set the key in the file")
}

/// More variables than are looked at.
pub(super) fn too_many_variables(first: &str) -> Diagnostic {
    let max = super::environment::VARIABLES_MAX;
    let what = format!(
        "more than {max} environment variables begin with `{}`",
        keys::VARIABLE_PREFIX
    );
    Diagnostic::error(codes::TOO_LARGE, Place::Environment(first.to_owned()), what)
        .with_help("unset those that are not needed")
}

/// A name twice in a list.
pub(super) fn listed_twice(key: &Key, name: &str, first: usize, place: Place) -> Diagnostic {
    let what = format!("`{}` is listed twice in `{}`", escape(name), key.path());
    Diagnostic::error(codes::DUPLICATE, place, what)
        .with_label(format!("first at item {first}"))
        .with_help("keep one")
}

/// A value that has the right type and cannot be used. `why` may quote parts of the value.
pub(super) fn bad_value(
    path: &str,
    value: &str,
    why: &str,
    help: &str,
    place: Place,
) -> Diagnostic {
    let what = format!("`{path}` cannot be `{}`", shown(value));
    let is_text = matches!(place, Place::Text { .. });
    let d = Diagnostic::error(codes::BAD_VALUE, place, what).with_help(help);
    let d = if is_text {
        d.with_label(why)
    } else {
        d.with_why(why)
    };
    // An address that is broken may hide its password from those who mask passwords.
    if value.contains('@') && !value.contains("://") {
        d.with_secret()
    } else {
        d
    }
}

/// Something accepted that is probably not meant.
pub(super) fn odd(place: Place, what: impl Into<String>, help: &str) -> Diagnostic {
    Diagnostic::warning(codes::ODD, place, what).with_help(help)
}

/// Two choices that exclude each other.
pub(super) fn contradiction(place: Place, what: String, why: &str, help: &str) -> Diagnostic {
    Diagnostic::error(codes::CONTRADICTION, place, what)
        .with_why(why)
        .with_help(help)
}

/// A value of a message: passwords hidden, also those that stand where no password can be found.
fn shown(value: &str) -> String {
    let masked = escape(value);
    match masked.split_once('@') {
        Some((before, after)) if !before.contains("***") => {
            let scheme = before.split_once(':').map_or("", |(scheme, _)| scheme);
            format!("{scheme}:***@{after}")
        }
        _ => masked,
    }
}

/// What a key takes, in words.
fn expected(key: &Key) -> String {
    match key.kind {
        Kind::Text | Kind::Path | Kind::Word(_) => "text".to_owned(),
        Kind::Integer(..) => match key.unit() {
            Some(unit) => format!("a whole number of {unit}"),
            None => "a whole number".to_owned(),
        },
        Kind::Float(..) => "a number".to_owned(),
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Names => "a list".to_owned(),
        Kind::Weights => "a table".to_owned(),
    }
}

fn example(key: &Key) -> String {
    match key.kind {
        Kind::Names => "a list of texts: `[\"ram\", \"disk\"]`".to_owned(),
        Kind::Weights => "a table of numbers: `{ ram = 1.0 }`".to_owned(),
        Kind::Word(words) => format!("one of {}", quoted_list(words)),
        Kind::Text | Kind::Path | Kind::Integer(..) | Kind::Float(..) | Kind::Boolean => {
            expected(key)
        }
    }
}

/// The text that would be right instead of a value of another type, if it can be known.
pub(super) fn right_text(key: &Key, node: &Node, slice: &str) -> Option<String> {
    match (key.kind, &node.value) {
        (Kind::Text | Kind::Path, _) => quoted(node, slice),
        (Kind::Integer(..), Value::String(text)) => {
            let quantity = unit::split(text)?;
            match key.unit() {
                Some(unit) => quantity.convert(unit).ok(),
                None => text.trim().parse::<i64>().ok().map(|n| n.to_string()),
            }
        }
        (Kind::Integer(..), Value::Float(number)) if number.fract() == 0.0 => {
            Some(format!("{number:.0}"))
        }
        (Kind::Float(..), Value::String(text)) => {
            let number = text.trim().parse::<f64>().ok().filter(|n| n.is_finite())?;
            Some(format!("{number:?}"))
        }
        (Kind::Boolean, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some("true".to_owned()),
            "false" | "no" | "off" => Some("false".to_owned()),
            _ => None,
        },
        (Kind::Boolean, Value::Integer(0)) => Some("false".to_owned()),
        (Kind::Boolean, Value::Integer(1)) => Some("true".to_owned()),
        (Kind::Names, Value::String(text)) => Some(format!("[{:?}]", escape(text))),
        _ => None,
    }
}

/// A number, date or boolean that only lacks its quotes.
pub(super) fn quoted(node: &Node, slice: &str) -> Option<String> {
    let bare = matches!(
        node.value,
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_)
    );
    bare.then(|| format!("\"{}\"", escape(slice)))
}

fn with_right(d: Diagnostic, right: Option<String>, or: impl Fn() -> String) -> Diagnostic {
    match right {
        Some(right) => d
            .with_help(format!("write `{right}`"))
            .with_suggestion(right),
        None => d.with_help(or()),
    }
}

/// Names a letter of another script that looks like a Latin one.
fn with_look_alike(d: Diagnostic, word: &str) -> Diagnostic {
    const PAIRS: &[(char, char)] = &[
        ('\u{430}', 'a'),
        ('\u{435}', 'e'),
        ('\u{43e}', 'o'),
        ('\u{440}', 'p'),
        ('\u{441}', 'c'),
        ('\u{443}', 'y'),
        ('\u{445}', 'x'),
        ('\u{456}', 'i'),
    ];
    let found = word
        .chars()
        .find_map(|c| PAIRS.iter().find(|(odd, _)| *odd == c));
    match found {
        Some((c, plain)) => {
            let number = u32::from(*c);
            d.with_note(format!(
                "it contains U+{number:04X}, which looks like `{plain}`"
            ))
        }
        None => d,
    }
}
