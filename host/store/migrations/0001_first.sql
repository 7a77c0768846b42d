-- The first schema. Column names are the field names of the objects; maps are JSON text, times
-- ISO 8601 text in UTC, booleans 0 or 1. A migration that was released never changes.

CREATE TABLE generations (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO generations VALUES ('compute_nodes', 0), ('services', 0);

CREATE TABLE instances (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    hostname TEXT, display_name TEXT, display_description TEXT,
    user_id TEXT, project_id TEXT,
    image_ref TEXT, kernel_id TEXT, ramdisk_id TEXT,
    flavor TEXT, instance_type_id INTEGER,
    memory_mb INTEGER, vcpus INTEGER, root_gb INTEGER, ephemeral_gb INTEGER,
    host TEXT, node TEXT, launched_on TEXT, availability_zone TEXT,
    launch_index INTEGER, reservation_id TEXT,
    key_name TEXT, key_data TEXT, user_data TEXT, config_drive TEXT,
    power_state INTEGER, vm_state TEXT, task_state TEXT, progress INTEGER,
    created_at TEXT, updated_at TEXT, launched_at TEXT, terminated_at TEXT, deleted_at TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    locked INTEGER NOT NULL DEFAULT 0, locked_by TEXT,
    auto_disk_config INTEGER NOT NULL DEFAULT 0,
    shutdown_terminate INTEGER NOT NULL DEFAULT 0,
    disable_terminate INTEGER NOT NULL DEFAULT 0,
    cleaned INTEGER NOT NULL DEFAULT 0,
    root_device_name TEXT, os_type TEXT, architecture TEXT, vm_mode TEXT,
    access_ip_v4 TEXT, access_ip_v6 TEXT,
    metadata TEXT NOT NULL DEFAULT '{}', system_metadata TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX instances_host ON instances (host, deleted);
CREATE INDEX instances_state ON instances (vm_state, task_state, deleted);
CREATE INDEX instances_project ON instances (project_id, deleted);
CREATE INDEX instances_name ON instances (display_name, deleted);

CREATE TABLE request_specs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_uuid TEXT NOT NULL UNIQUE REFERENCES instances (uuid),
    spec TEXT NOT NULL
);

CREATE TABLE instance_faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_uuid TEXT NOT NULL REFERENCES instances (uuid),
    code INTEGER NOT NULL DEFAULT 500,
    message TEXT, details TEXT, host TEXT, created_at TEXT
);
CREATE INDEX instance_faults_instance ON instance_faults (instance_uuid, id);

CREATE TABLE compute_nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    service_id INTEGER,
    host TEXT NOT NULL, hypervisor_hostname TEXT NOT NULL,
    vcpus INTEGER NOT NULL DEFAULT 0,
    memory_mb INTEGER NOT NULL DEFAULT 0,
    local_gb INTEGER NOT NULL DEFAULT 0,
    vcpus_used INTEGER NOT NULL DEFAULT 0,
    memory_mb_used INTEGER NOT NULL DEFAULT 0,
    local_gb_used INTEGER NOT NULL DEFAULT 0,
    hypervisor_type TEXT NOT NULL DEFAULT '',
    hypervisor_version INTEGER NOT NULL DEFAULT 0,
    free_ram_mb INTEGER, free_disk_gb INTEGER, current_workload INTEGER, running_vms INTEGER,
    cpu_info TEXT, disk_available_least INTEGER, host_ip TEXT, supported_hv_specs TEXT,
    metrics TEXT, pci_device_pools TEXT, numa_topology TEXT,
    stats TEXT NOT NULL DEFAULT '{}',
    cpu_allocation_ratio REAL NOT NULL DEFAULT 16.0,
    ram_allocation_ratio REAL NOT NULL DEFAULT 1.5,
    disk_allocation_ratio REAL NOT NULL DEFAULT 1.0,
    mapped INTEGER NOT NULL DEFAULT 0,
    created_at TEXT, updated_at TEXT, deleted_at TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL
);
CREATE UNIQUE INDEX compute_nodes_name ON compute_nodes (host, hypervisor_hostname)
    WHERE deleted = 0;
CREATE INDEX compute_nodes_generation ON compute_nodes (generation);

CREATE TABLE services (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL, "binary" TEXT NOT NULL, topic TEXT,
    report_count INTEGER NOT NULL DEFAULT 0,
    disabled INTEGER NOT NULL DEFAULT 0, disabled_reason TEXT,
    last_seen_up TEXT,
    forced_down INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0,
    created_at TEXT, updated_at TEXT, deleted_at TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL
);
CREATE UNIQUE INDEX services_name ON services (host, "binary") WHERE deleted = 0;
CREATE INDEX services_generation ON services (generation);

CREATE TABLE flavors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    flavorid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    memory_mb INTEGER NOT NULL, vcpus INTEGER NOT NULL, root_gb INTEGER NOT NULL DEFAULT 0,
    ephemeral_gb INTEGER NOT NULL DEFAULT 0, swap INTEGER NOT NULL DEFAULT 0,
    rxtx_factor REAL NOT NULL DEFAULT 1.0,
    disabled INTEGER NOT NULL DEFAULT 0,
    is_public INTEGER NOT NULL DEFAULT 1,
    extra_specs TEXT NOT NULL DEFAULT '{}',
    created_at TEXT, updated_at TEXT
);
INSERT INTO flavors (flavorid, name, memory_mb, vcpus, root_gb) VALUES
    ('1', 'm1.tiny', 512, 1, 1),
    ('2', 'm1.small', 2048, 1, 20),
    ('3', 'm1.medium', 4096, 2, 40),
    ('4', 'm1.large', 8192, 4, 80),
    ('5', 'm1.xlarge', 16384, 8, 160);

CREATE TABLE images (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'active',
    size INTEGER, location TEXT,
    min_ram INTEGER NOT NULL DEFAULT 0, min_disk INTEGER NOT NULL DEFAULT 0,
    properties TEXT NOT NULL DEFAULT '{}',
    created_at TEXT, updated_at TEXT
);
CREATE INDEX images_name ON images (name);
INSERT INTO images (id, name, size) VALUES ('00000000-0000-4000-8000-000000000000', 'none', 0);
