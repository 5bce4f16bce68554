//! Arrows between the crates point down only: the table of ARCHITECTURE.md, checked against `cargo metadata`.

#[cfg(test)]
mod tests;
