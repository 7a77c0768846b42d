//! The plugin half of a host: the map of entry points, what a plugin file says of itself, loading
//! it, and the extension managers. Usable in any program.
//!
//! Must not know: which kinds of drivers exist, services, async runtimes, logging. What happened
//! is returned as values (`Diagnostic`, `Refusal`, reports), never printed.

pub mod codes;
pub mod diagnostic;
#[doc(hidden)]
pub mod dynlib;
pub mod elf;
mod examine;
mod extension;
mod factory;
pub mod inspect;
mod library;
mod load;
pub mod log;
pub mod manager;
pub mod map;
pub mod note;
pub mod report;
pub mod settings_check;
pub mod spanned;

pub use extension::{Extension, ExtensionInfo, LazyExtension, Member};
pub use factory::Factory;
pub use load::{Loader, Site};
pub use manager::{
    DispatchExtensionManager, DriverManager, EnabledExtensionManager, ExtensionManager,
    HookManager, NameDispatchExtensionManager, NamedExtensionManager,
};
pub use map::PluginMap;
pub use report::{FailureKind, LoadFailure, LoadReport, Outcome};
