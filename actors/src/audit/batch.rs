//! One batch on its way into the log. Pure: it says what to append next and who is to be told what.
//!
//! A store refuses a transaction as a whole, so a batch with one bad record in it is halved until that record stands alone.
//! If it is a whole chain that takes nothing more, the store says which, and its records leave the batch at once.

use std::sync::Arc;

use domain::AuditRecord;
use domain::ports::StoreError;

use super::state::Entry;
use crate::error::AuditError;
use crate::supervision::NoAnswer;

/// The parts of a batch that are not yet decided, the next one last.
pub(crate) struct Batch<W> {
    parts: Vec<Vec<Entry<W>>>,
}

/// What a waiter is to be told.
pub(crate) type Told<W> = (W, Result<(), AuditError>);

impl<W> Batch<W> {
    /// A batch of at least one record.
    pub fn new(entries: Vec<Entry<W>>) -> Self {
        Self { parts: vec![entries] }
    }

    /// What to append next; `None` when everybody has been told.
    pub fn next(&self) -> Option<Vec<AuditRecord>> {
        let part = self.parts.last()?;
        Some(part.iter().map(|entry| entry.record.clone()).collect())
    }

    /// What became of the part that [`Batch::next`] gave.
    pub fn on_appended(&mut self, result: Result<(), StoreError>) -> Vec<Told<W>> {
        let Some(mut part) = self.parts.pop() else {
            return Vec::new();
        };
        let answer = match result {
            Ok(()) => Ok(()),
            Err(error) if part.len() > 1 && is_about_one_record(&error) => {
                let second = part.split_off(part.len() / 2);
                self.parts.extend([second, part]);
                return Vec::new();
            }
            Err(StoreError::CorruptChain(organization)) => {
                // Were the chain none of this part's, all of it would be told: what comes next is smaller in any case.
                let is_theirs = |entry: &Entry<W>| entry.record.organization_id == organization;
                if part.iter().any(is_theirs) {
                    let (theirs, rest) = part.into_iter().partition(is_theirs);
                    part = theirs;
                    self.parts.extend(Some(rest).filter(|rest| !rest.is_empty()));
                }
                Err(AuditError::Refused(Arc::new(StoreError::CorruptChain(organization))))
            }
            Err(StoreError::Unavailable(_)) => Err(NoAnswer::Down.into()),
            Err(error) => Err(AuditError::Refused(Arc::new(error))),
        };
        part.into_iter().map(|entry| (entry.waiter, answer.clone())).collect()
    }
}

