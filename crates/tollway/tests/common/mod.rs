//! The built binary, and a server that plays a script.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// A development key that everybody knows, and its address.
pub const KEY: &str = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
pub const ADDRESS: &str = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
/// Another such key: the signer's.
pub const SIGNER: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
pub const SELLER: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// USDC on Base Sepolia.
pub const USDC: &str = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";

/// The binary, without the environment's own Tollway settings.
pub fn tollway() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollway"));
    for name in ["TOLLWAY_BUYER_KEY", "TOLLWAY_SIGNER_KEY", "TOLLWAY_LOG", "TOLLWAY_LOG_FORMAT"] {
        command.env_remove(name);
    }
    command
}

/// What a run said and how it ended.
pub struct Ran {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub out: String,
    pub err: String,
}

pub fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().expect("the binary runs");
    Ran {
        code: status.code().expect("not killed"),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8(stderr).expect("UTF-8"),
        stdout,
    }
}

/// A request as the scripted server got it.
#[derive(Clone, Debug)]
pub struct Got {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// One scripted answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// A server that answers one request after the other.
pub struct Script {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Script {
    /// By the list; what comes beyond it gets a 599.
    pub fn start(replies: Vec<Reply>) -> Self {
        let mut replies = replies.into_iter();
        Self::answering(move |_| replies.next().unwrap_or(Reply::new(599, "beyond the script")))
    }

    pub fn answering(mut reply: impl FnMut(&Got) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, got) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&got);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(socket) = socket else { return };
                if let Some(request) = read(&socket) {
                    let reply = reply(&request);
                    seen.lock().unwrap().push(request);
                    answer(socket, &reply);
                }
            }
        });
        Self { address, got }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

fn read(socket: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).ok()?;
        let Some((name, value)) = field.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let got = Got { line: line.trim_end().to_owned(), headers, body: Vec::new() };
    let mut body = vec![0; got.header("content-length").map_or(0, |n| n.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Got { body, ..got })
}

fn answer(mut socket: TcpStream, reply: &Reply) {
    let mut head = format!("HTTP/1.1 {} X\r\ncontent-length: {}\r\nconnection: close\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let _ = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(&reply.body));
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server that runs, with its log.
pub struct Server {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Server {
    pub fn start(command: &str, file: &Path) -> Self {
        Self::of(tollway().arg(command).arg("--config").arg(file).env("TOLLWAY_SIGNER_KEY", SIGNER))
    }

    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log }
    }

    /// Reads the log until a line holds `text`.
    pub fn wait_for(&mut self, text: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "the log ended before `{text}`");
            assert!(!line.contains(&SIGNER[2..]), "the key shows");
            if line.contains(text) {
                return line;
            }
        }
    }

    pub fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    pub fn code(&mut self) -> i32 {
        let deadline = Instant::now() + Duration::from_secs(40);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
