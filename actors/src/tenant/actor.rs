//! An organization as an actor.

use std::sync::Arc;

use domain::{Action, AgentId, AuditRecord, EventId, JsonText, OrganizationId, Origin, Outcome};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::failures::Summary;
use super::job_queue::JobQueue;
use super::kin::TenantKin;
use super::message::{Ask, Job, TenantMessage};
use super::state::{Decision, Notice, Now, TenantState};
use crate::supervision::ActorKind;

/// An organization.
pub(crate) struct Tenant;

pub(crate) struct TenantArguments {
    pub organization: OrganizationId,
    /// Held by the write that is under way.
    pub lane: Arc<tokio::sync::Mutex<()>>,
    pub kin: Arc<TenantKin>,
}

pub(crate) struct Running {
    arguments: TenantArguments,
    state: TenantState,
    jobs: JobQueue<Job>,
}

impl Running {
    fn now(&self) -> Now {
        let clock = &self.arguments.kin.clock;
        Now {
            wall: clock.now(),
            monotonic: clock.monotonic(),
        }
    }

    fn answer<Q, A>(&mut self, ask: Ask<Q, A>, decide: impl FnOnce(&mut TenantState, Now, &Ask<Q, A>) -> Decision<A>) {
        let (now, meters) = (self.now(), self.arguments.kin.meters.clone());
        meters
            .mailbox_wait(ActorKind::Tenant)
            .record(now.monotonic.saturating_sub(ask.sent));
        let decision = decide(&mut self.state, now, &ask);
        if let Some(failure) = decision.failure {
            meters.auth_failure(failure.reason);
            if let Some(notice) = failure.notice {
                self.tell_of_failure(now, &notice, ask.origin);
            }
        }
        // Whoever asked may have stopped waiting.
        let _ = ask.reply.send(decision.answer);
    }

    /// Puts a failure on its way into the audit log. Nobody waits for it to be durable, or the time that an answer takes
    /// would tell which clients exist.
    fn tell_of_failure(&mut self, now: Now, notice: &Notice, origin: Origin) {
        let metadata = JsonText::object(&[("reason", notice.reason), ("method", notice.method.as_str())]);
        let record = self.failure_record(now, Some(notice.client), origin, metadata);
        if self.arguments.kin.audit.submit(record).is_err() {
            self.state.on_notice_lost(now, notice.client);
        }
    }

    fn tell_of_summary(&mut self, now: Now, summary: &Summary) {
        let (count, seconds) = (summary.count.to_string(), summary.since.as_secs().to_string());
        let members = [
            ("reason", "rate_bounded"),
            ("failures", count.as_str()),
            ("withinSeconds", seconds.as_str()),
        ];
        let record = self.failure_record(now, summary.client, Origin::default(), JsonText::object(&members));
        if self.arguments.kin.audit.submit(record).is_err() {
            self.state.on_summary_lost(now, summary);
        }
    }

    fn failure_record(&self, now: Now, client: Option<AgentId>, origin: Origin, metadata: JsonText) -> AuditRecord {
        AuditRecord {
            event_id: EventId::mint(now.wall, self.arguments.kin.entropy.as_ref()),
            organization_id: self.arguments.organization,
            agent_id: client,
            action: Action::AuthFailed,
            outcome: Outcome::Failure,
            origin,
            metadata,
            timestamp: now.wall,
        }
    }

    /// Begins a write in a task of its own, which finishes what it has begun even if this actor is killed meanwhile.
    fn begin(&self, job: Job, me: &ActorRef<TenantMessage>) {
        let (lane, over) = (self.arguments.lane.clone(), WriteOver(me.clone()));
        tokio::spawn(async move {
            let lane = lane.lock().await;
            job.await;
            drop(lane);
            drop(over);
        });
    }

    fn on_tick(&mut self, me: &ActorRef<TenantMessage>) {
        let now = self.now();
        let (summaries, used) = self.state.on_tick(now);
        for summary in &summaries {
            self.tell_of_summary(now, summary);
        }
        if !used.is_empty() {
            let (kin, organization, me) = (self.arguments.kin.clone(), self.arguments.organization, me.clone());
            tokio::spawn(async move {
                if let Err(error) = kin.credentials.touch(organization, &used).await {
                    tracing::warn!(%error, "when credentials were last used could not be written down yet");
                    // An actor that died meanwhile has no use for them.
                    let _ = me.send_message(TenantMessage::UsageLost(used));
                }
            });
        }
    }

    async fn on_stop(&mut self) {
        let now = self.now();
        let (summaries, used) = self.state.on_stop(now);
        for summary in &summaries {
            self.tell_of_summary(now, summary);
        }
        let lane = self.arguments.lane.lock().await;
        for job in self.jobs.take() {
            job.await;
        }
        drop(lane);
        if !used.is_empty() {
            let written = self
                .arguments
                .kin
                .credentials
                .touch(self.arguments.organization, &used)
                .await;
            if let Err(error) = written {
                tracing::warn!(%error, "when credentials were last used could not be written down");
            }
        }
    }
}

/// Tells the organization that a write is over, also when it panicked.
struct WriteOver(ActorRef<TenantMessage>);

impl Drop for WriteOver {
    fn drop(&mut self) {
        // An actor that died meanwhile has no queue to go on with.
        let _ = self.0.send_message(TenantMessage::Written);
    }
}

impl Actor for Tenant {
    type Msg = TenantMessage;
    type State = Running;
    type Arguments = TenantArguments;

    async fn pre_start(
        &self,
        _me: ActorRef<TenantMessage>,
        arguments: TenantArguments,
    ) -> Result<Running, ActorProcessingErr> {
        let kin = &arguments.kin;
        Ok(Running {
            state: TenantState::new(kin.secrets.clone(), kin.settings),
            jobs: JobQueue::new(kin.settings.writes_max),
            arguments,
        })
    }

    async fn handle(
        &self,
        me: ActorRef<TenantMessage>,
        message: TenantMessage,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TenantMessage::Authorize(ask) => running.answer(ask, |state, now, ask| {
                let record = ask.client.as_ref().map(|client| &client.record);
                state.on_authorize(now, &ask.question, record)
            }),
            TenantMessage::Authenticate(ask) => running.answer(ask, |state, now, ask| {
                let record = ask.client.as_ref().map(|client| &client.record);
                state.on_authenticate(now, &ask.question, record)
            }),
            TenantMessage::Used(credential, at) => {
                let now = running.now();
                running.state.on_used(now, credential, at);
            }
            TenantMessage::Write(job) => {
                if let Some(job) = running.jobs.on_job(job) {
                    running.begin(job, &me);
                }
            }
            TenantMessage::Written => {
                if let Some(job) = running.jobs.on_done() {
                    running.begin(job, &me);
                }
            }
            TenantMessage::UsageLost(used) => {
                let now = running.now();
                running.state.on_usage_lost(now, used);
            }
            TenantMessage::Tick => running.on_tick(&me),
        }
        Ok(())
    }

    /// Told to go, with an empty mailbox: what is only in memory is written down.
    async fn post_stop(&self, _me: ActorRef<TenantMessage>, running: &mut Running) -> Result<(), ActorProcessingErr> {
        running.on_stop().await;
        Ok(())
    }
}
