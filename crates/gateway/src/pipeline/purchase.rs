//! A request under a charge rule: from its payment header to its end. From `recall` on it runs in a task of its own, which a client's
//! disconnect cannot cancel.

use http_body::Body as _;
use ledger::{Binding, Claim, Claimed, Settled};
use rules::SettleWhen;
use x402::{Authenticated, PaymentPayload, encoding::Malformed};

use super::{
    authenticate::authenticate,
    claim::claim,
    decode::{Decoded, decode},
    forward::{drop_conditions, is_charged, outgoing},
    quote,
    recall::{Recalled, known, recall},
    settle::{Settling, release, settle},
    verify::verify,
    *,
};
use crate::{
    delivery::Delivery,
    digest::{self, Asked},
    origin::Admission,
};

/// One payment for one request.
pub(super) struct Purchase {
    pub sale: Sale,
    pub parts: Parts,
    /// Taken when the origin is asked.
    pub body: Option<Body>,
    pub trailers: bool,
    pub payload: PaymentPayload,
    pub payment: Option<Authenticated>,
    pub binding: Binding,
}

impl<O: Origin> Pipeline<O> {
    /// Offers, a refusal, or the purchase.
    pub(super) async fn charged(
        self: &Arc<Self>,
        mut sale: Sale,
        asked: Option<Asked>,
        mut parts: Parts,
        body: Body,
        removed: Removed,
        client: Client,
    ) -> Answer {
        let (decoded, asked) = match decode(&removed).map(|decoded| decoded.zip(asked)) {
            Ok(Some(paid)) => paid,
            Ok(None) => return self.unread(respond(offered(&sale), Some(&sale), &self.shared), body, removed.expects),
            Err(malformed) => return self.refuse_malformed(malformed, &sale, body, &removed),
        };
        sale.version = Some(decoded.payload.version);
        let payment = match authenticate(&self.shared.facilitator, sale.rule.rule(), &decoded.payload) {
            Ok(payment) => payment,
            Err(reason) => {
                let outcome = Outcome::Invalid { reason, network: decoded.payload.network, payer: None };
                return self.unread(respond(outcome, Some(&sale), &self.shared), body, removed.expects);
            }
        };
        drop_conditions(&mut parts);
        let binding = binding(&sale, asked, &decoded, client, &parts);
        let Decoded { payload, .. } = decoded;
        let purchase = Purchase { sale, parts, body: Some(body), trailers: removed.trailers, payload, payment: Some(payment), binding };
        let pipeline = Arc::clone(self);
        let task = self.shared.tasks.spawn(async move { pipeline.purchase(purchase, removed.expects).await });
        match task.await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "a payment's task ended early");
                respond(Outcome::Broken, None, &self.shared)
            }
        }
    }

    fn refuse_malformed(&self, malformed: Malformed, sale: &Sale, body: Body, removed: &Removed) -> Answer {
        tracing::debug!(%malformed, "a payment could not be decoded");
        self.unread(respond(Outcome::Malformed(malformed), Some(sale), &self.shared), body, removed.expects)
    }

    async fn purchase(self: Arc<Self>, mut purchase: Purchase, expects: bool) -> Answer {
        let outcome = match self.steps(&mut purchase).await {
            Ok(outcome) | Err(outcome) => outcome,
        };
        let answer = respond(outcome, Some(&purchase.sale), &self.shared);
        match purchase.body.take() {
            Some(body) => self.unread(answer, body, expects),
            None => answer,
        }
    }

    /// The steps in order. `Err` is an end before the origin was asked.
    async fn steps(&self, purchase: &mut Purchase) -> Result<Outcome, Outcome> {
        let shared = &*self.shared;
        let Some(payment) = purchase.payment.take() else { return Err(Outcome::Broken) };
        match recall(shared, payment.key().id(), &purchase.binding).await {
            Recalled::Unknown => {}
            Recalled::Redeemable(record) => return self.redeliver(purchase, *record).await,
            Recalled::Answered(outcome) => return Err(outcome),
        }
        let payer = payment.payer();
        let terms = quote::terms(shared, &purchase.sale, &purchase.payload).map_err(|reason| Outcome::Invalid {
            reason,
            network: purchase.payload.network.clone(),
            payer: Some(payer),
        })?;
        let verification = verify(shared, payment, terms).await?;
        let claimed = match claim(shared, verification, purchase.binding.clone()).await? {
            Claim::New(claimed) => claimed,
            Claim::Known(record) => {
                return match known(shared, record, &purchase.binding).await {
                    Recalled::Redeemable(record) => self.redeliver(purchase, *record).await,
                    Recalled::Answered(outcome) => Err(outcome),
                    Recalled::Unknown => Err(Outcome::Broken),
                };
            }
        };
        tracing::debug!(payment = %claimed.id(), "claimed");
        Ok(match purchase.sale.rule.rule().settle() {
            SettleWhen::BeforeOrigin => self.before_origin(purchase, claimed).await,
            SettleWhen::BeforeResponse => self.before_response(purchase, claimed).await,
        })
    }

    /// Dear or side-effecting work: the money moves first.
    async fn before_origin(&self, purchase: &mut Purchase, claimed: Claimed) -> Outcome {
        let settled = match settle(&self.shared, claimed).await {
            Settling::Settled(settled) => settled,
            Settling::Pending(record) => {
                Delivery::new(&self.shared, &record).abandon().await;
                return Outcome::Pending(record);
            }
            Settling::Ended(outcome) => return outcome,
        };
        let request = self.request(purchase, settled.record());
        let delivery = Delivery::new(&self.shared, settled.record());
        self.served(&purchase.sale, &settled, request, delivery).await
    }

    /// The origin's answer for money that has moved. What is not charged leaves the payment redeemable.
    pub(super) async fn served(&self, sale: &Sale, settled: &Settled, request: Request<Body>, delivery: Delivery) -> Outcome {
        let record = Box::new(settled.record().clone());
        match self.paid_for(sale, Admission::Settled(settled), request).await {
            Ok(response) if is_charged(response.status()) => Outcome::Paid { response, record, delivery },
            Ok(response) => {
                delivery.abandon().await;
                Outcome::Unserved { response, record }
            }
            Err(error) => {
                delivery.abandon().await;
                Outcome::NoAnswer { error, settled: Some(record) }
            }
        }
    }

    /// The money moves between the origin's head and the first byte of its body.
    async fn before_response(&self, purchase: &mut Purchase, claimed: Claimed) -> Outcome {
        let request = self.request(purchase, claimed.record());
        let response = match self.paid_for(&purchase.sale, Admission::Claimed(&claimed), request).await {
            Ok(response) if is_charged(response.status()) => response,
            Ok(response) => {
                release(&self.shared, claimed, "origin_not_charged").await;
                return Outcome::Uncharged(response);
            }
            Err(error) => {
                release(&self.shared, claimed, "origin_unreachable").await;
                return Outcome::NoAnswer { error, settled: None };
            }
        };
        match settle(&self.shared, claimed).await {
            Settling::Settled(settled) => {
                let delivery = Delivery::new(&self.shared, settled.record());
                Outcome::Paid { response, record: Box::new(settled.record().clone()), delivery }
            }
            Settling::Pending(record) => {
                let delivery = Delivery::new(&self.shared, &record);
                keep::in_background(&self.shared, purchase.sale.rule.rule().keep(), &record, response, delivery);
                Outcome::Pending(record)
            }
            Settling::Ended(outcome) => outcome,
        }
    }

    /// The request as the origin gets it; its body is digested on the way, for a redelivery to be compared with.
    pub(super) fn request(&self, purchase: &mut Purchase, record: &ledger::Record) -> Request<Body> {
        let body = purchase.body.take().unwrap_or_else(Body::empty);
        let body = if body.is_end_stream() { body } else { self.noted(body, record) };
        outgoing(purchase.parts.clone(), body, purchase.trailers)
    }

    fn noted(&self, body: Body, record: &ledger::Record) -> Body {
        let (shared, record) = (Arc::clone(&self.shared), record.clone());
        digest::while_streaming(body, move |digest| {
            let tasks = shared.tasks.clone();
            tasks.spawn(async move {
                if let Err(error) = shared.ledger.note_body(&record, digest).await {
                    tracing::warn!(payment = %record.id, %error, "the digest of a request's body is not noted");
                }
            });
        })
    }
}

fn offered(sale: &Sale) -> Outcome {
    if sale.rule.rule().offers().is_empty() { Outcome::NoOffers } else { Outcome::Offered }
}

fn binding(sale: &Sale, asked: Asked, decoded: &Decoded, client: Client, parts: &Parts) -> Binding {
    Binding {
        request: asked.request,
        facts: asked.facts,
        conditions: sale.rule.snapshot().rules.conditions(),
        header: decoded.header,
        source: client.source,
        version_1: !decoded.secret,
        rule: sale.rule.rule().id().to_owned(),
        method: parts.method.as_str().to_owned(),
        path: sale.target().to_owned(),
    }
}
