//! What requests have taken of a node since its last report, so that it can be given back exactly.
//! Knows amounts only. Called by `fleet`.

use crate::facts::Amounts;
use longshore_plugin_api::RequestSpec;
use std::convert::TryFrom;

/// How many requests one node remembers. An older one stays counted until the next report, and
/// cannot be given back.
pub(crate) const CONSUMED_MAX: usize = 4096;

/// Requests since the last report, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Consumption {
    taken: std::collections::VecDeque<Taken>,
}

#[derive(Debug)]
struct Taken {
    instance_uuid: String,
    /// What was really taken: amounts stop at the ends of their range.
    ram_mb: i64,
    disk_mb: i64,
    vcpus: u32,
    instances: u32,
    io_ops: u32,
}

impl Consumption {
    /// Takes one instance's share of `amounts`. Free amounts may become negative; swap is not
    /// counted.
    pub(crate) fn take(&mut self, amounts: &mut Amounts, request: &RequestSpec) {
        let disk_gb = request.root_gb().saturating_add(request.ephemeral_gb());
        let taken = Taken {
            instance_uuid: request.instance_uuid().to_owned(),
            ram_mb: lower(&mut amounts.free_ram_mb, request.memory_mb()),
            disk_mb: lower(&mut amounts.free_disk_mb, disk_gb.saturating_mul(1024)),
            vcpus: raise(&mut amounts.vcpus_used, request.vcpus()),
            instances: raise(&mut amounts.num_instances, 1),
            io_ops: raise(&mut amounts.num_io_ops, 1),
        };
        if self.taken.len() == CONSUMED_MAX {
            self.taken.pop_front();
        }
        self.taken.push_back(taken);
    }

    /// Gives back what the latest request for this instance took; answers whether there was one.
    pub(crate) fn give_back(&mut self, amounts: &mut Amounts, instance_uuid: &str) -> bool {
        let place = self
            .taken
            .iter()
            .rposition(|taken| taken.instance_uuid == instance_uuid);
        match place.and_then(|place| self.taken.remove(place)) {
            None => false,
            Some(taken) => {
                lower_by(&mut amounts.free_ram_mb, -taken.ram_mb);
                lower_by(&mut amounts.free_disk_mb, -taken.disk_mb);
                amounts.vcpus_used = amounts.vcpus_used.saturating_sub(taken.vcpus);
                amounts.num_instances = amounts.num_instances.saturating_sub(taken.instances);
                amounts.num_io_ops = amounts.num_io_ops.saturating_sub(taken.io_ops);
                true
            }
        }
    }
}

/// Lowers a free amount as far as its range goes; answers by how much.
fn lower(free: &mut i32, by: u64) -> i64 {
    lower_by(free, i64::try_from(by).unwrap_or(i64::MAX))
}

fn lower_by(free: &mut i32, by: i64) -> i64 {
    let before = *free;
    let after = i64::from(before).saturating_sub(by);
    // The clamped value is in range.
    *free = after.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    i64::from(before) - i64::from(*free)
}

/// Raises a used amount as far as its range goes; answers by how much.
fn raise(used: &mut u32, by: u32) -> u32 {
    let before = *used;
    *used = before.saturating_add(by);
    *used - before
}
