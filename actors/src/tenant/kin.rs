//! What all organizations have in common.

use std::sync::Arc;
use std::time::Duration;

use domain::OrganizationId;
use domain::ports::{Clock, Credentials, Entropy};
use protocol::ClientSecrets;

use super::actor::{Tenant, TenantArguments};
use super::message::TenantMessage;
use crate::audit::AuditHandle;
use crate::meters::ActorMeters;
use crate::settings::TenantSettings;
use crate::supervision::{ActorKind, Directory, Kin, Member};

/// What outlives an organization's actor.
#[derive(Default)]
pub(crate) struct TenantShared {
    /// Held by the write that is under way, which goes on when the actor dies.
    pub lane: Arc<tokio::sync::Mutex<()>>,
}

pub(crate) type TenantMember = Member<TenantMessage, TenantShared>;
type TenantDirectory = Directory<OrganizationId, TenantMessage, TenantShared>;

/// What all organizations have in common.
pub(crate) struct TenantKin {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub credentials: Arc<dyn Credentials>,
    pub secrets: Arc<ClientSecrets>,
    pub audit: AuditHandle,
    pub settings: TenantSettings,
    pub meters: Arc<ActorMeters>,
}

impl Kin for TenantKin {
    type Key = OrganizationId;
    type Message = TenantMessage;
    type Shared = TenantShared;
    type Actor = Tenant;
    const KIND: ActorKind = ActorKind::Tenant;
    const DELIVERY_INSERTS: bool = true;

    fn shared(&self) -> TenantShared {
        TenantShared::default()
    }

    fn actor(
        self: &Arc<Self>,
        organization: OrganizationId,
        member: &Arc<TenantMember>,
        _directory: &Arc<TenantDirectory>,
    ) -> (Tenant, TenantArguments) {
        let arguments = TenantArguments {
            organization,
            lane: member.shared.lane.clone(),
            kin: self.clone(),
        };
        (Tenant, arguments)
    }

    fn tick() -> Option<TenantMessage> {
        Some(TenantMessage::Tick)
    }

    fn may_retire(&self, member: &TenantMember, now: Duration) -> bool {
        self.may_make_room(member) && now.saturating_sub(member.used_at()) >= self.settings.idle_after
    }

    fn may_make_room(&self, member: &TenantMember) -> bool {
        member.calls.count() == 0 && member.shared.lane.try_lock().is_ok()
    }
}
