//! What is stored is carried out: a suspension or a revocation of a credential that nobody answered, but that is in the audit
//! log or in force at the end, has killed what it was to kill, although whoever began it could not finish. That is the outbox's
//! part of `revoked_stays_dead`.
//!
//! Whoever finishes it needs a while after all is well. An agent's suspensions are only judged if the log has as many of them as
//! there were attempts, so that it is certain that each was stored; one of an agent that was suspended already is none there.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{self, Token};
use super::verdict::{Verdict, Violation};
use crate::FINISHED_AFTER;
use crate::history::{AgentId, Answer, Call, CredentialId, Done, Entry, History, Moment, Status};

pub(super) fn check(history: &History) -> Verdict {
    let tokens = tokens::issued(history);
    let (suspended, revoked) = (stored_suspensions(history), stored_revocations(history));
    let killed_at = |token: &Token| {
        let suspended = suspended.get(&token.agent).filter(|at| token.issued < **at);
        suspended.or(revoked.get(&token.credential))
    };
    let finished_at = finished_at(history);
    let (mut judged, mut violations) = (0, Vec::new());
    for entry in history
        .entries
        .iter()
        .rev()
        .take_while(|entry| entry.ended >= finished_at)
    {
        let (Call::Introspect(id), Answer::Done(Done::Vouched(is_alive))) = (&entry.call, &entry.answer) else {
            continue;
        };
        let killed_at = tokens.get(id).and_then(killed_at);
        let Some(killed_at) = killed_at.filter(|_| entry.started >= finished_at) else {
            continue;
        };
        judged += 1;
        if *is_alive {
            let what = format!(
                "token {} is alive at node {}, although what was begun at {killed_at} to kill it is stored",
                id.as_str(),
                entry.node.0
            );
            violations.push(Violation {
                at: entry.started,
                what,
            });
        }
    }
    Verdict {
        guarantee: "interrupted_is_finished",
        judged,
        of_what: "looks at what must be dead at the end".to_owned(),
        violations,
    }
}

/// Whether it may have been done, and nobody knows.
fn is_unanswered(entry: &Entry) -> bool {
    entry.answer.may_be_done() && !entry.answer.is_done()
}

/// When everything that was begun must be finished.
fn finished_at(history: &History) -> Moment {
    let over = history.disturbances.iter().map(|disturbance| disturbance.until);
    let writes = history.entries.iter().filter(|entry| is_unanswered(entry));
    let last = over.chain(writes.map(|entry| entry.ended)).max();
    last.unwrap_or_default().plus(FINISHED_AFTER)
}

/// The agents that were suspended without an answer, with the last moment at which somebody wanted that.
fn stored_suspensions(history: &History) -> BTreeMap<AgentId, Moment> {
    let mut attempts: BTreeMap<AgentId, usize> = BTreeMap::new();
    let mut unanswered = BTreeMap::new();
    for entry in history.entries.iter().filter(|entry| entry.answer.may_be_done()) {
        let Call::SetStatus(agent, Status::Suspended) = &entry.call else {
            continue;
        };
        *attempts.entry(agent.clone()).or_default() += 1;
        if is_unanswered(entry) {
            unanswered.insert(agent.clone(), entry.started);
        }
    }
    let recorded = |agent: &AgentId| {
        let kind = ("agent.suspended".to_owned(), agent.as_str().to_owned());
        history.closing.audited.get(&kind).copied()
    };
    unanswered.retain(|agent, _| recorded(agent) == attempts.get(agent).copied());
    unanswered
}

/// The credentials that somebody wanted to revoke, had no answer, and that are revoked at the end.
fn stored_revocations(history: &History) -> BTreeMap<CredentialId, Moment> {
    let agents = history.closing.agents.values();
    let credentials = agents.flat_map(|agent| &agent.credentials);
    let revoked: BTreeSet<&CredentialId> = credentials
        .filter(|(_, is_active)| !**is_active)
        .map(|(id, _)| id)
        .collect();
    let entries = history.entries.iter().filter(|entry| is_unanswered(entry));
    let attempts = entries.filter_map(|entry| match &entry.call {
        Call::RevokeCredential(_, credential) => Some((credential.clone(), entry.started)),
        _ => None,
    });
    attempts
        .filter(|(credential, _)| revoked.contains(credential))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::Script;
    use super::*;
    use crate::history::{ClosingAgent, Effect};

    fn violations(script: &Script) -> usize {
        check(&script.history).violations.len()
    }

    /// A suspension that was not answered, and a token from before it that is looked at in the end.
    fn suspended(recorded: usize, is_alive: bool) -> Script {
        let mut script = Script::default();
        script.fault(Effect::MayLag, &[1]);
        script.issue(1, "t", "a", "c").suspend(1, "a");
        script.last_mut().answer = Answer::Lost;
        script.reactivate(2, "a").heal();
        let kind = ("agent.suspended".to_owned(), "a".to_owned());
        script.history.closing.audited.insert(kind, recorded);
        script.wait(FINISHED_AFTER).introspect(3, "t", is_alive);
        script
    }

    #[test]
    fn what_was_stored_and_not_finished_is_found() {
        assert_eq!(violations(&suspended(1, true)), 1);
        let finished = suspended(1, false);
        assert_eq!((violations(&finished), check(&finished.history).judged), (0, 1));
    }

    #[test]
    fn what_was_not_stored_need_not_be_finished_and_before_it_is_time_nothing_need_be() {
        assert_eq!(violations(&suspended(0, true)), 0);
        let mut early = suspended(1, true);
        early.last_mut().started = Moment::default();
        assert_eq!(violations(&early), 0);
    }

    #[test]
    fn a_token_from_after_the_suspension_may_live_and_two_attempts_with_one_record_prove_nothing() {
        let mut later = suspended(1, true);
        later.issue(1, "u", "a", "c").introspect(3, "u", true);
        assert_eq!(violations(&later), 1, "only the first");
        let mut twice = Script::default();
        twice.issue(1, "t", "a", "c").suspend(1, "a");
        twice.last_mut().answer = Answer::Lost;
        twice.suspend(1, "a");
        twice.last_mut().answer = Answer::Lost;
        let kind = ("agent.suspended".to_owned(), "a".to_owned());
        twice.history.closing.audited.insert(kind, 1);
        twice.wait(FINISHED_AFTER).introspect(3, "t", true);
        assert_eq!(violations(&twice), 0);
    }

    #[test]
    fn a_credential_that_is_revoked_in_the_end_has_no_living_token() {
        for (is_active, expected) in [(false, 1), (true, 0)] {
            let mut script = Script::default();
            script.issue(1, "t", "a", "c").revoke_credential(1, "a", "c");
            script.last_mut().answer = Answer::Unavailable(503);
            let agent = ClosingAgent {
                status: Some(Status::Active),
                credentials: BTreeMap::from([(CredentialId::new("c"), is_active)]),
            };
            script.history.closing.agents.insert(AgentId::new("a"), agent);
            script.wait(FINISHED_AFTER).introspect(3, "t", true);
            assert_eq!(violations(&script), expected);
        }
    }
}
