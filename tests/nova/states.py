"""Hosts as Nova's host managers keep them: what of a compute node's record counts, and what a request takes of it.

Called by `answer.py`, which has the request.
"""

import json

# What a case says of a node by the name that its record has.
RECORD = (
    "vcpus", "vcpus_used", "memory_mb", "free_ram_mb", "local_gb", "local_gb_used", "free_disk_gb",
    "disk_available_least", "hypervisor_type", "host_ip", "ram_allocation_ratio", "cpu_allocation_ratio",
    "disk_allocation_ratio",
)

# What is compared of a host, by the names of `HostState`.
AMOUNTS = (
    "free_ram_mb", "free_disk_mb", "vcpus_used", "num_instances", "num_io_ops", "total_usable_ram_mb",
    "total_usable_disk_gb", "disk_mb_used", "vcpus_total", "failed_builds",
)


def record(facts, topology):
    """The compute node's record. Its NUMA cells are a text there."""
    from nova import objects
    from nova.objects import pci_device_pool

    stats = {"num_instances": facts["num_instances"], "io_workload": facts["num_io_ops"],
             "failed_builds": facts["failed_builds"]}
    return objects.ComputeNode(
        uuid="00000000-0000-4000-8000-000000000000", host=facts["host"], hypervisor_hostname=facts["host"],
        hypervisor_version=1, cpu_info="", supported_hv_specs=[], metrics="[]", updated_at=None,
        stats={key: str(value) for key, value in stats.items()},
        numa_topology=topology._to_json() if topology else None,
        pci_device_pools=pci_device_pool.from_pci_stats(facts["pci_device_pools"]),
        **{name: facts[name] for name in RECORD})


def state(facts, topology, is_ironic):
    """The state that the host manager makes of the record."""
    from nova.scheduler import host_manager, ironic_host_manager

    node = record(facts, topology)
    is_ironic = is_ironic and ironic_host_manager.IronicHostManager._is_ironic_compute(node)
    cls = ironic_host_manager.IronicNodeState if is_ironic else host_manager.HostState
    found = cls(facts["host"], facts["host"], None)
    found._update_from_compute_node(node)
    return found


def consume(host, fits, spec):
    """What the host has when a request was counted on it. `fits` is the filter that leaves limits there."""
    host.limits, host.updated = {}, None
    try:
        fits(host)
    except Exception:  # as a forced host, which no filter has seen
        pass
    host.consume_from_request(spec)
    # An exception within is logged, and the time of the update stays.
    return {**facts_of(host), "raised": host.updated is None}


def facts_of(host):
    from nova.virt import hardware

    topology, _ = hardware.host_topology_and_format_from_host(host)
    cells = [{
        "id": cell.id, "cpu_usage": cell.cpu_usage, "memory_usage": cell.memory_usage,
        "pinned_cpus": sorted(cell.pinned_cpus), "used_pages": [page.used for page in cell.mempages],
    } for cell in (topology.cells if topology else [])]
    pools = json.loads(json.dumps(list(host.pci_stats))) if host.pci_stats else []
    return {**{name: getattr(host, name, 0) for name in AMOUNTS}, "pools": pools, "cells": cells}
