//! `tollway ledger`: the books, for people and for programs.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use ledger::{Entry, ListFilter, Record, Store};
use serde::Serialize;
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
            terminal::line(&serde_json::to_string(&Fields(summary(record)))?)?;
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
    // The order of the store, or pages would not meet.
    records.sort_by_key(|record| std::cmp::Reverse((record.claimed_at, record.id)));
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
    let mut fields = [summary(&record), details(&record)].concat();
    if as_object {
        fields.push(("entries", entries.iter().map(entry_json).collect()));
        terminal::line(&serde_json::to_string(&Fields(fields))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in fields {
        terminal::line(&format!("{name:<14}{}", plain(&value)))?;
    }
    for entry in entries {
        terminal::line(&format!("{:<14}{} units from {} to {}", "entry", entry.amount, entry.debit, entry.credit))?;
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

/// Names and values, in this order.
struct Fields(Vec<(&'static str, Value)>);

impl Serialize for Fields {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// One payment: a line of `list --json`.
fn summary(record: &Record) -> Vec<(&'static str, Value)> {
    let (binding, settlement) = (record.binding.as_ref(), record.settlement.as_ref());
    vec![
        ("payment", json!(record.id.to_string())),
        ("state", json!(record.state.on_the_wire())),
        ("delivered", json!(record.delivered)),
        ("amount", json!(record.amount.to_string())),
        ("asset", json!(record.asset.address.to_string())),
        ("network", json!(record.asset.network.as_str())),
        ("payer", json!(record.key.payer.to_string())),
        ("payTo", json!(record.pay_to.to_string())),
        ("rule", json!(binding.map(|b| &b.rule))),
        ("method", json!(binding.map(|b| &b.method))),
        ("path", json!(binding.map(|b| &b.path))),
        ("transaction", json!(record.transaction().map(|hash| hash.to_string()))),
        ("claimedAt", json!(rfc3339(record.claimed_at))),
        ("updatedAt", json!(rfc3339(record.updated_at))),
        ("settledAt", json!(settlement.map(|s| rfc3339(s.at)))),
    ]
}

/// What `show` says beyond `list`.
fn details(record: &Record) -> Vec<(&'static str, Value)> {
    let settlement = record.settlement.as_ref();
    vec![
        ("booksState", json!(record.state.as_str())),
        ("reason", json!(record.reason)),
        ("nonce", json!(record.key.nonce.to_string())),
        ("validAfter", json!(record.valid_after.to_string())),
        ("validBefore", json!(record.valid_before.to_string())),
        ("claimedBlock", json!(record.claimed_block)),
        ("blockNumber", json!(settlement.map(|s| s.block_number))),
        ("blockHash", json!(settlement.map(|s| s.block_hash.to_string()))),
        ("logIndex", json!(settlement.and_then(|s| s.log_index))),
        ("redeliveries", json!(record.redeliveries)),
        ("replyKept", json!(record.kept)),
        ("generation", json!(record.generation)),
        ("worker", json!(record.worker.to_string())),
    ]
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

#[cfg(test)]
mod tests;
