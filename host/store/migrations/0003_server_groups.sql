-- Groups of instances. Members and their hosts are not kept twice: the view has them as the
-- instances are now, under the field names of the object. Policies are a JSON list.

CREATE TABLE instance_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    user_id TEXT, project_id TEXT,
    policies TEXT NOT NULL DEFAULT '[]',
    created_at TEXT
);
CREATE INDEX instance_groups_name ON instance_groups (name);

CREATE TABLE instance_group_members (
    instance_uuid TEXT PRIMARY KEY REFERENCES instances (uuid),
    group_id INTEGER NOT NULL REFERENCES instance_groups (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX instance_group_members_group ON instance_group_members (group_id);

CREATE VIEW instance_groups_now AS
SELECT id, uuid, name, user_id, project_id, policies,
    (SELECT json_group_array(i.uuid ORDER BY i.id)
        FROM instance_group_members AS m JOIN instances AS i ON i.uuid = m.instance_uuid
        WHERE m.group_id = g.id AND i.deleted = 0) AS members,
    (SELECT json_group_array(DISTINCT i.host) FILTER (WHERE i.host IS NOT NULL)
        FROM instance_group_members AS m JOIN instances AS i ON i.uuid = m.instance_uuid
        WHERE m.group_id = g.id AND i.deleted = 0) AS hosts
FROM instance_groups AS g;
