//! Secrets that all processes on a store share.

use rusqlite::{Connection, params};

use super::failure::Failure;

/// Whoever asks first makes it.
pub(crate) fn shared(connection: &Connection, name: &str) -> Result<[u8; 32], Failure> {
    let mut fresh = [0; 32];
    random(&mut fresh)?;
    connection
        .prepare_cached("INSERT INTO secrets (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING")?
        .execute(params![name, &fresh[..]])?;
    let value: [u8; 32] = connection.prepare_cached("SELECT value FROM secrets WHERE name = ?1")?.query_row([name], |row| row.get(0))?;
    Ok(value)
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Failure> {
    aws_lc_rs::rand::fill(bytes).map_err(|_| Failure::unavailable("no randomness to be had"))
}
