//! Types, checked when an expression is loaded, and the values they hold when it is evaluated.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

/// The type of a field, a function's result, or a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    /// 64 bits, signed.
    Int,
    /// A string: any bytes.
    Bytes,
    Ip,
    Array(Box<Type>),
    /// From strings.
    Map(Box<Type>),
}

impl Type {
    #[must_use]
    pub fn array(self) -> Self {
        Self::Array(Box::new(self))
    }

    pub(super) fn is_bool_array(&self) -> bool {
        matches!(self, Self::Array(element) if **element == Self::Bool)
    }

    fn plural(&self) -> String {
        match self {
            Self::Bool => "booleans".to_owned(),
            Self::Int => "integers".to_owned(),
            Self::Bytes => "strings".to_owned(),
            Self::Ip => "IP addresses".to_owned(),
            Self::Array(element) => format!("arrays of {}", element.plural()),
            Self::Map(element) => format!("maps of {}", element.plural()),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("a boolean"),
            Self::Int => f.write_str("an integer"),
            Self::Bytes => f.write_str("a string"),
            Self::Ip => f.write_str("an IP address"),
            Self::Array(element) => write!(f, "an array of {}", element.plural()),
            Self::Map(element) => write!(f, "a map of {}", element.plural()),
        }
    }
}

/// A value, borrowed from the request where it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value<'f> {
    Bool(bool),
    Int(i64),
    Bytes(Cow<'f, [u8]>),
    Ip(IpAddr),
    Array(Vec<Value<'f>>),
    Map(Vec<(Cow<'f, [u8]>, Value<'f>)>),
}

impl<'f> Value<'f> {
    pub(super) fn borrowed(bytes: &'f [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }

    pub(super) fn owned(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }

    /// Its elements: an array's, or a map's values.
    pub(super) fn into_elements(self) -> Vec<Self> {
        match self {
            Self::Array(elements) => elements,
            Self::Map(entries) => entries.into_iter().map(|(_, value)| value).collect(),
            scalar => vec![scalar],
        }
    }
}
