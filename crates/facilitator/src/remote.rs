//! Remote facilitators (x402 v2 §7): they verify and settle; where a chain is configured too, it has the last word.

mod wire;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use ledger::{Attempt, Claimed, Ledger, NotDone, Record, Settlement, StepError, Submitted};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use x402::{Authenticated, B256, Evidence, Network, PaymentId, Reason, Terms};

use crate::{
    Outcome, Readiness, Refusal, Verification,
    directory::Directory,
    own::{OwnNetwork, Pursued, Shared},
    release::{outcome_of, release},
};
use wire::{Ask, SettleAnswer, Trouble, VerifyAnswer};

/// How long a facilitator may take to verify, and to say what it supports.
const VERIFY_WITHIN: Duration = Duration::from_secs(10);
/// How long a configured chain may take to say its height.
const HEIGHT_WITHIN: Duration = Duration::from_secs(2);
/// Between two looks at what is supported.
const CONTENT: Duration = Duration::from_secs(60);
const IMPATIENT: Duration = Duration::from_secs(1);
/// Between two questions after a lost reply.
const ASK_AGAIN: Duration = Duration::from_secs(15);

/// All configured remote facilitators, the preferred one first.
pub struct Remote {
    urls: Vec<reqwest::Url>,
    client: reqwest::Client,
    directory: Arc<Directory>,
    ledger: Ledger,
    runtime: Handle,
    closing: CancellationToken,
    settle_within: Duration,
    watchers: HashMap<Network, Arc<OwnNetwork>>,
    /// Networks of each facilitator; `Err` says why they are not known.
    supported: RwLock<Vec<Result<HashSet<Network>, String>>>,
    pursued: Mutex<HashSet<PaymentId>>,
}

impl Remote {
    pub fn new(urls: Vec<reqwest::Url>, client: reqwest::Client, shared: Shared, watchers: HashMap<Network, Arc<OwnNetwork>>) -> Self {
        let unseen = urls.iter().map(|_| Err("it has not been asked yet".to_owned())).collect();
        Self {
            urls,
            client,
            directory: shared.directory,
            ledger: shared.ledger,
            runtime: shared.runtime,
            closing: shared.closing,
            settle_within: shared.settle_within,
            watchers,
            supported: RwLock::new(unseen),
            pursued: Mutex::new(HashSet::new()),
        }
    }

    /// Asks what is supported, again and again.
    pub fn start(self: &Arc<Self>) {
        let remote = Arc::clone(self);
        self.runtime.spawn(async move {
            let asking = async {
                loop {
                    sleep(if remote.ask_supported().await { CONTENT } else { IMPATIENT }).await;
                }
            };
            tokio::select! {
                () = remote.closing.cancelled() => {}
                () = asking => {}
            }
        });
    }

    async fn ask_supported(&self) -> bool {
        let mut all = true;
        for (index, url) in self.urls.iter().enumerate() {
            let found = wire::supported(&self.client, url, VERIFY_WITHIN).await;
            if let Err(why) = &found {
                tracing::warn!(facilitator = %url, %why, "the remote facilitator does not say what it supports");
                all = false;
            }
            self.note(index, found);
        }
        all
    }

