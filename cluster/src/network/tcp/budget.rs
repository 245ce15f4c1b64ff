//! A limit on how many things, and how many bytes of them, may be in hand at once.

use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// What is left.
struct Left {
    things: usize,
    bytes: usize,
}

/// Hands out shares of a limit; there is no waiting for one.
pub(super) struct Budget {
    left: Arc<Mutex<Left>>,
    things_max: usize,
    bytes_max: usize,
}

/// A share, which goes back when it is dropped.
pub(super) struct Share {
    left: Arc<Mutex<Left>>,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(things_max: usize, bytes_max: usize) -> Self {
        let left = Left {
            things: things_max,
            bytes: bytes_max,
        };
        Self {
            left: Arc::new(Mutex::new(left)),
            things_max,
            bytes_max,
        }
    }

    /// A share for one thing of so many bytes, or why there is none.
    pub(super) fn take(&self, bytes: usize) -> Result<Share, String> {
        let mut left = lock(&self.left);
        if left.things == 0 {
            return Err(format!("{} requests are in flight already", self.things_max));
        }
        if left.bytes < bytes {
            let max = self.bytes_max;
            return Err(format!(
                "with {bytes} bytes more, over {max} bytes of requests would be in flight"
            ));
        }
        left.things -= 1;
        left.bytes -= bytes;
        Ok(Share {
            left: self.left.clone(),
            bytes,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut left = lock(&self.left);
        left.things += 1;
        left.bytes += self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_limited_in_number_and_bytes_and_come_back() {
        let budget = Budget::new(2, 10);
        let first = budget.take(10).unwrap();
        assert!(budget.take(1).map(drop).unwrap_err().contains("10 bytes"));
        let second = budget.take(0).unwrap();
        assert!(budget.take(0).map(drop).unwrap_err().contains("2 requests"));
        drop(first);
        let third = budget.take(10).unwrap();
        drop((second, third));
        assert!(budget.take(10).is_ok());
    }
}
