//! The fields: names, types, and how their values are had from [`Facts`].

use super::facts::{Facts, Many};
use super::types::{Type, Value};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::LazyLock;

/// A declared field.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub ty: Type,
    pub(super) source: Source,
}

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Fact(Fact),
    /// Parses, and stops the load by name.
    Missing(Missing),
}

/// How a value is had.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact {
    Bytes(for<'f, 'a> fn(&'f Facts<'a>) -> &'f [u8]),
    Int(for<'f, 'a> fn(&'f Facts<'a>) -> i64),
    Bool(for<'f, 'a> fn(&'f Facts<'a>) -> bool),
    Ip(for<'f, 'a> fn(&'f Facts<'a>) -> IpAddr),
    Map(Many),
    Names(Many),
    Values(Many),
}

/// Why a field has no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("this gateway has no source for it")]
    Source,
    #[error("conditions over the request's body are not built yet")]
    Body,
    #[error("`when` is decided before there is a response, and conditions over responses (`charge_when`) are not built yet")]
    Response,
    #[error("it needs an `mcp` endpoint, and those are not built yet")]
    Mcp,
    #[error("telling classes of callers apart is not built yet")]
    Caller,
}

impl Source {
    fn of(name: &str, source: &str) -> Self {
        match source {
            "head" => fact(name).map_or(Self::Missing(Missing::Source), Self::Fact),
            "body" => Self::Missing(Missing::Body),
            "response" => Self::Missing(Missing::Response),
            "mcp" => Self::Missing(Missing::Mcp),
            "caller" => Self::Missing(Missing::Caller),
            _ => Self::Missing(Missing::Source),
        }
    }
}

/// The one place that ties names to facts.
fn fact(name: &str) -> Option<Fact> {
    Some(match name {
        "http.host" => Fact::Bytes(|facts| facts.host()),
        "http.referer" => Fact::Bytes(|facts| facts.referer()),
        "http.user_agent" => Fact::Bytes(|facts| facts.user_agent()),
        "http.cookie" => Fact::Bytes(|facts| facts.cookie()),
        "http.x_forwarded_for" => Fact::Bytes(|facts| facts.x_forwarded_for()),
        "http.request.method" => Fact::Bytes(|facts| facts.method()),
        "http.request.version" => Fact::Bytes(|facts| facts.version()),
        "http.request.uri" => Fact::Bytes(|facts| facts.uri()),
        "http.request.uri.path" => Fact::Bytes(|facts| facts.path()),
        "http.request.uri.path.extension" => Fact::Bytes(|facts| facts.extension()),
        "http.request.uri.query" | "raw.http.request.uri.query" => Fact::Bytes(|facts| facts.query()),
        "http.request.uri.args" | "raw.http.request.uri.args" => Fact::Map(Many::Args),
        "http.request.uri.args.names" | "raw.http.request.uri.args.names" => Fact::Names(Many::Args),
        "http.request.uri.args.values" | "raw.http.request.uri.args.values" => Fact::Values(Many::Args),
        "http.request.full_uri" => Fact::Bytes(|facts| facts.full_uri()),
        "http.request.headers" => Fact::Map(Many::Headers),
        "http.request.headers.names" => Fact::Names(Many::Headers),
        "http.request.headers.values" => Fact::Values(Many::Headers),
        // A head that is too large is refused, never cut.
        "http.request.headers.truncated" => Fact::Bool(|_| false),
        "http.request.cookies" => Fact::Map(Many::Cookies),
        "http.request.accepted_languages" => Fact::Values(Many::Languages),
        "http.request.timestamp.sec" => Fact::Int(|facts| facts.seconds()),
        "http.request.timestamp.msec" => Fact::Int(|facts| facts.milliseconds()),
        "raw.http.request.uri" => Fact::Bytes(|facts| facts.raw_uri()),
        "raw.http.request.uri.path" => Fact::Bytes(|facts| facts.raw_path()),
        "raw.http.request.uri.path.extension" => Fact::Bytes(|facts| facts.raw_extension()),
        "raw.http.request.full_uri" => Fact::Bytes(|facts| facts.raw_full_uri()),
        "ip.src" => Fact::Ip(|facts| facts.src()),
        "ssl" => Fact::Bool(|facts| facts.tls()),
        _ => return None,
    })
}

impl Fact {
    pub(super) fn value<'f>(self, facts: &'f Facts<'_>) -> Value<'f> {
        match self {
            Self::Bytes(get) => Value::borrowed(get(facts)),
            Self::Int(get) => Value::Int(get(facts)),
            Self::Bool(get) => Value::Bool(get(facts)),
            Self::Ip(get) => Value::Ip(get(facts)),
            Self::Map(many) => facts.map(many),
            Self::Names(many) => facts.names(many),
            Self::Values(many) => facts.values(many),
        }
    }
}

static FIELDS: LazyLock<HashMap<&'static str, Field>> = LazyLock::new(|| {
    let rows = include_str!("fields.txt").lines().filter(|line| !line.starts_with('#'));
    let field = |line: &'static str| {
        let mut columns = line.split(' ');
        let (name, ty, source) = (columns.next()?, columns.next()?, columns.next()?);
        Some((name, Field { name, ty: parse_type(ty)?, source: Source::of(name, source) }))
    };
    rows.filter_map(field).collect()
});

/// Reads `string[]{}`: suffixes from the inside out.
fn parse_type(text: &str) -> Option<Type> {
    if let Some(inner) = text.strip_suffix("[]") {
        return Some(parse_type(inner)?.array());
    }
    if let Some(inner) = text.strip_suffix("{}") {
        return Some(Type::Map(Box::new(parse_type(inner)?)));
    }
    match text {
        "bool" => Some(Type::Bool),
        "int" => Some(Type::Int),
        "string" => Some(Type::Bytes),
        "ip" => Some(Type::Ip),
        _ => None,
    }
}

/// The field of that name.
#[must_use]
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.get(name)
}

/// All fields of the language, in no order.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    FIELDS.values()
}
