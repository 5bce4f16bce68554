//! What the facilitator does for the books by itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use bytes::Bytes;
use common::{Rig, payment, until};
use ledger::KeptReply;
use x402::{Clock, SystemClock, Timestamp};

#[tokio::test(flavor = "multi_thread")]
async fn replies_kept_long_enough_are_dropped() {
    let rig = Rig::new().await;
    let (old, new) = (payment(), payment());
    for (payment, at) in [(&old, Timestamp(0)), (&new, SystemClock.now())] {
        drop(rig.pay(payment).await);
        let reply = KeptReply { status: 200, headers: Vec::new(), body: Bytes::from_static(b"the goods"), at };
        rig.ledger.keep(&rig.record(payment).await, reply).await.unwrap();
        assert!(rig.record(payment).await.kept);
    }
    let rig = rig.restarted().await;
    until("the old reply is dropped", || async { !rig.record(&old).await.kept }).await;
    assert!(rig.record(&new).await.kept);
}
