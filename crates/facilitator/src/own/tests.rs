#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batcher;
mod facts;
mod faulty;
mod gaps;
mod judge;
mod lane;
mod pursuit;
mod rig;
mod scripted;
