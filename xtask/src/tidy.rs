//! What no linter checks: length of files, leftovers, names that do not belong into the tree.

#[cfg(test)]
mod tests;
