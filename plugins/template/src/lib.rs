//! A plugin to start from. TODO: say here what your driver is for, and what it does not look at.
#![forbid(unsafe_code)]

use longshore_plugin_api::{
    export_plugin, settings, Context, Driver, DriverError, Filter, Host, RequestSpec,
};

settings! {
    /// TODO: list what the operator can set; each key shows up in `longshore plugin show`.
    pub struct ExampleSettings {
        /// Hosts with more instances than this are passed over.
        instances_max: u32 = 50, min = 0, max = 10000;
    }
}

/// TODO: name the type after what it does, and keep in it what a call needs.
pub struct Example {
    instances_max: u32,
}

impl Driver for Example {
    type Settings = ExampleSettings;
    fn new(settings: ExampleSettings, _context: &Context) -> Result<Self, DriverError> {
        Ok(Self {
            instances_max: settings.instances_max,
        })
    }
}

impl Filter for Example {
    /// TODO: answer whether `host` may take the instance; `filter_all` is the faster way to say it.
    fn passes(&self, host: Host<'_>, _request: &RequestSpec) -> Result<bool, DriverError> {
        Ok(host.num_instances() <= self.instances_max)
    }
}

export_plugin! {
    "longshore.scheduler.filter" {
        /// TODO: tell the operator in one line which hosts pass; `example` is the name in
        /// `plugins.toml`.
        example: Filter => Example;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_plugin_api::{testing, Column, RequestFields};

    #[test]
    fn hosts_with_many_instances_are_passed_over() {
        let settings = r#"{"instances_max": 1}"#;
        let filter = testing::bridged::<dyn Filter, Example>(settings, "/tmp".as_ref()).unwrap();
        let hosts = testing::hosts(3, |c, row| c.set_u32(Column::NumInstances, row, row as u32));
        let (table, request) = (hosts.snapshot(), RequestFields::default().into());
        let passes: Vec<bool> = table
            .iter()
            .map(|h| filter.passes(h, &request).unwrap())
            .collect();
        assert_eq!(passes, [true, true, false]);
    }
}
