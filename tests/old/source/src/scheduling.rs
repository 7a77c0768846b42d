//! Filters, a weigher and a scheduler: the host table, the request and the mask, read through every sort of access.

use longshore_plugin_api::{
    score, settings, CallContext, Context, Destination, Driver, DriverError, Filter, FilterTraits, Host, HostStates,
    HostTable, Limits, Mask, NoSettings, RequestSpec, Scheduler, SelectOptions, Selection, WeightRange, Weigher,
};

settings! {
    /// What can be set on the filter.
    pub struct AmpleSettings {
        /// Hosts with less memory are taken out, MB.
        free_ram_mb_min: u32 = 1, min = 1, max = 1000000;
    }
}

/// Passes hosts with enough memory.
pub struct Ample {
    free_ram_mb_min: i32,
}

impl Driver for Ample {
    type Settings = AmpleSettings;
    fn new(settings: AmpleSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Ample { free_ram_mb_min: settings.free_ram_mb_min as i32 })
    }
}

impl Filter for Ample {
    fn passes(&self, host: Host<'_>, request: &RequestSpec) -> Result<bool, DriverError> {
        let wanted = request.memory_mb().max(self.free_ram_mb_min as u64);
        Ok(host.free_ram_mb() >= 0 && host.free_ram_mb() as u64 >= wanted && !host.host_name().is_empty())
    }
    fn filter_all(&self, hosts: &HostTable, request: &RequestSpec, mask: &mut Mask<'_>) -> Result<(), DriverError> {
        let wanted = request.memory_mb().max(self.free_ram_mb_min as u64);
        mask.retain(hosts.free_ram_mb(), |free| free >= 0 && free as u64 >= wanted);
        Ok(())
    }
    fn traits(&self) -> Result<FilterTraits, DriverError> {
        Ok(FilterTraits { run_once_per_request: true, ..FilterTraits::default() })
    }
    fn limits(&self, host: Host<'_>, _: &RequestSpec) -> Result<Limits, DriverError> {
        Ok(Limits { memory_mb: Some(f64::from(host.free_ram_mb())), ..Limits::default() })
    }
}

/// Panics on every host.
pub struct PanicsFiltering;

impl Driver for PanicsFiltering {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(PanicsFiltering)
    }
}

impl Filter for PanicsFiltering {
    fn passes(&self, host: Host<'_>, _: &RequestSpec) -> Result<bool, DriverError> {
        panic!("not {}", host.host_name())
    }
}

/// Prefers hosts with more memory.
pub struct Keen;

impl Driver for Keen {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(Keen)
    }
}

impl Weigher for Keen {
    fn weigh(&self, host: Host<'_>, _: &RequestSpec) -> Result<f32, DriverError> {
        Ok(host.free_ram_mb() as f32)
    }
    fn weigh_all(
        &self,
        hosts: &HostTable,
        _: &RequestSpec,
        _: &Mask<'_>,
        scores: &mut [f32],
    ) -> Result<(), DriverError> {
        score(scores, hosts.free_ram_mb(), |free| free as f32);
        Ok(())
    }
    fn range(&self) -> Result<WeightRange, DriverError> {
        Ok(WeightRange { min: Some(0.0), max: None })
    }
}

/// The first host that passes the filters it is lent.
pub struct First;

impl Driver for First {
    type Settings = NoSettings;
    fn new(_: NoSettings, _: &Context) -> Result<Self, DriverError> {
        Ok(First)
    }
}

impl Scheduler for First {
    fn select_destinations(
        &self,
        context: &CallContext<'_>,
        _: &RequestSpec,
        options: &SelectOptions,
        states: &dyn HostStates,
    ) -> Result<Vec<Selection>, DriverError> {
        let mut selections = Vec::new();
        for index in 0..options.instances {
            context.check()?;
            let table = states.table()?;
            let mut words = states.eligible()?;
            let mut mask = Mask::new(&mut words, table.len());
            states.filter(index, &mut mask)?;
            let row = mask.iter().next();
            let row = row.ok_or_else(|| DriverError::no_valid_host("the filters left no host"))?;
            let limits = states.limits(row as u32)?;
            states.consume(row as u32)?;
            let host = table.host(row);
            let (name, node) = (host.host_name().to_owned(), host.node_name().to_owned());
            let chosen = Destination { host: name, node, limits };
            selections.push(Selection { chosen, alternates: Vec::new() });
        }
        Ok(selections)
    }
}
