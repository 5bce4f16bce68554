//! Paid requests: Tollway beside the official seller with the official facilitator, on one Anvil.

use std::collections::HashMap;
use std::path::Path;

use super::report::{Goal, Report, number};
use super::{edge, load, peers, size};
use crate::interop::stage::{self, Anvil, PAY_TO, TOKEN};

const LEVELS: [usize; 3] = [1, 16, 64];

pub fn measure(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let anvil = Anvil::start("bench-paid", None)?;
    let origin = peers::origin()?;
    let ours = peers::gateway(program, "gateway-paid", &origin.url, &anvil.rpc.url, edge::RULES, None)?;
    let theirs = peers::official_seller(&anvil.rpc.url)?;
    size::settle_down();
    let (mut rows, mut fastest) = (Vec::new(), HashMap::new());
    let (mut failures, mut sent) = (0, 0);
    for level in LEVELS {
        for (name, peer) in [("official", &theirs), ("Tollway", &ours)] {
            // The first ones are for warming up.
            load::pay(&peer.url, &stage::sign(&format!("{}/paid", peer.url), 2 * level)?, level);
            let payments = stage::sign(&format!("{}/paid", peer.url), if level == 1 { 100 } else { 300 })?;
            let before = anvil.rpc.transfers_to(TOKEN, PAY_TO)?.len();
            let seen = load::pay(&peer.url, &payments, level);
            let moved = anvil.rpc.transfers_to(TOKEN, PAY_TO)?.len() - before;
            if name == "Tollway" {
                anyhow::ensure!(moved + seen.failed >= payments.len(), "{moved} transfers for {} served", payments.len() - seen.failed);
                (failures, sent) = (failures + seen.failed, sent + payments.len());
            }
            fastest.insert((level, name), seen.per_second);
            rows.push(vec![
                level.to_string(),
                name.to_owned(),
                number(seen.per_second),
                number(seen.median_ms),
                number(seen.p99_ms),
                format!("{} of {}", seen.failed, payments.len()),
            ]);
        }
    }
    let ratio = fastest[&(64, "Tollway")] / fastest[&(64, "official")];
    report.table(
        "Paid requests",
        "Payments signed beforehand by the official client, each sent once; Anvil mines a block for every transaction. The official side is the Express\n\
         seller with the TypeScript facilitator, its signer with viem's nonce manager (without one its account nonces collide). Latency of the served ones.",
        &["at a time", "", "paid requests/s", "median, ms", "99 %, ms", "failed"],
        &rows,
        &[
            Goal { what: "Failed payments", measured: format!("{failures} of {sent}"), wanted: "none", met: failures == 0 },
            Goal { what: "Paid requests at 64, over the official stack", measured: number(ratio), wanted: "> 1", met: ratio > 1.0 },
        ],
    );
    Ok(())
}
