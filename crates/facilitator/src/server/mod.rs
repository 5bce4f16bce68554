//! The HTTP face: `POST /verify`, `POST /settle`, `GET /supported` (x402 v2 §7, and version 1's), `GET /healthz`.

mod access;
mod answer;
mod exchange;
mod settle;

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use x402::{SupportedKind, SupportedResponse};

use crate::Facilitator;
pub use access::Access;
use answer::{Body, Refused, json_answer};
use exchange::Exchange;

/// The most that is read of a request's body, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// How long a request's head, and then its body, may take to arrive.
const ARRIVE_WITHIN: Duration = Duration::from_secs(10);
/// How long open connections are given at the end; a settlement's wait fits in.
const END_WITHIN: Duration = Duration::from_secs(35);

struct Server {
    facilitator: Facilitator,
    access: Access,
}

/// Serves until `shutdown` resolves, then ends open connections gracefully.
pub async fn serve(
    listener: TcpListener,
    facilitator: Facilitator,
    access: Access,
    shutdown: impl Future<Output = ()> + Send,
) -> std::io::Result<()> {
    let server = Arc::new(Server { facilitator, access });
    let (connections, closing) = (TaskTracker::new(), CancellationToken::new());
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // A socket that cannot be told to hurry still works.
                drop(stream.set_nodelay(true));
                connections.spawn(converse(stream, Arc::clone(&server), closing.clone()));
            }
            Err(error) => {
                // Out of descriptors, or the peer is gone already: neither ends the service.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    closing.cancel();
    connections.close();
    drop(timeout(END_WITHIN, connections.wait()).await);
    Ok(())
}

async fn converse(stream: tokio::net::TcpStream, server: Arc<Server>, closing: CancellationToken) {
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(server.answer(request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(ARRIVE_WITHIN);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self.route(request).await {
            Ok(response) => response,
            Err(refused) => refused.into_response(),
        }
    }

    async fn route(&self, request: Request<Incoming>) -> Result<Response<Body>, Refused> {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/verify") => {
                let exchange = self.read(request).await?;
                let response = exchange.verify(&self.facilitator).await?;
                Ok(json_answer(StatusCode::OK, &exchange.verify_value(&response)))
            }
            (&Method::POST, "/settle") => {
                let exchange = self.read(request).await?;
                let facilitator = self.facilitator.clone();
                // From the claim on, the caller's leaving must not stop the work.
                let task = tokio::spawn(async move {
                    let response = exchange.settle(&facilitator).await?;
                    Ok(json_answer(StatusCode::OK, &exchange.settlement_value(&response)))
                });
                task.await.unwrap_or(Err(Refused::Internal))
            }
            (&Method::GET | &Method::HEAD, "/supported") => Ok(json_answer(StatusCode::OK, &supported(&self.facilitator))),
            (&Method::GET | &Method::HEAD, "/healthz") => Ok(Response::new(Full::from("ok\n"))),
            (_, "/verify" | "/settle") => Err(Refused::Method("POST")),
            (_, "/supported" | "/healthz") => Err(Refused::Method("GET, HEAD")),
            _ => Err(Refused::NotFound),
        }
    }

    async fn read(&self, request: Request<Incoming>) -> Result<Exchange, Refused> {
        self.access.check_token(request.headers())?;
        let body = Limited::new(request.into_body(), MAX_BODY).collect();
        let body = match timeout(ARRIVE_WITHIN, body).await {
            Err(_) => return Err(Refused::Late),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return Err(Refused::TooLarge(MAX_BODY)),
            Ok(Err(error)) => return Err(Refused::Malformed(error.to_string())),
            Ok(Ok(body)) => body.to_bytes(),
        };
        let exchange = Exchange::read(&body)?;
        self.access.check_payee(exchange.pay_to())?;
        Ok(exchange)
    }
}

/// Every network that is ready, by version 2; by version 1 where it has a name there.
fn supported(facilitator: &Facilitator) -> SupportedResponse {
    let ready = facilitator.networks().iter().filter(|network| facilitator.readiness(network).is_ready());
    let mut kinds = Vec::new();
    for network in ready {
        let kind =
            |x402_version, network: &str| SupportedKind { x402_version, scheme: "exact".into(), network: network.into(), extra: None };
        kinds.push(kind(2, network.as_str()));
        kinds.extend(network.v1_name().map(|name| kind(1, name)));
    }
    let signers = facilitator.signers().iter().map(|signer| signer.to_checksum(None)).collect();
    SupportedResponse { kinds, extensions: Vec::new(), signers: [("eip155:*".to_owned(), signers)].into() }
}

#[cfg(test)]
mod tests;
