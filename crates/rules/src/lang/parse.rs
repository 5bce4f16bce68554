//! Source to typed tree: a recursive descent of bounded depth that checks types as it goes.

mod call;

use super::ast::{Base, Comparison, Index, Logic, LogicOp, Operand, Order, Quantifier, Rhs, Set, Test};
use super::cursor::{Cursor, Parsed};
use super::error::{LangError, LangErrorKind, Span};
use super::fields::{self, Field, Source};
use super::functions;
use super::suggest::suggest;
use super::types::Type;
use super::wildcard::Wildcard;
use super::{MAX_DEPTH, MAX_REGEXES, REGEX_SIZE};
use std::sync::Arc;

/// A fact that an expression reads: a field, or one key of a map field.
#[derive(Clone, Copy, Debug)]
struct Seen {
    field: &'static Field,
    span: Span,
}

/// The parser's state. Depth is an argument of what nests, so that it needs no undoing.
pub(super) struct Parser {
    cursor: Cursor,
    seen: Vec<Seen>,
    lists: Vec<(String, Span)>,
    regexes: usize,
}

/// Comparison operators, longer spellings before their prefixes.
#[derive(Clone, Copy)]
enum Operator {
    In,
    Order(Order),
    BitAnd,
    Contains,
    Matches,
    Wildcard { strict: bool },
}

const OPERATORS: &[(&str, Operator)] = &[
    ("in", Operator::In),
    ("eq", Operator::Order(Order::Eq)),
    ("==", Operator::Order(Order::Eq)),
    ("ne", Operator::Order(Order::Ne)),
    ("!=", Operator::Order(Order::Ne)),
    ("ge", Operator::Order(Order::Ge)),
    (">=", Operator::Order(Order::Ge)),
    ("le", Operator::Order(Order::Le)),
    ("<=", Operator::Order(Order::Le)),
    ("gt", Operator::Order(Order::Gt)),
    (">", Operator::Order(Order::Gt)),
    ("lt", Operator::Order(Order::Lt)),
    ("<", Operator::Order(Order::Lt)),
    ("&", Operator::BitAnd),
    ("bitwise_and", Operator::BitAnd),
    ("contains", Operator::Contains),
    ("~", Operator::Matches),
    ("matches", Operator::Matches),
    ("wildcard", Operator::Wildcard { strict: false }),
    ("strict wildcard", Operator::Wildcard { strict: true }),
];

impl Parser {
    /// Parses and checks a whole expression, without asking whether its facts are to be had.
    pub(super) fn parse(source: &Arc<str>) -> Parsed<(Logic, Self)> {
        let mut parser = Self { cursor: Cursor::new(source), seen: Vec::new(), lists: Vec::new(), regexes: 0 };
        if parser.cursor.is_done() {
            return Err(parser.cursor.fail(LangErrorKind::Empty));
        }
        let start = parser.cursor.at;
        let logic = parser.logic(0)?;
        if !parser.cursor.is_done() {
            parser.cursor.skip_space();
            return Err(parser.cursor.fail(LangErrorKind::Trailing));
        }
        if logic.is_array() {
            return Err(parser.cursor.fail_since(start, LangErrorKind::NeedsQuantifier));
        }
        Ok((logic, parser))
    }

    /// The first fact that is not to be had here, if any.
    pub(super) fn missing(&self) -> Option<LangError> {
        let field = self.seen.iter().find_map(|seen| match seen.field.source {
            Source::Missing(missing) => Some((seen.span, LangErrorKind::Missing { name: seen.field.name.to_owned(), missing })),
            Source::Fact(_) => None,
        });
        let list = self.lists.first().map(|(name, span)| {
            (
                *span,
                LangErrorKind::Unsupported {
                    name: format!("${name}"),
                    why: "this configuration has no lists; write the set itself: in {…}",
                },
            )
        });
        field.or(list).map(|(span, kind)| self.cursor.fail_at(span, kind))
    }

    pub(super) fn fail_at(&self, span: Span, kind: LangErrorKind) -> LangError {
        self.cursor.fail_at(span, kind)
    }

    fn deeper(&self, depth: usize) -> Parsed<usize> {
        if depth >= MAX_DEPTH { Err(self.cursor.fail(LangErrorKind::TooDeep)) } else { Ok(depth + 1) }
    }

    fn logic(&mut self, depth: usize) -> Parsed<Logic> {
        self.combined(depth, &[(LogicOp::Or, ["or", "||"]), (LogicOp::Xor, ["xor", "^^"]), (LogicOp::And, ["and", "&&"])])
    }

    /// Operators of the first level, between operands of the levels after it.
    fn combined(&mut self, depth: usize, levels: &[(LogicOp, [&str; 2])]) -> Parsed<Logic> {
        let Some(((op, spellings), tighter)) = levels.split_first() else { return self.simple(depth) };
        let first = self.combined(depth, tighter)?;
        let mut items = vec![first];
        while self.take_operator(spellings) {
            self.cursor.skip_space();
            let start = self.cursor.at;
            let next = self.combined(depth, tighter)?;
            let expected = items.first().map_or(Type::Bool, Logic::ty);
            if next.ty() != expected {
                return Err(self.cursor.fail_since(start, LangErrorKind::Type { expected, actual: next.ty() }));
            }
            items.push(next);
        }
        match items.len() {
            1 => items.pop().ok_or_else(|| self.cursor.fail(LangErrorKind::Expected("a condition"))),
            _ => Ok(Logic::Combine { op: *op, items }),
        }
    }

