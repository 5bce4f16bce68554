//! One way to pay a rule's price.

use serde_json::{Map, Value};
use x402::{Asset, PaymentRequirements, Terms};

/// The terms of one asset, and what clients must know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    terms: Terms,
    asset: Asset,
    /// On the wire, without a quote: checksummed addresses cost a hash each, so they are written once.
    requirements: PaymentRequirements,
}

impl Offer {
    pub(crate) fn new(terms: Terms, asset: Asset) -> Self {
        let extra = Map::from_iter([
            ("name".to_owned(), Value::from(asset.name.as_str())),
            ("version".to_owned(), Value::from(asset.version.as_str())),
        ]);
        let requirements = PaymentRequirements {
            scheme: terms.scheme.as_str().to_owned(),
            network: terms.network().to_string(),
            amount: terms.amount,
            asset: terms.asset.address.to_string(),
            pay_to: terms.pay_to.to_string(),
            max_timeout_seconds: terms.max_timeout_seconds,
            extra: Some(extra),
        };
        Self { terms, asset, requirements }
    }

    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    #[must_use]
    pub fn asset(&self) -> &Asset {
        &self.asset
    }

    /// The offer on the wire: `extra` carries the asset's EIP-712 name and version (scheme_exact_evm.md §1), and the quote.
    #[must_use]
    pub fn requirements(&self, quote: Option<&str>) -> PaymentRequirements {
        let mut requirements = self.requirements.clone();
        if let (Some(quote), Some(extra)) = (quote, requirements.extra.as_mut()) {
            extra.insert("quote".to_owned(), Value::from(quote));
        }
        requirements
    }
}
