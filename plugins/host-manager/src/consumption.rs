//! What requests have taken of a node since its last report, so that it can be given back exactly.
//! Knows amounts; devices and NUMA cells are in `devices`. Called by `fleet`.

use crate::devices::{self, Held, Taking};
use crate::facts::{Amounts, Facts};
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

#[derive(Debug, Default)]
struct Taken {
    instance_uuid: String,
    /// What was really taken: amounts stop at the ends of their range.
    ram_mb: i64,
    disk_mb: i64,
    vcpus: i64,
    instances: u32,
    io_ops: u32,
    held: Held,
}

/// What a request wants and its node does not have, in words.
pub(crate) type Missing = String;

impl Consumption {
    /// Takes one instance's share of a node, or the whole machine that it is. Answers whether texts changed, and what
    /// the node does not have.
    pub(crate) fn take(
        &mut self,
        facts: &mut Facts,
        request: &RequestSpec,
    ) -> (bool, Option<Missing>) {
        let (mut taken, mut missing) = (Taken::of(facts, request), None);
        taken.instance_uuid = request.instance_uuid().to_owned();
        if !facts.is_whole_machine {
            match devices::take(facts, request) {
                Ok(Taking { held, missing: of }) => {
                    taken.held = held;
                    missing = of.map(|what| format!("it has no {what}"));
                }
                Err(error) => missing = Some(error.message().to_owned()),
            }
        }
        let texts = taken.held.is_some();
        if self.taken.len() == CONSUMED_MAX {
            self.taken.pop_front();
        }
        self.taken.push_back(taken);
        (texts, missing)
    }

    /// Gives back what the latest request for this instance took. Answers whether texts changed, or nothing when there
    /// was no such request.
    pub(crate) fn give_back(&mut self, facts: &mut Facts, instance_uuid: &str) -> Option<bool> {
        let of_instance = |taken: &Taken| taken.instance_uuid == instance_uuid;
        let place = self.taken.iter().rposition(of_instance)?;
        let taken = self.taken.remove(place)?;
        match self.taken.back_mut() {
            // The machine stays taken as long as somebody has it.
            Some(other) if facts.is_whole_machine => other.add(&taken),
            _ => taken.return_to(&mut facts.amounts),
        }
        devices::give_back(facts, &taken.held);
        Some(taken.held.is_some())
    }
}

impl Taken {
    /// Takes the amounts. Of a share free amounts may become negative, and swap is not counted.
    fn of(facts: &mut Facts, request: &RequestSpec) -> Self {
        let vcpus_total = facts.vcpus_total();
        let amounts = &mut facts.amounts;
        if facts.is_whole_machine {
            let (ram, disk) = (amounts.free_ram_mb, amounts.free_disk_mb);
            let used = std::mem::replace(&mut amounts.vcpus_used, vcpus_total);
            return Self {
                ram_mb: lower_by(&mut amounts.free_ram_mb, ram.into()),
                disk_mb: lower_by(&mut amounts.free_disk_mb, disk.into()),
                vcpus: i64::from(vcpus_total) - i64::from(used),
                ..Self::default()
            };
        }
        let disk_gb = request.root_gb().saturating_add(request.ephemeral_gb());
        Self {
            ram_mb: lower(&mut amounts.free_ram_mb, request.memory_mb()),
            disk_mb: lower(&mut amounts.free_disk_mb, disk_gb.saturating_mul(1024)),
            vcpus: raise(&mut amounts.vcpus_used, request.vcpus()).into(),
            instances: raise(&mut amounts.num_instances, 1),
            io_ops: raise(&mut amounts.num_io_ops, 1),
            ..Self::default()
        }
    }

    /// Takes over what another request had of a whole machine.
    fn add(&mut self, other: &Taken) {
        self.ram_mb += other.ram_mb;
        self.disk_mb += other.disk_mb;
        self.vcpus += other.vcpus;
    }

    fn return_to(&self, amounts: &mut Amounts) {
        lower_by(&mut amounts.free_ram_mb, -self.ram_mb);
        lower_by(&mut amounts.free_disk_mb, -self.disk_mb);
        let vcpus_used = i64::from(amounts.vcpus_used) - self.vcpus;
        // The clamped value is in range.
        amounts.vcpus_used = vcpus_used.clamp(0, u32::MAX.into()) as u32;
        amounts.num_instances = amounts.num_instances.saturating_sub(self.instances);
        amounts.num_io_ops = amounts.num_io_ops.saturating_sub(self.io_ops);
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
