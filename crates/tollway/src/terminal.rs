//! Text for terminals: what others sent may not steer one.

use std::io::{self, Write};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use x402::Timestamp;

/// The text without control characters, on one line: safe to print, whoever wrote it.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// `2026-01-31T12:00:00Z`.
pub fn rfc3339(at: Timestamp) -> String {
    let time = i64::try_from(at.0).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| at.0.to_string())
}

/// One line on standard output. A reader who went away (`| head`) is no error.
pub fn line(text: &str) -> io::Result<()> {
    bytes(format!("{text}\n").as_bytes())
}

pub fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
