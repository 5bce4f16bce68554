//! The rules language: the one of Cloudflare's rulesets, as a compiler. See [`Expression`].

mod facts;
pub use facts::{Facts, Head};

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LangError { pub message: String }

/// A checked, compiled condition. Cheap to clone.
#[derive(Clone)]
pub struct Expression;

impl Expression {
    pub fn parse(_source: &str) -> Result<Self, LangError> { todo!() }
    pub fn matches(&self, _facts: &Facts<'_>) -> bool { todo!() }
    pub fn source(&self) -> &str { todo!() }
}
