//! Start to the first answer, and memory at rest.

use std::path::Path;
use std::time::{Duration, Instant};

use super::report::{Goal, Report, number};
use super::{edge, load, peers, process};
use crate::interop::stage::Anvil;
use crate::net::Client;

const STARTS: usize = 9;

pub fn measure(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let anvil = Anvil::start("bench-size", None)?;
    let origin = peers::origin()?;
    let mut starts = Vec::new();
    let mut memory = f64::NAN;
    for _ in 0..STARTS {
        let start = Instant::now();
        // `gateway` waits until it listens; the first answer is one more exchange.
        let gateway = peers::gateway(program, "gateway-size", &origin.url, &anvil.rpc.url, edge::RULES, None)?;
        anyhow::ensure!(Client::new(&gateway.url).get("/paid")?.status == 402, "the first answer should be a 402");
        starts.push(start.elapsed().as_secs_f64() * 1e3);
        if starts.len() == STARTS {
            settle_down();
            memory = process::resident(gateway.pids[0])?;
        }
    }
    let start = load::percentile(&mut starts, 0.5);
    report.table(
        "Size",
        "From starting the process to the first complete answer, asked every 20 ms (median of nine); resident memory of a gateway at rest, its network \
         ready.",
        &["", ""],
        &[vec!["start to first answer, ms".to_owned(), number(start)], vec!["idle memory, MB".to_owned(), number(memory)]],
        &[
            Goal { what: "Start to first answer", measured: format!("{} ms", number(start)), wanted: "< 200 ms", met: start < 200.0 },
            Goal { what: "Idle memory", measured: format!("{} MB", number(memory)), wanted: "< 40 MB", met: memory < 40.0 },
        ],
    );
    Ok(())
}

/// Until a network has been read and the first caches are warm.
pub fn settle_down() {
    std::thread::sleep(Duration::from_secs(3));
}
