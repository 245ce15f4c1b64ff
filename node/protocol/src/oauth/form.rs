//! `application/x-www-form-urlencoded` bodies (RFC 6749 appendix B), read strictly: what is ambiguous is refused, so no
//! two readers of one request can understand it differently.
//!
//! Not here: the limit on the body as a whole, which is checked while it is received.

use std::ops::Range;

use zeroize::Zeroizing;

use super::error::OAuthError;

/// The parameters of a form. They may hold secrets, so their memory is wiped when the form is dropped.
pub struct Form {
    /// Every decoded name and value, one after the other.
    text: Zeroizing<String>,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: Range<usize>,
    value: Range<usize>,
}

impl Form {
    /// The most parameters that a form may have.
    pub const PARAMETERS_MAX: usize = 64;
    /// The longest name, in bytes after decoding.
    pub const NAME_BYTES_MAX: usize = 64;
    /// The longest value, in bytes after decoding.
    pub const VALUE_BYTES_MAX: usize = 8 * 1024;
    /// The parameters that may be sent more than once (RFC 8707 §2).
    const REPEATABLE: &'static [&'static str] = &["resource"];

    /// Reads a form; `invalid_request` if it is malformed, ambiguous or beyond a limit.
    pub fn parse(body: &[u8]) -> Result<Form, OAuthError> {
        let mut decoder = Decoder::for_at_most(body.len());
        let mut parameters: Vec<Parameter> = Vec::with_capacity(8);
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if parameters.len() == Self::PARAMETERS_MAX {
                return Err(OAuthError::invalid_request("Send at most 64 parameters."));
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decoder.append(halves.next().unwrap_or_default(), Self::NAME_BYTES_MAX)?;
            let value = decoder.append(halves.next().unwrap_or_default(), Self::VALUE_BYTES_MAX)?;
            refuse_repetition(decoder.text(), &parameters, &name)?;
            parameters.push(Parameter { name, value });
        }
        let text = decoder.finish();
        Ok(Form { text, parameters })
    }

    /// The parameter's value. One that is sent without a value counts as not sent (RFC 6749 §3.2).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every parameter that was sent with a value, in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = |range: &Range<usize>| &self.text[range.clone()];
        let sent = self
            .parameters
            .iter()
            .map(move |parameter| (text(&parameter.name), text(&parameter.value)));
        sent.filter(|(_, value)| !value.is_empty())
    }

    /// Every value of a parameter that may be repeated, in the order sent.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters
            .iter()
            .filter(move |parameter| &self.text[parameter.name.clone()] == name)
            .map(|parameter| &self.text[parameter.value.clone()])
            .filter(|value| !value.is_empty())
    }
}

fn refuse_repetition(text: &str, earlier: &[Parameter], name: &Range<usize>) -> Result<(), OAuthError> {
    let name = &text[name.clone()];
    let repeated = earlier.iter().any(|parameter| &text[parameter.name.clone()] == name);
    if repeated && !Form::REPEATABLE.contains(&name) {
        return Err(OAuthError::invalid_request("Send each parameter only once."));
    }
    Ok(())
}

/// Decodes one form-urlencoded piece: `+` is a space, `%` is followed by two hexadecimal digits, and the result is
/// UTF-8 without NUL, at most `bytes_max` bytes long.
pub(super) fn decode(encoded: &[u8], bytes_max: usize) -> Result<Zeroizing<String>, OAuthError> {
    let mut decoder = Decoder::for_at_most(encoded.len());
    decoder.append(encoded, bytes_max)?;
    Ok(decoder.finish())
}

/// Decoded pieces, one after the other. Decoding never makes anything longer, so the memory is allocated once, and no
/// copy of a secret is left behind by a growing string.
struct Decoder(Zeroizing<String>);

impl Decoder {
    fn for_at_most(encoded_bytes: usize) -> Self {
        Self(Zeroizing::new(String::with_capacity(encoded_bytes)))
    }

    fn text(&self) -> &str {
        &self.0
    }

    fn finish(self) -> Zeroizing<String> {
        self.0
    }

    /// Appends the decoded piece and says where it lies.
    fn append(&mut self, encoded: &[u8], bytes_max: usize) -> Result<Range<usize>, OAuthError> {
        let start = self.0.len();
        // An escape is three bytes long; whatever is longer than that can't fit, and is not even looked at.
        if encoded.len() > 3 * bytes_max {
            return Err(too_long());
        }
        if encoded.iter().any(|byte| matches!(byte, b'%' | b'+')) {
            let bytes = unescape(encoded)?;
            self.0.push_str(checked(&bytes, bytes_max)?);
        } else {
            self.0.push_str(checked(encoded, bytes_max)?);
        }
        Ok(start..self.0.len())
    }
}

