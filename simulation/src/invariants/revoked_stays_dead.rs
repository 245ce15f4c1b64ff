//! `revoked_stays_dead`: what was killed is vouched for nowhere.
//!
//! The rule. Let a kill be answered 2xx at `k`. Whatever begins after `k` (an introspection, a use as bearer, the issue
//! of another token of a suspended agent or a revoked credential, the use of a secret that the last rotation has
//! replaced) must not find the token alive at any node, with two exceptions, which are those of the guarantee itself:
//!
//! - The node may not have heard of the kill in time; see `Kill::known_at`. Such a node vouches for at most
//!   `max_revocation_staleness` after `k`: its view is confirmed at least that often or it is silent. So nothing that
//!   begins later than that may find the token alive.
//! - The token may have been issued after its agent was reactivated; see `Kills::certain`.
//!
//! An emergency that replaces the signing keys kills all tokens from before, too.

use super::kills::{Kill, Kills};
use super::tokens;
use super::verdict::{Verdict, Violation};
use crate::history::{Answer, Call, Done, Entry, History};

pub(super) fn check(history: &History) -> Verdict {
    let (tokens, kills) = (tokens::issued(history), Kills::of(history));
    let (mut violations, mut judged, mut strictly) = (Vec::new(), 0, 0);
    for entry in &history.entries {
        let (is_alive, deaths): (bool, Vec<&Kill>) = match (&entry.call, looked_at(entry)) {
            (_, Some((id, is_alive))) => match tokens.get(id) {
                Some(token) => (is_alive, kills.certain(id, token).collect()),
                None => continue,
            },
            (Call::IssueWithOldSecret { credential }, None) => {
                let rotation = kills.rotation_before(credential, entry.started);
                (entry.answer.is_done(), rotation.into_iter().collect())
            }
            _ => continue,
        };
        for kill in deaths.into_iter().filter(|kill| kill.ended <= entry.started) {
            judged += 1;
            let known = kill.known_at(history, entry.node);
            strictly += usize::from(known == kill.ended);
            if is_alive && entry.started > known {
                violations.push(violation(entry, kill));
            }
        }
    }
    Verdict {
        guarantee: "revoked_stays_dead",
        judged,
        of_what: format!("looks at what is dead, {strictly} of them with no time allowed"),
        violations,
    }
}

/// The token that a call shows to be alive or dead. A token that was just issued is alive.
fn looked_at(entry: &Entry) -> Option<(&crate::history::TokenId, bool)> {
    match (&entry.call, &entry.answer) {
        (Call::Introspect(token) | Call::Present(token), Answer::Done(Done::Vouched(is_alive))) => {
            Some((token, *is_alive))
        }
        (Call::Issue { .. }, Answer::Done(Done::Token(token, _))) => Some((token, true)),
        _ => None,
    }
}

fn violation(entry: &Entry, kill: &Kill) -> Violation {
    Violation {
        at: entry.started,
        what: format!(
            "what was dead at {} was alive at node {} in {:?} from {} to {}",
            kill.ended, entry.node.0, entry.call, entry.started, entry.ended
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::Script;
    use super::*;
    use crate::history::{AgentId, CredentialId, Effect};

    /// A token is issued at node 1, revoked there, and looked at elsewhere.
    fn revoked() -> Script {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").revoke_token(1, "t");
        script
    }

    fn violations(script: &Script) -> usize {
        check(&script.history).violations.len()
    }

    #[test]
    fn dead_everywhere_is_as_it_should_be() {
        let mut script = revoked();
        script.introspect(1, "t", false).introspect(2, "t", false);
        assert_eq!((violations(&script), check(&script.history).judged), (0, 2));
    }

    #[test]
    fn alive_at_another_node_is_found() {
        let mut script = revoked();
        script.introspect(2, "t", true);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_look_that_began_before_the_answer_may_find_it_alive() {
        let mut script = revoked();
        let revoked = script.last().clone();
        script.introspect(2, "t", true);
        script.last_mut().started = revoked.ended;
        assert_eq!(violations(&script), 0);
    }

    #[test]
    fn a_revocation_that_was_not_acknowledged_promises_nothing() {
        let mut script = revoked();
        script.last_mut().answer = Answer::Lost;
        script.introspect(2, "t", true);
        assert_eq!(violations(&script), 0);
    }

    #[test]
    fn a_node_that_was_cut_off_may_vouch_for_five_seconds_and_no_longer() {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").fault(Effect::MayLag, &[3]);
        script.revoke_token(1, "t").introspect(3, "t", true);
        assert_eq!(violations(&script), 0);
        script.wait(Duration::from_secs(6)).introspect(3, "t", true);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_fault_upon_one_node_excuses_no_other() {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").fault(Effect::MayLag, &[3]);
        script.revoke_token(1, "t").introspect(2, "t", true);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_fault_that_was_over_before_the_kill_excuses_nobody() {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").fault(Effect::MayLag, &[3]).heal();
        script.revoke_token(1, "t").introspect(3, "t", true);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn tokens_of_suspended_agents_and_revoked_credentials_are_dead_too() {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").suspend(2, "a").present(1, "t", true);
        assert_eq!(violations(&script), 1);
        let mut script = Script::default();
        script
            .issue(1, "t", "a", "c")
            .revoke_credential(2, "a", "c")
            .present(1, "t", true);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_secret_that_was_rotated_away_is_dead() {
        let (agent, credential) = (AgentId::new("a"), CredentialId::new("c"));
        let old = Call::IssueWithOldSecret {
            credential: credential.clone(),
        };
        let mut script = Script::default();
        script.call(1, old.clone(), Answer::Done(Done::Plain));
        script.call(1, Call::RotateCredential(agent, credential), Answer::Done(Done::Plain));
        script.call(2, old.clone(), Answer::Refused(401, String::new()));
        assert_eq!(violations(&script), 0);
        script.call(2, old, Answer::Done(Done::Plain));
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn an_old_secret_is_judged_by_the_rotation_that_replaced_it() {
        let (agent, credential) = (AgentId::new("a"), CredentialId::new("c"));
        let rotate = Call::RotateCredential(agent, credential.clone());
        let old = Call::IssueWithOldSecret { credential };
        let mut script = Script::default();
        script.call(1, rotate.clone(), Answer::Done(Done::Plain));
        script
            .wait(Duration::from_secs(60))
            .fault(Effect::MayLag, &[2])
            .call(1, rotate, Answer::Done(Done::Plain));
        script.call(2, old.clone(), Answer::Done(Done::Plain));
        assert_eq!(violations(&script), 0, "node 2 may not have heard of the second one");
        script
            .wait(Duration::from_secs(6))
            .call(2, old, Answer::Done(Done::Plain));
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_suspended_agent_gets_no_token() {
        let mut script = Script::default();
        script.suspend(2, "a").issue(1, "t", "a", "c");
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_token_from_after_the_reactivation_may_live_and_one_from_before_may_not() {
        let mut script = Script::default();
        script.issue(1, "before", "a", "c").suspend(2, "a").reactivate(2, "a");
        script.issue(1, "after", "a", "c");
        script.introspect(3, "after", true);
        assert_eq!(violations(&script), 0);
        script.introspect(3, "before", true);
        assert_eq!(violations(&script), 1);
    }
}
