//! `POST /cluster/rotate-keys`: other keys are to sign. By default the new ones are published now and sign when verifiers
//! know them, which nobody notices; in an emergency they sign at once, and every earlier key of their algorithms leaves at
//! once, with every token that it signed.

use domain::ports::KeyStepError;
use domain::{Action, Applied, AuditRecord, EventId, JsonText, Organization, Outcome, SigningAlgorithm, Urgency};
use http::StatusCode;
use serde_json::json;

use super::keys::ring_json;
use crate::http::call::Call;
use crate::http::error::ApiError;
use crate::http::reply::{Response, no_store, ok};

/// 200 with the ring as it is now, and the members that had not confirmed it in time.
pub async fn handle(call: Call) -> Result<Response, ApiError> {
    let mut fields = call.fields()?;
    let algorithms = fields.list::<SigningAlgorithm>("algorithms", SigningAlgorithm::ALL.len());
    if algorithms.as_ref().is_some_and(Vec::is_empty) {
        fields.reject::<()>("algorithms", "must name one, or be left out for all of them");
    }
    let is_emergency = fields.flag("emergency").unwrap_or(false);
    fields.finish()?;
    let algorithms = algorithms.unwrap_or_else(|| SigningAlgorithm::ALL.to_vec());
    let urgency = if is_emergency {
        Urgency::Emergency
    } else {
        Urgency::Ahead
    };
    let ordered = call
        .services
        .key_rotation
        .order(&algorithms, urgency, call.origin.ip_address.clone());
    let applied = ordered.await.map_err(refusal)?;
    match urgency {
        Urgency::Emergency => tracing::warn!(
            ?algorithms,
            "an operator has killed signing keys and all that they signed"
        ),
        Urgency::Ahead => tracing::info!(?algorithms, "an operator has signing keys replaced"),
    }
    if !applied.unconfirmed.is_empty() {
        record_missed(&call, &applied).await;
    }
    let mut body = ring_json(&call)?;
    body["unconfirmedMembers"] = json!(applied.unconfirmed);
    Ok(no_store(ok(&body)))
}

/// Tells the log which members may still take what is dead. The order is carried out, so an audit log that is away does
/// not make it fail.
async fn record_missed(call: &Call, applied: &Applied) {
    let services = &call.services;
    let told = async {
        let system = services.organizations.find_by_slug(Organization::SYSTEM_SLUG).await?;
        let Some(system) = system else {
            return Ok(());
        };
        let (now, members) = (services.clock.now(), applied.unconfirmed_list());
        let metadata = [
            ("change", Action::KeyRotated.as_str()),
            ("unconfirmedMembers", members.as_str()),
        ];
        let record = AuditRecord {
            event_id: EventId::mint(now, services.entropy.as_ref()),
            organization_id: system.organization_id,
            agent_id: None,
            action: Action::ClusterMemberMissed,
            outcome: Outcome::Failure,
            origin: call.origin.clone(),
            metadata: JsonText::object(&metadata),
            timestamp: now,
        };
        Ok(services.audit.record(record).await?)
    };
    let told: Result<(), ApiError> = told.await;
    if let Err(error) = told {
        let members = applied.unconfirmed_list();
        tracing::error!(
            ?error,
            members,
            "members missed a change of the keys, and the audit log could not be told"
        );
    }
}

/// What the replicated state refuses is the operator's to mend; everything else is worth trying again.
fn refusal(error: KeyStepError) -> ApiError {
    match error {
        KeyStepError::Refused(reason) => ApiError::management(StatusCode::CONFLICT, "KEYS_REFUSED", reason),
        other => ApiError::unavailable(other.to_string()),
    }
}
