//! The steps from an empty database to the present schema. They go forward only, one node at a time.

use aws_lc_rs::digest::{SHA256, digest};
use domain::audit::Hash;
use domain::ports::StoreError;
use tokio_postgres::Client;

use super::error::store_error;

/// One step. Once it has been released its text never changes.
#[derive(Clone, Copy)]
pub struct Migration {
    /// Counts from 1 without gaps.
    pub version: i32,
    /// The file's name without its ending.
    pub name: &'static str,
    /// The file's content.
    pub sql: &'static str,
}

/// All steps, in order.
pub const MIGRATIONS: &[Migration] = &[Migration {
    version: 1,
    name: "0001_organizations_agents_audit",
    sql: include_str!("../../../../migrations/0001_organizations_agents_audit.sql"),
}];

/// Held while steps are applied. The number is "AgentIdP" in ASCII.
const LOCK: &str = "SET lock_timeout = '60s'; SELECT pg_advisory_lock(4712847060138288208); SET lock_timeout = 0;";
const LEDGER: &str = "CREATE TABLE schema_migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)";

/// Applies the steps that are missing. The lock goes when the connection is closed.
pub async fn migrate(client: &mut Client, migrations: &[Migration]) -> Result<(), StoreError> {
    run(client, LOCK).await?;
    let known = client
        .query_one("SELECT to_regclass('schema_migrations') IS NOT NULL", &[])
        .await;
    if !known
        .and_then(|row| row.try_get::<_, bool>(0))
        .map_err(|error| store_error(&error))?
    {
        run(client, LEDGER).await?;
    }
    let applied = applied(client).await?;
    let missing = missing(&applied, migrations)?;
    for migration in missing {
        apply(client, migration).await?;
    }
    Ok(())
}

/// The steps that the database has not seen. Refuses a database with steps that are not ours.
fn missing<'a>(applied: &[(i32, String)], migrations: &'a [Migration]) -> Result<&'a [Migration], StoreError> {
    for (position, (version, checksum)) in applied.iter().enumerate() {
        let Some(migration) = migrations
            .get(position)
            .filter(|migration| migration.version == *version)
        else {
            return Err(StoreError::Corrupt(format!(
                "the database has migration {version}, which this version of agentidp does not know; start the version that \
                 applied it, or a newer one"
            )));
        };
        if *checksum != checksum_of(migration) {
            return Err(StoreError::Corrupt(format!(
                "migration {} was changed after it had been applied to this database; start the version of agentidp that \
                 applied it",
                migration.name
            )));
        }
    }
    Ok(&migrations[applied.len()..])
}

async fn applied(client: &Client) -> Result<Vec<(i32, String)>, StoreError> {
    let rows = client
        .query("SELECT version, checksum FROM schema_migrations ORDER BY version", &[])
        .await;
    let rows = rows.map_err(|error| store_error(&error))?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, _>>()
        .map_err(|error| store_error(&error))
}

async fn apply(client: &mut Client, migration: &Migration) -> Result<(), StoreError> {
    let name = migration.name;
    let result = async {
        let transaction = client.transaction().await?;
        transaction.batch_execute(migration.sql).await?;
        let note = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)";
        transaction
            .execute(note, &[&migration.version, &name, &checksum_of(migration)])
            .await?;
        transaction.commit().await
    };
    result.await.map_err(|error| match store_error(&error) {
        StoreError::Unavailable(reason) => StoreError::Unavailable(format!("migration {name}: {reason}")),
        other => StoreError::Internal(format!("migration {name}: {other}")),
    })?;
    tracing::info!(migration = name, "the database schema moved on");
    Ok(())
}

async fn run(client: &Client, sql: &str) -> Result<(), StoreError> {
    client.batch_execute(sql).await.map_err(|error| store_error(&error))
}

fn checksum_of(migration: &Migration) -> String {
    let mut hash = [0u8; 32];
    hash.copy_from_slice(digest(&SHA256, migration.sql.as_bytes()).as_ref());
    Hash(hash).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(version: i32, sql: &'static str) -> Migration {
        Migration {
            version,
            name: "step",
            sql,
        }
    }

    fn seen(migrations: &[Migration]) -> Vec<(i32, String)> {
        migrations
            .iter()
            .map(|migration| (migration.version, checksum_of(migration)))
            .collect()
    }

    #[test]
    fn every_file_of_the_folder_is_a_step_and_the_steps_are_counted_without_gaps() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect();
        files.sort();
        let steps: Vec<String> = MIGRATIONS
            .iter()
            .map(|migration| format!("{}.sql", migration.name))
            .collect();
        assert_eq!(files, steps);
        for (position, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version as usize, position + 1);
            assert!(migration.name.starts_with(&format!("{:04}_", migration.version)));
        }
    }

    #[test]
    fn only_what_is_missing_is_applied() {
        let all = [step(1, "a"), step(2, "b"), step(3, "c")];
        for count in 0..=all.len() {
            let missing = missing(&seen(&all[..count]), &all).unwrap();
            assert_eq!(missing.len(), all.len() - count);
        }
    }

    #[test]
    fn a_changed_step_and_one_from_the_future_are_refused() {
        let all = [step(1, "a"), step(2, "b")];
        let changed = missing(&seen(&[step(1, "a"), step(2, "b ")]), &all)
            .err()
            .unwrap()
            .to_string();
        assert!(changed.contains("was changed after it had been applied"), "{changed}");
        let newer = missing(&seen(&[step(1, "a"), step(2, "b"), step(3, "c")]), &all)
            .err()
            .unwrap()
            .to_string();
        assert!(
            newer.contains("migration 3") && newer.contains("a newer one"),
            "{newer}"
        );
        let gap = missing(&seen(&[step(2, "b")]), &all);
        assert!(gap.is_err());
    }
}
