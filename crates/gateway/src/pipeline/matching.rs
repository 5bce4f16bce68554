//! `match`: a canonical head against the rule set.

use std::sync::Arc;

use http::header;
use http_body::Body as _;
use rules::{Action, Decision, Facts, Head};
use x402::Timestamp;

use super::*;
use crate::{
    digest::{self, Asked},
    origin::Free,
};

/// What the rules say, without the borrow of the facts.
enum Matched {
    Free {
        free: Free,
        under_charge: bool,
    },
    Denied,
    Preflight,
    /// Something is to be paid. The digests bind a payment that came to this request.
    Charge {
        rule: RuleRef,
        asked: Option<Asked>,
    },
}

impl<O: Origin> Pipeline<O> {
    /// Decides a request and sees it through.
    pub(super) async fn matched(self: &Arc<Self>, snapshot: &Arc<Snapshot>, received: Received) -> Answer {
        let matched = decide(snapshot, &received, self.shared.clock.now());
        let Received { parts, body, removed, client, .. } = received;
        match matched {
            Some(Matched::Free { free, under_charge }) => self.free(snapshot, free, parts, body, &removed).await.under_charge(under_charge),
            Some(Matched::Charge { rule, asked }) => {
                let cors = parts.headers.contains_key(header::ORIGIN);
                let sale = Sale { rule, target: parts.uri.clone(), cors, version: None };
                self.charged(sale, asked, parts, body, removed, client).await
            }
            Some(Matched::Preflight) => self.unread(respond(Outcome::Preflight(parts.headers), None, &self.shared), body, removed.expects),
            Some(Matched::Denied) => self.unread(respond(Outcome::Denied, None, &self.shared), body, removed.expects),
            None => self.unread(respond(Outcome::Broken, None, &self.shared), body, removed.expects),
        }
    }
}

/// `None` cannot happen: a decision of one rule set names a rule of it.
fn decide(snapshot: &Arc<Snapshot>, received: &Received, now: Timestamp) -> Option<Matched> {
    let facts = Facts::new(head(received, received.parts.method.as_str(), now));
    let decision = snapshot.rules.decide(&facts);
    if let Some(free) = Free::decided(&decision) {
        if cors::is_preflight(&received.parts) && preflight_of_charged(snapshot, received, now) {
            return Some(Matched::Preflight);
        }
        let under_charge = matches!(decision, Decision::Free(Some(rule)) if rule.action() == Action::Charge);
        return Some(Matched::Free { free, under_charge });
    }
    match decision {
        Decision::Charge(_) if cors::is_preflight(&received.parts) => Some(Matched::Preflight),
        // Denied for want of a rule for OPTIONS: what it announces may have one.
        Decision::Denied if cors::is_preflight(&received.parts) && preflight_of_charged(snapshot, received, now) => {
            Some(Matched::Preflight)
        }
        Decision::Charge(rule) => {
            let asked = received.removed.has_payment().then(|| Asked {
                request: digest::of_request(&received.parts, !received.body.is_end_stream()),
                facts: snapshot.rules.binding_digest(rule, &facts),
            });
            Some(Matched::Charge { rule: RuleRef::new(snapshot, rule)?, asked })
        }
        Decision::Denied | Decision::Blocked(_) | Decision::Free(_) => Some(Matched::Denied),
    }
}

/// Whether the request that a preflight announces would be charged: a rule for `GET` does not hold for its `OPTIONS`.
fn preflight_of_charged(snapshot: &Arc<Snapshot>, received: &Received, now: Timestamp) -> bool {
    let announced = received.parts.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).and_then(|method| method.to_str().ok());
    announced.is_some_and(|method| matches!(snapshot.rules.decide(&Facts::new(head(received, method, now))), Decision::Charge(_)))
}

fn head<'a>(received: &'a Received, method: &'a str, now: Timestamp) -> Head<'a> {
    let parts = &received.parts;
    Head {
        method,
        host: canonical::host(&parts.headers),
        path: parts.uri.path(),
        query: parts.uri.query(),
        raw_path: received.canonical.raw_path.as_deref().unwrap_or(parts.uri.path()),
        headers: &parts.headers,
        version: parts.version,
        tls: received.client.tls,
        src: received.client.source,
        now,
    }
}
