//! `published_ahead`: whoever has read the public keys at some node, and keeps them for as long as the answer says, finds in
//! them the key of every token that is issued meanwhile. So nobody has to read them anew because of a key that is unknown.
//!
//! In an emergency other keys sign at once. And a node that may not have heard of a key in time may lack it for as long as
//! `keys.clock_skew` allows for; what such a node answered is not judged.

use super::kills::Kills;
use super::tokens::{self, Token};
use super::verdict::{Verdict, Violation};
use crate::history::{Answer, Call, Done, History};

pub(super) fn check(history: &History) -> Verdict {
    let (tokens, kills) = (tokens::issued(history), Kills::of(history));
    let (mut judged, mut violations) = (0, Vec::new());
    for entry in &history.entries {
        let (Call::ReadKeys, Answer::Done(Done::Keys { published, kept_for })) = (&entry.call, &entry.answer) else {
            continue;
        };
        if tokens::may_lack_keys(history, entry) {
            continue;
        }
        let kept_until = entry.ended.plus(*kept_for);
        let is_meanwhile = |token: &Token| entry.ended < token.issued && token.issued <= kept_until;
        let meanwhile = tokens.iter().filter(|(_, token)| is_meanwhile(token));
        let mut judged_ones =
            meanwhile.filter(|(_, token)| !kills.emergency_between(history, token, entry, token.issued));
        judged += 1;
        if let Some((id, token)) = judged_ones.find(|(_, token)| !published.contains(&token.key)) {
            violations.push(Violation {
                at: token.issued,
                what: format!(
                    "token {} of node {} is signed with key {}, which was not among the keys that node {} answered at {}, to \
                     be kept for {kept_for:?}",
                    id.as_str(),
                    token.node.0,
                    token.key.as_str(),
                    entry.node.0,
                    entry.ended
                ),
            });
        }
    }
    Verdict {
        guarantee: "published_ahead",
        judged,
        of_what: "readings of the public keys".to_owned(),
        violations,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{Script, keys_read};
    use super::*;
    use crate::history::{Effect, Rotation};

    const KEPT_FOR: Duration = Duration::from_secs(1);

    fn violations(script: &Script) -> usize {
        check(&script.history).violations.len()
    }

    /// Somebody reads the keys at node 2, and somebody else gets a token that is signed with another.
    fn script(between: impl FnOnce(&mut Script)) -> Script {
        let mut script = Script::default();
        script.call(2, Call::ReadKeys, keys_read(&["key"], KEPT_FOR));
        between(&mut script);
        script.issue(1, "t", "a", "c").signed_with("next");
        script
    }

    #[test]
    fn a_key_that_signs_while_verifiers_may_not_know_it_is_found() {
        assert_eq!(violations(&script(|_| {})), 1);
    }

    #[test]
    fn a_key_that_is_known_or_signs_when_verifiers_read_again_is_as_it_should_be() {
        let later = script(|script| {
            script.wait(KEPT_FOR);
        });
        assert_eq!((violations(&later), check(&later.history).judged), (0, 1));
        let mut known = Script::default();
        known.call(2, Call::ReadKeys, keys_read(&["key", "next"], KEPT_FOR));
        known
            .issue(1, "t", "a", "c")
            .issue(1, "u", "a", "c")
            .signed_with("next");
        assert_eq!(violations(&known), 0);
    }

    #[test]
    fn what_may_not_be_kept_is_read_anew() {
        let mut script = Script::default();
        script.call(2, Call::ReadKeys, keys_read(&["key"], Duration::ZERO));
        script.issue(1, "t", "a", "c").signed_with("next");
        assert_eq!(violations(&script), 0);
    }

    #[test]
    fn only_an_emergency_excuses_and_only_until_it_is_known() {
        let rotate = |rotation| {
            move |script: &mut Script| {
                script.call(1, Call::RotateKeys(rotation), Answer::Done(Done::Plain));
            }
        };
        assert_eq!(violations(&script(rotate(Rotation::Emergency))), 0);
        assert_eq!(violations(&script(rotate(Rotation::Ahead))), 1);
        let mut before = Script::default();
        rotate(Rotation::Emergency)(&mut before);
        before.call(2, Call::ReadKeys, keys_read(&["key"], KEPT_FOR));
        before.issue(1, "t", "a", "c").signed_with("next");
        assert_eq!(violations(&before), 1);
    }

    #[test]
    fn a_node_that_may_lag_is_not_judged_once_keys_are_replaced() {
        let mut script = Script::default();
        script.fault(Effect::MayLag, &[2]);
        script.call(2, Call::ReadKeys, keys_read(&["key"], KEPT_FOR));
        script.issue(1, "t", "a", "c").signed_with("next");
        assert_eq!(violations(&script), 1);
        script.call(1, Call::RotateKeys(Rotation::Ahead), Answer::Done(Done::Plain));
        assert_eq!(violations(&script), 0);
    }
}
