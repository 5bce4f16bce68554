//! An origin that remembers: how often each request line came, and whether a payment header came with it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

pub struct Origin {
    pub url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// By method and path with query.
    pub hits: BTreeMap<String, usize>,
    /// Payment headers of the client's, which must never get here.
    pub leaks: Vec<String>,
    /// Requests without the gateway's `PAYMENT-CONTEXT`.
    pub without_context: usize,
}

impl Origin {
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let origin = Self { url: format!("http://{}", listener.local_addr()?), seen: Arc::default() };
        let seen = Arc::clone(&origin.seen);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || serve(&connection, &seen));
            }
        });
        Ok(origin)
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn hits(&self) -> usize {
        self.seen().hits.values().sum()
    }
}

/// Answers requests without a body until the peer is gone.
fn serve(connection: &TcpStream, seen: &Mutex<Seen>) -> Option<()> {
    let body = "x".repeat(1024);
    let mut reader = BufReader::new(connection);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        note(&lines, &mut seen.lock().unwrap_or_else(PoisonError::into_inner));
        let body = if lines.first()?.starts_with("HEAD ") { "" } else { &body };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\nPAYMENT-RESPONSE: origin\r\n\r\n{body}");
        reader.get_mut().write_all(head.as_bytes()).ok()?;
    }
}

fn note(lines: &[String], seen: &mut Seen) {
    let Some((request, headers)) = lines.split_first() else { return };
    *seen.hits.entry(request.trim_end_matches(" HTTP/1.1").to_owned()).or_default() += 1;
    let names = headers.iter().filter_map(|header| header.split_once(':')).map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>();
    let leaks = ["payment-signature", "x-payment", "payment-required", "payment-response", "x-payment-response"];
    seen.leaks.extend(names.iter().filter(|name| leaks.contains(&name.as_str())).cloned());
    seen.without_context += usize::from(!names.iter().any(|name| name == "payment-context"));
}
