//! Entries for the tests of vetting: one type per behaviour, which its constructor has. The behaviours are a crate of
//! their own, as they also happen on load. The methods of these drivers are never called.

use longshore_plugin_api::{Context, Driver, DriverError, Filter, Host, NoSettings, RequestSpec};
use misbehaviours::run;

/// Each is built by `run` with the behaviour of its name.
macro_rules! behaves {
    ($($name:ident: $behaviour:literal;)*) => {$(
        pub struct $name;
        impl Driver for $name {
            type Settings = NoSettings;
            fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
                run($behaviour, Some(context.state_dir()))?;
                Ok($name)
            }
        }
        impl Filter for $name {
            fn passes(&self, _: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
                Ok(true)
            }
        }
    )*};
}

behaves! {
    Good: "good";
    Refuses: "refuses";
    PanicsInVetting: "panics";
    PanicsDropping: "good";
    Segfaults: "segfaults";
    Aborts: "aborts";
    Illegal: "illegal";
    Overflows: "overflows";
    Exits: "exits";
    Hangs: "hangs";
    Burns: "burns";
    Forks: "forks";
    Daemonises: "daemonises";
    BecomesADaemon: "becomes_a_daemon";
    Threads: "threads";
    Descriptors: "descriptors";
    Chdirs: "chdirs";
    Umasks: "umasks";
    Signals: "signals";
    Setenvs: "setenvs";
    Limits: "limits";
    PrintsAFrame: "prints_a_frame";
    WritesEverywhere: "writes_everywhere";
    PrintsALot: "prints_a_lot";
    FillsTheDisk: "fills_the_disk";
    Allocates: "allocates";
    LooksAround: "looks_around";
    KillsTheGuardian: "kills_the_guardian";
}

impl Drop for PanicsDropping {
    fn drop(&mut self) {
        panic!("not without my hat");
    }
}
