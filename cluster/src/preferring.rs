//! Leadership moves to a preferred region: a task that only a leader of another region does anything in.
//!
//! A leader hands over only when it has led for a while, and tries again only after another. So leadership moves no more
//! often than once in that while, whatever comes and goes, and even if the members' settings contradict each other.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;
use tokio::time::{Instant, MissedTickBehavior};

use crate::members;
use crate::raft_types::{Raft, RaftMetrics};
use crate::reach::{self, LAG_MAX, SILENCE_MAX};
use crate::tenure::Tenure;

/// How often a leader looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A voter beside the leader, as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Voter {
    node_id: u64,
    region: String,
    /// How many entries it lacks; `None` if it has not said so yet.
    lag: Option<u64>,
    /// How long ago it answered; `None` if it never has.
    silence: Option<Duration>,
}

/// What a leader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
struct View {
    /// The term in which it leads.
    term: u64,
    /// Where it stands.
    region: String,
    others: Vec<Voter>,
}

/// Decides when leadership is to move, and to whom.
struct Preference {
    region: String,
    lead_at_least: Duration,
    /// Since this node leads, or a hand-over was tried last.
    tenure: Tenure,
}

impl Preference {
    fn new(region: String, lead_at_least: Duration) -> Self {
        Self {
            region,
            lead_at_least,
            tenure: Tenure::default(),
        }
    }

    /// Who should lead instead of this node, if it leads (`view`) and somebody should.
    fn on_look(&mut self, now: Duration, view: Option<View>) -> Option<u64> {
        let led_for = self.tenure.on_look(now, view.as_ref().map(|view| view.term))?;
        let view = view?;
        if view.region == self.region || led_for < self.lead_at_least {
            return None;
        }
        let next = best(&view.others, &self.region)?;
        // Where it comes to nothing, the while begins anew.
        self.tenure.begin_anew(now);
        Some(next)
    }
}

/// The voter of the region that lacks least, of those that are there and have caught up.
fn best(voters: &[Voter], region: &str) -> Option<u64> {
    let able = voters.iter().filter(|voter| {
        let is_there = voter.silence.is_some_and(|silence| silence <= SILENCE_MAX);
        voter.region == region && is_there && voter.lag.is_some_and(|lag| lag <= LAG_MAX)
    });
    able.min_by_key(|voter| (voter.lag, voter.node_id))
        .map(|voter| voter.node_id)
}

/// Moves leadership to the region whenever it can; runs until it is stopped.
pub(crate) async fn keep_preferring(raft: Raft, region: String, lead_at_least: Duration) {
    let began = Instant::now();
    let mut preference = Preference::new(region, lead_at_least);
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let view = view(&raft.metrics().borrow_watched());
        let Some(node_id) = preference.on_look(began.elapsed(), view) else {
            continue;
        };
        let region = &preference.region;
        match members::transfer_leader(&raft, node_id).await {
            Ok(()) => tracing::info!(node_id, region, "leadership goes to the preferred region"),
            Err(error) => tracing::debug!(node_id, region, %error, "leadership stays for now"),
        }
    }
}

/// What this node sees if it leads.
fn view(metrics: &RaftMetrics) -> Option<View> {
    metrics.heartbeat.as_ref()?;
    let membership = metrics.membership_config.membership();
    let region = |node_id: u64| membership.get_node(&node_id).map(|member| member.region.clone());
    let others = membership.voter_ids().filter(|node_id| *node_id != metrics.id);
    let others = others.map(|node_id| Voter {
        node_id,
        region: region(node_id).unwrap_or_default(),
        lag: reach::lag(metrics, node_id),
        silence: reach::silence(metrics, node_id),
    });
    Some(View {
        term: metrics.current_term,
        region: region(metrics.id)?,
        others: others.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A_WHILE: Duration = Duration::from_secs(30);

    fn preference() -> Preference {
        Preference::new("eu".to_owned(), A_WHILE)
    }

    fn voter(node_id: u64, region: &str, lag: u64) -> Voter {
        Voter {
            node_id,
            region: region.to_owned(),
            lag: Some(lag),
            silence: Some(Duration::ZERO),
        }
    }

    fn led_from(region: &str, term: u64, others: Vec<Voter>) -> Option<View> {
        Some(View {
            term,
            region: region.to_owned(),
            others,
        })
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000 + seconds)
    }

    #[test]
    fn leadership_goes_to_the_region_after_a_while_and_to_who_lacks_least() {
        let mut preference = preference();
        let view = || led_from("us", 1, vec![voter(2, "eu", 7), voter(3, "eu", 3), voter(4, "us", 0)]);
        assert_eq!(preference.on_look(at(0), view()), None);
        assert_eq!(preference.on_look(at(29), view()), None);
        assert_eq!(preference.on_look(at(30), view()), Some(3));
    }

    #[test]
    fn a_leader_of_the_region_stays() {
        let mut preference = preference();
        for seconds in [0, 30, 600] {
            let view = led_from("eu", 1, vec![voter(2, "eu", 0)]);
            assert_eq!(preference.on_look(at(seconds), view), None);
        }
    }

    #[test]
    fn whoever_is_silent_or_behind_or_unknown_is_not_asked() {
        let silent = Voter {
            silence: Some(SILENCE_MAX + Duration::from_millis(1)),
            ..voter(2, "eu", 0)
        };
        let mute = Voter {
            silence: None,
            ..voter(2, "eu", 0)
        };
        let unknown = Voter {
            lag: None,
            ..voter(2, "eu", 0)
        };
        for other in [silent, mute, unknown, voter(2, "eu", LAG_MAX + 1), voter(2, "us", 0)] {
            assert_eq!(best(std::slice::from_ref(&other), "eu"), None, "{other:?}");
            // As soon as it can be asked, it is: the while has passed.
            let mut preference = preference();
            preference.on_look(at(0), led_from("us", 1, vec![other.clone()]));
            assert_eq!(preference.on_look(at(40), led_from("us", 1, vec![other])), None);
            assert_eq!(
                preference.on_look(at(41), led_from("us", 1, vec![voter(2, "eu", LAG_MAX)])),
                Some(2)
            );
        }
    }

    #[test]
    fn it_is_tried_no_more_than_once_in_a_while_however_often_leaders_change() {
        let mut preference = preference();
        let mut tried = Vec::new();
        for second in 0..300 {
            // A hand-over that comes to nothing, and a leader that is elected anew every 100 s.
            let view = led_from("us", second / 100, vec![voter(2, "eu", 0)]);
            tried.extend(preference.on_look(at(second), view).map(|_| second));
        }
        assert!(tried.windows(2).all(|two| two[1] - two[0] >= 30), "{tried:?}");
        assert_eq!(tried.first(), Some(&30));
        assert!(tried.len() >= 9, "{tried:?}");
    }

    #[test]
    fn time_begins_anew_with_each_time_of_leading() {
        let mut preference = preference();
        let view = |term| led_from("us", term, vec![voter(2, "eu", 0)]);
        assert_eq!(preference.on_look(at(0), view(1)), None);
        assert_eq!(preference.on_look(at(20), None), None, "somebody else leads");
        assert_eq!(preference.on_look(at(40), view(3)), None);
        assert_eq!(preference.on_look(at(69), view(3)), None);
        assert_eq!(preference.on_look(at(70), view(3)), Some(2));
    }
}
