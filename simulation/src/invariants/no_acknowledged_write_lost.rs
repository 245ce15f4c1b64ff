//! `no_acknowledged_write_lost`: what was answered 2xx is there when all faults are over: agents with their status,
//! credentials with theirs, and a record of each write and each token in an audit log whose chain is whole.
//!
//! Each agent and each credential has one writer at a time. So the last write that was acknowledged is in force, unless one
//! whose answer was lost was done after it: a later one, or one before it that waited at its node until then. That revocations are still in force is judged by
//! `revoked_stays_dead`: at the end every dead token is looked at once more, at every node.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::kills::Kills;
use super::tokens;
use super::verdict::{Verdict, Violation};
use crate::history::{AgentId, Answer, Call, CredentialId, Done, Entry, History, Moment, Status};

pub(super) fn check(history: &History) -> Verdict {
    let mut findings = Findings::default();
    statuses(history, &mut findings);
    credentials(history, &mut findings);
    records(history, &mut findings);
    for (number, is_whole) in history.closing.chain_is_whole.iter().enumerate() {
        findings.judge(Moment::NEVER, *is_whole, || {
            format!("the audit chain is broken, says node number {number}")
        });
    }
    Verdict {
        guarantee: "no_acknowledged_write_lost",
        judged: findings.judged,
        of_what: "writes, records and chains".to_owned(),
        violations: findings.violations,
    }
}

#[derive(Default)]
struct Findings {
    judged: usize,
    /// How many records of each kind there must be, at least.
    required: BTreeMap<(String, String), usize>,
    violations: Vec<Violation>,
}

impl Findings {
    fn judge(&mut self, at: Moment, holds: bool, otherwise: impl FnOnce() -> String) {
        self.judged += 1;
        if !holds {
            let what = otherwise();
            self.violations.push(Violation { at, what });
        }
    }

    fn require(&mut self, action: &str, about: &str) {
        let kind = (action.to_owned(), about.to_owned());
        *self.required.entry(kind).or_default() += 1;
    }
}

/// For how long a write may wait at its node after its client has given up: for those before it, each of which may wait for
/// a database or a leader.
const WAITS_MAX: Duration = Duration::from_secs(30);

/// What something may be at the end, after one write or the next.
struct Allowed<T> {
    values: BTreeSet<T>,
    since: Moment,
    /// Writes that were not answered, with the moments when they were asked for.
    unanswered: Vec<(T, Moment)>,
}

impl<T: Ord + Copy> Allowed<T> {
    fn just(value: T, since: Moment) -> Self {
        Self {
            values: BTreeSet::from([value]),
            since,
            unanswered: Vec::new(),
        }
    }

    fn write(&mut self, value: T, entry: &Entry) {
        if entry.answer.is_done() {
            let mut unanswered = std::mem::take(&mut self.unanswered);
            unanswered.retain(|(_, asked)| asked.plus(WAITS_MAX) > entry.ended);
            *self = Self::just(value, entry.ended);
            self.values.extend(unanswered.iter().map(|(value, _)| *value));
            self.unanswered = unanswered;
        } else if entry.answer.may_be_done() {
            self.values.insert(value);
            self.unanswered.push((value, entry.started));
        }
    }
}

fn statuses(history: &History, findings: &mut Findings) {
    let mut agents: BTreeMap<AgentId, Allowed<Status>> = BTreeMap::new();
    for entry in &history.entries {
        match (&entry.call, &entry.answer) {
            (Call::Register, Answer::Done(Done::Agent(agent))) => {
                agents.insert(agent.clone(), Allowed::just(Status::Active, entry.ended));
            }
            (Call::SetStatus(agent, status), _) => {
                if let Some(allowed) = agents.get_mut(agent) {
                    // A move to where the agent stood already changes nothing and leaves no record.
                    if entry.answer.is_done() && !allowed.values.contains(status) {
                        let action = match status {
                            Status::Active => "agent.reactivated",
                            Status::Suspended => "agent.suspended",
                        };
                        findings.require(action, agent.as_str());
                    }
                    allowed.write(*status, entry);
                }
            }
            _ => {}
        }
    }
    for (agent, allowed) in &agents {
        let found = history.closing.agents.get(agent);
        let status = found.and_then(|found| found.status);
        let holds = status.is_some_and(|status| allowed.values.contains(&status));
        findings.judge(allowed.since, holds, || {
            let wanted = &allowed.values;
            format!("agent {} should be one of {wanted:?} and is {status:?}", agent.as_str())
        });
    }
}

