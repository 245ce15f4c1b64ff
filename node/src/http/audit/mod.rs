//! `/api/v1/audit`, one file for each operation.

pub mod get;
pub mod list;
pub mod verify;
