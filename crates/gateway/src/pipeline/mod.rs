//! The way of a request. One file a step; each hands on a value that only it can make, or ends the request with an [`Outcome`].

mod authenticate;
mod claim;
mod decode;
mod forward;
mod keep;
mod matching;
mod outcome;
mod purchase;
mod quote;
mod recall;
mod redeliver;
mod settle;
mod spool;
mod verify;

use std::{net::IpAddr, sync::Arc};

use arc_swap::ArcSwap;
use facilitator::Facilitator;
use http::{Request, Response, request::Parts};
use ledger::Ledger;
use rules::{Quotes, RuleSet};
use tokio_util::task::TaskTracker;
use x402::{Clock, Version};

pub(crate) use outcome::{Down, Outcome};

use crate::{
    Body, Config, Limits, Secrets, StartError,
    canonical::{self, Canonical},
    context::ContextKey,
    cors,
    delivery::Outbox,
    fields::{self, Removed},
    forwarded::{self, Address, Client},
    origin::Origin,
    respond::{Answer, respond},
    snapshot::{RuleRef, Snapshot},
    unread, well_known,
};

/// What all data-plane threads share. Nothing in it is locked over an await.
pub(crate) struct Shared {
    pub facilitator: Facilitator,
    pub ledger: Ledger,
    pub clock: Arc<dyn Clock>,
    pub quotes: Quotes,
    pub context: ContextKey,
    pub snapshot: ArcSwap<Snapshot>,
    pub limits: Limits,
    /// Payments under way: a shutdown waits for them.
    pub tasks: TaskTracker,
}

impl Shared {
    pub fn new(
        config: &Config,
        rules: RuleSet,
        facilitator: Facilitator,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        secrets: &Secrets,
    ) -> Result<Arc<Self>, StartError> {
        let snapshot = Snapshot::new(config, rules, clock.now())?;
        Ok(Arc::new(Self {
            facilitator,
            ledger,
            clock,
            quotes: Quotes::new(secrets.quote),
            context: ContextKey::new(&secrets.context)?,
            snapshot: ArcSwap::from_pointee(snapshot),
            limits: config.limits.clone(),
            tasks: TaskTracker::new(),
        }))
    }
}

/// The way of a request, from `http::Request` to `http::Response`: a [`crate::Gateway`] has one on every data-plane thread, the simulator one
/// without a socket.
pub struct Pipeline<O> {
    pub(crate) origin: O,
    pub(crate) shared: Arc<Shared>,
}

/// Whom a request came from, over which connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub address: Address,
    /// Absent where there is no socket.
    pub outbox: Option<Outbox>,
}

/// A request under a charge rule: what its answer depends on, paid or not.
#[derive(Clone)]
pub(crate) struct Sale {
    pub rule: RuleRef,
    /// Canonical path and query.
    pub target: http::Uri,
    /// Asked by a script of another origin.
    pub cors: bool,
    /// The protocol version its payment came in.
    pub version: Option<Version>,
}

impl Sale {
    pub fn target(&self) -> &str {
        self.target.path_and_query().map_or("/", |target| target.as_str())
    }
}

/// A canonical request, with what its head said about itself.
struct Received {
    parts: Parts,
    body: Body,
    canonical: Canonical,
    removed: Removed,
    client: Client,
}

impl<O: Origin> Pipeline<O> {
    /// A pipeline of its own, before this origin. Of `config.listen` only the port means something to it: a `Host` may name it.
    pub fn new(
        origin: O,
        config: &Config,
        rules: RuleSet,
        facilitator: Facilitator,
        ledger: Ledger,
        clock: Arc<dyn Clock>,
        secrets: &Secrets,
    ) -> Result<Arc<Self>, StartError> {
        Ok(Arc::new(Self { origin, shared: Shared::new(config, rules, facilitator, ledger, clock, secrets)? }))
    }

    /// Answers a request of `source`. A paid answer is delivered when its body has been read to its end.
    pub async fn answer(self: &Arc<Self>, request: Request<Body>, source: IpAddr) -> Response<Body> {
        self.handle(request, Peer { address: source.into(), outbox: None }).await
    }

    /// Answers one request.
    pub(crate) async fn handle(self: &Arc<Self>, request: Request<Body>, peer: Peer) -> Response<Body> {
        let snapshot = self.shared.snapshot.load_full();
        let (mut parts, body) = request.into_parts();
        let canonical = match canonical::make(&mut parts, snapshot.ports) {
            Ok(canonical) => canonical,
            Err(why) => return self.early(Outcome::Ambiguous(why), None, body, false),
        };
        if well_known::is_ours(parts.uri.path()) {
            return well_known::answer(&self.shared, &snapshot, &parts).await;
        }
        let removed = fields::strip_request(&mut parts.headers);
        let client = forwarded::resolve(&mut parts.headers, &peer.address, &snapshot.trusted_proxies);
        let received = Received { parts, body, canonical, removed, client };
        self.matched(&snapshot, received).await.hand_over(peer.outbox)
    }

    /// An answer that needs nothing of the request's body.
    fn early(&self, outcome: Outcome, sale: Option<&Sale>, body: Body, expects: bool) -> Response<Body> {
        self.unread(respond(outcome, sale, &self.shared), body, expects).hand_over(None)
    }

    /// Sees to the body that nobody wanted.
    fn unread(&self, mut answer: Answer, body: Body, expects: bool) -> Answer {
        unread::dispose(answer.response_mut(), body, expects, self.shared.limits.drain);
        answer
    }
}
