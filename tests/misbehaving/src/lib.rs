//! One bad behaviour per entry point. Each type is named for what it does wrong; the tests in `tests/it` load them by
//! name and say what the host must do about it.

#![forbid(unsafe_code)]

mod configured;
mod deadly;
mod obedient;
mod telltale;
mod vetting;

use longshore_plugin_api::{
    export_plugin, settings, Context, Driver, DriverError, Filter, Host, HostManager, HostTable,
    Log, Mask, NoSettings, RequestSpec, Scheduler, Virt, Weigher,
};

macro_rules! built_without_trouble {
    ($($name:ident),*) => {$(
        impl Driver for $name {
            type Settings = NoSettings;
            fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
                Ok($name)
            }
        }
    )*};
}

/// Panics on every host.
struct Panics;
/// Answers an error on every host.
struct Fails;
/// Gives a weight that is no number.
struct NotANumber;
/// Panics while it weighs.
struct PanicsWeighing;
built_without_trouble!(Panics, Fails, NotANumber, PanicsWeighing);

impl Filter for Panics {
    fn passes(&self, host: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        panic!("I cannot stand {}", host.host_name())
    }
}

impl Filter for Fails {
    fn filter_all(
        &self,
        _: &HostTable,
        _: &RequestSpec,
        _: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        Err(DriverError::unavailable("the oracle is silent").hint("ask again tomorrow"))
    }
}

impl Weigher for NotANumber {
    fn weigh(&self, _: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok(f32::NAN)
    }
}

impl Weigher for PanicsWeighing {
    fn weigh(&self, _: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        panic!("too heavy")
    }
}

/// Writes to the host's log, and starts a thread that panics.
struct Talks {
    log: Log,
}

impl Driver for Talks {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        Ok(Talks { log: context.log() })
    }
}

impl Filter for Talks {
    fn filter_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        _: &mut Mask<'_>,
    ) -> Result<(), DriverError> {
        self.log
            .info(format_args!("looking at {} hosts", hosts.len()));
        self.log.debug("nobody wants to know");
        let ended = std::thread::spawn(|| panic!("alone in a thread")).join();
        assert!(ended.is_err());
        Ok(())
    }
}

/// Its constructor answers an error.
struct RefusesToBuild;
/// Its constructor panics.
struct PanicsWhenBuilt;
/// Its constructor says that it is not for this machine.
struct NotHere;

impl Driver for RefusesToBuild {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Err(DriverError::internal("the licence has run out").hint("buy another"))
    }
}

impl Driver for PanicsWhenBuilt {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        panic!("no, {}, no", context.name())
    }
}

impl Driver for NotHere {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Err(DriverError::unavailable("this machine has no such device"))
    }
}

settings! {
    /// Settings with one of each check.
    struct PickySettings {
        /// Must be given.
        name: String;
        /// A number within bounds that is also even.
        ratio: u32 = 2, min = 2, max = 10;
    }
}

/// Checks its settings beyond what a schema can say.
struct Picky;

impl Driver for Picky {
    type Settings = PickySettings;
    fn new(settings: PickySettings, _: &Context) -> Result<Self, DriverError> {
        if settings.ratio % 2 == 1 {
            return Err(DriverError::invalid("must be even")
                .at("ratio")
                .hint("use an even number"));
        }
        Ok(Picky)
    }
}

macro_rules! passes_every_host {
    ($($name:ident),*) => { $(impl Filter for $name {
        fn passes(&self, _: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
            Ok(true)
        }
    })* };
}
passes_every_host!(RefusesToBuild, PanicsWhenBuilt, NotHere, Picky);

use vetting::*;

export_plugin! {
    "test.vetting" {
        /// Does nothing wrong.
        good: Filter => Good;
        /// Its constructor answers an error.
        refuses: Filter => Refuses;
        /// Its constructor panics.
        panics: Filter => PanicsInVetting;
        /// Its drop panics.
        panics_dropping: Filter => PanicsDropping;
        /// Gets a signal 11.
        segfaults: Filter => Segfaults;
        /// Aborts.
        aborts: Filter => Aborts;
        /// Gets a signal 4.
        illegal: Filter => Illegal;
        /// Calls itself until the stack is used up.
        overflows: Filter => Overflows;
        /// Ends the process with status 0.
        exits: Filter => Exits;
        /// Never returns.
        hangs: Filter => Hangs;
        /// Never returns, and computes on many threads.
        burns: Filter => Burns;
        /// Leaves a child.
        forks: Filter => Forks;
        /// Leaves a process in a session of its own, whose parent is gone.
        daemonises: Filter => Daemonises;
        /// The same, and ends itself.
        becomes_a_daemon: Filter => BecomesADaemon;
        /// Leaves a thread.
        threads: Filter => Threads;
        /// Leaves a descriptor.
        descriptors: Filter => Descriptors;
        /// Changes the working directory.
        chdirs: Filter => Chdirs;
        /// Changes the umask.
        umasks: Filter => Umasks;
        /// Installs a handler for SIGCHLD.
        signals: Filter => Signals;
        /// Sets and removes variables.
        setenvs: Filter => Setenvs;
        /// Lowers a limit.
        limits: Filter => Limits;
        /// Prints what looks like an answer and exits.
        prints_a_frame: Filter => PrintsAFrame;
        /// Writes what looks like an answer to every descriptor.
        writes_everywhere: Filter => WritesEverywhere;
        /// Prints a megabyte.
        prints_a_lot: Filter => PrintsALot;
        /// Writes a file that is too large.
        fills_the_disk: Filter => FillsTheDisk;
        /// Wants more memory than there is.
        allocates: Filter => Allocates;
        /// Says what it has: environment, directories, descriptors.
        looks_around: Filter => LooksAround;
        /// Kills its parent.
        kills_the_guardian: Filter => KillsTheGuardian;
    }
    "longshore.scheduler.filter" {
        /// Panics on every host.
        panics: Filter => Panics;
        /// Answers an error.
        fails: Filter => Fails;
        /// Writes to the log, and starts a thread that panics.
        talks: Filter => Talks;
        /// Its constructor answers an error.
        refuses: Filter => RefusesToBuild;
        /// Its constructor panics.
        panics_when_built: Filter => PanicsWhenBuilt;
        /// Not for this machine.
        not_here: Filter => NotHere;
        /// Has settings to get wrong.
        picky: Filter => Picky;
        /// Does wrong what its settings say.
        misbehaves: Filter => configured::Misbehaves;
        /// Repeats a secret that it was given.
        telltale: Filter => telltale::Telltale;
        /// Ends the process at its first host.
        deadly_filter: Filter => deadly::DeadlyFilter;
        /// Its constructor ends the process.
        deadly_when_built: Filter => deadly::DeadlyWhenBuilt;
        /// Does what the hint `filter` says.
        obedient: Filter => obedient::ObedientFilter;
    }
    "longshore.virt.driver" {
        /// Ends the process when it is to make a guest with `deadly` in its name.
        deadly: Virt => deadly::DeadlyVirt;
    }
    "longshore.scheduler.weigher" {
        /// Gives a weight that is no number.
        nan: Weigher => NotANumber;
        /// Panics while it weighs.
        panics_weighing: Weigher => PanicsWeighing;
        /// Does what the hint `weigher` says.
        obedient: Weigher => obedient::ObedientWeigher;
    }
    "longshore.scheduler.driver" {
        /// Does what the hint `scheduler` says.
        obedient: Scheduler => obedient::ObedientScheduler;
    }
    "longshore.scheduler.host_manager" {
        /// Does what the hint `host_manager` says.
        obedient: HostManager => obedient::ObedientHosts;
    }
}
