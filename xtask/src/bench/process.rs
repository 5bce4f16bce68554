//! What a process has cost so far, as Linux counts it.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Linux reports processor time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of a process, all its threads together, in user and kernel.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("only Linux has /proc")?;
    // The name, in parentheses, may hold blanks: what counts stands behind it.
    let (_, rest) = stat.rsplit_once(')').context("a process without a name")?;
    let fields = rest.split_whitespace().collect::<Vec<_>>();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).context("processor time");
    Ok(Duration::from_secs_f64((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND))
}

/// Resident memory in MB (10^6 bytes).
pub fn resident(pid: u32) -> anyhow::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("only Linux has /proc")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    Ok(kib.context("resident memory")? * 1024.0 / 1e6)
}

/// The children of a process.
pub fn children(pid: u32) -> anyhow::Result<Vec<u32>> {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).context("only Linux lists children")?;
    Ok(listed.split_whitespace().filter_map(|child| child.parse().ok()).collect())
}
