//! What a newcomer sees: the 402, the payment, the 200, the transfer.

use std::io::{self, IsTerminal};

use serde::Serialize;

use super::{BUYER, FIRST, SELLER, Shown, Stage, origin::GOODS};
use crate::{
    commands::pay::receipt,
    terminal::{line, printable},
};

/// Text with emphasis, where a terminal shows it.
struct Paint {
    colour: bool,
}

impl Paint {
    fn new() -> Self {
        Self { colour: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    fn with(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn dim(&self, text: &str) -> String {
        self.with("2", text)
    }

    fn status(&self, code: u16) -> String {
        let (colour, words) = match code {
            200 => ("32", "200 OK"),
            402 => ("33", "402 Payment Required"),
            _ => ("31", "unexpected"),
        };
        self.with(colour, words)
    }
}

/// The line of `--json` that says that everything is ready.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    gateway: String,
    origin: String,
    rpc: String,
    /// The control plane is not built yet: null, as its token.
    admin: Option<String>,
    admin_token: Option<String>,
    chain_id: u64,
    asset: String,
    pay_to: String,
    buyer_key: String,
}

pub fn ready_line(stage: &Stage) -> anyhow::Result<()> {
    let ready = Ready {
        gateway: stage.gateway(),
        origin: format!("http://{}", stage.origin),
        rpc: stage.chain.rpc_url(),
        admin: None,
        admin_token: None,
        chain_id: stage.chain.chain_id(),
        asset: stage.chain.token().to_string(),
        pay_to: SELLER.address.to_string(),
        buyer_key: BUYER.key.to_string(),
    };
    line(&serde_json::to_string(&ready)?)?;
    Ok(())
}

/// Who plays, and what is for sale.
pub fn scene(stage: &Stage) -> io::Result<()> {
    let paint = Paint::new();
    line(&paint.bold("Tollway demo: a chain, a token, an origin and the gateway, all in this process"))?;
    line("")?;
    line(&format!("  gateway  {:<24} {}", stage.gateway(), paint.dim("what buyers see")))?;
    line(&format!("  origin   {:<24} {}", format!("http://{}", stage.origin), paint.dim("what is for sale")))?;
    line(&format!("  chain    {:<24} {}", stage.chain.rpc_url(), paint.dim("stands for Base Sepolia, 84532")))?;
    line("")?;
    for good in &GOODS {
        line(&format!("  {:<8} {:<24} {}", good.price, good.path, paint.dim(good.what)))?;
    }
    line("")
}

/// The 402, the signature, the 200, the receipt.
pub async fn first_payment(shown: &mut Shown) -> anyhow::Result<()> {
    let paint = Paint::new();
    let (before, after) = shown.revenue;
    let answer = &mut shown.answer;
    let report = answer.report().await?;
    line(&format!("{}  GET {FIRST}", paint.bold("1")))?;
    for offer in answer.challenge.iter().flat_map(|challenge| &challenge.offers) {
        let terms = format!("{} units of {} on {}", offer.amount, printable(&offer.asset), printable(&offer.network));
        line(&format!("   {}  {terms}", paint.status(402)))?;
        line(&format!("                         to {}, within {} s", printable(&offer.pay_to), offer.max_timeout_seconds))?;
    }
    line("")?;
    line(&format!("{}  GET {FIRST}, with an authorization signed by {}", paint.bold("2"), BUYER.address))?;
    line(&format!("   {}  {}", paint.status(report.status.unwrap_or(0)), printable(report.body.as_deref().unwrap_or_default().trim())))?;
    line("")?;
    for (index, text) in receipt(answer).iter().enumerate() {
        let number = if index == 0 { paint.bold("3") } else { " ".to_owned() };
        line(&format!("{number}  {text}"))?;
    }
    line(&format!("   seller       {before} units before, {after} after"))?;
    line("")?;
    Ok(())
}

/// What to try next.
pub fn invitation(stage: &Stage) -> io::Result<()> {
    let (paint, gateway, tollway) = (Paint::new(), stage.gateway(), this_program());
    let key = BUYER.key;
    let file = stage.folder.path().join("tollway.toml");
    line(&paint.bold("Your turn"))?;
    line("")?;
    line(&format!("  curl -i {gateway}{FIRST}"))?;
    line(&format!("  TOLLWAY_BUYER_KEY={key} \\\n    {tollway} pay {gateway}/article"))?;
    line(&format!("  {tollway} ledger list --config {}", file.display()))?;
    line("")?;
    line(&paint.dim("  With the official client (npm i @x402/fetch @x402/evm viem):"))?;
    line("")?;
    for text in snippet(&gateway).lines() {
        line(format!("  {text}").trim_end())?;
    }
    line("")?;
    line(&paint.dim("Ctrl-C ends everything."))
}

/// A program for the official TypeScript client.
fn snippet(gateway: &str) -> String {
    format!(
        "import {{ wrapFetchWithPayment, x402Client }} from \"@x402/fetch\";
import {{ registerExactEvmScheme }} from \"@x402/evm/exact/client\";
import {{ privateKeyToAccount }} from \"viem/accounts\";

const client = new x402Client();
registerExactEvmScheme(client, {{ signer: privateKeyToAccount(\"{}\") }});
const response = await wrapFetchWithPayment(fetch, client)(\"{gateway}{FIRST}\");
console.log(response.status, await response.json(), response.headers.get(\"PAYMENT-RESPONSE\"));",
        BUYER.key
    )
}

/// How this program is called from here.
fn this_program() -> String {
    let Ok(program) = std::env::current_exe() else { return "tollway".to_owned() };
    let here = std::env::current_dir().unwrap_or_default();
    match program.strip_prefix(&here) {
        Ok(relative) => format!("./{}", relative.display()),
        Err(_) => program.display().to_string(),
    }
}