    fn take_operator(&mut self, spellings: &[&str]) -> bool {
        let before = self.cursor.at;
        self.cursor.skip_space();
        let found = spellings.iter().any(|spelling| self.cursor.take(spelling));
        if !found {
            self.cursor.at = before;
        }
        found
    }

    fn simple(&mut self, depth: usize) -> Parsed<Logic> {
        if self.cursor.rest().starts_with('(') {
            let depth = self.deeper(depth)?;
            self.cursor.at += 1;
            self.cursor.skip_space();
            let inner = self.logic(depth)?;
            self.cursor.skip_space();
            self.cursor.expect(")", "`)`")?;
            return Ok(inner);
        }
        if self.at_not() {
            let depth = self.deeper(depth)?;
            if !self.cursor.take("not") {
                self.cursor.take("!");
            }
            self.cursor.skip_space();
            return Ok(Logic::Not(Box::new(self.simple(depth)?)));
        }
        if let Some(quantifier) = self.take_quantifier() {
            return self.quantified(quantifier, depth);
        }
        let lhs = self.operand(depth)?;
        self.comparison(lhs, depth).map(Logic::Compare)
    }

    fn at_not(&self) -> bool {
        let rest = self.cursor.rest();
        rest.starts_with("not") || rest.starts_with('!')
    }

    /// `any` or `all`, where a parenthesis follows; leaves the cursor at the parenthesis.
    fn take_quantifier(&mut self) -> Option<Quantifier> {
        let before = self.cursor.at;
        let quantifier = if self.cursor.take("any") {
            Quantifier::Any
        } else if self.cursor.take("all") {
            Quantifier::All
        } else {
            return None;
        };
        self.cursor.skip_space();
        if self.cursor.rest().starts_with('(') {
            return Some(quantifier);
        }
        self.cursor.at = before;
        None
    }

    fn quantified(&mut self, quantifier: Quantifier, depth: usize) -> Parsed<Logic> {
        let depth = self.deeper(depth)?;
        self.cursor.take("(");
        self.cursor.skip_space();
        let start = self.cursor.at;
        let arg = self.argument(depth)?;
        if !arg.ty().is_bool_array() {
            return Err(self.cursor.fail_since(start, LangErrorKind::NeedsArray));
        }
        self.cursor.skip_space();
        self.cursor.expect(")", "`)`; to combine comparisons over `[*]`, put them in parentheses: any((… and …))")?;
        Ok(Logic::Quantify { quantifier, arg: Box::new(arg) })
    }

    fn operand(&mut self, depth: usize) -> Parsed<Operand> {
        let (name, span) = self.cursor.name()?;
        let (base, ty) = if let Some(field) = fields::field(&name) {
            self.seen.push(Seen { field, span });
            (Base::Field(field), field.ty.clone())
        } else if let Some(forms) = functions::forms(&name) {
            self.cursor.skip_space();
            let depth = self.deeper(depth)?;
            let call = self.call(forms, span, depth)?;
            let ty = call.ty.clone();
            (Base::Call(Box::new(call)), ty)
        } else {
            return Err(self.cursor.fail_at(span, LangErrorKind::Unknown { suggestion: suggest(&name), name }));
        };
        self.indexes(base, ty, span)
    }

    fn indexes(&mut self, base: Base, mut ty: Type, name: Span) -> Parsed<Operand> {
        let mut indexes = Vec::new();
        loop {
            let start = self.cursor.at;
            if !self.cursor.take("[") {
                break;
            }
            self.cursor.skip_space();
            let index = self.index()?;
            self.cursor.skip_space();
            self.cursor.expect("]", "`]`")?;
            ty = match (ty, &index) {
                (Type::Array(element), Index::At(_) | Index::Each) | (Type::Map(element), Index::Key(_) | Index::Each) => *element,
                (on, index) => {
                    let index = match index {
                        Index::Key(_) => "a string",
                        Index::At(_) => "a number",
                        Index::Each => "`[*]`",
                    };
                    return Err(self.cursor.fail_since(start, LangErrorKind::Index { index, on }));
                }
            };
            indexes.push(index);
        }
        Ok(Operand { base, indexes, ty, span: Span::new(name.start, self.cursor.at) })
    }

