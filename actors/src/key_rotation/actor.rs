//! The key-rotation schedule as an actor: looks at the ring now and then, and takes one step after another.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::{KeyStepError, StoreError};
use domain::{
    Action, AuditRecord, EventId, JsonText, KeyEvent, KeyRingView, KeyStep, Organization, OrganizationId, Origin,
    Outcome, Resealing,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::handle::KeyRotationParts;
use super::state::{Next, next};
use crate::backoff::Backoff;
use crate::error::AuditError;

/// The schedule.
pub(crate) struct KeyRotator;

/// What it is told.
pub(crate) enum KeyRotationMessage {
    /// Look what is to be done, and again after a while.
    Look,
}

/// What one incarnation knows.
pub(crate) struct KeyRotatorState {
    parts: Arc<KeyRotationParts>,
    backoff: Backoff,
    /// Whose audit log hears of the steps.
    organization: Option<OrganizationId>,
    /// Members are not asked for their master keys before that (monotonic).
    reseal_from: Duration,
}

/// Why a look did not end well. It will be repeated.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Step(#[from] KeyStepError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error("there is no system organization whose audit log could be told")]
    NoOrganization,
    #[error("no answer came in time")]
    Late(#[from] Elapsed),
}

/// Steps that one look takes at most; the rest is left to the next one.
const STEPS_MAX: usize = 16;
/// How long to wait before members are asked again whether they hold a master key.
const RESEAL_AGAIN_AFTER: Duration = Duration::from_secs(2);

impl KeyRotatorState {
    async fn look(&mut self) -> Result<(), LookError> {
        for _ in 0..STEPS_MAX {
            let Some(ring) = self.parts.signing_keys.view().filter(|ring| ring.ownership.is_here) else {
                return Ok(());
            };
            let recorded = self.record(&ring).await;
            let Some(step) = next(&self.parts.settings, self.parts.clock.now(), &ring) else {
                self.reseal(&ring).await?;
                return recorded;
            };
            // Keys are rotated also while the audit log is away: it is told when it is back.
            if let Err(error) = recorded {
                tracing::warn!(%error, "the audit log could not be told of a step of signing keys; this will be repeated");
            }
            self.take(ring.ownership.epoch, step).await?;
        }
        Ok(())
    }

    async fn take(&self, epoch: u64, step: Next) -> Result<(), LookError> {
        tracing::info!(?step, "the signing keys move on");
        let step = match step {
            Next::Terms(terms) => KeyStep::Terms(terms),
            Next::Publish(algorithm) => KeyStep::Publish(self.parts.key_maker.make(algorithm).await?),
            Next::MakeCurrent(key_id) => KeyStep::MakeCurrent(key_id),
            Next::Remove(key_id) => KeyStep::Remove(key_id),
        };
        let taking = self.parts.signing_keys.take(epoch, step);
        Ok(timeout(self.parts.settings.deadline, taking).await??)
    }

    /// Everything under this node's master key, if something is under another one.
    async fn reseal(&mut self, ring: &KeyRingView) -> Result<(), LookError> {
        let now = self.parts.clock.monotonic();
        if ring.sealing.former == 0 || now < self.reseal_from {
            return Ok(());
        }
        self.reseal_from = now + RESEAL_AGAIN_AFTER;
        let resealing = self.parts.signing_keys.reseal(ring.ownership.epoch);
        match timeout(self.parts.settings.deadline, resealing).await?? {
            Resealing::Done(count) => tracing::info!(count, "secrets were sealed anew with this node's master key"),
            Resealing::Waiting(members) => tracing::info!(
                ?members,
                "secrets are sealed with a former master key until these members hold this node's"
            ),
        }
        Ok(())
    }

    /// Tells the audit log of the steps that it does not know yet, in their order.
    async fn record(&mut self, ring: &KeyRingView) -> Result<(), LookError> {
        let Some(last) = ring.unrecorded.last() else {
            return Ok(());
        };
        let organization = self.organization().await?;
        for event in &ring.unrecorded {
            self.parts.audit.record(self.record_of(organization, event)).await?;
        }
        let step = KeyStep::Recorded(last.revision);
        let taking = self.parts.signing_keys.take(ring.ownership.epoch, step);
        Ok(timeout(self.parts.settings.deadline, taking).await??)
    }

    async fn organization(&mut self) -> Result<OrganizationId, LookError> {
        if let Some(known) = self.organization {
            return Ok(known);
        }
        let looked_up = self.parts.organizations.find_by_slug(Organization::SYSTEM_SLUG);
        let found = timeout(self.parts.settings.deadline, looked_up).await??;
        let system = found.ok_or(LookError::NoOrganization)?.organization_id;
        self.organization = Some(system);
        Ok(system)
    }

    fn record_of(&self, organization_id: OrganizationId, event: &KeyEvent) -> AuditRecord {
        let now = self.parts.clock.now();
        let (node, at) = (event.node.to_string(), event.at.to_string());
        let ordered_by = event.ordered_from.as_ref().map_or("schedule", |_| "operator");
        let mut metadata = vec![
            ("step", event.deed.as_str()),
            ("at", at.as_str()),
            ("node", node.as_str()),
            ("orderedBy", ordered_by),
        ];
        metadata.extend(event.algorithm.map(|algorithm| ("algorithm", algorithm.as_str())));
        let subject_name = match event.deed {
            domain::KeyDeed::Resealed => "masterKeyId",
            _ => "keyId",
        };
        metadata.extend((!event.subject.is_empty()).then_some((subject_name, event.subject.as_str())));
        AuditRecord {
            event_id: EventId::mint(now, self.parts.entropy.as_ref()),
            organization_id,
            agent_id: None,
            action: Action::KeyRotated,
            outcome: Outcome::Success,
            origin: Origin {
                ip_address: event.ordered_from.clone(),
                user_agent: None,
            },
            metadata: JsonText::object(&metadata),
            timestamp: now,
        }
    }
}

impl Actor for KeyRotator {
    type Msg = KeyRotationMessage;
    type State = KeyRotatorState;
    type Arguments = Arc<KeyRotationParts>;

    async fn pre_start(
        &self,
        _me: ActorRef<KeyRotationMessage>,
        parts: Arc<KeyRotationParts>,
    ) -> Result<KeyRotatorState, ActorProcessingErr> {
        let settings = &parts.settings;
        Ok(KeyRotatorState {
            backoff: Backoff::new(settings.look_every..=settings.backoff_max),
            parts,
            organization: None,
            reseal_from: Duration::ZERO,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<KeyRotationMessage>,
        KeyRotationMessage::Look: KeyRotationMessage,
        state: &mut KeyRotatorState,
    ) -> Result<(), ActorProcessingErr> {
        let result = state.look().await;
        let pause = state.backoff.next_pause(result, "the signing keys could not move on");
        me.send_after(pause, || KeyRotationMessage::Look);
        Ok(())
    }
}
