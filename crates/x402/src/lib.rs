//! The x402 protocol as pure data: wire types, codecs, the pure checks of its schemes, EIP-712 hashing.
//!
//! No I/O, no clock, no randomness: time is an argument, chain facts are data. Protocol version 1 is converted at
//! the edge ([`v1`]); everything past the codecs knows one payload and one set of terms.

pub mod asset;
pub mod clock;
pub mod eip712;
pub mod encoding;
pub mod exact;
pub mod http;
pub mod key;
pub mod known;
pub mod mcp;
pub mod network;
mod object;
pub mod payload;
pub mod reason;
pub mod required;
pub mod response;
pub mod signature;
pub mod template;
pub mod terms;
pub mod v1;
pub mod v2;
pub mod verified;

pub use alloy_primitives::{Address, B256, Bytes, U256};
pub use asset::{Amount, Asset, AssetId};
pub use clock::{Clock, SystemClock, Timestamp};
pub use exact::{Authenticated, Authorization, ExactPayload, Proof};
pub use key::{PaymentId, PaymentKey};
pub use network::Network;
pub use payload::{PaymentPayload, SchemePayload, Version};
pub use reason::Reason;
pub use required::{PaymentRequired, PaymentRequirements, ResourceInfo};
pub use response::{SettlementResponse, SupportedKind, SupportedResponse, VerifyResponse};
pub use template::{PreparedRequired, RenderedRequired, RequiredTemplate};
pub use terms::{Scheme, Terms};
pub use verified::{Evidence, Facts, Verified};