/// Whether the rest of the batch may fare better without one of its records.
fn is_about_one_record(error: &StoreError) -> bool {
    match error {
        StoreError::Conflict(_) | StoreError::AuthorNotActive | StoreError::NotFound | StoreError::Internal(_) => true,
        StoreError::Unavailable(_) | StoreError::Corrupt(_) | StoreError::CorruptChain(_) => false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use domain::ports::Conflict;
    use domain::{Action, EventId, JsonText, OrganizationId, Origin, Outcome, Timestamp};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    pub fn record(number: u128) -> AuditRecord {
        AuditRecord {
            event_id: EventId(Uuid::from_u128(number)),
            organization_id: OrganizationId(Uuid::from_u128(1)),
            agent_id: None,
            action: Action::TokenIssued,
            outcome: Outcome::Success,
            origin: Origin::default(),
            metadata: JsonText::object(&[]),
            timestamp: Timestamp::EPOCH,
        }
    }

    fn batch(numbers: impl Iterator<Item = u128>) -> Batch<u128> {
        let entry = |number| Entry {
            record: record(number),
            waiter: number,
            is_pressing: true,
            since: Duration::ZERO,
        };
        Batch::new(numbers.map(entry).collect())
    }

    /// A store that takes everything but the records that are poisoned; all or nothing, as a transaction does.
    fn append(log: &mut Vec<u128>, poisoned: &BTreeSet<u128>, records: &[AuditRecord]) -> Result<(), StoreError> {
        let numbers: Vec<u128> = records.iter().map(|record| record.event_id.0.as_u128()).collect();
        if numbers.iter().any(|number| poisoned.contains(number)) {
            return Err(Conflict::AuditEvent.into());
        }
        log.extend(numbers);
        Ok(())
    }

    proptest! {
        #[test]
        fn everybody_is_told_the_truth_once_and_the_order_is_kept(
            count in 1u128..200,
            poisoned in proptest::collection::btree_set(0u128..200, 0..6),
        ) {
            let (mut batch, mut log, mut told) = (batch(0..count), Vec::new(), Vec::new());
            while let Some(records) = batch.next() {
                told.extend(batch.on_appended(append(&mut log, &poisoned, &records)));
            }
            prop_assert_eq!(told.len() as u128, count);
            for (number, answer) in &told {
                prop_assert_eq!(answer.is_ok(), !poisoned.contains(number));
                prop_assert_eq!(answer.is_ok(), log.contains(number));
            }
            prop_assert!(log.is_sorted());
        }
    }

    #[test]
    fn a_chain_that_takes_nothing_costs_one_transaction_and_no_other_organization_its_records() {
        let of = |number: u128| OrganizationId(Uuid::from_u128(number % 3));
        let mut batch = Batch::new(
            (0..300)
                .map(|number| Entry {
                    record: AuditRecord {
                        organization_id: of(number),
                        ..record(number)
                    },
                    waiter: number,
                    is_pressing: true,
                    since: Duration::ZERO,
                })
                .collect(),
        );
        let (mut transactions, mut told, mut log) = (0, Vec::new(), Vec::new());
        while let Some(records) = batch.next() {
            transactions += 1;
            let is_bad = records.iter().any(|record| record.organization_id == of(1));
            let result = match is_bad {
                true => Err(StoreError::CorruptChain(of(1))),
                false => {
                    log.extend(records.iter().map(|record| record.event_id.0.as_u128()));
                    Ok(())
                }
            };
            told.extend(batch.on_appended(result));
        }
        assert_eq!((transactions, told.len()), (2, 300));
        assert!(told.iter().all(|(number, answer)| match answer {
            Ok(()) => of(*number) != of(1),
            Err(AuditError::Refused(error)) => {
                of(*number) == of(1) && matches!(**error, StoreError::CorruptChain(chain) if chain == of(1))
            }
            Err(AuditError::Unavailable { .. }) => false,
        }));
        assert!(log.is_sorted() && log.len() == 200);
    }

    #[test]
    fn a_store_that_names_a_chain_of_nobody_here_is_not_asked_again() {
        let mut batch = batch(0..100);
        let nobody = OrganizationId(Uuid::from_u128(9));
        let told = batch.on_appended(Err(StoreError::CorruptChain(nobody)));
        assert_eq!((told.len(), batch.next()), (100, None));
    }

    #[test]
    fn a_store_that_does_not_answer_is_asked_once_for_the_whole_batch() {
        let mut batch = batch(0..100);
        assert_eq!(batch.next().expect("a batch").len(), 100);
        let told = batch.on_appended(Err(StoreError::Unavailable("gone".into())));
        assert!(
            told.iter()
                .all(|(_, answer)| matches!(answer, Err(AuditError::Unavailable { .. })))
        );
        assert_eq!((told.len(), batch.next()), (100, None));
    }

    #[test]
    fn one_bad_record_among_512_costs_few_transactions() {
        let (mut batch, mut log, poisoned) = (batch(0..512), Vec::new(), BTreeSet::from([300]));
        let mut transactions = 0;
        while let Some(records) = batch.next() {
            transactions += 1;
            batch.on_appended(append(&mut log, &poisoned, &records));
        }
        assert_eq!((log.len(), transactions), (511, 19));
    }
}
