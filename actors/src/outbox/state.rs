//! What the relay knows. Pure.

use std::collections::BTreeSet;

use domain::{OutboxEntry, OutboxId, ReplicatedChange};

/// Entries that requests have finished and that are yet to be marked as complete.
pub(crate) struct Finished {
    ids: BTreeSet<OutboxId>,
    max: usize,
    /// Whether the relay has been told that there are some.
    woken: bool,
}

impl Finished {
    /// None.
    pub fn new(max: usize) -> Self {
        Self {
            ids: BTreeSet::new(),
            max,
            woken: false,
        }
    }

    /// An entry is finished; answers whether the relay must be told. Beyond the bound it is left to the sweep.
    pub fn on_finished(&mut self, id: OutboxId) -> bool {
        if self.ids.len() >= self.max {
            return false;
        }
        self.ids.insert(id);
        !std::mem::replace(&mut self.woken, true)
    }

    /// The relay could not be told; whoever comes next must try again.
    pub fn on_wake_lost(&mut self) {
        self.woken = false;
    }

    /// The relay takes all there are.
    pub fn take(&mut self) -> Vec<OutboxId> {
        self.woken = false;
        std::mem::take(&mut self.ids).into_iter().collect()
    }

    /// The relay could not mark these; they wait for its next try.
    pub fn give_back(&mut self, ids: Vec<OutboxId>) {
        let room = self.max.saturating_sub(self.ids.len());
        self.ids.extend(ids.into_iter().take(room));
    }

    /// Whether this entry is finished.
    pub fn contains(&self, id: OutboxId) -> bool {
        self.ids.contains(&id)
    }
}

/// What has to be done for entries that stayed behind.
pub(crate) struct Leftovers {
    /// To be applied, in the order in which they occurred.
    pub changes: Vec<ReplicatedChange>,
    /// To be marked as complete afterwards.
    pub ids: Vec<OutboxId>,
}

impl Leftovers {
    /// Takes a page of pending entries apart; what `is_finished` is left alone.
    pub fn of(entries: Vec<OutboxEntry>, is_finished: impl Fn(OutboxId) -> bool) -> Self {
        let (mut changes, mut ids) = (Vec::new(), Vec::new());
        for entry in entries.into_iter().filter(|entry| !is_finished(entry.id)) {
            changes.extend(entry.message.replicate);
            ids.push(entry.id);
        }
        Self { changes, ids }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Action, AgentId, OrganizationId, OutboxMessage, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn entry(id: i64, agents: &[u128]) -> OutboxEntry {
        OutboxEntry {
            id: OutboxId(id),
            message: OutboxMessage {
                organization_id: OrganizationId(Uuid::nil()),
                action: Action::AgentUpdated,
                agent_id: None,
                replicate: agents.iter().map(|agent| changed(*agent)).collect(),
                occurred_at: Timestamp::EPOCH,
            },
        }
    }

    fn changed(agent: u128) -> ReplicatedChange {
        ReplicatedChange::AgentChanged(AgentId(Uuid::from_u128(agent)))
    }

    #[test]
    fn the_relay_is_told_once_for_all_that_finish_before_it_looks() {
        let mut finished = Finished::new(10);
        assert!(finished.on_finished(OutboxId(2)));
        assert!(!finished.on_finished(OutboxId(1)));
        assert_eq!(finished.take(), [OutboxId(1), OutboxId(2)]);
        assert!(finished.on_finished(OutboxId(3)));
        finished.on_wake_lost();
        assert!(finished.on_finished(OutboxId(4)));
    }

    #[test]
    fn beyond_the_bound_entries_are_left_to_the_sweep() {
        let mut finished = Finished::new(2);
        (1..=4).for_each(|id| {
            finished.on_finished(OutboxId(id));
        });
        let taken = finished.take();
        assert_eq!(taken, [OutboxId(1), OutboxId(2)]);
        finished.on_finished(OutboxId(5));
        finished.give_back(taken);
        assert_eq!(finished.take(), [OutboxId(1), OutboxId(5)]);
    }

    #[test]
    fn leftovers_keep_their_order_and_leave_out_what_is_finished() {
        let entries = vec![entry(1, &[1]), entry(2, &[]), entry(3, &[3, 4])];
        let leftovers = Leftovers::of(entries, |id| id == OutboxId(1));
        assert_eq!(leftovers.changes, [changed(3), changed(4)]);
        assert_eq!(leftovers.ids, [OutboxId(2), OutboxId(3)]);
    }
}
