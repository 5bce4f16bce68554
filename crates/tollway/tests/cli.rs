//! The command line of the built binary: exit codes and what is said.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::{Path, PathBuf};

use common::{Ran, SIGNER, Server, free_port, run, tollway};

fn write(folder: &Path, text: &str) -> PathBuf {
    let file = folder.join("tollway.toml");
    std::fs::write(&file, text).unwrap();
    file
}

fn config(rules: &str) -> String {
    format!(
        "origin = \"http://127.0.0.1:1\"\nlisten = \"127.0.0.1:{}\"\npublic_url = \"http://127.0.0.1:4020\"\n\
         pay_to = \"0x70997970C51812dc3A010C7d01b50e0d17dc79C8\"\nnetwork = \"base-sepolia\"\n\
         [[networks]]\nid = \"base-sepolia\"\nrpc = [\"http://127.0.0.1:1\"]\n{rules}",
        free_port()
    )
}

const RULES: &str = r#"
[[rule]]
id = "free"
when = 'http.request.uri.path eq "/free"'
action = "allow"
[[rule]]
id = "reports"
when = 'starts_with(http.request.uri.path, "/reports/")'
price = "$0.01"
"#;

fn check(text: &str, args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), text);
    run(tollway().arg("check").arg("--config").arg(file).args(args).env("TOLLWAY_SIGNER_KEY", SIGNER))
}

#[test]
fn a_sound_file_is_said_to_be() {
    let ran = check(&config(RULES), &["--strict"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("is sound") && ran.out.contains("reports") && ran.out.contains("$0.01"), "{}", ran.out);
    assert_eq!(ran.err, "");
}

#[test]
fn errors_are_1_and_told_all_at_once() {
    let ran = check(&config("[[rule]]\nprice = 5\nmode = \"observe\"\n"), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("bare number") && ran.err.contains("`mode` is not built yet"), "{}", ran.err);
    let ran = run(tollway().args(["check", "--config", "/no/such/file.toml"]));
    assert!(ran.code == 1 && ran.err.contains("/no/such/file.toml: cannot be read"), "{}", ran.err);
}

#[test]
fn warnings_count_with_strict_only() {
    let shadowed = format!("{}[[rule]]\nid = \"all\"\nprice = \"$1\"\n[[rule]]\nid = \"never\"\nprice = \"$2\"\n", config(""));
    let ran = check(&shadowed, &[]);
    assert!(ran.code == 0 && ran.err.contains("never"), "{}", ran.err);
    assert_eq!(check(&shadowed, &["--strict"]).code, 1);
    let folder = tempfile::tempdir().unwrap();
    let ran = run(tollway().arg("check").arg("--config").arg(write(folder.path(), &config(RULES))));
    assert!(ran.code == 0 && ran.err.contains("TOLLWAY_SIGNER_KEY is not set"), "{}", ran.err);
}

#[test]
fn strict_judges_the_file_not_the_machine() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &config(RULES));
    let strict = |key: Option<&str>| {
        run(tollway().args(["check", "--strict", "--config"]).arg(&file).envs(key.map(|key| ("TOLLWAY_SIGNER_KEY", key))))
    };
    let ran = strict(None);
    assert!(ran.code == 0 && ran.err.starts_with("note: ") && ran.err.contains("TOLLWAY_SIGNER_KEY is not set"), "{}", ran.err);
    // The key of `pay_to`: the signer would hold the revenue.
    let ran = strict(Some("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"));
    assert!(ran.code == 0 && ran.err.starts_with("note: ") && ran.err.contains("`pay_to` itself"), "{}", ran.err);
}

