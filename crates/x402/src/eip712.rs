//! EIP-712 hashing of EIP-3009 authorizations.

use crate::{Address, Authorization, B256, U256};
use alloy_primitives::{b256, keccak256};

/// keccak256 of `EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)`.
const DOMAIN_TYPE_HASH: B256 = b256!("8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f");

/// keccak256 of `TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)`.
const TRANSFER_TYPE_HASH: B256 = b256!("7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267");

/// `keccak256(abi.encode(TYPE_HASH, keccak(name), keccak(version), chainId, verifyingContract))`; computed once per asset and kept.
#[must_use]
pub fn domain_separator(name: &str, version: &str, chain_id: u64, contract: Address) -> B256 {
    let chain_id = B256::from(U256::from(chain_id));
    hash_words(&[DOMAIN_TYPE_HASH, keccak256(name), keccak256(version), chain_id, contract.into_word()])
}

/// The struct hash of `TransferWithAuthorization` (EIP-3009).
#[must_use]
pub fn transfer_struct_hash(authorization: &Authorization) -> B256 {
    hash_words(&[
        TRANSFER_TYPE_HASH,
        authorization.from.into_word(),
        authorization.to.into_word(),
        authorization.value.into(),
        authorization.valid_after.into(),
        authorization.valid_before.into(),
        authorization.nonce,
    ])
}

/// The digest a payer signs for `TransferWithAuthorization` (EIP-3009).
#[must_use]
pub fn transfer_digest(domain_separator: &B256, authorization: &Authorization) -> B256 {
    let mut message = [0; 66];
    message[..2].copy_from_slice(&[0x19, 0x01]);
    message[2..34].copy_from_slice(domain_separator.as_slice());
    message[34..].copy_from_slice(transfer_struct_hash(authorization).as_slice());
    keccak256(message)
}

fn hash_words(words: &[B256]) -> B256 {
    let mut hasher = alloy_primitives::Keccak256::new();
    for word in words {
        hasher.update(word);
    }
    hasher.finalize()
}
