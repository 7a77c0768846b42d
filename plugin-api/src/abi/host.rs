//! The loader's door: a plugin's root made safe to use, entry by entry.
//!
//! The loader opens the file and finds the symbol; from there everything that needs `unsafe` is here. The order is the
//! promise: magic, version, entry, kind, revision, methods, and only then the author's constructor.

use super::buffer::RawStr;
use super::call::RawContext;
use super::error::take_error;
use super::layout::methods_differ;
use super::root::{Entry, Header, Root, API_MAJOR, API_MINOR, FLAG_PANIC_ABORT, MAGIC};
use super::services::{HostServices, Services};
use super::table::{DriverKind, RawDriver};
use crate::context::Context;
use crate::error::DriverError;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Instant;

/// Why a library was not accepted once it was open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootError {
    /// The symbol does not lead to a longshore header.
    BadHeader(&'static str),
    /// The plugin's api version, which this host does not speak.
    Version(u32, u32),
}

/// Why an entry was not built.
#[derive(Debug, Clone, PartialEq)]
pub enum BuildError {
    /// The root has no such entry.
    Absent,
    /// It is of another kind, or of another revision of it: what is there, what is wanted.
    WrongKind(String, String),
    /// A method or type differs, in one line.
    Layout(String),
    /// The constructor failed or panicked.
    Driver(DriverError),
}

/// A plugin that is open. It is never closed, so the root lives for ever.
#[derive(Clone, Copy)]
pub struct Plugin {
    root: &'static Root,
}

impl Plugin {
    /// Follows the exported symbol.
    ///
    /// # Errors
    /// [`RootError`].
    ///
    /// # Safety
    /// `symbol` must be the address of the symbol [`super::root::SYMBOL`] in a library that is never closed.
    pub unsafe fn open(symbol: *const Header, services: Services) -> Result<Self, RootError> {
        if symbol.is_null() {
            return Err(RootError::BadHeader("the exported symbol is null"));
        }
        // SAFETY: any static that exports this name is at least as large as its magic.
        let magic = unsafe { std::ptr::addr_of!((*symbol).magic).read_unaligned() };
        if magic != MAGIC {
            return Err(RootError::BadHeader(
                "the exported symbol does not start with `longshore-abi-1`",
            ));
        }
        // SAFETY: the magic vouches for the rest of the header.
        let open = unsafe { (*symbol).open };
        // SAFETY: the header's own function, with services that are never freed.
        let root = unsafe { open(services.as_raw()) };
        if root.is_null() {
            return Err(RootError::BadHeader("the plugin has no root"));
        }
        // SAFETY: the plugin's root is a static of a library that stays open.
        let root = unsafe { &*root };
        if root.api_major != API_MAJOR || root.api_minor > API_MINOR {
            return Err(RootError::Version(root.api_major, root.api_minor));
        }
        Ok(Self { root })
    }

    /// Major and minor version of the plugin-api it was built with.
    pub fn api_version(&self) -> (u32, u32) {
        (self.root.api_major, self.root.api_minor)
    }

    /// Whether a panic in it would end the process.
    pub fn aborts_on_panic(&self) -> bool {
        self.root.flags & FLAG_PANIC_ABORT != 0
    }

    /// Its entry points.
    pub fn entries(&self) -> impl Iterator<Item = PluginEntry> {
        // SAFETY: a static slice of the plugin's.
        unsafe { self.root.entries.get() }.iter().map(PluginEntry)
    }

    /// The entry with this namespace and name.
    pub fn entry(&self, namespace: &str, name: &str) -> Option<PluginEntry> {
        self.entries()
            .find(|e| e.name() == name && e.namespace() == namespace)
    }
}

