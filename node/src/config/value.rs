//! How a setting's text becomes a value, and back.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use domain::SigningAlgorithm;

/// Something that can be configured.
pub trait Value: Sized {
    /// What the text must be, for error messages: "must be …".
    const EXPECTED: &'static str;
    /// The value, or `None` if the text is not one.
    fn parse(text: &str) -> Option<Self>;
    /// The text that would give this value.
    fn show(&self) -> String;
}

macro_rules! from_str_value {
    ($($type:ty => $expected:literal),+ $(,)?) => {
        $(impl Value for $type {
            const EXPECTED: &'static str = $expected;
            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
            fn show(&self) -> String {
                self.to_string()
            }
        })+
    };
}

from_str_value! {
    u8 => "a whole number from 0 to 255",
    u16 => "a whole number from 0 to 65535",
    u32 => "a whole number from 0 to 4294967295",
    u64 => "a whole number",
    bool => "true or false",
    SocketAddr => "an address and a port such as 127.0.0.1:3000",
    IpAddr => "an IP address",
    SigningAlgorithm => "EdDSA, ES256 or RS256",
    String => "a text",
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";
    fn parse(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| PathBuf::from(text))
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Value for Duration {
    const EXPECTED: &'static str = "a duration such as 250ms, 10s, 5m, 24h or 90d";
    fn parse(text: &str) -> Option<Self> {
        humantime::parse_duration(text.trim()).ok()
    }
    fn show(&self) -> String {
        humantime::format_duration(*self).to_string()
    }
}

/// Two durations, the first not above the second: `500ms-1s`.
impl Value for (Duration, Duration) {
    const EXPECTED: &'static str = "two durations, the smaller first, such as 500ms-1000ms";
    fn parse(text: &str) -> Option<Self> {
        let (low, high) = text.split_once('-')?;
        let range = (Duration::parse(low)?, Duration::parse(high)?);
        (range.0 <= range.1).then_some(range)
    }
    fn show(&self) -> String {
        format!("{}-{}", self.0.show(), self.1.show())
    }
}

impl<T: Value> Value for Vec<T> {
    const EXPECTED: &'static str = "a list";
    fn parse(text: &str) -> Option<Self> {
        text.split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(T::parse)
            .collect()
    }
    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(",")
    }
}

/// A number of bytes: `4096`, `256KiB`, `1MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub usize);

impl Value for ByteSize {
    const EXPECTED: &'static str = "a size such as 262144, 256KiB or 1MiB";
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let factor = match unit.trim() {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            _ => return None,
        };
        digits.parse::<usize>().ok()?.checked_mul(factor).map(ByteSize)
    }
    fn show(&self) -> String {
        if self.0.is_multiple_of(1024) && self.0 > 0 {
            format!("{}KiB", self.0 / 1024)
        } else {
            self.0.to_string()
        }
    }
}
