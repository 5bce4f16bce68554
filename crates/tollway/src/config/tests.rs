#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use ::facilitator::Finality;
use rules::{PriceSpec, SettleWhen};

use super::{Config, Purpose, Secret, parse};

const SMALLEST: &str = r#"origin  = "http://127.0.0.1:3000"
pay_to  = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"
network = "base"
[[rule]]
price   = "$0.001"
"#;

fn load(text: &str) -> Result<Config, String> {
    parse(Path::new("/etc/tollway/t.toml"), text.to_owned(), Purpose::Gateway).map_err(|faults| faults.to_string())
}

/// The smallest file with lines at the top, and lines in its rule.
fn with(top: &str, rule: &str) -> String {
    format!("{top}\n{SMALLEST}{rule}\n")
}

#[test]
fn the_smallest_file_is_five_lines() {
    let config = load(SMALLEST).unwrap();
    let network = &config.networks[0];
    assert_eq!(network.network.as_str(), "eip155:8453");
    assert!(!network.rpc.is_empty());
    assert_eq!((network.assets.len(), network.assets[0].name.as_str()), (1, "USD Coin"));
    assert_eq!(network.signers, [Secret::Env("TOLLWAY_SIGNER_KEY".to_owned())]);
    assert_eq!((network.finality, config.store_path().to_str()), (Finality::Blocks(1), Some("/etc/tollway/tollway.db")));
    let seller = config.seller.unwrap();
    assert_eq!(
        (seller.gateway.listen.to_string(), seller.gateway.public_url.as_str()),
        ("127.0.0.1:4020".to_owned(), "http://127.0.0.1:4020")
    );
    assert_eq!((seller.gateway.request_buffer, seller.gateway.trusted_proxies.len()), (1 << 20, 0));
    let rule = &seller.rules.rules()[0];
    assert_eq!(
        (rule.id(), rule.price(), rule.settle()),
        ("rule-1", Some(&PriceSpec::Dollars("$0.001".to_owned())), SettleWhen::BeforeResponse)
    );
    assert_eq!((rule.quote_for(), rule.buffer(), rule.keep(), rule.redeliver()), (300, 1 << 20, 64 << 10, 3));
    let warned: Vec<_> = config.warnings.iter().map(|w| w.message.as_str()).collect();
    assert!(warned.len() == 1 && warned[0].contains("public_url"), "{warned:?}");
}

#[test]
fn every_built_key_is_read() {
    let config = load(
        r#"
origin = "https://origin.internal:8443/"
listen = "0.0.0.0:443"
public_url = "https://api.example.com/"
pay_to = "0x209693bc6afc0c5328ba36faf03c514ef312287c"
network = ["base-sepolia", "eip155:31337"]
store = "sqlite:data/books.db"
settle = "before-origin"
default = "deny"
timeout = 90
trusted_proxies = ["10.0.0.0/8", "192.0.2.7"]
facilitator = []
mcp = []
mcp_unpaid = "result"
request_buffer = "64KiB"
[facilitator_server]
listen = "0.0.0.0:4022"
tokens = ["0123456789abcdef", { env = "TOKEN" }]
pay_to = ["0x209693Bc6afc0C5328bA36FaF03C514EF312287C"]
[[networks]]
id = "eip155:84532"
rpc = ["http://127.0.0.1:8545", "http://127.0.0.1:8546"]
signer = [{ env = "A" }, { file = "b.key" }]
finality = 3
factories = ["0x5FbDB2315678afecb367f032d93F642f64180aa3"]
[[networks]]
id = "eip155:31337"
rpc = "http://127.0.0.1:8545"
finality = "safe"
assets = [{ address = "0x5FbDB2315678afecb367f032d93F642f64180aa3", name = "T", version = "1", decimals = 18, usd = true }]
[[rule]]
id = "a"
when = 'http.request.uri.path eq "/a"'
price = { amount = "10000", asset = "0x5FbDB2315678afecb367f032d93F642f64180aa3" }
scheme = "exact"
settle = "before-response"
action = "charge"
mode = "enforce"
audience = "everyone"
resource = "https://api.example.com/a"
description = "A"
convert_401 = false
quote_for = "1h"
buffer = "2MiB"
keep = "0B"
redeliver = 0
upgrade = false
[[rule]]
action = "block"
"#,
    )
    .unwrap();
    let [sepolia, own] = config.networks.as_slice() else { panic!("{:?}", config.networks) };
    assert_eq!(sepolia.signers, [Secret::Env("A".to_owned()), Secret::File("/etc/tollway/b.key".into())]);
    assert_eq!((sepolia.rpc.len(), sepolia.finality, own.finality), (2, Finality::Blocks(3), Finality::Safe));
    assert_eq!((own.assets[0].decimals, own.assets[0].usd, own.assets[0].built_in), (18, true, false));
    assert!(sepolia.assets[0].built_in);
    assert_eq!((sepolia.factories.len(), own.factories.len()), (1, 0));
    assert_eq!(config.store_path(), Path::new("/etc/tollway/data/books.db"));
    assert_eq!((config.facilitator_server.tokens.len(), config.facilitator_server.pay_to.len()), (2, 1));
    let seller = config.seller.unwrap();
    assert_eq!((seller.gateway.public_url.as_str(), seller.gateway.trusted_proxies.len()), ("https://api.example.com", 2));
    assert_eq!(seller.rules.rules()[0].keep(), 0);
}