#[test]
fn a_bad_file_is_said_to_be_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "origin = 3");
    for command in [&["serve"][..], &["facilitator"], &["check"], &["ledger", "list"]] {
        let ran = run(tollway().args(command).arg("--config").arg(&file));
        assert_eq!(ran.code, 1);
        assert!(ran.err.starts_with("error: /") && !ran.err.contains("error: error"), "{command:?}: {}", ran.err);
    }
    let ran = run(tollway().args(["serve", "--log-format", "json", "--config"]).arg(&file));
    assert_eq!(ran.code, 1);
    let event: serde_json::Value = serde_json::from_str(&ran.err).unwrap_or_else(|_| panic!("{}", ran.err));
    assert!(event["level"] == "ERROR" && event["message"].as_str().unwrap().contains("tollway.toml:1:10"), "{event}");
}

#[test]
fn a_request_is_explained_rule_by_rule() {
    let explain = |args: &[&str]| {
        let ran = check(&config(RULES), &[&["--explain"], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out
    };
    let out = explain(&["GET", "http://127.0.0.1:4020/reports/q3"]);
    assert!(out.contains("free     does not hold") && out.contains("reports  holds"), "{out}");
    assert!(out.contains("charge by rule `reports`") && out.contains("10000 units of USDC"), "{out}");
    let out = explain(&["GET", "http://127.0.0.1:4020/free"]);
    assert!(out.contains("reports  not tried") && out.contains("allow by rule `free`"), "{out}");
    assert!(explain(&["GET", "http://127.0.0.1:4020/else", "-H", "user-agent: x"]).contains("pass"));
    assert!(explain(&["GET", "http://127.0.0.1:4020/a/../b"]).contains("refused with 400"));
    assert_eq!(check(&config(RULES), &["--explain", "GET", "/no-host"]).code, 2);
    assert_eq!(check(&config(RULES), &["--explain", "GET", "http://h/", "-H", "nonsense"]).code, 2);
    assert_eq!(check(&config(RULES), &["--explain", "GET"]).code, 2);
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    for args in
        [vec!["mcp"], vec!["mcp", "--whatever"], vec!["ledger", "export", "--format", "csv"], vec!["ledger", "reconcile", "--from", "1"]]
    {
        let ran = run(tollway().args(&args));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains("is not built yet") && ran.err.contains(args[0]), "{}", ran.err);
    }
}

#[test]
fn help_and_mistakes() {
    for command in ["", "demo", "serve", "facilitator", "check", "pay", "ledger"] {
        let ran = run(tollway().args(command.split_terminator(' ')).arg("--help"));
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("tollway "), "{command} shows an example: {}", ran.out);
    }
    for args in
        [vec![], vec!["frobnicate"], vec!["serve", "--nope"], vec!["ledger", "show", "pay_1"], vec!["ledger", "list", "--state", "x"]]
    {
        assert_eq!(run(tollway().args(&args)).code, 2, "{args:?}");
    }
    let ran = run(tollway().args(["ledger", "list"]).env("TOLLWAY_LOG", "not=a=filter"));
    assert!(ran.code == 2 && ran.err.contains("TOLLWAY_LOG"), "{}", ran.err);
}

#[test]
fn books_that_do_not_exist_are_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &config(RULES));
    for args in [vec!["ledger", "list"], vec!["ledger", "list", "--json"], vec!["ledger", "show", "pay_00000000000000000000000000000000"]] {
        let ran = run(tollway().args(&args).arg("--config").arg(&file));
        assert!(ran.code == 1 && ran.err.contains("there are no books yet"), "{}", ran.err);
    }
    assert!(!folder.path().join("tollway.db").exists());
}

#[test]
fn every_example_is_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            let ran = run(tollway().arg("check").arg("--config").arg(&file).env("TOLLWAY_SIGNER_KEY", SIGNER));
            assert_eq!(ran.code, 0, "{}: {}", file.display(), ran.err);
            seen += 1;
        }
    }
    assert!(seen >= 5);
}

#[test]
fn a_server_without_its_key_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &config(RULES));
    for command in ["serve", "facilitator"] {
        let ran = run(tollway().arg(command).arg("--config").arg(&file));
        assert!(ran.code == 1 && ran.err.contains("TOLLWAY_SIGNER_KEY is not set"), "{}", ran.err);
    }
}

