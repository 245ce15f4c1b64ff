//! How the actors are put together. Nothing is started here.

use std::sync::{Arc, Mutex};

use crate::audit::{AuditHandle, AuditMessage, AuditParts, AuditState, AuditWriter};
use crate::dependencies::Dependencies;
use crate::key_rotation::{KeyRotationHandle, KeyRotationMessage, KeyRotationParts, KeyRotator};
use crate::limiter::{LimiterHandle, LimiterKin};
use crate::meters::ActorMeters;
use crate::outbox::{OutboxHandle, OutboxMessage, OutboxParts, OutboxRelay};
use crate::seeded::SeededState;
use crate::supervision::{
    ActorKind, ActorsHealth, Child, Family, FamilyArguments, FamilyMessage, Kin, Parent, Permanent, RestartPolicy,
    RootArguments, Slot,
};
use crate::tenant::{ClientCache, ClientLoader, LoaderParts, TenantKin, TenantsHandle, TenantsParts, WriteContext};

/// Everything that a node's actors consist of.
pub(crate) struct Composed {
    pub root: RootArguments,
    pub tenants: TenantsHandle,
    pub limiter: LimiterHandle,
    pub audit: AuditHandle,
    pub outbox: OutboxHandle,
    pub key_rotation: KeyRotationHandle,
    pub organizations: Arc<TenantsParts>,
    pub limiters: Arc<Family<LimiterKin>>,
}

/// Puts the actors together.
pub(crate) fn compose(mut dependencies: Dependencies) -> Composed {
    let meters = Arc::new(std::mem::take(&mut dependencies.meters));
    let (audit, audit_child) = audit(&dependencies, &meters);
    let (outbox, outbox_child) = outbox(&dependencies);
    let (key_rotation, key_rotation_child) = key_rotation(&dependencies, &audit);
    let organizations = organizations(&dependencies, &meters, &audit, &outbox);
    let limiters = limiters(&dependencies, &meters);
    let (tenant, limiter) = (&dependencies.settings.tenant, &dependencies.settings.limiter);
    let restarts = dependencies.settings.restarts;
    let tenants_parent = ParentSettings {
        kind: ActorKind::Tenants,
        live_max: tenant.tenants_max,
        tick: tenant.tick,
    };
    let limiters_parent = ParentSettings {
        kind: ActorKind::Limiters,
        live_max: limiter.actors_max,
        tick: limiter.sweep,
    };
    let children = vec![
        audit_child,
        outbox_child,
        key_rotation_child,
        parent(&organizations.family, &meters, restarts, tenants_parent),
        parent(&limiters, &meters, restarts, limiters_parent),
    ];
    Composed {
        root: RootArguments {
            children,
            policy: restarts,
            clock: dependencies.clock.clone(),
            health: ActorsHealth::new(),
            meters,
        },
        tenants: TenantsHandle::new(organizations.clone()),
        limiter: LimiterHandle::new(limiters.clone()),
        audit,
        outbox,
        key_rotation,
        organizations,
        limiters,
    }
}

fn audit(dependencies: &Dependencies, meters: &Arc<ActorMeters>) -> (AuditHandle, Arc<dyn Child>) {
    let parts = Arc::new(AuditParts {
        state: Mutex::new(AuditState::new(dependencies.settings.audit.waiting_max)),
        trail: dependencies.audit_trail.clone(),
        clock: dependencies.clock.clone(),
        meters: meters.clone(),
        settings: dependencies.settings.audit,
        gathered: tokio::sync::Notify::new(),
        lane: tokio::sync::Mutex::new(()),
    });
    let slot = Arc::new(Slot::empty());
    let handle = AuditHandle::new(parts.clone(), slot.clone());
    let make = move || (AuditWriter, parts.clone());
    (
        handle,
        Permanent::child(ActorKind::AuditWriter, slot, || AuditMessage::Wake, make),
    )
}

