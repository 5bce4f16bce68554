//! 402s that are answered again and again: all but what differs from request to request is written once.

use crate::{PaymentRequired, PaymentRequirements, encoding, v1};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Map, Value};

/// What differs between two 402s of one rule.
#[derive(Clone, Debug)]
enum Part {
    Text(Box<[u8]>),
    Error,
    Url,
    /// The quote of the offer at this index.
    Quote(usize),
}

/// A [`PaymentRequired`] whose `error`, `resource.url` and `extra.quote` of each offer are filled in per request.
///
/// Renders the same JSON as [`crate::http::encode_required`] and [`v1::required_body`], keys of an object possibly in another order.
#[derive(Clone, Debug)]
pub struct RequiredTemplate {
    header: Vec<Part>,
    body: Vec<Part>,
}

/// A template with its error and what its quotes have in common: only the URL and the rest of each quote are missing.
#[derive(Clone, Debug)]
pub struct PreparedRequired {
    /// Its texts are base64, each of whole groups.
    header: Vec<Piece>,
    body: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(Box<[u8]>),
    Url,
    /// The rest of the quote of the offer at this index, and the end of its string.
    Rest(usize),
}

/// One 402, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedRequired {
    /// The value of `PAYMENT-REQUIRED`: base64, so always a valid header value.
    pub header: Vec<u8>,
    /// The JSON body, for version 1.
    pub body: Vec<u8>,
}

impl RequiredTemplate {
    /// Takes all of `required` but its error, its URL, and what its offers hold at `extra.quote`.
    #[must_use]
    pub fn new(required: &PaymentRequired) -> Self {
        Self { header: header(required), body: body(required) }
    }

    /// Fills in the URL of the resource, what is wrong, and one quote for each offer in the order of `accepts` (`null` where there are too few).
    #[must_use]
    pub fn render<Q: AsRef<str>>(&self, url: &str, error: &str, quotes: &[Q]) -> RenderedRequired {
        self.prepare(error, quotes).render::<&str>(url, &[])
    }

    /// Fills in what is wrong, and how each quote begins.
    #[must_use]
    pub fn prepare<Q: AsRef<str>>(&self, error: &str, quotes: &[Q]) -> PreparedRequired {
        PreparedRequired { header: prepared(&self.header, error, quotes, true), body: prepared(&self.body, error, quotes, false) }
    }
}

impl PreparedRequired {
    /// Fills in the URL of the resource, and how each quote ends (not at all where there are too few).
    #[must_use]
    pub fn render<R: AsRef<str>>(&self, url: &str, rests: &[R]) -> RenderedRequired {
        let size = |pieces: &[Piece]| pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.len() } else { 0 }).sum::<usize>();
        let mut header = Vec::with_capacity(size(&self.header) + url.len() * 2 + rests.len() * 64 + 16);
        let mut json = Vec::with_capacity(url.len() + 64);
        for piece in &self.header {
            if let Piece::Text(text) = piece {
                header.extend_from_slice(text);
                continue;
            }
            json.clear();
            piece.write(&mut json, url, rests);
            align(&mut json, 0);
            encode(&json, &mut header);
        }
        let mut body = Vec::with_capacity(size(&self.body) + (url.len() + 2) * self.body.len());
        self.body.iter().for_each(|piece| piece.write(&mut body, url, rests));
        RenderedRequired { header, body }
    }
}

impl Piece {
    fn write<R: AsRef<str>>(&self, json: &mut Vec<u8>, url: &str, rests: &[R]) {
        match self {
            Self::Text(text) => json.extend_from_slice(text),
            Self::Url => write_text(json, url),
            Self::Rest(index) => {
                let start = json.len();
                write_text(json, rests.get(*index).map_or("", AsRef::as_ref));
                json.remove(start);
            }
        }
    }
}