fn credentials(history: &History, findings: &mut Findings) {
    let mut credentials: BTreeMap<(AgentId, CredentialId), Allowed<bool>> = BTreeMap::new();
    for entry in &history.entries {
        match (&entry.call, &entry.answer) {
            (Call::MakeCredential(agent), Answer::Done(Done::Credential(credential))) => {
                let is_active = Allowed::just(true, entry.ended);
                credentials.insert((agent.clone(), credential.clone()), is_active);
            }
            (Call::RevokeCredential(agent, credential), _) => {
                if let Some(allowed) = credentials.get_mut(&(agent.clone(), credential.clone())) {
                    allowed.write(false, entry);
                }
            }
            _ => {}
        }
    }
    for ((agent, credential), allowed) in &credentials {
        let found = history.closing.agents.get(agent);
        let is_active = found.and_then(|found| found.credentials.get(credential)).copied();
        let holds = is_active.is_some_and(|is_active| allowed.values.contains(&is_active));
        findings.judge(allowed.since, holds, || {
            let wanted = &allowed.values;
            let name = credential.as_str();
            format!("whether credential {name} is active should be one of {wanted:?} and is {is_active:?}")
        });
    }
}

/// The record that a call must have left; those of moves between statuses are judged with the statuses.
fn record_of(entry: &Entry) -> Option<(&'static str, &str)> {
    match (&entry.call, &entry.answer) {
        (Call::Register, Answer::Done(Done::Agent(agent))) => Some(("agent.created", agent.as_str())),
        (Call::MakeCredential(_), Answer::Done(Done::Credential(made))) => {
            Some(("credential.generated", made.as_str()))
        }
        (Call::RotateCredential(_, rotated), Answer::Done(_)) => Some(("credential.rotated", rotated.as_str())),
        (Call::RevokeCredential(_, revoked), Answer::Done(_)) => Some(("credential.revoked", revoked.as_str())),
        (Call::RevokeToken(token), Answer::Done(_)) => Some(("token.revoked", token.as_str())),
        (Call::Issue { .. }, Answer::Done(Done::Token(token, _))) => Some(("token.issued", token.as_str())),
        _ => None,
    }
}

