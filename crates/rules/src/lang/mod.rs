//! The rules language: that of Cloudflare's rulesets, as a compiler.
//!
//! An [`Expression`] is read, its types are checked against the declared fields and functions, and it becomes closures
//! over a request's borrowed [`Facts`]. Every field and function of Cloudflare's parses; one whose fact this gateway
//! cannot supply stops the load by name, for a charge that silently never matches gives the goods away. Regular
//! expressions take linear time; length, nesting and pattern sizes are bounded.
//!
//! Sources: Cloudflare's documentation of fields, operators, values and functions; for what is accepted, the parser
//! inside PyPI's `octorules-wirefilter` (`tests/oracle.rs` compares, and lists where we differ on purpose).

mod analysis;
mod ast;
mod builtins;
mod compile;
mod cursor;
mod error;
mod facts;
mod fields;
mod functions;
mod network;
mod parse;
mod suggest;
#[cfg(test)]
mod tests;
mod types;
mod wildcard;

pub use analysis::{Necessary, PathTest, Read};
pub use error::{LangError, LangErrorKind, Span};
pub use facts::{Facts, Head};
pub use fields::{Field, Missing, field, fields};
pub use functions::function_names;
pub use types::Type;

use compile::Predicate;
use std::fmt;
use std::sync::Arc;

/// Most bytes of an expression, as at Cloudflare.
pub const MAX_LENGTH: usize = 4096;
/// Most levels of parentheses, negations and calls.
pub const MAX_DEPTH: usize = 128;
/// Most regular expressions in one expression, as at Cloudflare.
pub const MAX_REGEXES: usize = 64;
/// Most bytes that one regular expression may compile to.
const REGEX_SIZE: usize = 1 << 20;

/// A checked, compiled condition. Cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Condition>);

struct Condition {
    source: Arc<str>,
    predicate: Predicate,
    reads: Vec<Read>,
    necessary: Necessary,
    is_plain: bool,
    whole_paths: Vec<String>,
}

impl Expression {
    /// Reads, checks and compiles. Every error names what is wrong and where.
    pub fn parse(source: &str) -> Result<Self, LangError> {
        let source: Arc<str> = source.into();
        if source.len() > MAX_LENGTH {
            return Err(LangError::new(&source, Span::new(0, 0), LangErrorKind::TooLong(source.len())));
        }
        let (condition, parser) = parse::Parser::parse(&source)?;
        if let Some(missing) = parser.missing() {
            return Err(missing);
        }
        let (reads, whole_paths) = (analysis::reads(&condition), analysis::whole_paths(&condition));
        let (necessary, is_plain) = (analysis::necessary(&condition), analysis::is_plain(&condition));
        let predicate = compile::predicate(condition).map_err(|(span, kind)| parser.fail_at(span, kind))?;
        Ok(Self(Arc::new(Condition { source, predicate, reads, necessary, is_plain, whole_paths })))
    }

    /// Whether it holds for a request.
    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        (self.0.predicate)(facts)
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Every fact it reads, in the order of names.
    #[must_use]
    pub fn reads(&self) -> &[Read] {
        &self.0.reads
    }

    /// What must hold of host, method and path for it to hold.
    #[must_use]
    pub fn necessary(&self) -> &Necessary {
        &self.0.necessary
    }

    /// Whether it holds wherever [`Self::necessary`] does.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.is_plain
    }

    /// Whether it compares the whole path with that literal, by `eq` or `in`, to hold.
    #[must_use]
    pub fn names_path(&self, path: &str) -> bool {
        self.0.whole_paths.iter().any(|named| named == path)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source()).finish()
    }
}
