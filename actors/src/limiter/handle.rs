//! How requests ask for permits.

use std::sync::Arc;
use std::time::Duration;

use domain::{AgentId, Timestamp};
use tokio::sync::oneshot;

use super::actor::{LimiterKin, LimiterMember, LimiterMessage};
use super::admission::Admission;
use super::class::LimitClass;
use super::lease::Taken;
use super::overflow::Overflow;
use crate::supervision::{Family, NoAnswer, answer};

/// The most requests of one client that wait for a window to open.
const OPENING_MAX: usize = 4096;
/// How often a request asks for a window before it is refused: a limiter may die, or be retired, just when it is asked.
const TRIES: usize = 4;

/// Hands out permits.
#[derive(Clone)]
pub struct LimiterHandle {
    family: Arc<Family<LimiterKin>>,
    overflow: Arc<Overflow>,
}

/// Where a client's permits come from.
enum Place {
    /// Its own lease.
    Own(Arc<LimiterMember>),
    /// The lease that clients without a place share; what was taken from it, and until when it lasts.
    Shared(Taken, Timestamp),
}

impl LimiterHandle {
    pub(crate) fn new(family: Arc<Family<LimiterKin>>) -> Self {
        Self {
            family,
            overflow: Arc::new(Overflow::default()),
        }
    }

    /// Takes a permit for a request of this client. Never waits while the client's window is open. If the limiter can't
    /// be asked, the request is refused.
    pub async fn admit(&self, client: AgentId, class: LimitClass) -> Admission {
        let kin = &self.family.kin;
        let limit = class.limit(&kin.settings);
        if limit == 0 {
            return Admission::unlimited(kin.clock.now());
        }
        let mut reason = NoAnswer::Died;
        for _ in 0..TRIES {
            let (taken, reset_at, member) = match self.place(client, class, limit) {
                Place::Shared(taken, reset_at) => (taken, reset_at, None),
                Place::Own(member) => {
                    let lease = member.shared.of(class);
                    (lease.take(kin.clock.monotonic()), lease.reset_at(), Some(member))
                }
            };
            match (taken, member) {
                (Taken::Permit { remaining }, _) => return admitted(limit, remaining, reset_at),
                (Taken::Exhausted { wait }, _) => {
                    kin.meters.rejection(class);
                    return exhausted(limit, wait, reset_at);
                }
                (Taken::Over, None) => {}
                (Taken::Over, Some(member)) => {
                    reason = self.open(client, class, &member).await.err().unwrap_or(reason);
                }
            }
        }
        tracing::debug!(%reason, "a client's requests could not be counted, so one was refused");
        Admission::uncounted(limit, kin.clock.now(), reason.retry_after())
    }

    fn place(&self, client: AgentId, class: LimitClass, limit: u32) -> Place {
        let (kin, directory) = (&self.family.kin, &self.family.directory);
        let now = kin.clock.monotonic();
        if let Some(member) = directory.get(client, now) {
            return Place::Own(member);
        }
        let gate = self.overflow.gate();
        if let Some(member) = directory.get(client, now) {
            return Place::Own(member);
        }
        if gate.is_shared(now) || directory.len() >= kin.settings.clients_max {
            let (taken, reset_at) = gate.take(class, now, kin.clock.now(), limit);
            return Place::Shared(taken, reset_at);
        }
        Place::Own(self.family.member(client))
    }

    /// Has the client's limiter open the next window.
    async fn open(&self, client: AgentId, class: LimitClass, member: &LimiterMember) -> Result<(), NoAnswer> {
        let _permit = member.calls.enter(OPENING_MAX)?;
        let (done, opened) = oneshot::channel();
        let sent = self.family.kin.clock.monotonic();
        self.family
            .deliver(client, member, LimiterMessage::Over { class, sent, done })?;
        answer(self.family.kin.settings.deadline, opened).await
    }
}

fn admitted(limit: u32, remaining: u32, reset_at: Timestamp) -> Admission {
    Admission {
        allowed: true,
        limit,
        remaining,
        reset_at,
        retry_after: Duration::ZERO,
    }
}

fn exhausted(limit: u32, wait: Duration, reset_at: Timestamp) -> Admission {
    Admission {
        allowed: false,
        limit,
        remaining: 0,
        reset_at,
        retry_after: wait,
    }
}
