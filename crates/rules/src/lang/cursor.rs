//! Reading the source: white space, words, and literals. What a literal may be depends on the type wanted, so there is no
//! token stream; the parser asks for what it needs.

use super::ast::{Literal, Set};
use super::error::{LangError, LangErrorKind, Span};
use super::types::Type;
use std::net::IpAddr;
use std::sync::Arc;

/// Most `#` around a raw string.
const MAX_HASHES: usize = 255;

/// A place in the source. Copies are look-ahead.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    source: Arc<str>,
    pub at: usize,
    end: usize,
}

pub(super) type Parsed<T> = Result<T, LangError>;

impl Cursor {
    /// At the first character that is not white space; what trails is left out.
    pub(super) fn new(source: &Arc<str>) -> Self {
        let trimmed = source.trim_start();
        let at = source.len() - trimmed.len();
        Self { source: source.clone(), at, end: source.trim_end().len().max(at) }
    }

    pub(super) fn rest(&self) -> &str {
        self.source.get(self.at..self.end).unwrap_or_default()
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\r', '\n', '\t']).len();
    }

    /// Takes `text` where it stands next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub(super) fn expect(&mut self, text: &str, what: &'static str) -> Parsed<()> {
        if self.take(text) { Ok(()) } else { Err(self.fail(LangErrorKind::Expected(what))) }
    }

    /// A fault at the next word or character.
    pub(super) fn fail(&self, kind: LangErrorKind) -> LangError {
        let word = self.rest().find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(self.rest().len());
        let width = word.max(self.peek().map_or(0, char::len_utf8));
        self.fail_at(Span::new(self.at, self.at + width), kind)
    }

    pub(super) fn fail_at(&self, span: Span, kind: LangErrorKind) -> LangError {
        LangError::new(&self.source, span, kind)
    }

    /// A fault from `start` to here.
    pub(super) fn fail_since(&self, start: usize, kind: LangErrorKind) -> LangError {
        self.fail_at(Span::new(start, self.at), kind)
    }

    fn literal_fault(&self, start: usize, message: impl Into<String>) -> LangError {
        self.fail_since(start, LangErrorKind::Literal(message.into()))
    }

    /// Takes the characters that `belongs` accepts.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &str {
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let start = self.at;
        self.at += length;
        self.source.get(start..self.at).unwrap_or_default()
    }

    /// A dotted name.
    pub(super) fn name(&mut self) -> Parsed<(String, Span)> {
        let start = self.at;
        loop {
            if self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').is_empty() {
                return Err(self.fail(LangErrorKind::Expected("a field or function name")));
            }
            if !self.take(".") {
                break;
            }
        }
        let span = Span::new(start, self.at);
        Ok((self.source.get(start..self.at).unwrap_or_default().to_owned(), span))
    }

    pub(super) fn literal(&mut self, ty: &Type) -> Parsed<Literal> {
        match ty {
            Type::Int => self.int().map(Literal::Int),
            Type::Ip => self.ip().map(Literal::Ip),
            Type::Bytes => self.bytes().map(Literal::Bytes),
            _ => Err(self.fail(LangErrorKind::Expected("an operator"))),
        }
    }

    /// `{…}`, its elements apart by white space only.
    pub(super) fn set(&mut self, ty: &Type) -> Parsed<Set> {
        self.expect("{", "`{`, the start of a set such as {\"a\" \"b\"}")?;
        match ty {
            Type::Int => self.elements(Self::int_range).map(Set::Ints),
            Type::Ip => self.elements(Self::ip_range).map(Set::Ips),
            _ => self.elements(Self::bytes).map(Set::Bytes),
        }
    }

    fn elements<T>(&mut self, element: impl Fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut elements = Vec::new();
        loop {
            self.skip_space();
            if self.take("}") {
                return Ok(elements);
            }
            if self.is_done() {
                return Err(self.fail(LangErrorKind::Expected("`}`, the end of the set")));
            }
            if self.peek() == Some(',') {
                return Err(self.fail(LangErrorKind::Literal("elements are set apart by a blank, not a comma".to_owned())));
            }
            elements.push(element(self)?);
        }
    }

    /// Decimal, `0x…` hexadecimal, or `0…` octal.
    pub(super) fn int(&mut self) -> Parsed<i64> {
        let start = self.at;
        let (radix, negative) = if self.take("0x") {
            (16, false)
        } else if self.rest().starts_with('0') {
            (8, false)
        } else {
            (10, self.take("-"))
        };
        let digits = self.take_while(|c| c.is_ascii_hexdigit()).to_owned();
        if digits.is_empty() {
            self.at = start;
            return Err(self.fail(LangErrorKind::Expected("an integer")));
        }
        let signed = if negative { format!("-{digits}") } else { digits };
        i64::from_str_radix(&signed, radix).map_err(|_| {
            let hint = if radix == 8 { "; a leading 0 makes it octal" } else { "" };
            self.literal_fault(start, format!("not an integer of 64 bits{hint}"))
        })
    }

    fn int_range(&mut self) -> Parsed<(i64, i64)> {
        let start = self.at;
        let first = self.int()?;
        let last = if self.take("..") { self.int()? } else { first };
        if last < first {
            return Err(self.literal_fault(start, "the range is empty: its end lies before its start"));
        }
        Ok((first, last))
    }

    fn ip_text(&mut self) -> Parsed<(usize, String)> {
        let start = self.at;
        let text = self.take_while(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '.' | '/')).to_owned();
        if text.is_empty() {
            let hint = if self.rest().starts_with('"') { "an IP address without quotes" } else { "an IP address" };
            return Err(self.fail(LangErrorKind::Expected(hint)));
        }
        Ok((start, text))
    }

    pub(super) fn ip(&mut self) -> Parsed<IpAddr> {
        let (start, text) = self.ip_text()?;
        text.parse().map_err(|_| {
            let hint =
                if text.contains('/') { "one IP address is wanted here; a network goes into a set: in {…}" } else { "not an IP address" };
            self.literal_fault(start, hint)
        })
    }

    /// An address, a network, or two addresses and `..`.
    fn ip_range(&mut self) -> Parsed<(IpAddr, IpAddr)> {
        let (start, text) = self.ip_text()?;
        let Some((first, last)) = text.split_once("..") else {
            return super::network::parse(&text).map_err(|problem| self.literal_fault(start, problem));
        };
        let (Ok(first), Ok(last)) = (first.parse::<IpAddr>(), last.parse::<IpAddr>()) else {
            return Err(self.literal_fault(start, "a range is two IP addresses, e.g. 10.0.0.1..10.0.0.9"));
        };
        if first.is_ipv4() != last.is_ipv4() || last < first {
            return Err(self.literal_fault(start, "the range is empty: both ends must be of one family, the first not after the last"));
        }
        Ok((first, last))
    }

    /// `"…"`, `r"…"`, `r#"…"#`, or bytes `01:ab:…`.
    pub(super) fn bytes(&mut self) -> Parsed<Vec<u8>> {
        if self.starts_text() { self.text() } else { self.hex_bytes() }
    }

    pub(super) fn starts_text(&self) -> bool {
        let rest = self.rest();
        rest.starts_with('"') || rest.starts_with("r\"") || rest.starts_with("r#")
    }

    /// A quoted or raw string.
    pub(super) fn text(&mut self) -> Parsed<Vec<u8>> {
        if self.take("\"") {
            self.quoted()
        } else if self.take("r") {
            self.raw().map(String::into_bytes)
        } else {
            Err(self.fail(LangErrorKind::Expected("a string in double quotes")))
        }
    }

    /// After the opening quote. `\"`, `\\`, `\xHH` and `\OOO` are all the escapes there are.
    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        let start = self.at - 1;
        let mut text = Vec::new();
        loop {
            let plain = self.take_while(|c| !matches!(c, '"' | '\\')).to_owned();
            text.extend_from_slice(plain.as_bytes());
            let escape = self.at;
            if self.take("\"") {
                return Ok(text);
            }
            if !self.take("\\") {
                return Err(self.literal_fault(start, "the string has no closing quote"));
            }
            let (digits, radix) = match self.peek() {
                Some(c @ ('"' | '\\')) => {
                    self.at += 1;
                    text.push(c as u8);
                    continue;
                }
                Some('x') => {
                    self.at += 1;
                    (2, 16)
                }
                Some('0'..='7') => (3, 8),
                _ => {
                    return Err(self.literal_fault(
                        escape,
                        "after `\\` only `\"`, `\\`, xHH or three octal digits may stand; r\"…\" takes backslashes as they are",
                    ));
                }
            };
            text.push(self.escaped_byte(escape, digits, radix)?);
        }
    }

    fn escaped_byte(&mut self, escape: usize, digits: usize, radix: u32) -> Parsed<u8> {
        let text = self.rest().get(..digits).filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric())).map(str::to_owned);
        self.at += text.as_ref().map_or(0, String::len);
        text.and_then(|text| u8::from_str_radix(&text, radix).ok())
            .ok_or_else(|| self.literal_fault(escape, "not a byte: \\xHH takes two hexadecimal digits, \\OOO three octal ones up to 377"))
    }

    /// After the `r`.
    fn raw(&mut self) -> Parsed<String> {
        let start = self.at - 1;
        let hashes = self.take_while(|c| c == '#').len();
        if hashes > MAX_HASHES {
            return Err(self.literal_fault(start, "a raw string takes at most 255 `#`"));
        }
        self.expect("\"", "`\"`, the start of a raw string")?;
        let closing = format!("\"{}", "#".repeat(hashes));
        match self.rest().find(&closing) {
            Some(length) => {
                let text = self.rest().get(..length).unwrap_or_default().to_owned();
                self.at += length + closing.len();
                Ok(text)
            }
            None => {
                self.at = self.end;
                Err(self.literal_fault(start, format!("the raw string has no closing {closing}")))
            }
        }
    }

    /// At least two bytes, `:` between them.
    fn hex_bytes(&mut self) -> Parsed<Vec<u8>> {
        let start = self.at;
        let mut bytes = Vec::new();
        loop {
            let byte = self.rest().get(..2).filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let Some(byte) = byte.and_then(|text| u8::from_str_radix(text, 16).ok()) else { break };
            self.at += 2;
            bytes.push(byte);
            if !self.take(":") {
                if bytes.len() > 1 {
                    return Ok(bytes);
                }
                break;
            }
        }
        self.at = start;
        Err(self.fail(LangErrorKind::Expected("a string in double quotes")))
    }

    /// The pattern of a regular expression. In a quoted one a backslash stands for itself, except before a quote; a quote
    /// within `[…]` does not end it.
    pub(super) fn pattern(&mut self) -> Parsed<String> {
        if self.take("r") {
            return self.raw();
        }
        let start = self.at;
        self.expect("\"", "a regular expression in double quotes")?;
        let mut pattern = String::new();
        let mut in_class = false;
        let text = self.rest().to_owned();
        let mut chars = text.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    let Some((_, escaped)) = chars.next() else { break };
                    if in_class || escaped != '"' {
                        pattern.push('\\');
                    }
                    pattern.push(escaped);
                    continue;
                }
                '"' if !in_class => {
                    self.at += at + 1;
                    return Ok(pattern);
                }
                '[' => in_class = true,
                ']' => in_class = false,
                _ => {}
            }
            pattern.push(c);
        }
        self.at = self.end;
        Err(self.literal_fault(start, "the regular expression has no closing quote (one within […] does not count)"))
    }

    /// After the `$`.
    pub(super) fn list_name(&mut self) -> Parsed<String> {
        let start = self.at;
        let name = self.take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.')).to_owned();
        if name.is_empty() || name.starts_with('.') || name.ends_with('.') {
            return Err(self.literal_fault(start, "not a list's name: a-z, 0-9, `_`, and `.` within"));
        }
        Ok(name)
    }
}
