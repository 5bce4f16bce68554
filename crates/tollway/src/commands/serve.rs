//! `tollway serve`.

use std::{os::unix::fs::MetadataExt, path::Path, process::ExitCode, time::Duration};

use super::{Signals, Wish};
use crate::{
    config::{self, Config, Faults, Purpose},
    running::Running,
};

/// How often the file is looked at. Asking for its time costs nothing, and works on every file system.
const LOOK: Duration = Duration::from_secs(1);
/// Threads for chains, books and background work; the data plane has its own.
pub const BACKGROUND_THREADS: usize = 2;

pub fn serve(file: &Path) -> anyhow::Result<ExitCode> {
    let mut watched = Watched::new(file);
    let config = watched.load()?;
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let running = Running::start(config).await?;
        let mut looks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                wish = signals.next() => match wish {
                    Wish::Reload => running.reload(file, watched.load()),
                    Wish::End => break,
                },
                _ = looks.tick() => if watched.has_changed() {
                    running.reload(file, watched.load());
                },
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

/// A file that is loaded again when it has changed.
struct Watched<'f> {
    file: &'f Path,
    loaded: Stamp,
}

impl<'f> Watched<'f> {
    fn new(file: &'f Path) -> Self {
        Self { file, loaded: Stamp(None) }
    }

    fn load(&mut self) -> Result<Config, Faults> {
        self.read(|file| config::load(file, Purpose::Gateway))
    }

    /// Stamped before it is read: what changes in between is read again.
    fn read<T>(&mut self, read: impl FnOnce(&Path) -> T) -> T {
        self.loaded = Stamp::of(self.file);
        read(self.file)
    }

    fn has_changed(&self) -> bool {
        Stamp::of(self.file) != self.loaded
    }
}

/// What tells one version of a file from the next: time, length, and which file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp(Option<(std::time::SystemTime, u64, u64)>);

impl Stamp {
    fn of(file: &Path) -> Self {
        let metadata = std::fs::metadata(file).ok();
        Self(metadata.and_then(|m| Some((m.modified().ok()?, m.len(), m.ino()))))
    }
}

#[cfg(test)]
mod tests;
