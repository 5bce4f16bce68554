//! Paid and not delivered: the same buyer may fetch it again, one at a time.

use ledger::{Binding, Record, Redelivery, Settled};
use x402::B256;

use super::{
    forward::outgoing,
    purchase::Purchase,
    recall::{Recalled, known},
    spool::{Spool, Unkept},
    *,
};
use crate::{body::BodyError, delivery::Delivery, origin::OriginError};

impl<O: Origin> Pipeline<O> {
    /// Asks the store for the turn, then the origin, with the body that was paid for.
    ///
    /// A body of up to `request_buffer` bytes is compared before the turn is asked for; a larger one under it, so that there is one file at
    /// a time for a payment.
    pub(super) async fn redeliver(&self, purchase: &mut Purchase, record: Record) -> Result<Outcome, Outcome> {
        let mut spool = Spool::new(purchase.body.take().unwrap_or_else(Body::empty), self.shared.limits.origin);
        if let Some(digest) = record.body_digest {
            let begun = spool.begin(purchase.sale.rule.snapshot().request_buffer).await;
            begun.map_err(|error| unkept(error, &record))?;
            if spool.is_whole() && spool.digest() != digest {
                return Err(Outcome::AnotherRequest);
            }
        }
        let settled = self.granted(&purchase.sale, &purchase.binding, record).await?;
        let (record, delivery) = (settled.record(), Delivery::new(&self.shared, settled.record()));
        let request = match record.body_digest {
            Some(digest) => match same_body(spool, digest, record).await {
                Ok(body) => outgoing(purchase.parts.clone(), body, purchase.trailers),
                Err(outcome) => {
                    delivery.abandon().await;
                    return Err(outcome);
                }
            },
            // It was never read to its end before, or there is none: this is the body that is paid for.
            None => {
                purchase.body = Some(spool.into_body());
                self.request(purchase, record)
            }
        };
        Ok(match self.served(&purchase.sale, &settled, request, delivery).await {
            Outcome::Paid { response, record, delivery } => Outcome::Paid { response, record, delivery: delivery.counting() },
            other => other,
        })
    }

    /// The turn to deliver: one at a time, and only so often.
    async fn granted(&self, sale: &Sale, binding: &Binding, record: Record) -> Result<Settled, Outcome> {
        let shared = &*self.shared;
        let granted = shared.ledger.begin_redelivery(record.id, sale.rule.rule().redeliver()).await;
        match granted {
            Ok(Redelivery::Granted(settled)) => Ok(settled),
            Ok(Redelivery::Busy) => Err(Outcome::InFlight(record.id)),
            Ok(Redelivery::Exhausted) => Err(Outcome::Exhausted(record.id)),
            Ok(Redelivery::NotRedeemable(record)) => Err(match known(shared, record, binding).await {
                Recalled::Answered(outcome) => outcome,
                Recalled::Redeemable(record) => Outcome::InFlight(record.id),
                Recalled::Unknown => Outcome::Broken,
            }),
            Err(error) => {
                tracing::warn!(payment = %record.id, %error, "a redelivery could not be begun");
                Err(Outcome::Unavailable { down: Down::Store, payment: Some(record.id) })
            }
        }
    }
}

/// The whole body, if it is the one that was paid for.
async fn same_body(mut spool: Spool, digest: B256, record: &Record) -> Result<Body, Outcome> {
    spool.finish().await.map_err(|error| unkept(error, record))?;
    if spool.digest() == digest { Ok(spool.into_body()) } else { Err(Outcome::AnotherRequest) }
}

fn unkept(error: Unkept, record: &Record) -> Outcome {
    match error {
        Unkept::Body(BodyError::TooLarge(most)) => Outcome::TooLarge(most),
        Unkept::Body(error) => Outcome::NoAnswer { error: OriginError::of_body(&error), settled: Some(Box::new(record.clone())) },
        Unkept::File(error) => {
            tracing::error!(payment = %record.id, %error, "a paid request's body could not be kept");
            Outcome::Broken
        }
    }
}
