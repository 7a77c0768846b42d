//! Kinds as the host knows them. `then.rs` is what the plugin was built with; each pair differs as its name says.

use longshore_plugin_api::{DriverError, driver_kind, record};

record! {
    /// A record of the kind `record`.
    pub struct Guest {
        /// Text.
        pub name: String,
        /// Another record.
        pub stay: Stay,
    }
}

record! {
    /// The record that is not the same on both sides.
    pub struct Stay {
        /// A number.
        pub days: u32,
    }
}

driver_kind! {
    id: "test.changed.is_lent", revision: 1;
    /// Lent to drivers of the kind `lent`.
    pub trait Lent: Send + Sync + 'static {
        /// The method that is not the same on both sides.
        fn ask(&self, text: &str) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.argument", revision: 1;
    /// A kind.
    pub trait Argument: Send + Sync + 'static {
        /// A method.
        fn first(&self, n: u64) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.result", revision: 1;
    /// A kind.
    pub trait Answer: Send + Sync + 'static {
        /// A method.
        fn first(&self, n: u64) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.record", revision: 1;
    /// A kind.
    pub trait Record: Send + Sync + 'static {
        /// A method.
        fn first(&self, guest: &Guest) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.count", revision: 1;
    /// A kind.
    pub trait Count: Send + Sync + 'static {
        /// A method.
        fn first(&self, n: u64) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.renamed", revision: 1;
    /// A kind.
    pub trait Renamed: Send + Sync + 'static {
        /// A method.
        fn first(&self) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.reordered", revision: 1;
    /// A kind.
    pub trait Reordered: Send + Sync + 'static {
        /// A method.
        fn first(&self) -> Result<u64, DriverError>;
        /// A method.
        fn second(&self) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.removed", revision: 1;
    /// A kind.
    pub trait Removed: Send + Sync + 'static {
        /// A method.
        fn first(&self) -> Result<u64, DriverError>;
        /// A method.
        fn second(&self) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.lent", revision: 1;
    /// A kind.
    pub trait Borrows: Send + Sync + 'static {
        /// A method.
        fn first(&self, lent: &dyn Lent) -> Result<u64, DriverError>;
    }
}

driver_kind! {
    id: "test.changed.older", revision: 1;
    /// A kind.
    pub trait Older: Send + Sync + 'static {
        /// A method.
        fn first(&self) -> Result<u64, DriverError>;
        /// A method.
        fn later(&self, n: u64) -> Result<u64, DriverError> { Ok(self.first()? + n) }
    }
}

driver_kind! {
    id: "test.changed.newer", revision: 1;
    /// A kind.
    pub trait Newer: Send + Sync + 'static {
        /// A method.
        fn first(&self) -> Result<u64, DriverError>;
    }
}
