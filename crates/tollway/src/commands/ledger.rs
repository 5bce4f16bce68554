//! `tollway ledger`: the books, for people and for programs.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use ledger::{Entry, ListFilter, Record, Store};
use serde_json::{Value, json};
use x402::{Asset, PaymentId, known};

use crate::{
    cli::LedgerList,
    config::{self, Config, Purpose},
    terminal::{self, rfc3339},
};

pub fn list(file: &Path, args: &LedgerList) -> anyhow::Result<ExitCode> {
    let config = config::load(file, Purpose::Ledger)?;
    let records = with_store(&config, async |store| find(&*store, args).await)?;
    if args.json {
        for record in &records {
            terminal::line(&as_json(record).to_string())?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if records.is_empty() {
        eprintln!("no payments in {}", config.store_path().display());
        return Ok(ExitCode::SUCCESS);
    }
    let heading = ["CLAIMED", "PAYMENT", "STATE", "DELIVERED", "AMOUNT", "NETWORK", "RULE", "REQUEST", "PAYER"].map(str::to_owned);
    for row in columns(std::iter::once(heading).chain(records.iter().map(|r| row(r, &config))).collect()) {
        terminal::line(&row)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The payments asked for, newest first; one look for each state of the books.
async fn find(store: &dyn Store, args: &LedgerList) -> anyhow::Result<Vec<Record>> {
    let states = args.state.as_ref().map_or(vec![None], |states| states.0.iter().copied().map(Some).collect());
    let mut records = Vec::new();
    for state in states {
        let filter = ListFilter { state, network: args.network.clone(), payer: args.payer, limit: args.limit, before: args.before };
        records.extend(store.list(filter).await?);
    }
    records.sort_by_key(|record| std::cmp::Reverse(record.claimed_at));
    records.truncate(usize::try_from(args.limit)?);
    Ok(records)
}

pub fn show(file: &Path, id: PaymentId, as_object: bool) -> anyhow::Result<ExitCode> {
    let config = config::load(file, Purpose::Ledger)?;
    let found = with_store(&config, async |store| match store.find(id).await? {
        Some(record) => Ok(Some((store.entries(id).await?, record))),
        None => Ok(None),
    })?;
    let Some((entries, record)) = found else {
        bail!("{id} is not in {}", config.store_path().display());
    };
    let mut object = as_json(&record);
    if let Value::Object(fields) = &mut object {
        fields.extend(details(&record));
        fields.insert("entries".to_owned(), entries.iter().map(entry_json).collect());
    }
    if as_object {
        terminal::line(&object.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        match value {
            Value::Array(rows) => {
                for row in rows {
                    terminal::line(&format!("{name:<16}{} → {}  {}", plain(&row["debit"]), plain(&row["credit"]), plain(&row["amount"])))?;
                }
            }
            value => terminal::line(&format!("{name:<16}{}", plain(value)))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the books that the file names, for reading; they must exist.
fn with_store<T>(config: &Config, read: impl AsyncFnOnce(Arc<dyn Store>) -> anyhow::Result<T>) -> anyhow::Result<T> {
    if !config.store_path().exists() {
        bail!("there are no books yet: {} does not exist", config.store_path().display());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime
        .block_on(async { read(store::open(&config.store, config.directory())?).await })
        .with_context(|| config.store_path().display().to_string())
}

/// One payment as a JSON object: a line of `list --json`.
fn as_json(record: &Record) -> Value {
    let (binding, settlement) = (record.binding.as_ref(), record.settlement.as_ref());
    let transaction = settlement.map(|s| s.transaction).or_else(|| record.attempt.as_ref().and_then(ledger::Attempt::transaction));
    json!({
        "payment": record.id.to_string(),
        "state": record.state.on_the_wire(),
        "delivered": record.delivered,
        "amount": record.amount.to_string(),
        "asset": record.asset.address.to_string(),
        "network": record.asset.network.as_str(),
        "payer": record.key.payer.to_string(),
        "payTo": record.pay_to.to_string(),
        "rule": binding.map(|b| &b.rule),
        "method": binding.map(|b| &b.method),
        "path": binding.map(|b| &b.path),
        "transaction": transaction.map(|hash| hash.to_string()),
        "claimedAt": rfc3339(record.claimed_at),
        "updatedAt": rfc3339(record.updated_at),
        "settledAt": settlement.map(|s| rfc3339(s.at)),
    })
}

/// What `show` says beyond `list`.
fn details(record: &Record) -> serde_json::Map<String, Value> {
    let settlement = record.settlement.as_ref();
    let object = json!({
        "ledgerState": record.state.as_str(),
        "nonce": record.key.nonce.to_string(),
        "validAfter": record.valid_after.to_string(),
        "validBefore": record.valid_before.to_string(),
        "generation": record.generation,
        "claimedBlock": record.claimed_block,
        "blockNumber": settlement.map(|s| s.block_number),
        "blockHash": settlement.map(|s| s.block_hash.to_string()),
        "logIndex": settlement.and_then(|s| s.log_index),
        "reason": record.reason,
        "redeliveries": record.redeliveries,
        "replyKept": record.kept,
        "worker": record.worker.to_string(),
    });
    match object {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}

fn entry_json(entry: &Entry) -> Value {
    json!({
        "debit": entry.debit.to_string(),
        "credit": entry.credit.to_string(),
        "amount": entry.amount.to_string(),
        "asset": entry.asset.address.to_string(),
        "network": entry.asset.network.as_str(),
    })
}

fn row(record: &Record, config: &Config) -> [String; 9] {
    let binding = record.binding.as_ref();
    let request = binding.map_or_else(|| "/settle".to_owned(), |b| format!("{} {}", b.method, b.path));
    [
        rfc3339(record.claimed_at),
        record.id.to_string(),
        record.state.on_the_wire().to_owned(),
        if record.delivered { "yes" } else { "no" }.to_owned(),
        amount(record, config),
        record.asset.network.to_string(),
        binding.map_or_else(|| "-".to_owned(), |b| b.rule.clone()),
        terminal::printable(&request),
        record.key.payer.to_string(),
    ]
}

/// `0.001 USDC`; atomic units where the token is not known here.
fn amount(record: &Record, config: &Config) -> String {
    let configured = config.networks.iter().flat_map(|n| &n.assets).find(|a| a.id == record.asset);
    let known = known::network(&record.asset.network).map(|k| &k.usdc).filter(|usdc| usdc.id == record.asset);
    match configured.or(known) {
        Some(asset) => format!("{} {}", decimal(&record.amount.to_string(), asset), asset.name),
        None => format!("{} units", record.amount),
    }
}

fn decimal(units: &str, asset: &Asset) -> String {
    let decimals = usize::from(asset.decimals);
    let padded = format!("{units:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

/// Rows with their columns aligned.
fn columns<const N: usize>(rows: Vec<[String; N]>) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let align = |row: &[String; N]| row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| align(row).trim_end().to_owned()).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => terminal::printable(text),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
