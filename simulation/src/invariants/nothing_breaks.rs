//! A node that can't do something says so: 503, or nothing if it is not there. Another 5xx is a fault of its own.

use super::verdict::{Verdict, Violation};
use crate::history::{Answer, Entry, History};

pub(super) fn check(history: &History) -> Verdict {
    let violation = |entry: &Entry| match &entry.answer {
        Answer::Broken(status, why) => Some(Violation {
            at: entry.started,
            what: format!("node {} answered {:?} with {status} {why}", entry.node.0, entry.call),
        }),
        _ => None,
    };
    Verdict {
        guarantee: "nothing_breaks",
        judged: history.entries.len(),
        of_what: "answers".to_owned(),
        violations: history.entries.iter().filter_map(violation).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Script;
    use super::*;
    use crate::history::Call;

    #[test]
    fn an_internal_error_is_found_and_a_node_that_is_away_is_not_one() {
        let mut script = Script::default();
        script.call(1, Call::ReadAudit, Answer::Unavailable(503));
        script.call(1, Call::ReadAudit, Answer::Lost);
        assert!(check(&script.history).violations.is_empty());
        script.call(1, Call::ReadAudit, Answer::Broken(500, String::new()));
        assert_eq!(check(&script.history).violations.len(), 1);
    }
}
