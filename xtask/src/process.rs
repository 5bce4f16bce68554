//! Servers that we start: each writes into a log of its own and ends with its handle.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::shell;

/// How long a server may take to start.
const START: Duration = Duration::from_secs(30);

pub struct Server {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts a program in the background; `name` names its log below `target/interop/`.
    pub fn start(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let folder = shell::target("interop");
        fs::create_dir_all(&folder)?;
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log)?;
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn();
        Ok(Self { name: name.to_owned(), child: child.with_context(|| format!("{name} could not be started"))?, log })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and wait until it is gone.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop).context("waiting for a killed process")
    }

    /// The first line of JSON that it writes: where our scripts and `tollway demo --json` say where they listen.
    pub fn announced(&mut self) -> anyhow::Result<Value> {
        self.until("announced nothing", |server| {
            let log = fs::read_to_string(&server.log).ok()?;
            let (whole, _) = log.rsplit_once('\n')?;
            whole.lines().find_map(|line| serde_json::from_str::<Value>(line).ok().filter(Value::is_object))
        })
    }

    /// Waits until something listens at `http://host:port`.
    pub fn listens(&mut self, url: &str) -> anyhow::Result<()> {
        let authority = url.trim_start_matches("http://").to_owned();
        self.until("does not listen", |_| TcpStream::connect(&authority).ok()).map(drop)
    }

    fn until<T>(&mut self, complaint: &str, probe: impl Fn(&Self) -> Option<T>) -> anyhow::Result<T> {
        let start = Instant::now();
        while start.elapsed() < START {
            if let Some(found) = probe(self) {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended at once ({status}):\n{}", self.name, self.tail());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{} {complaint} after {} s:\n{}", self.name, START.as_secs(), self.tail())
    }

    /// The end of its log.
    pub fn tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines = log.lines().collect::<Vec<_>>();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nothing to do about either.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback URL whose port was free a moment ago.
pub fn free_url() -> anyhow::Result<String> {
    Ok(format!("http://{}", TcpListener::bind("127.0.0.1:0")?.local_addr()?))
}
