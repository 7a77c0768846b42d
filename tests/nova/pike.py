"""Makes Nova of the Pike release importable on a Python of today, for its filters, weighers and host states alone.

The package itself is unpacked beside (`requirements.txt`, `cargo xtask nova`). What filters and weighers never reach
stands in as empty modules: the database, messaging, networks, the web. Everything that decides a verdict is Nova's own:
filters, weighers, `HostState`, the objects, `virt/hardware.py`, `pci/stats.py`, and the options with their defaults.
"""

import fractions
import glob
import importlib
import importlib.abc
import importlib.machinery
import logging
import math
import os
import sys
import types
import warnings

import iso8601

ABSENT = (
    "nova.api", "nova.cells", "nova.compute.rpcapi", "nova.compute.utils", "nova.context", "nova.db", "nova.hooks",
    "nova.image", "nova.network", "nova.notifications", "nova.objects.resource_provider", "nova.policy", "nova.rpc",
    "nova.safe_utils", "nova.scheduler.client", "nova.servicegroup", "nova.utils", "nova.volume", "nova.wsgi",
    "castellan", "cryptography", "cursive", "eventlet", "greenlet", "keystoneauth1", "microversion_parse", "netifaces",
    "oslo_cache", "oslo_concurrency", "oslo_db", "oslo_messaging", "oslo_middleware", "oslo_policy", "oslo_service",
    "sqlalchemy", "webob",
)

# The groups of options that filters and weighers read.
OPTIONS = ("availability_zone", "base", "compute", "libvirt", "netconf", "pci", "scheduler")


class Empty(type):
    """The class of what stands in: has every name; one in capitals is a text, any other one a class again."""

    def __getattr__(cls, name):
        return stand_in(name)


def stand_in(name):
    """Something that takes any arguments, can be raised, and decorates by doing nothing."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name == "HASH_METHODS":
        return {"SHA-256": None}
    if name.isupper():
        return name.lower()
    return Empty(name, (Exception,), {
        "__init__": lambda self, *args, **kwargs: None,
        "__call__": lambda self, function=None, *args, **kwargs: function,
        "__getattr__": lambda self, name: stand_in(name),
    })


class Nothing(types.ModuleType):
    """A module that has every name."""

    def __getattr__(self, name):
        return stand_in(name)


class Absent(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if any(name == absent or name.startswith(absent + ".") for absent in ABSENT):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = Nothing(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module):
        pass


def load(directory):
    """Imports Nova from `directory`; answers its filter and weigher classes by name."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    fractions.gcd = math.gcd  # what Python 3.9 took away
    iso8601.iso8601.Utc = lambda: iso8601.UTC  # and a later release of its package
    sys.meta_path.insert(0, Absent())
    sys.path.insert(0, directory)
    options(directory)
    for name in ("aggregate", "flavor", "image_meta", "instance", "instance_group", "instance_numa_topology",
                 "instance_pci_requests", "compute_node", "monitor_metric", "numa", "pci_device_pool", "request_spec",
                 "service", "virt_cpu_topology"):
        importlib.import_module("nova.objects." + name)
    classes = {}
    for kind, base in (("filters", "BaseHostFilter"), ("weights", "BaseHostWeigher")):
        base = getattr(importlib.import_module("nova.scheduler." + kind), base)
        for file in sorted(glob.glob(os.path.join(directory, "nova", "scheduler", kind, "*.py"))):
            module = os.path.basename(file)[:-3]
            if module == "__init__":
                continue
            module = importlib.import_module(f"nova.scheduler.{kind}.{module}")
            for name, found in vars(module).items():
                if isinstance(found, type) and issubclass(found, base) and not name.startswith("_"):
                    classes[name] = found
    return classes


def options(directory):
    """`nova.conf` with the groups that matter, and their defaults."""
    from oslo_config import cfg
    import nova

    conf = types.ModuleType("nova.conf")
    conf.__path__ = [os.path.join(directory, "nova", "conf")]
    conf.CONF = cfg.CONF
    sys.modules["nova.conf"] = nova.conf = conf
    for group in OPTIONS:
        importlib.import_module("nova.conf." + group).register_opts(cfg.CONF)
    cfg.CONF([], project="nova", default_config_files=[])
