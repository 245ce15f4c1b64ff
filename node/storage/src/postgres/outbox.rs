//! The outbox in PostgreSQL. What is complete is removed.

use async_trait::async_trait;
use domain::ports::{Outbox, StoreError};
use domain::{OutboxEntry, OutboxId};

use super::connection::Step;
use super::rows;
use super::session::Binding;
use super::store::PostgresStore;

const PENDING: &str =
    "SELECT outbox_id, message::text AS message FROM outbox WHERE outbox_id > $1 ORDER BY outbox_id LIMIT $2";
/// In order of their ids, so that two relays never wait for each other.
const COMPLETE: &str =
    "DELETE FROM outbox WHERE outbox_id IN (SELECT outbox_id FROM outbox WHERE outbox_id = ANY($1) ORDER BY outbox_id)";

#[async_trait]
impl Outbox for PostgresStore {
    async fn pending(&self, after: Option<OutboxId>, limit: u32) -> Result<Vec<OutboxEntry>, StoreError> {
        let (after, limit) = (after.map_or(i64::MIN, |id| id.0), i64::from(limit));
        self.attempt(|mut session| async move {
            let answers = session
                .read(&Binding::Relay, &[Step(PENDING, &[&after, &limit])])
                .await?;
            Ok(rows::all(&answers[0], rows::outbox_entry)?)
        })
        .await
    }

    async fn complete(&self, entries: &[OutboxId]) -> Result<(), StoreError> {
        let ids: &Vec<i64> = &entries.iter().map(|entry| entry.0).collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.attempt(|mut session| async move { session.write(&Binding::Relay, &[Step(COMPLETE, &[ids])]).await })
            .await?;
        Ok(())
    }
}
