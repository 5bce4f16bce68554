//! `tollway serve`.

use std::{path::Path, process::ExitCode, time::Duration};

use super::{Signals, Wish};
use crate::{
    config::{self, Purpose},
    running::Running,
};

/// How often the file is looked at. Asking for its time costs nothing, and works on every file system.
const LOOK: Duration = Duration::from_secs(1);
/// Threads for chains, books and background work; the data plane has its own.
pub const BACKGROUND_THREADS: usize = 2;

pub fn serve(file: &Path) -> anyhow::Result<ExitCode> {
    let config = config::load(file, Purpose::Gateway)?;
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let mut seen = Stamp::of(file).await;
        let running = Running::start(config).await?;
        let mut looks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                wish = signals.next() => match wish {
                    Wish::Reload => running.reload(),
                    Wish::End => break,
                },
                _ = looks.tick() => {
                    let now = Stamp::of(file).await;
                    if now != seen {
                        running.reload();
                        seen = now;
                    }
                }
            }
        }
        tracing::info!("ending: requests under way are answered first; a second signal ends at once");
        tokio::select! {
            () = running.shutdown() => Ok(ExitCode::SUCCESS),
            () = signals.end() => Ok(ExitCode::FAILURE),
        }
    })
}

/// The small runtime of everything but the data plane.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(BACKGROUND_THREADS).thread_name("background").enable_all().build()
}

/// What tells one version of a file from the next.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp(Option<(std::time::SystemTime, u64)>);

impl Stamp {
    async fn of(file: &Path) -> Self {
        let metadata = tokio::fs::metadata(file).await.ok();
        Self(metadata.and_then(|m| Some((m.modified().ok()?, m.len()))))
    }
}