    fn index(&mut self) -> Parsed<Index> {
        let start = self.cursor.at;
        if self.cursor.take("*") {
            return Ok(Index::Each);
        }
        if self.cursor.rest().starts_with('"') {
            let key = String::from_utf8(self.cursor.text()?);
            return key
                .map(Index::Key)
                .map_err(|_| self.cursor.fail_since(start, LangErrorKind::Literal("a key must be UTF-8".to_owned())));
        }
        if !self.cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
            return Err(self.cursor.fail(LangErrorKind::Expected("an index: a key in double quotes, a number from 0, or `*`")));
        }
        let at = self.cursor.int()?;
        let at = u32::try_from(at)
            .map_err(|_| self.cursor.fail_since(start, LangErrorKind::Literal("an index has at most 32 bits".to_owned())))?;
        Ok(Index::At(at as usize))
    }

    fn comparison(&mut self, lhs: Operand, depth: usize) -> Parsed<Comparison> {
        if lhs.ty == Type::Bool {
            return Ok(Comparison { lhs, test: Test::IsTrue });
        }
        if lhs.ty.is_bool_array() {
            if lhs.is_each() {
                return Err(self.cursor.fail_at(lhs.span, LangErrorKind::NeedsQuantifier));
            }
            return Ok(Comparison { lhs, test: Test::IsTrue });
        }
        self.cursor.skip_space();
        let start = self.cursor.at;
        let Some((spelling, operator)) = self.take_comparison() else {
            return Err(self.cursor.fail(LangErrorKind::Expected("a comparison operator, such as eq, in or contains")));
        };
        let scalar = matches!(lhs.ty, Type::Int | Type::Bytes | Type::Ip);
        let fits = match operator {
            Operator::In | Operator::Order(_) => scalar,
            Operator::BitAnd => lhs.ty == Type::Int,
            _ => lhs.ty == Type::Bytes,
        };
        if !fits {
            return Err(self.cursor.fail_since(start, LangErrorKind::Operator { operator: spelling, on: lhs.ty }));
        }
        self.cursor.skip_space();
        let test = self.test(operator, &lhs.ty, depth)?;
        Ok(Comparison { lhs, test })
    }

    fn take_comparison(&mut self) -> Option<(&'static str, Operator)> {
        OPERATORS.iter().find(|(spelling, _)| self.cursor.take(spelling)).copied()
    }

    fn test(&mut self, operator: Operator, ty: &Type, depth: usize) -> Parsed<Test> {
        let start = self.cursor.at;
        match operator {
            Operator::In if self.cursor.take("$") => {
                let name = self.cursor.list_name()?;
                self.lists.push((name, Span::new(start, self.cursor.at)));
                Ok(Test::OneOf(Set::Bytes(Vec::new())))
            }
            Operator::In => self.cursor.set(ty).map(Test::OneOf),
            Operator::Order(order) => self.rhs(ty, depth).map(|rhs| Test::Order(order, rhs)),
            Operator::BitAnd => self.rhs(ty, depth).map(Test::BitAnd),
            Operator::Contains => self.cursor.bytes().map(Test::Contains),
            Operator::Matches => self.regex().map(Test::Matches),
            Operator::Wildcard { strict } => {
                let pattern = if self.cursor.starts_text() {
                    self.cursor.text()?
                } else {
                    return Err(self.cursor.fail(LangErrorKind::Expected("a string in double quotes")));
                };
                Wildcard::new(&pattern, strict)
                    .map(Test::Wildcard)
                    .map_err(|problem| self.cursor.fail_since(start, LangErrorKind::Wildcard(problem)))
            }
        }
    }

    /// A literal, or a field or call of the same type.
    fn rhs(&mut self, ty: &Type, depth: usize) -> Parsed<Rhs> {
        let start = self.cursor.at;
        let literal_fault = match self.cursor.literal(ty) {
            Ok(literal) => return Ok(Rhs::Literal(literal)),
            Err(fault) => fault,
        };
        self.cursor.at = start;
        if !self.cursor.peek().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') || self.cursor.starts_text() {
            return Err(literal_fault);
        }
        let operand = self.operand(depth)?;
        let actual = if operand.is_each() { operand.ty.clone().array() } else { operand.ty.clone() };
        if actual != *ty {
            return Err(self.cursor.fail_at(operand.span, LangErrorKind::Type { expected: ty.clone(), actual }));
        }
        Ok(Rhs::Operand(operand))
    }

    fn regex(&mut self) -> Parsed<regex::bytes::Regex> {
        let start = self.cursor.at;
        let pattern = self.cursor.pattern()?;
        self.regexes += 1;
        if self.regexes > MAX_REGEXES {
            return Err(self.cursor.fail_since(start, LangErrorKind::TooManyRegexes));
        }
        compile_regex(&pattern).map_err(|problem| self.cursor.fail_since(start, LangErrorKind::Regex(problem)))
    }
}

/// Linear-time, over bytes, of bounded size; classes are ASCII unless `(?u)` says otherwise, as at Cloudflare.
pub(super) fn compile_regex(pattern: &str) -> Result<regex::bytes::Regex, String> {
    let built = regex::bytes::RegexBuilder::new(pattern).unicode(false).size_limit(REGEX_SIZE).dfa_size_limit(REGEX_SIZE).build();
    built.map_err(|fault| match fault {
        regex::Error::CompiledTooBig(_) => format!("it compiles to more than {REGEX_SIZE} bytes"),
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}
