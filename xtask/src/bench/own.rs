//! Tollway's own time in a paid request: all but the chain and the origin.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::relay::{Relay, Span};
use super::report::{Goal, Report, number};
use super::{edge, load, peers, size};
use crate::interop::stage::{self, Anvil};
use crate::net::Client;
use crate::shell;

const PAYMENTS: usize = 200;

/// Where Linux keeps files in memory.
const MEMORY: &str = "/dev/shm";

pub fn measure(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let anvil = Anvil::start("bench-own", None)?;
    let disk = shell::target("bench");
    let sync = fdatasync(&disk)?;
    let on_disk = one_by_one(program, &anvil, &disk)?;
    let in_memory = one_by_one(program, &anvil, Path::new(MEMORY))?;
    let row = |what: &str, [median, p99]: [f64; 2]| vec![what.to_owned(), number(median), number(p99)];
    report.table(
        "Own time of a paid request",
        &format!(
            "One payment at a time through relays that note when the origin and the node are at work. Theirs is every moment in which one of them has a\n\
             question of ours, and from the broadcast to the last answer of the node before ours (mining, and waiting for it); the rest is Tollway's own,\n\
             less what the relays themselves add. A payment waits for several durable commits, and one fdatasync of this disk takes {} ms:\n\
             with the books in memory what is left is computing.",
            number(sync)
        ),
        &["", "median, ms", "99 %, ms"],
        &[
            row("whole, books on disk", on_disk.whole),
            row("own, books on disk", on_disk.own),
            row("whole, books in memory", in_memory.whole),
            row("own, books in memory", in_memory.own),
        ],
        &[
            Goal { what: "Own time at the median, disk and all", measured: format!("{} ms", number(on_disk.own[0])), wanted: "< 1 ms", met: on_disk.own[0] < 1.0 },
            Goal { what: "Without the disk", measured: format!("{} ms", number(in_memory.own[0])), wanted: "< 1 ms", met: in_memory.own[0] < 1.0 },
        ],
    );
    Ok(())
}

/// Median and 99th percentile, in milliseconds.
struct Times {
    whole: [f64; 2],
    own: [f64; 2],
}

/// Pays one by one, with the books in this folder.
fn one_by_one(program: &Path, anvil: &Anvil, folder: &Path) -> anyhow::Result<Times> {
    let origin = peers::origin()?;
    let spans = Arc::new(Mutex::new(Vec::new()));
    let chain = Relay::start(&anvil.rpc.url, Arc::clone(&spans))?;
    let behind = Relay::start(&origin.url, Arc::clone(&spans))?;
    let books = folder.join(format!("tollway-bench-{}.db", std::process::id()));
    let store = format!("store = \"sqlite:{}\"\n", books.display());
    let gateway = peers::gateway_with(program, "gateway-own", &behind.url, &chain.url, &store, edge::RULES)?;
    size::settle_down();
    let hop = hop(&behind.url, &spans)?;
    let payments = stage::sign(&format!("{}/paid", gateway.url), PAYMENTS)?;
    let mut client = Client::new(&gateway.url);
    let (mut own, mut whole) = (Vec::new(), Vec::new());
    for payment in &payments {
        spans.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let start = Instant::now();
        let status = payment.send(&mut client)?.status;
        let end = Instant::now();
        anyhow::ensure!(status == 200, "a payment was answered {status}");
        let elsewhere = elsewhere(&spans.lock().unwrap_or_else(PoisonError::into_inner), start, end, hop);
        whole.push((end - start).as_secs_f64() * 1e3);
        own.push((end - start).as_secs_f64() * 1e3 - elsewhere);
    }
    drop(gateway);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", books.display()));
    }
    let both = |mut values: Vec<f64>| [load::percentile(&mut values, 0.5), load::percentile(&mut values, 0.99)];
    Ok(Times { whole: both(whole), own: both(own) })
}

/// The median of appending a page and waiting until the disk has it, in milliseconds.
fn fdatasync(folder: &Path) -> anyhow::Result<f64> {
    fs::create_dir_all(folder)?;
    let path = folder.join("fdatasync");
    let mut file = File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 4096])?;
        let start = Instant::now();
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    fs::remove_file(path)?;
    Ok(load::percentile(&mut times, 0.5))
}

/// What a relay itself adds to an exchange, in milliseconds: the way there and back, outside of what it notes.
fn hop(relay: &str, spans: &Mutex<Vec<Span>>) -> anyhow::Result<f64> {
    let mut client = Client::new(relay);
    let mut hops = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        client.get("/")?;
        let whole = start.elapsed();
        let noted = spans.lock().unwrap_or_else(PoisonError::into_inner).pop().map(|span| span.end - span.start);
        hops.push(whole.saturating_sub(noted.unwrap_or(whole)).as_secs_f64() * 1e3);
    }
    Ok(load::percentile(&mut hops, 0.5))
}

/// For how many milliseconds of a request somebody else was at work; each stretch of that costs a relay's hop on top.
fn elsewhere(spans: &[Span], start: Instant, end: Instant, hop: f64) -> f64 {
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
            total += (to - from).as_secs_f64() * 1e3 + if from > until { hop } else { 0.0 };
            until = to;
        }
    }
    total
}