/// An entry point of an open plugin.
#[derive(Clone, Copy)]
pub struct PluginEntry(&'static Entry);

fn text(raw: RawStr<'static>) -> &'static str {
    // SAFETY: a static text of the plugin's; what is not UTF-8 reads as empty and matches nothing.
    std::str::from_utf8(unsafe { raw.get() }).unwrap_or_default()
}

impl PluginEntry {
    /// The namespace it is made for.
    pub fn namespace(&self) -> &'static str {
        text(self.0.namespace)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        text(self.0.name)
    }

    /// The id of its kind.
    pub fn kind(&self) -> &'static str {
        text(self.0.kind)
    }

    /// Makes sure that it can be used as a `K`. Runs no foreign code. The verdict never changes, so a caller may keep it.
    ///
    /// # Errors
    /// [`BuildError::WrongKind`] or [`BuildError::Layout`].
    pub fn check<K: ?Sized + DriverKind>(&self) -> Result<Checked<K>, BuildError> {
        let kind = self.kind();
        if kind != K::ID || self.0.revision != K::REVISION {
            let there = format!("{kind} revision {}", self.0.revision);
            return Err(BuildError::WrongKind(
                there,
                format!("{} revision {}", K::ID, K::REVISION),
            ));
        }
        // SAFETY: a static slice of the plugin's.
        let theirs = unsafe { self.0.methods.get() };
        match methods_differ(kind, K::METHODS, theirs) {
            None => Ok(Checked(self.0, PhantomData)),
            Some(why) => Err(BuildError::Layout(why)),
        }
    }

    /// Checks the entry, runs its constructor and binds the driver.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn build<K: ?Sized + DriverKind>(
        &self,
        settings: &str,
        context: &Context,
    ) -> Result<Built<K>, BuildError> {
        self.check::<K>()?.build(settings, context)
    }

    /// Runs the constructor of a driver whose kind nobody here knows, for a process that only tries plugins. None of
    /// its methods can be called.
    ///
    /// # Errors
    /// [`BuildError::Driver`], or [`BuildError::Layout`] for a constructor that gives nothing.
    pub fn try_build(&self, settings: &str, context: &Context) -> Result<Tried, BuildError> {
        construct(self.0, settings, context).map(Tried)
    }
}

/// Runs an entry's constructor.
fn construct(entry: &Entry, settings: &str, context: &Context) -> Result<RawDriver, BuildError> {
    let raw_context = RawContext::lend(context);
    let mut raw = std::mem::MaybeUninit::<RawDriver>::uninit();
    // SAFETY: the entry's own function; all three arguments live during the call.
    let error = unsafe { (entry.build)(RawStr::text(settings), &raw_context, raw.as_mut_ptr()) };
    if !error.is_null() {
        // SAFETY: a non-null error is ours to take, once.
        return Err(BuildError::Driver(unsafe { take_error(error) }));
    }
    // SAFETY: null means that the driver was written.
    let raw = unsafe { raw.assume_init() };
    if raw.this.is_null() || raw.table.is_null() {
        return Err(BuildError::Layout(format!(
            "`{}`: the constructor gave no driver",
            text(entry.name)
        )));
    }
    Ok(raw)
}

/// A driver of whatever kind that can only be dropped. It is leaked unless [`Tried::end`] is called.
pub struct Tried(RawDriver);

impl Tried {
    /// Drops the driver.
    ///
    /// # Errors
    /// The driver's own: it panicked while being dropped.
    pub fn end(self) -> Result<(), DriverError> {
        // SAFETY: every kind's table starts with this head, and it came with the driver.
        let end = unsafe { (*self.0.table).drop };
        let end = match end {
            Some(end) => end,
            None => return Ok(()),
        };
        // SAFETY: the driver was made by this table's maker, and `self` is gone after this.
        let error = unsafe { end(self.0.this) };
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: a non-null error is ours to take, once.
        Err(unsafe { take_error(error) })
    }
}

