//! A client that sends what it is told, byte for byte.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longer than anything here takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
    /// The body ended as its framing said it would.
    pub whole: bool,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// `error` of a refusal.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

impl Wire {
    pub async fn open(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), buffer: Vec::new() }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Ignores that the other side may be gone.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// The next answer; interim ones are passed over.
    pub async fn reply(&mut self) -> Reply {
        self.reply_to("GET").await
    }

    pub async fn reply_to(&mut self, method: &str) -> Reply {
        loop {
            let reply = timeout(PATIENCE, self.one(method)).await.expect("no answer").expect("the connection ended before an answer");
            if !(100..200).contains(&reply.status) || reply.status == 101 {
                return reply;
            }
        }
    }

    /// The next answer, or `None` at the connection's end.
    pub async fn next(&mut self) -> Option<Reply> {
        timeout(PATIENCE, self.one("GET")).await.expect("neither an answer nor an end")
    }

    /// The next answer's head only.
    pub async fn head(&mut self) -> Reply {
        timeout(PATIENCE, self.read_head()).await.expect("no head").expect("ended before a head")
    }

    /// Whether the other side ends the connection without another byte.
    pub async fn ends(&mut self) -> bool {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await;
        matches!(read, Ok(Ok(0) | Err(_))) && self.buffer.is_empty()
    }

    /// At least one more byte of a body that streams, as it lies on the wire.
    pub async fn more(&mut self) -> Vec<u8> {
        if self.buffer.is_empty() {
            assert!(timeout(PATIENCE, self.fill()).await.expect("nothing came"), "ended");
        }
        std::mem::take(&mut self.buffer)
    }

    async fn one(&mut self, method: &str) -> Option<Reply> {
        let mut reply = self.read_head().await?;
        let bodiless = method == "HEAD" || matches!(reply.status, 100..=199 | 204 | 304);
        if bodiless {
            return Some(reply);
        }
        if reply.header("transfer-encoding").is_some_and(|te| te.eq_ignore_ascii_case("chunked")) {
            reply.whole = self.chunked(&mut reply).await.is_some();
        } else if let Some(length) = reply.header("content-length") {
            let length = length.parse().unwrap();
            while self.buffer.len() < length && self.fill().await {}
            reply.whole = self.buffer.len() >= length;
            reply.body = self.buffer.drain(..length.min(self.buffer.len())).collect();
        } else {
            while self.fill().await {}
            reply.body = std::mem::take(&mut self.buffer);
        }
        Some(reply)
    }

    async fn read_head(&mut self) -> Option<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let status = lines.first()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.iter().skip(1).filter_map(|line| field(line)).collect();
        Some(Reply { status, headers, body: Vec::new(), trailers: Vec::new(), whole: true })
    }

    async fn chunked(&mut self, reply: &mut Reply) -> Option<()> {
        loop {
            let size = usize::from_str_radix(self.line().await?.split(';').next()?, 16).ok()?;
            if size == 0 {
                loop {
                    let line = self.line().await?;
                    if line.is_empty() {
                        return Some(());
                    }
                    reply.trailers.extend(field(&line));
                }
            }
            while self.buffer.len() < size + 2 {
                if !self.fill().await {
                    return None;
                }
            }
            reply.body.extend(self.buffer.drain(..size));
            self.buffer.drain(..2);
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn fill(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes).await {
            Ok(read) if read > 0 => {
                self.buffer.extend_from_slice(&bytes[..read]);
                true
            }
            _ => false,
        }
    }
}

fn field(line: &str) -> Option<(String, String)> {
    line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
}
