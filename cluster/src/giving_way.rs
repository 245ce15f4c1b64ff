//! A leader that hears nobody gives way, although the others may still hear it: while they do, they elect nobody else,
//! and nothing that anybody writes is ever acknowledged.
//!
//! It can't know whom it still reaches, so it offers leadership to one voter after the other.

use std::time::Duration;

use openraft::async_runtime::{Instant as _, WatchReceiver as _};
use tokio::time::{Instant, MissedTickBehavior};

use crate::members;
use crate::raft_types::{Raft, RaftMetrics};
use crate::tenure::Tenure;

/// What a leader of several voters sees.
#[derive(Clone, Debug, PartialEq, Eq)]
struct View {
    /// The term in which it leads.
    term: u64,
    /// How long ago a majority last answered something; `None` if none has in this term.
    silence: Option<Duration>,
    /// The other voters, in ascending order.
    others: Vec<u64>,
}

/// Decides when to give way, and to whom.
struct GivingWay {
    silence_max: Duration,
    /// Since this node leads, or leadership was offered last.
    tenure: Tenure,
    /// In which term leadership was offered last, and to whom.
    offered: Option<(u64, u64)>,
}

impl GivingWay {
    fn new(silence_max: Duration) -> Self {
        Self {
            silence_max,
            tenure: Tenure::default(),
            offered: None,
        }
    }

    /// Who should lead instead of this node, if it leads (`view`) and hears no majority.
    fn on_look(&mut self, now: Duration, view: Option<View>) -> Option<u64> {
        let led_for = self.tenure.on_look(now, view.as_ref().map(|view| view.term));
        if led_for.is_none() {
            self.offered = None;
        }
        let (led_for, view) = led_for.zip(view)?;
        let offered = self.offered.filter(|(term, _)| *term == view.term);
        // Whoever has been offered it takes it at once, or not at all.
        let patience = match offered {
            None => self.silence_max,
            Some(_) => self.silence_max / 2,
        };
        if led_for.min(view.silence.unwrap_or(Duration::MAX)) < patience {
            return None;
        }
        let offered_to = offered.map(|(_, node_id)| node_id);
        let after = |other: &&u64| Some(**other) > offered_to;
        let next = *view.others.iter().find(after).or(view.others.first())?;
        self.tenure.begin_anew(now);
        self.offered = Some((view.term, next));
        Some(next)
    }
}

/// Gives way whenever no majority has answered for so long; runs until it is stopped.
pub(crate) async fn keep_giving_way(raft: Raft, silence_max: Duration) {
    let began = Instant::now();
    let mut giving_way = GivingWay::new(silence_max);
    let mut looks = tokio::time::interval(silence_max / 4);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let view = view(&raft.metrics().borrow_watched());
        let Some(node_id) = giving_way.on_look(began.elapsed(), view) else {
            continue;
        };
        match members::transfer_leader(&raft, node_id).await {
            Ok(()) => tracing::warn!(
                node_id,
                "no majority answers this leader; leadership is offered to another voter"
            ),
            Err(error) => tracing::debug!(node_id, %error, "leadership could not be offered"),
        }
    }
}

/// What this node sees if it leads others.
fn view(metrics: &RaftMetrics) -> Option<View> {
    metrics.heartbeat.as_ref()?;
    let voters = metrics.membership_config.membership().voter_ids();
    let mut others: Vec<u64> = voters.filter(|node_id| *node_id != metrics.id).collect();
    others.sort_unstable();
    (!others.is_empty()).then(|| View {
        term: metrics.current_term,
        silence: metrics.last_quorum_acked.map(|answered| answered.elapsed()),
        others,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn leading(term: u64, silence: Option<u64>) -> Option<View> {
        Some(View {
            term,
            silence: silence.map(seconds),
            others: vec![1, 3],
        })
    }

    #[test]
    fn whoever_is_answered_stays() {
        let mut giving_way = GivingWay::new(PATIENCE);
        for second in 0..60 {
            assert_eq!(giving_way.on_look(seconds(second), leading(4, Some(1))), None);
            assert_eq!(giving_way.on_look(seconds(second), None), None);
        }
    }

    #[test]
    fn whoever_is_not_answered_offers_leadership_to_one_after_the_other() {
        let mut giving_way = GivingWay::new(PATIENCE);
        let offers: Vec<Option<u64>> = (0..9)
            .map(|second| giving_way.on_look(seconds(second), leading(4, Some(second))))
            .collect();
        let expected = [0, 0, 1, 3, 1, 3, 1, 3, 1].map(|node_id| Some(node_id).filter(|node_id| *node_id > 0));
        assert_eq!(offers, expected);
    }

    #[test]
    fn a_new_leader_has_time_to_be_answered() {
        let mut giving_way = GivingWay::new(PATIENCE);
        assert_eq!(giving_way.on_look(seconds(100), leading(4, None)), None);
        assert_eq!(giving_way.on_look(seconds(101), leading(4, None)), None);
        assert_eq!(giving_way.on_look(seconds(102), leading(5, None)), None, "another term");
        assert_eq!(giving_way.on_look(seconds(104), leading(5, None)), Some(1));
    }
}