#[test]
fn an_asset_spelled_out_as_built_in_stays_built_in() {
    let usdc = r#"[[networks]]
id = "base-sepolia"
assets = [{ address = "0x036CbD53842c5426634e7929541eC2318f3dCF7e", name = "USDC", version = "2", decimals = 6, usd = true }]"#;
    let text = format!("{}\n{usdc}\n", SMALLEST.replace("\"base\"", "\"base-sepolia\""));
    let config = load(&text).unwrap();
    assert!(config.networks[0].assets[0].built_in && config.networks[0].assets.len() == 1);
    let renamed = load(&text.replace("\"USDC\"", "\"Other\"")).unwrap();
    assert!(!renamed.networks[0].assets[0].built_in, "what is configured is read from the chain and compared");
}

/// Each refusal says what is wrong and what would be right.
#[test]
fn faults_at_the_top_of_the_file() {
    let cases = [
        ("orgin = \"x\"", "unknown key `orgin`; did you mean `origin`?"),
        ("zzz = 1", "unknown key `zzz`; known are"),
        ("listen = \"localhost:4020\"", "write \"127.0.0.1:4020\""),
        ("listen = 4020", "an integer where a string such as \"127.0.0.1:4020\" is wanted"),
        ("listen = \"0.0.0.0:80\"", "add public_url"),
        ("public_url = \"https://a.test/path\"", "only scheme, host and port are wanted, such as \"https://a.test\""),
        ("public_url = \"https://u:p@a.test\"", "user names and passwords"),
        ("public_url = \"api.example.com\"", "no URL"),
        ("public_url = \"ftp://a.test\"", "no http:// or https:// URL"),
        ("store = \"postgres://x/y\"", "PostgreSQL is not built yet"),
        ("store = \"tollway.db\"", "write \"sqlite:\""),
        ("store = \"sqlite::memory:\"", "is no store"),
        ("settle = \"after-response\"", "\"after-response\" (credit) is not built yet"),
        ("settle = \"before-respons\"", "did you mean \"before-response\"?"),
        ("default = \"allow\"", "known are \"pass\", \"deny\""),
        ("timeout = \"60s\"", "a whole number from 1 to 86400"),
        ("timeout = 0", "0 is not a whole number from 1"),
        ("timeout = 1.5", "a float where a whole number"),
        ("trusted_proxies = [\"10.0.0.0/40\"]", "no CIDR"),
        ("trusted_proxies = \"10.0.0.0/8\"", "a string where a list of CIDRs"),
        ("facilitator = [\"x402.org\"]", "no URL"),
        ("facilitator = \"https://x402.org\"", "a list of URLs"),
        ("mcp = [\"/mcp\"]", "`mcp` is not built yet; only [] is"),
        ("mcp_unpaid = \"http\"", "`mcp_unpaid` is not built yet; only \"result\" is"),
        ("credit = { payer = \"$1\" }", "`credit` is not built yet"),
        ("admin = { listen = \"127.0.0.1:4021\" }", "`admin` is not built yet"),
        ("request_buffer = 1048576", "an integer where a string such as \"1MiB\""),
        ("request_buffer = \"1MB\"", "write \"64KiB\""),
        ("facilitator_server = { listen = \"0.0.0.0:1\" }", "who can reach it could spend the signer's gas"),
        ("facilitator_server = { lisen = \"127.0.0.1:1\" }", "unknown key `lisen` in [facilitator_server]; did you mean `listen`?"),
        ("facilitator_server = { tokens = [\"short\"] }", "at least 16"),
        ("default = \"pass\"\ndefault = \"pass\"", "duplicate key"),
        ("default = ", "t.toml:1:"),
    ];
    assert_refused(cases.map(|(line, said)| (with(line, ""), said)));
}

