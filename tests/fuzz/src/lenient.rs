//! A second, careless reading of forms and `Basic` headers, to hold the strict one against.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Undoes form-urlencoding; `None` where an escape is broken.
pub fn unescape(raw: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut index = 0;
    while index < raw.len() {
        match raw[index] {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(raw.get(index + 1..index + 3)?).ok()?;
                if digits.starts_with('+') {
                    return None;
                }
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                index += 2;
            }
            byte => bytes.push(byte),
        }
        index += 1;
    }
    Some(bytes)
}

/// Every value that a parameter is sent with, empty ones left out.
pub fn values(body: &[u8], name: &str) -> Vec<String> {
    let named = |pair: &[u8]| {
        let (key, value) = halves(pair, b'=');
        (unescape(key)? == name.as_bytes()).then(|| unescape(value))?
    };
    let found = body.split(|byte| *byte == b'&').filter_map(named);
    found
        .filter(|value| !value.is_empty())
        .filter_map(|value| String::from_utf8(value).ok())
        .collect()
}

/// The id and the secret of a `Basic` header.
pub fn basic(header: &str) -> Option<(String, String)> {
    let (_, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim_matches(' ')).ok()?;
    let (id, secret) = halves(&decoded, b':');
    let text = |half| String::from_utf8(unescape(half)?).ok();
    Some((text(id)?, text(secret)?))
}

/// What stands before and after the first separator.
pub fn halves(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == separator) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}
