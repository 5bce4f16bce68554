#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batcher;
mod facts;
mod judge;
mod lane;
mod pursuit;
mod scripted;
