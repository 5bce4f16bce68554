//! EIP-712 hashing of EIP-3009 authorizations.

use crate::{Address, Authorization, B256};

/// `keccak256(abi.encode(TYPE_HASH, keccak(name), keccak(version), chainId, verifyingContract))`; computed once per asset and kept.
pub fn domain_separator(name: &str, version: &str, chain_id: u64, contract: Address) -> B256 { todo!() }

/// The digest a payer signs for `TransferWithAuthorization` (EIP-3009).
pub fn transfer_digest(domain_separator: &B256, authorization: &Authorization) -> B256 { todo!() }
