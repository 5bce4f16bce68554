//! What the functions do. A body takes the first argument's value (one element of it, over `[*]`) and the facts; literal
//! arguments are prepared when it is built. Of an absent first argument every function is absent, but `concat` and
//! `coalesce`, which pass over it.

mod codec;
mod text;
mod token;

use super::ast::Literal;
use super::compile::{Evaluate, owned};
use super::error::LangErrorKind;
use super::facts::Facts;
use super::functions::Function;
use super::network;
use super::types::Value;
use super::wildcard::Wildcard;
use ipnet::IpNet;
use memchr::memmem;
use std::borrow::Cow;
use std::net::IpAddr;

pub(super) type Body = Box<dyn for<'f, 'a> Fn(Option<Value<'f>>, &'f Facts<'a>) -> Option<Value<'f>> + Send + Sync>;

/// A compiled argument.
pub(super) enum Input {
    Literal(Literal),
    Value(Evaluate),
}

impl Input {
    pub(super) fn literal(&self) -> Option<&Literal> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Value(_) => None,
        }
    }

    pub(super) fn make_lower(&mut self) {
        if let Self::Literal(Literal::Bytes(bytes)) = self {
            bytes.make_ascii_lowercase();
        }
    }

    fn into_evaluate(self) -> Evaluate {
        match self {
            Self::Value(value) => value,
            Self::Literal(literal) => Box::new(move |_| Some(owned(&literal))),
        }
    }
}

/// The arguments after the first.
struct Rest(Vec<Input>);

impl Rest {
    fn text(&self, at: usize) -> Option<&[u8]> {
        match self.0.get(at)?.literal()? {
            Literal::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A string argument, its own; empty where it was left out.
    fn text_or_empty(&self, at: usize) -> Vec<u8> {
        self.text(at).unwrap_or_default().to_vec()
    }

    fn int(&self, at: usize) -> Option<i64> {
        match self.0.get(at)?.literal()? {
            Literal::Int(int) => Some(*int),
            _ => None,
        }
    }

    fn value(&mut self, at: usize) -> Option<Evaluate> {
        (at < self.0.len()).then(|| self.0.remove(at).into_evaluate())
    }
}

fn must(function: &Function, index: usize, must: impl Into<String>) -> LangErrorKind {
    LangErrorKind::Argument { name: function.name, index, must: must.into() }
}

fn unsupported(function: &Function, why: &'static str) -> LangErrorKind {
    LangErrorKind::Unsupported { name: format!("{}()", function.name), why }
}

/// Builds the body of a call. `first` is the first argument where that is a literal.
pub(super) fn body(function: &Function, first: Option<Literal>, rest: Vec<Input>) -> Result<Body, LangErrorKind> {
    let rest = Rest(rest);
    match function.name {
        "bit_slice" | "len" | "to_string" | "has_key" | "has_value" | "cidr" | "cidr6" | "ip_in_range" => measure(function, rest),
        "starts_with" | "ends_with" | "contains" => Ok(affix(function.name, rest)),
        "coalesce" => Ok(coalesce(rest)),
        "concat" => Ok(concat(rest)),
        "lower" => Ok(string(|value| map_cow(value, u8::is_ascii_uppercase, <[u8]>::to_ascii_lowercase))),
        "upper" => Ok(string(|value| map_cow(value, u8::is_ascii_lowercase, <[u8]>::to_ascii_uppercase))),
        "wildcard" => {
            let wildcard = Wildcard::new(&rest.text_or_empty(0), false).map_err(LangErrorKind::Wildcard)?;
            Ok(on_bytes(move |value| Some(Value::Bool(wildcard.is_match(&value)))))
        }
        "regex_replace" | "wildcard_replace" | "remove_bytes" | "remove_query_args" | "join" | "split" | "substring" | "trim"
        | "trim_start" | "trim_end" => text::body(function, rest),
        "decode_base64"
        | "encode_base64"
        | "lookup_json_integer"
        | "lookup_json_string"
        | "sha256"
        | "sha512"
        | "url_decode"
        | "uuidv4" => codec::body(function, rest),
        "is_timed_hmac_valid_v0" => token::body(function, first, rest),
        "is_jwt_valid" | "is_jwt_present" => Err(unsupported(function, "this gateway has no token configurations; see `credential`")),
        _ => Err(unsupported(function, "this gateway does not evaluate it")),
    }
}

/// A body over a string.
fn on_bytes<F>(apply: F) -> Body
where
    F: for<'f> Fn(Cow<'f, [u8]>) -> Option<Value<'f>> + Send + Sync + 'static,
{
    Box::new(move |value, _| match value? {
        Value::Bytes(bytes) => apply(bytes),
        _ => None,
    })
}

/// A body from string to string.
fn string<F>(apply: F) -> Body
where
    F: for<'f> Fn(Cow<'f, [u8]>) -> Cow<'f, [u8]> + Send + Sync + 'static,
{
    on_bytes(move |bytes| Some(Value::Bytes(apply(bytes))))
}

/// Leaves the value alone where no byte asks for the change.
fn map_cow<'f>(value: Cow<'f, [u8]>, concerns: fn(&u8) -> bool, change: fn(&[u8]) -> Vec<u8>) -> Cow<'f, [u8]> {
    if value.iter().any(concerns) { Cow::Owned(change(&value)) } else { value }
}

