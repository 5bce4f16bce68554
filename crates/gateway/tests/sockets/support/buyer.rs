//! A buyer with a key, who signs what it is offered.

use secp256k1::{Message, PublicKey, Secp256k1, SecretKey};
use x402::{
    Address, Authorization, B256, Bytes, ExactPayload, PaymentPayload, PaymentRequired, PaymentRequirements, SchemePayload, U256, Version,
    eip712::{domain_separator, transfer_digest},
};

use super::Reply;

pub struct Buyer {
    key: SecretKey,
    pub address: Address,
}

/// An authorization before it is signed; tests change what they like.
#[derive(Clone, Debug)]
pub struct Draft {
    pub offer: PaymentRequirements,
    pub required: PaymentRequired,
    pub authorization: Authorization,
}

impl Buyer {
    pub fn new(seed: u8) -> Self {
        Self::of(B256::repeat_byte(seed))
    }

    pub fn of(key: B256) -> Self {
        let key = SecretKey::from_byte_array(key.0).unwrap();
        let public = PublicKey::from_secret_key(&Secp256k1::new(), &key).serialize_uncompressed();
        let address = Address::from_slice(&alloy_primitives::keccak256(&public[1..])[12..]);
        Self { key, address }
    }

    /// The first offer of a 402, to be paid with a nonce of its own.
    pub fn draft(&self, unpaid: &Reply, now: u64) -> Draft {
        assert_eq!(unpaid.status, 402, "{unpaid:?}");
        let required = x402::http::decode_required(unpaid.header("payment-required").unwrap().as_bytes()).unwrap();
        let offer = required.accepts[0].clone();
        let mut nonce = [0; 32];
        aws_lc_rs::rand::fill(&mut nonce).unwrap();
        let authorization = Authorization {
            from: self.address,
            to: offer.pay_to.parse().unwrap(),
            value: offer.amount,
            valid_after: U256::ZERO,
            valid_before: U256::from(now + offer.max_timeout_seconds),
            nonce: B256::from(nonce),
        };
        Draft { offer, required, authorization }
    }

    /// `PAYMENT-SIGNATURE` for the first offer of a 402.
    pub fn pay(&self, unpaid: &Reply, now: u64) -> String {
        self.sign(&self.draft(unpaid, now))
    }

    pub fn sign(&self, draft: &Draft) -> String {
        x402::http::encode_payment(&self.payload(draft, Version::V2))
    }

    /// `X-PAYMENT` for the same.
    pub fn sign_v1(&self, draft: &Draft) -> String {
        x402::v1::encode_payment(&self.payload(draft, Version::V1)).unwrap()
    }

    pub fn payload(&self, draft: &Draft, version: Version) -> PaymentPayload {
        let extra = draft.offer.extra.as_ref().unwrap();
        let text = |name: &str| extra[name].as_str().unwrap();
        let domain = domain_separator(text("name"), text("version"), 84532, draft.offer.asset.parse().unwrap());
        let digest = transfer_digest(&domain, &draft.authorization);
        let signed = Secp256k1::new().sign_ecdsa_recoverable(Message::from_digest(digest.0), &self.key);
        let (recovery, compact) = signed.serialize_compact();
        let mut signature = compact.to_vec();
        signature.push(27 + u8::try_from(i32::from(recovery)).unwrap());
        PaymentPayload {
            version,
            scheme: "exact".to_owned(),
            network: draft.offer.network.clone(),
            accepted: (version == Version::V2).then(|| draft.offer.clone()),
            resource: (version == Version::V2).then(|| draft.required.resource.clone()),
            payload: SchemePayload::Exact(ExactPayload { signature: Bytes::from(signature), authorization: draft.authorization.clone() }),
            extensions: serde_json::Map::new(),
        }
    }
}
