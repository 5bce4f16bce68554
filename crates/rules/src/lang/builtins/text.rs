//! Functions that cut, join and replace.

use super::super::error::LangErrorKind;
use super::super::functions::Function;
use super::super::parse::compile_regex;
use super::super::types::Value;
use super::super::wildcard::Wildcard;
use super::{Body, Rest, must, on_bytes, string};
use std::borrow::Cow;

/// Most references to captures in one replacement, as at Cloudflare.
const MAX_REFERENCES: usize = 8;

pub(super) fn body(function: &Function, rest: Rest) -> Result<Body, LangErrorKind> {
    Ok(match function.name {
        "join" => {
            let separator = rest.text_or_empty(0);
            Box::new(move |value, _| {
                let Value::Array(items) = value? else { return None };
                let parts: Vec<&[u8]> =
                    items.iter().filter_map(|item| if let Value::Bytes(bytes) = item { Some(bytes.as_ref()) } else { None }).collect();
                Some(Value::owned(parts.join(separator.as_slice())))
            })
        }
        "split" => split(function, &rest)?,
        "substring" => {
            let (start, end) = (rest.int(0).unwrap_or_default(), rest.int(1));
            string(move |value| substring(value, start, end))
        }
        "remove_bytes" => {
            let unwanted = rest.text_or_empty(0);
            string(move |value| {
                if value.iter().any(|byte| unwanted.contains(byte)) {
                    Cow::Owned(value.iter().copied().filter(|byte| !unwanted.contains(byte)).collect())
                } else {
                    value
                }
            })
        }
        "remove_query_args" => {
            let names: Vec<Vec<u8>> = (0..rest.0.len()).filter_map(|at| rest.text(at)).map(<[u8]>::to_vec).collect();
            string(move |query| {
                let kept = query.split(|byte| *byte == b'&').filter(|pair| {
                    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
                    !names.iter().any(|unwanted| unwanted == name)
                });
                Cow::Owned(kept.collect::<Vec<_>>().join(&b'&'))
            })
        }
        "regex_replace" => regex_replace(function, &rest)?,
        "wildcard_replace" => wildcard_replace(function, &rest)?,
        _ => trim(function.name, &rest),
    })
}

fn split(function: &Function, rest: &Rest) -> Result<Body, LangErrorKind> {
    let separator = rest.text_or_empty(0);
    if separator.is_empty() {
        return Err(must(function, 2, "at least one character"));
    }
    let limit = rest.int(1).and_then(|limit| usize::try_from(limit).ok()).filter(|limit| (1..=128).contains(limit));
    let limit = limit.ok_or_else(|| must(function, 3, "from 1 to 128"))?;
    Ok(on_bytes(move |value| {
        let mut parts = Vec::new();
        let mut start = 0;
        for at in memchr::memmem::find_iter(&value, &separator).take(limit - 1) {
            parts.push(cut(&value, start, at));
            start = at + separator.len();
        }
        parts.push(cut(&value, start, value.len()));
        Some(Value::Array(parts))
    }))
}

/// A part of a value, borrowed where the value is.
fn cut<'f>(value: &Cow<'f, [u8]>, start: usize, end: usize) -> Value<'f> {
    Value::Bytes(match value {
        Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(start..end).unwrap_or_default()),
        Cow::Owned(bytes) => Cow::Owned(bytes.get(start..end).unwrap_or_default().to_vec()),
    })
}

/// From `start` up to `end`, both counted in bytes, from the end where negative.
fn substring(value: Cow<'_, [u8]>, start: i64, end: Option<i64>) -> Cow<'_, [u8]> {
    let length = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let place = |at: i64| usize::try_from(if at < 0 { at.saturating_add(length) } else { at }.clamp(0, length)).unwrap_or_default();
    match cut(&value, place(start), end.map_or(value.len(), place)) {
        Value::Bytes(part) => part,
        _ => value,
    }
}

fn trim(name: &'static str, rest: &Rest) -> Body {
    let unwanted = rest.text(0).map_or_else(|| b" \t\r\n\x0b\x0c".to_vec(), <[u8]>::to_vec);
    let (front, back) = (name != "trim_end", name != "trim_start");
    string(move |value| {
        let wanted = |byte: &u8| !unwanted.contains(byte);
        let start = if front { value.iter().position(wanted).unwrap_or(value.len()) } else { 0 };
        let end = if back { value.iter().rposition(wanted).map_or(start, |at| at + 1) } else { value.len() };
        match cut(&value, start, end) {
            Value::Bytes(part) => part,
            _ => value,
        }
    })
}

/// A replacement: literal text and `${n}`; `$$` is a dollar.
#[derive(Debug)]
struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(Vec<u8>),
    Capture(usize),
}

