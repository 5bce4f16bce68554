//! facilitator
