"""Measures the filter scheduler of Nova Pike, and puts its figures beside those of `cargo bench`, on the same fleet.

    scheduler.py  measure PIKE_DIRECTORY STEIN_DIRECTORY OUT.json    runs everything, writes {name: nanoseconds, or bytes}
    scheduler.py  table OUT.json CRITERION_DIR LOG PLOT.svg          prints the table, draws how the time grows; LOG is what
                                                                     the benchmarks printed

`cargo xtask bench scheduler` calls both, with the Python of `cargo xtask nova`.
Nova runs as `tests/nova` makes it importable: without database, messaging and placement, on host states that are ready.
So a request is what Nova itself does in `FilterScheduler._schedule`: filter, weigh, choose, consume. What it does beside
that, such as making all host states anew from records for each request, is left out. Each figure is the least of several
rounds: on a machine that does other things as well, the least is what the code costs.
"""

import json
import math
import pathlib
import random
import re
import sys
import time
import tracemalloc

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "nova"))

import answer  # noqa: E402

# The defaults of the Pike release, as in `tests/benches/scheduler.rs`.
FILTERS = ("retry", "availability_zone", "compute", "compute_capabilities", "image_properties",
           "server_group_anti_affinity", "server_group_affinity")
WEIGHERS = ("ram", "disk", "io_ops", "metrics", "pci", "server_group_soft_affinity",
            "server_group_soft_anti_affinity", "build_failure")


def report(i):
    """What a host of the fleet says: a quarter of them is nearly full. The same as in `tests/benches/scheduler.rs`."""
    return {
        "host": f"host-{i:06}",
        "vcpus_total": 64,
        "vcpus_used": i % 48,
        "total_usable_ram_mb": 131072,
        "free_ram_mb": 256 if i % 4 == 0 else 16384 + i * 7919 % 65536,
        "total_usable_disk_gb": 2000,
        "free_disk_mb": (500 + i * 31 % 1500) * 1024,
        "num_io_ops": i % 5,
        "hypervisor_type": "fake",
        "hypervisor_version": 0,
        "supported_instances": [["x86_64", "fake", "hvm"]],
        "ram_allocation_ratio": 1.5,
        "cpu_allocation_ratio": 16.0,
        "disk_allocation_ratio": 1.0,
    }


class Scheduler:
    """Nova's `FilterScheduler` with Nova's `HostManager`, over host states that are ready."""

    def __init__(self, classes):
        from nova.scheduler import filter_scheduler, filters, host_manager, weights

        manager = host_manager.HostManager.__new__(host_manager.HostManager)
        manager.filter_handler, manager.weight_handler = filters.HostFilterHandler(), weights.HostWeightHandler()
        manager.enabled_filters = [classes[answer.FILTERS[name]]() for name in FILTERS]
        manager.weighers = [classes[answer.WEIGHERS[name]]() for name in WEIGHERS]
        self.driver = filter_scheduler.FilterScheduler.__new__(filter_scheduler.FilterScheduler)
        self.driver.host_manager = manager
        self.driver._get_all_host_states = lambda *_: iter(self.hosts)
        self.hosts = []

    def fill(self, hosts):
        self.hosts = [answer.host_state(report(i)) for i in range(hosts)]

    def select(self, instances):
        spec = answer.request_spec({"flavor": {"id": "1", "memory_mb": 2048, "vcpus": 1, "root_gb": 20}})
        spec.num_instances = instances
        spec.ignore_hosts = spec.force_hosts = spec.force_nodes = spec.requested_destination = None
        chosen = self.driver._schedule(Context(), spec, None, None, None)
        assert len(chosen) == instances and all(host.num_instances for host in chosen)


class Context:
    """In place of a request's context: nobody looks at it."""

    def elevated(self):
        return self


def least(call, rounds):
    """Nanoseconds of one call."""
    best = None
    for _ in range(rounds):
        start = time.perf_counter_ns()
        call()
        spent = time.perf_counter_ns() - start
        best = spent if best is None else min(best, spent)
    return best