#[test]
fn faults_of_payee_and_networks() {
    let payee = |text: &str| SMALLEST.replace("0x209693Bc6afc0C5328bA36FaF03C514EF312287C", text);
    let network = |text: &str| SMALLEST.replace("\"base\"", text);
    let sepolia = |lines: &str| format!("{}[[networks]]\nid = \"eip155:84532\"\n{lines}\n", network("\"base-sepolia\""));
    assert_refused([
        (payee("0x209693bc6afc0C5328bA36FaF03C514EF312287C"), "wrong EIP-55 checksum"),
        (payee("0x0000000000000000000000000000000000000000"), "zero address"),
        (payee("0x209693Bc6afc0C5328bA36FaF03C514EF31228"), "40 hex digits are wanted, these are 38"),
        (payee("209693Bc6afc0C5328bA36FaF03C514EF312287C"), "write 0x and 40 hex digits"),
        (payee("vitalik.eth"), "no address"),
        (SMALLEST.replace("pay_to ", "#"), "`pay_to` is missing; write pay_to = "),
        (SMALLEST.replace("origin ", "#"), "`origin` is missing; write origin = \"http://127.0.0.1:3000\""),
        (SMALLEST.replace("network ", "#"), "`network` is missing; write network = \"base\""),
        (SMALLEST.replace(":3000", ":3000/api"), "has a path or a query"),
        (network("\"bass\""), "did you mean \"base\"?"),
        (network("\"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp\""), "no EVM chain"),
        (network("\"eip155:31337\""), "no public node of eip155:31337 is known here"),
        (network("[]"), "no network is named"),
        (network("[\"base\", \"eip155:8453\"]"), "named twice"),
        (format!("{SMALLEST}[[networks]]\nid = \"base-sepolia\"\n"), "eip155:84532 is configured, and not named in `network`"),
        (sepolia("ws = \"ws://127.0.0.1:8545\""), "`ws` is not built yet; leave it out"),
        (sepolia("finality = 0"), "0 is not a whole number from 1"),
        (sepolia("finality = \"latest\""), "known are \"safe\", \"finalized\""),
        (sepolia("rpc = []"), "no URL is named"),
        (sepolia("rpc = [\"127.0.0.1:8545\"]"), "`rpc`"),
        (sepolia("signer = { env = \"A\", file = \"b\" }"), "either { env"),
        (sepolia("signer = []"), "no key is named"),
        (sepolia("assets = [{ address = \"0x036CbD53842c5426634e7929541eC2318f3dCF7e\" }]"), "`name` is missing in assets"),
        (sepolia("rpcs = []"), "unknown key `rpcs` in [[networks]]; did you mean `rpc`?"),
        (format!("{}[[networks]]\nid = \"eip155:84532\"\n", sepolia("")), "configured twice"),
    ]);
}

