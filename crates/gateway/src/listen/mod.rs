//! Listeners: one thread a core, each with its own runtime, `SO_REUSEPORT` socket, connections and pool of origin connections.

mod connection;
mod io;
mod sniff;
#[cfg(test)]
mod tests;
mod upload;

use std::{
    io::Error,
    net::{SocketAddr, TcpListener as StdListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsConnector;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    origin::HttpOrigin,
    pipeline::{Pipeline, Shared},
};

/// Connections that may wait to be accepted, per thread.
const BACKLOG: i32 = 1024;

/// Whether nobody listens there: with `SO_REUSEPORT` a second process would silently get a share of the connections.
pub(crate) fn probe(address: SocketAddr) -> Result<(), Error> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())
}

/// A socket that shares its address with those of the other threads.
pub(crate) fn bind(address: SocketAddr) -> Result<StdListener, Error> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How data-plane threads are told to end.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    /// Take nothing new, end what is open after its answer.
    pub drain: CancellationToken,
    /// End now.
    pub now: CancellationToken,
}

/// Starts one data-plane thread.
pub(crate) fn spawn(
    index: usize,
    listener: StdListener,
    shared: Arc<Shared>,
    tls: Option<TlsConnector>,
    stop: Stop,
) -> Result<JoinHandle<()>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("data-{index}")).spawn(move || {
        runtime.block_on(async move {
            let listener = match TcpListener::from_std(listener) {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(%error, "a listener could not be used"),
            };
            let origin = HttpOrigin::new(&shared.limits, tls);
            let pipeline = Arc::new(Pipeline { origin, shared });
            tokio::select! {
                () = serve(listener, &pipeline, &stop.drain) => {}
                () = stop.now.cancelled() => {}
            }
        });
    })
}

/// Accepts until told to drain, then waits for open connections and payments under way.
async fn serve(listener: TcpListener, pipeline: &Arc<Pipeline<HttpOrigin>>, drain: &CancellationToken) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(pipeline.shared.limits.connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = drain.cancelled() => break,
        };
        match accepted {
            Ok(accepted) => open(accepted, pipeline, &connections, drain),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    pipeline.shared.tasks.wait().await;
}

/// A client's connection, with its place among those that may be open.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
}

/// The next connection, once there is place for it: what comes before waits in the kernel.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Result<Accepted, Error> {
    let place = Arc::clone(places).acquire_owned().await.map_err(Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok(Accepted { stream, peer, place })
}

fn open(accepted: Accepted, pipeline: &Arc<Pipeline<HttpOrigin>>, connections: &TaskTracker, drain: &CancellationToken) {
    let Accepted { stream, peer, place } = accepted;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let served = connection::serve(stream, peer, Arc::clone(pipeline), drain.clone());
    connections.spawn(async move {
        served.await;
        drop(place);
    });
}
