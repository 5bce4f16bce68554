//! What is wrong with an expression, where, and what would be right.

use super::fields::Missing;
use super::types::Type;
use std::fmt;
use std::sync::Arc;

/// A byte range of an expression's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// Why an expression was refused: the fault of who wrote the rule. Its `Display` shows line, column, the source line and
/// a caret under the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LangError {
    fault: Box<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    source: Arc<str>,
    span: Span,
    kind: LangErrorKind,
}

/// The kinds of [`LangError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LangErrorKind {
    #[error("the expression is empty; leave `when` out to match every request")]
    Empty,
    #[error("the expression has {0} bytes; at most {max} are allowed", max = super::MAX_LENGTH)]
    TooLong(usize),
    #[error("nested deeper than {max} levels", max = super::MAX_DEPTH)]
    TooDeep,
    #[error("more than {max} regular expressions", max = super::MAX_REGEXES)]
    TooManyRegexes,
    #[error("expected {0}")]
    Expected(&'static str),
    #[error("unknown field or function `{name}`{}", hint(.suggestion.as_deref()))]
    Unknown { name: String, suggestion: Option<String> },
    /// It parses, and what it reads is nowhere to be had here.
    #[error("{name}: {missing}")]
    Missing { name: String, missing: Missing },
    /// A function or a form of it that parses, and is not evaluated here.
    #[error("{name}: {why}")]
    Unsupported { name: String, why: &'static str },
    #[error("expected {expected}, found {actual}")]
    Type { expected: Type, actual: Type },
    #[error("`{operator}` does not work on {on}")]
    Operator { operator: &'static str, on: Type },
    #[error("{index} does not index {on}")]
    Index { index: &'static str, on: Type },
    #[error("`[*]` makes an array of booleans: wrap the comparison in any(…) or all(…)")]
    NeedsQuantifier,
    #[error("any(…) and all(…) take a comparison over `[*]`, e.g. any(http.request.headers[\"x\"][*] eq \"y\")")]
    NeedsArray,
    #[error("`[*]` is for the first argument only")]
    EachBeyondFirst,
    #[error("{name}() takes {takes}")]
    Arity { name: &'static str, takes: String },
    #[error("argument {index} of {name}() must be {must}")]
    Argument { name: &'static str, index: usize, must: String },
    #[error("{0}")]
    Literal(String),
    #[error("regular expression: {0}")]
    Regex(String),
    #[error("wildcard: {0}")]
    Wildcard(&'static str),
    #[error("expected `and`, `or`, `xor` or the end of the expression")]
    Trailing,
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl LangError {
    pub(super) fn new(source: &Arc<str>, span: Span, kind: LangErrorKind) -> Self {
        Self { fault: Box::new(Fault { source: source.clone(), span, kind }) }
    }

    #[must_use]
    pub fn kind(&self) -> &LangErrorKind {
        &self.fault.kind
    }

    #[must_use]
    pub fn span(&self) -> Span {
        self.fault.span
    }

    /// Whether the expression is well-formed and well-typed, and only a fact or function is not to be had here.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.kind(), LangErrorKind::Missing { .. } | LangErrorKind::Unsupported { .. })
    }

    /// Line and column of the fault, in characters, from 1.
    #[must_use]
    pub fn position(&self) -> (usize, usize) {
        let before = self.fault.source.get(..self.fault.span.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before.get(line_start..).unwrap_or_default().chars().count() + 1)
    }
}

impl std::error::Error for LangError {}

impl fmt::Display for LangError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { source, span, kind } = &*self.fault;
        let (line, column) = self.position();
        writeln!(f, "line {line}, column {column}: {kind}")?;
        let text = source.lines().nth(line - 1).unwrap_or_default();
        let (shown, offset) = excerpt(text, column - 1);
        let width = source.get(span.start..span.end).unwrap_or_default().lines().next().map_or(0, |part| part.chars().count());
        let room = shown.chars().count().saturating_sub(offset);
        writeln!(f, "  {shown}")?;
        write!(f, "  {}{}", " ".repeat(offset), "^".repeat(width.clamp(1, room.max(1))))
    }
}

/// At most 100 characters of a line around the fault, tabs as blanks, and the fault's place in it.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let start = column.saturating_sub(70);
    let mut shown: String = line.chars().skip(start).take(100).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let mut offset = column - start;
    if start > 0 {
        shown.insert(0, '…');
        offset += 1;
    }
    (shown, offset)
}
