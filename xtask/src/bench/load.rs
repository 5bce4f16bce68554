//! Load on loopback: `wrk` where a request may be repeated, threads of our own where each is a payment.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::process;
use crate::interop::stage::Payment;
use crate::net::Client;
use crate::shell;

/// What `wrk` saw.
pub struct Wrk {
    pub requests: f64,
    pub per_second: f64,
    pub median_ms: f64,
    pub p99_ms: f64,
    /// Answers outside 2xx and 3xx, and connections that broke.
    pub unusual: f64,
}

/// 64 (or so many) connections from the second processor for some seconds.
pub fn wrk(url: &str, connections: usize, seconds: u32, script: Option<&Path>) -> anyhow::Result<Wrk> {
    let mut command = pinned(1, "wrk");
    command.args(["-t1", "--latency", &format!("-c{connections}"), &format!("-d{seconds}s")]);
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let said = shell::output(command.arg(url))?;
    let after = |mark: &str| said.lines().find_map(|line| line.trim().strip_prefix(mark)).map(str::trim);
    let requests =
        said.lines().find_map(|line| line.trim().split_once(" requests in ")).map(|(count, _)| count).context("wrk counted nothing")?;
    let number = |text: Option<&str>| text.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    let errors = said.lines().filter_map(|line| line.trim().strip_prefix("Socket errors: ")).flat_map(|line| line.split(", "));
    let broken = errors.filter_map(|part| part.split_whitespace().nth(1)?.parse::<f64>().ok()).sum::<f64>();
    Ok(Wrk {
        requests: requests.parse()?,
        per_second: number(after("Requests/sec:")).context("requests per second")?,
        median_ms: milliseconds(after("50%")),
        p99_ms: milliseconds(after("99%")),
        unusual: number(after("Non-2xx or 3xx responses:")).or(number(after("Not valid:"))).unwrap_or(0.0) + broken,
    })
}

/// The same, with the processor time that each request cost the server of these processes, in microseconds.
pub fn cost(url: &str, seconds: u32, servers: &[u32]) -> anyhow::Result<(f64, Wrk)> {
    let total = || servers.iter().map(|pid| process::cpu(*pid)).sum::<anyhow::Result<Duration>>();
    let before = total()?;
    let seen = wrk(url, 64, seconds, None)?;
    Ok(((total()? - before).as_secs_f64() * 1e6 / seen.requests, seen))
}

/// A program that runs on one processor only; a server that counts processors finds one.
pub fn pinned(processor: usize, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = shell::command("taskset");
    command.arg("-c").arg(processor.to_string()).arg(program);
    command
}

/// What became of payments sent once each.
pub struct Sent {
    pub per_second: f64,
    pub median_ms: f64,
    pub p99_ms: f64,
    pub failed: usize,
}

/// Sends each payment once, so many at a time.
pub fn pay(url: &str, payments: &[Payment], concurrency: usize) -> Sent {
    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let worker = || {
        let mut client = Client::new(url);
        std::iter::from_fn(|| payments.get(next.fetch_add(1, Ordering::Relaxed)))
            .map(|payment| {
                let sent = Instant::now();
                let good = payment.send(&mut client).is_ok_and(|response| response.status == 200);
                (good, sent.elapsed().as_secs_f64() * 1e3)
            })
            .collect::<Vec<_>>()
    };
    let results = std::thread::scope(|scope| {
        let workers = (0..concurrency).map(|_| scope.spawn(worker)).collect::<Vec<_>>();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    let seconds = start.elapsed().as_secs_f64();
    let mut good = results.iter().filter(|(good, _)| *good).map(|(_, ms)| *ms).collect::<Vec<_>>();
    Sent {
        per_second: good.len() as f64 / seconds,
        median_ms: percentile(&mut good, 0.50),
        p99_ms: percentile(&mut good, 0.99),
        failed: payments.len() - good.len(),
    }
}

/// That part of the sorted values, or NaN where there are none.
pub fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = ((values.len() as f64 * part) as usize).min(values.len().saturating_sub(1));
    values.get(index).copied().unwrap_or(f64::NAN)
}

fn milliseconds(text: Option<&str>) -> f64 {
    let Some(text) = text else { return f64::NAN };
    let units = [("us", 1e-3), ("ms", 1.0), ("s", 1e3), ("m", 6e4)];
    let parsed = units.iter().find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor));
    parsed.unwrap_or(f64::NAN)
}
