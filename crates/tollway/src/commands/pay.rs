//! `tollway pay`.

use std::{io::IsTerminal, process::ExitCode};

use anyhow::Context;
use buyer::{Answer, End, Limits, Request, Wallet};
use bytes::Bytes;
use x402::{Clock, SystemClock};
use zeroize::Zeroizing;

use crate::{
    USAGE,
    cli::Pay,
    terminal::{self, printable, rfc3339},
};

const KEY_VARIABLE: &str = "TOLLWAY_BUYER_KEY";

pub fn pay(args: Pay) -> anyhow::Result<ExitCode> {
    let (wallet, request) = match prepare(&args) {
        Ok(ready) => ready,
        Err(error) => {
            eprintln!("error: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let limits = Limits { max: args.max, network: args.network };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut answer = buyer::pay(&wallet, request, &limits, SystemClock.now()).await;
        let handed_out = if args.json { report(&mut answer).await } else { hand_out(&mut answer).await };
        for line in receipt(&answer) {
            eprintln!("{line}");
        }
        handed_out?;
        Ok(ExitCode::from(answer.end.exit_code()))
    })
}

/// Everything that a wrong command line can spoil, before anything is sent.
fn prepare(args: &Pay) -> anyhow::Result<(Wallet, Request)> {
    let body = args.data.as_deref().map(data).transpose()?;
    let request = Request::new(&args.url, args.method.as_deref(), &args.headers, body)?;
    let key = match &args.key_file {
        Some(path) => Zeroizing::new(std::fs::read_to_string(path).with_context(|| format!("--key-file {}", path.display()))?),
        None => {
            Zeroizing::new(std::env::var(KEY_VARIABLE).ok().with_context(|| format!("no key: set {KEY_VARIABLE}, or give --key-file"))?)
        }
    };
    let place = args.key_file.as_ref().map_or(KEY_VARIABLE.to_owned(), |path| path.display().to_string());
    Ok((Wallet::from_hex(&key).with_context(|| place)?, request))
}

fn data(text: &str) -> anyhow::Result<Bytes> {
    match text.strip_prefix('@') {
        Some(path) => Ok(std::fs::read(path).with_context(|| format!("--data @{path}"))?.into()),
        None => Ok(Bytes::copy_from_slice(text.as_bytes())),
    }
}

async fn report(answer: &mut Answer) -> anyhow::Result<()> {
    let (report, broken) = match answer.report().await {
        Ok(report) => (report, Ok(())),
        // What was paid is said even where the body cannot be.
        Err(error) => (answer.summary(None, None), Err(error.into())),
    };
    terminal::line(&serde_json::to_string(&report)?)?;
    broken
}

/// The body, piece by piece as it comes.
async fn hand_out(answer: &mut Answer) -> anyhow::Result<()> {
    let mut last = b'\n';
    while let Some(chunk) = answer.body.next().await? {
        terminal::bytes(&chunk)?;
        last = chunk.last().copied().unwrap_or(last);
    }
    if last != b'\n' && std::io::stdout().is_terminal() {
        eprintln!();
    }
    Ok(())
}

/// What became of the payment, for standard error.
pub fn receipt(answer: &Answer) -> Vec<String> {
    let mut lines = match &answer.end {
        End::Served if answer.payment.is_none() => vec!["free: nothing was asked for, nothing signed".to_owned()],
        End::Served => Vec::new(),
        End::TooDear { price, max } => {
            vec![format!("too dear: the cheapest payable offer is {price}, the limit (--max) {max}; nothing was signed")]
        }
        End::Refused { why } => vec![format!("refused: {}", printable(why))],
        End::Pending { retry_after } => {
            let wait = retry_after.as_ref().map(|s| format!("; ask again in {} s", printable(s))).unwrap_or_default();
            vec![format!("pending: sent to the chain, which has not spoken yet{wait}. Do not pay again")]
        }
        End::Other { why } => vec![format!("failed: {}", printable(why))],
    };
    let Some(payment) = &answer.payment else { return lines };
    let (price, asset) = (payment.price, payment.asset);
    let deal = format!("{price} ({} units of {}) to {} on {}", payment.amount, asset.name, payment.pay_to, asset.id.network);
    if answer.paid {
        lines.push(format!("paid         {deal}"));
    } else if answer.may_have_moved() {
        lines.push(format!("may be paid  {deal}, until {}", rfc3339(x402::Timestamp(payment.valid_before))));
    } else {
        lines.push(format!("signed       {deal}; worthless after {}", rfc3339(x402::Timestamp(payment.valid_before))));
    }
    lines.push(format!("payment      {}", payment.id));
    match &payment.transaction {
        Some(hash) => lines.push(format!("transaction  {}", printable(hash))),
        None if answer.paid => lines.push("transaction  none: the seller sent no receipt".to_owned()),
        None => {}
    }
    lines
}
