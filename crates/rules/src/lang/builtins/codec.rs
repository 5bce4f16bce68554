//! Functions that encode, decode, digest and look into JSON.

use super::super::ast::Literal;
use super::super::error::LangErrorKind;
use super::super::functions::Function;
use super::super::types::Value;
use super::{Body, Input, Rest, must, on_bytes, string};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use std::borrow::Cow;

/// Most rounds of recursive decoding: input that nests deeper stays as it is after them.
const MAX_ROUNDS: usize = 16;

pub(super) fn body(function: &Function, rest: Rest) -> Result<Body, LangErrorKind> {
    Ok(match function.name {
        "sha256" => string(|value| Cow::Owned(digest::digest(&digest::SHA256, &value).as_ref().to_vec())),
        "sha512" => string(|value| Cow::Owned(digest::digest(&digest::SHA512, &value).as_ref().to_vec())),
        "uuidv4" => string(|value| Cow::Owned(uuid(&value).into_bytes())),
        "encode_base64" => encode_base64(function, &rest)?,
        "decode_base64" => on_bytes(|value| DECODER.decode(value.as_ref()).ok().map(Value::owned)),
        "url_decode" => url_decode(function, &rest)?,
        _ => lookup(function, rest)?,
    })
}

/// Takes padding or does without.
const DECODER: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// Without padding, unless the flags hold `p`; `u` takes the URL alphabet.
fn encode_base64(function: &Function, rest: &Rest) -> Result<Body, LangErrorKind> {
    let flags = rest.text_or_empty(0);
    if flags.iter().any(|flag| !b"up".contains(flag)) {
        return Err(must(function, 2, "made of the flags u (URL alphabet) and p (padding)"));
    }
    let engine = match (flags.contains(&b'u'), flags.contains(&b'p')) {
        (false, false) => general_purpose::STANDARD_NO_PAD,
        (false, true) => general_purpose::STANDARD,
        (true, false) => general_purpose::URL_SAFE_NO_PAD,
        (true, true) => general_purpose::URL_SAFE,
    };
    Ok(string(move |value| Cow::Owned(engine.encode(value.as_ref()).into_bytes())))
}

fn url_decode(function: &Function, rest: &Rest) -> Result<Body, LangErrorKind> {
    let options = rest.text_or_empty(0);
    if options.iter().any(|option| !b"ru".contains(option)) {
        return Err(must(function, 2, "made of the options r (recursive) and u (%uHHHH)"));
    }
    let rounds = if options.contains(&b'r') { MAX_ROUNDS } else { 1 };
    let unicode = options.contains(&b'u');
    Ok(string(move |mut value| {
        for _ in 0..rounds {
            if !value.iter().any(|byte| matches!(byte, b'%' | b'+')) {
                break;
            }
            let decoded = decode_once(&value, unicode);
            if decoded == *value {
                break;
            }
            value = Cow::Owned(decoded);
        }
        value
    }))
}

/// `%HH` and `+`, and `%uHHHH` where wanted; what is none of them stays.
fn decode_once(value: &[u8], unicode: bool) -> Vec<u8> {
    let mut output = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let decoded = match byte {
            b'+' => Some((b" ".to_vec(), 0)),
            b'%' => hex(after, 2).map(|code| (vec![code as u8], 2)).or_else(|| unicode.then(|| code_unit(after)).flatten()),
            _ => None,
        };
        match decoded {
            Some((bytes, used)) => {
                output.extend_from_slice(&bytes);
                rest = after.get(used..).unwrap_or_default();
            }
            None => output.push(*byte),
        }
    }
    output
}

/// `uHHHH` as UTF-8; a lone surrogate is no character.
fn code_unit(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let character = char::from_u32(hex(text.strip_prefix(b"u")?, 4)?)?;
    Some((character.to_string().into_bytes(), 5))
}

fn hex(text: &[u8], digits: usize) -> Option<u32> {
    let digits = text.get(..digits).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A version 4 UUID (RFC 9562 §5.4) out of a source of randomness.
fn uuid(source: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, source);
    let mut bytes: Vec<u8> = digest.as_ref().iter().copied().take(16).collect();
    if let [.., version, _, variant, _, _, _, _, _, _, _] = bytes.as_mut_slice() {
        *version = *version & 0x0f | 0x40;
        *variant = *variant & 0x3f | 0x80;
    }
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let group = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().concat();
    [group(0, 4), group(4, 6), group(6, 8), group(8, 10), group(10, 16)].join("-")
}

enum Step {
    Key(String),
    At(usize),
}

/// `lookup_json_string` and `lookup_json_integer`; what is not there, or of another type, is absent.
fn lookup(function: &Function, rest: Rest) -> Result<Body, LangErrorKind> {
    let mut path = Vec::new();
    for (at, key) in rest.0.iter().enumerate() {
        let step = match key {
            Input::Literal(Literal::Bytes(key)) => String::from_utf8(key.clone()).ok().map(Step::Key),
            Input::Literal(Literal::Int(place)) => usize::try_from(*place).ok().map(Step::At),
            _ => None,
        };
        path.push(step.ok_or_else(|| must(function, at + 2, "a key (UTF-8) or a place counted from 0"))?);
    }
    let strings = function.name == "lookup_json_string";
    Ok(on_bytes(move |document| {
        let document: serde_json::Value = serde_json::from_slice(&document).ok()?;
        let found = path.iter().try_fold(&document, |value, step| match step {
            Step::Key(key) => value.as_object()?.get(key),
            Step::At(place) => value.as_array()?.get(*place),
        })?;
        match found {
            serde_json::Value::String(text) if strings => Some(Value::owned(text.clone().into_bytes())),
            serde_json::Value::Number(number) if !strings => number.as_i64().map(Value::Int),
            _ => None,
        }
    }))
}
