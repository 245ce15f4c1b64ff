//! A node that can reach no majority is silent within `max_revocation_staleness`: it vouches for nothing, issues nothing,
//! takes no bearer and is not ready.

use super::verdict::{Verdict, Violation};
use crate::SILENT_AFTER;
use crate::history::{Answer, Call, Effect, Entry, History, Moment};

pub(super) fn check(history: &History) -> Verdict {
    let (mut judged, mut violations) = (0, Vec::new());
    let cuts: Vec<_> = history
        .disturbances
        .iter()
        .flat_map(|disturbance| &disturbance.effects)
        .filter(|(effect, ..)| *effect == Effect::CutOff)
        .collect();
    for entry in history.entries.iter().filter(|entry| needs_a_view(&entry.call)) {
        let is_silent = |from: Moment| from.plus(SILENT_AFTER);
        let is_within = |from: Moment, until: Moment| entry.started > is_silent(from) && entry.ended < until;
        let mut upon = cuts
            .iter()
            .filter(|(_, nodes, from, until)| nodes.contains(&entry.node) && is_within(*from, *until));
        if upon.next().is_none() {
            continue;
        }
        judged += 1;
        // A refusal is a statement too: a node that does not know may not say that a token is dead.
        if !matches!(entry.answer, Answer::Unavailable(503) | Answer::Lost) {
            violations.push(violation(entry));
        }
    }
    Verdict {
        guarantee: "cut_off_fails_closed",
        judged,
        of_what: "calls to nodes that had been cut off for longer than they may".to_owned(),
        violations,
    }
}

fn needs_a_view(call: &Call) -> bool {
    matches!(
        call,
        Call::Issue { .. } | Call::Introspect(_) | Call::Present(_) | Call::AskReady
    )
}

fn violation(entry: &Entry) -> Violation {
    Violation {
        at: entry.started,
        what: format!(
            "node {} was cut off and answered `{}` with {}",
            entry.node.0,
            entry.call.name(),
            entry.answer.name()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::Script;
    use super::*;
    use crate::history::{Done, TokenId};

    const LONG: Duration = Duration::from_secs(6);

    fn cut_off() -> Script {
        let mut script = Script::default();
        script.issue(1, "t", "a", "c").fault(Effect::CutOff, &[3]);
        script
    }

    fn judged(script: &Script) -> (usize, usize) {
        let verdict = check(&script.history);
        (verdict.judged, verdict.violations.len())
    }

    #[test]
    fn silence_is_as_it_should_be() {
        let mut script = cut_off();
        script.wait(LONG);
        script.call(3, Call::Introspect(TokenId::new("t")), Answer::Unavailable(503));
        script
            .call(3, Call::AskReady, Answer::Unavailable(503))
            .wait(LONG)
            .heal();
        script.introspect(3, "t", true);
        assert_eq!(judged(&script), (2, 0));
    }

    #[test]
    fn vouching_issuing_and_being_ready_are_found() {
        let mut script = cut_off();
        script
            .wait(LONG)
            .introspect(3, "t", true)
            .issue(3, "u", "a", "c")
            .present(3, "t", false);
        script
            .call(3, Call::AskReady, Answer::Done(Done::Plain))
            .wait(LONG)
            .heal();
        assert_eq!(judged(&script), (4, 4));
    }

    #[test]
    fn neither_the_first_seconds_nor_other_nodes_are_judged() {
        let mut script = cut_off();
        script
            .introspect(3, "t", true)
            .wait(LONG)
            .introspect(2, "t", true)
            .wait(LONG)
            .heal();
        assert_eq!(judged(&script), (0, 0));
    }
}
