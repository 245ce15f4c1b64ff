//! Invitations to join the cluster: each lets one node in, until it expires.

use domain::Timestamp;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::command::Refusal;

/// Invitations that may be open at once.
const OPEN_MAX: usize = 1_000;

/// SHA-256 of an invitation's secret: 256 random bits, so that a plain digest gives nothing away.
pub(crate) type InviteDigest = [u8; 32];

/// An invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Invite {
    expires_at: Timestamp,
    /// Whom it has let in. The same node may show it again, for its answer may have been lost.
    redeemed_by: Option<u64>,
}

/// The invitations that have not expired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Invites(OrdMap<InviteDigest, Invite>);

impl Invites {
    pub(super) fn open(&mut self, digest: InviteDigest, expires_at: Timestamp) -> Result<(), Refusal> {
        if self.0.len() >= OPEN_MAX {
            return Err(Refusal::TooManyInvites);
        }
        let invite = Invite {
            expires_at,
            redeemed_by: None,
        };
        // A repetition does not open again what was redeemed.
        self.0.entry(digest).or_insert(invite);
        Ok(())
    }

    pub(super) fn redeem(&mut self, digest: &InviteDigest, node_id: u64, now: Timestamp) -> Result<(), Refusal> {
        let invite = self.0.get_mut(digest).ok_or(Refusal::NoSuchInvite)?;
        let is_for_another = invite.redeemed_by.is_some_and(|by| by != node_id);
        if now >= invite.expires_at || is_for_another {
            return Err(Refusal::NoSuchInvite);
        }
        invite.redeemed_by = Some(node_id);
        Ok(())
    }

    pub(super) fn has(&self, digest: &InviteDigest) -> bool {
        self.0.contains_key(digest)
    }

    pub(super) fn has_expired(&self, now: Timestamp) -> bool {
        self.0.values().any(|invite| now >= invite.expires_at)
    }

    pub(super) fn forget(&mut self, now: Timestamp) {
        let live = self.0.iter().filter(|(_, invite)| now < invite.expires_at);
        self.0 = live.map(|(digest, invite)| (*digest, *invite)).collect();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&InviteDigest, &Invite)> {
        self.0.iter()
    }

    /// Puts back an invitation that a snapshot holds; false if it is there already.
    pub(super) fn restore(&mut self, digest: InviteDigest, invite: Invite) -> bool {
        self.0.insert(digest, invite).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn an_invitation_lets_one_node_in_until_it_expires() {
        let mut invites = Invites::default();
        assert_eq!(invites.redeem(&[1; 32], 2, at(0)), Err(Refusal::NoSuchInvite));
        invites.open([1; 32], at(10)).unwrap();
        assert_eq!(invites.redeem(&[1; 32], 2, at(10)), Err(Refusal::NoSuchInvite));
        assert_eq!(invites.redeem(&[1; 32], 2, at(9)), Ok(()));
        assert_eq!(invites.redeem(&[1; 32], 2, at(9)), Ok(()), "its answer was lost");
        assert_eq!(invites.redeem(&[1; 32], 3, at(9)), Err(Refusal::NoSuchInvite));
        invites.open([1; 32], at(20)).unwrap();
        assert_eq!(
            invites.redeem(&[1; 32], 3, at(9)),
            Err(Refusal::NoSuchInvite),
            "a repetition opens nothing again"
        );
    }

    #[test]
    fn what_has_expired_is_forgotten_and_makes_room() {
        let mut invites = Invites::default();
        for number in 0..OPEN_MAX {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            invites.open(digest, at(10)).unwrap();
        }
        assert_eq!(invites.open([255; 32], at(10)), Err(Refusal::TooManyInvites));
        assert!(!invites.has_expired(at(9)) && invites.has_expired(at(10)));
        invites.forget(at(10));
        assert_eq!(invites.open([255; 32], at(20)), Ok(()));
    }
}
