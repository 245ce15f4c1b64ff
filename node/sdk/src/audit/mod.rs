//! The audit log: `/api/v1/audit`.

mod event;
mod filter;
mod verification;

pub use event::{AuditEvent, Outcome};
pub use filter::AuditFilter;
pub use verification::Verification;

use crate::client::Client;
use crate::error::Error;
use crate::ids::EventId;
use crate::page::{Page, Paging};
use crate::query::Query;
use crate::timestamp::Timestamp;
use crate::transport::Call;

const PATH: &str = "/api/v1/audit";
const READ: &str = "audit:read";

/// Reads the audit log of the client's organization; needs `audit:read`.
pub struct Audit<'a> {
    client: &'a Client,
}

impl<'a> Audit<'a> {
    pub(crate) fn of(client: &'a Client) -> Self {
        Self { client }
    }

    /// A page of the events that match, newest first. With [`Paging::after`] the list is stable while events are added.
    pub async fn list(&self, filter: &AuditFilter, paging: Paging) -> Result<Page<AuditEvent>, Error> {
        self.client
            .send_with_token(Call::get(PATH).query(filter.query().paged(&paging)), READ)
            .await?
            .json()
    }

    /// One event.
    pub async fn get(&self, event: EventId) -> Result<AuditEvent, Error> {
        self.client
            .send_with_token(Call::get(format!("{PATH}/{event}")), READ)
            .await?
            .json()
    }

    /// Has the server walk the hash chain. A chain that is broken is not an error but not verified.
    pub async fn verify(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Verification, Error> {
        let query = Query::default().with("fromDate", from).with("toDate", to);
        self.client
            .send_with_token(Call::get(format!("{PATH}/verify")).query(query), READ)
            .await?
            .json()
    }
}
