//! The format that the members have agreed on.

use serde::{Deserialize, Serialize};

use crate::codec::OLDEST;

/// A software version is cut off after this many bytes.
const SOFTWARE_BYTES_MAX: usize = 64;

/// The format in force, and which version of the software brought it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agreement {
    format: u8,
    /// Empty for the first format.
    software: String,
}

impl Default for Agreement {
    fn default() -> Self {
        Self {
            format: OLDEST,
            software: String::new(),
        }
    }
}

impl Agreement {
    /// Goes to a later format; an earlier one changes nothing.
    pub(super) fn raise(&mut self, format: u8, software: &str) {
        if format > self.format {
            let end = software.floor_char_boundary(SOFTWARE_BYTES_MAX);
            *self = Self {
                format,
                software: software[..end].to_owned(),
            };
        }
    }

    /// The format in force.
    pub(crate) fn format(&self) -> u8 {
        self.format
    }

    /// What a node that does not know the format must be brought to.
    pub(crate) fn wanted_software(&self) -> String {
        if self.software.is_empty() {
            "a later version".to_owned()
        } else {
            format!("version {} or a later one", self.software)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_never_lowered_and_says_who_brought_it() {
        let mut agreement = Agreement::default();
        assert_eq!(
            (agreement.format(), agreement.wanted_software().as_str()),
            (OLDEST, "a later version")
        );
        agreement.raise(OLDEST + 1, "1.2.3");
        agreement.raise(OLDEST, "0.1.0");
        agreement.raise(OLDEST + 1, "9.9.9");
        assert_eq!(agreement.format(), OLDEST + 1);
        assert_eq!(agreement.wanted_software(), "version 1.2.3 or a later one");
        agreement.raise(OLDEST + 2, &"ä".repeat(100));
        assert!(agreement.software.len() <= SOFTWARE_BYTES_MAX);
    }
}
