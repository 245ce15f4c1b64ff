//! `application/x-www-form-urlencoded`, wiped when dropped, since a form may hold a token.

use zeroize::Zeroizing;

/// A form's body.
#[derive(Default)]
pub(crate) struct Form(Zeroizing<String>);

impl Form {
    /// A form with one pair.
    pub fn of(name: &'static str, value: &str) -> Self {
        Self::default().with(name, value)
    }

    /// Adds a pair.
    #[must_use]
    pub fn with(self, name: &'static str, value: &str) -> Self {
        // Room for the worst case at once, so that growing leaves no copy of a secret behind.
        let mut text = Zeroizing::new(String::with_capacity(self.0.len() + name.len() + 3 * value.len() + 2));
        text.push_str(&self.0);
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        encode(&mut text, value);
        Self(text)
    }

    /// Adds a pair if there is a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One value as the form encoding writes it; RFC 6749 §2.3.1 wants the halves of a Basic header so, too.
pub(crate) fn encoded(value: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(3 * value.len()));
    encode(&mut text, value);
    text
}

fn encode(text: &mut String, value: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => text.push(char::from(byte)),
            b' ' => text.push('+'),
            _ => {
                text.push('%');
                text.push(char::from(DIGITS[usize::from(byte >> 4)]));
                text.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_joined_and_values_escaped() {
        let form = Form::of("scope", "agents:read openid")
            .with("token", "a&b=%é\0")
            .with_some("nonce", None);
        assert_eq!(form.as_str(), "scope=agents%3Aread+openid&token=a%26b%3D%25%C3%A9%00");
    }

    proptest::proptest! {
        #[test]
        fn an_independent_decoder_reads_the_value_back(value in "\\PC{0,60}") {
            let url = reqwest::Url::parse(&format!("http://localhost/?{}", Form::of("v", &value).as_str())).expect("a URL");
            let pairs: Vec<_> = url.query_pairs().into_owned().collect();
            proptest::prop_assert_eq!(pairs, vec![("v".to_owned(), value)]);
        }
    }
}
