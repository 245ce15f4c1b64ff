-- The embedded store's schema. Identifiers are 16 bytes, times milliseconds since the Unix epoch, lists JSON arrays.

CREATE TABLE organizations (
    organization_id   BLOB PRIMARY KEY,
    name              TEXT NOT NULL,
    slug              TEXT NOT NULL UNIQUE,
    status            TEXT NOT NULL,
    tier              TEXT NOT NULL,
    token_ttl_seconds INTEGER NOT NULL CHECK (token_ttl_seconds BETWEEN 60 AND 86400),
    signing_algorithm TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    row_version       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
    agent_id        BLOB PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations,
    email           TEXT NOT NULL,
    agent_type      TEXT NOT NULL,
    version         TEXT NOT NULL,
    capabilities    TEXT NOT NULL,
    owner           TEXT NOT NULL,
    deployment_env  TEXT NOT NULL,
    status          TEXT NOT NULL,
    is_public       INTEGER NOT NULL,
    did             TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    row_version     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- An ended agent gives its email back.
CREATE UNIQUE INDEX agents_email ON agents (organization_id, email) WHERE status <> 'decommissioned';
CREATE INDEX agents_age ON agents (organization_id, created_at, agent_id);

CREATE TABLE credentials (
    credential_id   BLOB PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations,
    agent_id        BLOB NOT NULL REFERENCES agents,
    status          TEXT NOT NULL,
    scopes          TEXT,
    digest          BLOB NOT NULL,
    previous_digest BLOB,
    previous_until  INTEGER,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    revoked_at      INTEGER,
    last_used_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX credentials_of_agent ON credentials (agent_id, created_at, credential_id);

CREATE TABLE audit_events (
    organization_id BLOB NOT NULL,
    sequence        INTEGER NOT NULL,
    event_id        BLOB NOT NULL,
    timestamp       INTEGER NOT NULL,
    agent_id        BLOB,
    action          TEXT NOT NULL,
    outcome         TEXT NOT NULL,
    ip_address      TEXT,
    user_agent      TEXT,
    metadata        TEXT NOT NULL,
    previous_hash   BLOB NOT NULL,
    hash            BLOB NOT NULL,
    PRIMARY KEY (organization_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX audit_events_id ON audit_events (event_id);
-- The events of an agent, block by block. In an index by agent alone, each event of a batch would land on another page,
-- and writing those pages would cost more than everything else together; here a batch stays within the last block.
CREATE INDEX audit_events_of_agent ON audit_events (organization_id, sequence / 256, agent_id, sequence);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;

CREATE TABLE audit_heads (
    organization_id BLOB PRIMARY KEY,
    sequence        INTEGER NOT NULL,
    hash            BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    outbox_id   INTEGER PRIMARY KEY AUTOINCREMENT,
    occurred_at INTEGER NOT NULL,
    message     TEXT NOT NULL
) STRICT;
