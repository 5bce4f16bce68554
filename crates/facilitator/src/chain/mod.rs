//! The only place of RPC: what a facilitator asks of a chain.
