#![allow(clippy::unwrap_used, clippy::expect_used)]

mod analysis;
mod errors;
mod functions;
mod semantics;

use super::{Expression, Facts, Head};
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use std::net::IpAddr;
use x402::Timestamp;

/// A request to try conditions on.
pub(super) struct Request {
    pub method: &'static str,
    pub path: &'static str,
    pub raw_path: &'static str,
    pub query: Option<&'static str>,
    pub headers: HeaderMap,
    pub src: IpAddr,
    pub tls: bool,
    pub now: u64,
}

impl Request {
    pub fn get(path: &'static str) -> Self {
        Self {
            method: "GET",
            path,
            raw_path: path,
            query: None,
            headers: HeaderMap::new(),
            src: IpAddr::from([203, 0, 113, 7]),
            tls: false,
            now: 1_700_000_000,
        }
    }

    pub fn query(mut self, query: &'static str) -> Self {
        self.query = Some(query);
        self
    }

    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    pub fn from(mut self, src: &str) -> Self {
        self.src = src.parse().unwrap();
        self
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts::new(Head {
            method: self.method,
            host: "api.example.com",
            path: self.path,
            query: self.query,
            raw_path: self.raw_path,
            headers: &self.headers,
            version: Version::HTTP_11,
            tls: self.tls,
            src: self.src,
            now: Timestamp(self.now),
        })
    }
}

pub(super) fn parse(source: &str) -> Expression {
    Expression::parse(source).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
pub(super) fn check(source: &str, request: &Request, expected: bool) {
    assert_eq!(parse(source).matches(&request.facts()), expected, "{source}");
}

/// Every line of `table` against one request: `+` for what must hold, `-` for what must not.
#[track_caller]
pub(super) fn check_table(request: &Request, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (sign, source) = line.split_at(1);
        assert!(matches!(sign, "+" | "-"), "{line}");
        check(source.trim(), request, sign == "+");
    }
}
