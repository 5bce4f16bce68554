//! What stands behind the gateway, and the only door to it.

mod connect;
mod http1;
mod pool;

use std::future::Future;

use http::{Request, Response, Uri};
use ledger::{Claimed, Settled};

pub use connect::Endpoint;
pub use http1::HttpOrigin;
pub(crate) use pool::Lease;

use crate::{Body, body::BodyError};

/// The right to be forwarded. There is no other way to an origin.
#[derive(Clone, Copy, Debug)]
pub enum Admission<'a> {
    Free(&'a Free),
    Claimed(&'a Claimed),
    Settled(&'a Settled),
}

/// The rules charge nothing for this request. Made only by the `match` step:
///
/// ```compile_fail,E0423
/// let free = gateway::origin::Free(());
/// ```
#[derive(Debug)]
pub struct Free(());

impl Free {
    pub(crate) fn decided(decision: &rules::Decision<'_>) -> Option<Self> {
        matches!(decision, rules::Decision::Free(_)).then_some(Self(()))
    }
}

/// Why there is no answer of the origin's. Unless said otherwise the operator's fault or the network's; may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    #[error("the origin cannot be reached: {0}")]
    Unreachable(String),
    #[error("the origin broke off before it answered: {0}")]
    BrokeOff(String),
    #[error("the origin did not answer in time")]
    TimedOut,
    /// Nobody asked it to: `Upgrade` never reaches an origin.
    #[error("the origin switched protocols unasked")]
    Switched,
    /// The client's fault: what it sent as a body is none. Its connection ends.
    #[error("the request's body broke off")]
    Request,
    /// The client's fault: its body came too slowly. Its connection ends.
    #[error("the request's body came too slowly")]
    SlowRequest,
}

impl OriginError {
    /// Of a request whose body broke off before it had an answer.
    pub(crate) fn of_body(error: &BodyError) -> Self {
        if matches!(error, BodyError::Slow) { Self::SlowRequest } else { Self::Request }
    }

    /// Whether it is the client's fault, and not the origin's.
    pub(crate) fn is_clients(&self) -> bool {
        matches!(self, Self::Request | Self::SlowRequest)
    }
}

/// Answers requests that were admitted. The simulator holds a second implementation.
pub trait Origin: Send + Sync + 'static {
    /// The head of the answer, with a body that streams. The request's head is canonical, its target in origin form.
    fn forward(
        &self,
        endpoint: &Endpoint,
        admission: Admission<'_>,
        request: Request<Body>,
    ) -> impl Future<Output = Result<Response<Body>, OriginError>> + Send;
}

/// An origin that cannot be forwarded to.
#[derive(Debug, thiserror::Error)]
#[error("origin `{0}`: give scheme, host and perhaps a port, as in \"http://127.0.0.1:3000\"; no path")]
pub struct UnusableOrigin(pub Uri);
