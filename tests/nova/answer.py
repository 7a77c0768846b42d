"""Asks Nova's own filters and weighers: a case per line on stdin, an answer per line on stdout, both JSON.

    answer.py PIKE_DIRECTORY STEIN_DIRECTORY

A case names one driver and has its settings, the hosts and the request, in the words of Nova's `HostState` and
`RequestSpec`; `tests/it/nova` writes them. The answer to a filter is `{"passes": [...]}`, one per host, with null where
Nova raised, and `"limits"` if there are any for a host that passes; to a weigher `{"raw": [...], "weights": [...]}`, or null where it raised. A case
of the kind `consumption` is counted on each host `times` times; the answer has what the host had before, and after each
time (`states.py`). The one case `{"facts": true}` is
answered with what each class says of itself, and the defaults of the settings.
"""

import importlib.util
import json
import os
import sys

import pike
import states

FILTERS = {
    "aggregate_core": "AggregateCoreFilter",
    "aggregate_disk": "AggregateDiskFilter",
    "aggregate_image_properties_isolation": "AggregateImagePropertiesIsolation",
    "aggregate_instance_extra_specs": "AggregateInstanceExtraSpecsFilter",
    "aggregate_io_ops": "AggregateIoOpsFilter",
    "aggregate_multi_tenancy_isolation": "AggregateMultiTenancyIsolation",
    "aggregate_num_instances": "AggregateNumInstancesFilter",
    "aggregate_ram": "AggregateRamFilter",
    "aggregate_type_affinity": "AggregateTypeAffinityFilter",
    "all_hosts": "AllHostsFilter",
    "availability_zone": "AvailabilityZoneFilter",
    "compute": "ComputeFilter",
    "compute_capabilities": "ComputeCapabilitiesFilter",
    "core": "CoreFilter",
    "different_host": "DifferentHostFilter",
    "disk": "DiskFilter",
    "exact_core": "ExactCoreFilter",
    "exact_disk": "ExactDiskFilter",
    "exact_ram": "ExactRamFilter",
    "image_properties": "ImagePropertiesFilter",
    "io_ops": "IoOpsFilter",
    "isolated_hosts": "IsolatedHostsFilter",
    "json": "JsonFilter",
    "metrics": "MetricsFilter",
    "num_instances": "NumInstancesFilter",
    "numa_topology": "NUMATopologyFilter",
    "pci_passthrough": "PciPassthroughFilter",
    "ram": "RamFilter",
    "retry": "RetryFilter",
    "same_host": "SameHostFilter",
    "server_group_affinity": "ServerGroupAffinityFilter",
    "server_group_anti_affinity": "ServerGroupAntiAffinityFilter",
    "simple_cidr_affinity": "SimpleCIDRAffinityFilter",
    "trusted": "TrustedFilter",
    "type_affinity": "TypeAffinityFilter",
}

WEIGHERS = {
    "build_failure": "BuildFailureWeigher",
    "cpu": "CPUWeigher",
    "disk": "DiskWeigher",
    "io_ops": "IoOpsWeigher",
    "metrics": "MetricsWeigher",
    "pci": "PCIWeigher",
    "ram": "RAMWeigher",
    "server_group_soft_affinity": "ServerGroupSoftAffinityWeigher",
    "server_group_soft_anti_affinity": "ServerGroupSoftAntiAffinityWeigher",
}

# Our setting: Nova's group and option.
SETTINGS = {
    "default_availability_zone": (None, "default_availability_zone"),
    "isolated_hosts": ("filter_scheduler", "isolated_hosts"),
    "isolated_images": ("filter_scheduler", "isolated_images"),
    "max_instances_per_host": ("filter_scheduler", "max_instances_per_host"),
    "max_io_ops_per_host": ("filter_scheduler", "max_io_ops_per_host"),
    "namespace": ("filter_scheduler", "aggregate_image_properties_isolation_namespace"),
    "required": ("metrics", "required"),
    "restrict_isolated_hosts_to_isolated_images":
        ("filter_scheduler", "restrict_isolated_hosts_to_isolated_images"),
    "separator": ("filter_scheduler", "aggregate_image_properties_isolation_separator"),
    "weight_of_unavailable": ("metrics", "weight_of_unavailable"),
    "weight_setting": ("metrics", "weight_setting"),
}

SOME_UUID = "00000000-0000-4000-8000-000000000000"

# Attributes of `HostState` that a case sets by the same name.
ATTRIBUTES = (
    "uuid", "host_ip", "total_usable_ram_mb", "free_ram_mb", "total_usable_disk_gb", "free_disk_mb", "disk_mb_used",
    "vcpus_total", "vcpus_used", "num_instances", "num_io_ops", "failed_builds", "hypervisor_type",
    "hypervisor_version", "cpu_info", "supported_instances", "ram_allocation_ratio", "cpu_allocation_ratio",
    "disk_allocation_ratio",
)


