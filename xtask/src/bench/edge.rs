//! Pass-through and a fixed 402 beside nginx: processor time a request costs, one worker each.

use std::path::Path;

use super::peers::{self, Peer};
use super::report::{Goal, Report, number};
use super::{load, size};
use crate::interop::stage::Anvil;
use crate::net::Client;

const ROUNDS: usize = 5;
const SECONDS: u32 = 4;

/// A rule that prices `/paid`, and one that nothing here matches.
pub const RULES: &str = r#"[[rule]]
id = "paid"
when = 'starts_with(http.request.uri.path, "/paid")'
price = "$0.01"
[[rule]]
id = "reports"
when = 'http.request.method in {"GET" "POST"} and starts_with(http.request.uri.path, "/reports/")'
price = "$0.05"
"#;

pub fn measure(program: &Path, report: &mut Report) -> anyhow::Result<()> {
    let anvil = Anvil::start("bench-edge", None)?;
    let origin = peers::origin()?;
    let ours = peers::gateway(program, "gateway-edge", &origin.url, &anvil.rpc.url, RULES, Some(0))?;
    size::settle_down();
    let theirs = peers::nginx("nginx-edge", &locations(&ours)?, Some(&origin.url), 0)?;
    let mut rows = Vec::new();
    let mut ratios = Vec::new();
    for (what, path) in [("pass-through, 1 KiB", "/free"), ("fixed 402", "/paid")] {
        let (mut costs, mut rates) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for _ in 0..ROUNDS {
            for (side, peer) in [&theirs, &ours].into_iter().enumerate() {
                let (cost, seen) = load::cost(&format!("{}{path}", peer.url), SECONDS, &peer.pids)?;
                costs[side].push(cost);
                rates[side].push(seen.per_second);
            }
        }
        let [nginx, tollway] = costs.map(|mut costs| load::percentile(&mut costs, 0.5));
        let [nginx_rate, tollway_rate] = rates.map(|mut rates| load::percentile(&mut rates, 0.5));
        ratios.push(nginx / tollway);
        rows.push(vec![what.to_owned(), number(nginx), number(tollway), number(nginx / tollway), number(nginx_rate), number(tollway_rate)]);
    }
    report.table(
        "Beside nginx",
        "Processor time per request of the gateway process and of nginx's worker, one worker each on one processor; load (wrk, 64 connections kept \
         alive) and origin on the other.\nRules, limits, canonical paths and headers are in it. nginx's 402 carries the same header and body, fixed.\n\
         Medians of five rounds in turn. The ratio is nginx's cost over Tollway's: 1.0 is equal.",
        &["", "nginx, µs", "Tollway, µs", "ratio", "nginx, requests/s", "Tollway, requests/s"],
        &rows,
        &[
            Goal { what: "Pass-through", measured: number(ratios[0]), wanted: "≥ 0.7", met: ratios[0] >= 0.7 },
            Goal { what: "Fixed 402", measured: number(ratios[1]), wanted: "≥ 0.7", met: ratios[1] >= 0.7 },
        ],
    );
    Ok(())
}

/// nginx as a proxy, and its 402 with the header and the body that Tollway answers with.
fn locations(ours: &Peer) -> anyhow::Result<String> {
    let offer = Client::new(&ours.url).get("/paid")?;
    anyhow::ensure!(offer.status == 402, "expected a 402, got {}", offer.status);
    let header = offer.header("PAYMENT-REQUIRED").unwrap_or_default();
    let body = offer.text().replace('\\', "\\\\").replace('\'', "\\'").replace('$', "");
    Ok(format!(
        "location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $http_host; }}\n\
         location /paid {{ default_type application/json; add_header PAYMENT-REQUIRED '{header}' always; add_header Cache-Control no-store always; \
         return 402 '{body}'; }}"
    ))
}
