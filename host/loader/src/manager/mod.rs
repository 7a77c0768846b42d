//! The extension managers, stevedore's classes one by one, over one builder.
//!
//! | stevedore | here |
//! |---|---|
//! | `ExtensionManager` | [`ExtensionManager`]: every entry of a namespace |
//! | `NamedExtensionManager` | [`NamedExtensionManager`]: the entries with given names |
//! | `EnabledExtensionManager` | [`EnabledExtensionManager`]: the entries that the program's check accepts |
//! | `DriverManager` | [`DriverManager`]: exactly one |
//! | `HookManager` | [`HookManager`]: all entries of one name |
//! | `DispatchExtensionManager` | [`DispatchExtensionManager`]: a filter at each call |
//! | `NameDispatchExtensionManager` | [`NameDispatchExtensionManager`]: a list of names at each call |
//!
//! What is different on purpose: nothing that is not wanted is opened, errors are values, order is
//! defined, and a conflict is an error unless the map's policy or the program says otherwise.

mod builder;
mod conflict;
mod dispatch;
mod driver;
mod enabled;
mod extensions;
mod find;
mod hook;
mod loading;
mod name_dispatch;
mod named;
mod terminal;

pub use builder::{Builder, Set, Unset};
pub use dispatch::DispatchExtensionManager;
pub use driver::DriverManager;
pub use enabled::{EnabledExtensionManager, Verdict};
pub use extensions::{Called, ExtensionManager, TEST_NAMESPACE};
pub use hook::HookManager;
pub use name_dispatch::NameDispatchExtensionManager;
pub use named::NamedExtensionManager;
