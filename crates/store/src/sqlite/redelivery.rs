//! Deliveries of settled payments: one at a time, so often, for a day.

use ledger::{RedeliveryGrant, State, WorkerId};
use rusqlite::{Connection, params};
use x402::{PaymentId, Timestamp};

use super::{failure::Failure, payments::existing, replies::DAY, value::integer};

/// One conditional update; what stood in its way is read only if it did nothing.
pub(crate) fn begin(
    connection: &Connection,
    id: PaymentId,
    worker: &WorkerId,
    limit: u32,
    now: Timestamp,
) -> Result<RedeliveryGrant, Failure> {
    let begun = connection
        .prepare_cached(
            "UPDATE payments SET redelivering = ?1, updated_at = ?2 \
             WHERE id = ?3 AND state = 'settled' AND delivered = 0 AND request IS NOT NULL AND redelivering IS NULL AND redeliveries < ?4 \
             AND EXISTS (SELECT 1 FROM settlements s WHERE s.payment = ?3 AND s.reverted_at IS NULL AND s.settled_at + ?5 > ?2)",
        )?
        .execute(params![worker.0, integer(now.0)?, id.to_string(), limit, integer(DAY)?])?;
    let record = existing(connection, id)?;
    Ok(match () {
        () if begun == 1 => RedeliveryGrant::Granted(record),
        () if record.state != State::Settled || record.delivered || record.binding.is_none() => RedeliveryGrant::NotRedeemable(record),
        () if record.redelivering.is_some() => RedeliveryGrant::Busy,
        () => RedeliveryGrant::Exhausted,
    })
}

pub(crate) fn end(connection: &Connection, id: PaymentId, worker: &WorkerId, charged: bool, now: Timestamp) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "UPDATE payments SET redelivering = NULL, redeliveries = redeliveries + ?1, updated_at = ?2 WHERE id = ?3 AND redelivering = ?4",
        )?
        .execute(params![charged, integer(now.0)?, id.to_string(), worker.0])?;
    Ok(())
}

/// Only what was settled can be delivered; a reorganisation may have come between.
pub(crate) fn delivered(connection: &Connection, id: PaymentId, generation: u64, now: Timestamp) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "UPDATE payments SET delivered = 1, redelivering = NULL, updated_at = ?1 WHERE id = ?2 AND generation = ?3 \
             AND EXISTS (SELECT 1 FROM settlements s WHERE s.payment = ?2 AND s.generation = ?3)",
        )?
        .execute(params![integer(now.0)?, id.to_string(), integer(generation)?])?;
    Ok(())
}
