//! The commands: each takes its arguments and ends in an exit code.

pub mod check;
pub mod demo;
pub mod facilitator;
pub mod ledger;
pub mod pay;
pub mod serve;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the operator asks a running process for.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// One such wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    End,
    Reload,
}

impl Signals {
    /// From here on, SIGTERM, SIGINT and SIGHUP no longer end the process by themselves.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    pub async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.terminate.recv() => Wish::End,
            _ = self.interrupt.recv() => Wish::End,
            _ = self.hangup.recv() => Wish::Reload,
        }
    }

    /// The next wish to end.
    pub async fn end(&mut self) {
        while self.next().await != Wish::End {}
    }
}
