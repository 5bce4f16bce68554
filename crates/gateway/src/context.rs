//! `PAYMENT-CONTEXT`: what the origin is told of a payment, signed (DESIGN §3; RFC 7519, RFC 8037).

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderValue;
use ledger::Record;
use serde_json::json;
use x402::Timestamp;

/// Seconds that a context may be shown after it was made.
const LIFETIME: u64 = 120;

/// The gateway's key, the same for all gateways on a store.
pub(crate) struct ContextKey {
    pair: Ed25519KeyPair,
    /// Encoded header of every token.
    header: String,
    /// The JSON Web Key Set (RFC 7517).
    key_set: String,
}

/// What the money is, as the origin is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Claimed,
    Settled,
}

/// The seed is not one of an Ed25519 key.
#[derive(Debug, thiserror::Error)]
#[error("the key of PAYMENT-CONTEXT cannot be made from the store's secret")]
pub struct UnusableSeed;

impl ContextKey {
    pub fn new(seed: &[u8; 32]) -> Result<Self, UnusableSeed> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| UnusableSeed)?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        // RFC 7638: the thumbprint of the required members, in this order, without white space.
        let thumbprint = digest(&SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes());
        let kid = URL_SAFE_NO_PAD.encode(thumbprint.as_ref());
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }).to_string());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x });
        Ok(Self { pair, header, key_set: json!({ "keys": [key] }).to_string() })
    }

    /// The public half, for origins to check tokens with.
    pub fn key_set(&self) -> &str {
        &self.key_set
    }

    /// The token for one request. `target` is its canonical path and query.
    pub fn sign(&self, public_url: &str, target: &str, record: &Record, standing: Standing, now: Timestamp) -> Option<HeaderValue> {
        let binding = record.binding.as_ref()?;
        let claims = json!({
            "iss": public_url,
            "aud": format!("{public_url}{target}"),
            "iat": now.0,
            "nbf": now.0,
            "exp": now.after(LIFETIME).0,
            "jti": record.id.to_string(),
            "scheme": x402::Scheme::Exact.as_str(),
            "amount": record.amount.to_string(),
            "payer": record.key.payer.to_checksum(None),
            "network": record.key.network.as_str(),
            "asset": record.asset.address.to_checksum(None),
            "rule": binding.rule,
            "method": binding.method,
            "state": match standing { Standing::Claimed => "claimed", Standing::Settled => "settled" },
        });
        let signed = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()).as_ref());
        let mut value = HeaderValue::try_from(format!("{signed}.{signature}")).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
