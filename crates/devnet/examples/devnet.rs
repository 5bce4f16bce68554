//! A devnet alone, until Ctrl-C: `cargo run -p devnet --example devnet -- [PORT]`, by default port 8545.

use std::error::Error;

use devnet::{ACCOUNTS, Config, Devnet};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map_or(Ok(8545), |port| port.parse())?;
    let devnet = Devnet::start(Config { port, ..Config::default() })?;
    println!("chain {} at {}, token {}", devnet.chain_id(), devnet.rpc_url(), devnet.token());
    for account in ACCOUNTS {
        println!("{} {}", account.address, account.key);
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}
