//! How many durable claims a second this machine's disk gives: one by one, and many at once sharing commits.
//!
//! `cargo run --release -p store --example claims [folder]`

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ledger::{Advance, Binding, NewRecord, Store, WorkerId};
use x402::{Address, AssetId, B256, Network, PaymentKey, Timestamp, U256};

const FOR: Duration = Duration::from_secs(3);

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("claims-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let outcome = runtime.block_on(measure(&folder));
    std::fs::remove_dir_all(&folder)?;
    outcome
}

async fn measure(folder: &std::path::Path) -> Result<(), Error> {
    let store = store::open("sqlite:claims.db", folder)?;
    let next = Arc::new(AtomicU64::new(0));
    println!("{:>8}  {:>10}  {:>12}", "at once", "claims/s", "mean latency");
    for at_once in [1_u32, 16, 64, 256] {
        let begun = Instant::now();
        let tasks: Vec<_> = (0..at_once).map(|_| tokio::spawn(claim_on(Arc::clone(&store), Arc::clone(&next), begun))).collect();
        let mut claims: u32 = 0;
        for task in tasks {
            claims += task.await??;
        }
        let took = begun.elapsed();
        let latency = took * at_once / claims.max(1);
        println!("{at_once:>8}  {:>10.0}  {latency:>12.1?}", f64::from(claims) / took.as_secs_f64());
    }
    Ok(())
}

/// Claims one after the other until the time is over; how many.
async fn claim_on(store: Arc<dyn Store>, next: Arc<AtomicU64>, begun: Instant) -> Result<u32, Error> {
    let mut claims = 0;
    while begun.elapsed() < FOR {
        let Advance::Done(_) = store.claim(payment(next.fetch_add(1, Ordering::Relaxed))).await? else {
            return Err("a new key was refused".into());
        };
        claims += 1;
    }
    Ok(claims)
}

fn payment(n: u64) -> NewRecord {
    let (network, token) = (Network::eip155(84532), Address::repeat_byte(0xAB));
    NewRecord {
        key: PaymentKey { network: network.clone(), contract: token, payer: Address::repeat_byte(0xC1), nonce: B256::from(U256::from(n)) },
        asset: AssetId { network, address: token },
        pay_to: Address::repeat_byte(0xD2),
        amount: U256::from(10_000),
        valid_after: U256::ZERO,
        valid_before: U256::from(1_900_000_000_u64),
        signature: bytes::Bytes::from_static(&[7; 65]),
        binding: Some(Binding {
            request: B256::from(U256::from(n)),
            facts: B256::ZERO,
            conditions: B256::ZERO,
            header: B256::from(U256::from(n)),
            source: std::net::Ipv4Addr::LOCALHOST.into(),
            version_1: false,
            rule: "reports".into(),
            method: "GET".into(),
            path: "/reports/q3".into(),
        }),
        worker: WorkerId("bench".into()),
        claimed_block: 1,
        now: Timestamp(1_800_000_000),
    }
}
