//! The height of the chain, polled only while somebody waits for it.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use crate::chain::Chain;

/// Between two polls right after a block, and at most.
const SOON: Duration = Duration::from_millis(40);
const LATE: Duration = Duration::from_millis(500);

pub struct Heads {
    height: watch::Sender<u64>,
    wanted: Notify,
}

impl Heads {
    pub fn new() -> Self {
        Self { height: watch::Sender::new(0), wanted: Notify::new() }
    }

    /// Blocks from now on; polling goes on until the receiver is dropped.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        let receiver = self.height.subscribe();
        self.wanted.notify_one();
        receiver
    }

    /// Polls for ever.
    pub async fn run(&self, chain: Arc<dyn Chain>) {
        let mut pause = SOON;
        loop {
            if self.height.receiver_count() == 0 {
                self.wanted.notified().await;
                pause = SOON;
            }
            sleep(pause).await;
            let moved = match chain.height().await {
                Ok(height) => self.height.send_if_modified(|last| std::mem::replace(last, height) != height),
                Err(_) => false,
            };
            pause = if moved { SOON } else { (pause * 2).min(LATE) };
        }
    }
}
