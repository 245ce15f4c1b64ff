//! The machine's clock, randomness and keys: the only implementation of these ports that is not a simulator's.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use domain::Timestamp;
use domain::ports::{Clock, Entropy, KeyMaker};

use super::key_maker::ThreadedKeyMaker;

/// What a node takes from the machine that it runs on.
#[derive(Clone)]
pub struct Machine {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// New signing keys.
    pub key_maker: Arc<dyn KeyMaker>,
}

impl Machine {
    /// The real one.
    #[expect(
        clippy::disallowed_methods,
        reason = "the composition root is where the machine's clock enters"
    )]
    pub fn real() -> Self {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy(SystemRandom::new()));
        Self {
            clock: Arc::new(SystemClock {
                started: Instant::now(),
            }),
            key_maker: Arc::new(ThreadedKeyMaker::new(entropy.clone())),
            entropy,
        }
    }
}

struct SystemClock {
    started: Instant,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port's implementation")]
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

struct SystemEntropy(SystemRandom);

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0
            .fill(bytes)
            .expect("without the operating system's randomness no secret may be made");
    }
}
