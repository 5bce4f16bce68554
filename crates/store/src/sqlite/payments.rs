//! Claims and transitions: the writes that money hangs on.

use ledger::{Advance, Attempt, NewRecord, Record, Settlement, StoreError, Transition};
use rusqlite::{Connection, OptionalExtension, named_params, params};
use x402::{B256, PaymentId, PaymentKey, Timestamp};

use super::{
    books,
    failure::Failure,
    lanes,
    queue::{self, Outlived},
    record::{self, record},
    value::{hex, integer},
};

/// New, or taken over from an end that allows it, for the same key and the same binding. What is not named here is empty in a new row,
/// and must be emptied in a taken one.
const CLAIM: &str = "\
    INSERT INTO payments (id, network, contract, payer, nonce, state, generation, asset, pay_to, amount, valid_after, valid_before, signature, \
    request, facts, conditions, header, source, version_1, rule, method, path, worker, claimed_block, claimed_at, updated_at, redelivering) \
    VALUES (:id, :network, :contract, :payer, :nonce, 'claimed', 1, :asset, :pay_to, :amount, :valid_after, :valid_before, :signature, \
    :request, :facts, :conditions, :header, :source, :version_1, :rule, :method, :path, :worker, :claimed_block, :now, :now, :redelivering) \
    ON CONFLICT (id) DO UPDATE SET state = 'claimed', generation = payments.generation + 1, asset = excluded.asset, pay_to = excluded.pay_to, \
    amount = excluded.amount, valid_after = excluded.valid_after, valid_before = excluded.valid_before, signature = excluded.signature, \
    facts = excluded.facts, conditions = excluded.conditions, source = excluded.source, rule = excluded.rule, method = excluded.method, path = excluded.path, worker = excluded.worker, \
    claimed_block = excluded.claimed_block, claimed_at = excluded.claimed_at, updated_at = excluded.updated_at, \
    redelivering = excluded.redelivering, attempt = NULL, reason = NULL, body_digest = NULL, delivered = 0, redeliveries = 0 \
    WHERE payments.state IN ('released', 'failed') \
    AND payments.network = excluded.network AND payments.contract = excluded.contract \
    AND payments.payer = excluded.payer AND payments.nonce = excluded.nonce \
    AND payments.request IS NOT DISTINCT FROM excluded.request AND payments.header IS NOT DISTINCT FROM excluded.header \
    AND (payments.facts IS NOT DISTINCT FROM excluded.facts OR payments.conditions IS DISTINCT FROM excluded.conditions) \
    AND payments.version_1 IS NOT DISTINCT FROM excluded.version_1 \
    AND (payments.source IS NOT DISTINCT FROM excluded.source OR payments.version_1 = 0) \
    RETURNING generation";

pub(crate) fn claim(connection: &Connection, new: NewRecord) -> Result<Advance, Failure> {
    if new.asset.network != new.key.network {
        return Err(Failure::conflict("an asset on another network than the payment's key"));
    }
    let id = new.key.id();
    let binding = new.binding.as_ref();
    let generation: Option<i64> = connection
        .prepare_cached(CLAIM)?
        .query_row(
            named_params! {
                ":id": id.to_string(),
                ":network": new.key.network.as_str(),
                ":contract": hex(new.key.contract),
                ":payer": hex(new.key.payer),
                ":nonce": hex(new.key.nonce),
                ":asset": hex(new.asset.address),
                ":pay_to": hex(new.pay_to),
                ":amount": new.amount.to_string(),
                ":valid_after": new.valid_after.to_string(),
                ":valid_before": new.valid_before.to_string(),
                ":signature": &new.signature[..],
                ":request": binding.map(|b| hex(b.request)),
                ":facts": binding.map(|b| hex(b.facts)),
                ":conditions": binding.map(|b| hex(b.conditions)),
                ":header": binding.map(|b| hex(b.header)),
                ":source": binding.map(|b| b.source.to_string()),
                ":version_1": binding.map(|b| b.version_1),
                ":rule": binding.map(|b| &b.rule),
                ":method": binding.map(|b| &b.method),
                ":path": binding.map(|b| &b.path),
                ":worker": &new.worker.0,
                ":claimed_block": integer(new.claimed_block)?,
                ":now": integer(new.now.0)?,
                ":redelivering": binding.map(|_| &new.worker.0),
            },
            |row| row.get(0),
        )
        .optional()?;
    match generation {
        Some(generation) => {
            let generation = u64::try_from(generation).map_err(|_| Failure::corrupt("a negative generation"))?;
            Ok(Advance::Done(new.claimed(id, generation)))
        }
        None => standing(connection, id, &new.key),
    }
}

