//! Double entry: rows that are added, never changed.

use std::collections::BTreeMap;

use ledger::{Balance, Entry};
use rusqlite::{Connection, params};
use x402::{AssetId, PaymentId, Timestamp, U256};

use super::{
    failure::Failure,
    value::{Columns, hex, integer},
};

pub(crate) fn book(connection: &Connection, entry: &Entry, now: Timestamp) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO entries (payment, debit, credit, network, asset, amount, booked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            entry.payment.to_string(),
            entry.debit.to_string(),
            entry.credit.to_string(),
            entry.asset.network.as_str(),
            hex(entry.asset.address),
            entry.amount.to_string(),
            integer(now.0)?,
        ])?;
    Ok(())
}

pub(crate) fn entries(connection: &Connection, id: PaymentId) -> Result<Vec<Entry>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT payment, debit, credit, network, asset, amount FROM entries WHERE payment = ?1 ORDER BY id")?;
    let mut rows = statement.query([id.to_string()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::of(row);
        entries.push(Entry {
            payment: c.text()?,
            debit: c.text()?,
            credit: c.text()?,
            asset: AssetId { network: c.network()?, address: c.text()? },
            amount: c.decimal()?,
        });
    }
    Ok(entries)
}

/// Summed here: SQL's integers are too short.
pub(crate) fn balances(connection: &Connection) -> Result<Vec<Balance>, Failure> {
    let mut statement = connection.prepare_cached("SELECT debit, credit, network, asset, amount FROM entries")?;
    let mut rows = statement.query([])?;
    let mut sums: BTreeMap<(String, AssetId), (U256, U256)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let c = &mut Columns::of(row);
        let (debit, credit): (String, String) = (c.get()?, c.get()?);
        let asset = AssetId { network: c.network()?, address: c.text()? };
        let amount = c.decimal()?;
        let debited = &mut sums.entry((debit, asset.clone())).or_default().0;
        *debited = added(*debited, amount)?;
        let credited = &mut sums.entry((credit, asset)).or_default().1;
        *credited = added(*credited, amount)?;
    }
    let balance = |((account, asset), (debit, credit)): ((String, AssetId), (U256, U256))| {
        let account = account.parse().map_err(|unknown: ledger::UnknownAccount| Failure::corrupt(unknown.to_string()))?;
        Ok(Balance { account, asset, debit, credit })
    };
    sums.into_iter().map(balance).collect()
}

fn added(sum: U256, amount: U256) -> Result<U256, Failure> {
    sum.checked_add(amount).ok_or_else(|| Failure::corrupt("an account's sum is beyond 2^256"))
}