fn outbox(dependencies: &Dependencies) -> (OutboxHandle, Arc<dyn Child>) {
    let parts = Arc::new(OutboxParts::new(
        dependencies.outbox.clone(),
        dependencies.replication.clone(),
        dependencies.clock.clone(),
        dependencies.settings.outbox,
    ));
    let slot = Arc::new(Slot::empty());
    let handle = OutboxHandle::new(parts.clone(), slot.clone());
    let make = move || (OutboxRelay, parts.clone());
    (
        handle,
        Permanent::child(ActorKind::OutboxRelay, slot, || OutboxMessage::Sweep, make),
    )
}

fn key_rotation(dependencies: &Dependencies, audit: &AuditHandle) -> (KeyRotationHandle, Arc<dyn Child>) {
    let parts = Arc::new(KeyRotationParts {
        signing_keys: dependencies.signing_keys.clone(),
        key_maker: dependencies.key_maker.clone(),
        organizations: dependencies.organizations.clone(),
        audit: audit.clone(),
        clock: dependencies.clock.clone(),
        entropy: dependencies.entropy.clone(),
        settings: dependencies.settings.key_rotation,
    });
    let handle = KeyRotationHandle::new(parts.clone());
    let make = move || (KeyRotator, parts.clone());
    let first = || KeyRotationMessage::Look;
    let slot = Arc::new(Slot::empty());
    (handle, Permanent::child(ActorKind::KeyRotation, slot, first, make))
}

fn organizations(
    dependencies: &Dependencies,
    meters: &Arc<ActorMeters>,
    audit: &AuditHandle,
    outbox: &OutboxHandle,
) -> Arc<TenantsParts> {
    let (settings, hash) = (dependencies.settings.tenant, || {
        SeededState::new(dependencies.entropy.as_ref())
    });
    let cache = Arc::new(ClientCache::new(&settings, hash()));
    let kin = Arc::new(TenantKin {
        clock: dependencies.clock.clone(),
        entropy: dependencies.entropy.clone(),
        credentials: dependencies.credentials.clone(),
        secrets: dependencies.secrets.clone(),
        audit: audit.clone(),
        settings,
        meters: meters.clone(),
    });
    let loader = LoaderParts {
        cache: cache.clone(),
        clients: dependencies.clients.clone(),
        revocations: dependencies.revocations.clone(),
        clock: dependencies.clock.clone(),
        settings,
    };
    let writes = WriteContext {
        clock: dependencies.clock.clone(),
        entropy: dependencies.entropy.clone(),
        agents: dependencies.agents.clone(),
        credentials: dependencies.credentials.clone(),
        clients: dependencies.clients.clone(),
        replication: dependencies.replication.clone(),
        secrets: dependencies.secrets.clone(),
        outbox: outbox.clone(),
        audit: audit.clone(),
        cache,
    };
    Arc::new(TenantsParts {
        family: Family::new(kin, dependencies.clock.clone(), hash()),
        loader: ClientLoader::new(loader, hash()),
        revocations: dependencies.revocations.clone(),
        writes: Arc::new(writes),
    })
}

fn limiters(dependencies: &Dependencies, meters: &Arc<ActorMeters>) -> Arc<Family<LimiterKin>> {
    let kin = Arc::new(LimiterKin {
        settings: dependencies.settings.limiter,
        clock: dependencies.clock.clone(),
        meters: meters.clone(),
    });
    let hash = SeededState::new(dependencies.entropy.as_ref());
    Arc::new(Family::new(kin, dependencies.clock.clone(), hash))
}

/// What distinguishes one parent from another.
struct ParentSettings {
    kind: ActorKind,
    live_max: usize,
    tick: std::time::Duration,
}

fn parent<K: Kin>(
    family: &Family<K>,
    meters: &Arc<ActorMeters>,
    policy: RestartPolicy,
    settings: ParentSettings,
) -> Arc<dyn Child> {
    let (kin, directory, clock) = (family.kin.clone(), family.directory.clone(), family.clock.clone());
    let meters = meters.clone();
    let make = move || {
        let arguments = FamilyArguments {
            kin: kin.clone(),
            directory: directory.clone(),
            clock: clock.clone(),
            meters: meters.clone(),
            policy,
            live_max: settings.live_max,
            tick: settings.tick,
        };
        (Parent::new(), arguments)
    };
    Permanent::child(settings.kind, family.parent.clone(), || FamilyMessage::Tick, make)
}
