//! The bridge, in one process: what crosses, what is caught, what is refused.
#![cfg(feature = "testing")]

use longshore_plugin_api::{
    driver_kind, record, settings, testing, wire_enum, Category, Context, Driver, DriverError,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

record! {
    /// Everything a record may hold.
    pub struct Parcel {
        /// Text.
        pub label: String,
        /// A number.
        pub weight: f64,
        /// Perhaps.
        pub note: Option<String>,
        /// Several.
        pub stops: Vec<String>,
        /// By name.
        pub tags: BTreeMap<String, u64>,
        /// Bytes of a path.
        pub path: PathBuf,
        /// A number with a name.
        pub size: Size,
    }
}

wire_enum! {
    /// How big.
    pub enum Size {
        /// Small.
        Small = 0,
        /// Big.
        Big = 7,
    }
}

driver_kind! {
    id: "test.helper", revision: 1;

    /// What is lent to a carrier.
    pub trait Helper: Send + Sync + 'static {
        /// Adds up.
        fn add(&self, a: u64, b: u64) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.carrier", revision: 1;

    /// Carries parcels.
    pub trait Carrier: Send + Sync + 'static {
        /// Gives the parcel back.
        fn carry(&self, parcel: Parcel) -> Result<Parcel, DriverError>;
        /// Looks at it.
        fn look(&self, parcel: &Parcel) -> Result<String, DriverError>;
        /// Doubles numbers in place.
        fn double(&self, numbers: &mut [u32]) -> Result<(), DriverError>;
        /// Asks the helper.
        fn ask(&self, helper: &dyn Helper, a: u64) -> Result<u64, DriverError>;
        /// Fails as asked.
        fn fail(&self, how: &str) -> Result<Option<bool>, DriverError>;
        /// Answers for those that do not.
        fn provided(&self, n: u64) -> Result<u64, DriverError> {
            let twice = self.fail("not at all")?.map_or(2, |_| 3);
            Ok(n * twice)
        }
    }
}

settings! {
    /// Settings of the test carrier.
    struct CarrierSettings {
        /// Must be given.
        name: String;
        /// May be given.
        speed: f64 = 1.5, min = 0.5, max = 100.0;
        /// One of a few.
        mode: String = "fast", one_of = ["fast", "slow"];
        /// A list.
        roads: Vec<String> = ["a", "b"];
    }
}

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Van {
    settings: CarrierSettings,
}

impl Driver for Van {
    type Settings = CarrierSettings;
    fn new(settings: CarrierSettings, context: &Context) -> Result<Self, DriverError> {
        assert_eq!(context.state_dir(), Path::new("/tmp/bridge"));
        match settings.name.as_str() {
            "refuse" => Err(DriverError::unavailable("no road").hint("build one")),
            "panic" => panic!("constructor of {}", settings.name),
            _ => Ok(Van { settings }),
        }
    }
}

impl Drop for Van {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
        if self.settings.name == "bad drop" {
            panic!("while dropping");
        }
    }
}

struct BadPayload;
impl Drop for BadPayload {
    fn drop(&mut self) {
        panic!("from the payload's own drop");
    }
}

impl Carrier for Van {
    fn carry(&self, parcel: Parcel) -> Result<Parcel, DriverError> {
        Ok(parcel)
    }
    fn look(&self, parcel: &Parcel) -> Result<String, DriverError> {
        Ok(format!(
            "{} at {} by {:?}",
            parcel.label, self.settings.speed, self.settings.roads
        ))
    }
    fn double(&self, numbers: &mut [u32]) -> Result<(), DriverError> {
        numbers.iter_mut().for_each(|n| *n *= 2);
        Ok(())
    }
    fn ask(&self, helper: &dyn Helper, a: u64) -> Result<u64, DriverError> {
        helper.add(a, 1)
    }
    fn fail(&self, how: &str) -> Result<Option<bool>, DriverError> {
        match how {
            "error" => Err(DriverError::busy("engine is hot").hint("wait").retry()),
            "panic" => panic!("flat tyre"),
            "index" => Ok(Some(self.settings.roads[usize::MAX - 1].is_empty())),
            "payload" => std::panic::panic_any(BadPayload),
            _ => Ok(None),
        }
    }
}

