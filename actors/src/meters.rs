//! What is counted. Handles are given as values, so two nodes in one process count apart; the default counts nothing.

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder};
use protocol::oauth::OAuthErrorCode;

use crate::limiter::LimitClass;
use crate::supervision::ActorKind;

/// The metrics of the actors.
pub struct ActorMeters {
    /// `audit_batch_size`: records in one transaction.
    pub audit_batch_size: Histogram,
    /// `audit_commit_duration_seconds`: how long one transaction took.
    pub audit_commit_duration: Histogram,
    kinds: [KindMeters; ActorKind::ALL.len()],
    auth_failures: [(&'static str, Counter); FAILURE_REASONS.len()],
    rejections: [Counter; LimitClass::ALL.len()],
}

struct KindMeters {
    live: Gauge,
    restarts: Counter,
    mailbox_wait: Histogram,
}

/// The reason that is counted for a client that does not exist. Callers are told `invalid_client`.
pub(crate) const UNKNOWN_CLIENT: &str = "unknown_client";
const FAILURE_REASONS: [&str; 3] = [
    OAuthErrorCode::InvalidClient.as_str(),
    OAuthErrorCode::UnauthorizedClient.as_str(),
    UNKNOWN_CLIENT,
];

impl ActorMeters {
    /// Registers every metric under the name that operators know.
    pub fn register(recorder: &dyn Recorder) -> Self {
        let registrar = Registrar(recorder);
        Self {
            audit_batch_size: registrar.histogram("audit_batch_size", None),
            audit_commit_duration: registrar.histogram("audit_commit_duration_seconds", None),
            kinds: ActorKind::ALL.map(|kind| registrar.kind(kind)),
            auth_failures: FAILURE_REASONS
                .map(|reason| (reason, registrar.counter("auth_failures_total", ("reason", reason)))),
            rejections: LimitClass::ALL
                .map(|class| registrar.counter("rate_limit_rejections_total", ("limiter", class.as_str()))),
        }
    }

    /// `actors_live{kind}`: how many live now.
    pub(crate) fn live(&self, kind: ActorKind) -> &Gauge {
        &self.kinds[kind as usize].live
    }

    /// `actor_restarts_total{kind}`: how many died and were replaced, or will be when they are next needed.
    pub(crate) fn restarts(&self, kind: ActorKind) -> &Counter {
        &self.kinds[kind as usize].restarts
    }

    /// `actor_mailbox_wait_seconds{kind}`: from sending to the start of handling.
    pub(crate) fn mailbox_wait(&self, kind: ActorKind) -> &Histogram {
        &self.kinds[kind as usize].mailbox_wait
    }

    /// `auth_failures_total{reason}`.
    pub(crate) fn auth_failure(&self, reason: &str) {
        for (_, counter) in self.auth_failures.iter().filter(|(known, _)| *known == reason) {
            counter.increment(1);
        }
    }

    /// `rate_limit_rejections_total{limiter}`.
    pub(crate) fn rejection(&self, class: LimitClass) {
        self.rejections[class as usize].increment(1);
    }
}

impl Default for ActorMeters {
    fn default() -> Self {
        Self::register(&metrics::NoopRecorder)
    }
}

struct Registrar<'a>(&'a dyn Recorder);

impl Registrar<'_> {
    const METADATA: Metadata<'static> = Metadata::new("actors", Level::INFO, None);

    fn key(name: &'static str, label: Option<(&'static str, &'static str)>) -> Key {
        let labels = label.map(|(key, value)| Label::from_static_parts(key, value));
        Key::from_parts(name, labels.into_iter().collect::<Vec<_>>())
    }

    fn histogram(&self, name: &'static str, label: Option<(&'static str, &'static str)>) -> Histogram {
        self.0.register_histogram(&Self::key(name, label), &Self::METADATA)
    }

    fn counter(&self, name: &'static str, label: (&'static str, &'static str)) -> Counter {
        self.0.register_counter(&Self::key(name, Some(label)), &Self::METADATA)
    }

    fn kind(&self, kind: ActorKind) -> KindMeters {
        let label = ("kind", kind.as_str());
        KindMeters {
            live: self
                .0
                .register_gauge(&Self::key("actors_live", Some(label)), &Self::METADATA),
            restarts: self.counter("actor_restarts_total", label),
            mailbox_wait: self.histogram("actor_mailbox_wait_seconds", Some(label)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_classes_stand_in_the_order_by_which_they_are_found() {
        for (index, kind) in ActorKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, index);
        }
        for (index, class) in LimitClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, index);
        }
    }
}
