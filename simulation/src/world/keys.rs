//! Signing keys that a seed repeats. RSA keys can't be made from given randomness, so these are taken one after the other
//! from files that everybody can read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use domain::ports::{Entropy, KeyMaker, KeyStepError};
use domain::{NewSigningKey, SigningAlgorithm};
use protocol::jose::{generate_key, known_key};
use zeroize::Zeroizing;

/// Private keys that protect nothing.
const RS256: [&[u8]; 8] = [
    include_bytes!("../../fixtures/rs256-1.pk8"),
    include_bytes!("../../fixtures/rs256-2.pk8"),
    include_bytes!("../../fixtures/rs256-3.pk8"),
    include_bytes!("../../fixtures/rs256-4.pk8"),
    include_bytes!("../../fixtures/rs256-5.pk8"),
    include_bytes!("../../fixtures/rs256-6.pk8"),
    include_bytes!("../../fixtures/rs256-7.pk8"),
    include_bytes!("../../fixtures/rs256-8.pk8"),
];

/// How many RSA keys the nodes of a world have taken.
#[derive(Clone, Default)]
pub struct TakenKeys(Arc<AtomicUsize>);

/// Makes a node's keys.
pub struct SeededKeyMaker {
    entropy: Arc<dyn Entropy>,
    taken: TakenKeys,
}

impl SeededKeyMaker {
    /// From this randomness.
    pub fn new(entropy: Arc<dyn Entropy>, taken: TakenKeys) -> Self {
        Self { entropy, taken }
    }
}

#[async_trait]
impl KeyMaker for SeededKeyMaker {
    async fn make(&self, algorithm: SigningAlgorithm) -> Result<NewSigningKey, KeyStepError> {
        let made = match algorithm {
            SigningAlgorithm::Rs256 => {
                let next = RS256.get(self.taken.0.fetch_add(1, Ordering::Relaxed));
                let next = next.ok_or_else(|| KeyStepError::NoKey("this world has no more RSA keys".to_owned()))?;
                known_key(algorithm, Zeroizing::new(next.to_vec()))
            }
            _ => generate_key(algorithm, self.entropy.as_ref()),
        };
        let key = made.map_err(|error| KeyStepError::NoKey(error.to_string()))?;
        Ok(NewSigningKey {
            key_id: key.key_id,
            algorithm: key.algorithm,
            pkcs8: key.pkcs8,
            public_jwk: key.public_jwk,
        })
    }
}
