//! Plugins for any program: a map says which drivers there are, a manager loads those that are wanted, and the program
//! calls them as `Arc<dyn Trait>`. Who knows Python's stevedore knows this crate.
//!
//! ```no_run
//! use longshore_loader::map::Environment;
//! use longshore_loader::{Loader, PluginMap};
//! # longshore_plugin_api::driver_kind! { id: "acme.greeter", revision: 1;
//! #     /// Greets.
//! #     pub trait Greeter: Send + Sync + 'static {
//! #         /// Words for `name`.
//! #         fn greet(&self, name: &str) -> Result<String, longshore_plugin_api::DriverError>;
//! #     }
//! # }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let map = PluginMap::load("plugins.toml".as_ref(), &Environment::from_process())?;
//!     let loader = Loader::new(map, "state");
//!     let greeters = loader.namespace::<dyn Greeter>("acme.greeter");
//!     let english = greeters.driver("english")?;
//!     println!("{}", english.driver().greet("Ada")?);
//!     Ok(())
//! }
//! ```
//!
//! `docs/tutorial.md` goes from an empty directory to three such programs with their plugins, all of which are in
//! `host/loader/examples/formatters`.
//!
//! This crate must not know which kinds of drivers exist, services, or async runtimes; nothing here prints. What
//! happened is returned as a value: [`LoadFailure`], [`LoadReport`], [`diagnostic::Diagnostic`].
//!
//! # The map
//!
//! *namespace → name → entry point*, in a TOML file and the drop-ins beside it:
//!
//! ```
//! # use longshore_loader::PluginMap;
//! let map = PluginMap::parse(r#"
//!     [longshore]
//!     search = ["/usr/lib/acme"]
//!
//!     ["acme.greeter"]
//!     english = "libacme.so"
//!     polite = { lib = "libacme.so", export = "english", settings = { mark = "." } }
//! "#, "plugins.toml")?;
//! assert_eq!(map.entries("acme.greeter").len(), 2);
//! # Ok::<(), longshore_loader::map::MapError>(())
//! ```
//!
//! [`PluginMap`] is a snapshot: reading it opens no library, and nothing changes it. Mistakes come with file, line and
//! column. The variables `LONGSHORE_*` ([`map::environment`]) change it for one run; a program that wants none of this
//! gives `Environment::default()`.
//!
//! # Managers
//!
//! [`Loader::namespace`] starts, options follow, the last call names the manager:
//!
//! | last call | manager | holds |
//! |---|---|---|
//! | `all()` | [`ExtensionManager`] | every entry of the namespace |
//! | `named(&names)` | [`NamedExtensionManager`] | the entries with these names, in their order |
//! | `driver(name)` | [`DriverManager`] | exactly one |
//! | `hook(name)` | [`HookManager`] | all entries of one name |
//! | `enabled()` | [`EnabledExtensionManager`] | the entries that the program's checks accept |
//! | `dispatch()` | [`DispatchExtensionManager`] | the same; each call filters |
//! | `name_dispatch()` | [`NameDispatchExtensionManager`] | the same; each call lists names |
//!
//! `map` and `map_driver` call the extensions one after the other, in order, and give one result per extension. The
//! options are in [`manager::Builder`]; one that means nothing for a manager does not compile with it.
//!
//! # Eager and lazy
//!
//! By default a manager opens what it holds and makes the drivers. With `lazy()` everything that can be known without
//! running a plugin is checked at once (whether the file is there, is a plugin, has the driver, takes the settings);
//! the library is opened and the driver made at first use, once. [`LazyExtension`] is a type of its own, as using it
//! can fail. [`Factory`], from either, makes more drivers, also with other settings:
//!
//! ```no_run
//! # use longshore_loader::Loader;
//! # use longshore_plugin_api::Filter;
//! # fn demo(loader: &Loader) -> Result<(), Box<dyn std::error::Error>> {
//! let found = loader.namespace::<dyn Filter>("acme.filter").lazy().driver("calm")?;
//! let mut settings = found.extension().info().settings.clone();
//! settings.insert("instances_max".to_owned(), 2.into());
//! let calm = found.extension().factory().create_with(settings)?;
//! # Ok(()) }
//! ```
//!
//! # Failures and skips
//!
//! A [`LoadFailure`] says what failed, why and what to do, has a stable [`code`](LoadFailure::code), and counts as a
//! [`FailureKind`]. `named` and `driver` fail with the first one. The others keep them in
//! [`failures`](ExtensionManager::failures), and are made of the rest. `strict` changes that either way, and
//! `on_failure` and `on_missing` ask the program. A driver whose constructor answers `unavailable` is not for this
//! machine: that is a skip ([`LoadFailure::is_skip`]), listed, and no reason to warn. An entry that is `optional` in
//! the map may be absent. [`Loader::report`] has what became of each entry, also of those that a manager left out.
//!
//! When a driver is called, its errors and its panics are values too: `DriverError`.
//!
//! # Conflicts
//!
//! Several entries of one name are an error where the name must mean one: nothing is overridden by chance. The map's
//! policy (`conflicts = "first"`, `"last"`, `"priority"`, `"all"`) or the program (`conflicts`, `resolve`) may say
//! otherwise. Going through all of them, and hooks, need no choice. The choice is made once, so
//! [`get`](ExtensionManager::get) gives the same extension for the life of the manager.
//!
//! # Reloading
//!
//! A map never changes, nor does a manager. [`Loader::reload`] reads the files again and gives a loader of the new
//! snapshot and what is different in it; the program looks at the changes, and makes new managers. When the files are
//! wrong, it gives what is wrong with them, and what is there goes on. [`PluginMap::is_stale`] is cheap to ask. Drivers live as long as somebody has their `Arc`.
//! Libraries are never closed: a file that was replaced by renaming one with other content over it is another library,
//! and one that was written over in place while it is open is refused.
//!
//! # Trust
//!
//! A plugin's file must belong to root or to the user of the process, and nobody else may write it or a directory on its
//! way; its bytes are read once, hashed, sealed in memory and opened from there. [`LoaderOptions`] says otherwise, names
//! further owners, and takes [`gate::Gate`]s, which are asked about those bytes before they are opened: [`gates`] has
//! signatures and trying a plugin in a process of its own ([`vet`]). `docs/trust.md` has the rules.
//!
//! # The process
//!
//! Drivers share signals, directory, umask, limits and more with the program. With [`LoaderOptions::process`] the loader
//! looks at them around a driver's building, `ready` and end, says what differs and puts it back: [`process`].
//!
//! # Threads
//!
//! Loaders, managers, extensions and factories may be shared between threads. Making drivers of one library from
//! several threads at once opens it once. Files are looked at and read on threads of this crate's own, so that a file system
//! that hangs is given up after 10 s; everything else runs on the caller's thread, and no lock is held while a method of a
//! driver runs.
//!
//! # Logging
//!
//! Managers warn about what they leave out, and plugins have a log of their own. Both end in the program's sink;
//! without one they are dropped:
//!
//! ```
//! # use longshore_loader::log;
//! log::set_sink(Box::new(|driver, record| {
//!     eprintln!("{}/{}: {}", driver.namespace, driver.name, record.text);
//! }));
//! log::set_level(log::Level::Warn as u32);
//! ```
//!
//! # Kinds of your own
//!
//! A kind is a trait in a crate that plugins and the program share; `driver_kind!` of `longshore-plugin-api` makes it
//! one, and `dyn YourTrait` is all that this crate needs:
//!
//! ```
//! use longshore_plugin_api::{driver_kind, DriverError};
//!
//! driver_kind! {
//!     id: "acme.greeter", revision: 1;
//!
//!     /// Greets people.
//!     pub trait Greeter: Send + Sync + 'static {
//!         /// Words for `name`.
//!         fn greet(&self, name: &str) -> Result<String, DriverError>;
//!     }
//! }
//! # fn main() {
//! # struct English;
//! # impl Greeter for English {
//! #     fn greet(&self, name: &str) -> Result<String, DriverError> { Ok(format!("Hello, {name}")) }
//! # }
//!
//! // Drivers that are linked into the program, or made up by a test, need no file.
//! use longshore_loader::{Extension, ExtensionManager};
//! use std::sync::Arc;
//!
//! let english: Arc<dyn Greeter> = Arc::new(English);
//! let greeters = ExtensionManager::test_instance(vec![Extension::from_driver("acme.greeter", "english", english)]);
//! let called = greeters.map_driver(|greeter| greeter.greet("Ada"));
//! assert_eq!(called, [("english", Ok("Hello, Ada".to_owned()))]);
//! # }
//! ```
//!
//! # In stevedore → here
//!
//! The short form; `docs/tutorial.md` has every parameter.
//!
//! | in stevedore | here |
//! |---|---|
//! | entry points of packages | lines of the map; a package's own go into a drop-in |
//! | `invoke_on_load=True` / `False` | eager / `lazy()` or `factory()` |
//! | `invoke_args`, `invoke_kwds` | the entry's `settings`; `Factory::create_with` |
//! | `propagate_map_exceptions` | `map` / `try_map` |
//! | `on_load_failure_callback` | `on_failure` |
//! | `on_missing_entrypoints_callback` | `on_missing` |
//! | `name_order` | `named` keeps the order of the names; `in_map_order()` |
//! | `check_func` | `check_entry` before opening, `check_loaded` after |
//! | `conflict_resolver` | `conflicts`, `resolve`; by default a conflict is an error |
//! | `verify_requirements` | always |
//! | `map_method` | `map_driver` with a closure |
//! | `manager["name"]` | `get`, `require`, `get_all` |
//! | `NoMatches`, `MultipleMatches` | [`FailureKind::NoMatch`], [`FailureKind::MultipleMatches`] |
//! | `make_test_instance` | `test_instance`, `from_extensions` |
//! | the cache | none |

pub mod codes;
pub mod diagnostic;
#[doc(hidden)]
pub mod dynlib;
pub mod elf;
mod examine;
mod extension;
mod factory;
pub mod fence;
pub mod gate;
pub mod gates;
mod info;
pub mod inspect;
mod library;
mod load;
pub mod lock;
pub mod log;
mod look;
pub mod manager;
pub mod map;
pub mod note;
mod oddities;
mod patience;
pub mod process;
pub mod quarantine;
pub mod record;
pub mod report;
pub mod settings_check;
pub mod signature;
pub mod spanned;
pub mod stage;
mod system;
pub mod trust;
pub mod vet;
mod watch;

pub use examine::Site;
pub use extension::{Extension, LazyExtension, Member};
pub use factory::Factory;
pub use gate::LoaderOptions;
pub use info::ExtensionInfo;
pub use load::Loader;
pub use lock::PluginsLock;
pub use look::{Loaded, Looked, OnDisk};
pub use manager::{
    DispatchExtensionManager, DriverManager, EnabledExtensionManager, ExtensionManager,
    HookManager, NameDispatchExtensionManager, NamedExtensionManager,
};
pub use map::PluginMap;
pub use report::{FailureKind, LoadFailure, LoadReport, Outcome};
