//! A payment's row, with its standing attempt and settlement.

use std::net::IpAddr;

use ledger::{Attempt, Binding, Record, Settlement, State, WorkerId};
use rusqlite::Row;
use x402::{AssetId, PaymentKey};

use super::{failure::Failure, value::Columns};

/// What [`record`] reads. To be followed by WHERE and so on; `p` is the payment.
pub(crate) const SELECT: &str = "\
    SELECT p.id, p.network, p.contract, p.payer, p.nonce, p.state, p.generation, p.asset, p.pay_to, p.amount, p.valid_after, p.valid_before, \
    p.signature, p.worker, p.claimed_block, p.claimed_at, p.updated_at, p.reason, p.body_digest, p.delivered, p.redeliveries, p.redelivering, \
    EXISTS (SELECT 1 FROM replies r WHERE r.payment = p.id AND r.generation = p.generation) AS kept, \
    p.request, p.facts, p.conditions, p.header, p.source, p.version_1, p.rule, p.method, p.path, \
    a.kind, a.signer, a.account_nonce, a.raw, a.hash, a.facilitator, \
    s.hash, s.block_number, s.block_hash, s.log_index, s.amount, s.settled_at \
    FROM payments p LEFT JOIN attempts a ON a.id = p.attempt LEFT JOIN settlements s ON s.payment = p.id AND s.reverted_at IS NULL ";

pub(crate) fn record(row: &Row<'_>) -> Result<Record, Failure> {
    let c = &mut Columns::of(row);
    let id = c.text()?;
    let network = c.network()?;
    Ok(Record {
        id,
        key: PaymentKey { network: network.clone(), contract: c.text()?, payer: c.text()?, nonce: c.text()? },
        state: state(c)?,
        generation: c.unsigned()?,
        asset: AssetId { network, address: c.text()? },
        pay_to: c.text()?,
        amount: c.decimal()?,
        valid_after: c.decimal()?,
        valid_before: c.decimal()?,
        signature: c.blob()?,
        worker: WorkerId(c.get()?),
        claimed_block: c.unsigned()?,
        claimed_at: c.time()?,
        updated_at: c.time()?,
        reason: c.get()?,
        body_digest: c.text_or_null()?,
        delivered: c.get()?,
        redeliveries: c.get()?,
        redelivering: c.get::<Option<String>>()?.map(WorkerId),
        kept: c.get()?,
        binding: binding(c)?,
        attempt: standing_attempt(c)?,
        settlement: settlement(c)?,
    })
}

fn state(c: &mut Columns<'_>) -> Result<State, Failure> {
    let name = c.get::<String>()?;
    State::from_name(&name).ok_or_else(|| c.corrupt(&name))
}

/// The columns of [`SELECT`] from `request` to `path`.
fn binding(c: &mut Columns<'_>) -> Result<Option<Binding>, Failure> {
    let (request, facts, conditions) = (c.text_or_null()?, c.text_or_null()?, c.text_or_null()?);
    let (header, source) = (c.text_or_null()?, c.text_or_null::<IpAddr>()?);
    let (version_1, rule, method, path) = (c.get::<Option<bool>>()?, c.get()?, c.get()?, c.get()?);
    let (Some(request), Some(facts), Some(conditions), Some(header), Some(source)) = (request, facts, conditions, header, source) else {
        return Ok(None);
    };
    let (Some(version_1), Some(rule), Some(method), Some(path)) = (version_1, rule, method, path) else {
        return Ok(None);
    };
    Ok(Some(Binding { request, facts, conditions, header, source, version_1, rule, method, path }))
}

fn standing_attempt(c: &mut Columns<'_>) -> Result<Option<Attempt>, Failure> {
    let kind = c.get::<Option<String>>()?;
    attempt(kind.as_deref(), c)
}

/// The columns kind (read already), signer, account_nonce, raw, hash, facilitator.
pub(crate) fn attempt(kind: Option<&str>, c: &mut Columns<'_>) -> Result<Option<Attempt>, Failure> {
    let (signer, account_nonce, raw) = (c.text_or_null()?, c.unsigned_or_null()?, c.get::<Option<Vec<u8>>>()?);
    let (hash, facilitator) = (c.text_or_null()?, c.get::<Option<String>>()?);
    match (kind, signer, account_nonce, raw, hash, facilitator) {
        (None, ..) => Ok(None),
        (Some("own"), Some(signer), Some(account_nonce), Some(raw), Some(transaction), _) => {
            Ok(Some(Attempt::Own { signer, account_nonce, raw: raw.into(), transaction }))
        }
        (Some("remote"), .., Some(facilitator)) => Ok(Some(Attempt::Remote { facilitator })),
        (Some("foreign"), _, _, _, Some(transaction), _) => Ok(Some(Attempt::Foreign { transaction })),
        (Some(kind), ..) => {
            Err(Failure::corrupt(format!("an attempt of the kind {kind:?} is not whole, or not understood by this version")))
        }
    }
}

fn settlement(c: &mut Columns<'_>) -> Result<Option<Settlement>, Failure> {
    let Some(transaction) = c.text_or_null()? else { return Ok(None) };
    Ok(Some(Settlement {
        transaction,
        block_number: c.unsigned()?,
        block_hash: c.text()?,
        log_index: c.unsigned_or_null()?,
        amount: c.decimal()?,
        at: c.time()?,
    }))
}
