//! The one spelling of a path.

/// The canonical spelling where it is another than `path`; `None` where `path` is canonical already.
///
/// Errors say what a router behind us could read differently.
pub(super) fn canonical(path: &str) -> Result<Option<String>, &'static str> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'/') {
        return Err("it does not start with a slash");
    }
    let mut encoded = false;
    for &byte in bytes {
        match byte {
            b'%' => encoded = true,
            b';' => return Err("path parameters (`;`) are not served"),
            b'\\' => return Err("a backslash"),
            _ if stands_for_itself(byte) || byte == b'/' => {}
            _ => return Err("a character that must be percent-encoded"),
        }
    }
    segments(path)?;
    if encoded { decoded(path) } else { Ok(None) }
}

/// RFC 3986 §3.3 `pchar` without percent-encoding, and without `;`.
fn stands_for_itself(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@')
}

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn segments(path: &str) -> Result<(), &'static str> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "" if segments.peek().is_some() => return Err("an empty segment (`//`)"),
            "." | ".." => return Err("a dot segment"),
            _ => {}
        }
    }
    Ok(())
}

/// Walks the percent-encoded octets: refuses those with a second reading, spells the rest canonically.
fn decoded(path: &str) -> Result<Option<String>, &'static str> {
    let mut canonical = String::with_capacity(path.len());
    let mut text = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            canonical.push(char::from(first));
            text.push(first);
            continue;
        }
        let (byte, tail) = octet(tail)?;
        rest = tail;
        match byte {
            b'/' | b'\\' => return Err("an encoded slash or backslash"),
            0..=0x1F | 0x7F => return Err("an encoded control character"),
            b'%' if octet(rest).is_ok() => return Err("encoded twice"),
            _ if is_unreserved(byte) => return Err("a character that needs no encoding is percent-encoded"),
            _ if stands_for_itself(byte) => canonical.push(char::from(byte)),
            _ => push_encoded(&mut canonical, byte),
        }
        text.push(byte);
    }
    if std::str::from_utf8(&text).is_err() {
        return Err("not UTF-8");
    }
    Ok((canonical != path).then_some(canonical))
}

/// The two hex digits after a `%`.
fn octet(bytes: &[u8]) -> Result<(u8, &[u8]), &'static str> {
    const MALFORMED: &str = "a `%` without two hex digits";
    let (digits, rest) = bytes.split_at_checked(2).ok_or(MALFORMED)?;
    let hex = |digit: &u8| char::from(*digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    match digits {
        [high, low] => match (hex(high), hex(low)) {
            (Some(high), Some(low)) => Ok((high << 4 | low, rest)),
            _ => Err(MALFORMED),
        },
        _ => Err(MALFORMED),
    }
}

fn push_encoded(path: &mut String, byte: u8) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    path.push('%');
    path.extend([byte >> 4, byte & 15].map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or('0')));
}
