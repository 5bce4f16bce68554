//! `tollway serve` where somebody else settles.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{ADDRESS, KEY, Reply, SELLER, Script, Server, free_port, run, tollway};
use serde_json::{Value, json};

/// Verifies and settles whatever it is asked.
fn facilitator() -> Script {
    Script::answering(|got| {
        let kinds = json!({ "kinds": [{ "x402Version": 2, "scheme": "exact", "network": "eip155:84532" }] });
        let transaction = format!("0x{}", "ab".repeat(32));
        let settled = json!({ "success": true, "transaction": transaction, "network": "eip155:84532", "payer": ADDRESS });
        match got.line.split(' ').nth(1).unwrap() {
            "/supported" => Reply::new(200, kinds.to_string()),
            "/verify" => Reply::new(200, json!({ "isValid": true, "payer": ADDRESS }).to_string()),
            "/settle" => Reply::new(200, settled.to_string()),
            _ => Reply::new(404, ""),
        }
    })
}

/// Neither a signer nor a node: a known network is all that the file names.
#[test]
fn a_remote_facilitator_needs_no_node_and_no_signer() {
    let (facilitator, origin) = (facilitator(), Script::answering(|_| Reply::new(200, "the goods")));
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let file = folder.path().join("tollway.toml");
    let text = format!(
        "origin = \"{}\"\nlisten = \"127.0.0.1:{port}\"\npay_to = \"{SELLER}\"\nnetwork = \"base-sepolia\"\n\
         facilitator = [\"{}\"]\n[[rule]]\nprice = \"$0.001\"\n",
        origin.url(""),
        facilitator.url("")
    );
    std::fs::write(&file, text).unwrap();
    let mut server = Server::of(tollway().args(["serve", "--config"]).arg(&file));
    server.wait_for("listening on");
    let report = loop {
        let ran = run(tollway().args(["pay", &format!("http://127.0.0.1:{port}/x"), "--json"]).env("TOLLWAY_BUYER_KEY", KEY));
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        // Until the facilitator has said what it supports.
        if !report.to_string().contains("network_not_ready") {
            break report;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!((&report["status"], &report["paid"], &report["body"]), (&json!(200), &json!(true), &json!("the goods")), "{report}");
    assert_eq!(report["transaction"], json!(format!("0x{}", "ab".repeat(32))));
    assert!(facilitator.got().iter().any(|got| got.line.starts_with("POST /settle")));
}
