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
    /// Its texts are base64 already.
    header: Vec<Part>,
    body: Vec<Part>,
}

/// One 402, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedRequired {
    /// The value of `PAYMENT-REQUIRED`: base64, so always a valid header value.
    pub header: String,
    /// The JSON body, for version 1.
    pub body: Vec<u8>,
}

impl RequiredTemplate {
    /// Takes all of `required` but its error, its URL, and what its offers hold at `extra.quote`.
    #[must_use]
    pub fn new(required: &PaymentRequired) -> Self {
        let encoded = |part| match part {
            Part::Text(text) => Part::Text(STANDARD.encode(aligned(text.into_vec())).into_bytes().into()),
            gap => gap,
        };
        Self { header: header(required).into_iter().map(encoded).collect(), body: body(required) }
    }

    /// Fills in the URL of the resource, what is wrong, and one quote for each offer in the order of `accepts` (`null` where there are too few).
    #[must_use]
    pub fn render<Q: AsRef<str>>(&self, url: &str, error: &str, quotes: &[Q]) -> RenderedRequired {
        let filling = Filling { url, error, quotes };
        RenderedRequired { header: filling.header(&self.header), body: filling.body(&self.body) }
    }
}

/// What goes into the gaps.
struct Filling<'f, Q> {
    url: &'f str,
    error: &'f str,
    quotes: &'f [Q],
}

impl<Q: AsRef<str>> Filling<'_, Q> {
    /// Only what differs is encoded.
    fn header(&self, parts: &[Part]) -> String {
        let sizes = parts.iter().map(|part| if let Part::Text(text) = part { text.len() } else { self.size(part).div_ceil(3) * 4 });
        let mut header = Vec::with_capacity(sizes.sum());
        for part in parts {
            match part {
                Part::Text(text) => header.extend_from_slice(text),
                gap => {
                    let mut json = Vec::with_capacity(self.size(gap) + 2);
                    self.write(gap, &mut json);
                    let json = aligned(json);
                    let start = header.len();
                    header.resize(start + json.len() / 3 * 4, 0);
                    if let Some(room) = header.get_mut(start..) {
                        let _ = STANDARD.encode_slice(&json, room);
                    }
                }
            }
        }
        String::from_utf8(header).unwrap_or_default()
    }

    fn body(&self, parts: &[Part]) -> Vec<u8> {
        let mut json = Vec::with_capacity(parts.iter().map(|part| self.size(part)).sum());
        parts.iter().for_each(|part| self.write(part, &mut json));
        json
    }

    /// At least, for texts that need no escape.
    fn size(&self, part: &Part) -> usize {
        match part {
            Part::Text(text) => text.len(),
            Part::Error => self.error.len() + 2,
            Part::Url => self.url.len() + 2,
            Part::Quote(index) => self.quotes.get(*index).map_or(0, |quote| quote.as_ref().len()) + 4,
        }
    }

    fn write(&self, part: &Part, json: &mut Vec<u8>) {
        match part {
            Part::Text(text) => json.extend_from_slice(text),
            Part::Error => write_text(json, self.error),
            Part::Url => write_text(json, self.url),
            Part::Quote(index) => match self.quotes.get(*index) {
                Some(quote) => write_text(json, quote.as_ref()),
                None => json.extend_from_slice(b"null"),
            },
        }
    }
}

/// A JSON string; mostly there is nothing to escape.
fn write_text(json: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        json.push(b'"');
        json.extend_from_slice(text.as_bytes());
        json.push(b'"');
    } else {
        encoding::write_json(json, text);
    }
}

/// With white space at its end, so that the base64 of what follows can stand alone. The end of a part is the end of a JSON token.
fn aligned(mut json: Vec<u8>) -> Vec<u8> {
    json.resize(json.len().next_multiple_of(3), b' ');
    json
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