#[test]
fn faults_of_rules() {
    let cases = [
        ("when = 'http.request.uri.pth eq \"/\"'", "`when`"),
        ("settle = \"after-response\"", "not built yet"),
        ("scheme = \"upto\"", "\"upto\" is not built yet; write \"exact\""),
        ("scheme = \"origin_controlled\"", "\"origin_controlled\" is not built yet"),
        ("scheme = \"exakt\"", "did you mean \"exact\"?"),
        ("action = \"deny\"", "known are \"charge\", \"allow\", \"block\""),
        ("action = \"allow\"", "price"),
        ("mode = \"enfroce\"", "`mode`: \"enfroce\" is none of its values; did you mean \"enforce\"?"),
        ("mode = \"dry\"", "known are \"enforce\", \"observe\""),
        ("mode = true", "a boolean where a string such as \"enforce\", \"observe\""),
        ("audience = \"people\"", "known are \"everyone\", \"bots\", \"verified-bots\", \"unauthenticated\""),
        ("upgrade = 1", "an integer where true or false"),
        ("resource = \"zz\"", "`resource`: \"zz\" is no URL"),
        ("resource = \"/reports\"", "`resource`: \"/reports\" is no URL"),
        ("resource = \"http:reports\"", "no http:// or https:// URL"),
        ("resource = \"ftp://a.test/x\"", "no http:// or https:// URL"),
        ("mode = \"observe\"", "`mode` is not built yet; only \"enforce\" is"),
        ("audience = \"bots\"", "`audience` is not built yet; only \"everyone\" is"),
        ("credential = { origin = true }", "`credential` is not built yet; leave it out"),
        ("charge_when = 'http.response.code eq 200'", "`charge_when` is not built yet"),
        ("free = { requests = 10, per = \"1h\" }", "`free` is not built yet"),
        ("meter = { by = \"bytes\" }", "`meter` is not built yet"),
        ("convert_401 = true", "`convert_401` is not built yet; only false is"),
        ("upgrade = true", "`upgrade` is not built yet; only false is"),
        ("quote_for = 300", "a string such as \"5m\""),
        ("quote_for = \"5 minutes\"", "write \"30s\""),
        ("quote_for = \"-5m\"", "is no duration"),
        ("keep = \"99999999999GiB\"", "is no size"),
        ("redeliver = -1", "-1 is not a whole number"),
        ("redeliver = 99999999999999999999", "redeliver"),
        ("descripton = \"x\"", "unknown key `descripton` in [[rule]]; did you mean `description`?"),
        ("default = \"deny\"", "unknown key `default` in [[rule]]; `default` belongs at the top of the file"),
        ("defualt = \"deny\"", "unknown key `defualt` in [[rule]]; `default` belongs at the top of the file"),
        ("[[rule]]\nid = \"rule-1\"\nprice = \"$1\"", "ids are unique"),
        ("[[rule]]", "a rule that charges needs one"),
    ];
    assert_refused(cases.map(|(line, said)| (with("", line), said)));
    let price = |text: &str| SMALLEST.replace("\"$0.001\"", text);
    assert_refused([
        (price("0.001"), "a bare number says neither dollars nor units; write \"$0.001\""),
        (price("1"), "a bare number"),
        (price("\"0.001\""), "has no currency; write \"$0.001\" for dollars"),
        (price("\"€1\""), "is no price"),
        (price("\"$-1\""), "is no price"),
        (price("\"$1e-3\""), "is no price"),
        (price("\"$0.0000001\""), "rule `rule-1`, `price`"),
        (price("\"$0\""), "rule `rule-1`, `price`"),
        (price("{ formula = '0.001', max = \"$1\" }"), "price formulas are not built yet"),
        (price("{ amount = 10 }"), "`amount`: an integer where a string"),
        (price("{ amount = \"010\", asset = \"0x036CbD53842c5426634e7929541eC2318f3dCF7e\" }"), "no amount of atomic units"),
        (price("{ amount = \"10\", asset = \"0x036CbD53842c5426634e7929541eC2318f3dCF7e\" }"), "rule `rule-1`, `price`"),
    ]);
}

#[track_caller]
fn assert_refused<const N: usize>(cases: [(String, &str); N]) {
    for (text, said) in cases {
        let faults = load(&text).err().unwrap_or_else(|| panic!("is taken, not refused:\n{text}"));
        assert!(faults.contains(said), "wanted: {said}\nsaid: {faults}\nof:\n{text}");
        assert!(faults.starts_with("error: /etc/tollway/t.toml"), "{faults}");
    }
}

#[test]
fn all_faults_are_told_at_once_in_order_and_in_place() {
    let faults = load("origin = 3\nlisen = \"x\"\npay_to = \"0x0000000000000000000000000000000000000000\"\nnetwork = \"base\"\n[[rule]]\n  price = 0.001\n").unwrap_err();
    let places: Vec<_> = faults.lines().filter(|line| line.starts_with("error")).map(|line| line.split(": ").nth(1).unwrap()).collect();
    let file = |place| format!("/etc/tollway/t.toml:{place}");
    assert_eq!(places, ["1:10", "2:1", "3:10", "6:11"].map(file));
    assert!(faults.contains("  6 |   price = 0.001\n    |           ^^^^^"), "{faults}");
}

#[test]
fn conditions_are_checked_whatever_else_is_wrong() {
    let faults = load(&with("zzz = 1", "when = 'http.hots eq \"x\"'\n[[rule]]\nprice = 1")).unwrap_err();
    assert!(faults.contains("http.hots") && faults.contains("`zzz`") && faults.contains("bare number"), "{faults}");
    assert_eq!(faults.matches("error:").count(), 3, "{faults}");
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    let secret = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
    let network = SMALLEST.replace("\"base\"", "\"base-sepolia\"") + "[[networks]]\nid = \"base-sepolia\"\n";
    let faults = load(&format!("{network}signer = \"{secret}\"\n")).unwrap_err();
    assert!(faults.contains("secrets do not stand in this file; write { env = \"TOLLWAY_SIGNER_KEY\" }"), "{faults}");
    for signer in
        [format!("\"{secret}\""), format!("{{ key = \"{secret}\" }}"), format!("[\"{secret}\"]"), format!("{{ env = [\"{secret}\"] }}")]
    {
        let faults = load(&format!("{network}signer = {signer}\n")).unwrap_err();
        assert!(!faults.contains(&secret[2..]), "{faults}");
    }
    let faults = load(&with("facilitator_server = { tokens = [\"hush hush hush hush\"] }", "")).unwrap_err();
    assert!(!faults.contains("hush"), "{faults}");
}

