//! Who may change the key ring, and what the audit log is told of it.

use super::State;
use super::key_events::Deed;
use crate::command::Refusal;
use crate::key_command::{Authority, KEY_SCHEDULE, KeyChange, KeyCommand, Resealed, SealedPlace};
use domain::KeyDeed;

impl State {
    pub(super) fn change_keys(&mut self, command: &KeyCommand) -> Result<(), Refusal> {
        self.require_bootstrapped()?;
        self.require_authority(command)?;
        if let KeyChange::Recorded(up_to) = &command.change {
            self.key_events.forget(*up_to);
            return Ok(());
        }
        let is_emergency = matches!(command.change, KeyChange::Replace(_));
        if self.key_events.is_full() && !is_emergency {
            return Err(Refusal::AuditBacklog);
        }
        let deeds = self.change_ring(command)?;
        self.key_events.add(self.revision, command, deeds);
        Ok(())
    }

    fn change_ring(&mut self, command: &KeyCommand) -> Result<Vec<Deed>, Refusal> {
        let (at, revision, limit) = (command.at, self.revision, self.limits.keys);
        match &command.change {
            KeyChange::Terms(terms) if command.authority == Authority::Founder => {
                self.keys.begin_with(*terms, revision).map(|()| Vec::new())
            }
            KeyChange::Terms(terms) => self.keys.promise(*terms, at, revision),
            KeyChange::Publish(key) => self.keys.publish_next(key, at, revision, limit),
            KeyChange::MakeCurrent(key_id) => self.keys.succeed(key_id, at, revision),
            KeyChange::Remove(key_id) => self.keys.let_go(key_id, at, revision),
            KeyChange::Replace(keys) => self.keys.replace(keys, at, revision, limit),
            KeyChange::Reseal(items) => self.reseal(items),
            KeyChange::Recorded(_) => Ok(Vec::new()),
        }
    }

    /// The schedule may do what its owner proposes in the epoch in force; an operator may have keys replaced; a founder may
    /// say what is promised before anybody was promised anything.
    fn require_authority(&self, command: &KeyCommand) -> Result<(), Refusal> {
        let is_founding = self.keys.changed_at().0 + 1 == self.revision.0;
        match (&command.authority, &command.change) {
            (Authority::Operator { .. }, KeyChange::Publish(_) | KeyChange::Replace(_)) => Ok(()),
            (Authority::Founder, KeyChange::Terms(_)) if is_founding && self.keys.is_untouched() => Ok(()),
            (Authority::Operator { .. } | Authority::Founder, _) | (_, KeyChange::Replace(_)) => {
                Err(Refusal::NotTheirs)
            }
            (Authority::Schedule { epoch }, _) => self.placement.require_owner(KEY_SCHEDULE, command.node_id, *epoch),
        }
    }

    /// A new envelope holds what the former one did: a secret never changes while it stays in its place.
    fn reseal(&mut self, items: &[Resealed]) -> Result<Vec<Deed>, Refusal> {
        let Some(first) = items.first() else {
            return Ok(Vec::new());
        };
        let master_key = first.sealed.master_key();
        if items.iter().any(|item| item.sealed.master_key() != master_key) {
            return Err(Refusal::ManyMasterKeys);
        }
        for item in items {
            match (&item.place, &mut self.identity) {
                (SealedPlace::DigestKey, Some(identity)) => identity.digest_key = item.sealed.clone(),
                (SealedPlace::DigestKey, None) => {}
                (SealedPlace::SigningKey(key_id), _) => self.keys.seal_anew(key_id, &item.sealed, self.revision),
            }
        }
        Ok(vec![Deed {
            deed: KeyDeed::Resealed,
            subject: master_key.to_string(),
            algorithm: None,
        }])
    }
}
