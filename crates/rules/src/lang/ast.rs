//! The typed syntax tree. What stands in it has passed every check.

use super::error::Span;
use super::fields::Field;
use super::functions::Function;
use super::types::Type;
use super::wildcard::Wildcard;
use std::net::IpAddr;

/// What yields a boolean, or an array of them where a comparison goes over `[*]`.
#[derive(Debug)]
pub(super) enum Logic {
    Compare(Comparison),
    Not(Box<Logic>),
    Combine { op: LogicOp, items: Vec<Logic> },
    Quantify { quantifier: Quantifier, arg: Box<Arg> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogicOp {
    And,
    Or,
    Xor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    Any,
    All,
}

#[derive(Debug)]
pub(super) struct Comparison {
    pub lhs: Operand,
    pub test: Test,
}

#[derive(Debug)]
pub(super) enum Test {
    IsTrue,
    Order(Order, Rhs),
    BitAnd(Rhs),
    Contains(Vec<u8>),
    Matches(regex::bytes::Regex),
    Wildcard(Wildcard),
    OneOf(Set),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug)]
pub(super) enum Rhs {
    Literal(Literal),
    Operand(Operand),
}

/// The right side of `in`; ranges are inclusive.
#[derive(Debug)]
pub(super) enum Set {
    Bytes(Vec<Vec<u8>>),
    Ints(Vec<(i64, i64)>),
    Ips(Vec<(IpAddr, IpAddr)>),
}

/// A field or call, and what is taken of it.
#[derive(Debug)]
pub(super) struct Operand {
    pub base: Base,
    pub indexes: Vec<Index>,
    /// After all indexes; of one element where some are `[*]`.
    pub ty: Type,
    pub span: Span,
}

#[derive(Debug)]
pub(super) enum Base {
    Field(&'static Field),
    Call(Box<Call>),
}

#[derive(Debug)]
pub(super) struct Call {
    pub function: &'static Function,
    pub args: Vec<Arg>,
    /// The result; an array of results where the first argument goes over `[*]`.
    pub ty: Type,
    pub span: Span,
}

#[derive(Debug)]
pub(super) enum Arg {
    Operand(Operand),
    Literal(Literal),
    Logic(Logic),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Bytes(Vec<u8>),
    Int(i64),
    Ip(IpAddr),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Index {
    Key(String),
    At(usize),
    Each,
}

impl Logic {
    /// Whether it yields an array of booleans.
    pub(super) fn is_array(&self) -> bool {
        match self {
            Self::Compare(comparison) => comparison.is_array(),
            Self::Not(inner) => inner.is_array(),
            Self::Combine { items, .. } => items.first().is_some_and(Self::is_array),
            Self::Quantify { .. } => false,
        }
    }

    pub(super) fn ty(&self) -> Type {
        if self.is_array() { Type::Bool.array() } else { Type::Bool }
    }
}

impl Comparison {
    pub(super) fn is_array(&self) -> bool {
        self.lhs.is_each() || self.lhs.ty.is_bool_array()
    }
}

impl Operand {
    /// Whether it stands for many values.
    pub(super) fn is_each(&self) -> bool {
        self.indexes.contains(&Index::Each)
    }
}

impl Arg {
    pub(super) fn ty(&self) -> Type {
        match self {
            Self::Operand(operand) => operand.ty.clone(),
            Self::Literal(literal) => literal.ty(),
            Self::Logic(logic) => logic.ty(),
        }
    }

    pub(super) fn is_each(&self) -> bool {
        matches!(self, Self::Operand(operand) if operand.is_each())
    }
}

impl Literal {
    pub(super) fn ty(&self) -> Type {
        match self {
            Self::Bytes(_) => Type::Bytes,
            Self::Int(_) => Type::Int,
            Self::Ip(_) => Type::Ip,
        }
    }
}

impl Order {
    pub(super) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
        }
    }
}

impl Quantifier {
    pub(super) fn holds(self, mut truths: impl Iterator<Item = bool>) -> bool {
        match self {
            Self::Any => truths.any(|held| held),
            Self::All => truths.all(|held| held),
        }
    }
}
