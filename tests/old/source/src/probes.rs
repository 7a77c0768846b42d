//! Drivers of the kind `Probe`: one that answers, one that cannot be built, one that cannot be dropped.

use super::probe::{Everything, Listener, Probe};
use longshore_plugin_api::{settings, CallContext, Context, Driver, DriverError, NoSettings};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which build it is. Whoever wants many files that differ changes the digits in a copy of the built file.
static SERIAL: &str = "the serial number of this build is 00000000, as told by its own code";

settings! {
    /// What can be set on the probe.
    pub struct PlainSettings {
        /// Put behind texts.
        mark: String = "!", one_of = ["!", "?"];
        /// Counted from here.
        start: u32 = 7, min = 1, max = 100;
        /// Any texts.
        words: Vec<String> = ["a", "b"];
    }
}

/// Gives back what it is given.
pub struct Plain {
    settings: PlainSettings,
    context: Context,
}

impl Driver for Plain {
    type Settings = PlainSettings;
    fn new(settings: PlainSettings, context: &Context) -> Result<Self, DriverError> {
        let context = context.clone();
        context.log().info(format_args!("starts at {}", settings.start));
        Ok(Plain { settings, context })
    }
    fn ready(&self) -> Result<(), DriverError> {
        match self.settings.start {
            13 => Err(DriverError::unavailable("thirteen is not ready").hint("use another number")),
            _ => Ok(()),
        }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        // One line for each drop, for whoever counts them.
        self.context.log().info("dropped");
    }
}

/// A payload whose own drop panics.
struct BadPayload;

impl Drop for BadPayload {
    fn drop(&mut self) {
        panic!("from the payload's own drop");
    }
}

impl Probe for Plain {
    fn number(&self, n: u64) -> Result<u64, DriverError> {
        Ok(n + 1)
    }
    fn small(&self, a: i8, b: u16, c: f32, yes: bool) -> Result<f64, DriverError> {
        let sum = f64::from(a) + f64::from(b) + f64::from(c);
        Ok(if yes { sum } else { -sum })
    }
    fn text(&self, text: &str) -> Result<String, DriverError> {
        Ok(format!("{}{}", text, self.settings.mark))
    }
    fn owned_text(&self, mut text: String) -> Result<String, DriverError> {
        text.push_str(&self.settings.words.concat());
        Ok(text)
    }
    fn record(&self, mut value: Everything) -> Result<Everything, DriverError> {
        value.yes = !value.yes;
        Ok(value)
    }
    fn lent_record(&self, value: &Everything) -> Result<String, DriverError> {
        Ok(format!("{:?}", value))
    }
    fn option(&self, value: Option<String>) -> Result<Option<String>, DriverError> {
        Ok(match value {
            Some(_) => None,
            None => Some("was nothing".to_owned()),
        })
    }
    fn list(&self, mut values: Vec<String>) -> Result<Vec<String>, DriverError> {
        values.reverse();
        Ok(values)
    }
    fn map(&self, mut values: BTreeMap<String, u64>) -> Result<BTreeMap<String, u64>, DriverError> {
        values.insert("start".to_owned(), u64::from(self.settings.start));
        Ok(values)
    }
    fn slice(&self, numbers: &[u32]) -> Result<u64, DriverError> {
        Ok(numbers.iter().map(|n| u64::from(*n)).sum())
    }
    fn mut_slice(&self, numbers: &mut [u32]) -> Result<(), DriverError> {
        numbers.iter_mut().for_each(|n| *n *= 2);
        Ok(())
    }
    fn path(&self, path: PathBuf) -> Result<PathBuf, DriverError> {
        Ok(path.join("below"))
    }
    fn tell(&self, listener: &dyn Listener, text: &str, times: u32) -> Result<u64, DriverError> {
        let mut heard = 0;
        for _ in 0..times {
            heard = listener.hear(text)?;
        }
        Ok(heard)
    }
    fn call(&self, context: &CallContext<'_>) -> Result<String, DriverError> {
        context.check()?;
        Ok(format!("{} {}", context.request_id(), context.remaining().is_some()))
    }
    fn place(&self) -> Result<Vec<String>, DriverError> {
        let context = &self.context;
        let dir = context.state_dir().display().to_string();
        let texts = [context.namespace(), context.name(), context.host(), &dir, SERIAL];
        Ok(texts.iter().map(|text| text.to_string()).collect())
    }
    fn fail(&self, how: &str) -> Result<(), DriverError> {
        match how {
            "error" => Err(DriverError::busy("not now").hint("later").retry()),
            "panic" => panic!("as asked"),
            "index" => {
                let none: Vec<u32> = Vec::with_capacity(how.len());
                self.number(u64::from(none[how.len()])).map(drop)
            }
            "payload" => std::panic::panic_any(BadPayload),
            "thread" => {
                let ended = std::thread::spawn(|| panic!("alone in a thread")).join();
                assert!(ended.is_err());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

macro_rules! probe_without_answers {
    ($($name:ident),*) => {$(impl Probe for $name {
        fn number(&self, n: u64) -> Result<u64, DriverError> { Ok(n) }
        fn small(&self, _: i8, _: u16, _: f32, _: bool) -> Result<f64, DriverError> { Ok(0.0) }
        fn text(&self, _: &str) -> Result<String, DriverError> { Ok(String::new()) }
        fn owned_text(&self, text: String) -> Result<String, DriverError> { Ok(text) }
        fn record(&self, value: Everything) -> Result<Everything, DriverError> { Ok(value) }
        fn lent_record(&self, _: &Everything) -> Result<String, DriverError> { Ok(String::new()) }
        fn option(&self, value: Option<String>) -> Result<Option<String>, DriverError> { Ok(value) }
        fn list(&self, values: Vec<String>) -> Result<Vec<String>, DriverError> { Ok(values) }
        fn map(&self, values: BTreeMap<String, u64>) -> Result<BTreeMap<String, u64>, DriverError> { Ok(values) }
        fn slice(&self, _: &[u32]) -> Result<u64, DriverError> { Ok(0) }
        fn mut_slice(&self, _: &mut [u32]) -> Result<(), DriverError> { Ok(()) }
        fn path(&self, path: PathBuf) -> Result<PathBuf, DriverError> { Ok(path) }
        fn tell(&self, _: &dyn Listener, _: &str, _: u32) -> Result<u64, DriverError> { Ok(0) }
        fn call(&self, _: &CallContext<'_>) -> Result<String, DriverError> { Ok(String::new()) }
        fn place(&self) -> Result<Vec<String>, DriverError> { Ok(Vec::new()) }
        fn fail(&self, _: &str) -> Result<(), DriverError> { Ok(()) }
    })*};
}
probe_without_answers!(NeverBuilt, DropPanics);

/// Its constructor panics.
pub struct NeverBuilt;

impl Driver for NeverBuilt {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        // Whoever finds the file knows that the constructor ran.
        let dir = context.state_dir();
        std::fs::create_dir_all(dir).map_err(|e| DriverError::internal(e.to_string()))?;
        std::fs::write(dir.join("was-here"), "").map_err(|e| DriverError::internal(e.to_string()))?;
        panic!("{} cannot be built", context.name())
    }
}

/// Panics when it is dropped.
pub struct DropPanics {
    context: Context,
}

impl Driver for DropPanics {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        Ok(DropPanics { context: context.clone() })
    }
}

impl Drop for DropPanics {
    fn drop(&mut self) {
        self.context.log().info("dropped");
        panic!("while being dropped");
    }
}
