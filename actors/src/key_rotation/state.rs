//! What is to be done about the key ring now. Pure: the time and the ring are parameters, and nothing is remembered, so that
//! a schedule goes on wherever its next owner is.

use std::time::Duration;

use domain::{KeyId, KeyRecord, KeyRingView, KeyState, KeyTerms, SigningAlgorithm, Timestamp};

use crate::settings::KeyRotationSettings;

/// A key is replaced early by this part of the interval at most, so that the keys of one ring, and those of installations
/// that were made together, do not all change at once.
const JITTER_PART: u32 = 10;

/// What is to be done next. One thing at a time: each is looked for anew when the last is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Put these promises in force.
    Terms(KeyTerms),
    /// Make a key of this algorithm and publish it.
    Publish(SigningAlgorithm),
    /// Let this key sign.
    MakeCurrent(KeyId),
    /// Let this key go.
    Remove(KeyId),
}

/// What is to be done to this ring now, in the name of its owner.
pub(crate) fn next(settings: &KeyRotationSettings, now: Timestamp, ring: &KeyRingView) -> Option<Next> {
    if !ring.ownership.is_here {
        return None;
    }
    if ring.terms != settings.terms {
        return Some(Next::Terms(settings.terms));
    }
    let removal = ring
        .keys
        .iter()
        .find(|key| leaves_at(settings, key).is_some_and(|at| now >= at));
    let removal = removal.map(|key| Next::Remove(key.key_id.clone()));
    let mut algorithms = SigningAlgorithm::ALL.iter();
    removal.or_else(|| algorithms.find_map(|algorithm| succession(settings, now, ring, *algorithm)))
}

/// The next step towards another key of an algorithm.
fn succession(
    settings: &KeyRotationSettings,
    now: Timestamp,
    ring: &KeyRingView,
    algorithm: SigningAlgorithm,
) -> Option<Next> {
    let find = |state: KeyState| {
        let mut keys = ring.keys.iter();
        keys.find(|key| key.algorithm == algorithm && key.state == state)
    };
    match (find(KeyState::Current), find(KeyState::Published)) {
        (_, Some(successor)) if now >= signs_at(settings, successor) => {
            Some(Next::MakeCurrent(successor.key_id.clone()))
        }
        (Some(current), None) if now >= followed_at(settings, current) => Some(Next::Publish(algorithm)),
        (None, None) => Some(Next::Publish(algorithm)),
        _ => None,
    }
}

/// When a published key begins to sign.
pub(super) fn signs_at(settings: &KeyRotationSettings, key: &KeyRecord) -> Timestamp {
    key.published_at.plus(settings.publish_ahead).max(key.may_sign_from)
}

/// When the successor of a key that signs is published.
pub(super) fn followed_at(settings: &KeyRotationSettings, key: &KeyRecord) -> Timestamp {
    let age = settings
        .rotation_interval
        .saturating_sub(jitter(settings, &key.key_id))
        .saturating_sub(settings.publish_ahead);
    key.current_since.unwrap_or(key.published_at).plus(age)
}

/// When a retired key leaves.
pub(super) fn leaves_at(settings: &KeyRotationSettings, key: &KeyRecord) -> Option<Timestamp> {
    let retired_at = key.retired_at.filter(|_| key.state == KeyState::Retired)?;
    Some(retired_at.plus(settings.retain).max(key.may_leave_from?))
}

/// By how much a key is replaced early. It follows from the key's id, and with it from the entropy that the key was made
/// from: the same on every node, and after every restart.
fn jitter(settings: &KeyRotationSettings, key_id: &KeyId) -> Duration {
    let stirred = key_id.0.bytes().fold(0x9e37_79b9_u32, |sum, byte| {
        (sum ^ u32::from(byte)).wrapping_mul(0x85eb_ca6b).rotate_left(13)
    });
    let most = settings.rotation_interval / JITTER_PART;
    most.mul_f64(f64::from(stirred) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
