//! Locks that a panic elsewhere does not make unusable.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes the lock. Nothing that this crate does while it holds one can panic, short of a bug; then one panic is enough: a
/// second one, of everybody who comes later, would hide it, and abort the process where it strikes in a `drop`.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