def cpu_weigher(directory):
    """The one weigher that Pike does not have."""
    path = os.path.join(directory, "nova", "scheduler", "weights", "cpu.py")
    spec = importlib.util.spec_from_file_location("nova.scheduler.weights.cpu", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CPUWeigher


def up(service):
    return service["up"]


class ServiceGroup:
    """In place of `nova.servicegroup.API`, which asks a database."""

    service_is_up = staticmethod(up)


class Attestation:
    """In place of the attestation server: levels by node."""

    def __init__(self):
        self.levels = {}

    def is_trusted(self, node, trust):
        return self.levels.get(node, "unknown") == trust


def host_state(facts):
    from nova import objects
    from nova.pci import stats
    from nova.scheduler import host_manager

    node = facts.get("nodename", facts["host"])
    host = host_manager.HostState(facts["host"], node, None)
    host.failed_builds = 0
    host.stats = facts.get("stats", {})
    host.hypervisor_hostname = node
    for name in ATTRIBUTES:
        if name in facts:
            setattr(host, name, facts[name])
    host.aggregates = [
        objects.Aggregate(id=one["id"], name=str(one["id"]), hosts=[host.host], metadata=one["metadata"])
        for one in facts.get("aggregates", [])
    ]
    host.instances = {
        one["uuid"]: objects.Instance(uuid=one["uuid"], instance_type_id=int(one["flavor_id"]))
        for one in facts.get("instances", [])
    }
    host.service = host_manager.ReadOnlyDict({
        "disabled": facts.get("disabled", False), "disabled_reason": None, "up": facts.get("up", True),
    })
    host.metrics = objects.MonitorMetricList.from_json(json.dumps(facts.get("metrics", [])))
    pools = [{"numa_node": None, **pool} for pool in facts.get("pci_device_pools", [])]
    host.pci_stats = stats.PciDeviceStats(dev_filter=object())
    host.pci_stats.pools = sorted(pools, key=len)
    if facts.get("numa_topology"):
        host.numa_topology = host_topology(facts["numa_topology"])
    return host


def host_topology(facts):
    from nova import objects

    def pages(cell):
        return [objects.NUMAPagesTopology(**page) for page in cell["mempages"]]

    return objects.NUMATopology(cells=[
        objects.NUMACell(
            id=cell["id"], cpuset=set(cell["cpuset"]), memory=cell["memory"], cpu_usage=cell["cpu_usage"],
            memory_usage=cell["memory_usage"], pinned_cpus=set(cell["pinned_cpus"]),
            siblings=[set(sibling) for sibling in cell["siblings"]], mempages=pages(cell))
        for cell in facts["cells"]
    ])


def request_spec(facts):
    from nova import objects

    spec = objects.RequestSpec(
        instance_uuid=facts.get("instance_uuid", SOME_UUID), project_id=facts.get("project_id"),
        availability_zone=facts.get("availability_zone"), num_instances=1, numa_topology=None, pci_requests=None,
        instance_group=None, retry=None, image=None,
        scheduler_hints=facts.get("scheduler_hints") or {})
    flavor = facts["flavor"]
    amounts = {key: flavor.get(key, 0) for key in ("memory_mb", "vcpus", "root_gb", "ephemeral_gb", "swap")}
    spec.flavor = objects.Flavor(
        id=int(flavor.get("id", 0)), flavorid=flavor.get("id", ""), name=flavor.get("name", ""),
        extra_specs=flavor.get("extra_specs", {}), **amounts)
    image = facts.get("image")
    if image is not None:
        spec.image = objects.ImageMeta.from_dict({"id": image["id"], "properties": image["properties"]})
    group = facts.get("group")
    if group is not None:
        spec.instance_group = objects.InstanceGroup(
            policies=group["policies"], hosts=group["hosts"], members=group["members"])
    if facts.get("retry"):
        hosts = [objects.ComputeNode(host=host, hypervisor_hostname=node) for host, node in facts["retry"]]
        spec.retry = objects.SchedulerRetries(num_attempts=1, hosts=objects.ComputeNodeList(objects=hosts))
    if facts.get("numa_topology"):
        spec.numa_topology = instance_topology(facts["numa_topology"])
    if facts.get("pci_requests"):
        requests = [objects.InstancePCIRequest(count=one["count"], spec=one["spec"]) for one in facts["pci_requests"]]
        spec.pci_requests = objects.InstancePCIRequests(requests=requests)
    return spec


def instance_topology(facts):
    from nova import objects

    topology = objects.InstanceNUMATopology(cells=[
        objects.InstanceNUMACell(
            id=cell["id"], cpuset=set(cell["cpuset"]), memory=cell["memory"], pagesize=cell.get("pagesize"),
            cpu_policy=cell.get("cpu_policy"), cpu_thread_policy=cell.get("cpu_thread_policy"))
        for cell in facts["cells"]
    ])
    topology.emulator_threads_policy = facts.get("emulator_threads_policy")
    return topology


def limits_of(host):
    """What a filter lets a host hold. Those of NUMA cells are the host's own ratios, said once more."""
    return {key: float(limit) for key, limit in host.limits.items() if key != "numa_topology"}


class Answers:
    def __init__(self, pike_directory, stein_directory):
        self.classes = pike.load(pike_directory)
        self.classes["CPUWeigher"] = cpu_weigher(stein_directory)
        from nova import conf, servicegroup
        from nova.scheduler.filters import trusted_filter

        self.conf = conf.CONF
        servicegroup.API = ServiceGroup
        trusted_filter.ComputeAttestation = Attestation

    def facts(self):
        """When each filter runs, the range of each weigher, the default of each setting."""
        filters = {
            name: {"once": found.run_filter_once_per_request, "rebuild": found.RUN_ON_REBUILD}
            for name, found in ((name, self.classes[cls]) for name, cls in FILTERS.items())
        }
        weighers = {name: {"min": self.classes[cls].minval, "max": self.classes[cls].maxval}
                    for name, cls in WEIGHERS.items()}
        defaults = {key: self.option(*place) for key, place in SETTINGS.items()}
        return {"filters": filters, "weighers": weighers, "defaults": defaults}

    def option(self, group, name):
        options = self.conf[group] if group else self.conf
        return options[name]

    def answer(self, case):
        if "facts" in case:
            return self.facts()
        if case["kind"] == "consumption":
            return [self.consumption(case, host) for host in case["hosts"]]
        for key, value in case["settings"].items():
            group, option = SETTINGS[key]
            if key == "weight_setting":  # a table here, a list of `name=ratio` there
                value = [f"{name}={ratio}" for name, ratio in value.items()]
            self.conf.set_override(option, value, group=group)
        try:
            if case["kind"] == "filter":
                return self.filter(case)
            return self.weigher(case)
        finally:
            for key in case["settings"]:
                group, option = SETTINGS[key]
                self.conf.clear_override(option, group=group)

    def filter(self, case):
        chosen = self.classes[FILTERS[case["driver"]]]()
        spec = request_spec(case["request"])
        if case["driver"] == "trusted":
            stats = ((host["host"], host.get("stats", {})) for host in case["hosts"])
            chosen.compute_attestation.levels = {node: s["trust_lvl"] for node, s in stats if "trust_lvl" in s}
        hosts = [host_state(host) for host in case["hosts"]]
        answer = {"passes": [self.passes(chosen, host, spec) for host in hosts]}
        limits = [limits_of(host) if passes else {} for host, passes in zip(hosts, answer["passes"])]
        return {**answer, "limits": limits} if any(limits) else answer

    def consumption(self, case, facts):
        topology = host_topology(facts["numa_topology"]) if facts.get("numa_topology") else None
        host = states.state(facts, topology, case["driver"] == "ironic_host_manager")
        fits = self.classes["NUMATopologyFilter"]().host_passes
        found = [states.facts_of(host)]
        for _ in range(case["times"]):
            # Nova writes into a request where it was placed, and finds it there for the next instance.
            asked, spec = request_spec(case["request"]), request_spec(case["request"])
            found.append(states.consume(host, lambda host: fits(host, asked), spec))
        return found

    @staticmethod
    def passes(chosen, host, spec):
        try:
            return bool(chosen.host_passes(host, spec))
        except Exception as error:
            if "module 'nova" in str(error):  # what stands in here is at fault, not Nova
                raise
            return None

    def weigher(self, case):
        from nova.scheduler import weights

        chosen = self.classes[WEIGHERS[case["driver"]]]()
        hosts = [host_state(host) for host in case["hosts"]]
        spec = request_spec(case["request"])
        multiplier = case["multiplier"]
        try:
            # `metrics` looks at its multiplier for raw weights, and one of 0 makes all of them count as nothing.
            chosen.weight_multiplier = lambda *_: multiplier or 1.0
            raw = [chosen._weigh_object(host, spec) for host in hosts]
            chosen.weight_multiplier = lambda *_: multiplier
            weighed = weights.HostWeightHandler().get_weighed_objects([chosen], hosts, spec)
        except Exception:
            return None
        by_host = {id(one.obj): one.weight for one in weighed}
        return {"raw": raw, "weights": [by_host[id(host)] for host in hosts]}


def main():
    answers = Answers(sys.argv[1], sys.argv[2])
    for line in sys.stdin:
        print(json.dumps(answers.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
