//! HTTP/1.1 and JSON-RPC over plain sockets, one blocking connection each: what is sent is exactly what was asked for.

mod http;
mod rpc;

pub use http::{Client, Response};
pub use rpc::Rpc;