/// Closes all gaps but those of the URL and of quotes. White space before and after a gap makes its base64 stand alone.
fn prepared<Q: AsRef<str>>(parts: &[Part], error: &str, quotes: &[Q], encoded: bool) -> Vec<Piece> {
    let (mut pieces, mut text) = (Vec::new(), Vec::new());
    let mut close = |text: &mut Vec<u8>, gap: Option<Piece>| {
        let mut closed = std::mem::take(text);
        if encoded {
            let json = std::mem::take(&mut closed);
            encode(&json, &mut closed);
        }
        pieces.push(Piece::Text(closed.into()));
        pieces.extend(gap);
    };
    for part in parts {
        match part {
            Part::Text(more) => text.extend_from_slice(more),
            Part::Error => write_text(&mut text, error),
            Part::Url => {
                align(&mut text, 0);
                close(&mut text, Some(Piece::Url));
            }
            Part::Quote(index) => match quotes.get(*index) {
                None => text.extend_from_slice(b"null"),
                Some(quote) => {
                    let mut begin = Vec::new();
                    write_text(&mut begin, quote.as_ref());
                    begin.pop();
                    align(&mut text, begin.len());
                    text.append(&mut begin);
                    close(&mut text, Some(Piece::Rest(*index)));
                }
            },
        }
    }
    align(&mut text, 0);
    close(&mut text, None);
    pieces
}

/// A JSON string; mostly there is nothing to escape.
fn write_text(json: &mut Vec<u8>, text: &str) {
    let special = |byte: u8| !matches!(byte, b' '..=b'~') | (byte == b'"') | (byte == b'\\');
    if text.bytes().fold(false, |found, byte| found | special(byte)) {
        encoding::write_json(json, text);
    } else {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    }
}

/// With white space after the last JSON token, so that it and `more` bytes are whole groups of base64.
fn align(json: &mut Vec<u8>, more: usize) {
    json.resize((json.len() + more).next_multiple_of(3) - more, b' ');
}

/// Appends the base64 of whole groups.
fn encode(json: &[u8], base64: &mut Vec<u8>) {
    let start = base64.len();
    base64.resize(start + json.len().div_ceil(3) * 4, 0);
    if let Some(room) = base64.get_mut(start..) {
        let _ = STANDARD.encode_slice(json, room);
    }
}

/// JSON with gaps, as it is written.
#[derive(Default)]
struct Draft {
    parts: Vec<Part>,
    text: Vec<u8>,
}

impl Draft {
    fn text(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    fn gap(&mut self, part: Part) {
        self.close_text();
        self.parts.push(part);
    }

    /// An object left open for one more member, whose key is written too.
    fn open(&mut self, object: &impl Serialize, key: &str) {
        let mut json = encoding::to_json(object);
        json.pop();
        let empty = json.len() == 1;
        self.text.append(&mut json);
        self.text(if empty { "\"" } else { ",\"" });
        self.text(key);
        self.text("\":");
    }

    fn close_text(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.text).into()));
        }
    }

    fn finish(mut self) -> Vec<Part> {
        self.close_text();
        self.parts
    }
}

fn header(required: &PaymentRequired) -> Vec<Part> {
    let mut draft = Draft::default();
    draft.text(r#"{"x402Version":2,"error":"#);
    draft.gap(Part::Error);
    draft.text(r#","resource":"#);
    draft.open(&without(&required.resource, "url"), "url");
    draft.gap(Part::Url);
    draft.text(r#"},"accepts":["#);
    for (index, offer) in required.accepts.iter().enumerate() {
        draft.text(if index == 0 { "" } else { "," });
        quoted_offer(&mut draft, index, offer);
    }
    draft.text("]");
    if !required.extensions.is_empty() {
        draft.text(r#","extensions":"#);
        encoding::write_json(&mut draft.text, &required.extensions);
    }
    draft.text("}");
    draft.finish()
}

fn quoted_offer(draft: &mut Draft, index: usize, offer: &PaymentRequirements) {
    draft.open(&without(offer, "extra"), "extra");
    let mut extra = offer.extra.clone().unwrap_or_default();
    extra.remove("quote");
    draft.open(&extra, "quote");
    draft.gap(Part::Quote(index));
    draft.text("}}");
}

fn body(required: &PaymentRequired) -> Vec<Part> {
    let mut draft = Draft::default();
    draft.text(r#"{"x402Version":1,"error":"#);
    draft.gap(Part::Error);
    draft.text(r#","accepts":["#);
    let offers = required.accepts.iter().filter_map(|offer| v1::offer_value(offer, &required.resource));
    for (index, offer) in offers.enumerate() {
        draft.text(if index == 0 { "" } else { "," });
        draft.open(&without(&offer, "resource"), "resource");
        draft.gap(Part::Url);
        draft.text("}");
    }
    draft.text("]}");
    draft.finish()
}

/// The members of an object but one.
fn without(object: &impl Serialize, key: &str) -> Map<String, Value> {
    let mut map = match serde_json::to_value(object) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    map.remove(key);
    map
}

#[cfg(test)]
mod tests;
