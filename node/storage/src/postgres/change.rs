//! What every write leaves behind beside its row: links of audit chains, and a message in the outbox.

use domain::audit::ChainHead;
use domain::ports::StoreError;
use domain::{AuditEvent, AuditRecord, Change, OrganizationId, OutboxId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::connection::Step;
use super::error::Failure;
use super::rows::{self, signed};
use super::session::{Binding, Session};
use super::time::Time;

/// Keeps everybody else from appending to the chain of organization `$1`, and tells where it ends.
pub const LOCK_HEAD: &str = "SELECT sequence, hash FROM audit_heads WHERE organization_id = $1 FOR UPDATE";

const INSERT_EVENTS: &str = "INSERT INTO audit_events (organization_id, sequence, event_id, occurred_at, agent_id, action, outcome,
        ip_address, user_agent, metadata, previous_hash, hash)
    SELECT $1, sequence, event_id, occurred_at, agent_id, action, outcome, ip_address, user_agent, metadata::json, previous_hash, hash
    FROM unnest($2::bigint[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
        $11::bytea[], $12::bytea[])
        AS event (sequence, event_id, occurred_at, agent_id, action, outcome, ip_address, user_agent, metadata, previous_hash, hash)";
const MOVE_HEAD: &str = "UPDATE audit_heads SET sequence = $2, hash = $3 WHERE organization_id = $1";
/// Whether there are events behind the recorded end of the chain of organization `$1`.
const GOES_ON: &str = "SELECT EXISTS (SELECT FROM audit_heads JOIN audit_events USING (organization_id)
    WHERE organization_id = $1 AND audit_events.sequence > audit_heads.sequence)";
const INSERT_MESSAGE: &str =
    "INSERT INTO outbox (organization_id, occurred_at, message) VALUES ($1, $2, $3::text::json) RETURNING outbox_id";

/// Whether `$2` and its credential `$3` may make changes at `$4`; a change without an author may be made. Answered under the
/// lock of the head, for which everything waits that ends an agent or a credential of the organization.
pub const AUTHOR_IS_ACTIVE: &str = "SELECT $2::uuid IS NULL OR EXISTS (SELECT FROM organizations
    JOIN agents USING (organization_id) JOIN credentials USING (organization_id, agent_id)
    WHERE organization_id = $1 AND agent_id = $2 AND credential_id = $3
    AND organizations.status = 'active' AND agents.status = 'active' AND credentials.status = 'active'
    AND (expires_at IS NULL OR expires_at > $4))";

