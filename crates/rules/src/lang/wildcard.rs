//! `wildcard` patterns: `*` for any bytes, `\*` and `\\` for themselves; the whole value must match.

use memchr::memmem;
use std::borrow::Cow;

/// Most `*` in one pattern, as at Cloudflare.
const MAX_STARS: usize = 10;

/// A compiled pattern: the literal parts between its stars. Matching is leftmost part after leftmost part, so every star
/// but the last takes as little as it can, and time is bounded by the value's length times the pattern's.
#[derive(Clone, Debug)]
pub(super) struct Wildcard {
    parts: Vec<Vec<u8>>,
    case_sensitive: bool,
}

impl Wildcard {
    pub(super) fn new(pattern: &[u8], case_sensitive: bool) -> Result<Self, &'static str> {
        let mut parts = vec![Vec::new()];
        let mut last_was_star = false;
        let mut bytes = pattern.iter().copied();
        while let Some(byte) = bytes.next() {
            let literal = match byte {
                b'*' if last_was_star => return Err("`**` is one star too many"),
                b'*' => {
                    parts.push(Vec::new());
                    last_was_star = true;
                    continue;
                }
                b'\\' => bytes
                    .next()
                    .filter(|escaped| matches!(escaped, b'*' | b'\\'))
                    .ok_or("after `\\` only `*` or `\\` may stand; in a quoted string write `\\\\`, or use r\"…\"")?,
                literal => literal,
            };
            last_was_star = false;
            if let Some(part) = parts.last_mut() {
                part.push(if case_sensitive { literal } else { literal.to_ascii_lowercase() });
            }
        }
        if parts.len() - 1 > MAX_STARS {
            return Err("more than 10 `*`");
        }
        Ok(Self { parts, case_sensitive })
    }

    pub(super) fn is_match(&self, value: &[u8]) -> bool {
        self.captures(value).is_some()
    }

    /// What each star stands for, as byte ranges of `value`.
    pub(super) fn captures(&self, value: &[u8]) -> Option<Vec<std::ops::Range<usize>>> {
        let value = self.fold(value);
        let (first, rest) = self.parts.split_first()?;
        let Some((last, middle)) = rest.split_last() else {
            return (*value == **first).then(Vec::new);
        };
        let body_end = value.len().checked_sub(last.len())?;
        if !value.starts_with(first) || !value.ends_with(last) || body_end < first.len() {
            return None;
        }
        let mut stars = Vec::with_capacity(rest.len());
        let mut at = first.len();
        for part in middle {
            let found = at + memmem::find(value.get(at..body_end)?, part)?;
            stars.push(at..found);
            at = found + part.len();
        }
        stars.push(at..body_end);
        Some(stars)
    }

    /// How many stars it has.
    pub(super) fn stars(&self) -> usize {
        self.parts.len() - 1
    }

    /// The literal that every matching value starts with, where case counts.
    pub(super) fn prefix(&self) -> Option<&[u8]> {
        self.parts.first().filter(|_| self.case_sensitive).map(Vec::as_slice)
    }

    /// Whether nothing but [`Self::prefix`] is asked: one star, at the end.
    pub(super) fn is_prefix(&self) -> bool {
        self.case_sensitive && self.parts.len() == 2 && self.parts.last().is_some_and(Vec::is_empty)
    }

    fn fold<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        if self.case_sensitive || !value.iter().any(u8::is_ascii_uppercase) {
            Cow::Borrowed(value)
        } else {
            Cow::Owned(value.to_ascii_lowercase())
        }
    }
}
