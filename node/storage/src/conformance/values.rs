//! Values with names and numbers of their own, and what to expect of refusals.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::ports::{Conflict, StoreError};
use domain::{Agent, Email, Organization, OrganizationId, Page, SecretDigest, Timestamp};
use uuid::Uuid;

/// When the world began, in milliseconds: a moment with milliseconds that are not zero.
const BEGINNING: i64 = 1_750_000_000_123;

/// The instant `millis` after the beginning.
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(BEGINNING + millis)
}

/// A number that nobody else got.
pub fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An identifier that nobody else got; later ones are greater.
pub fn uuid() -> Uuid {
    Uuid::from_u128(0x0192_0000_0000_7000_8000 << 48 | u128::from(unique()))
}

/// A digest that nobody else got.
pub fn digest() -> SecretDigest {
    let mut bytes = [0xd5; 32];
    bytes[..8].copy_from_slice(&unique().to_be_bytes());
    SecretDigest(bytes)
}

/// An address that nobody else got.
pub fn email() -> Email {
    format!("agent-{}@agents.example", unique())
        .parse()
        .expect("a plain address")
}

/// A page of the given number and size.
pub fn page(number: u32, limit: u32) -> Page {
    Page::new(Some(number), Some(limit)).expect("within the limits of pages")
}

/// A page that holds all that a function of the suite makes.
pub fn whole() -> Page {
    page(1, Page::LIMIT_MAX)
}

/// The rule that a write would have broken.
#[track_caller]
pub fn conflict<T: Debug>(result: Result<T, StoreError>) -> Conflict {
    match result {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("a conflict was expected, not {other:?}"),
    }
}

/// Asserts that the row was not there.
#[track_caller]
pub fn assert_not_found<T: Debug>(result: Result<T, StoreError>) {
    assert!(
        matches!(result, Err(StoreError::NotFound)),
        "NotFound was expected, not {result:?}"
    );
}

/// An organization that is not stored yet.
pub fn new_organization() -> Organization {
    let id = OrganizationId(uuid());
    Organization::new(id, "Screening Ltd.", &format!("organization-{}", unique()), at(0))
}

/// The next revision of an agent, as a caller who saw `agent` would write it.
pub fn next(agent: &Agent) -> Agent {
    Agent {
        row_version: agent.row_version + 1,
        updated_at: at(40),
        ..agent.clone()
    }
}
