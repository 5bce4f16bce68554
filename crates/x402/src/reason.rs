//! Why a payment was refused: the codes of x402 v2 §9, the scheme's, then ours.

/// A reason, with its code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// `insufficient_funds`
    InsufficientFunds,
    /// `invalid_exact_evm_payload_authorization_valid_after`
    ValidAfter,
    /// `invalid_exact_evm_payload_authorization_valid_before`
    ValidBefore,
    /// `invalid_exact_evm_payload_authorization_value_mismatch` (also zero)
    ValueMismatch,
    /// `invalid_exact_evm_payload_signature`
    Signature,
    /// `invalid_exact_evm_payload_recipient_mismatch`
    RecipientMismatch,
    /// `invalid_network`
    Network,
    /// `invalid_payload`
    Payload,
    /// `invalid_payment_requirements`: pays none of our offers (asset, scheme of another offer, expired or forged quote)
    Requirements,
    /// `invalid_scheme`
    Scheme,
    /// `unsupported_scheme`
    UnsupportedScheme,
    /// `invalid_x402_version`
    Version,
    /// `invalid_transaction_state`: mined, but the money did not move; or simulated and reverted
    TransactionState,
    /// `unexpected_verify_error`
    UnexpectedVerify,
    /// `unexpected_settle_error`
    UnexpectedSettle,
    /// `authorization_used`: the nonce is used or cancelled, or claimed elsewhere
    AuthorizationUsed,
    /// `settlement_pending`
    SettlementPending,
    /// `eip6492_factory_not_allowed`
    FactoryNotAllowed,
    /// `payer_blocked`: the token's issuer has blacklisted the payer
    PayerBlocked,
    /// `asset_paused`
    AssetPaused,
}

/// Every reason with its code and its sentence for the payer.
const TABLE: [(Reason, &str, &str); 20] = [
    (
        Reason::InsufficientFunds,
        "insufficient_funds",
        "The payer holds less of the token than the price. Fund it, then send this payment again or sign another.",
    ),
    (
        Reason::ValidAfter,
        "invalid_exact_evm_payload_authorization_valid_after",
        "The authorization is not valid yet. Sign one whose validAfter lies in the past.",
    ),
    (
        Reason::ValidBefore,
        "invalid_exact_evm_payload_authorization_valid_before",
        "The authorization has expired, or would before it could be settled. Sign another with a later validBefore.",
    ),
    (
        Reason::ValueMismatch,
        "invalid_exact_evm_payload_authorization_value_mismatch",
        "The authorization's value is not the amount of the offer. Sign exactly that amount.",
    ),
    (
        Reason::Signature,
        "invalid_exact_evm_payload_signature",
        "The signature is not the payer's over this authorization and token. Sign it again with the token's name and version as offered.",
    ),
    (
        Reason::RecipientMismatch,
        "invalid_exact_evm_payload_recipient_mismatch",
        "The authorization pays somebody else. Sign one to the payTo of the offer.",
    ),
    (Reason::Network, "invalid_network", "This network is not among the offers. Pay on one that is offered."),
    (
        Reason::Payload,
        "invalid_payload",
        "The payment is malformed, or made in a way that is not accepted here. Sign one for an offer as it stands.",
    ),
    (
        Reason::Requirements,
        "invalid_payment_requirements",
        "The payment meets none of the offers: they may have changed or expired. Take one of the offers of this answer.",
    ),
    (Reason::Scheme, "invalid_scheme", "This scheme is not the offer's. Pay with the scheme that is offered."),
    (Reason::UnsupportedScheme, "unsupported_scheme", "This scheme is not supported here. Pay with a scheme that is offered."),
    (Reason::Version, "invalid_x402_version", "This protocol version is not supported here. Pay with version 2 or 1."),
    (
        Reason::TransactionState,
        "invalid_transaction_state",
        "The transfer would fail, or did: no money moved. Look at the token's state of the payer, then sign another payment.",
    ),
    (Reason::UnexpectedVerify, "unexpected_verify_error", "The payment could not be verified. Send it again later."),
    (Reason::UnexpectedSettle, "unexpected_settle_error", "The payment could not be settled. Ask for its state before you sign another."),
    (
        Reason::AuthorizationUsed,
        "authorization_used",
        "This authorization was used or cancelled before, or is claimed elsewhere. Sign one with a fresh nonce.",
    ),
    (
        Reason::SettlementPending,
        "settlement_pending",
        "The payment was sent to the chain, and its outcome is not known yet. Wait and send the same payment again; do not sign another.",
    ),
    (
        Reason::FactoryNotAllowed,
        "eip6492_factory_not_allowed",
        "The wallet's factory is not allowed here. Deploy the wallet first, or pay from another.",
    ),
    (Reason::PayerBlocked, "payer_blocked", "The token's issuer has blocked the payer. Pay from another wallet."),
    (Reason::AssetPaused, "asset_paused", "The token is paused by its issuer. Pay with another token, or later."),
];

impl Reason {
    /// Every reason.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(reason, ..)| *reason)
    }

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// The reason of a code, for answers of remote facilitators.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        TABLE.iter().find(|(_, known, _)| *known == code).map(|(reason, ..)| *reason)
    }

    /// What the payer is told: what is wrong, what to do next.
    #[must_use]
    pub fn message(self) -> &'static str {
        self.row().2
    }

    /// The table stands in the order of the variants; a test holds it to that.
    fn row(self) -> &'static (Self, &'static str, &'static str) {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests;
