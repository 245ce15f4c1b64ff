//! `GET /api/v1/audit/verify`: walks the organization's hash chain from its beginning.

use domain::audit::{ChainHead, ChainVerifier, Verdict};
use domain::ports::AuditTrail;
use domain::{AuditEvent, EventId, OrganizationId, Timestamp};
use serde::Serialize;

use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_store, ok};

/// Events that are held in memory at once.
const CHUNK: u32 = 500;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    verified: bool,
    checked_count: u64,
    broken_at_event_id: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_date: Option<Timestamp>,
}

/// `fromDate` and `toDate` narrow what is counted; the chain is walked from its start all the same, since a stretch says
/// nothing about what was cut off before it.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let mut query = call.query()?;
    let (from, to) = (query.get::<Timestamp>("fromDate"), query.get::<Timestamp>("toDate"));
    query.finish()?;
    let range = Range { from, to };
    let (verdict, counted) = walk(call.services.audit_trail.as_ref(), call.caller()?.organization, &range).await?;
    let broken_at_event_id = match verdict {
        Verdict::Whole { .. } => None,
        Verdict::Broken { at, .. } => Some(at),
    };
    let verified = broken_at_event_id.is_none();
    Ok(no_store(ok(&Answer {
        verified,
        checked_count: counted,
        broken_at_event_id,
        from_date: from,
        to_date: to,
    })))
}

struct Range {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Range {
    fn holds(&self, event: &AuditEvent) -> bool {
        self.from.is_none_or(|from| event.timestamp >= from) && self.to.is_none_or(|to| event.timestamp <= to)
    }
}

/// The verdict, and how many whole events lie in the range. The store's record of the head is asked first: a chain that
/// ends before it has lost its tail, and one that goes on behind it has been written to past this software. Whoever changes the head together with the chain can't be told from within; that takes
/// a record of the head that is kept elsewhere.
async fn walk(trail: &dyn AuditTrail, organization: OrganizationId, range: &Range) -> Result<(Verdict, u64), ApiError> {
    let mut head = trail.head(organization).await?;
    let mut verifier = ChainVerifier::from_start();
    let (mut last, mut counted) = (None, 0);
    loop {
        let after = verifier.head().map_or(0, |head| head.sequence);
        let chunk = trail.range(organization, after, CHUNK).await?;
        if chunk.last().is_some_and(|last| last.sequence > head.sequence) {
            // What was appended meanwhile came together with a new head.
            head = trail.head(organization).await?;
        }
        for event in &chunk {
            last = Some(event.event_id);
            if let Verdict::Whole { checked } = verifier.verdict()
                && !is_recorded(event, head)
            {
                let at = event.event_id;
                return Ok((Verdict::Broken { checked, at }, counted));
            }
            if verifier.check(event) {
                counted += u64::from(range.holds(event));
            }
        }
        if chunk.len() < CHUNK as usize || matches!(verifier.verdict(), Verdict::Broken { .. }) {
            break;
        }
    }
    let reached = verifier.head().map_or(0, |head| head.sequence);
    match (verifier.verdict(), last) {
        (Verdict::Whole { checked }, last) if reached < head.sequence => {
            let at = last.unwrap_or(EventId(uuid::Uuid::nil()));
            Ok((Verdict::Broken { checked, at }, counted))
        }
        (verdict, _) => Ok((verdict, counted)),
    }
}

/// Whether the store's record of the head speaks for an event. A last event that was written anew, with a hash that fits,
/// is not the recorded one, and an event behind the head was appended by somebody else.
fn is_recorded(event: &AuditEvent, head: ChainHead) -> bool {
    event.sequence < head.sequence || (event.sequence == head.sequence && event.hash == head.hash)
}
