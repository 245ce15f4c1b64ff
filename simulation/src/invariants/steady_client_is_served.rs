//! A client that follows `Retry-After` and goes to another node is served, whatever happens to one node or the next.

use super::verdict::{Verdict, Violation};
use crate::history::{Disturbance, History, Moment};

pub(super) fn check(history: &History) -> Verdict {
    let unserved = history.steady.iter().filter(|(_, served)| served.is_none());
    let served = history
        .steady
        .iter()
        .filter_map(|(asked, served)| Some((*asked, (*served)?)));
    let slowest = served.max_by_key(|(asked, served)| served.since(*asked));
    Verdict {
        guarantee: "steady_client_is_served",
        judged: history.steady.len(),
        of_what: format!(
            "requests that may be repeated{}",
            slowest.map_or_else(String::new, |slowest| told(history, slowest))
        ),
        violations: unserved
            .map(|(asked, _)| Violation {
                at: *asked,
                what: format!("a request from {asked} on was served by no node"),
            })
            .collect(),
    }
}

/// How long the slowest took, and what was the matter.
fn told(history: &History, (asked, served): (Moment, Moment)) -> String {
    let is_upon = |disturbance: &&Disturbance| disturbance.from <= served && asked <= disturbance.until;
    let upon = history.disturbances.iter().find(is_upon);
    let fault = upon.map_or_else(String::new, |disturbance| format!(" ({})", disturbance.name));
    format!(", the slowest after {:.1} s{fault}", served.since(asked).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_nobody_served_is_found() {
        let served = (Moment(1), Some(Moment(2)));
        let mut history = History {
            steady: vec![served, served],
            ..History::default()
        };
        assert!(check(&history).violations.is_empty());
        history.steady.push((Moment(3), None));
        assert_eq!(check(&history).violations.len(), 1);
    }
}