fn unescape(encoded: &[u8]) -> Result<Zeroizing<Vec<u8>>, OAuthError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len()));
    let mut rest = encoded.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => escaped(rest.next(), rest.next())?,
            other => *other,
        });
    }
    Ok(bytes)
}

fn checked(bytes: &[u8], bytes_max: usize) -> Result<&str, OAuthError> {
    if bytes.len() > bytes_max {
        return Err(too_long());
    }
    if bytes.contains(&0) {
        return Err(OAuthError::invalid_request("Send no NUL character."));
    }
    std::str::from_utf8(bytes).map_err(|_| OAuthError::invalid_request("Encode every name and value as UTF-8."))
}

fn escaped(high: Option<&u8>, low: Option<&u8>) -> Result<u8, OAuthError> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    match (digit(high), digit(low)) {
        (Some(high), Some(low)) => Ok(u8::try_from(high * 16 + low).expect("two hexadecimal digits fit a byte")),
        _ => Err(OAuthError::invalid_request(
            "Write two hexadecimal digits after every % in the form.",
        )),
    }
}

fn too_long() -> OAuthError {
    OAuthError::invalid_request("Send parameter names of at most 64 bytes and values of at most 8192 bytes.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(body: &[u8]) -> String {
        let error = Form::parse(body).err().expect("must be refused");
        assert_eq!(error.code.as_str(), "invalid_request");
        error.description.into_owned()
    }

    #[test]
    fn reads_plus_and_percent_and_ignores_stray_separators() {
        let form = Form::parse(b"&a=x+y%2B%C3%A9&&b=1=2&c&").expect("well-formed");
        assert_eq!(form.get("a"), Some("x y+é"));
        assert_eq!(form.get("b"), Some("1=2"));
        assert_eq!((form.get("c"), form.get("d")), (None, None));
    }

    #[test]
    fn a_parameter_without_a_value_counts_as_not_sent() {
        let form = Form::parse(b"scope=&resource=&resource=x").expect("well-formed");
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["x"]);
    }

    #[test]
    fn only_resource_may_be_repeated() {
        let form = Form::parse(b"resource=a&resource=b").expect("repeatable");
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        for body in ["a=1&a=2", "a=&a=2", "a=1&%61=1", "unknown=1&x=2&unknown=1"] {
            assert_eq!(refusal(body.as_bytes()), "Send each parameter only once.");
        }
    }

    #[test]
    fn bad_escapes_bad_utf_8_and_nul_are_refused() {
        for body in ["a=%", "a=%2", "a=%zz", "a=%+1", "%=1", "a=%é"] {
            assert!(refusal(body.as_bytes()).contains("hexadecimal"), "{body}");
        }
        for body in [&b"a=%FF"[..], b"a=\xff", b"%C3=%A9", b"a=%ED%A0%80"] {
            assert!(refusal(body).contains("UTF-8"));
        }
        assert!(refusal(b"a=%00").contains("NUL"));
        assert!(refusal(b"a\0=1").contains("NUL"));
    }

    #[test]
    fn each_limit_admits_what_just_fits_and_refuses_one_more() {
        let many = |count: usize| (0..count).map(|n| format!("p{n}=1&")).collect::<String>();
        assert!(Form::parse(many(Form::PARAMETERS_MAX).as_bytes()).is_ok());
        assert!(refusal(many(Form::PARAMETERS_MAX + 1).as_bytes()).contains("64 parameters"));

        let name = |bytes: usize| format!("{}=1", "n".repeat(bytes));
        assert!(Form::parse(name(Form::NAME_BYTES_MAX).as_bytes()).is_ok());
        assert!(refusal(name(Form::NAME_BYTES_MAX + 1).as_bytes()).contains("64 bytes"));

        let value = |bytes: usize| format!("v={}", "%41".repeat(bytes));
        assert!(Form::parse(value(Form::VALUE_BYTES_MAX).as_bytes()).is_ok());
        assert!(refusal(value(Form::VALUE_BYTES_MAX + 1).as_bytes()).contains("8192 bytes"));
    }

    fn encode(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02x}")).collect()
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Form::parse(&body);
        }

        #[test]
        fn any_form_like_bytes_parse_or_are_refused(body in "[a-c=&%+0-9é\\x00]{0,60}") {
            let _ = Form::parse(body.as_bytes());
        }

        #[test]
        fn what_was_encoded_comes_back(
            pairs in proptest::collection::btree_map("[^\\x00]{1,12}", "[^\\x00]{1,40}", 0..20),
        ) {
            let body: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
            let form = Form::parse(body.join("&").as_bytes()).expect("well-formed");
            for (name, value) in &pairs {
                prop_assert_eq!(form.get(name), Some(value.as_str()));
            }
        }
    }
}
