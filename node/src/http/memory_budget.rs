//! How many bytes requests may hold at once. A request that needs more than is left is refused at once: it
//! does not wait, since whoever holds the rest may never let go of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes, of which requests reserve what they hold.
pub struct MemoryBudget {
    most: usize,
    held: AtomicUsize,
    whole: Option<Arc<MemoryBudget>>,
}

impl MemoryBudget {
    /// Of so many bytes.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: AtomicUsize::new(0),
            whole: None,
        })
    }

    /// A part of this one. What is reserved there is reserved here too, so that one part can't use up the whole.
    pub fn part(self: &Arc<Self>, most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            held: AtomicUsize::new(0),
            whole: Some(self.clone()),
        })
    }

    /// A reservation that holds nothing yet.
    pub fn reservation(&self) -> Reservation<'_> {
        Reservation { budget: self, bytes: 0 }
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.most);
        if self
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_err()
        {
            return false;
        }
        let is_taken = self.whole.as_ref().is_none_or(|whole| whole.take(bytes));
        if !is_taken {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
        }
        is_taken
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.give_back(bytes);
        }
    }
}

/// The bytes that one request holds; given back when this is dropped.
pub struct Reservation<'a> {
    budget: &'a MemoryBudget,
    bytes: usize,
}

impl Reservation<'_> {
    /// Reserves so many bytes more; false, with nothing changed, if they are not left.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let is_taken = self.budget.take(bytes);
        if is_taken {
            self.bytes += bytes;
        }
        is_taken
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_reserved_beyond_the_budget_and_all_of_it_comes_back() {
        let budget = MemoryBudget::new(10);
        let (mut one, mut other) = (budget.reservation(), budget.reservation());
        assert!(one.grow(4) && other.grow(6));
        assert!(!one.grow(1), "ten bytes are held");
        assert!(!one.grow(usize::MAX), "no sum overflows");
        drop(other);
        assert!(one.grow(6), "the other one's six bytes are free again");
        drop(one);
        assert!(budget.reservation().grow(10));
    }

    #[test]
    fn a_part_can_take_no_more_than_its_own_and_leaves_the_rest_to_others() {
        let whole = MemoryBudget::new(10);
        let (greedy, modest) = (whole.part(6), whole.part(6));
        let mut held = greedy.reservation();
        assert!(held.grow(6) && !held.grow(1));
        let mut rest = modest.reservation();
        assert!(!rest.grow(5), "the whole has four bytes left");
        assert!(rest.grow(4), "what was refused has changed nothing");
        drop(held);
        assert!(rest.grow(2));
    }
}
