//! Ten rules against ten thousand: what deciding costs.

use std::fmt::Write;
use std::path::Path;

use super::report::{Goal, Report, number};
use super::{load, peers, size};
use crate::interop::stage::Anvil;

const ROUNDS: usize = 3;
const SECONDS: u32 = 4;

pub fn measure(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let anvil = Anvil::start("bench-rules", None)?;
    let origin = peers::origin()?;
    let few = peers::gateway(program, "gateway-10", &origin.url, &anvil.rpc.url, &rules(10), Some(0))?;
    let many = peers::gateway(program, "gateway-10000", &origin.url, &anvil.rpc.url, &rules(10_000), Some(0))?;
    size::settle_down();
    let (mut rows, mut worst) = (Vec::new(), 0.0_f64);
    for (what, path) in [("no rule matches", "/elsewhere/page"), ("the last rule matches: 402", "/last/page")] {
        let mut costs = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (side, peer) in [&few, &many].into_iter().enumerate() {
                costs[side].push(load::cost(&format!("{}{path}", peer.url), SECONDS, &peer.pids)?.0);
            }
        }
        let [ten, thousands] = costs.map(|mut costs| load::percentile(&mut costs, 0.5));
        worst = worst.max(thousands / ten);
        rows.push(vec![what.to_owned(), number(ten), number(thousands), number(thousands / ten)]);
    }
    report.table(
        "Ten rules, ten thousand rules",
        "Processor time per request of the gateway process, one worker. The rules mix exact paths, prefixes, hosts and methods; a request that no rule\n\
         matches goes to the origin, one that the last matches is answered 402. Medians of three rounds in turn.",
        &["", "10 rules, µs", "10,000 rules, µs", "ratio"],
        &rows,
        &[Goal { what: "Ten thousand over ten", measured: number(worst), wanted: "≤ 2", met: worst <= 2.0 }],
    );
    Ok(())
}

/// So many rules of the kinds that people write; the last prices `/last/`.
fn rules(count: usize) -> String {
    let mut text = String::new();
    for index in 0..count - 1 {
        let when = match index % 4 {
            0 => format!(r#"starts_with(http.request.uri.path, "/api/v{index}/")"#),
            1 => format!(r#"http.host eq "shop{index}.example.com" and starts_with(http.request.uri.path, "/data/")"#),
            2 => format!(r#"http.request.uri.path eq "/reports/{index}.pdf""#),
            _ => format!(r#"http.request.method in {{"GET" "POST"}} and starts_with(http.request.uri.path, "/files/{index}/")"#),
        };
        let _ = writeln!(text, "[[rule]]\nid = \"r{index}\"\nwhen = '{when}'\nprice = \"$0.01\"");
    }
    text + "[[rule]]\nid = \"last\"\nwhen = 'starts_with(http.request.uri.path, \"/last/\")'\nprice = \"$0.01\"\n"
}
