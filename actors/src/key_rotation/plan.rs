//! What the schedule will do to each key, for people.

use domain::{KeyRecord, KeyRingView, KeyState, Timestamp};

use super::state::{followed_at, leaves_at, signs_at};
use crate::settings::KeyRotationSettings;

/// What happens to a key next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPlan {
    /// It begins to sign.
    Signs,
    /// It stops signing.
    Retires,
    /// It leaves.
    Leaves,
}

impl KeyPlan {
    /// The name in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyPlan::Signs => "signs",
            KeyPlan::Retires => "retires",
            KeyPlan::Leaves => "leaves",
        }
    }
}

/// What happens to a key of this ring next, and when.
pub(crate) fn plan(settings: &KeyRotationSettings, ring: &KeyRingView, key: &KeyRecord) -> (KeyPlan, Timestamp) {
    match key.state {
        KeyState::Published => (KeyPlan::Signs, signs_at(settings, key)),
        KeyState::Current => {
            let is_successor =
                |other: &&KeyRecord| other.algorithm == key.algorithm && other.state == KeyState::Published;
            let at = ring.keys.iter().find(is_successor).map_or_else(
                || followed_at(settings, key).plus(settings.publish_ahead),
                |successor| signs_at(settings, successor),
            );
            (KeyPlan::Retires, at)
        }
        KeyState::Retired => (KeyPlan::Leaves, leaves_at(settings, key).unwrap_or(key.published_at)),
    }
}