struct Clerk(u64);
impl Helper for Clerk {
    fn add(&self, a: u64, b: u64) -> Result<u64, DriverError> {
        if a == 13 {
            panic!("unlucky");
        }
        Ok(a + b + self.0)
    }
}

fn van(settings: &str) -> Result<std::sync::Arc<dyn Carrier>, DriverError> {
    testing::bridged::<dyn Carrier, Van>(settings, Path::new("/tmp/bridge"))
}

fn parcel() -> Parcel {
    Parcel {
        label: "kostbar – 🦀".into(),
        weight: -0.5,
        note: Some(String::new()),
        stops: vec!["x".into(), "ÿ".into()],
        tags: [("k".to_string(), 7)].into(),
        path: PathBuf::from("/a b"),
        size: Size::Big,
    }
}

#[test]
fn everything_crosses_both_ways() {
    let van = van(r#"{"name": "v", "roads": ["q"]}"#).unwrap();
    assert_eq!(van.carry(parcel()).unwrap(), parcel());
    assert_eq!(van.carry(Parcel::default()).unwrap(), Parcel::default());
    assert_eq!(
        van.look(&parcel()).unwrap(),
        "kostbar – 🦀 at 1.5 by [\"q\"]"
    );
    let mut numbers = [1, 2, 3];
    van.double(&mut numbers).unwrap();
    van.double(&mut []).unwrap();
    assert_eq!(numbers, [2, 4, 6]);
    assert_eq!(van.provided(21).unwrap(), 42);
}

#[test]
fn a_lent_object_is_called_back_and_its_panic_is_contained() {
    let van = van(r#"{"name": "v"}"#).unwrap();
    assert_eq!(van.ask(&Clerk(100), 5).unwrap(), 106);
    let error = van.ask(&Clerk(0), 13).unwrap_err();
    assert!(error.panicked_at().is_some(), "{error}");
}

#[test]
fn an_error_keeps_its_category_hint_and_retry() {
    let error = van(r#"{"name": "v"}"#).unwrap().fail("error").unwrap_err();
    assert_eq!(error.category(), Category::Busy);
    assert_eq!(
        (error.message(), error.help(), error.may_retry()),
        ("engine is hot", Some("wait"), true)
    );
    assert_eq!(error.panicked_at(), None);
}

#[test]
fn panics_of_every_sort_become_errors_and_the_driver_goes_on() {
    let van = van(r#"{"name": "v"}"#).unwrap();
    for how in ["panic", "index", "payload"] {
        let error = van.fail(how).unwrap_err();
        assert!(error.panicked_at().is_some(), "{how}: {error:?}");
    }
    assert_eq!(van.fail("no").unwrap(), None);
}

#[test]
fn the_constructor_may_refuse_or_panic() {
    let error = van(r#"{"name": "refuse"}"#).map(drop).unwrap_err();
    assert_eq!(
        (error.category(), error.help()),
        (Category::Unavailable, Some("build one"))
    );
    let error = van(r#"{"name": "panic"}"#).map(drop).unwrap_err();
    assert!(error.panicked_at().is_some(), "{error}");
}

#[test]
fn the_driver_is_dropped_once_and_its_panic_is_contained() {
    // The only test that drops this name: the counter is shared, so compare differences of a driver of its own.
    let van = van(r#"{"name": "bad drop"}"#).unwrap();
    let shared = van.clone();
    drop(van);
    assert!(shared.fail("no").is_ok());
    drop(shared);
    assert!(DROPPED.load(Ordering::SeqCst) >= 1);
}

#[test]
fn settings_errors_name_the_key() {
    for (settings, text) in [
        ("{}", "`name`: is required"),
        (
            r#"{"name": 1}"#,
            "`name`: expected text, found a whole number",
        ),
        (r#"{"name": "v", "sped": 1}"#, "`sped`: no such setting"),
        (
            r#"{"name": "v", "speed": 0.1}"#,
            "`speed`: must be at least 0.5",
        ),
        (
            r#"{"name": "v", "speed": 101}"#,
            "`speed`: must be at most 100.0",
        ),
        (
            r#"{"name": "v", "mode": "warp"}"#,
            "`mode`: must be one of [\"fast\", \"slow\"]",
        ),
        ("[]", "settings must be a table, not a list"),
    ] {
        let error = van(settings).map(drop).unwrap_err();
        assert_eq!(
            (error.category(), error.to_string().as_str()),
            (Category::Invalid, text)
        );
    }
}