/// Opens a transaction in which a row of the organization is changed: locks the head of its chain, asks whether the author
/// of the change is active still, and runs the statements. Answers the head, and the rows of each statement. The author is
/// looked at first, as the change may well end it.
pub async fn begin(
    session: &mut Session,
    organization: OrganizationId,
    change: &Change,
    statements: &[Step<'_>],
) -> Result<(Vec<Row>, Vec<Vec<Row>>), Failure> {
    let author = AuthorValues::new(change);
    let values = author.values();
    let opening = [Step(LOCK_HEAD, &values[..1]), Step(AUTHOR_IS_ACTIVE, &values)];
    let steps = [&opening, statements].concat();
    let mut answers = session.begin(&Binding::Organization(organization), &steps).await?;
    let rest = answers.split_off(opening.len());
    if rows::single(&answers[1])? {
        Ok((answers.swap_remove(0), rest))
    } else {
        Err(session.refuse(StoreError::AuthorNotActive).await)
    }
}

/// The values of [`AUTHOR_IS_ACTIVE`].
pub struct AuthorValues {
    organization: Uuid,
    agent: Option<Uuid>,
    credential: Option<Uuid>,
    at: Time,
}

impl AuthorValues {
    /// Of the author of a change.
    pub fn new(change: &Change) -> Self {
        Self {
            organization: change.audit.organization_id.0,
            agent: change.author.map(|author| author.agent.0),
            credential: change.author.map(|author| author.credential.0),
            at: Time(change.audit.timestamp),
        }
    }

    /// In their order; the first is what [`LOCK_HEAD`] takes.
    pub fn values(&self) -> [&(dyn ToSql + Sync); 4] {
        [&self.organization, &self.agent, &self.credential, &self.at]
    }
}

/// Appends the change's audit record to the chain whose head was locked and read as `head`, writes its message, and commits.
/// The transaction is bound to the organization of the record.
pub async fn commit(session: &mut Session, change: &Change, head: &[Row]) -> Result<OutboxId, Failure> {
    let Some(mut head) = rows::optional(head, rows::chain_head)? else {
        return Err(session.refuse(StoreError::NotFound).await);
    };
    let links = Links::append(change.audit.organization_id, &mut head, [change.audit.clone()]);
    let message = serde_json::to_string(&change.message).map_err(|error| StoreError::Internal(error.to_string()))?;
    let owner = change.message.organization_id;
    let (bound, occurred_at) = (Binding::Organization(owner).value(), Time(change.message.occurred_at));
    let steps = [
        Step(INSERT_EVENTS, &links.values()),
        Step(MOVE_HEAD, &links.head_values()),
        Step(Binding::Organization(owner).sql(), &[&bound]),
        Step(INSERT_MESSAGE, &[&owner.0, &occurred_at, &message]),
    ];
    match session.commit(&steps).await {
        Ok(answers) => Ok(OutboxId(rows::single(&answers[3])?)),
        Err(failure) => Err(name_chain(session, &[change.audit.organization_id], failure).await),
    }
}

/// Of a commit that failed because the place behind a head was taken: says whose chain it is. The server does not, since
/// the key of a row could tell somebody of rows that are beyond row level security. All chains are looked at together.
pub async fn name_chain(session: &mut Session, organizations: &[OrganizationId], failure: Failure) -> Failure {
    let (Failure::Chain(_), [first, ..]) = (&failure, organizations) else {
        return failure;
    };
    let bindings: Vec<(Binding, String)> = organizations
        .iter()
        .map(|id| Binding::Organization(*id))
        .map(|binding| (binding.clone(), binding.value()))
        .collect();
    let values: Vec<[[&(dyn ToSql + Sync); 1]; 2]> = bindings
        .iter()
        .zip(organizations)
        .map(|((_, value), organization)| [[value as _], [&organization.0 as _]])
        .collect();
    let steps: Vec<Step<'_>> = bindings
        .iter()
        .zip(&values)
        .flat_map(|((binding, _), [bound, key])| [Step(binding.sql(), bound), Step(GOES_ON, key)])
        .collect();
    let answers = match session.read(&Binding::Organization(*first), &steps).await {
        Ok(answers) => answers,
        Err(error) => return error,
    };
    let goes_on = |rows: &Vec<Row>| rows::single(rows).unwrap_or(false);
    let mut found = organizations.iter().zip(answers.iter().skip(1).step_by(2));
    found
        .find(|(_, rows)| goes_on(rows))
        .map_or(failure, |(organization, _)| {
            StoreError::CorruptChain(*organization).into()
        })
}

/// Events that follow each other in one chain, column by column, so that one statement inserts them all.
#[derive(Default)]
pub struct Links {
    organization: Uuid,
    sequences: Vec<i64>,
    event_ids: Vec<Uuid>,
    times: Vec<Time>,
    agent_ids: Vec<Option<Uuid>>,
    actions: Vec<&'static str>,
    outcomes: Vec<&'static str>,
    ip_addresses: Vec<Option<String>>,
    user_agents: Vec<Option<String>>,
    metadata: Vec<String>,
    previous_hashes: Vec<Vec<u8>>,
    hashes: Vec<Vec<u8>>,
    head_sequence: i64,
    head_hash: Vec<u8>,
}

impl Links {
    /// Chains records to `head`, and moves it on to the last of them.
    pub fn append(
        organization: OrganizationId,
        head: &mut ChainHead,
        records: impl IntoIterator<Item = AuditRecord>,
    ) -> Self {
        let mut links = Self {
            organization: organization.0,
            ..Self::default()
        };
        for record in records {
            links.actions.push(record.action.as_str());
            links.outcomes.push(record.outcome.as_str());
            links.push(head.append(record));
        }
        links.head_sequence = signed(head.sequence);
        links.head_hash = head.hash.0.to_vec();
        links
    }

    /// The values of the statement that inserts the events.
    pub fn values(&self) -> [&(dyn ToSql + Sync); 12] {
        [
            &self.organization,
            &self.sequences,
            &self.event_ids,
            &self.times,
            &self.agent_ids,
            &self.actions,
            &self.outcomes,
            &self.ip_addresses,
            &self.user_agents,
            &self.metadata,
            &self.previous_hashes,
            &self.hashes,
        ]
    }

    /// The values of the statement that moves the chain's head.
    pub fn head_values(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.organization, &self.head_sequence, &self.head_hash]
    }

    /// The statement that inserts the events, and the one that moves the head.
    pub const STATEMENTS: [&'static str; 2] = [INSERT_EVENTS, MOVE_HEAD];

    fn push(&mut self, event: AuditEvent) {
        self.sequences.push(signed(event.sequence));
        self.event_ids.push(event.event_id.0);
        self.times.push(Time(event.timestamp));
        self.agent_ids.push(event.agent_id.map(|id| id.0));
        self.ip_addresses.push(event.ip_address);
        self.user_agents.push(event.user_agent);
        self.metadata.push(event.metadata.as_str().to_owned());
        self.previous_hashes.push(event.previous_hash.0.to_vec());
        self.hashes.push(event.hash.0.to_vec());
    }
}
