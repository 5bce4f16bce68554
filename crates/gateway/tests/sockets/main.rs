//! The gateway through real sockets: a recording origin behind it, a scripted facilitator beside it, the store on a disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod chain;
mod framing;
mod free;
mod heads;
mod http2;
mod in_process;
mod offers;
mod origins;
mod redelivery;
mod support;
mod table;
mod well_known;
