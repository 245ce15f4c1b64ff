//! The state as a sequence of parts of bounded size, for snapshots: written and read one part at a time, so that a
//! snapshot of a million revocations needs no second copy of them in memory.
//!
//! **The order of variants and fields is the format of the snapshot**, as in [`command`](crate::command).

use domain::{KeyEvent, KeyId, Revision, Timestamp};
use serde::{Deserialize, Serialize};

use super::changes::{ChangeImage, Changes};
use super::key_ring::{KeyRing, Promises, StoredKey};
use super::revocations::RevocationImage;
use super::{Agreement, Identity, Invite, InviteDigest, Lineage, Session, State};
use crate::placement::Placement;

/// How many items one part holds at most.
const PART_ITEMS_MAX: usize = 4_096;

/// One part of a snapshot. The first is the head, the last the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ImagePart {
    Head {
        revision: Revision,
        now: Timestamp,
        identity: Option<Identity>,
        keys_changed_at: Revision,
        changes_forgotten_up_to: Revision,
    },
    Key(KeyId, StoredKey),
    Revocations(Vec<RevocationImage>),
    Changes(Vec<ChangeImage>),
    End,
    Session(u64, Session),
    Invite(InviteDigest, Invite),
    Promises(Promises),
    Placement(Placement),
    KeyEvent(KeyEvent),
    /// There from format 3 on.
    Agreement(Agreement),
    /// There if the cluster was restored.
    Lineage(Lineage),
}

/// Why parts are not a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImageError {
    #[error("the first part is not a head")]
    NoHead,
    #[error("there is a second head, or a part after the end")]
    OutOfPlace,
    #[error("the end is missing")]
    NoEnd,
    #[error("the parts contradict each other")]
    Contradiction,
}

impl State {
    /// The parts of this state, in order.
    pub(crate) fn parts(&self) -> impl Iterator<Item = ImagePart> + '_ {
        let head = ImagePart::Head {
            revision: self.revision,
            now: self.now,
            identity: self.identity.clone(),
            keys_changed_at: self.keys.changed_at(),
            changes_forgotten_up_to: self.changes.forgotten_up_to(),
        };
        std::iter::once(head)
            .chain(
                self.keys
                    .iter()
                    .map(|(id, key)| ImagePart::Key(id.clone(), key.clone())),
            )
            .chain(chunks(self.revocations.images()).map(ImagePart::Revocations))
            .chain(chunks(self.changes.images()).map(ImagePart::Changes))
            .chain(
                self.sessions
                    .iter()
                    .map(|(node_id, session)| ImagePart::Session(node_id, session)),
            )
            .chain(
                self.invites
                    .iter()
                    .map(|(digest, invite)| ImagePart::Invite(*digest, *invite)),
            )
            .chain(self.later_parts())
            .chain(self.agreement_and_lineage())
            .chain(std::iter::once(ImagePart::End))
    }

    /// What the first format does not know is there only where it was agreed to go beyond.
    fn agreement_and_lineage(&self) -> impl Iterator<Item = ImagePart> {
        let agreement = (self.agreement != Agreement::default()).then(|| ImagePart::Agreement(self.agreement.clone()));
        let lineage = self.lineage.is_restored().then_some(ImagePart::Lineage(self.lineage));
        agreement.into_iter().chain(lineage)
    }
}

impl State {
    /// What former versions do not know, if there is any of it.
    fn later_parts(&self) -> impl Iterator<Item = ImagePart> + '_ {
        let promises = Some(self.keys.promises()).filter(|promises| *promises != Promises::default());
        let placement = Some(self.placement.clone()).filter(|placement| *placement != Placement::default());
        promises
            .map(ImagePart::Promises)
            .into_iter()
            .chain(placement.map(ImagePart::Placement))
            .chain(self.key_events.iter().cloned().map(ImagePart::KeyEvent))
    }
}

fn chunks<T>(mut items: impl Iterator<Item = T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let chunk: Vec<T> = items.by_ref().take(PART_ITEMS_MAX).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// A state that is being put together from its parts.
#[derive(Default)]
pub(crate) struct Restoring {
    state: Option<State>,
    ended: bool,
}

impl Restoring {
    /// Adds the next part.
    pub(crate) fn add(&mut self, part: ImagePart) -> Result<(), ImageError> {
        if self.ended {
            return Err(ImageError::OutOfPlace);
        }
        let consistent = match (&mut self.state, part) {
            (
                None,
                ImagePart::Head {
                    revision,
                    now,
                    identity,
                    keys_changed_at,
                    changes_forgotten_up_to,
                },
            ) => {
                self.state = Some(State {
                    revision,
                    now,
                    identity,
                    keys: KeyRing::empty(keys_changed_at),
                    changes: Changes::forgotten(changes_forgotten_up_to),
                    ..State::default()
                });
                true
            }
            (None, _) => return Err(ImageError::NoHead),
            (Some(_), ImagePart::Head { .. }) => return Err(ImageError::OutOfPlace),
            (Some(state), ImagePart::Key(id, key)) => state.keys.restore(id, key),
            (Some(state), ImagePart::Invite(digest, invite)) => state.invites.restore(digest, invite),
            (Some(state), ImagePart::Session(node_id, session)) => state.sessions.restore(node_id, session),
            (Some(state), ImagePart::Revocations(images)) => {
                images.into_iter().all(|image| state.revocations.restore(image))
            }
            (Some(state), ImagePart::Changes(images)) => images.into_iter().all(|image| state.changes.restore(image)),
            (Some(state), ImagePart::KeyEvent(event)) => state.key_events.restore(event),
            (Some(state), ImagePart::Promises(promises)) => {
                state.keys.restore_promises(promises);
                true
            }
            (Some(state), ImagePart::Placement(placement)) => {
                state.placement = placement;
                true
            }
            (Some(state), ImagePart::Agreement(agreement)) => {
                let was = std::mem::replace(&mut state.agreement, agreement);
                was == Agreement::default() && state.agreement != was
            }
            (Some(state), ImagePart::Lineage(lineage)) => {
                let was = std::mem::replace(&mut state.lineage, lineage);
                !was.is_restored() && lineage.is_restored()
            }
            (Some(_), ImagePart::End) => {
                self.ended = true;
                true
            }
        };
        if consistent {
            Ok(())
        } else {
            Err(ImageError::Contradiction)
        }
    }

    /// The state, if all parts were there.
    pub(crate) fn finish(self) -> Result<State, ImageError> {
        match self.state {
            Some(state) if self.ended => Ok(state),
            Some(_) => Err(ImageError::NoEnd),
            None => Err(ImageError::NoHead),
        }
    }
}