#[test]
fn signers_are_read_only_when_they_are_needed() {
    let config = load(&SMALLEST.replace("network =", "facilitator = [\"https://facilitator.test\"]\nnetwork =")).unwrap();
    let remote = config.facilitator().unwrap();
    assert_eq!((remote.remotes.len(), remote.networks[0].signers.len()), (1, 0));
    assert!(remote.networks[0].rpc.is_empty(), "nobody on the internet is asked who is not named");
    let watched = SMALLEST.replace("network =", "facilitator = [\"https://facilitator.test\"]\nnetwork =")
        + "[[networks]]\nid = \"base\"\nrpc = [\"http://127.0.0.1:8545\"]\n";
    assert_eq!(load(&watched).unwrap().networks[0].rpc, ["http://127.0.0.1:8545"]);

    let folder = tempfile::tempdir().unwrap();
    let own = |signer: &str| {
        let text = SMALLEST.replace("\"base\"", "\"base-sepolia\"") + "[[networks]]\nid = \"base-sepolia\"\nsigner = " + signer;
        parse(&folder.path().join("t.toml"), text, Purpose::Gateway).unwrap()
    };
    let faults = own("{ env = \"TOLLWAY_TEST_NOT_SET\" }").facilitator().unwrap_err().to_string();
    assert!(faults.contains("TOLLWAY_TEST_NOT_SET is not set") && faults.contains("eip155:84532"), "{faults}");
    let faults = own("{ file = \"none.key\" }").facilitator().unwrap_err().to_string();
    assert!(faults.contains("none.key cannot be read"), "{faults}");
    std::fs::write(folder.path().join("bad.key"), "0xsecretsecret").unwrap();
    let faults = own("{ file = \"bad.key\" }").facilitator().unwrap_err().to_string();
    assert!(faults.contains("bad.key: a signer key is 32 bytes") && !faults.contains("secretsecret"), "{faults}");
    // The development key of 0x70997970…: the signer would hold the revenue.
    std::fs::write(folder.path().join("good.key"), "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d\n").unwrap();
    let mut config = own("{ file = \"good.key\" }");
    let facilitator = config.facilitator().unwrap();
    assert!(config.warnings_of_keys(&facilitator).is_empty());
    config.seller.as_mut().unwrap().pay_to = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8".parse().unwrap();
    assert_eq!(config.warnings_of_keys(&facilitator).len(), 1);
}

#[test]
fn a_file_for_the_facilitator_alone_needs_no_origin() {
    let text = "network = \"base\"\n[facilitator_server]\nlisten = \"127.0.0.1:4022\"\n";
    let read = |purpose| parse(Path::new("t.toml"), text.to_owned(), purpose);
    for purpose in [Purpose::Facilitator, Purpose::Check, Purpose::Ledger] {
        assert!(read(purpose).unwrap().seller.is_none());
    }
    assert!(read(Purpose::Gateway).unwrap_err().to_string().contains("`origin` is missing"));
    assert!(parse(Path::new("t.toml"), String::new(), Purpose::Ledger).is_ok());
}

#[test]
fn doubtful_files_are_warned_about() {
    let warned = |text: &str| load(text).unwrap().warnings.into_iter().map(|w| w.message).collect::<Vec<_>>().join("\n");
    assert!(warned(&with("public_url = \"http://api.example.com\"", "")).contains("unencrypted"));
    assert_eq!(warned(&with("public_url = \"http://127.0.0.1:4020\"", "")), "");
    assert_eq!(warned(&with("public_url = \"https://api.example.com\"", "")), "");
    let nothing: String = SMALLEST.lines().take(3).map(|line| format!("{line}\n")).collect();
    assert!(warned(&nothing).contains("nothing is charged"));
    let priced = |url: &str| warned(&with("public_url = \"https://a.test\"", &format!("resource = \"{url}\"")));
    assert_eq!(priced("https://a.test:443/x"), "");
    assert!(priced("https://b.test/x").contains("not under https://a.test"));
    assert!(warned(&with("listen = \"127.0.0.1:0\"", "")).contains("the port that is free"));
    let shadowed = load(&with("public_url = \"http://localhost:1\"", "[[rule]]\nid = \"late\"\nprice = \"$1\"")).unwrap();
    assert_eq!(shadowed.warnings[0].place_in("t.toml"), "t.toml:7:1", "{:?}", shadowed.warnings);
    assert!(warned(&with("public_url = \"http://localhost:1\"", "[[rule]]\nid = \"late\"\nprice = \"$1\"")).contains("late"), "shadowed");
}
