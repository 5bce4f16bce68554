//! What a payment must pay, typed. Ours come from rules; a facilitator's from the request's `paymentRequirements`.

use crate::{Address, AssetId, Network, PaymentRequirements, Reason, U256, encoding::parse_hex};

/// The schemes that are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Exact,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
        }
    }
}

/// The terms of one offer: scheme, asset (with its network), payee, amount in atomic units, time to pay in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub scheme: Scheme,
    pub asset: AssetId,
    pub pay_to: Address,
    pub amount: U256,
    pub max_timeout_seconds: u64,
}

impl Terms {
    pub fn network(&self) -> &Network {
        &self.asset.network
    }
}

impl TryFrom<&PaymentRequirements> for Terms {
    type Error = Reason;

    /// Unknown scheme, network or asset forms are [`Reason`]s (402), never 400.
    fn try_from(requirements: &PaymentRequirements) -> Result<Self, Reason> {
        if requirements.scheme != Scheme::Exact.as_str() {
            return Err(Reason::UnsupportedScheme);
        }
        let network = Network::parse(&requirements.network).map_err(|_| Reason::Network)?;
        if network.chain_id().is_none() {
            return Err(Reason::Network);
        }
        let address = |text: &str| parse_hex::<20>(text).map(Address::from).ok_or(Reason::Requirements);
        Ok(Self {
            scheme: Scheme::Exact,
            asset: AssetId { network, address: address(&requirements.asset)? },
            pay_to: address(&requirements.pay_to)?,
            amount: requirements.amount,
            max_timeout_seconds: requirements.max_timeout_seconds,
        })
    }
}

#[cfg(test)]
mod tests;
