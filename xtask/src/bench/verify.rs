//! `/verify` of plain wallets: Tollway beside the official facilitator and x402-rs, on one Anvil.

use std::fs;
use std::path::Path;

use super::load::{self, Wrk};
use super::peers::{self, Peer};
use super::report::{Goal, Report, number};
use super::size;
use crate::interop::stage::{Anvil, PAY_TO, script};
use crate::net::Client;
use crate::shell;

const LEVELS: [usize; 3] = [1, 16, 64];
const SECONDS: u32 = 5;
const PAYMENTS: usize = 2000;

pub fn measure(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let anvil = Anvil::start("bench-verify", None)?;
    let folder = peers::folder("verify")?;
    let (bodies, lua) = (folder.join("bodies"), folder.join("verify.lua"));
    let sign = |command: &mut std::process::Command| shell::output(command.env("RPC_URL", &anvil.rpc.url).env("PAY_TO", PAY_TO));
    fs::write(&bodies, sign(script("sign-verify.mjs").env("COUNT", PAYMENTS.to_string()).env("PAYERS", "64"))?)?;
    fs::write(&lua, include_str!("verify.lua.in").replace("{bodies}", &bodies.display().to_string()))?;
    let peers = [
        ("official", peers::official_facilitator(&anvil.rpc.url)?),
        ("x402-rs", peers::x402_rs(&anvil.rpc)?),
        ("Tollway", peers::our_facilitator(program, &anvil.rpc.url)?),
    ];
    size::settle_down();
    for (name, peer) in &peers {
        accepts(name, peer, &bodies)?;
    }
    let (mut rows, mut at_64) = (Vec::new(), Vec::new());
    for level in LEVELS {
        for (name, peer) in &peers {
            let seen = round(peer, level, &lua)?;
            rows.push(vec![
                level.to_string(),
                (*name).to_owned(),
                number(seen.per_second),
                number(seen.median_ms),
                number(seen.p99_ms),
                number(seen.unusual),
            ]);
            if level == 64 {
                at_64.push(seen.per_second);
            }
        }
    }
    let ratio = at_64[2] / at_64[1];
    report.table(
        "`/verify`",
        "The same 2,000 payments of 64 plain wallets, signed by the official client, in turn for five seconds each; every answer says `isValid: true`, or\n\
         counts as failed. The node (Anvil) and the load share the processors with the facilitator. x402-rs is built from its published crates.",
        &["at a time", "", "verified/s", "median, ms", "99 %, ms", "failed"],
        &rows,
        &[Goal { what: "At 64, over x402-rs", measured: number(ratio), wanted: "≥ 5", met: ratio >= 5.0 }],
    );
    Ok(())
}

fn round(peer: &Peer, level: usize, lua: &Path) -> anyhow::Result<Wrk> {
    let url = format!("{}/verify", peer.url);
    load::wrk(&url, level, 1, Some(lua))?;
    load::wrk(&url, level, SECONDS, Some(lua))
}

/// One payment, by hand: a facilitator that refuses is fast too.
fn accepts(name: &str, peer: &Peer, bodies: &Path) -> anyhow::Result<()> {
    let bodies = fs::read_to_string(bodies)?;
    let body = bodies.lines().next().unwrap_or_default();
    let said = Client::new(&peer.url).send("POST", "/verify", &[("Content-Type", "application/json")], body.as_bytes())?;
    anyhow::ensure!(said.json()?["isValid"] == true, "{name} does not verify: {} {}", said.status, said.text());
    Ok(())
}