def memory_per_host(scheduler, hosts):
    """Bytes that a host state holds."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    scheduler.fill(hosts)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / hosts


def update(scheduler):
    """Nanoseconds for one host's report to be taken."""
    from nova import objects

    hosts = scheduler.hosts

    def one():
        i = random.randrange(len(hosts))
        facts = report(i)
        node = objects.ComputeNode(
            host=facts["host"], hypervisor_hostname=facts["host"], uuid=answer.SOME_UUID, host_ip="127.0.0.1",
            memory_mb=131072, vcpus=64, vcpus_used=facts["vcpus_used"], local_gb=2000, local_gb_used=0,
            free_ram_mb=facts["free_ram_mb"], free_disk_gb=500, disk_available_least=None, numa_topology=None,
            pci_device_pools=None, hypervisor_type="fake", hypervisor_version=0, cpu_info="", supported_hv_specs=[],
            stats={}, metrics="[]", cpu_allocation_ratio=16.0, ram_allocation_ratio=1.5, disk_allocation_ratio=1.0,
            updated_at=None)
        start = time.perf_counter_ns()
        hosts[i].update(compute=node)
        return time.perf_counter_ns() - start

    return min(one() for _ in range(200))


def say(text):
    print(f"nova: {text}", file=sys.stderr, flush=True)


def measure(pike, stein):
    scheduler = Scheduler(answer.Answers(pike, stein).classes)
    figures = {"memory per host": memory_per_host(scheduler, 1000)}
    for hosts, rounds in ((100, 20), (1000, 10), (10_000, 3), (100_000, 1)):
        say(f"1 instance, {hosts} hosts")
        scheduler.fill(hosts)
        figures[f"1 instance, {hosts} hosts"] = least(lambda: scheduler.select(1), rounds)
        for instances, rounds in ((10, 3), (100, 1)) if hosts == 1000 else ():
            say(f"{instances} instances, {hosts} hosts")
            figures[f"{instances} instances, {hosts} hosts"] = least(lambda: scheduler.select(instances), rounds)
    figures["one host reports"] = update(scheduler)
    say("placements that stay, 5000 hosts")
    scheduler.fill(5000)
    figures["placements that stay, 5000 hosts"] = least(lambda: scheduler.select(1), 5)
    return figures


def shown(ns):
    """A time with three digits."""
    for unit, size in (("ns", 1), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)):
        if ns < 999.5 * size or unit == "s":
            return f"{ns / size:.3g} {unit}"
    return None


class Ours:
    """What criterion found, in nanoseconds."""

    def __init__(self, criterion):
        self.criterion = pathlib.Path(criterion)

    def of(self, *path):
        estimates = self.criterion.joinpath(*path, "new", "estimates.json")
        return json.loads(estimates.read_text())["median"]["point_estimate"]

    def request(self, hosts, instances="1 instance"):
        return self.of("filter_scheduler", f"{instances}, Pike's defaults", str(hosts))

    def floor(self, hosts):
        return self.of("floor", "read", str(hosts))


def table(theirs, ours, log):
    """The table of the documentation; answers how many rows miss what they are to reach."""
    found = re.search(r"memory per host: (\d+) B in the columns with a snapshot, (\d+) B with three, (\d+) B in all", log)
    columns, three, in_all = (int(n) for n in found.groups())
    rows = [
        (f"{name}, {hosts:,} hosts", theirs[f"{name}, {hosts} hosts"], ours.request(hosts, name), limit, ours.floor(hosts) * n)
        for name, n, hosts, limit in (
            ("1 instance", 1, 1000, 20e3), ("1 instance", 1, 10_000, 0.1e6), ("1 instance", 1, 100_000, 0.5e6),
            ("10 instances", 10, 1000, 0.1e6))
    ]
    stay = "placements that stay, 5000 hosts"
    placed = ours.of("filter_scheduler", stay)
    rows.append(("a placement that stays, 5,000 hosts", theirs[stay], placed, 20e3, ours.floor(5000)))
    update = ours.of("one host of 100000 reports, snapshot before and after")
    rows.append(("one host of 100,000 reports", theirs["one host reports"], update, 5e3, None))
    print("| work | Nova | longshore | ratio | to reach | floor | over it |")
    print("|---|---|---|---|---|---|---|")
    missed = 0
    for what, there, here, limit, floor in rows:
        goal = f"≤ {shown(limit)}" + (" **missed**" if here > limit else "")
        missed += here > limit
        least, over = (shown(floor), f"{here / floor:.1f} ×") if floor else ("—", "—")
        print(f"| {what} | {shown(there)} | {shown(here)} | {there / here:,.0f} × | {goal} | {least} | {over} |")
    missed += columns > 512
    there = theirs["memory per host"]
    goal = "≤ 512 B" + (" **missed**" if columns > 512 else "")
    print(f"| memory per host | {there:,.0f} B | {columns} B | {there / columns:.1f} × | {goal} | — | — |")
    print(f"\nA placement that stays every {shown(placed)} is {1e9 / placed:,.0f} placements a second.")
    print(f"With three snapshots held across changes a host takes {three} B, and the host manager in all {in_all} B.")
    return missed


