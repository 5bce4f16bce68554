//! Tollway's own time in a paid request: all but the chain and the origin.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::relay::{Relay, Span};
use super::report::{Goal, Report, number};
use super::{edge, load, peers, size};
use crate::interop::stage::{self, Anvil};
use crate::net::Client;

const PAYMENTS: usize = 200;

pub fn measure(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let anvil = Anvil::start("bench-own", None)?;
    let origin = peers::origin()?;
    let spans = Arc::new(Mutex::new(Vec::new()));
    let chain = Relay::start(&anvil.rpc.url, Arc::clone(&spans))?;
    let behind = Relay::start(&origin.url, Arc::clone(&spans))?;
    let gateway = peers::gateway(program, "gateway-own", &behind.url, &chain.url, edge::RULES, None)?;
    size::settle_down();
    let payments = stage::sign(&format!("{}/paid", gateway.url), PAYMENTS)?;
    let mut client = Client::new(&gateway.url);
    let (mut own, mut whole) = (Vec::new(), Vec::new());
    for payment in &payments {
        spans.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let start = Instant::now();
        let status = payment.send(&mut client)?.status;
        let end = Instant::now();
        anyhow::ensure!(status == 200, "a payment was answered {status}");
        let elsewhere = elsewhere(&spans.lock().unwrap_or_else(PoisonError::into_inner), start, end);
        whole.push((end - start).as_secs_f64() * 1e3);
        own.push((end - start).as_secs_f64() * 1e3 - elsewhere);
    }
    let (median, p99) = (load::percentile(&mut own, 0.5), load::percentile(&mut own, 0.99));
    report.table(
        "Own time of a paid request",
        "One payment at a time through relays that note when the origin and the node are at work. Theirs is every moment in which one of them has a\n\
         question of ours, and from the broadcast to the last answer of the node before ours (mining, and waiting for it); the rest is Tollway's own.",
        &["", "median, ms", "99 %, ms"],
        &[
            vec!["whole".to_owned(), number(load::percentile(&mut whole, 0.5)), number(load::percentile(&mut whole, 0.99))],
            vec!["Tollway's own".to_owned(), number(median), number(p99)],
        ],
        &[Goal { what: "Own time at the median", measured: format!("{} ms", number(median)), wanted: "< 1 ms", met: median < 1.0 }],
    );
    Ok(())
}

/// For how many milliseconds of a request somebody else was at work.
fn elsewhere(spans: &[Span], start: Instant, end: Instant) -> f64 {
    let inside = spans.iter().filter(|span| span.end > start && span.start < end).collect::<Vec<_>>();
    let mut busy = inside.iter().map(|span| (span.start.max(start), span.end.min(end))).collect::<Vec<_>>();
    let broadcast = inside.iter().filter(|span| span.what.contains("eth_sendRawTransaction")).map(|span| span.start).min();
    let last = inside.iter().filter(|span| span.what.contains("eth_")).map(|span| span.end.min(end)).max();
    busy.extend(broadcast.zip(last));
    busy.sort();
    let (mut total, mut until) = (0.0, start);
    for (from, to) in busy {
        let from = from.max(until);
        if to > from {
            total += (to - from).as_secs_f64() * 1e3;
            until = to;
        }
    }
    total
}
