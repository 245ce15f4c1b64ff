//! `token_verifies_everywhere`: a token is alive at every node from the moment when its client has it until something may
//! have killed it, and every node publishes the key that it is signed with.
//!
//! In an emergency the keys that sign are replaced at once, and what they signed is dead on purpose. A node that is cut off
//! may lack a key that came meanwhile; it says so where it publishes the others, which verifiers do not keep then.
//!
//! A node may say 503, which is not "inactive"; and no run is as long as a token lives. A node that may not have heard of a
//! kill yet, see `Kill::known_at`, still issues tokens to whom the kill was for; those are dead where it is known.

use super::kills::{Kill, Kills};
use super::tokens;
use super::verdict::{Verdict, Violation};
use crate::history::{Answer, Call, Done, Entry, History};

pub(super) fn check(history: &History) -> Verdict {
    let (tokens, kills) = (tokens::issued(history), Kills::of(history));
    let (mut judged, mut violations) = (0, Vec::new());
    for entry in &history.entries {
        match (&entry.call, &entry.answer) {
            (Call::Introspect(id) | Call::Present(id), Answer::Done(Done::Vouched(is_alive))) => {
                let Some(token) = tokens.get(id).filter(|token| token.issued < entry.started) else {
                    continue;
                };
                // A kill that begins before the look is over may be ahead of it, answered or not.
                let is_ahead =
                    |kill: &Kill| kill.started < entry.ended && kill.known_at(history, token.node) > token.asked;
                if kills.possible(id, token).any(is_ahead)
                    || kills.emergency_between(history, token, entry, entry.ended)
                {
                    continue;
                }
                judged += 1;
                if !is_alive {
                    violations.push(violation(entry, &format!("token {} was dead", id.as_str())));
                }
            }
            (Call::ReadKeys, Answer::Done(Done::Keys { published, .. })) => {
                if tokens::may_lack_keys(history, entry) {
                    continue;
                }
                judged += 1;
                let earlier = tokens.iter().filter(|(_, token)| token.issued < entry.started);
                let earlier = earlier.filter(|(_, token)| !kills.emergency_between(history, token, entry, entry.ended));
                let mut missing = earlier.filter(|(_, token)| !published.contains(&token.key));
                if let Some((id, token)) = missing.next() {
                    let what = format!("key {} of token {} was not there", token.key.as_str(), id.as_str());
                    violations.push(violation(entry, &what));
                }
            }
            _ => {}
        }
    }
    Verdict {
        guarantee: "token_verifies_everywhere",
        judged,
        of_what: "looks at living tokens and published keys".to_owned(),
        violations,
    }
}

fn violation(entry: &Entry, what: &str) -> Violation {
    Violation {
        at: entry.started,
        what: format!("{what} at node {} in `{}`", entry.node.0, entry.call.name()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{Script, keys_read};
    use super::*;
    use crate::history::{Effect, Rotation, TokenId};

    fn violations(script: &Script) -> usize {
        check(&script.history).violations.len()
    }

    #[test]
    fn alive_until_it_is_killed_is_as_it_should_be() {
        let mut script = Script::default();
        script
            .issue(1, "t", "a", "c")
            .introspect(2, "t", true)
            .present(3, "t", true);
        script.revoke_token(1, "t").introspect(2, "t", false);
        assert_eq!((violations(&script), check(&script.history).judged), (0, 2));
    }

    #[test]
    fn dead_without_a_kill_is_found() {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").introspect(2, "t", false);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_kill_whose_answer_was_lost_may_have_worked_at_any_later_time() {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").revoke_token(1, "t");
        script.last_mut().answer = Answer::Lost;
        script.introspect(2, "t", true).introspect(2, "t", false);
        assert_eq!(violations(&script), 0);
    }

    #[test]
    fn a_refused_kill_kills_nothing() {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").revoke_token(1, "t");
        script.last_mut().answer = Answer::Refused(403, String::new());
        script.introspect(2, "t", false);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_node_that_does_not_know_says_so() {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c");
        script.call(2, Call::Introspect(TokenId::new("t")), Answer::Unavailable(503));
        assert_eq!(violations(&script), 0);
    }

    #[test]
    fn an_old_suspension_does_not_excuse_the_death_of_a_later_token() {
        let mut script = Script::default();
        script
            .suspend(1, "a")
            .reactivate(1, "a")
            .issue(1, "t", "a", "c")
            .introspect(2, "t", false);
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn a_node_that_was_cut_off_issues_tokens_that_are_dead_elsewhere_for_five_seconds_and_no_longer() {
        let mut script = Script::default();
        script.fault(Effect::MayLag, &[3]).suspend(1, "a").reactivate(1, "a");
        script.issue(3, "t", "a", "c").introspect(2, "t", false);
        assert_eq!(violations(&script), 0);
        script.wait(Duration::from_secs(2));
        script.issue(2, "u", "a", "c").introspect(1, "u", false);
        assert_eq!(violations(&script), 1, "node 2 knew");
        script
            .wait(Duration::from_secs(4))
            .issue(3, "v", "a", "c")
            .introspect(2, "v", false);
        assert_eq!(violations(&script), 2, "node 3 had to be silent by then");
    }

    #[test]
    fn a_node_that_does_not_publish_the_key_is_found() {
        let keys = |names: &[&str]| keys_read(names, Duration::ZERO);
        let mut script = Script::default();
        script.call(2, Call::ReadKeys, keys(&["other"]));
        script
            .issue(1, "t", "a", "c")
            .call(2, Call::ReadKeys, keys(&["key", "other"]));
        assert_eq!(violations(&script), 0);
        script.call(3, Call::ReadKeys, keys(&["other"]));
        assert_eq!(violations(&script), 1);
    }

    #[test]
    fn an_emergency_kills_what_was_signed_before_and_nothing_else() {
        let emergency = Call::RotateKeys(Rotation::Emergency);
        let mut script = Script::default();
        script.issue(1, "t", "a", "c");
        script.call(2, emergency, Answer::Done(Done::Plain));
        script.introspect(3, "t", false);
        let keys = keys_read(&[], Duration::ZERO);
        script.call(3, Call::ReadKeys, keys.clone());
        assert_eq!(violations(&script), 0);
        script.issue(1, "u", "a", "c").introspect(3, "u", false);
        assert_eq!(violations(&script), 1);
        script.call(3, Call::ReadKeys, keys);
        assert_eq!(violations(&script), 2);
    }

    #[test]
    fn a_rotation_ahead_of_time_kills_nothing_and_only_who_may_lag_may_lack_the_key() {
        let ahead = Call::RotateKeys(Rotation::Ahead);
        let mut script = Script::default();
        script.call(2, ahead, Answer::Done(Done::Plain)).issue(1, "t", "a", "c");
        script.fault(Effect::MayLag, &[3]);
        let without = keys_read(&[], Duration::ZERO);
        script.call(3, Call::ReadKeys, without.clone());
        assert_eq!(violations(&script), 0);
        script.call(2, Call::ReadKeys, without);
        assert_eq!(violations(&script), 1);
        script.introspect(2, "t", false);
        assert_eq!(violations(&script), 2);
    }
}
