//! What is said of a credential that is to be made or replaced.

use serde::Serialize;

use crate::timestamp::Timestamp;

/// A credential that is to be made. The default never expires and allows all that its agent may have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewCredential {
    /// When it is to stop working; must be in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The only scopes that tokens taken with it may hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// How a credential's secret is to be replaced. By default the old one dies at once and the expiry stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RotateCredential {
    /// When the credential is to stop working; must be in the future.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// For how long the old secret goes on working, in seconds; at most a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_seconds: Option<u32>,
}
