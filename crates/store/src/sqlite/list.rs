//! Lists of payments, and of their attempts.

use ledger::{Attempt, ListFilter, Record, State};
use rusqlite::{Connection, Params, params};
use x402::{Network, PaymentId};

use super::{
    failure::Failure,
    record::{self, attempt, record},
    value::{Columns, hex},
};

const USUAL_LIMIT: u32 = 100;

/// Payments without an end, oldest first. The first condition is that of the index.
pub(crate) fn open(connection: &Connection, network: Option<&Network>) -> Result<Vec<Record>, Failure> {
    let rest =
        "WHERE p.state IN ('claimed', 'submitted', 'unknown', 'reverted') AND (?1 IS NULL OR p.network = ?1) ORDER BY p.claimed_at, p.id";
    records(connection, rest, [network.map(Network::as_str)])
}

pub(crate) fn newest(connection: &Connection, filter: &ListFilter) -> Result<Vec<Record>, Failure> {
    let limit = if filter.limit == 0 { USUAL_LIMIT } else { filter.limit };
    let rest = "WHERE (?1 IS NULL OR p.state = ?1) AND (?2 IS NULL OR p.network = ?2) AND (?3 IS NULL OR p.payer = ?3) \
                AND (?4 IS NULL OR (p.claimed_at, p.id) < (SELECT claimed_at, id FROM payments WHERE id = ?4)) \
                ORDER BY p.claimed_at DESC, p.id DESC LIMIT ?5";
    let values = params![
        filter.state.map(State::as_str),
        filter.network.as_ref().map(Network::as_str),
        filter.payer.map(hex),
        filter.before.map(|id| id.to_string()),
        limit,
    ];
    records(connection, rest, values)
}

fn records(connection: &Connection, rest: &str, values: impl Params) -> Result<Vec<Record>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{}{rest}", record::SELECT))?;
    let mut rows = statement.query(values)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(records)
}

pub(crate) fn attempts(connection: &Connection, id: PaymentId) -> Result<Vec<Attempt>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT kind, signer, account_nonce, raw, hash, facilitator FROM attempts WHERE payment = ?1 ORDER BY id")?;
    let mut rows = statement.query([id.to_string()])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::of(row);
        let kind = c.get::<String>()?;
        attempts.extend(attempt(Some(&kind), c)?);
    }
    Ok(attempts)
}
