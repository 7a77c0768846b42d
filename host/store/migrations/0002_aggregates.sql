-- Groups of hosts with metadata, of which `availability_zone` names a zone. A deleted aggregate keeps its row, so that
-- readers of changes see that it went; it has no hosts any more.

INSERT INTO generations VALUES ('aggregates', 0);

CREATE TABLE aggregates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    metadata TEXT NOT NULL DEFAULT '{}',
    created_at TEXT, updated_at TEXT, deleted_at TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL
);
CREATE UNIQUE INDEX aggregates_name ON aggregates (name) WHERE deleted = 0;
CREATE INDEX aggregates_generation ON aggregates (generation);

CREATE TABLE aggregate_hosts (
    aggregate_id INTEGER NOT NULL REFERENCES aggregates (id),
    host TEXT NOT NULL,
    PRIMARY KEY (aggregate_id, host)
) WITHOUT ROWID;
CREATE INDEX aggregate_hosts_host ON aggregate_hosts (host);

-- The aggregates as the objects have them: with their hosts, as a list.
CREATE VIEW aggregates_with_hosts AS
    SELECT id, uuid, name, metadata, created_at, updated_at, deleted_at, deleted, generation,
        (SELECT json_group_array(host)
            FROM (SELECT host FROM aggregate_hosts WHERE aggregate_id = aggregates.id ORDER BY host)
        ) AS hosts
    FROM aggregates;

-- Hosts that an aggregate puts into a zone.
CREATE VIEW host_zones AS
    SELECT host, aggregate_id, json_extract(metadata, '$.availability_zone') AS zone
    FROM aggregate_hosts JOIN aggregates ON aggregates.id = aggregate_id
    WHERE zone IS NOT NULL;
