//! A client's socket: it knows when all that was written has been handed over, and lingers at the end.

use std::{
    io::{Error, ErrorKind},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

use crate::delivery::Outbox;

/// How long, and for how many bytes, a client is listened to after our last byte.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1 << 20;

/// A client's connection.
pub(super) struct ClientIo {
    stream: TokioIo<TcpStream>,
    outbox: Outbox,
    stall: Stall,
    end: End,
}

/// A client that takes nothing for so long has gone.
struct Stall {
    most: Duration,
    /// Made by the first wait, and used again.
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Stall {
    /// What the socket said to a write, or that it has said nothing for too long.
    fn bound<T>(&mut self, cx: &mut Context<'_>, written: Poll<Result<T, Error>>) -> Poll<Result<T, Error>> {
        if written.is_ready() {
            self.waiting = false;
            return written;
        }
        let most = self.most;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(most)));
        if !std::mem::replace(&mut self.waiting, true) {
            alarm.as_mut().reset(Instant::now() + most);
        }
        std::task::ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

/// The end of a connection: our side first, then what the client still sends is read away. Closing with bytes unread would
/// reset the connection, and could take the answer with it.
enum End {
    Open,
    Lingering { until: Pin<Box<Sleep>>, read: usize },
    Closed,
}

impl ClientIo {
    pub fn new(stream: TcpStream, outbox: Outbox, stall: Duration) -> Self {
        let stall = Stall { most: stall, alarm: None, waiting: false };
        Self { stream: TokioIo::new(stream), outbox, stall, end: End::Open }
    }

    fn stream(&mut self) -> Pin<&mut TokioIo<TcpStream>> {
        Pin::new(&mut self.stream)
    }

    /// Reads away what comes until the client's end, or ours.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 4096];
        loop {
            let End::Lingering { until, read } = &mut self.end else { return Poll::Ready(()) };
            if until.as_mut().poll(cx).is_ready() || *read > LINGER_BYTES {
                return Poll::Ready(());
            }
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, buffer.unfilled()) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => *read += buffer.filled().len(),
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    }
}

impl Read for ClientIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<Result<(), Error>> {
        self.stream().poll_read(cx, buffer)
    }
}

impl Write for ClientIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Error>> {
        let written = self.stream().poll_write(cx, bytes);
        self.stall.bound(cx, written)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[std::io::IoSlice<'_>]) -> Poll<Result<usize, Error>> {
        let written = self.stream().poll_write_vectored(cx, slices);
        self.stall.bound(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Asked for when everything has been written: that is when an answer counts as delivered.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let flushed = std::task::ready!(self.stream().poll_flush(cx));
        if flushed.is_ok() {
            self.outbox.flushed();
        }
        Poll::Ready(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if matches!(self.end, End::Open) {
            std::task::ready!(self.stream().poll_shutdown(cx))?;
            self.end = End::Lingering { until: Box::pin(sleep(LINGER)), read: 0 };
        }
        std::task::ready!(self.poll_linger(cx));
        self.end = End::Closed;
        Poll::Ready(Ok(()))
    }
}
