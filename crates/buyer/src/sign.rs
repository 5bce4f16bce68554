//! Signing an offer: `exact` by EIP-3009 (scheme_exact_evm.md §1).

use x402::{
    Authorization, B256, ExactPayload, PaymentPayload, PaymentRequirements, ResourceInfo, SchemePayload, Terms, Timestamp, U256, Version,
    eip712, known,
};

use crate::Wallet;

/// How far back `validAfter` is set, in seconds: clocks of chains lag behind.
const CLOCK_SLACK: u64 = 600;

/// Why an offer cannot be signed. Nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSignable {
    #[error("the offer's terms are not understood ({})", .0.code())]
    Terms(x402::Reason),
    #[error("the network {0} is no EVM chain")]
    Network(String),
    #[error("the token {0} is not known here, and the offer names no EIP-712 domain for it")]
    Domain(String),
}

/// Signs one offer with the wallet's key: the payload is valid from ten minutes before `now` until `maxTimeoutSeconds` after it.
///
/// The token's EIP-712 domain is the built-in one where the token is well known, else the offer's `extra.name` and `extra.version`: who calls this
/// for an unknown token has decided to trust the seller on that. Version 2 payloads echo the offer and its resource.
pub fn sign(
    wallet: &Wallet,
    offer: &PaymentRequirements,
    resource: Option<&ResourceInfo>,
    version: Version,
    now: Timestamp,
    nonce: B256,
) -> Result<PaymentPayload, NotSignable> {
    let terms = Terms::try_from(offer).map_err(NotSignable::Terms)?;
    let separator = domain_separator(&terms, offer)?;
    let authorization = Authorization {
        from: wallet.address(),
        to: terms.pay_to,
        value: terms.amount,
        valid_after: U256::from(now.0.saturating_sub(CLOCK_SLACK)),
        valid_before: U256::from(now.after(terms.max_timeout_seconds).0),
        nonce,
    };
    let signature = wallet.sign_digest(&eip712::transfer_digest(&separator, &authorization));
    let echoed = version == Version::V2;
    Ok(PaymentPayload {
        version,
        scheme: offer.scheme.clone(),
        network: terms.network().as_str().to_owned(),
        accepted: echoed.then(|| offer.clone()),
        resource: resource.filter(|_| echoed).cloned(),
        payload: SchemePayload::Exact(ExactPayload { signature: signature.to_vec().into(), authorization }),
        extensions: serde_json::Map::new(),
    })
}

fn domain_separator(terms: &Terms, offer: &PaymentRequirements) -> Result<B256, NotSignable> {
    let asset = &terms.asset;
    let chain_id = asset.network.chain_id().ok_or_else(|| NotSignable::Network(asset.network.to_string()))?;
    let known = known::network(&asset.network).map(|known| &known.usdc).filter(|usdc| usdc.id == *asset);
    let named = |key: &str| offer.extra.as_ref()?.get(key)?.as_str();
    let (name, version) = match (known, named("name"), named("version")) {
        (Some(usdc), ..) => (usdc.name.as_str(), usdc.version.as_str()),
        (None, Some(name), Some(version)) => (name, version),
        _ => return Err(NotSignable::Domain(asset.address.to_string())),
    };
    Ok(eip712::domain_separator(name, version, chain_id, asset.address))
}
