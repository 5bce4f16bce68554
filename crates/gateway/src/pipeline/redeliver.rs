//! Paid and not delivered: the same buyer may fetch it again, one at a time.

use bytes::Bytes;
use ledger::{Record, Redelivery, Settled};

use super::{
    forward::outgoing,
    purchase::Purchase,
    recall::{Recalled, known},
    *,
};
use crate::{body::BodyError, delivery::Delivery, origin::OriginError};

impl<O: Origin> Pipeline<O> {
    /// Compares the body with the one that was paid for, asks the store for the turn, then the origin.
    pub(super) async fn redeliver(&self, purchase: &mut Purchase, record: Record) -> Result<Outcome, Outcome> {
        let body = self.same_body(purchase, &record).await?;
        let shared = &*self.shared;
        let granted = shared.ledger.begin_redelivery(record.id, purchase.sale.rule.rule().redeliver()).await;
        let settled = match granted {
            Ok(Redelivery::Granted(settled)) => settled,
            Ok(Redelivery::Busy) => return Err(Outcome::InFlight(record.id)),
            Ok(Redelivery::Exhausted) => return Err(Outcome::Exhausted(record.id)),
            Ok(Redelivery::NotRedeemable(record)) => {
                return Err(match known(shared, record, &purchase.binding).await {
                    Recalled::Answered(outcome) => outcome,
                    Recalled::Redeemable(record) => Outcome::InFlight(record.id),
                    Recalled::Unknown => Outcome::Broken,
                });
            }
            Err(error) => {
                tracing::warn!(payment = %record.id, %error, "a redelivery could not be begun");
                return Err(Outcome::Unavailable { down: Down::Store, payment: Some(record.id) });
            }
        };
        Ok(self.fetch_again(purchase, &settled, body).await)
    }

    async fn fetch_again(&self, purchase: &mut Purchase, settled: &Settled, body: Option<Bytes>) -> Outcome {
        let record = settled.record();
        let request = match body {
            // It was never read to its end before: this is the body that is paid for.
            Some(bytes) if record.body_digest.is_none() => {
                purchase.body = Some(Body::from(bytes));
                self.request(purchase, record)
            }
            Some(bytes) => outgoing(purchase.parts.clone(), Body::from(bytes), purchase.trailers),
            None => outgoing(purchase.parts.clone(), Body::empty(), purchase.trailers),
        };
        let delivery = Delivery::new(&self.shared, record);
        match self.served(&purchase.sale, settled, request, delivery).await {
            Outcome::Paid { response, record, delivery } => Outcome::Paid { response, record, delivery: delivery.counting() },
            other => other,
        }
    }

    /// The request's body, where it has one; refused unless it is the one that was paid for.
    async fn same_body(&self, purchase: &mut Purchase, record: &Record) -> Result<Option<Bytes>, Outcome> {
        let body = purchase.body.take().unwrap_or_else(Body::empty);
        if http_body::Body::is_end_stream(&body) {
            return Ok(None);
        }
        let limit = purchase.sale.rule.snapshot().request_buffer;
        let bytes = body.read(limit).await.map_err(|error| match error {
            BodyError::TooLarge(limit) => Outcome::TooLarge(limit),
            error => Outcome::NoAnswer { error: OriginError::BrokeOff(error.to_string()), settled: Some(Box::new(record.clone())) },
        })?;
        match record.body_digest {
            Some(digest) if digest != alloy_primitives::keccak256(&bytes) => Err(Outcome::AnotherRequest),
            _ => Ok(Some(bytes)),
        }
    }
}
