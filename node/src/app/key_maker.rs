//! Makes signing keys on threads of their own: a search for primes must hold up nobody.

use std::sync::Arc;

use async_trait::async_trait;
use domain::ports::{Entropy, KeyMaker, KeyStepError};
use domain::{NewSigningKey, SigningAlgorithm};
use protocol::jose::{JoseError, generate_key};

/// Makes keys from the machine's randomness.
pub struct ThreadedKeyMaker(Arc<dyn Entropy>);

impl ThreadedKeyMaker {
    /// From this randomness.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self(entropy)
    }
}

#[async_trait]
impl KeyMaker for ThreadedKeyMaker {
    async fn make(&self, algorithm: SigningAlgorithm) -> Result<NewSigningKey, KeyStepError> {
        let entropy = self.0.clone();
        let making = tokio::task::spawn_blocking(move || new_signing_key(algorithm, entropy.as_ref()));
        let made = making.await.map_err(|error| KeyStepError::NoKey(error.to_string()))?;
        made.map_err(|error| KeyStepError::NoKey(error.to_string()))
    }
}

/// A new key, here and now.
fn new_signing_key(algorithm: SigningAlgorithm, entropy: &dyn Entropy) -> Result<NewSigningKey, JoseError> {
    let key = generate_key(algorithm, entropy)?;
    Ok(NewSigningKey {
        key_id: key.key_id,
        algorithm: key.algorithm,
        pkcs8: key.pkcs8,
        public_jwk: key.public_jwk,
    })
}
