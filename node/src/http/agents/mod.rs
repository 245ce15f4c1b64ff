//! `/api/v1/agents`, one file for each operation.

pub mod body;
pub mod decommission;
pub mod get;
pub mod list;
pub mod register;
pub mod update;
