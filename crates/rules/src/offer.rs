//! One way to pay a rule's price.

use x402::{Asset, PaymentRequirements, Terms};

/// The terms of one asset, and what clients must know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub(crate) terms: Terms,
    pub(crate) asset: Asset,
}

impl Offer {
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    #[must_use]
    pub fn asset(&self) -> &Asset {
        &self.asset
    }

    /// The offer on the wire: `extra` carries the asset's EIP-712 name and version, and the quote.
    #[must_use]
    pub fn requirements(&self, quote: Option<&str>) -> PaymentRequirements {
        let _ = quote;
        todo!()
    }
}
