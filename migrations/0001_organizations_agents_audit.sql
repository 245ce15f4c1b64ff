-- Organizations, their agents and credentials, the audit log and the outbox.
--
-- Every row belongs to an organization, and PostgreSQL itself shows a transaction only the rows that it is bound to:
--   app.organization_id    the rows of one tenant; everything but what follows
--   app.client_id          reading one agent, its organization and its credentials, before it is known whose it is
--   app.organization_slug  reading the organization of that name
--   app.role = 'relay'     the outbox across all tenants
-- An unbound transaction sees nothing. FORCE makes that true for the owner of the tables too; superusers and roles with
-- BYPASSRLS are beyond it, which is why the service puts such a role off as soon as it has connected.

CREATE TABLE organizations (
    organization_id   uuid PRIMARY KEY,
    name              text NOT NULL,
    slug              text NOT NULL CONSTRAINT organizations_slug UNIQUE,
    status            text NOT NULL CHECK (status IN ('active', 'suspended', 'deleted')),
    tier              text NOT NULL,
    token_ttl_seconds integer NOT NULL CHECK (token_ttl_seconds BETWEEN 60 AND 86400),
    signing_algorithm text NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    row_version       bigint NOT NULL CHECK (row_version >= 1)
);

CREATE TABLE agents (
    agent_id        uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    email           text NOT NULL,
    agent_type      text NOT NULL,
    version         text NOT NULL,
    capabilities    text[] NOT NULL,
    owner           text NOT NULL,
    -- The owner with upper and lower case made alike by the service, so that a search does not depend on the locale.
    owner_folded    text NOT NULL,
    deployment_env  text NOT NULL,
    status          text NOT NULL CHECK (status IN ('active', 'suspended', 'decommissioned')),
    is_public       boolean NOT NULL,
    did             text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    row_version     bigint NOT NULL CHECK (row_version >= 1),
    UNIQUE (organization_id, agent_id)
);
-- A decommissioned agent gives its email back.
CREATE UNIQUE INDEX agents_email ON agents (organization_id, email) WHERE status <> 'decommissioned';
CREATE INDEX agents_by_age ON agents (organization_id, created_at, agent_id);

CREATE TABLE credentials (
    credential_id   uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    agent_id        uuid NOT NULL,
    status          text NOT NULL CHECK (status IN ('active', 'revoked')),
    -- RFC 6749 §3.3, separated by spaces; NULL if the credential is not narrowed.
    scopes          text,
    -- HMAC-SHA-256 of the secret under a key that is not in this database.
    digest          bytea NOT NULL CHECK (octet_length(digest) = 32),
    previous_digest bytea CHECK (octet_length(previous_digest) = 32),
    previous_until  timestamptz,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,
    revoked_at      timestamptz,
    last_used_at    timestamptz,
    FOREIGN KEY (organization_id, agent_id) REFERENCES agents (organization_id, agent_id),
    CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
    CHECK ((previous_digest IS NULL) = (previous_until IS NULL))
);
CREATE INDEX credentials_of_agent ON credentials (agent_id, created_at, credential_id);

-- One hash chain per organization. The metadata is `json`, which keeps the text as it came: it is hashed byte for byte.
CREATE TABLE audit_events (
    organization_id uuid NOT NULL REFERENCES organizations,
    sequence        bigint NOT NULL CHECK (sequence >= 1),
    event_id        uuid NOT NULL CONSTRAINT audit_events_event_id UNIQUE,
    occurred_at     timestamptz NOT NULL,
    agent_id        uuid,
    action          text NOT NULL,
    outcome         text NOT NULL CHECK (outcome IN ('success', 'failure')),
    ip_address      text,
    user_agent      text,
    metadata        json NOT NULL,
    previous_hash   bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (organization_id, sequence)
);
CREATE INDEX audit_events_of_agent ON audit_events (organization_id, agent_id, sequence);

-- Where each chain ends. An append locks its row, so that two of them never continue from the same event.
CREATE TABLE audit_heads (
    organization_id uuid PRIMARY KEY REFERENCES organizations,
    sequence        bigint NOT NULL CHECK (sequence >= 0),
    hash            bytea NOT NULL CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 50);

-- What must still happen after a write; a row is removed when it has.
CREATE TABLE outbox (
    outbox_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    occurred_at     timestamptz NOT NULL,
    message         json NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_heads_stay BEFORE DELETE OR TRUNCATE ON audit_heads
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_step_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.organization_id <> OLD.organization_id OR NEW.sequence <= OLD.sequence THEN
        RAISE EXCEPTION 'the head of an audit chain only moves forward' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_heads_move_forward BEFORE UPDATE ON audit_heads
    FOR EACH ROW EXECUTE FUNCTION refuse_step_back();

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents FORCE ROW LEVEL SECURITY;
ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE credentials FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_events FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant ON organizations
    USING (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)
    WITH CHECK (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
CREATE POLICY tenant ON agents
    USING (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)
    WITH CHECK (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
CREATE POLICY tenant ON credentials
    USING (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)
    WITH CHECK (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
CREATE POLICY tenant ON audit_events
    USING (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)
    WITH CHECK (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
CREATE POLICY tenant ON audit_heads
    USING (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)
    WITH CHECK (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
CREATE POLICY tenant ON outbox
    USING (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)
    WITH CHECK (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);

CREATE POLICY client ON agents FOR SELECT
    USING (agent_id = nullif(current_setting('app.client_id', true), '')::uuid);
CREATE POLICY client ON credentials FOR SELECT
    USING (agent_id = nullif(current_setting('app.client_id', true), '')::uuid);
-- The look-up passes through the policies of `agents`, so it finds the organization of that one agent only.
CREATE POLICY client ON organizations FOR SELECT
    USING (organization_id = (SELECT agents.organization_id FROM agents
                              WHERE agents.agent_id = nullif(current_setting('app.client_id', true), '')::uuid));

CREATE POLICY slug ON organizations FOR SELECT
    USING (slug = nullif(current_setting('app.organization_slug', true), ''));

CREATE POLICY relay_reads ON outbox FOR SELECT USING (current_setting('app.role', true) = 'relay');
CREATE POLICY relay_removes ON outbox FOR DELETE USING (current_setting('app.role', true) = 'relay');