fn url_of(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let listen = text.lines().find_map(|line| line.strip_prefix("listen = \"")).unwrap();
    format!("http://{}", listen.trim_end_matches('"'))
}

/// The status of a GET, and its body.
fn get(url: &str) -> (u16, String) {
    let ran = run(tollway().args(["pay", url, "--json"]).env("TOLLWAY_BUYER_KEY", common::KEY).args(["--max", "0"]));
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    (report["status"].as_u64().unwrap_or(0) as u16, report["body"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn serve_reloads_keeps_what_is_sound_and_ends_gracefully() {
    let folder = tempfile::tempdir().unwrap();
    let text = config(RULES);
    let file = write(folder.path(), &text);
    let mut server = Server::start("serve", &file);
    let line = server.wait_for("listening on");
    assert!(line.contains("in front of http://127.0.0.1:1") && line.contains("2 rules"), "{line}");
    let gateway = url_of(&file);
    assert_eq!(get(&format!("{gateway}/reports/1")).0, 402);
    assert_eq!(get(&format!("{gateway}/other")).0, 502, "nobody is behind it");

    write(folder.path(), &text.replace("/reports/", "/papers/"));
    server.signal("-HUP");
    assert!(server.wait_for("reloaded").contains(" reloaded"));
    // Long enough for the file to be looked at: it is not loaded again.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!((get(&format!("{gateway}/papers/1")).0, get(&format!("{gateway}/reports/1")).0), (402, 502));

    write(folder.path(), "origin = 3");
    assert!(server.wait_for("reloaded").contains("not reloaded"), "it was loaded twice");
    assert_eq!(get(&format!("{gateway}/papers/1")).0, 402, "the last sound file is in force");

    write(folder.path(), &text.replace("network = \"base-sepolia\"", "store = \"sqlite:other.db\"\nnetwork = \"base-sepolia\""));
    assert!(server.wait_for("not reloaded").contains("`store` changes only with a restart"));

    server.signal("-TERM");
    assert_eq!(server.code(), 0);
}

#[test]
fn port_0_without_a_public_url_is_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    let listens = |text: &str| text.starts_with("listen") || text.starts_with("public_url");
    let rest: String = config(RULES).lines().filter(|line| !listens(line)).map(|line| format!("{line}\n")).collect();
    let text = format!("listen = \"127.0.0.1:0\"\n{rest}");
    let file = write(folder.path(), &text);
    let mut server = Server::start("serve", &file);
    let line = server.wait_for("listening on");
    let gateway = line.split("listening on ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    assert!(!gateway.ends_with(":0"), "{line}");
    let (status, offers) = get(&format!("{gateway}/reports/1"));
    assert!(status == 402 && offers.contains(&format!("{gateway}/reports/1")), "{offers}");
    write(folder.path(), &text.replace("/reports/", "/papers/"));
    server.signal("-HUP");
    assert!(server.wait_for("reloaded").contains(" reloaded"));
    let (status, offers) = get(&format!("{gateway}/papers/1"));
    assert!(status == 402 && offers.contains(&format!("{gateway}/papers/1")), "{offers}");
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let text = config(RULES);
    let file = write(folder.path(), &text);
    let address = url_of(&file).replace("http://", "");
    let _taken = std::net::TcpListener::bind(&address).unwrap();
    let ran = run(tollway().arg("serve").arg("--config").arg(&file).env("TOLLWAY_SIGNER_KEY", SIGNER));
    assert!(ran.code == 1 && ran.err.contains(&address), "{}", ran.err);
}

#[test]
fn the_facilitator_serves_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let file = write(folder.path(), &format!("{}[facilitator_server]\nlisten = \"127.0.0.1:{port}\"\n", config("")));
    let mut server = Server::start("facilitator", &file);
    server.wait_for("facilitator listening on");
    let (status, body) = get(&format!("http://127.0.0.1:{port}/supported"));
    assert!(status == 200 && body.contains("\"kinds\":[]"), "what cannot be settled yet is not offered: {body}");
    server.signal("-INT");
    assert_eq!(server.code(), 0);
}
