//! The functions: names and signatures. Their bodies are in [`super::builtins`].
//!
//! Signatures are the union of what Cloudflare documents and what the oracle (PyPI `octorules-wirefilter`) declares; a
//! form that only the oracle declares, and that no document explains, parses and stops the load by name.

use super::types::Type;

/// A declared function.
#[derive(Debug)]
pub struct Function {
    pub name: &'static str,
    pub(super) params: &'static [Param],
    /// How many of `params` must be given.
    pub(super) required: usize,
    /// The type of any further arguments.
    pub(super) rest: Option<Param>,
    pub(super) returns: Returns,
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Param {
    pub kind: Kind,
    pub accepts: Accepts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A field, a call or a condition.
    Field,
    Literal,
    Either,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accepts {
    Bytes,
    Int,
    Ip,
    /// A string or an integer.
    Key,
    /// An integer, a boolean or an IP address.
    Printable,
    Scalar,
    /// A string or any array.
    BytesOrArray,
    /// A string, an array or a map.
    Measurable,
    BytesArray,
    BytesArrayMap,
    /// The type of the first argument.
    SameAsFirst,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returns {
    Bool,
    Int,
    Bytes,
    Ip,
    BytesArray,
    SameAsFirst,
}

impl Accepts {
    pub(super) fn takes(self, ty: &Type, first: Option<&Type>) -> bool {
        match self {
            Self::Bytes => *ty == Type::Bytes,
            Self::Int => *ty == Type::Int,
            Self::Ip => *ty == Type::Ip,
            Self::Key => matches!(ty, Type::Bytes | Type::Int),
            Self::Printable => matches!(ty, Type::Int | Type::Bool | Type::Ip),
            Self::Scalar => matches!(ty, Type::Bool | Type::Int | Type::Bytes | Type::Ip),
            Self::BytesOrArray => matches!(ty, Type::Bytes | Type::Array(_)),
            Self::Measurable => matches!(ty, Type::Bytes | Type::Array(_) | Type::Map(_)),
            Self::BytesArray => matches!(ty, Type::Array(element) if **element == Type::Bytes),
            Self::BytesArrayMap => matches!(ty, Type::Map(value) if Self::BytesArray.takes(value, None)),
            Self::SameAsFirst => first == Some(ty),
        }
    }

    pub(super) fn describe(self, first: Option<&Type>) -> String {
        match self {
            Self::Bytes => "a string".to_owned(),
            Self::Int => "an integer".to_owned(),
            Self::Ip => "an IP address".to_owned(),
            Self::Key => "a string or an integer".to_owned(),
            Self::Printable => "an integer, a boolean or an IP address".to_owned(),
            Self::Scalar => "a string, integer, boolean or IP address".to_owned(),
            Self::BytesOrArray => "a string or an array".to_owned(),
            Self::Measurable => "a string, an array or a map".to_owned(),
            Self::BytesArray => "an array of strings".to_owned(),
            Self::BytesArrayMap => "a map of arrays of strings".to_owned(),
            Self::SameAsFirst => first.map_or_else(|| "of the first argument's type".to_owned(), |ty| format!("{ty}, as the first")),
        }
    }
}

impl Returns {
    pub(super) fn ty(self, first: Option<&Type>) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Bytes => Type::Bytes,
            Self::Ip => Type::Ip,
            Self::BytesArray => Type::Bytes.array(),
            Self::SameAsFirst => first.cloned().unwrap_or(Type::Bytes),
        }
    }
}

const fn field(accepts: Accepts) -> Param {
    Param { kind: Kind::Field, accepts }
}
const fn literal(accepts: Accepts) -> Param {
    Param { kind: Kind::Literal, accepts }
}
const fn either(accepts: Accepts) -> Param {
    Param { kind: Kind::Either, accepts }
}

const STRING: Param = field(Accepts::Bytes);
const TEXT: Param = literal(Accepts::Bytes);
const NUMBER: Param = literal(Accepts::Int);

const fn function(name: &'static str, params: &'static [Param], required: usize, rest: Option<Param>, returns: Returns) -> Function {
    Function { name, params, required, rest, returns }
}

/// In the order of documentation; several entries of one name are its forms, the first the one that errors speak of.
/// `any` and `all` are syntax, not functions.
pub(super) static FUNCTIONS: &[Function] = &[
    function("bit_slice", &[STRING, NUMBER, NUMBER], 3, None, Returns::Int),
    function("cidr", &[field(Accepts::Ip), NUMBER, NUMBER], 3, None, Returns::Ip),
    function("cidr6", &[field(Accepts::Ip), NUMBER], 2, None, Returns::Ip),
    function(
        "coalesce",
        &[either(Accepts::Scalar), either(Accepts::SameAsFirst)],
        2,
        Some(either(Accepts::SameAsFirst)),
        Returns::SameAsFirst,
    ),
    function(
        "concat",
        &[either(Accepts::BytesOrArray), either(Accepts::SameAsFirst)],
        2,
        Some(either(Accepts::SameAsFirst)),
        Returns::SameAsFirst,
    ),
    function("contains", &[STRING, either(Accepts::Bytes)], 2, None, Returns::Bool),
    function("decode_base64", &[STRING], 1, None, Returns::Bytes),
    function("encode_base64", &[STRING, TEXT], 1, None, Returns::Bytes),
    function("ends_with", &[STRING, either(Accepts::Bytes)], 2, None, Returns::Bool),
    function("has_key", &[field(Accepts::BytesArrayMap), TEXT], 2, None, Returns::Bool),
    function("has_value", &[field(Accepts::BytesArray), TEXT], 2, None, Returns::Bool),
    function("hash_in_range", &[NUMBER, NUMBER, STRING], 3, None, Returns::Int),
    function("hmac", &[STRING, TEXT, TEXT], 3, None, Returns::Bytes),
    function("ip_in_range", &[field(Accepts::Ip), TEXT], 2, None, Returns::Bool),
    function("is_jwt_present", &[TEXT], 1, None, Returns::Bool),
    function("is_jwt_valid", &[TEXT], 1, None, Returns::Bool),
    function("is_timed_hmac_valid_v0", &[TEXT, STRING, NUMBER, either(Accepts::Int), NUMBER, TEXT], 4, None, Returns::Bool),
    function("is_timed_hmac_valid_v0", &[STRING, TEXT, NUMBER, TEXT, NUMBER], 3, None, Returns::Bool),
    function("join", &[field(Accepts::BytesArray), TEXT], 2, None, Returns::Bytes),
    function("len", &[field(Accepts::Measurable)], 1, None, Returns::Int),
    function("lookup_json_integer", &[STRING, literal(Accepts::Key)], 2, Some(literal(Accepts::Key)), Returns::Int),
    function("lookup_json_string", &[STRING, literal(Accepts::Key)], 2, Some(literal(Accepts::Key)), Returns::Bytes),
    function("lower", &[STRING], 1, None, Returns::Bytes),
    function("regex_replace", &[STRING, TEXT, TEXT], 3, None, Returns::Bytes),
    function("remove_bytes", &[STRING, TEXT], 2, None, Returns::Bytes),
    function("remove_query_args", &[STRING, TEXT], 2, Some(TEXT), Returns::Bytes),
    function("sha256", &[STRING], 1, None, Returns::Bytes),
    function("sha512", &[STRING], 1, None, Returns::Bytes),
    function("split", &[STRING, TEXT, NUMBER], 3, None, Returns::BytesArray),
    function("starts_with", &[STRING, either(Accepts::Bytes)], 2, None, Returns::Bool),
    function("substring", &[STRING, NUMBER, NUMBER], 2, None, Returns::Bytes),
    function("to_string", &[field(Accepts::Printable)], 1, None, Returns::Bytes),
    function("trim", &[STRING, TEXT], 1, None, Returns::Bytes),
    function("trim_end", &[STRING, TEXT], 1, None, Returns::Bytes),
    function("trim_start", &[STRING, TEXT], 1, None, Returns::Bytes),
    function("upper", &[STRING], 1, None, Returns::Bytes),
    function("url_decode", &[STRING, TEXT], 1, None, Returns::Bytes),
    function("uuidv4", &[STRING], 1, None, Returns::Bytes),
    function("wildcard", &[STRING, TEXT], 2, None, Returns::Bool),
    function("wildcard_replace", &[STRING, TEXT, TEXT, TEXT], 3, None, Returns::Bytes),
];

/// The forms of a function.
pub(super) fn forms(name: &str) -> Option<&'static [Function]> {
    let first = FUNCTIONS.iter().position(|function| function.name == name)?;
    let forms = FUNCTIONS.get(first..)?;
    let count = forms.iter().take_while(|function| function.name == name).count();
    forms.get(..count)
}

/// The names of all functions, `any` and `all` included.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    let mut names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).chain(["any", "all"]).collect();
    names.dedup();
    names.into_iter()
}
