//! The steps of signing keys that the audit log has not been told of yet. They are part of the replicated state, so that a
//! step that was taken is recorded although the node that took it died the moment after.

use domain::{KeyDeed, KeyEvent, NodeId, Revision, SigningAlgorithm};
use imbl::OrdMap;

use crate::key_command::{ADDRESS_BYTES_MAX, Authority, KeyCommand};

/// Events that wait at most. Beyond, the schedule takes no further step until some were recorded; an emergency does not
/// wait for an audit log that is away, and pushes the oldest out.
pub(super) const WAITING_MAX: usize = 1_000;

/// What was done to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    pub(super) deed: KeyDeed,
    pub(super) subject: String,
    pub(super) algorithm: Option<SigningAlgorithm>,
}

/// The events, by their revision and their place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyEvents(OrdMap<(Revision, u32), KeyEvent>);

impl KeyEvents {
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= WAITING_MAX
    }

    pub(super) fn add(&mut self, revision: Revision, command: &KeyCommand, deeds: Vec<Deed>) {
        let ordered_from = match &command.authority {
            Authority::Operator { from } => from.clone().map(shortened),
            Authority::Schedule { .. } | Authority::Founder => None,
        };
        for (deed, place) in deeds.into_iter().zip(0..) {
            let event = KeyEvent {
                revision,
                at: command.at,
                deed: deed.deed,
                subject: deed.subject,
                algorithm: deed.algorithm,
                node: NodeId(command.node_id),
                ordered_from: ordered_from.clone(),
            };
            self.0.insert((revision, place), event);
        }
        while self.0.len() > WAITING_MAX {
            self.0 = self.0.without_min().1;
        }
    }

    pub(super) fn forget(&mut self, up_to: Revision) {
        while self.0.get_min().is_some_and(|((revision, _), _)| *revision <= up_to) {
            self.0 = self.0.without_min().1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &KeyEvent> {
        self.0.values()
    }

    /// Puts back what a snapshot holds; false if it contradicts itself.
    pub(super) fn restore(&mut self, event: KeyEvent) -> bool {
        let before = self.0.range((event.revision, 0)..=(event.revision, u32::MAX)).count();
        let place = u32::try_from(before).unwrap_or(u32::MAX);
        self.0.insert((event.revision, place), event).is_none()
    }
}

fn shortened(mut address: String) -> String {
    let end = (0..=ADDRESS_BYTES_MAX.min(address.len()))
        .rev()
        .find(|end| address.is_char_boundary(*end));
    address.truncate(end.unwrap_or(0));
    address
}