/// The row in a claim's way.
fn standing(connection: &Connection, id: PaymentId, key: &PaymentKey) -> Result<Advance, Failure> {
    let record = existing(connection, id)?;
    if record.key != *key {
        return Err(Failure::conflict(format!("another key has the id {id}")));
    }
    Ok(Advance::Refused(record))
}

pub(crate) fn find(connection: &Connection, id: PaymentId) -> Result<Option<Record>, Failure> {
    let mut statement = connection.prepare_cached(&format!("{} WHERE p.id = ?1", record::SELECT))?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(record).transpose()
}

pub(crate) fn existing(connection: &Connection, id: PaymentId) -> Result<Record, Failure> {
    find(connection, id)?.ok_or_else(|| Failure::conflict(format!("no payment {id}")))
}

/// Applies a transition, with everything that is written by it.
pub(crate) fn advance(
    connection: &Connection,
    id: PaymentId,
    generation: u64,
    transition: &Transition,
    now: Timestamp,
) -> Result<Advance, Failure> {
    let before = existing(connection, id)?;
    if before.generation != generation || !transition.from().contains(&before.state) {
        return Ok(Advance::Refused(before));
    }
    transition.check(&before).map_err(|unsound| Failure::conflict(unsound.to_string()))?;
    if let Some((attempt, Some(lease))) = transition.attempt()
        && !lanes::note_nonce(connection, lease, attempt)?
    {
        return Ok(Advance::Refused(before));
    }
    if !set_state(connection, &before, transition, now)? {
        return Ok(Advance::Refused(existing(connection, id)?));
    }
    match transition {
        Transition::Submit { attempt, .. } | Transition::Resubmit { attempt, .. } => stand_by(connection, &before, attempt, now)?,
        Transition::Fail { transaction: Some(transaction), .. } if before.transaction() != Some(*transaction) => {
            stand_by(connection, &before, &Attempt::Foreign { transaction: *transaction }, now)?;
        }
        Transition::Settle { settlement } => settle(connection, &before, settlement)?,
        Transition::Revert => revert(connection, id, now)?,
        Transition::Release { .. } | Transition::Unknown | Transition::Fail { .. } | Transition::Lose { .. } => {}
    }
    for entry in transition.entries(&before) {
        books::book(connection, &entry, now)?;
    }
    existing(connection, id).map(Advance::Done)
}

/// Whether the row still stood where it was read. An end without goods ends the delivery too.
fn set_state(connection: &Connection, before: &Record, transition: &Transition, now: Timestamp) -> Result<bool, Failure> {
    let (reason, undeliverable) = match transition {
        Transition::Release { reason } | Transition::Fail { reason, .. } | Transition::Lose { reason } => (Some(reason), true),
        _ => (None, false),
    };
    let changed = connection
        .prepare_cached(
            "UPDATE payments SET state = ?1, reason = ?2, updated_at = ?3, redelivering = CASE WHEN ?4 THEN NULL ELSE redelivering END \
             WHERE id = ?5 AND generation = ?6 AND state = ?7",
        )?
        .execute(params![
            transition.to().as_str(),
            reason,
            integer(now.0)?,
            undeliverable,
            before.id.to_string(),
            integer(before.generation)?,
            before.state.as_str(),
        ])?;
    Ok(changed == 1)
}

