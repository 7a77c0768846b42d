//! One driver under kinds that are not what the host knows. Its constructor leaves a file, so that nobody has to be
//! believed who says that it did not run.

#![forbid(unsafe_code)]
#![deny(warnings)]

mod then;

use longshore_plugin_api::{export_plugin, Context, Driver, DriverError, NoSettings};
use then::{Answer, Argument, Borrows, Count, Guest, Lent, Newer, Older, Record, Removed, Renamed, Reordered};

struct Leaves;

impl Driver for Leaves {
    type Settings = NoSettings;
    fn new(_: NoSettings, context: &Context) -> Result<Self, DriverError> {
        let dir = context.state_dir();
        let left = std::fs::create_dir_all(dir).and_then(|()| std::fs::write(dir.join("was-here"), ""));
        left.map_err(|e| DriverError::internal(e.to_string()))?;
        Ok(Leaves)
    }
}

impl Argument for Leaves {
    fn first(&self, n: u32) -> Result<u64, DriverError> {
        Ok(u64::from(n))
    }
}

impl Answer for Leaves {
    fn first(&self, n: u64) -> Result<u32, DriverError> {
        Ok(n as u32)
    }
}

impl Record for Leaves {
    fn first(&self, guest: &Guest) -> Result<u64, DriverError> {
        Ok(guest.stay.days)
    }
}

impl Count for Leaves {
    fn first(&self, n: u64, m: u64) -> Result<u64, DriverError> {
        Ok(n + m)
    }
}

impl Renamed for Leaves {
    fn primary(&self) -> Result<u64, DriverError> {
        Ok(7)
    }
}

impl Reordered for Leaves {
    fn second(&self) -> Result<u64, DriverError> {
        Ok(7)
    }
    fn first(&self) -> Result<u64, DriverError> {
        Ok(7)
    }
}

impl Removed for Leaves {
    fn first(&self) -> Result<u64, DriverError> {
        Ok(7)
    }
}

impl Borrows for Leaves {
    fn first(&self, lent: &dyn Lent) -> Result<u64, DriverError> {
        lent.ask("x".to_owned())
    }
}

impl Older for Leaves {
    fn first(&self) -> Result<u64, DriverError> {
        Ok(7)
    }
}

impl Newer for Leaves {
    fn first(&self) -> Result<u64, DriverError> {
        Ok(7)
    }
}

export_plugin! {
    "test.changed" {
        /// A driver.
        argument: Argument => Leaves;
        /// A driver.
        result: Answer => Leaves;
        /// A driver.
        record: Record => Leaves;
        /// A driver.
        count: Count => Leaves;
        /// A driver.
        renamed: Renamed => Leaves;
        /// A driver.
        reordered: Reordered => Leaves;
        /// A driver.
        removed: Removed => Leaves;
        /// A driver.
        lent: Borrows => Leaves;
        /// A driver.
        older: Older => Leaves;
        /// A driver.
        newer: Newer => Leaves;
    }
}
