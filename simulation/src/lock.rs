//! Locks whose data is whole between any two statements, also after a panic elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