fn measure(function: &Function, rest: Rest) -> Result<Body, LangErrorKind> {
    Ok(match function.name {
        "bit_slice" => {
            let (start, end) = bit_range(function, &rest)?;
            on_bytes(move |value| bits(&value, start, end).map(Value::Int))
        }
        "has_key" => {
            let key = rest.text_or_empty(0);
            Box::new(move |value, _| match value? {
                Value::Map(entries) => Some(Value::Bool(entries.iter().any(|(name, _)| name.as_ref() == key))),
                _ => None,
            })
        }
        "has_value" => {
            let wanted = rest.text_or_empty(0);
            Box::new(move |value, _| match value? {
                Value::Array(elements) => {
                    Some(Value::Bool(elements.iter().any(|element| matches!(element, Value::Bytes(bytes) if **bytes == *wanted))))
                }
                _ => None,
            })
        }
        "cidr" => masked(prefix(function, &rest, 0, 32)?, prefix(function, &rest, 1, 128)?),
        "cidr6" => masked(32, prefix(function, &rest, 0, 128)?),
        "ip_in_range" => {
            let text = String::from_utf8(rest.text_or_empty(0)).map_err(|_| must(function, 2, "a network, e.g. \"10.0.0.0/8\""))?;
            let (first, last) =
                network::parse(&text).map_err(|problem| must(function, 2, format!("a network, e.g. \"10.0.0.0/8\"; {problem}")))?;
            Box::new(move |value, _| match value? {
                Value::Ip(ip) => Some(Value::Bool(ip.is_ipv4() == first.is_ipv4() && (first..=last).contains(&ip))),
                _ => None,
            })
        }
        "to_string" => Box::new(|value, _| match value? {
            Value::Int(int) => Some(Value::owned(int.to_string().into_bytes())),
            Value::Bool(truth) => Some(Value::borrowed(if truth { b"true" } else { b"false" })),
            Value::Ip(ip) => Some(Value::owned(ip.to_string().into_bytes())),
            _ => None,
        }),
        _ => Box::new(|value, _| {
            let length = match value? {
                Value::Bytes(bytes) => bytes.len(),
                Value::Array(elements) => elements.len(),
                Value::Map(entries) => entries.len(),
                _ => return None,
            };
            i64::try_from(length).ok().map(Value::Int)
        }),
    })
}

/// Start and end in bits; at most 32 of them, none behind 2040.
fn bit_range(function: &Function, rest: &Rest) -> Result<(usize, usize), LangErrorKind> {
    let bit = |at| rest.int(at).and_then(|bit| usize::try_from(bit).ok()).filter(|bit| *bit <= 2040);
    match (bit(0), bit(1)) {
        (Some(start), Some(end)) if start < end && end - start <= 32 => Ok((start, end)),
        _ => Err(must(function, 3, "after argument 2, by at most 32 bits, and at most 2040")),
    }
}

/// Bits `start..end` of a string, most significant first; absent where it ends before.
fn bits(bytes: &[u8], start: usize, end: usize) -> Option<i64> {
    (start..end).try_fold(0, |value, bit| {
        let byte = bytes.get(bit / 8)?;
        Some(value << 1 | i64::from(byte >> (7 - bit % 8) & 1))
    })
}

fn prefix(function: &Function, rest: &Rest, at: usize, most: u8) -> Result<u8, LangErrorKind> {
    let length = rest.int(at).and_then(|length| u8::try_from(length).ok()).filter(|length| (1..=most).contains(length));
    length.ok_or_else(|| must(function, at + 2, format!("from 1 to {most}")))
}

fn masked(v4: u8, v6: u8) -> Body {
    Box::new(move |value, _| match value? {
        Value::Ip(ip) => {
            let length = match ip {
                IpAddr::V4(_) => v4,
                IpAddr::V6(_) => v6,
            };
            IpNet::new(ip, length).ok().map(|network| Value::Ip(network.network()))
        }
        _ => None,
    })
}

fn affix(name: &'static str, mut rest: Rest) -> Body {
    let test: fn(&[u8], &[u8]) -> bool = match name {
        "starts_with" => |value, part| value.starts_with(part),
        "ends_with" => |value, part| value.ends_with(part),
        _ => |value, part| memmem::find(value, part).is_some(),
    };
    let part = rest.value(0);
    Box::new(move |value, facts| match (value?, part.as_ref()?(facts)?) {
        (Value::Bytes(value), Value::Bytes(part)) => Some(Value::Bool(test(&value, &part))),
        _ => None,
    })
}

fn coalesce(rest: Rest) -> Body {
    let others: Vec<Evaluate> = rest.0.into_iter().map(Input::into_evaluate).collect();
    Box::new(move |value, facts| value.or_else(|| others.iter().find_map(|other| other(facts))))
}

fn concat(rest: Rest) -> Body {
    let others: Vec<Evaluate> = rest.0.into_iter().map(Input::into_evaluate).collect();
    Box::new(move |value, facts| {
        let present = value.into_iter().chain(others.iter().filter_map(|other| other(facts)));
        present.reduce(|joined, next| match (joined, next) {
            (Value::Bytes(joined), Value::Bytes(next)) => {
                let mut joined = joined.into_owned();
                joined.extend_from_slice(&next);
                Value::owned(joined)
            }
            (Value::Array(mut joined), Value::Array(next)) => {
                joined.extend(next);
                Value::Array(joined)
            }
            (joined, _) => joined,
        })
    })
}
