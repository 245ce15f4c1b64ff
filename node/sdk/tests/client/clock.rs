//! A clock that moves only when it is told to, and that notes how long was waited.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sdk::Clock;

#[derive(Default)]
pub struct ManualClock {
    now: Mutex<Duration>,
    waits: Mutex<Vec<Duration>>,
}

impl ManualClock {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn advance(&self, by: Duration) {
        *self.now.lock().expect("no test panics while it holds this") += by;
    }

    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().expect("no test panics while it holds this").clone()
    }
}

impl Clock for ManualClock {
    fn monotonic(&self) -> Duration {
        *self.now.lock().expect("no test panics while it holds this")
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.waits
            .lock()
            .expect("no test panics while it holds this")
            .push(duration);
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }
}
