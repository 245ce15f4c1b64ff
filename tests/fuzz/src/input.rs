//! How an input file spells a request: the `Authorization` header, a line feed, the body. Without a line feed there is
//! no header. A header that begins with `~` stands for `Basic` and the base64 of the rest, so that what is inside can be
//! mutated.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::lenient::{halves, unescape};

/// A request.
pub struct Input {
    /// The header, if there is one.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Input {
    /// Reads a file.
    pub fn read(data: &[u8]) -> Self {
        if !data.contains(&b'\n') {
            return Self {
                authorization: None,
                body: data.to_vec(),
            };
        }
        let (header, body) = halves(data, b'\n');
        let authorization = match header {
            [] => None,
            [b'~', plain @ ..] => Some(format!("Basic {}", STANDARD.encode(plain))),
            text => String::from_utf8(text.to_vec()).ok(),
        };
        Self {
            authorization,
            body: body.to_vec(),
        }
    }

    /// The same request with every letter and digit of what is secret in it replaced by an `x`.
    pub fn masked(&self) -> Self {
        Self {
            authorization: self.authorization.as_deref().map(mask_header),
            ..self.masked_in(&["client_secret", "token"])
        }
    }

    /// The same request with every letter and digit in the values of these parameters replaced by an `x`.
    pub fn masked_in(&self, names: &[&str]) -> Self {
        self.with_values(names, |value| mask(value))
    }

    /// The same request with another value for every parameter of this name.
    pub fn with(&self, name: &str, value: &str) -> Self {
        self.with_values(&[name], |old| *old = value.into())
    }

    fn with_values(&self, names: &[&str], change: impl Fn(&mut Vec<u8>)) -> Self {
        let mut pairs: Vec<Vec<u8>> = self.body.split(|byte| *byte == b'&').map(<[u8]>::to_vec).collect();
        for pair in pairs.iter_mut().filter(|pair| pair.contains(&b'=')) {
            let (name, value) = halves(pair, b'=');
            let (decoded, mut value) = (unescape(name), value.to_vec());
            if names.iter().any(|wanted| decoded.as_deref() == Some(wanted.as_bytes())) {
                change(&mut value);
                *pair = [name, b"=", value.as_slice()].concat();
            }
        }
        Self {
            authorization: self.authorization.clone(),
            body: pairs.join(&b'&'),
        }
    }
}

fn mask_header(header: &str) -> String {
    masked_basic(header).unwrap_or_else(|| header.to_owned())
}

fn masked_basic(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    let encoded = rest.trim_matches(' ');
    let mut decoded = STANDARD.decode(encoded).ok()?;
    let id_len = halves(&decoded, b':').0.len();
    mask(&mut decoded[id_len..]);
    Some(format!("{scheme} {}", rest.replace(encoded, &STANDARD.encode(decoded))))
}

/// Masks letters and digits, but for the two after a `%`.
fn mask(bytes: &mut [u8]) {
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'%' => index += 2,
            byte if byte.is_ascii_alphanumeric() => bytes[index] = b'x',
            _ => {}
        }
        index += 1;
    }
}
