//! What must hold between Tollway and the official clients, sellers and facilitators.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use super::stage::{self, Anvil, BUYER_KEY, Gateway, PAY_TO, PRICE, Payment, SIGNER_KEY, TOKEN};
use crate::net::{Client, Response, Rpc};
use crate::process::{Server, free_url};
use crate::{shell, tools};

pub type Check = (&'static str, fn() -> anyhow::Result<()>);

pub const ALL: &[Check] = &[
    ("clients", clients_pay_on_anvil),
    ("devnet", clients_pay_on_devnet),
    ("load", three_hundred_payments),
    ("once", one_authorization_two_hundred_times),
    ("spellings", one_authorization_in_every_spelling),
    ("killed", killed_under_load),
    ("facilitator", official_seller_and_client_use_our_facilitator),
    ("remote", gateway_uses_the_official_facilitator),
];

/// The official clients, as commands that pay TARGET_URL.
fn clients() -> anyhow::Result<[(&'static str, Command); 3]> {
    let mut python = shell::command(tools::python()?);
    python.arg(shell::root("interop/pay_v2.py")).env("PRIVATE_KEY", BUYER_KEY);
    Ok([("TypeScript v2", stage::script("pay-v2.mjs")), ("TypeScript v1", stage::script("pay-v1.mjs")), ("Python", python)])
}

fn clients_pay_on_anvil() -> anyhow::Result<()> {
    let anvil = Anvil::start("clients", None)?;
    let gateway = Gateway::start("clients", &anvil.rpc.url, "")?;
    gateway.warm()?;
    for (name, mut client) in clients()? {
        let paid = stage::lines(client.env("TARGET_URL", gateway.paid()).env("COUNT", "5").env("CONCURRENCY", "2"))?;
        all_paid(name, &paid, 5)?;
    }
    books_and_chain_agree(&gateway, &anvil.rpc, 16)?;
    let seen = gateway.origin.seen();
    ensure!(seen.leaks.is_empty(), "payment headers reached the origin: {:?}", seen.leaks);
    ensure!(seen.without_context == 0, "{} requests came without PAYMENT-CONTEXT", seen.without_context);
    Ok(())
}

fn clients_pay_on_devnet() -> anyhow::Result<()> {
    let mut command = stage::tollway()?;
    let mut demo = Server::start("devnet", command.args(["demo", "--json", "--port", "0", "--chain-port", "0", "--origin-port", "0"]))?;
    let announced = demo.announced()?;
    let text = |key: &str| announced[key].as_str().map(str::to_owned).with_context(|| format!("the demo announced no {key}"));
    let (gateway, rpc) = (text("gateway")?, Rpc { url: text("rpc")? });
    let path = priced_path(&gateway)?;
    let before = rpc.transfers_to(&text("asset")?, &text("payTo")?)?.len();
    for (name, mut client) in clients()? {
        client
            .env("PRIVATE_KEY", text("buyerKey")?)
            .env("TARGET_URL", format!("{gateway}{path}"))
            .env("COUNT", "5")
            .env("CONCURRENCY", "2");
        all_paid(name, &stage::lines(&mut client)?, 5)?;
    }
    let after = rpc.transfers_to(&text("asset")?, &text("payTo")?)?.len();
    ensure!(after >= before + 15, "15 payments moved the token {} times", after - before);
    Ok(())
}

/// A path of the gateway's price list that GET pays for.
fn priced_path(gateway: &str) -> anyhow::Result<String> {
    let list = Client::new(gateway).get("/.well-known/x402.json")?.json()?;
    let resource = list["items"].as_array().and_then(|items| items.iter().find_map(|item| item["resource"]["url"].as_str()));
    let resource = resource.with_context(|| format!("the price list names no resource: {list}"))?;
    let (_, path) = resource.trim_start_matches("http://").split_once('/').context("a path")?;
    Ok(format!("/{path}"))
}

fn three_hundred_payments() -> anyhow::Result<()> {
    let anvil = Anvil::start("load", None)?;
    let gateway = Gateway::start("load", &anvil.rpc.url, "")?;
    gateway.warm()?;
    let mut client = stage::script("pay-v2.mjs");
    let paid = stage::lines(client.env("TARGET_URL", gateway.paid()).env("COUNT", "300").env("CONCURRENCY", "64"))?;
    all_paid("TypeScript v2", &paid, 300)?;
    ensure!(gateway.origin.hits() == 301, "the origin was asked {} times for 301 payments", gateway.origin.hits());
    books_and_chain_agree(&gateway, &anvil.rpc, 301)
}

fn one_authorization_two_hundred_times() -> anyhow::Result<()> {
    let anvil = Anvil::start("once", None)?;
    let gateway = Gateway::start("once", &anvil.rpc.url, "")?;
    gateway.warm()?;
    let payment = stage::sign(&gateway.paid(), 1)?.pop().context("a signed payment")?;
    let answers = at_once(200, 200, |_| payment.send(&mut Client::new(&gateway.url)))?;
    let counted = count(&answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    let odd = answers.iter().find(|answer| ![200, 409].contains(&answer.status) && !is_pending(answer));
    ensure!(odd.is_none(), "the rest should be 409 or pending: {counted:?}, {}", odd.map(Response::text).unwrap_or_default());
    ensure!(counted.get(&200) == Some(&1), "one of 200 should have been served: {counted:?}");
    ensure!(gateway.origin.hits() == 2, "the origin was asked {} times for 2 payments", gateway.origin.hits());
    books_and_chain_agree(&gateway, &anvil.rpc, 2)
}

fn one_authorization_in_every_spelling() -> anyhow::Result<()> {
    let anvil = Anvil::start("spellings", None)?;
    let gateway = Gateway::start("spellings", &anvil.rpc.url, "")?;
    gateway.warm()?;
    let spellings = stage::lines(stage::script("sign-v2.mjs").env("TARGET_URL", gateway.paid()).env("SPELLINGS", "1"))?;
    ensure!(spellings.len() >= 40, "only {} spellings", spellings.len());
    // Twice: all at once, and again when the outcome is known.
    let mut served = 0;
    for _ in 0..2 {
        let answers = at_once(spellings.len(), spellings.len(), |index| spelled(&gateway.url, &spellings[index]))?;
        for (spelling, answer) in spellings.iter().zip(&answers) {
            let expected = [200, 400, 402, 409].contains(&answer.status) || is_pending(answer);
            ensure!(expected, "{}: answered {} {}", spelling["name"], answer.status, answer.text());
            served += usize::from(answer.status == 200);
        }
    }
    ensure!(served == 1, "one of {} spellings should have been served, not {served}", spellings.len());
    ensure!(gateway.origin.hits() == 2, "the origin was asked {} times for 2 payments", gateway.origin.hits());
    books_and_chain_agree(&gateway, &anvil.rpc, 2)
}

/// The recorded outcome while the chain has not spoken.
fn is_pending(answer: &Response) -> bool {
    answer.status == 503 && answer.json().is_ok_and(|body| body["error"] == "settlement_pending")
}

fn spelled(gateway: &str, spelling: &Value) -> anyhow::Result<Response> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let headers = spelling["headers"].as_array().context("headers")?;
    let headers = headers.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect::<Vec<_>>();
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
    let path = format!("/paid{}", text(&spelling["query"]));
    Client::new(gateway).send(&text(&spelling["method"]), &path, &headers, &[])
}

/// SIGKILL while payments are in every state, then the same books again: every payment is sent until it is decided.
fn killed_under_load() -> anyhow::Result<()> {
    const PAYMENTS: usize = 120;
    let anvil = Anvil::start("killed", Some(1))?;
    let mut gateway = Gateway::start("killed", &anvil.rpc.url, "")?;
    gateway.warm()?;
    let payments = stage::sign(&gateway.paid(), PAYMENTS)?;
    let url = gateway.url.clone();
    let before = std::thread::scope(|scope| {
        // What the kill cuts off has no status: 0.
        let load = scope.spawn(|| {
            at_once(PAYMENTS, 24, |index| Ok(payments[index].send(&mut Client::new(&url)).map_or(0, |response| response.status)))
        });
        std::thread::sleep(Duration::from_millis(2500));
        gateway.server.kill()?;
        load.join().map_err(|_| anyhow::anyhow!("the load panicked"))?
    })?;
    gateway.restart()?;
    let after = at_once(PAYMENTS, 24, |index| decided(&gateway, &payments[index]))?;
    let used = anvil.rpc.used_nonces(TOKEN)?;
    for (index, payment) in payments.iter().enumerate() {
        let served = usize::from(before[index] == 200) + usize::from(after[index] == 200);
        let charged = used.iter().filter(|nonce| **nonce == payment.nonce).count();
        let story = format!("payment {} was answered {} and after the restart {}", payment.id, before[index], after[index]);
        ensure!(charged <= 1, "{story}: charged {charged} times");
        ensure!(charged == 0 || served > 0, "{story}: charged and denied");
        ensure!(served == 0 || charged == 1, "{story}: served free");
    }
    ensure!(count(&before).contains_key(&0), "the kill came too late: {:?}", count(&before));
    println!("    before the kill {:?}, after the restart {:?}", count(&before), count(&after));
    books_and_chain_agree(&gateway, &anvil.rpc, used.len())
}

/// Sends a payment until the answer is final.
fn decided(gateway: &Gateway, payment: &Payment) -> anyhow::Result<u16> {
    for _ in 0..300 {
        let response = payment.send(&mut Client::new(&gateway.url))?;
        let waits = response.status == 503 || response.status == 409 && response.header("retry-after").is_some();
        if !waits {
            return Ok(response.status);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("payment {} is still not decided\n{}", payment.id, gateway.server.tail())
}

fn official_seller_and_client_use_our_facilitator() -> anyhow::Result<()> {
    let anvil = Anvil::start("facilitator", None)?;
    let (url, _facilitator) = our_facilitator(&anvil.rpc.url)?;
    let said = stage::lines(stage::script("facilitator-client.mjs").env("FACILITATOR_URL", &url).env("PAY_TO", PAY_TO))?;
    let said = said.first().context("the client said nothing")?;
    let holds = |what: &str, truth: bool| if truth { Ok(()) } else { Err(anyhow::anyhow!("{what}: {said}")) };
    holds("the payment verifies", said["verified"]["isValid"] == true)?;
    holds("it settles", said["settled"]["success"] == true)?;
    holds(
        "settled again it is the recorded result",
        said["again"]["success"] == true && said["again"]["transaction"] == said["settled"]["transaction"],
    )?;
    holds("a used one does not verify", said["used"]["isValid"] == false)?;
    holds("a forged one does not verify", said["forged"]["isValid"] == false && said["forged"]["threw"].is_null())?;
    holds("too little does not verify", said["dearer"]["isValid"] == false)?;
    holds("another payee is not settled", said["elsewhere"]["success"] == false)?;

    let mut command = stage::script("seller.mjs");
    let mut seller = Server::start("facilitator-seller", command.env("FACILITATOR_URL", &url).env("PAY_TO", PAY_TO))?;
    let target = seller.announced()?["url"].as_str().context("the seller's URL")?.to_owned();
    for (name, mut client) in clients()?.into_iter().filter(|(name, _)| *name != "TypeScript v1") {
        let paid = stage::lines(client.env("TARGET_URL", format!("{target}/paid")).env("COUNT", "30").env("CONCURRENCY", "16"))?;
        all_paid(name, &paid, 30)?;
    }
    let transfers = anvil.rpc.transfers_to(TOKEN, PAY_TO)?;
    ensure!(transfers.len() == 61, "61 payments moved the token {} times", transfers.len());
    Ok(())
}

/// `tollway facilitator` on a chain; where it listens.
pub fn our_facilitator(rpc: &str) -> anyhow::Result<(String, Server)> {
    let folder = shell::target("interop/facilitator");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let url = free_url()?;
    let config = format!(
        r#"network = "eip155:84532"
[facilitator_server]
listen = "{}"
[[networks]]
id = "eip155:84532"
rpc = ["{rpc}"]
signer = {{ env = "TOLLWAY_SIGNER_KEY" }}
"#,
        url.trim_start_matches("http://")
    );
    std::fs::write(folder.join("tollway.toml"), config)?;
    let mut command = stage::tollway()?;
    command.arg("facilitator").arg("--config").arg(folder.join("tollway.toml")).env("TOLLWAY_SIGNER_KEY", SIGNER_KEY);
    let mut server = Server::start("facilitator", &mut command)?;
    server.listens(&url)?;
    Ok((url, server))
}

fn gateway_uses_the_official_facilitator() -> anyhow::Result<()> {
    let anvil = Anvil::start("remote", None)?;
    let mut command = stage::script("facilitator.mjs");
    let mut theirs = Server::start("remote-facilitator", command.env("RPC_URL", &anvil.rpc.url).env("PRIVATE_KEY", SIGNER_KEY))?;
    let url = theirs.announced()?["url"].as_str().context("the facilitator's URL")?.to_owned();
    let gateway = Gateway::start("remote", &anvil.rpc.url, &format!("facilitator = [\"{url}\"]"))?;
    gateway.warm()?;
    for (name, mut client) in clients()? {
        let paid = stage::lines(client.env("TARGET_URL", gateway.paid()).env("COUNT", "10").env("CONCURRENCY", "4"))?;
        all_paid(name, &paid, 10)?;
    }
    books_and_chain_agree(&gateway, &anvil.rpc, 31)
}

/// Every line of a client says 200 and paid.
fn all_paid(client: &str, lines: &[Value], count: usize) -> anyhow::Result<()> {
    let unpaid = lines.iter().filter(|line| line["paid"] != true || line["status"] != 200).collect::<Vec<_>>();
    ensure!(unpaid.is_empty(), "{client}: {} of {} did not pay: {}", unpaid.len(), lines.len(), unpaid[0]);
    ensure!(lines.len() == count, "{client}: {} of {count} payments came back", lines.len());
    Ok(())
}

/// As many settled payments in the books as transfers on the chain, each of the price, each authorization used once, none pending.
fn books_and_chain_agree(gateway: &Gateway, rpc: &Rpc, payments: usize) -> anyhow::Result<()> {
    let transfers = rpc.transfers_to(TOKEN, PAY_TO)?;
    ensure!(transfers.len() == payments, "{payments} payments moved the token {} times", transfers.len());
    ensure!(transfers.iter().all(|transfer| transfer.value == PRICE), "a transfer is not of the price");
    let mut nonces = rpc.used_nonces(TOKEN)?;
    nonces.sort();
    nonces.dedup();
    ensure!(nonces.len() == payments, "{payments} payments used {} authorizations", nonces.len());
    let books = gateway.books()?;
    let settled =
        books.iter().filter(|row| ["settled", "delivered"].contains(&row["state"].as_str().unwrap_or_default())).collect::<Vec<_>>();
    ensure!(settled.len() == payments, "{payments} payments are {} settled rows in the books: {:?}", settled.len(), states(&books));
    ensure!(!books.iter().any(|row| row["state"] == "pending"), "payments are pending: {:?}", states(&books));
    let on_chain = |row: &&Value| transfers.iter().any(|transfer| row["transaction"] == transfer.transaction.as_str());
    ensure!(settled.iter().all(on_chain), "the books name a transaction that the chain does not have");
    Ok(())
}

fn states(books: &[Value]) -> BTreeMap<String, usize> {
    count(&books.iter().map(|row| row["state"].to_string()).collect::<Vec<_>>())
}

fn count<T: Ord + Clone>(values: &[T]) -> BTreeMap<T, usize> {
    let mut counted = BTreeMap::new();
    for value in values {
        *counted.entry(value.clone()).or_default() += 1;
    }
    counted
}

/// Runs `each` for 0..count on that many threads; the results in order.
fn at_once<T: Send>(count: usize, threads: usize, each: impl Fn(usize) -> anyhow::Result<T> + Sync) -> anyhow::Result<Vec<T>> {
    let next = Mutex::new(0..count);
    let take = || next.lock().ok().and_then(|mut range| range.next());
    let mut results = std::thread::scope(|scope| {
        let worker = || std::iter::from_fn(&take).map(|index| (index, each(index))).collect::<Vec<_>>();
        let workers = (0..threads).map(|_| scope.spawn(worker)).collect::<Vec<_>>();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    ensure!(results.len() == count, "a worker panicked");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
