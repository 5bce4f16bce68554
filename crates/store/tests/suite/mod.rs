//! What every store must do, whatever it is built on: cases over two handles on the same data.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod claims;
pub mod deliveries;
pub mod lanes;
pub mod lists;
pub mod model;
pub mod rows;
pub mod transitions;
pub mod workers;

use std::sync::Arc;

use ledger::Store;

/// A store under test.
pub struct Place {
    pub first: Arc<dyn Store>,
    /// Another handle, as another process would have it; where there can be none, the same.
    pub second: Arc<dyn Store>,
    /// What goes when the test has ended.
    pub _folder: Option<tempfile::TempDir>,
}

/// Runs every case on the places that `$open` makes.
#[macro_export]
macro_rules! suite {
    ($open:path) => {
        $crate::suite!($open;
            claims: a_new_key_is_claimed, a_claimed_key_is_refused_even_to_its_worker, a_released_key_is_claimed_anew,
                a_failed_key_is_claimed_anew_and_its_attempts_stay, another_request_never_takes_a_released_key,
                version_1_must_come_from_the_same_source, bound_and_unbound_claims_do_not_mix, what_may_have_been_sent_is_never_claimed_anew,
                a_number_beyond_the_store_is_refused_and_harms_nobody, an_asset_elsewhere_is_refused, the_largest_amounts_are_read_back,
                one_of_two_hundred_claims_wins, an_abandoned_claim_is_given_back;
            transitions: a_payment_goes_its_way, only_the_states_before_it_let_a_transition_in, a_late_generation_is_refused,
                an_unknown_payment_conflicts, a_log_is_evidence_for_one_payment_only, a_remote_word_needs_no_log,
                a_transaction_is_one_payments_attempt, the_same_bytes_are_the_same_attempt, replacements_are_kept_beside_what_they_replace,
                a_reverted_settlement_is_taken_back_and_settles_again, a_reverted_settlement_can_be_lost, another_amount_settles_nothing,
                a_failed_transaction_is_noted, one_that_fails_leaves_its_neighbours_alone, the_ledger_recognises_its_own_steps;
            deliveries: a_first_delivery_keeps_others_out, one_redelivery_at_a_time, attempts_that_charge_are_counted,
                a_day_later_it_is_over, what_is_delivered_stays_delivered, what_is_unsettled_or_unbound_is_not_redeemable,
                a_redelivery_is_ended_by_its_worker_only, replies_are_kept_for_a_day, a_late_reply_is_not_kept,
                the_first_body_digest_stands;
            lanes: a_lane_has_one_holder, a_lane_of_the_gone_is_taken, an_older_epoch_writes_nothing, our_own_bytes_need_a_lease,
                account_nonces_only_grow, a_filler_takes_no_open_payments_nonce, a_filler_needs_the_lease;
            workers: a_silent_worker_is_gone, one_who_beats_again_lives, orphans_are_released_and_their_bytes_stay,
                the_living_keep_their_claims, secrets_are_shared;
            lists: open_payments_are_the_oldest_first, lists_are_filtered_and_paged, balances_are_sums_of_entries;
            model: no_sequence_of_operations_breaks_the_books;
        );
    };
    ($open:path; $($part:ident: $($case:ident),+);+ $(;)?) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::suite::$part::$case(&$open()).await;
            }
        )+)+
    };
}