/// Keeps an attempt, and makes it the one the payment stands by. The same bytes again are the same attempt; another payment's are refused.
fn stand_by(connection: &Connection, payment: &Record, attempt: &Attempt, now: Timestamp) -> Result<(), Failure> {
    let (kind, own, facilitator) = match attempt {
        Attempt::Own { signer, account_nonce, raw, .. } => ("own", Some((hex(signer), integer(*account_nonce)?, &raw[..])), None),
        Attempt::Remote { facilitator } => ("remote", None, Some(facilitator)),
        Attempt::Foreign { .. } => ("foreign", None, None),
    };
    let id: Option<i64> = connection
        .prepare_cached(
            "INSERT INTO attempts (payment, generation, kind, network, signer, account_nonce, raw, hash, facilitator, made_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
             ON CONFLICT (network, signer, account_nonce, hash) DO UPDATE SET generation = excluded.generation \
             WHERE attempts.payment = excluded.payment AND attempts.raw = excluded.raw RETURNING id",
        )?
        .query_row(
            params![
                payment.id.to_string(),
                integer(payment.generation)?,
                kind,
                payment.key.network.as_str(),
                own.as_ref().map(|o| &o.0),
                own.as_ref().map(|o| o.1),
                own.as_ref().map(|o| o.2),
                attempt.transaction().map(hex),
                facilitator,
                integer(now.0)?,
            ],
            |row| row.get(0),
        )
        .optional()?;
    let id = id.ok_or_else(|| Failure::conflict("this transaction is another payment's attempt"))?;
    connection.prepare_cached("UPDATE payments SET attempt = ?1 WHERE id = ?2")?.execute(params![id, payment.id.to_string()])?;
    Ok(())
}

fn settle(connection: &Connection, payment: &Record, settlement: &Settlement) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "INSERT INTO settlements (payment, generation, network, hash, block_number, block_hash, log_index, amount, settled_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            payment.id.to_string(),
            integer(payment.generation)?,
            payment.key.network.as_str(),
            hex(settlement.transaction),
            integer(settlement.block_number)?,
            hex(settlement.block_hash),
            settlement.log_index.map(integer).transpose()?,
            settlement.amount.to_string(),
            integer(settlement.at.0)?,
        ])?;
    Ok(())
}

fn revert(connection: &Connection, id: PaymentId, now: Timestamp) -> Result<(), Failure> {
    connection
        .prepare_cached("UPDATE settlements SET reverted_at = ?1 WHERE payment = ?2 AND reverted_at IS NULL")?
        .execute(params![integer(now.0)?, id.to_string()])?;
    Ok(())
}

/// The first digest of a generation stands.
pub(crate) fn note_body(connection: &Connection, id: PaymentId, generation: u64, digest: B256) -> Result<(), Failure> {
    connection
        .prepare_cached("UPDATE payments SET body_digest = ?1 WHERE id = ?2 AND generation = ?3 AND body_digest IS NULL")?
        .execute(params![hex(digest), id.to_string(), integer(generation)?])?;
    Ok(())
}

/// A durable claim on its way to whoever asked. Dropped unheard, because the asker left, it is given back.
pub(crate) struct Claim {
    advance: Option<Advance>,
    at: Timestamp,
    writer: Option<Outlived>,
}

impl Claim {
    pub(crate) fn new(advance: Advance, at: Timestamp, writer: Option<Outlived>) -> Self {
        Self { advance: Some(advance), at, writer }
    }

    pub(crate) fn heard(mut self) -> Result<Advance, StoreError> {
        self.advance.take().ok_or_else(|| Failure::unavailable("a claim was heard twice").0)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(Advance::Done(record)) = self.advance.take() else { return };
        let Some(writer) = self.writer.as_ref().and_then(Outlived::upgrade) else { return };
        let (id, generation, at) = (record.id, record.generation, self.at);
        let release = Transition::Release { reason: "abandoned".to_owned() };
        let job = queue::unheard(move |connection| advance(connection, id, generation, &release, at));
        if writer.try_send(job).is_err() {
            tracing::warn!(payment = %id, "an abandoned claim stands until this process ends: the store's queue is full");
        }
    }
}
