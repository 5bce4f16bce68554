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

impl Reason {
    pub fn code(self) -> &'static str { todo!() }
    /// The reason of a code, for answers of remote facilitators.
    pub fn from_code(code: &str) -> Option<Self> { todo!() }
    /// One sentence for the payer: what is wrong, what to do next.
    pub fn message(self) -> &'static str { todo!() }
}
