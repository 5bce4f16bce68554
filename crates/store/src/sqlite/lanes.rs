//! Lanes: who may give out the account nonces of a signer, fenced by an epoch.

use ledger::{Attempt, LaneLease, LaneOutcome, WorkerId};
use rusqlite::{Connection, OptionalExtension, params};
use x402::{Address, Network, Timestamp};

use super::{
    failure::Failure,
    value::{Columns, hex, integer},
    workers::{self, Locks},
};

struct Lane {
    worker: Option<WorkerId>,
    epoch: u64,
    next_nonce: u64,
}

fn find(connection: &Connection, network: &Network, signer: Address) -> Result<Option<Lane>, Failure> {
    let mut statement = connection.prepare_cached("SELECT worker, epoch, next_nonce FROM lanes WHERE network = ?1 AND signer = ?2")?;
    let mut rows = statement.query(params![network.as_str(), hex(signer)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let c = &mut Columns::of(row);
    Ok(Some(Lane { worker: c.get::<Option<String>>()?.map(WorkerId), epoch: c.unsigned()?, next_nonce: c.unsigned()? }))
}

pub(crate) fn hold(
    connection: &Connection,
    locks: &Locks,
    network: &Network,
    signer: Address,
    worker: &WorkerId,
    now: Timestamp,
) -> Result<LaneOutcome, Failure> {
    let lane = find(connection, network, signer)?;
    if let Some(holder) = lane.as_ref().and_then(|lane| lane.worker.as_ref())
        && holder != worker
        && !workers::is_gone(connection, locks, holder, now)?
    {
        return Ok(LaneOutcome::Busy(holder.clone()));
    }
    let epoch: Option<i64> = connection
        .prepare_cached(
            "INSERT INTO lanes (network, signer, worker, epoch) VALUES (?1, ?2, ?3, 1) \
             ON CONFLICT (network, signer) DO UPDATE SET worker = excluded.worker, epoch = lanes.epoch + 1 WHERE lanes.epoch = ?4 \
             RETURNING epoch",
        )?
        .query_row(params![network.as_str(), hex(signer), worker.0, integer(lane.as_ref().map_or(0, |lane| lane.epoch))?], |row| row.get(0))
        .optional()?;
    let epoch = epoch.and_then(|epoch| u64::try_from(epoch).ok()).ok_or_else(|| Failure::unavailable("the lane was taken meanwhile"))?;
    let next_nonce = lane.map_or(0, |lane| lane.next_nonce);
    Ok(LaneOutcome::Held(LaneLease { network: network.clone(), signer, worker: worker.clone(), epoch, next_nonce }))
}

pub(crate) fn leave(connection: &Connection, lease: &LaneLease) -> Result<(), Failure> {
    connection
        .prepare_cached("UPDATE lanes SET worker = NULL WHERE network = ?1 AND signer = ?2 AND worker = ?3 AND epoch = ?4")?
        .execute(params![lease.network.as_str(), hex(lease.signer), lease.worker.0, integer(lease.epoch)?])?;
    Ok(())
}

/// Whether the lease still holds; then the account nonce of the attempt is noted as given out.
pub(crate) fn note_nonce(connection: &Connection, lease: &LaneLease, attempt: &Attempt) -> Result<bool, Failure> {
    let given_out = match attempt {
        Attempt::Own { account_nonce, .. } => account_nonce.saturating_add(1),
        Attempt::Remote { .. } | Attempt::Foreign { .. } => 0,
    };
    let noted = connection
        .prepare_cached(
            "UPDATE lanes SET next_nonce = CASE WHEN next_nonce < ?1 THEN ?1 ELSE next_nonce END \
             WHERE network = ?2 AND signer = ?3 AND worker = ?4 AND epoch = ?5",
        )?
        .execute(params![integer(given_out)?, lease.network.as_str(), hex(lease.signer), lease.worker.0, integer(lease.epoch)?])?;
    Ok(noted == 1)
}

/// Keeps the bytes of a filler, unless the nonce is an open payment's or the lease is lost.
pub(crate) fn note_filler(connection: &Connection, lease: &LaneLease, filler: &Attempt, now: Timestamp) -> Result<bool, Failure> {
    let Attempt::Own { signer, account_nonce, raw, transaction } = filler else {
        return Err(Failure::conflict("a filler is a transaction of our own"));
    };
    if *signer != lease.signer {
        return Err(Failure::conflict("the lease is another signer's"));
    }
    let (network, signer, nonce) = (lease.network.as_str(), hex(*signer), integer(*account_nonce)?);
    let wanted: bool = connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM attempts a JOIN payments p ON p.id = a.payment AND p.generation = a.generation \
             WHERE a.network = ?1 AND a.signer = ?2 AND a.account_nonce = ?3 AND p.state IN ('claimed', 'submitted', 'unknown', 'reverted'))",
        )?
        .query_row(params![network, signer, nonce], |row| row.get(0))?;
    if wanted || !note_nonce(connection, lease, filler)? {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "INSERT INTO fillers (network, signer, account_nonce, hash, raw, made_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (network, signer, account_nonce, hash) DO NOTHING",
        )?
        .execute(params![network, signer, nonce, hex(*transaction), &raw[..], integer(now.0)?])?;
    Ok(true)
}
