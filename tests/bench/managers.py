"""Measures stevedore, and puts its figures beside those of `cargo bench`.

    managers.py  measure OUT.json                    runs everything, writes {name: nanoseconds}
    managers.py  table OUT.json CRITERION_DIR LOG    prints the table; LOG is what the benchmarks printed

`cargo xtask bench managers` calls both, with a Python that has stevedore installed. Each figure is the least of several
rounds: on a machine that does other things as well, the least is what the code costs.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROUNDS = 7


def distributions(directory, count):
    """`count` distributions of one entry point each in the namespace `bench`, byte-compiled."""
    import compileall

    site = pathlib.Path(directory)
    for i in range(count):
        (site / f"bench_{i}.py").write_text(
            "class Plugin:\n    def add(self, n):\n        return n + 1\n"
        )
        info = site / f"bench_{i}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bench-{i}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[bench]\ne{i} = bench_{i}:Plugin\n")
    compileall.compile_dir(directory, quiet=1)


def least(call, loops):
    """Nanoseconds of one call."""
    best = None
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        for _ in range(loops):
            call()
        spent = (time.perf_counter_ns() - start) / loops
        best = spent if best is None else min(best, spent)
    return best


def hot():
    """Calls through managers of a hundred extensions."""
    from stevedore import ExtensionManager
    from stevedore.dispatch import DispatchExtensionManager, NameDispatchExtensionManager

    count = 100
    every = ExtensionManager("bench", invoke_on_load=True)
    dispatch = DispatchExtensionManager("bench", lambda e: True, invoke_on_load=True)
    by_name = NameDispatchExtensionManager("bench", lambda e: True, invoke_on_load=True)
    names = every.names()
    call = lambda e: e.obj.add(7)  # noqa: E731
    held = every["e42"].obj
    nothing = least(lambda: None, 20_000)
    return {
        "held": least(lambda: held.add(7), 20_000) - nothing,
        "map": least(lambda: every.map(call), 50) / count,
        "dispatch": least(lambda: dispatch.map(lambda e: True, call), 50) / count,
        "name_dispatch": least(lambda: by_name.map(names, call), 50) / count,
        "get": least(lambda: every["e42"], 20_000) - nothing,
    }


def driver():
    """Making a manager for one name, everything being in memory already."""
    from stevedore import DriverManager

    return {"driver": least(lambda: DriverManager("bench", "e0", invoke_on_load=True), 200)}


def load():
    """From nothing to a hundred instances, after stevedore itself was imported."""
    from stevedore import ExtensionManager

    start = time.perf_counter_ns()
    found = ExtensionManager("bench", invoke_on_load=True)
    spent = time.perf_counter_ns() - start
    assert len(found.names()) == 100
    return {"load": spent}


def parse():
    """The bare parse of a map of a thousand entries."""
    import tomllib

    lines = ["['bench']"]
    lines += [f"e{i} = {{ lib = 'lib{i}.so', settings = {{ a = 1 }} }}" for i in range(1000)]
    text = "\n".join(lines)
    return {"parse": least(lambda: tomllib.loads(text), 5)}


def run(part, site, cache):
    """One part in a process of its own."""
    env = dict(os.environ, PYTHONPATH=str(site), XDG_CACHE_HOME=str(cache))
    out = subprocess.run(
        [sys.executable, __file__, "part", part], env=env, check=True, stdout=subprocess.PIPE
    )
    return json.loads(out.stdout)


def measure(out):
    """All parts; the parts that load run several times, with and without stevedore's cache file."""
    results = {}
    with tempfile.TemporaryDirectory(dir=pathlib.Path(out).parent) as directory:
        root = pathlib.Path(directory)
        sites = {}
        for count in (1, 100, 1000):
            sites[count] = root / f"site{count}"
            sites[count].mkdir()
            distributions(sites[count], count)
        results.update(run("hot", sites[100], root / "cache"))
        results["driver of 1"] = run("driver", sites[1], root / "cache")["driver"]
        results["driver of 1000"] = run("driver", sites[1000], root / "cache")["driver"]
        cold = [run("load", sites[100], root / f"cold{i}")["load"] for i in range(ROUNDS)]
        warm = [run("load", sites[100], root / "cache")["load"] for _ in range(ROUNDS)]
        results.update({"load cold": min(cold), "load warm": min(warm)})
        results.update(run("parse", sites[1], root / "cache"))
    pathlib.Path(out).write_text(json.dumps(results, indent=1))