impl Template {
    fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let mut parts = vec![];
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if *byte != b'$' {
                plain.push(*byte);
                continue;
            }
            match after {
                [b'$', after @ ..] => {
                    plain.push(b'$');
                    rest = after;
                }
                [b'{', digits @ ..] => {
                    let end = digits.iter().position(|byte| *byte == b'}').ok_or("`${n}` with its closing brace")?;
                    let number =
                        digits.get(..end).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Capture(number.ok_or("`${n}` with the number of a capture")?));
                    rest = digits.get(end + 1..).unwrap_or_default();
                }
                _ => plain.push(b'$'),
            }
        }
        parts.push(Part::Text(plain));
        let references = parts.iter().filter(|part| matches!(part, Part::Capture(_))).count();
        if references > MAX_REFERENCES { Err("a replacement with at most 8 references") } else { Ok(Self(parts)) }
    }

    fn fill<'c>(&self, output: &mut Vec<u8>, capture: impl Fn(usize) -> Option<&'c [u8]>) {
        for part in &self.0 {
            match part {
                Part::Text(text) => output.extend_from_slice(text),
                Part::Capture(number) => output.extend_from_slice(capture(*number).unwrap_or_default()),
            }
        }
    }

    fn highest(&self) -> usize {
        self.0.iter().map(|part| if let Part::Capture(number) = part { *number } else { 0 }).max().unwrap_or_default()
    }
}

fn template(function: &Function, rest: &Rest, captures: usize) -> Result<Template, LangErrorKind> {
    let template = Template::parse(rest.text(1).unwrap_or_default()).map_err(|problem| must(function, 3, problem))?;
    if template.highest() > captures {
        return Err(must(function, 3, format!("without references above ${{{captures}}}: the pattern has no more captures")));
    }
    Ok(template)
}

/// Replaces the first match only.
fn regex_replace(function: &Function, rest: &Rest) -> Result<Body, LangErrorKind> {
    let pattern = String::from_utf8(rest.text_or_empty(0)).map_err(|_| must(function, 2, "UTF-8"))?;
    let regex = compile_regex(&pattern).map_err(LangErrorKind::Regex)?;
    let template = template(function, rest, regex.captures_len() - 1)?;
    Ok(string(move |value| {
        let Some(captures) = regex.captures(&value) else { return value };
        let Some(whole) = captures.get(0) else { return value };
        let mut output = value.get(..whole.start()).unwrap_or_default().to_vec();
        template.fill(&mut output, |number| captures.get(number).map(|found| found.as_bytes()));
        output.extend_from_slice(value.get(whole.end()..).unwrap_or_default());
        Cow::Owned(output)
    }))
}

/// Replaces a value that matches as a whole; `${1}` is the first star.
fn wildcard_replace(function: &Function, rest: &Rest) -> Result<Body, LangErrorKind> {
    let strict = match rest.text(2) {
        None | Some(b"" | b"i") => false,
        Some(b"s") => true,
        Some(_) => return Err(must(function, 4, "\"s\" (case counts) or left out")),
    };
    let wildcard = Wildcard::new(rest.text(0).unwrap_or_default(), strict).map_err(LangErrorKind::Wildcard)?;
    let template = template(function, rest, wildcard.stars())?;
    Ok(string(move |value| {
        let Some(stars) = wildcard.captures(&value) else { return value };
        let mut output = Vec::new();
        template.fill(&mut output, |number| match number.checked_sub(1) {
            None => Some(&value),
            Some(at) => stars.get(at).and_then(|range| value.get(range.clone())),
        });
        Cow::Owned(output)
    }))
}
