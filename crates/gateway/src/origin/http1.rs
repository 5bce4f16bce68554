//! The origin client: HTTP/1.1 over pooled connections.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use hyper::{body::Incoming, client::conn::http1::SendRequest};
use tokio_rustls::TlsConnector;

use super::{
    Admission, Endpoint, Lease, Origin, OriginError,
    connect::{connect, tls},
    pool::Pool,
};
use crate::{Body, Limits};

/// An HTTP/1.1 origin, with the idle connections of one runtime.
pub struct HttpOrigin {
    pool: Arc<Pool>,
    tls: Option<TlsConnector>,
    connect_within: Duration,
}

/// What a request is made again from, where the pooled connection turned out to be closed.
struct Copy {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl HttpOrigin {
    /// For the current runtime. Without root certificates only `http` origins can be reached.
    pub fn new(limits: &Limits, tls: Option<TlsConnector>) -> Self {
        let pool = Arc::new(Pool::default());
        tokio::spawn(Pool::expire(Arc::downgrade(&pool), limits.idle));
        Self { pool, tls, connect_within: limits.connect }
    }

    /// A TLS client that trusts what the machine trusts.
    pub fn trusted_roots() -> Result<TlsConnector, String> {
        tls()
    }

    /// The answer, with the connection it came by; one that switched protocols is not used again.
    fn answer(&self, sender: SendRequest<Body>, endpoint: &Endpoint, response: Response<Incoming>) -> Response<Body> {
        let lease = Lease { sender, endpoint: endpoint.clone(), pool: Arc::clone(&self.pool) };
        let switched = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        response.map(|body| {
            if switched {
                Body::empty()
            } else if body.is_end_stream() {
                lease.end();
                Body::empty()
            } else {
                Body::leased(body, lease)
            }
        })
    }
}

impl Origin for HttpOrigin {
    async fn forward(
        &self,
        endpoint: &Endpoint,
        admission: Admission<'_>,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, OriginError> {
        if let Some(mut sender) = self.pool.take(endpoint) {
            let copy = Copy::of(&request, admission);
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(self.answer(sender, endpoint, response)),
                // What hyper gives back was not written. Once more at the most, and not over another connection that may be stale as well.
                Err(mut error) => match error.take_message().or_else(|| copy.map(Copy::into_request)) {
                    Some(unsent) => request = unsent,
                    None => return Err(OriginError::BrokeOff(error.into_error().to_string())),
                },
            }
        }
        let connecting = tokio::time::timeout(self.connect_within, connect(endpoint, self.tls.as_ref()));
        let mut sender = connecting.await.map_err(|_| OriginError::TimedOut)??;
        match sender.send_request(request).await {
            Ok(response) => Ok(self.answer(sender, endpoint, response)),
            Err(error) => Err(OriginError::BrokeOff(error.to_string())),
        }
    }
}

impl Copy {
    /// Of a request that may be sent twice: free, safe and without a body (RFC 9110 §9.2.1). Others are sent again only if nothing of
    /// them was: an authorization is good for one request.
    fn of(request: &Request<Body>, admission: Admission<'_>) -> Option<Self> {
        let repeatable = matches!(admission, Admission::Free(_)) && request.method().is_safe() && request.body().is_end_stream();
        repeatable.then(|| Self { method: request.method().clone(), uri: request.uri().clone(), headers: request.headers().clone() })
    }

    fn into_request(self) -> Request<Body> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        request
    }
}