def shown(ns):
    """A time with three digits."""
    if ns is None:
        return "—"
    for unit, size in (("ns", 1), ("µs", 1e3), ("ms", 1e6)):
        if ns < 1000 * size or unit == "ms":
            return f"{ns / size:.3g} {unit}"
    return None


def table(measured, criterion, log):
    """The table of the documentation."""
    theirs = json.loads(pathlib.Path(measured).read_text())

    def ours(group, name, per=1):
        at = pathlib.Path(criterion) / group / name / "new" / "estimates.json"
        return json.loads(at.read_text())["median"]["point_estimate"] / per

    said = pathlib.Path(log).read_text()
    loaded = re.search(r"100 loaded: ([\d.]+) ms, the bare dlopens ([\d.]+) ms", said)
    loaded, bare = (float(x) * 1e6 for x in loaded.groups())
    budget = 1.3 * bare + 100 * 0.3e6
    sealed, size = (float(x) for x in re.search(r"100 sealed: ([\d.]+) ms, ([\d.]+) MB", said).groups())
    sealed *= 1e6
    rows = [
        ("call on a held driver, guard included", theirs["held"], ours("call", "u64_bridge"), 5),
        ("`map`, per extension", theirs["map"], ours("managers", "map 100", 100), 10),
        ("dispatch, per extension called", theirs["dispatch"], ours("managers", "dispatch 100", 100), 15),
        ("name dispatch, per extension called", theirs["name_dispatch"], ours("managers", "name dispatch 100", 100), 15),
        ("look-up by name", theirs["get"], ours("managers", "get"), 30),
        ("driver manager, library open, 1 entry", theirs["driver of 1"], ours("managers", "driver of 1"), 1e3),
        ("driver manager, library open, 1,000 entries", theirs["driver of 1000"], ours("managers", "driver of 1000"), 1e3),
        ("100 plugins ready for first use, inspections remembered", None, ours("managers", "100 ready, warm"), 2e6),
        ("100 plugins ready for first use, nothing known", None, ours("managers", "100 ready, cold"), 15e6),
        ("100 plugins opened and constructed, cache warm", theirs["load warm"], loaded, budget),
        ("100 plugins opened and constructed, cache cold", theirs["load cold"], loaded, budget),
        (f"the same from sealed memory, {size:.0f} MB read, hashed and sealed", None, sealed, None),
        ("1,000 entries: parse, merge, check (there: parse alone)", theirs["parse"], ours("map", "1000_entries"), 2e6),
    ]
    print("| what | stevedore | longshore | ratio | to reach |")
    print("|---|---|---|---|---|")
    missed = 0
    for what, there, here, limit in rows:
        ratio = f"{there / here:.{0 if there > 10 * here else 1}f} ×" if there else "—"
        goal = f"≤ {shown(limit)}" if limit else "—"
        if limit and here > limit:
            missed += 1
            goal += " **missed**"
        print(f"| {what} | {shown(there)} | {shown(here)} | {ratio} | {goal} |")
    print(f"\nThe bare `dlopen`s of 100 such files take {shown(bare)}.")
    return missed


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["part", part]:
            print(json.dumps({"hot": hot, "driver": driver, "load": load, "parse": parse}[part]()))
        case ["measure", out]:
            measure(out)
        case ["table", measured, criterion, log]:
            sys.exit(1 if table(measured, criterion, log) else 0)
        case _:
            sys.exit(__doc__)
