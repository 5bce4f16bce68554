//! `tollway demo`, from its first line to its last.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use common::{ADDRESS, KEY, SELLER, USDC, run, tollway};
use serde_json::{Value, json};

const FREE_PORTS: [&str; 6] = ["--port", "0", "--chain-port", "0", "--origin-port", "0"];

#[test]
fn once_pays_once_and_ends_well() {
    let ran = run(tollway().arg("demo").args(FREE_PORTS).args(["--once", "--json"]));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [ready, payment] = lines.as_slice() else { panic!("{}", ran.out) };
    assert_eq!((&ready["chainId"], &ready["asset"], &ready["payTo"]), (&json!(84532), &json!(USDC), &json!(SELLER)));
    assert_eq!((&ready["buyerKey"], &ready["admin"], &ready["adminToken"]), (&json!(KEY), &Value::Null, &Value::Null));
    for url in ["gateway", "origin", "rpc"] {
        assert!(ready[url].as_str().unwrap().starts_with("http://127.0.0.1:"), "{ready}");
    }
    assert_eq!((&payment["status"], &payment["paid"], &payment["amount"]), (&json!(200), &json!(true), &json!("1000")));
    assert_eq!((&payment["payer"], &payment["network"]), (&json!(ADDRESS), &json!("eip155:84532")));
    assert_eq!(payment["transaction"].as_str().unwrap().len(), 66);
    assert!(payment["body"].as_str().unwrap().contains("celsius"));
}

#[test]
fn a_newcomer_sees_the_402_the_200_and_the_transfer() {
    let ran = run(tollway().arg("demo").args(FREE_PORTS).arg("--once"));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for text in ["402 Payment Required", "200 OK", "transaction  0x", "$0.001", "0 units before, 1000 after"] {
        assert!(ran.out.contains(text), "`{text}` is missing in:\n{}", ran.out);
    }
    assert_eq!(ran.err, "", "nothing to worry about is said");
}

#[test]
fn a_taken_port_names_its_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--port", "--chain-port", "--origin-port"] {
        let others = FREE_PORTS.chunks(2).filter(|pair| pair[0] != flag).flatten();
        let ran = run(tollway().args(["demo", "--once", flag, &port]).args(others));
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains(&format!("port {port} cannot be had: choose another with {flag} (")), "{}", ran.err);
    }
}

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The demo serves on until Ctrl-C: `tollway pay` gets each of its goods, and its folder is gone at the end.
#[test]
fn everything_on_show_can_be_bought() {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = tollway();
    command.arg("demo").args(FREE_PORTS).arg("--json").env("TMPDIR", scratch.path());
    let mut demo = Demo(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let payment: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(payment["paid"], json!(true));
    let gateway = ready["gateway"].as_str().unwrap();

    let buy = |path: &str| {
        run(tollway().args(["pay", &format!("{gateway}{path}")]).env("TOLLWAY_BUYER_KEY", ready["buyerKey"].as_str().unwrap()))
    };
    let free = buy("/");
    assert!(free.code == 0 && free.out.contains("This page is free") && free.err.contains("free"), "{}", free.err);
    assert!(buy("/article").out.contains("On tolls"));
    let download = buy("/readings.csv");
    assert_eq!((download.code, download.stdout.len()), (0, 4 * 1024 * 1024), "{}", download.err);
    let events = buy("/events");
    assert_eq!((events.code, events.out.matches("data:").count()), (0, 10), "{}", events.err);
    let json = buy("/api/weather");
    assert!(json.code == 0 && json.err.contains("paid") && json.err.contains("transaction  0x"), "{}", json.err);

    let folder = std::fs::read_dir(scratch.path()).unwrap().next().unwrap().unwrap().path();
    let file = folder.join("tollway.toml");
    let books = run(tollway().args(["ledger", "list", "--json", "--config"]).arg(&file));
    let rows: Vec<Value> = books.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 5, "{}{}", books.out, books.err);
    assert!(rows.iter().all(|row| row["state"] == "settled" && row["delivered"] == true && row["payer"] == ADDRESS), "{}", books.out);
    let id = rows[0]["payment"].as_str().unwrap();
    let shown = run(tollway().args(["ledger", "show", id, "--json", "--config"]).arg(&file));
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!((shown["entries"].as_array().unwrap().len(), &shown["rule"]), (1, &json!("weather")));
    let table = run(tollway().args(["ledger", "list", "--config"]).arg(&file));
    assert!(table.out.contains("0.001 USDC") && table.out.contains("GET /api/weather"), "{}", table.out);

    let status = std::process::Command::new("kill").args(["-INT", &demo.0.id().to_string()]).status().unwrap();
    assert!(status.success());
    assert!(demo.0.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing is left behind");
}
