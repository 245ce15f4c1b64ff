//! The order of an organization's writes: one at a time, in the order in which they came. Pure.

use std::collections::VecDeque;

/// Writes that wait, and whether one is under way.
pub(super) struct JobQueue<J> {
    waiting: VecDeque<J>,
    waiting_max: usize,
    is_busy: bool,
}

impl<J> JobQueue<J> {
    /// No write.
    pub fn new(waiting_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            waiting_max,
            is_busy: false,
        }
    }

    /// A write comes: answers the one to begin now, if any. Beyond the bound the write is dropped, and whoever waits for it
    /// learns so.
    pub fn on_job(&mut self, job: J) -> Option<J> {
        if !self.is_busy {
            self.is_busy = true;
            return Some(job);
        }
        if self.waiting.len() < self.waiting_max {
            self.waiting.push_back(job);
        }
        None
    }

    /// The write that was under way is over: answers the one to begin now, if any.
    pub fn on_done(&mut self) -> Option<J> {
        let next = self.waiting.pop_front();
        self.is_busy = next.is_some();
        next
    }

    /// Everything that waits, since nobody will begin it here.
    pub fn take(&mut self) -> Vec<J> {
        self.waiting.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_begin_one_after_the_other_in_order() {
        let mut queue = JobQueue::new(10);
        assert_eq!(queue.on_job(1), Some(1));
        assert_eq!((queue.on_job(2), queue.on_job(3)), (None, None));
        assert_eq!(queue.on_done(), Some(2));
        assert_eq!(queue.on_job(4), None);
        assert_eq!(
            (queue.on_done(), queue.on_done(), queue.on_done()),
            (Some(3), Some(4), None)
        );
        assert_eq!(queue.on_job(5), Some(5));
    }

    #[test]
    fn at_the_bound_a_write_is_dropped_and_the_others_stay() {
        let mut queue = JobQueue::new(2);
        (1..=5).for_each(|job| {
            queue.on_job(job);
        });
        assert_eq!(queue.take(), [2, 3]);
    }
}
