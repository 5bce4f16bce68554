//! What is known of a request: the values behind the fields.

use super::types::Value;
use http::{HeaderMap, HeaderName, Version, header};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::OnceLock;
use x402::Timestamp;

/// The canonical head of a request, as the gateway read it.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// Upper case as sent: methods are case-sensitive (RFC 9110 §9.1).
    pub method: &'a str,
    /// The name that was asked for, in lower case: no port, no dot at the end.
    pub host: &'a str,
    /// Canonical path, starting with `/` (`*` for OPTIONS).
    pub path: &'a str,
    /// What follows `?`, without it.
    pub query: Option<&'a str>,
    /// The path as the client sent it, before it was made canonical.
    pub raw_path: &'a str,
    pub headers: &'a HeaderMap,
    pub version: Version,
    /// Whether the client's connection is encrypted.
    pub tls: bool,
    /// Who asks: the socket's peer, or what a trusted proxy says.
    pub src: IpAddr,
    pub now: Timestamp,
}

/// A request's facts. Borrowed where the head holds them; what must be computed is computed once, when first read.
#[derive(Debug)]
pub struct Facts<'a> {
    head: Head<'a>,
    uri: OnceLock<String>,
    raw_uri: OnceLock<String>,
    full_uri: OnceLock<String>,
    raw_full_uri: OnceLock<String>,
    extension: OnceLock<String>,
    raw_extension: OnceLock<String>,
    cookie: OnceLock<Vec<u8>>,
    x_forwarded_for: OnceLock<Vec<u8>>,
}

/// The fields with many values, by what they are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Many {
    Headers,
    Cookies,
    Args,
    Languages,
}

/// Names and values.
type Pairs<'f> = Box<dyn Iterator<Item = (Cow<'f, [u8]>, &'f [u8])> + 'f>;

impl<'a> Facts<'a> {
    #[must_use]
    pub fn new(head: Head<'a>) -> Self {
        Self {
            head,
            uri: OnceLock::new(),
            raw_uri: OnceLock::new(),
            full_uri: OnceLock::new(),
            raw_full_uri: OnceLock::new(),
            extension: OnceLock::new(),
            raw_extension: OnceLock::new(),
            cookie: OnceLock::new(),
            x_forwarded_for: OnceLock::new(),
        }
    }

