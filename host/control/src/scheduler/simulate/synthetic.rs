//! Hosts and requests that nobody has: a few shapes, mixed by a seed.
//!
//! For a first look, and for measuring: the same seed gives the same fleet and the same requests for ever. Must not know
//! drivers. Called by the command `scheduler simulate`.

use std::sync::Arc;

use longshore_plugin_api::{HostReport, Random, SupportedInstance};

use super::fleet::{Fleet, HOSTS_MAX, SimulatedHost};
use super::requests::{Request, Wanted};

/// Host shapes: processors, memory in GB, disk in GB.
const HOST_SHAPES: [(u32, u32, u32); 4] = [
    (32, 128, 2000),
    (48, 192, 2000),
    (64, 256, 4000),
    (96, 768, 8000),
];
/// Instance shapes: processors, memory in GB, disk in GB. Small ones come more often.
const INSTANCE_SHAPES: [(u32, u32, u32); 8] = [
    (1, 2, 20),
    (1, 2, 20),
    (1, 4, 20),
    (2, 4, 40),
    (2, 8, 40),
    (4, 16, 80),
    (8, 32, 160),
    (16, 64, 320),
];
/// Promised processors per processor, memory per memory, disk per disk.
const RATIOS: (f64, f64, f64) = (4.0, 1.0, 1.0);
/// Time between two requests, in seconds.
const SPACING_S: u64 = 10;
/// How long instances stay, in seconds, from one to so many times this.
const STAY_S: u64 = 3600;
const STAYS: usize = 72;
/// One in so many instances stays for ever.
const STAYING: usize = 4;

/// `hosts` empty hosts, one at least and [`HOSTS_MAX`] at most.
pub fn synthetic_fleet(hosts: u32, seed: u64) -> Fleet {
    let mut random = Random::new(seed);
    let host = |number| {
        let (vcpus, memory_gb, disk_gb) = HOST_SHAPES[random.below(HOST_SHAPES.len())];
        let name = format!("host-{number:06}");
        SimulatedHost {
            report: report(name, vcpus, memory_gb, disk_gb),
            zone: None,
            disabled: false,
        }
    };
    let hosts = hosts.clamp(1, HOSTS_MAX as u32);
    Fleet::of_checked((0..hosts).map(host).collect())
}

fn report(name: String, vcpus: u32, memory_gb: u32, disk_gb: u32) -> HostReport {
    let (cpu, ram, disk) = RATIOS;
    HostReport {
        node: name.clone(),
        host: name,
        generation: 1,
        vcpus,
        memory_mb: u64::from(memory_gb) * 1024,
        free_ram_mb: i64::from(memory_gb) * 1024,
        local_gb: u64::from(disk_gb),
        free_disk_gb: Some(i64::from(disk_gb)),
        hypervisor_type: "fake".to_owned(),
        supported_instances: vec![SupportedInstance {
            architecture: "x86_64".to_owned(),
            hypervisor_type: "fake".to_owned(),
            vm_mode: "hvm".to_owned(),
        }],
        cpu_allocation_ratio: cpu,
        ram_allocation_ratio: ram,
        disk_allocation_ratio: disk,
        ..HostReport::default()
    }
}

/// `instances` requests for one instance each.
pub fn synthetic_requests(instances: u32, seed: u64) -> Vec<Request> {
    // Another sequence than the fleet's, which starts at the same seed.
    let mut random = Random::new(!seed);
    let wanted = INSTANCE_SHAPES.map(|(vcpus, memory_gb, root_gb)| {
        Arc::new(Wanted {
            vcpus,
            memory_mb: memory_gb * 1024,
            root_gb,
            ..Wanted::default()
        })
    });
    let request = |number: u32| {
        let wanted = Arc::clone(&wanted[random.below(wanted.len())]);
        let arrive_s = u64::from(number) * SPACING_S;
        let stays = random.below(STAYING) == 0;
        let leave_s = (!stays).then(|| arrive_s + STAY_S * (1 + random.below(STAYS) as u64));
        Request {
            id: format!("r{}", number + 1),
            wanted,
            count: 1,
            arrive_s,
            leave_s,
        }
    };
    (0..instances).map(request).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_all() {
        assert_eq!(synthetic_fleet(50, 7), synthetic_fleet(50, 7));
        assert_ne!(synthetic_fleet(50, 7), synthetic_fleet(50, 8));
        assert_eq!(synthetic_requests(50, 7), synthetic_requests(50, 7));
        assert_ne!(synthetic_requests(50, 7), synthetic_requests(50, 8));
    }

    #[test]
    fn more_hosts_begin_with_the_same_ones() {
        let (few, many) = (synthetic_fleet(5, 1), synthetic_fleet(50, 1));
        assert_eq!(few.hosts(), &many.hosts()[..5]);
    }
}
