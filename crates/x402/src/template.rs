//! 402s that are answered again and again: all but what differs from request to request is written once.

use crate::{PaymentRequired, PaymentRequirements, encoding, v1};
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
        Self { header: header(required), body: body(required) }
    }

    /// Fills in the URL of the resource, what is wrong, and one quote for each offer in the order of `accepts` (`null` where there are too few).
    #[must_use]
    pub fn render<Q: AsRef<str>>(&self, url: &str, error: &str, quotes: &[Q]) -> RenderedRequired {
        let header = encoding::base64_encode(&fill(&self.header, url, error, quotes));
        RenderedRequired { header, body: fill(&self.body, url, error, quotes) }
    }
}

fn fill<Q: AsRef<str>>(parts: &[Part], url: &str, error: &str, quotes: &[Q]) -> Vec<u8> {
    let size = |part: &Part| match part {
        Part::Text(text) => text.len(),
        Part::Error => error.len() + 2,
        Part::Url => url.len() + 2,
        Part::Quote(index) => quotes.get(*index).map_or(0, |quote| quote.as_ref().len()) + 4,
    };
    let mut json = Vec::with_capacity(parts.iter().map(size).sum());
    for part in parts {
        match part {
            Part::Text(text) => json.extend_from_slice(text),
            Part::Error => encoding::write_json(&mut json, error),
            Part::Url => encoding::write_json(&mut json, url),
            Part::Quote(index) => encoding::write_json(&mut json, &quotes.get(*index).map(AsRef::as_ref)),
        }
    }
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
