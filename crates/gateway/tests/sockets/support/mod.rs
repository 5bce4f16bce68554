pub mod buyer;
pub mod facilitator;
pub mod origin;
pub mod wire;
pub mod world;

pub use buyer::Buyer;
pub use wire::{Reply, Wire};
pub use world::World;
