//! A server in the middle that hands everything on, and notes when.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::net::Client;

/// One exchange.
pub struct Span {
    /// The request's first line and the start of its body.
    pub what: String,
    pub start: Instant,
    pub end: Instant,
}

pub struct Relay {
    pub url: String,
}

impl Relay {
    /// Hands requests on to `target`, one connection there for each here.
    pub fn start(target: &str, spans: Arc<Mutex<Vec<Span>>>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let target = target.to_owned();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (target, spans) = (target.clone(), Arc::clone(&spans));
                std::thread::spawn(move || serve(&connection, &target, &spans));
            }
        });
        Ok(Self { url })
    }
}

fn serve(connection: &TcpStream, target: &str, spans: &Mutex<Vec<Span>>) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(connection);
    let mut client = Client::new(target);
    loop {
        let (mut request, mut length) = (Vec::new(), 0);
        loop {
            let from = request.len();
            if reader.read_until(b'\n', &mut request).ok()? == 0 {
                return None;
            }
            let line = String::from_utf8_lossy(&request[from..]).to_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let start = Instant::now();
        reader.by_ref().take(length).read_to_end(&mut request).ok()?;
        let response = client.exchange(&request, false).ok()?;
        let head = format!(
            "HTTP/1.1 {} OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
            response.status,
            response.header("content-type").unwrap_or("text/plain"),
            response.body.len()
        );
        // Noted before the answer is sent: who sees the answer sees the note.
        let text = String::from_utf8_lossy(&request);
        let what = format!("{} {}", text.lines().next().unwrap_or_default(), text.lines().last().unwrap_or_default());
        spans.lock().unwrap_or_else(PoisonError::into_inner).push(Span { what, start, end: Instant::now() });
        reader.get_mut().write_all(&[head.as_bytes(), &response.body].concat()).ok()?;
    }
}