    fn note(&self, index: usize, found: Result<HashSet<Network>, String>) {
        if let Some(slot) = self.supported.write().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
            *slot = found;
        }
    }

    pub fn readiness(&self, network: &Network) -> Readiness {
        let supported = self.supported.read().unwrap_or_else(PoisonError::into_inner);
        if supported.iter().flatten().any(|networks| networks.contains(network)) {
            return Readiness::Ready;
        }
        let why = supported.iter().find_map(|one| one.as_ref().err().cloned());
        Readiness::NotReady { why: why.unwrap_or_else(|| format!("no remote facilitator settles `exact` on {network}")) }
    }

    /// Those that settle on that network, in order.
    fn facilitators(&self, network: &Network) -> Vec<(usize, reqwest::Url)> {
        let supported = self.supported.read().unwrap_or_else(PoisonError::into_inner);
        let fits = supported.iter().map(|one| one.as_ref().is_ok_and(|networks| networks.contains(network)));
        self.urls.iter().cloned().enumerate().zip(fits).filter(|(_, fits)| *fits).map(|(one, _)| one).collect()
    }

    /// Verifying moves nothing, so that the next facilitator may be asked where one is in trouble.
    pub async fn verify(&self, payment: Authenticated, terms: Terms, room: u64) -> Result<Verification, Refusal> {
        x402::exact::pays(payment.authorization(), &terms)?;
        x402::exact::window(payment.authorization(), self.ledger.now(), room)?;
        let known = self.directory.get(&terms.asset).ok_or(Reason::Requirements)?;
        let ask = Ask::of_payment(&payment, &terms, &known.asset);
        let mut last = match self.readiness(terms.network()) {
            Readiness::NotReady { why } => return Err(Refusal::NotReady { why }),
            Readiness::Ready => String::new(),
        };
        for (_, url) in self.facilitators(terms.network()) {
            match wire::verify(&self.client, &url, &ask, VERIFY_WITHIN).await {
                Ok(VerifyAnswer::Valid) => {
                    let head_block = self.height(terms.network()).await;
                    let verified = x402::verified::verify(payment, terms, Evidence::Facilitator, self.ledger.now(), room)?;
                    return Ok(Verification { verified, head_block });
                }
                Ok(VerifyAnswer::Invalid(reason)) => return Err(reason.into()),
                Err(trouble) => {
                    tracing::warn!(facilitator = %url, %trouble, "verify failed");
                    last = trouble.to_string();
                }
            }
        }
        Err(Refusal::Unavailable { why: last })
    }

    /// A block that a settlement must come after; zero where no chain is read, or it does not answer: what the facilitator has verified is
    /// not refused for that.
    async fn height(&self, network: &Network) -> u64 {
        let Some(watcher) = self.watchers.get(network) else { return 0 };
        match timeout(HEIGHT_WITHIN, watcher.height()).await {
            Ok(Ok(height)) => return height,
            Ok(Err(error)) => tracing::warn!(%network, %error, "the chain does not answer: the remote facilitator's word will do"),
            Err(_) => tracing::warn!(%network, "the chain does not answer in time: the remote facilitator's word will do"),
        }
        0
    }

    /// The chain that has the last word on a payment: one that was heard when it was verified, for only what came after that proves it.
    fn watcher(&self, record: &Record) -> Option<&Arc<OwnNetwork>> {
        self.watchers.get(&record.key.network).filter(|_| record.claimed_block > 0)
    }

    /// Asks one facilitator, once: what may have been sent is never asked of another.
    pub async fn settle(self: &Arc<Self>, claimed: Claimed) -> Outcome {
        let record = claimed.record();
        let chosen = self.facilitators(&record.key.network).into_iter().next();
        let asset = self.directory.get(&record.asset).map(|known| known.asset.clone());
        let ((index, url), asset) = match (chosen, asset, self.closing.is_cancelled()) {
            (Some(chosen), Some(asset), false) => (chosen, asset),
            (_, _, true) => return release(&self.ledger, &self.runtime, claimed, "shutting down".into()).await,
            _ => return release(&self.ledger, &self.runtime, claimed, "no remote facilitator is ready".into()).await,
        };
        // Taken before the row says that something was sent: a sweep would take it for left behind.
        let Some(turn) = self.enter(record) else {
            return release(&self.ledger, &self.runtime, claimed, "an earlier attempt is not over yet".into()).await;
        };
        let ask = Ask::of_record(record, &asset);
        let attempt = Attempt::Remote { facilitator: url.to_string() };
        let submitted = match self.ledger.submit(claimed, attempt, None).await {
            Ok(submitted) => submitted,
            Err(NotDone { proof, error: StepError::Store(error) }) => {
                return release(&self.ledger, &self.runtime, proof, error.to_string()).await;
            }
            Err(NotDone { error: StepError::Overtaken(record), .. }) => return outcome_of(*record),
        };
        match wire::settle(&self.client, &url, &ask, self.settle_within).await {
            Ok(SettleAnswer::Settled(transaction)) => self.book(submitted, turn, transaction).await,
            Ok(SettleAnswer::Refused(reason)) => self.fail(submitted, reason).await,
            Ok(SettleAnswer::Unclear(why)) | Err(Trouble::Maybe(why)) => {
                tracing::warn!(payment = %submitted.id(), facilitator = %url, %why, "settled, perhaps");
                drop(turn);
                self.leave_pending(submitted).await
            }
            Err(Trouble::Unsent(why)) => {
                // The next payment goes to another one until this one answers again.
                self.note(index, Err(why.clone()));
                match self.ledger.fail(submitted, Reason::UnexpectedSettle.code(), None).await {
                    Ok(record) => Outcome::Unavailable { record: Some(Box::new(record)), why },
                    Err(not_done) => unwritten(not_done),
                }
            }
        }
    }

    /// The right to work on a payment in this process; `None`: somebody is at it already.
    fn enter(self: &Arc<Self>, record: &Record) -> Option<Turn> {
        if let Some(watcher) = self.watcher(record) {
            return watcher.enter(record.id).map(|pursued| Turn::Watched(Arc::clone(watcher), pursued));
        }
        let new = self.pursued.lock().unwrap_or_else(PoisonError::into_inner).insert(record.id);
        new.then(|| Turn::Asked(Asked { remote: Arc::clone(self), id: record.id }))
    }

    /// A facilitator's word is booked as it is only where no chain can be asked.
    async fn book(self: &Arc<Self>, submitted: Submitted, turn: Turn, transaction: B256) -> Outcome {
        let asked = match turn {
            Turn::Watched(watcher, pursued) => return watcher.await_end(submitted, pursued).await,
            Turn::Asked(asked) => asked,
        };
        let settlement = Settlement {
            transaction,
            block_number: 0,
            block_hash: B256::ZERO,
            log_index: None,
            amount: submitted.record().amount,
            at: self.ledger.now(),
        };
        match self.ledger.settle(submitted, settlement).await {
            Ok(settled) => Outcome::Settled(settled),
            Err(NotDone { proof, error: StepError::Store(_) }) => {
                let record = Box::new(proof.record().clone());
                drop(asked);
                self.resume(proof);
                Outcome::Pending { record }
            }
            Err(not_done) => unwritten(not_done),
        }
    }

    async fn fail(&self, submitted: Submitted, reason: Reason) -> Outcome {
        match self.ledger.fail(submitted, reason.code(), None).await {
            Ok(record) => Outcome::Failed { record: Box::new(record), reason },
            Err(not_done) => unwritten(not_done),
        }
    }

    async fn leave_pending(self: &Arc<Self>, submitted: Submitted) -> Outcome {
        let submitted = match self.ledger.unknown(submitted).await {
            Ok(submitted) => submitted,
            Err(NotDone { proof, error: StepError::Store(_) }) => proof,
            Err(not_done) => return unwritten(not_done),
        };
        let record = Box::new(submitted.record().clone());
        self.resume(submitted);
        Outcome::Pending { record }
    }

    /// Watches on. Without a chain only the facilitator that was asked knows: it is asked again until the authorization has expired. Only a
    /// success is believed; any refusal may be the echo of a first success.
    pub fn resume(self: &Arc<Self>, submitted: Submitted) {
        if let Some(watcher) = self.watcher(submitted.record()) {
            return watcher.resume(submitted);
        }
        let Some(turn) = self.enter(submitted.record()) else { return };
        let remote = Arc::clone(self);
        self.runtime.spawn(async move { remote.ask_again(submitted, turn).await });
    }

    async fn ask_again(self: &Arc<Self>, submitted: Submitted, turn: Turn) {
        let record = submitted.record().clone();
        let Some(Attempt::Remote { facilitator }) = &record.attempt else { return };
        let (Ok(url), Some(known)) = (facilitator.parse::<reqwest::Url>(), self.directory.get(&record.asset)) else { return };
        let ask = Ask::of_record(&record, &known.asset);
        while self.ledger.now().0 <= record.valid_before.saturating_to::<u64>() {
            sleep(ASK_AGAIN).await;
            if let Ok(SettleAnswer::Settled(transaction)) = wire::settle(&self.client, &url, &ask, self.settle_within).await {
                let outcome = self.book(submitted, turn, transaction).await;
                tracing::info!(payment = %record.id, ?outcome, "the remote facilitator has answered");
                return;
            }
        }
        tracing::error!(payment = %record.id, facilitator, "nobody can say what became of it: configure an RPC endpoint, or look by hand");
    }
}

/// The right to work on one payment.
enum Turn {
    /// A chain has the last word.
    Watched(Arc<OwnNetwork>, Pursued),
    Asked(Asked),
}

/// A payment that only its facilitator can speak for.
struct Asked {
    remote: Arc<Remote>,
    id: PaymentId,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.remote.pursued.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

fn unwritten(not_done: NotDone<Submitted>) -> Outcome {
    match not_done.error {
        StepError::Overtaken(record) => outcome_of(*record),
        StepError::Store(_) => Outcome::Pending { record: Box::new(not_done.proof.record().clone()) },
    }
}

#[cfg(test)]
mod tests;
