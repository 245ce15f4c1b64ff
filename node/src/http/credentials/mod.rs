//! `/api/v1/agents/{agentId}/credentials`, one file for each operation.

pub mod generate;
pub mod list;
pub mod revoke;
pub mod rotate;
pub mod shown_once;

use domain::CredentialId;
use http::StatusCode;

use super::call::Call;
use super::error::ApiError;

/// The second part of the path that stands for something.
fn credential_id(call: &Call) -> Result<CredentialId, ApiError> {
    let not_found = || {
        ApiError::management(
            StatusCode::NOT_FOUND,
            "CREDENTIAL_NOT_FOUND",
            "this agent has no such credential",
        )
    };
    call.id(1, not_found)
}
