//! `quote`: the payload must pay one of *our* offers exactly; what it echoes only chooses among them.

use rules::price;
use x402::{PaymentPayload, Reason, Terms};

use super::{Sale, Shared};

pub(super) fn terms(shared: &Shared, sale: &Sale, payload: &PaymentPayload) -> Result<Terms, Reason> {
    price(&sale.rule.snapshot().rules, sale.rule.rule(), payload, &shared.quotes, shared.clock.now())
}