    #[must_use]
    pub fn head(&self) -> &Head<'a> {
        &self.head
    }

    pub(super) fn method(&self) -> &[u8] {
        self.head.method.as_bytes()
    }

    pub(super) fn host(&self) -> &[u8] {
        self.head.host.as_bytes()
    }

    pub(super) fn path(&self) -> &[u8] {
        self.head.path.as_bytes()
    }

    pub(super) fn raw_path(&self) -> &[u8] {
        self.head.raw_path.as_bytes()
    }

    pub(super) fn query(&self) -> &[u8] {
        self.head.query.unwrap_or_default().as_bytes()
    }

    pub(super) fn uri(&self) -> &[u8] {
        match self.head.query {
            None => self.path(),
            Some(query) => self.uri.get_or_init(|| with_query(self.head.path, Some(query))).as_bytes(),
        }
    }

    pub(super) fn raw_uri(&self) -> &[u8] {
        match self.head.query {
            None => self.raw_path(),
            Some(query) => self.raw_uri.get_or_init(|| with_query(self.head.raw_path, Some(query))).as_bytes(),
        }
    }

    pub(super) fn full_uri(&self) -> &[u8] {
        self.full_uri.get_or_init(|| self.absolute(self.head.path)).as_bytes()
    }

    pub(super) fn raw_full_uri(&self) -> &[u8] {
        self.raw_full_uri.get_or_init(|| self.absolute(self.head.raw_path)).as_bytes()
    }

    fn absolute(&self, path: &str) -> String {
        let scheme = if self.head.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.head.host, with_query(path, self.head.query))
    }

    pub(super) fn extension(&self) -> &[u8] {
        self.extension.get_or_init(|| extension(self.head.path)).as_bytes()
    }

    pub(super) fn raw_extension(&self) -> &[u8] {
        self.raw_extension.get_or_init(|| extension(self.head.raw_path)).as_bytes()
    }

    pub(super) fn version(&self) -> &[u8] {
        match self.head.version {
            Version::HTTP_09 => b"HTTP/0.9",
            Version::HTTP_10 => b"HTTP/1.0",
            Version::HTTP_2 => b"HTTP/2",
            Version::HTTP_3 => b"HTTP/3",
            _ => b"HTTP/1.1",
        }
    }

    pub(super) fn user_agent(&self) -> &[u8] {
        self.head.headers.get(header::USER_AGENT).map_or(b"", |value| value.as_bytes())
    }

    pub(super) fn referer(&self) -> &[u8] {
        self.head.headers.get(header::REFERER).map_or(b"", |value| value.as_bytes())
    }

    pub(super) fn cookie(&self) -> &[u8] {
        self.joined(&header::COOKIE, b"; ", &self.cookie)
    }

    pub(super) fn x_forwarded_for(&self) -> &[u8] {
        const NAME: HeaderName = HeaderName::from_static("x-forwarded-for");
        self.joined(&NAME, b", ", &self.x_forwarded_for)
    }

    /// A header's lines as one value (RFC 9110 §5.3; RFC 9113 §8.2.3 for cookies).
    fn joined<'f>(&'f self, name: &HeaderName, separator: &[u8], cache: &'f OnceLock<Vec<u8>>) -> &'f [u8] {
        let mut lines = self.head.headers.get_all(name).iter();
        match (lines.next(), lines.next()) {
            (None, _) => b"",
            (Some(only), None) => only.as_bytes(),
            _ => cache.get_or_init(|| {
                let lines: Vec<&[u8]> = self.head.headers.get_all(name).iter().map(|line| line.as_bytes()).collect();
                lines.join(separator)
            }),
        }
    }

    pub(super) fn seconds(&self) -> i64 {
        i64::try_from(self.head.now.0).unwrap_or(i64::MAX)
    }

    /// The clock has whole seconds: the milliseconds are those at the start of the second.
    pub(super) fn milliseconds(&self) -> i64 {
        self.seconds().saturating_mul(1000)
    }

    pub(super) fn tls(&self) -> bool {
        self.head.tls
    }

    /// IPv4 addresses in IPv6 clothes compare as IPv4.
    pub(super) fn src(&self) -> IpAddr {
        self.head.src.to_canonical()
    }

    /// Every (name, value), in the order sent. Header names are lower case, cookie names percent-decoded, everything
    /// else is as it was sent.
    pub(super) fn pairs(&self, many: Many) -> Pairs<'_> {
        match many {
            Many::Headers => {
                Box::new(self.head.headers.iter().map(|(name, value)| (Cow::Borrowed(name.as_str().as_bytes()), value.as_bytes())))
            }
            Many::Cookies => Box::new(self.head.headers.get_all(header::COOKIE).iter().flat_map(|line| cookies(line.as_bytes()))),
            Many::Args => Box::new(args(self.query())),
            Many::Languages => Box::new(languages(self.head.headers).map(|tag| (Cow::Borrowed(tag), tag))),
        }
    }

    /// The values under a name, in the order sent; `None` where the name was not sent.
    pub(super) fn entry(&self, many: Many, name: &str) -> Option<Value<'_>> {
        let values: Vec<Value<'_>> = match many {
            Many::Headers => self.head.headers.get_all(name).iter().map(|value| Value::borrowed(value.as_bytes())).collect(),
            _ => self.pairs(many).filter(|(key, _)| key.as_ref() == name.as_bytes()).map(|(_, value)| Value::borrowed(value)).collect(),
        };
        (!values.is_empty()).then_some(Value::Array(values))
    }

    /// One value under a name.
    pub(super) fn element(&self, many: Many, name: &str, at: usize) -> Option<&[u8]> {
        match many {
            Many::Headers => self.head.headers.get_all(name).iter().nth(at).map(|value| value.as_bytes()),
            _ => self.pairs(many).filter(|(key, _)| key.as_ref() == name.as_bytes()).nth(at).map(|(_, value)| value),
        }
    }

    pub(super) fn map(&self, many: Many) -> Value<'_> {
        let mut map: Vec<(Cow<'_, [u8]>, Value<'_>)> = Vec::new();
        for (name, value) in self.pairs(many) {
            match map.iter_mut().find(|(known, _)| *known == name) {
                Some((_, Value::Array(values))) => values.push(Value::borrowed(value)),
                _ => map.push((name, Value::Array(vec![Value::borrowed(value)]))),
            }
        }
        Value::Map(map)
    }

    pub(super) fn names(&self, many: Many) -> Value<'_> {
        Value::Array(self.pairs(many).map(|(name, _)| Value::Bytes(name)).collect())
    }

    pub(super) fn values(&self, many: Many) -> Value<'_> {
        Value::Array(self.pairs(many).map(|(_, value)| Value::borrowed(value)).collect())
    }
}

fn with_query(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// The lower-case file extension of a path's last segment, without the dot; empty where there is none.
fn extension(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or_default();
    file.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase())
}

/// `name=value` pairs of a query; a name alone has an empty value. Nothing is decoded, as at Cloudflare: `url_decode` does.
fn args(query: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, &[u8])> {
    query.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = split_once(pair, b'=').unwrap_or((pair, b""));
        (Cow::Borrowed(name), value)
    })
}

/// The pairs of a `Cookie` line (RFC 6265 §4.2.1): names percent-decoded, values as sent.
fn cookies(line: &[u8]) -> impl Iterator<Item = (Cow<'_, [u8]>, &[u8])> {
    line.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter_map(|pair| {
        let (name, value) = split_once(pair, b'=')?;
        Some((percent_encoding::percent_decode(name.trim_ascii()).into(), value.trim_ascii()))
    })
}

/// Language tags of `Accept-Language`, most wanted first (RFC 9110 §12.5.4); tags of weight 0 are refusals and left out.
fn languages(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let mut tags: Vec<(u16, &[u8])> = lines.filter_map(weighted).collect();
    tags.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    tags.into_iter().map(|(_, tag)| tag)
}

/// A tag and its weight in thousandths.
fn weighted(item: &[u8]) -> Option<(u16, &[u8])> {
    let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let weight = parts.find_map(|part| part.strip_prefix(b"q=")).map_or(Some(1.0), |q| std::str::from_utf8(q).ok()?.parse::<f32>().ok())?;
    (weight > 0.0 && weight <= 1.0).then(|| ((weight * 1000.0).round() as u16, tag))
}

fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(separator, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}
