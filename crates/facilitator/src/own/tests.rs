#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batcher;
mod judge;
mod lane;
mod pursuit;
mod scripted;
