use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::Client;

/// `Transfer(address,address,uint256)` of ERC-20.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// `AuthorizationUsed(address,bytes32)` of EIP-3009.
const AUTHORIZATION_USED: &str = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";

/// A node, asked over JSON-RPC.
pub struct Rpc {
    pub url: String,
}

/// A token's movement.
pub struct Transfer {
    pub transaction: String,
    pub value: u128,
}

impl Rpc {
    pub fn call(&self, method: &str, parameters: Value) -> anyhow::Result<Value> {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters }).to_string();
        let answer = Client::new(&self.url).send("POST", "/", &[("Content-Type", "application/json")], question.as_bytes())?.json()?;
        if let Some(error) = answer.get("error") {
            bail!("{method}: {error}");
        }
        Ok(answer.get("result").cloned().unwrap_or(Value::Null))
    }

    /// What the token moved to `payee`, since the first block.
    pub fn transfers_to(&self, token: &str, payee: &str) -> anyhow::Result<Vec<Transfer>> {
        let logs = self.logs(token, json!([TRANSFER, null, topic(payee)]))?;
        logs.iter()
            .map(|log| {
                let value = text(log, "data")?;
                let value = u128::from_str_radix(value.trim_start_matches("0x"), 16).context("a value above 128 bits")?;
                Ok(Transfer { transaction: text(log, "transactionHash")?.to_owned(), value })
            })
            .collect()
    }

    /// The nonces of all authorizations that the token has seen used, in lower-case hex.
    pub fn used_nonces(&self, token: &str) -> anyhow::Result<Vec<String>> {
        let logs = self.logs(token, json!([AUTHORIZATION_USED]))?;
        logs.iter().map(|log| Ok(log["topics"][2].as_str().context("a topic")?.to_owned())).collect()
    }

    fn logs(&self, token: &str, topics: Value) -> anyhow::Result<Vec<Value>> {
        let filter = json!([{ "address": token, "fromBlock": "0x0", "toBlock": "latest", "topics": topics }]);
        Ok(self.call("eth_getLogs", filter)?.as_array().cloned().unwrap_or_default())
    }
}

fn text<'a>(log: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    log.get(key).and_then(Value::as_str).with_context(|| format!("a log without {key}"))
}

fn topic(address: &str) -> String {
    format!("0x{:0>64}", address.trim_start_matches("0x").to_lowercase())
}
