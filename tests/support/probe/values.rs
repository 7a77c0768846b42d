//! The kind `Probe`: each sort of value in both directions, each way to fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use longshore_loader::Loader;
use longshore_plugin_api::{Category, DriverError, testing};

use super::kind::{Colour, Everything, Inner, Listener, Probe};
use super::{PROBES, good, panicked, same};

/// A probe under one of the names of the map.
///
/// # Errors
/// The refusal in one line.
pub(super) fn probe(loader: &Loader, name: &str) -> Result<Arc<dyn Probe>, String> {
    let manager = loader.namespace::<dyn Probe>(PROBES).driver(name);
    Ok(manager.map_err(|e| e.one_line())?.driver())
}

fn everything() -> Everything {
    let inner = |text: &str, number| Inner {
        text: text.to_owned(),
        number,
    };
    Everything {
        text: "kostbar – 🦀 \0 \"".to_owned(),
        ratio: -0.25,
        yes: true,
        perhaps: Some(inner("", i64::MIN)),
        several: (0..300).map(|n| inner(&"x".repeat(n), n as i64)).collect(),
        named: (0..20).map(|n| (format!("key {n}"), n)).collect(),
        path: PathBuf::from("/a b/ç"),
        colour: Colour::Blue,
        nested: vec![vec![], vec![1], vec![2, 3]],
    }
}

/// Counts what it hears; the plugin calls it back.
struct Ear(AtomicU64);

impl Listener for Ear {
    fn hear(&self, text: &str) -> Result<u64, DriverError> {
        match text {
            "refuse" => Err(DriverError::busy("the ear is full")),
            "panic" => panic!("the ear hurts"),
            _ => Ok(self.0.fetch_add(1, Ordering::Relaxed) + 1),
        }
    }
}

/// Calls every method of a probe.
pub(super) fn everything_crosses(loader: &Loader, dir: &Path) -> Result<(), String> {
    let probe = probe(loader, "plain")?;
    texts_and_numbers(&*probe)?;
    records_and_lists(&*probe)?;
    lent_things(&*probe)?;
    let place = good("place", probe.place())?;
    let wanted = [PROBES, "plain", ""];
    same("place", &place[..3], &wanted.map(str::to_owned)[..])?;
    same("the directory", Path::new(&place[3]).starts_with(dir), true)
}

fn texts_and_numbers(probe: &dyn Probe) -> Result<(), String> {
    same("number", good("number", probe.number(41))?, 42)?;
    let small = good("small", probe.small(-1, 65_535, 0.5, false))?;
    same("small", small, -65_534.5)?;
    for text in ["", "a", "Grüß Gott 🦀", &"long ".repeat(20_000)] {
        same("text", good("text", probe.text(text))?, format!("{text}?"))?;
        let owned = good("owned_text", probe.owned_text(text.to_owned()))?;
        same("owned_text", owned, format!("{text}ab"))?;
    }
    let some = good("option", probe.option(Some("x".to_owned())))?;
    let none = good("option", probe.option(None))?;
    same(
        "option",
        (some, none),
        (None, Some("was nothing".to_owned())),
    )?;
    let path = good("path", probe.path(PathBuf::from("/a b")))?;
    same("path", path, PathBuf::from("/a b/below"))?;
    same("provided", good("provided", probe.provided(1))?, 1002)
}

fn records_and_lists(probe: &dyn Probe) -> Result<(), String> {
    let turned = Everything {
        yes: false,
        ..everything()
    };
    same(
        "record",
        good("record", probe.record(everything()))?,
        turned,
    )?;
    let empty = good("record", probe.record(Everything::default()))?;
    same("an empty record", empty.several.len(), 0)?;
    let text = good("lent_record", probe.lent_record(&everything()))?;
    same("lent_record", text, format!("{:?}", everything()))?;
    let letters = |order: [&str; 3]| order.map(str::to_owned).to_vec();
    let list = good("list", probe.list(letters(["a", "", "ü"])))?;
    same("list", list, letters(["ü", "", "a"]))?;
    same(
        "an empty list",
        good("list", probe.list(Vec::new()))?,
        Vec::new(),
    )?;
    let map = good("map", probe.map(BTreeMap::from([("one".to_owned(), 1)])))?;
    let wanted = BTreeMap::from([("one".to_owned(), 1), ("start".to_owned(), 7)]);
    same("map", map, wanted)?;
    let mut numbers = [1, 2, u32::MAX / 2];
    let sum = good("slice", probe.slice(&numbers))?;
    same("slice", sum, 3 + u64::from(u32::MAX / 2))?;
    same("an empty slice", good("slice", probe.slice(&[]))?, 0)?;
    good("mut_slice", probe.mut_slice(&mut numbers))?;
    same("mut_slice", numbers, [2, 4, u32::MAX - 1])?;
    good("an empty mut_slice", probe.mut_slice(&mut []))
}

fn lent_things(probe: &dyn Probe) -> Result<(), String> {
    let ear = Ear(AtomicU64::new(0));
    same("tell", good("tell", probe.tell(&ear, "hello", 3))?, 3)?;
    let error = probe.tell(&ear, "refuse", 1).err();
    let category = error.as_ref().map(DriverError::category);
    same("a listener that refuses", category, Some(Category::Busy))?;
    let call = good("call", probe.call(&testing::call()))?;
    same("call", call, "req-test false".to_owned())?;
    let late = probe.call(&testing::late_call()).err();
    let category = late.as_ref().map(DriverError::category);
    same("a call that is late", category, Some(Category::Timeout))
}

/// Errors keep their parts, panics their place, and the driver goes on.
pub(super) fn failures_are_contained(loader: &Loader) -> Result<(), String> {
    let probe = probe(loader, "plain")?;
    let Err(error) = probe.fail("error") else {
        return Err("`fail` succeeded".to_owned());
    };
    same("the category", error.category(), Category::Busy)?;
    same("the hint", error.help(), Some("later"))?;
    same("may be tried again", error.may_retry(), true)?;
    for _ in 0..3 {
        let (message, place) = panicked(probe.fail("panic"))?;
        same("the message", message.as_str(), "as asked")?;
        same("the place", place.contains("probes.rs:"), true)?;
        let (message, place) = panicked(probe.fail("index"))?;
        same("the message", message.contains("out of bounds"), true)?;
        same("the place", place.contains("probes.rs:"), true)?;
        let (_, place) = panicked(probe.fail("payload"))?;
        same("the place", place.contains("probes.rs:"), true)?;
        good("a panic in a thread", probe.fail("thread"))?;
        good("the next call", probe.fail("no"))?;
    }
    Ok(())
}

/// What a constructor, `ready` and a `Drop` do badly stays theirs.
pub(super) fn constructors_and_drops_are_guarded(
    loader: &Loader,
    dir: &Path,
) -> Result<(), String> {
    let probes = || loader.namespace::<dyn Probe>(PROBES);
    let Err(refusal) = probes().driver("never_built").map(drop) else {
        return Err("a constructor that panics succeeded".to_owned());
    };
    same("the code", refusal.code(), "driver/panicked")?;
    let line = refusal.one_line();
    if !line.contains("never_built cannot be built") {
        return Err(line);
    }
    let left = dir.join("drivers/test.probe/never_built/was-here");
    same("the constructor ran", left.is_file(), true)?;
    let thirteen = probes().driver("thirteen").map_err(|e| e.one_line())?;
    same("ready", thirteen.extension().ready().is_err(), true)?;
    drop(thirteen);
    drop(probe(loader, "drop_panics")?);
    good(
        "after a drop that panicked",
        probe(loader, "unset")?.number(1),
    )
    .map(drop)
}