WIDTH, HEIGHT, LEFT, TOP = 300, 220, 62, 40


def panel(x, title, axis, series):
    """One chart: both axes logarithmic; `series` is (name, colour, [(x, nanoseconds)])."""
    points = [point for _, _, line in series for point in line]
    low, high = (math.floor(math.log10(min(y for _, y in points))), math.ceil(math.log10(max(y for _, y in points))))
    first, last = (math.log10(pick(x for x, _ in points)) for pick in (min, max))

    def at(point):
        across = (math.log10(point[0]) - first) / (last - first) * WIDTH
        return f"{x + LEFT + across:.1f},{TOP + HEIGHT - (math.log10(point[1]) - low) / (high - low) * HEIGHT:.1f}"

    out = [f'<text x="{x + LEFT}" y="20" class="title">{title}</text>']
    for power in range(low, high + 1):
        y = TOP + HEIGHT - (power - low) / (high - low) * HEIGHT
        out.append(f'<path d="M{x + LEFT} {y:.1f}h{WIDTH}" class="grid"/>')
        out.append(f'<text x="{x + LEFT - 6}" y="{y + 4:.1f}" class="y">{shown(10 ** power)}</text>')
    for n in sorted({n for n, _ in points}):
        across, _ = at((n, 10 ** low)).split(",")
        out.append(f'<text x="{across}" y="{TOP + HEIGHT + 16}" class="x">{n:,}</text>')
    out.append(f'<text x="{x + LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 34}" class="x">{axis}</text>')
    for name, colour, line in series:
        path = " ".join(at(point) for point in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        across, y = (float(n) for n in at(line[-1]).split(","))
        y += 34 if name == "floor" else -7
        out.append(f'<text x="{across - 4}" y="{y:.1f}" class="name" fill="{colour}">{name}</text>')
    return out


def plot(theirs, ours):
    """How the time of a request grows, as an SVG picture of three panels."""
    hosts = (100, 1000, 10_000, 100_000)
    nova, here, least = "#b5482f", "#1f6f8b", "#777777"
    panels = [
        ("1 instance", "hosts", [
            ("Nova", nova, [(n, theirs[f"1 instance, {n} hosts"]) for n in hosts]),
            ("longshore", here, [(n, ours.request(n)) for n in hosts]),
            ("floor", least, [(n, ours.floor(n)) for n in hosts[1:]])]),
        ("1 instance, 10,000 hosts", "filters", [
            ("longshore", here, [(n, ours.of("growth", "filters", str(n))) for n in (5, 10, 15, 20, 25, 30)])]),
        ("1,000 hosts", "instances in one request", [
            ("Nova", nova, [(n, theirs[f"{n} instance{'s' * (n > 1)}, 1000 hosts"]) for n in (1, 10, 100)]),
            ("longshore", here, [(n, ours.of("growth", "instances", str(n))) for n in (1, 2, 5, 10, 20, 50, 100)])]),
    ]
    step = WIDTH + LEFT + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {step * len(panels)} {TOP + HEIGHT + 44}" '
           'font-family="sans-serif" font-size="11">',
           "<style>.title{font-size:13px;font-weight:bold}.grid{stroke:#ddd}.y{text-anchor:end}.x{text-anchor:middle}"
           ".name{text-anchor:end;font-weight:bold}</style>",
           '<rect width="100%" height="100%" fill="white"/>']
    for i, (title, axis, series) in enumerate(panels):
        out += panel(i * step, title, axis, series)
    return "\n".join(out + ["</svg>", ""])


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["measure", pike, stein, out]:
            pathlib.Path(out).write_text(json.dumps(measure(pike, stein), indent=1))
        case ["table", measured, criterion, log, svg]:
            figures, found = json.loads(pathlib.Path(measured).read_text()), Ours(criterion)
            pathlib.Path(svg).write_text(plot(figures, found))
            sys.exit(1 if table(figures, found, pathlib.Path(log).read_text()) else 0)
        case _:
            sys.exit(__doc__)
