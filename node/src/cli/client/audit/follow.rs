//! Which events are new. Pure: the asking is in `tail.rs`.

use sdk::{AuditEvent, Page};

/// The most pages that are read to catch up with what happened since the last look.
pub const CATCH_UP_PAGES_MAX: usize = 100;

/// Collects the events after the last one seen, from pages that come newest first.
#[derive(Default)]
pub struct CatchUp {
    seen: u64,
    newest_first: Vec<AuditEvent>,
    pages: usize,
}

/// What is to be done after a page.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Read on from this cursor.
    Page(String),
    /// All that is new is known.
    Complete,
    /// There is more than we are willing to read at once; what is older is left out.
    LeftOut,
}

impl CatchUp {
    /// Events after the one with this place in the chain.
    pub fn after(seen: u64) -> Self {
        Self {
            seen,
            ..Self::default()
        }
    }

    /// Takes a page in.
    pub fn on_page(&mut self, page: Page<AuditEvent>) -> Next {
        self.pages += 1;
        let reaches_the_known = page.data.last().is_none_or(|oldest| oldest.sequence <= self.seen + 1);
        self.newest_first
            .extend(page.data.into_iter().filter(|event| event.sequence > self.seen));
        match page.next_cursor {
            Some(cursor) if !reaches_the_known && self.pages < CATCH_UP_PAGES_MAX => Next::Page(cursor),
            Some(_) if !reaches_the_known => Next::LeftOut,
            _ => Next::Complete,
        }
    }

    /// The new events, the oldest first, and the place of the newest.
    pub fn finish(self) -> (Vec<AuditEvent>, u64) {
        let seen = self.newest_first.first().map_or(self.seen, |event| event.sequence);
        (self.newest_first.into_iter().rev().collect(), seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::client::audit::event_line::tests::event;

    fn page(sequences: &[u64], next_cursor: Option<&str>) -> Page<AuditEvent> {
        let data: Vec<AuditEvent> = sequences.iter().map(|sequence| event(*sequence)).collect();
        Page {
            data,
            total: 99,
            page: 1,
            limit: 3,
            next_cursor: next_cursor.map(str::to_owned),
        }
    }

    fn sequences(catch_up: CatchUp) -> (Vec<u64>, u64) {
        let (events, seen) = catch_up.finish();
        (events.iter().map(|event| event.sequence).collect(), seen)
    }

    #[test]
    fn new_events_come_in_the_order_in_which_they_happened() {
        let mut catch_up = CatchUp::after(4);
        assert_eq!(
            catch_up.on_page(page(&[9, 8, 7], Some("s7"))),
            Next::Page("s7".to_owned())
        );
        assert_eq!(catch_up.on_page(page(&[6, 5, 4], Some("s4"))), Next::Complete);
        assert_eq!(sequences(catch_up), (vec![5, 6, 7, 8, 9], 9));
    }

    #[test]
    fn nothing_new_costs_one_page() {
        let mut catch_up = CatchUp::after(9);
        assert_eq!(catch_up.on_page(page(&[9, 8, 7], Some("s7"))), Next::Complete);
        assert_eq!(sequences(catch_up), (vec![], 9));
        let mut catch_up = CatchUp::after(0);
        assert_eq!(catch_up.on_page(page(&[], None)), Next::Complete);
        assert_eq!(sequences(catch_up), (vec![], 0));
    }

    #[test]
    fn gaps_that_a_filter_leaves_are_no_reason_to_stop() {
        let mut catch_up = CatchUp::after(10);
        assert_eq!(
            catch_up.on_page(page(&[90, 50], Some("s50"))),
            Next::Page("s50".to_owned())
        );
        assert_eq!(catch_up.on_page(page(&[30, 10], None)), Next::Complete);
        assert_eq!(sequences(catch_up), (vec![30, 50, 90], 90));
    }

    #[test]
    fn a_flood_is_cut_and_said_to_be() {
        let mut catch_up = CatchUp::after(0);
        let mut newest = 1_000_000;
        for _ in 1..CATCH_UP_PAGES_MAX {
            newest -= 1;
            assert!(matches!(catch_up.on_page(page(&[newest], Some("s"))), Next::Page(_)));
        }
        assert_eq!(catch_up.on_page(page(&[newest - 1], Some("s"))), Next::LeftOut);
        assert_eq!(catch_up.finish().0.len(), CATCH_UP_PAGES_MAX);
    }
}
