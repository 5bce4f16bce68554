//! Kept replies: for the same header, for 24 hours.

use bytes::Bytes;
use ledger::KeptReply;
use rusqlite::{Connection, params};
use x402::{PaymentId, Timestamp};

use super::{
    failure::Failure,
    value::{Columns, integer},
};

/// How long a reply is kept and a payment can be redeemed, in seconds.
pub(crate) const DAY: u64 = 24 * 60 * 60;

/// Nothing is kept for a generation that is past.
pub(crate) fn keep(connection: &Connection, id: PaymentId, generation: u64, reply: &KeptReply) -> Result<(), Failure> {
    let headers: Vec<(&str, String)> =
        reply.headers.iter().map(|(name, value)| (name.as_str(), alloy_primitives::hex::encode(value))).collect();
    let headers = serde_json::to_string(&headers).map_err(|error| Failure::conflict(error.to_string()))?;
    connection
        .prepare_cached(
            "INSERT INTO replies (payment, generation, status, headers, body, kept_at) \
             SELECT id, generation, ?3, ?4, ?5, ?6 FROM payments WHERE id = ?1 AND generation = ?2 \
             ON CONFLICT (payment) DO UPDATE SET generation = excluded.generation, status = excluded.status, headers = excluded.headers, \
             body = excluded.body, kept_at = excluded.kept_at",
        )?
        .execute(params![id.to_string(), integer(generation)?, reply.status, headers, &reply.body[..], integer(reply.at.0)?])?;
    Ok(())
}

pub(crate) fn kept(connection: &Connection, id: PaymentId, now: Timestamp) -> Result<Option<KeptReply>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT r.status, r.headers, r.body, r.kept_at FROM replies r JOIN payments p ON p.id = r.payment AND p.generation = r.generation \
         WHERE r.payment = ?1 AND r.kept_at + ?2 > ?3",
    )?;
    let mut rows = statement.query(params![id.to_string(), integer(DAY)?, integer(now.0)?])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let c = &mut Columns::of(row);
    let status = c.get()?;
    let headers = headers(c)?;
    Ok(Some(KeptReply { status, headers, body: c.blob()?, at: c.time()? }))
}

fn headers(c: &mut Columns<'_>) -> Result<Vec<(String, Bytes)>, Failure> {
    let text = c.get::<String>()?;
    let pairs: Vec<(String, String)> = serde_json::from_str(&text).map_err(|_| c.corrupt(&text))?;
    let decoded = |(name, value): (String, String)| {
        let value = alloy_primitives::hex::decode(&value).map_err(|_| c.corrupt(&value))?;
        Ok((name, value.into()))
    };
    pairs.into_iter().map(decoded).collect()
}

pub(crate) fn drop_old(connection: &Connection, now: Timestamp) -> Result<u64, Failure> {
    let dropped =
        connection.prepare_cached("DELETE FROM replies WHERE kept_at + ?1 <= ?2")?.execute(params![integer(DAY)?, integer(now.0)?])?;
    Ok(dropped as u64)
}
