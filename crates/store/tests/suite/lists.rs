//! Lists and sums.

use ledger::{Account, ListFilter, NewRecord, Record, State, Store};
use x402::{Address, AssetId, Network, PaymentId, PaymentKey, U256};

use super::{Place, rows::*};

/// The `n`th payment, claimed `n` seconds later.
fn later(n: u64) -> NewRecord {
    NewRecord { now: NOW.after(n), ..payment(n) }
}

fn ids(records: &[Record]) -> Vec<PaymentId> {
    records.iter().map(|record| record.id).collect()
}

async fn list(store: &dyn Store, filter: ListFilter) -> Vec<PaymentId> {
    ids(&store.list(filter).await.unwrap())
}

pub async fn open_payments_are_the_oldest_first(place: &Place) {
    let store = &*place.first;
    let newer = claim(store, later(2)).await;
    let older = claim(store, later(1)).await;
    let elsewhere = Network::eip155(1);
    let mut other = later(3);
    other.key.network = elsewhere.clone();
    other.asset.network = elsewhere.clone();
    let other = claim(store, other).await;
    for (n, state) in (10..).zip(State::ALL.into_iter().filter(|state| state.is_final())) {
        in_state(store, n, state).await;
    }
    assert_eq!(ids(&place.second.open_payments(None).await.unwrap()), [older.id, newer.id, other.id]);
    assert_eq!(ids(&place.second.open_payments(Some(&network())).await.unwrap()), [older.id, newer.id]);
    assert_eq!(ids(&place.second.open_payments(Some(&elsewhere)).await.unwrap()), [other.id]);
    let pending = [in_state(store, 20, State::Unknown).await.id, in_state(store, 21, State::Reverted).await.id];
    let open = ids(&place.second.open_payments(None).await.unwrap());
    assert!(pending.iter().all(|id| open.contains(id)));
}

pub async fn lists_are_filtered_and_paged(place: &Place) {
    let store = &*place.first;
    let mut newest_first = Vec::new();
    for n in 1..=5 {
        newest_first.insert(0, claim(store, later(n)).await.id);
    }
    let all = ListFilter::default();
    assert_eq!(list(store, all.clone()).await, newest_first);
    assert_eq!(list(store, ListFilter { limit: 2, ..all.clone() }).await, newest_first[..2]);
    assert_eq!(list(store, ListFilter { limit: 2, before: Some(newest_first[1]), ..all.clone() }).await, newest_first[2..4]);
    assert_eq!(list(store, ListFilter { state: Some(State::Claimed), ..all.clone() }).await.len(), 5);
    assert!(list(store, ListFilter { state: Some(State::Settled), ..all.clone() }).await.is_empty());
    assert!(list(store, ListFilter { network: Some(Network::eip155(1)), ..all.clone() }).await.is_empty());
    let mut stranger = later(9);
    stranger.key = PaymentKey { payer: Address::repeat_byte(0x99), ..stranger.key };
    let stranger = claim(store, stranger).await;
    assert_eq!(list(store, ListFilter { payer: Some(stranger.key.payer), ..all }).await, [stranger.id]);
}

pub async fn balances_are_sums_of_entries(place: &Place) {
    let store = &*place.first;
    let mut expected = U256::ZERO;
    for n in 1..=3 {
        settled(store, n).await;
        expected += U256::from(AMOUNT);
    }
    let [payer, seller] = place.second.balances().await.unwrap().try_into().expect("two accounts");
    let asset = AssetId { network: network(), address: payment(1).asset.address };
    assert_eq!(
        (payer.account, &payer.asset, payer.debit, payer.credit),
        (Account::Payer(payment(1).key.payer), &asset, expected, U256::ZERO)
    );
    assert_eq!(
        (seller.account, &seller.asset, seller.debit, seller.credit),
        (Account::Seller(payment(1).pay_to), &asset, U256::ZERO, expected)
    );
}
