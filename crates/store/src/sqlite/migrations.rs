//! The schema, by numbered steps. A step that has been released is never changed.

use rusqlite::{Connection, TransactionBehavior};

use super::connection::OpenError;

const STEPS: [&str; 2] = [include_str!("../../migrations/0001_payments.sql"), include_str!("../../migrations/0002_fillers.sql")];

/// Brings the schema up to date, in one transaction: two processes that start at once do it one after the other.
pub(crate) fn run(connection: &mut Connection) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let table =
        |name| transaction.query_row("SELECT count(*) FROM sqlite_schema WHERE name = coalesce(?1, name)", [name], |row| row.get(0));
    let (ours, all): (i64, i64) = (table(Some("migrations"))?, table(None::<&str>)?);
    if ours == 0 && all > 0 {
        return Err(OpenError::NotAStore);
    }
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY) STRICT")?;
    let found: i64 = transaction.query_row("SELECT coalesce(max(version), 0) FROM migrations", [], |row| row.get(0))?;
    let steps = (1_i64..).zip(STEPS);
    let known = steps.clone().count().try_into().unwrap_or(i64::MAX);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for (version, step) in steps.filter(|(version, _)| *version > found) {
        transaction.execute_batch(step)?;
        transaction.execute("INSERT INTO migrations (version) VALUES (?1)", [version])?;
    }
    transaction.commit()?;
    Ok(())
}
