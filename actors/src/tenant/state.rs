//! What an organization decides, and what it remembers of it. Pure.

use std::sync::Arc;
use std::time::Duration;

use domain::{AgentId, ClientRecord, CredentialId, Timestamp};
use protocol::ClientSecrets;
use protocol::oauth::{ClientAuthMethod, Grant, OAuthError, OAuthErrorCode, PresentedClient, TokenRequest, decide};

use super::failures::{FailureLog, Summary, Told};
use super::requests::AuthenticatedClient;
use super::standing::stand;
use super::usage::UsageLog;
use crate::meters::UNKNOWN_CLIENT;
use crate::settings::TenantSettings;

/// An instant on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub wall: Timestamp,
    pub monotonic: Duration,
}

/// A client did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// For metrics.
    pub reason: &'static str,
    /// What the audit log is to be told now, if anything.
    pub notice: Option<Notice>,
}

/// What the audit log is told of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub client: AgentId,
    pub reason: &'static str,
    pub method: ClientAuthMethod,
}

/// An answer, and the failure that it may be.
pub(super) struct Decision<T> {
    pub answer: Result<T, OAuthError>,
    pub failure: Option<Failure>,
}

/// What an organization's actor knows.
pub(super) struct TenantState {
    secrets: Arc<ClientSecrets>,
    settings: TenantSettings,
    failures: FailureLog,
    usage: UsageLog,
}

impl TenantState {
    pub fn new(secrets: Arc<ClientSecrets>, settings: TenantSettings) -> Self {
        Self {
            secrets,
            settings,
            failures: FailureLog::default(),
            usage: UsageLog::default(),
        }
    }

    /// A client asks for a token.
    pub fn on_authorize(&mut self, now: Now, request: &TokenRequest, record: Option<&ClientRecord>) -> Decision<Grant> {
        let answer = decide(request, record, &self.secrets, now.wall);
        self.conclude(now, &request.client, record, answer, |grant| grant.credential)
    }

    /// A client proves who it is for something else.
    pub fn on_authenticate(
        &mut self,
        now: Now,
        presented: &PresentedClient,
        record: Option<&ClientRecord>,
    ) -> Decision<AuthenticatedClient> {
        let answer = stand(record, presented, &self.secrets, now.wall);
        self.conclude(now, presented, record, answer, |client| client.credential)
    }

    fn conclude<T>(
        &mut self,
        now: Now,
        presented: &PresentedClient,
        record: Option<&ClientRecord>,
        answer: Result<T, OAuthError>,
        credential: impl FnOnce(&T) -> CredentialId,
    ) -> Decision<T> {
        let failure = match &answer {
            Ok(allowed) => {
                self.usage.on_use(now.monotonic, credential(allowed), now.wall);
                None
            }
            Err(error) => self.on_refused(now, presented, record, error.code),
        };
        Decision { answer, failure }
    }

    /// Only who did not prove who it is, or may do nothing at all, has failed; who asked for too much has made a mistake.
    fn on_refused(
        &mut self,
        now: Now,
        presented: &PresentedClient,
        record: Option<&ClientRecord>,
        code: OAuthErrorCode,
    ) -> Option<Failure> {
        if !matches!(code, OAuthErrorCode::InvalidClient | OAuthErrorCode::UnauthorizedClient) {
            return None;
        }
        if record.is_none() {
            return Some(Failure {
                reason: UNKNOWN_CLIENT,
                notice: None,
            });
        }
        let (client, reason) = (presented.client_id, code.as_str());
        let told = self
            .failures
            .on_failure(now.monotonic, client, self.settings.failures_recorded_per_minute);
        let notice = (told == Told::Now).then_some(Notice {
            client,
            reason,
            method: presented.method,
        });
        Some(Failure { reason, notice })
    }

    /// The audit log did not take a notice.
    pub fn on_notice_lost(&mut self, now: Now, client: AgentId) {
        self.failures.on_lost(now.monotonic, client);
    }

    /// The audit log did not take a summary.
    pub fn on_summary_lost(&mut self, now: Now, summary: &Summary) {
        self.failures.give_back(now.monotonic, summary);
    }

    /// A credential was used without this organization being asked.
    pub fn on_used(&mut self, now: Now, credential: CredentialId, at: Timestamp) {
        self.usage.on_use(now.monotonic, credential, at);
    }

    /// The store did not take these.
    pub fn on_usage_lost(&mut self, now: Now, used: Vec<(CredentialId, Timestamp)>) {
        self.usage.give_back(now.monotonic, used);
    }

    /// Some time has passed: what the log and the store are to be told.
    pub fn on_tick(&mut self, now: Now) -> (Vec<Summary>, Vec<(CredentialId, Timestamp)>) {
        let used = self.usage.on_tick(now.monotonic, self.settings.usage_flush);
        (self.failures.on_tick(now.monotonic), used)
    }

    /// The end: what the log and the store are to be told.
    pub fn on_stop(&mut self, now: Now) -> (Vec<Summary>, Vec<(CredentialId, Timestamp)>) {
        (self.failures.on_stop(now.monotonic), self.usage.take())
    }
}

#[cfg(test)]
pub(crate) mod tests;
