//! The outbox in the embedded store. What is complete is removed.

use async_trait::async_trait;
use domain::ports::{Outbox, StoreError};
use domain::{OutboxEntry, OutboxId};
use rusqlite::params;

use super::error::store_error;
use super::store::EmbeddedStore;

#[async_trait]
impl Outbox for EmbeddedStore {
    async fn pending(&self, after: Option<OutboxId>, limit: u32) -> Result<Vec<OutboxEntry>, StoreError> {
        let sql = "SELECT outbox_id, message FROM outbox WHERE outbox_id > ?1 ORDER BY outbox_id LIMIT ?2";
        let after = after.map_or(i64::MIN, |id| id.0);
        self.read(move |connection| {
            let mut query = connection.prepare_cached(sql).map_err(store_error)?;
            let read = |row: &rusqlite::Row<'_>| Ok((row.get("outbox_id")?, row.get("message")?));
            let entries: Vec<(i64, String)> = query
                .query_map(params![after, limit], read)
                .and_then(Iterator::collect)
                .map_err(store_error)?;
            entries.into_iter().map(|(id, message)| entry(id, &message)).collect()
        })
        .await
    }

    async fn complete(&self, entries: &[OutboxId]) -> Result<(), StoreError> {
        let entries = entries.to_vec();
        self.write(move |transaction| {
            let mut delete = transaction
                .prepare_cached("DELETE FROM outbox WHERE outbox_id = ?1")
                .map_err(store_error)?;
            for entry in entries {
                delete.execute([entry.0]).map_err(store_error)?;
            }
            Ok(())
        })
        .await
    }
}

fn entry(id: i64, message: &str) -> Result<OutboxEntry, StoreError> {
    let message =
        serde_json::from_str(message).map_err(|error| StoreError::Corrupt(format!("outbox message {id}: {error}")))?;
    Ok(OutboxEntry {
        id: OutboxId(id),
        message,
    })
}