/// An entry whose methods were compared with those of `K`: only [`PluginEntry::check`] makes one.
pub struct Checked<K: ?Sized>(&'static Entry, PhantomData<fn() -> Box<K>>);

impl<K: ?Sized> Clone for Checked<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: ?Sized> Copy for Checked<K> {}

impl<K: ?Sized + DriverKind> Checked<K> {
    /// Runs the constructor and binds the driver.
    ///
    /// # Errors
    /// [`BuildError::Driver`], or [`BuildError::Layout`] for a constructor that gives nothing.
    pub fn build(&self, settings: &str, context: &Context) -> Result<Built<K>, BuildError> {
        let raw = construct(self.0, settings, context)?;
        // SAFETY: a `Checked<K>` is only made after the methods were compared with `K`'s.
        let driver = K::share(unsafe { K::proxy(raw) });
        Ok(Built {
            ready: Some(Ready { raw }),
            driver,
        })
    }
}

/// A driver that was built, and its `ready`.
pub struct Built<K: ?Sized> {
    /// The driver, as services hold it.
    pub driver: Arc<K>,
    /// Asks the driver whether it is ready. Must not be used after the driver is gone.
    ready: Option<Ready>,
}

#[derive(Clone, Copy)]
struct Ready {
    raw: RawDriver,
}

// SAFETY: the driver behind it is `Send + Sync`, as every kind demands.
unsafe impl Send for Ready {}
// SAFETY: as above.
unsafe impl Sync for Ready {}

impl<K: ?Sized> Built<K> {
    /// A driver that came with the program and never crossed the bridge: it is always ready.
    pub fn of_program(driver: Arc<K>) -> Self {
        Self {
            driver,
            ready: None,
        }
    }

    /// Whether what the driver stands on answers: `Driver::ready`, under the guard.
    ///
    /// # Errors
    /// The driver's own.
    pub fn ready(&self) -> Result<(), DriverError> {
        let raw = match &self.ready {
            Some(ready) => ready.raw,
            None => return Ok(()),
        };
        // SAFETY: the table came with the driver.
        let ready = unsafe { (*raw.table).ready };
        let ready = match ready {
            Some(ready) => ready,
            None => return Ok(()),
        };
        // SAFETY: `self.driver` keeps the driver alive.
        let error = unsafe { ready(raw.this) };
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: a non-null error is ours to take, once.
        Err(unsafe { take_error(error) })
    }
}

impl<K: ?Sized> Clone for Built<K> {
    fn clone(&self) -> Self {
        Self {
            driver: Arc::clone(&self.driver),
            ready: self.ready,
        }
    }
}

/// A context for a driver; the loader makes one per driver it builds.
pub fn context(
    services: Services,
    driver: u64,
    namespace: &str,
    name: &str,
    host: &str,
    state_dir: std::path::PathBuf,
) -> Context {
    Context::new(services, driver, namespace, name, host, state_dir)
}

/// A record that a plugin wrote.
#[derive(Debug, Clone, Copy)]
pub struct LogRecord<'a> {
    /// The number of the driver's context; 0 for the plugin itself.
    pub driver: u64,
    /// 1 error … 5 trace.
    pub level: u32,
    /// What wrote it.
    pub target: &'a str,
    /// The text.
    pub text: &'a str,
    /// Source file.
    pub file: &'a str,
    /// Source line.
    pub line: u32,
}

type Sink = fn(&LogRecord<'_>);

static LEVEL: AtomicU32 = AtomicU32::new(3);
static SHUTDOWN: AtomicU32 = AtomicU32::new(0);
static SINK: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

unsafe extern "C" fn log(
    driver: u64,
    level: u32,
    target: RawStr<'_>,
    words: RawStr<'_>,
    file: RawStr<'_>,
    line: u32,
) {
    let sink = SINK.load(Ordering::Acquire);
    if sink.is_null() {
        return;
    }
    // SAFETY: only `services` stores here, and it stores a `Sink`.
    let sink: Sink = unsafe { std::mem::transmute::<*mut (), Sink>(sink) };
    // A panic of the host's must not unwind into the plugin, and a log line is not worth more than that.
    let _ = std::panic::catch_unwind(|| {
        // SAFETY: the plugin lends three texts for this call.
        let (target, words, file) = unsafe { (target.get(), words.get(), file.get()) };
        let (target, words, file) = (
            String::from_utf8_lossy(target),
            String::from_utf8_lossy(words),
            String::from_utf8_lossy(file),
        );
        sink(&LogRecord {
            driver,
            level,
            target: &target,
            text: &words,
            file: &file,
            line,
        });
    });
}

unsafe extern "C" fn now_ns() -> u64 {
    clock_ns()
}

/// Nanoseconds on the clock that deadlines of calls are on; starts near 1 and never falls.
pub fn clock_ns() -> u64 {
    static START: AtomicPtr<Instant> = AtomicPtr::new(std::ptr::null_mut());
    let mut start = START.load(Ordering::Acquire);
    if start.is_null() {
        let fresh = Box::into_raw(Box::new(Instant::now()));
        start = match START.compare_exchange(start, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => fresh,
            Err(first) => {
                // SAFETY: the box was made above and nobody else has seen it.
                drop(unsafe { Box::from_raw(fresh) });
                first
            }
        };
    }
    // SAFETY: set once to a leaked box.
    let start = unsafe { &*start };
    start.elapsed().as_nanos() as u64 + 1
}

/// The services of this process, lent to every plugin. The last `sink` that was given gets the records.
pub fn services(sink: Sink) -> Services {
    static SERVICES: HostServices = HostServices {
        size: std::mem::size_of::<HostServices>(),
        max_level: &LEVEL,
        shutdown: &SHUTDOWN,
        log,
        now_ns,
    };
    SINK.store(sink as *mut (), Ordering::Release);
    Services::new(&SERVICES)
}

/// Sets the most detailed level that plugins' records are kept at: 0 off, 1 error … 5 trace.
pub fn set_log_level(level: u32) {
    LEVEL.store(level, Ordering::Relaxed);
}

/// Tells every plugin that the host is leaving.
pub fn begin_shutdown() {
    SHUTDOWN.store(1, Ordering::Relaxed);
}
