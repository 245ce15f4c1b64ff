//! How operators have keys replaced. The schedule's actor takes it from there: it lets the new keys sign when their time
//! has come, and tells the audit log.

use std::sync::Arc;

use domain::ports::{Clock, Entropy, KeyMaker, KeyStepError, Organizations, SigningKeys};
use domain::{Applied, KeyOrder, KeyRecord, KeyRingView, SigningAlgorithm, Timestamp, Urgency};

use super::plan::{KeyPlan, plan};
use crate::audit::AuditHandle;
use crate::settings::KeyRotationSettings;

/// What the handles and every incarnation of the actor share.
pub(crate) struct KeyRotationParts {
    pub signing_keys: Arc<dyn SigningKeys>,
    pub key_maker: Arc<dyn KeyMaker>,
    pub organizations: Arc<dyn Organizations>,
    pub audit: AuditHandle,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: KeyRotationSettings,
}

/// Has keys replaced.
#[derive(Clone)]
pub struct KeyRotationHandle(Arc<KeyRotationParts>);

impl KeyRotationHandle {
    pub(crate) fn new(parts: Arc<KeyRotationParts>) -> Self {
        Self(parts)
    }

    /// The key ring as this node sees it; absent before the installation has keys.
    pub fn view(&self) -> Option<KeyRingView> {
        self.0.signing_keys.view()
    }

    /// What the schedule will do to a key of the ring next, and when.
    pub fn plan(&self, ring: &KeyRingView, key: &KeyRecord) -> (KeyPlan, Timestamp) {
        plan(&self.0.settings, ring, key)
    }

    /// Makes a key of each of these algorithms and puts it into the ring as an operator wants it. Does not wait for the
    /// schedule, whose owner may be what the operator is worried about.
    pub async fn order(
        &self,
        algorithms: &[SigningAlgorithm],
        urgency: Urgency,
        ordered_from: Option<String>,
    ) -> Result<Applied, KeyStepError> {
        let mut keys = Vec::with_capacity(algorithms.len());
        for algorithm in algorithms {
            keys.push(self.0.key_maker.make(*algorithm).await?);
        }
        let order = KeyOrder {
            keys,
            urgency,
            ordered_from,
        };
        self.0.signing_keys.carry_out(order).await
    }
}