fn records(history: &History, findings: &mut Findings) {
    let (tokens, kills) = (tokens::issued(history), Kills::of(history));
    // Whoever wants to kill what an emergency has killed hears that it is dead, and nothing is done.
    let is_dead_already = |entry: &Entry| match &entry.call {
        Call::RevokeToken(id) => {
            let token = tokens.get(id);
            token.is_some_and(|token| kills.emergency_between(history, token, entry, entry.ended))
        }
        _ => false,
    };
    for entry in &history.entries {
        if let Some((action, about)) = record_of(entry)
            && !is_dead_already(entry)
        {
            findings.require(action, about);
        }
    }
    for ((action, about), wanted) in std::mem::take(&mut findings.required) {
        let kind = (action, about);
        let found = history.closing.audited.get(&kind).copied().unwrap_or(0);
        findings.judge(Moment::NEVER, found >= wanted, || {
            let (action, about) = kind;
            format!("there are {found} records of {action} {about} and should be {wanted}")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Script;
    use super::*;
    use crate::history::{Closing, ClosingAgent};

    fn registered() -> Script {
        let mut script = Script::default();
        let agent = AgentId::new("a");
        script.call(1, Call::Register, Answer::Done(Done::Agent(agent.clone())));
        let made = Answer::Done(Done::Credential(CredentialId::new("c")));
        script.call(1, Call::MakeCredential(agent), made);
        script.issue(1, "t", "a", "c");
        let audited = [
            ("agent.created", "a"),
            ("credential.generated", "c"),
            ("token.issued", "t"),
        ];
        script.history.closing = closing(Status::Active, &[("c", true)], &audited);
        script
    }

    fn closing(status: Status, credentials: &[(&str, bool)], audited: &[(&str, &str)]) -> Closing {
        let credentials = credentials
            .iter()
            .map(|(name, active)| (CredentialId::new(name), *active));
        let agent = ClosingAgent {
            status: Some(status),
            credentials: credentials.collect(),
        };
        Closing {
            agents: BTreeMap::from([(AgentId::new("a"), agent)]),
            audited: audited
                .iter()
                .map(|(action, about)| (((*action).to_owned(), (*about).to_owned()), 1))
                .collect(),
            chain_is_whole: vec![true],
        }
    }

    fn record(script: &mut Script, action: &str, about: &str) {
        let kind = (action.to_owned(), about.to_owned());
        *script.history.closing.audited.entry(kind).or_default() += 1;
    }

    fn violations(script: &Script) -> usize {
        check(&script.history).violations.len()
    }

    #[test]
    fn all_there_is_as_it_should_be() {
        let script = registered();
        assert_eq!((violations(&script), check(&script.history).judged), (0, 6));
    }

    #[test]
    fn a_lost_agent_credential_or_record_and_a_broken_chain_are_found() {
        let mut script = registered();
        script.history.closing.agents.clear();
        assert_eq!(violations(&script), 2, "the agent and its credential");
        let mut script = registered();
        script.history.closing.audited.clear();
        assert_eq!(violations(&script), 3);
        let mut script = registered();
        script.history.closing.chain_is_whole.push(false);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_suspension_that_is_gone_is_found() {
        let mut script = registered();
        script.suspend(2, "a");
        record(&mut script, "agent.suspended", "a");
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_revoked_credential_that_is_active_again_is_found() {
        let mut script = registered();
        script.revoke_credential(2, "a", "c");
        record(&mut script, "credential.revoked", "c");
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_suspension_without_a_record_is_found_and_a_move_to_where_the_agent_stood_needs_none() {
        let mut script = registered();
        script.reactivate(1, "a");
        assert_eq!(violations(&script), 0);
        script.suspend(2, "a").reactivate(1, "a");
        assert_eq!(violations(&script), 2, "neither of the two moves was recorded");
        record(&mut script, "agent.suspended", "a");
        record(&mut script, "agent.reactivated", "a");
        assert_eq!(violations(&script), 0);
        script.suspend(2, "a").reactivate(1, "a");
        assert_eq!(violations(&script), 2, "the later ones were not");
    }

    #[test]
    fn a_write_whose_answer_was_lost_may_be_there_or_not() {
        for status in [Status::Active, Status::Suspended] {
            let mut script = registered();
            script.suspend(2, "a");
            script.last_mut().answer = Answer::Lost;
            let agent = script.history.closing.agents.get_mut(&AgentId::new("a"));
            agent.expect("it was registered").status = Some(status);
            assert_eq!(violations(&script), 0, "{status:?}");
        }
    }

    #[test]
    fn a_write_that_waited_at_its_node_may_come_after_a_later_one_but_not_for_ever() {
        for (waited, expected) in [(1, 0), (31, 1)] {
            let mut script = registered();
            script.suspend(2, "a");
            script.last_mut().answer = Answer::Lost;
            script.wait(Duration::from_secs(waited)).reactivate(1, "a");
            let agent = script.history.closing.agents.get_mut(&AgentId::new("a"));
            agent.expect("it was registered").status = Some(Status::Suspended);
            assert_eq!(violations(&script), expected, "{waited} s");
        }
    }
}
