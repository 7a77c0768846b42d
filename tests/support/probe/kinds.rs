//! The shipped kinds, as drivers of the probe's plugin: host tables, requests, masks, guests.

use std::sync::atomic::{AtomicU32, Ordering};

use longshore_loader::Loader;
use longshore_plugin_api::{
    Category, Column, DriverError, Filter, HostStates, HostTable, Image, Instance, Limits, Mask,
    PowerState, RequestFields, RequestSpec, Scheduler, SelectOptions, Virt, Weigher, full, testing,
};

use super::{good, panicked, same};

/// More than one word of a mask, and not a whole number of them.
const HOSTS: usize = 70;

/// Hosts with 0, 100, 200 … MB of free memory.
fn table() -> HostTable {
    let memory = |columns: &mut longshore_plugin_api::HostColumns, row: usize| {
        columns.set_i32(Column::FreeRamMb, row, 100 * row as i32);
    };
    testing::hosts(HOSTS, memory).snapshot()
}

fn request(memory_mb: u64) -> RequestSpec {
    let fields = RequestFields {
        memory_mb,
        ..RequestFields::default()
    };
    fields.into()
}

pub(super) fn filter_and_weigher(loader: &Loader) -> Result<(), String> {
    let filters = || loader.namespace::<dyn Filter>("longshore.scheduler.filter");
    let ample = filters()
        .driver("ample")
        .map_err(|e| e.one_line())?
        .driver();
    let hosts = table();
    let mut words = full(HOSTS);
    let mut mask = Mask::new(&mut words, HOSTS);
    good(
        "filter_all",
        ample.filter_all(&hosts, &request(6_000), &mut mask),
    )?;
    same("hosts that pass", mask.count(), 10)?;
    let one = |row, memory| good("passes", ample.passes(hosts.host(row), &request(memory)));
    same(
        "passes",
        (one(49, 0)?, one(50, 0)?, one(50, 5_001)?),
        (false, true, false),
    )?;
    let traits = good("traits", ample.traits())?;
    same(
        "traits",
        (traits.run_once_per_request, traits.run_on_rebuild),
        (true, false),
    )?;
    let limits = good("limits", ample.limits(hosts.host(7), &request(1)))?;
    same(
        "limits",
        (limits.memory_mb, limits.disk_gb),
        (Some(700.0), None),
    )?;
    let panics = filters()
        .driver("panics")
        .map_err(|e| e.one_line())?
        .driver();
    let (message, place) = panicked(panics.filter_all(&hosts, &request(1), &mut mask))?;
    same("a filter's panic", message.starts_with("not host-00"), true)?;
    same("its place", place.contains("scheduling.rs:"), true)?;
    let weighers = loader.namespace::<dyn Weigher>("longshore.scheduler.weigher");
    let keen = weighers.driver("keen").map_err(|e| e.one_line())?.driver();
    let mut scores = [0.0; HOSTS];
    good(
        "weigh_all",
        keen.weigh_all(&hosts, &request(1), &mask, &mut scores),
    )?;
    same("scores", (scores[0], scores[69]), (0.0, 6_900.0))?;
    same(
        "weigh",
        good("weigh", keen.weigh(hosts.host(3), &request(1)))?,
        300.0,
    )?;
    same("range", good("range", keen.range())?.min, Some(0.0))
}

/// The states of a request: hosts are consumed one after the other.
struct States {
    consumed: AtomicU32,
}

impl HostStates for States {
    fn table(&self) -> Result<HostTable, DriverError> {
        Ok(table())
    }
    fn eligible(&self) -> Result<Vec<u64>, DriverError> {
        Ok(full(HOSTS))
    }
    fn filter(&self, index: u32, mask: &mut Mask<'_>) -> Result<(), DriverError> {
        let consumed = self.consumed.load(Ordering::Relaxed);
        if index == 65 {
            mask.clear_all();
        }
        mask.retain_rows(|row| row as u32 >= consumed);
        Ok(())
    }
    fn weigh(&self, _: &Mask<'_>, _: &mut [f32]) -> Result<(), DriverError> {
        Ok(())
    }
    fn limits(&self, row: u32) -> Result<Limits, DriverError> {
        Ok(Limits {
            vcpu: Some(f64::from(row)),
            ..Limits::default()
        })
    }
    fn consume(&self, _: u32) -> Result<(), DriverError> {
        self.consumed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

pub(super) fn scheduler(loader: &Loader) -> Result<(), String> {
    let schedulers = loader.namespace::<dyn Scheduler>("longshore.scheduler.driver");
    let first = schedulers
        .driver("first")
        .map_err(|e| e.one_line())?
        .driver();
    let select = |instances| {
        let states = States {
            consumed: AtomicU32::new(0),
        };
        let options = SelectOptions {
            instances,
            ..SelectOptions::default()
        };
        first.select_destinations(&testing::call(), &request(1), &options, &states)
    };
    let chosen = good("select_destinations", select(3))?;
    let names: Vec<&str> = chosen.iter().map(|s| s.chosen.host.as_str()).collect();
    same(
        "the hosts",
        names,
        vec!["host-0001", "host-0002", "host-0003"],
    )?;
    same("the limits", chosen[2].chosen.limits.vcpu, Some(2.0))?;
    let error = select(66).err();
    let category = error.as_ref().map(DriverError::category);
    same(
        "too many",
        category,
        Some(DriverError::no_valid_host("").category()),
    )?;
    good(
        "run_periodic_tasks",
        first.run_periodic_tasks(&testing::call()),
    )
}

pub(super) fn virt(loader: &Loader) -> Result<(), String> {
    let drivers = loader
        .namespace::<dyn Virt>("longshore.virt.driver")
        .for_host("h 1");
    let virt = drivers.driver("memory").map_err(|e| e.one_line())?.driver();
    let call = testing::call();
    same(
        "nodes",
        good("nodes", virt.available_nodes())?,
        vec!["h 1".to_owned()],
    )?;
    let instance = Instance {
        id: "i-1".to_owned(),
        memory_mb: 512,
        extra_specs: [("serial".to_owned(), "№ 7".to_owned())].into(),
        ..Instance::default()
    };
    let image = Image {
        name: "plain".to_owned(),
        file: Some("/images/plain".into()),
        ..Image::default()
    };
    good("spawn", virt.spawn(&call, &instance, &image))?;
    let nameless = panicked(virt.spawn(&call, &instance, &Image::default()))?;
    same(
        "an assertion",
        nameless.0.as_str(),
        "an image without a name",
    )?;
    let info = good("instance_info", virt.instance_info(&call, "i-1"))?;
    same("the state", info.state, PowerState::Running)?;
    same("the text", info.internal_id.as_str(), "№ 7")?;
    let listed = good("list_instances", virt.list_instances(&call))?;
    same("instances", listed, vec!["i-1".to_owned()])?;
    let has = good(
        "available_resources",
        virt.available_resources(&call, "h 1"),
    )?;
    same("memory", (has.memory_mb, has.memory_mb_used), (16_384, 512))?;
    good("destroy", virt.destroy(&call, "i-1"))?;
    let gone = virt.instance_info(&call, "i-1").err();
    let category = gone.as_ref().map(DriverError::category);
    same("a guest that is gone", category, Some(Category::NotFound))?;
    let claims = good("capabilities", virt.capabilities())?;
    same("capabilities", (claims.power, claims.pause), (false, false))?;
    let off = virt.power_off(&call, "i-1").err();
    let category = off.as_ref().map(DriverError::category);
    same(
        "a method it leaves out",
        category,
        Some(Category::NotSupported),
    )
}
