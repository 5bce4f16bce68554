//! `origin`: canonical bytes, with `PAYMENT-CONTEXT`, under a deadline.

use std::{pin::pin, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version, header, request::Parts};
use ledger::Record;
use x402::U256;

use super::*;
use crate::{
    context::Standing,
    fields,
    origin::{Admission, Free, OriginError},
    patience::Patience,
};

const CONTEXT: HeaderName = HeaderName::from_static(x402::http::PAYMENT_CONTEXT);

/// Fields that would turn a priced answer into one without its body (RFC 9110 §13.1).
const CONDITIONAL: [HeaderName; 5] =
    [header::IF_MATCH, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE, header::IF_RANGE];

/// The statuses that are charged.
pub(super) fn is_charged(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS
}

/// Whether `If-Range` and the like were asked for: a conditional request for a priced resource is the resource.
pub(super) fn drop_conditions(parts: &mut Parts) {
    // A range under a condition that we drop would be another part than the client means.
    if parts.headers.contains_key(header::IF_RANGE) {
        parts.headers.remove(header::RANGE);
    }
    for name in CONDITIONAL {
        parts.headers.remove(name);
    }
}

impl<O: Origin> Pipeline<O> {
    /// What costs nothing.
    pub(super) async fn free(self: &Arc<Self>, snapshot: &Snapshot, free: Free, parts: Parts, body: Body, removed: &Removed) -> Answer {
        let request = outgoing(parts, body, removed.trailers);
        let outcome = match self.ask(snapshot, Admission::Free(&free), request, Duration::MAX).await {
            Ok(response) => Outcome::Free(response),
            Err(error) => Outcome::NoAnswer { error, settled: None },
        };
        respond(outcome, None, &self.shared)
    }

    /// What is paid for. The deadline leaves room to settle within the authorization's window.
    pub(super) async fn paid_for(
        &self,
        sale: &Sale,
        admission: Admission<'_>,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, OriginError> {
        let snapshot = sale.rule.snapshot();
        let (record, standing, until) = match admission {
            Admission::Claimed(claimed) => (claimed.record(), Standing::Claimed, self.until_settlement(claimed.record())),
            Admission::Settled(settled) => (settled.record(), Standing::Settled, Duration::MAX),
            Admission::Free(_) => return Err(OriginError::Unreachable("not for what is free".to_owned())),
        };
        let context = self.shared.context.sign(&snapshot.public_url, sale.target(), record, standing, self.shared.clock.now());
        if let Some(context) = context {
            request.headers_mut().insert(CONTEXT, context);
        }
        self.ask(snapshot, admission, request, until).await
    }

    async fn ask(
        &self,
        snapshot: &Snapshot,
        admission: Admission<'_>,
        request: Request<Body>,
        until: Duration,
    ) -> Result<Response<Body>, OriginError> {
        let mut patience = Patience::new(self.shared.limits.origin, until);
        let request = request.map(|body| patience.watch(body));
        let mut asked = pin!(self.origin.forward(&snapshot.origin, admission, request));
        loop {
            match tokio::time::timeout(patience.next(), asked.as_mut()).await {
                Ok(answer) => {
                    let mut response = answer.map_err(|error| patience.fault(error))?;
                    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                        return Err(OriginError::Switched);
                    }
                    fields::strip_response(response.headers_mut());
                    return Ok(response);
                }
                Err(_) if patience.has_reason() => {}
                Err(_) => return Err(patience.fault(OriginError::TimedOut)),
            }
        }
    }

    /// How long the origin may take so that the claim can still be settled.
    fn until_settlement(&self, record: &Record) -> Duration {
        let left = record.valid_before.saturating_sub(U256::from(self.shared.clock.now().0));
        let room = self.shared.limits.settlement_room.min(5);
        Duration::from_secs(u64::try_from(left).unwrap_or(u64::MAX).saturating_sub(room).max(1))
    }
}

/// The request as the origin gets it.
pub(super) fn outgoing(mut parts: Parts, body: Body, trailers: bool) -> Request<Body> {
    parts.version = Version::HTTP_11;
    parts.extensions.clear();
    if trailers {
        parts.headers.insert(header::TE, HeaderValue::from_static("trailers"));
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    Request::from_parts(parts, body)
}
