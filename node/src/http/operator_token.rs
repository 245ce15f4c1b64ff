//! The secret that operators show on their listener. It lies in the data directory, readable by the node's owner only:
//! whoever may read that file may also do what the token allows.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use domain::Secret;
use domain::ports::Entropy;

/// What every operator token begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "agentidp_operator_";
/// A file that is longer than this holds something else.
const FILE_BYTES_MAX: usize = 1_024;
/// A token that is shorter than this can be guessed.
const TOKEN_BYTES_MIN: usize = 32;

/// The operators' secret.
#[derive(Clone)]
pub struct OperatorToken(Secret);

impl OperatorToken {
    /// Reads the token from its file; makes one where there is none.
    pub fn open(path: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).ok_or_else(|| {
                let reason = format!(
                    "it must hold one token of at least {TOKEN_BYTES_MIN} characters; remove it to get a new one"
                );
                io::Error::new(io::ErrorKind::InvalidData, reason)
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path, entropy),
            Err(error) => Err(error),
        }
    }

    /// A new one, which is nowhere else.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut random = [0u8; 32];
        entropy.fill(&mut random);
        let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(Secret::new(format!("{PREFIX}{hex}")))
    }

    /// Whether a caller shows this token. Takes as long whatever was shown.
    pub fn is(&self, shown: &str) -> bool {
        verify_slices_are_equal(self.0.expose().as_bytes(), shown.as_bytes()).is_ok()
    }

    fn parse(text: &str) -> Option<Self> {
        let token = text.trim();
        let is_one = (TOKEN_BYTES_MIN..=FILE_BYTES_MAX).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic());
        is_one.then(|| Self(Secret::new(token.to_owned())))
    }

    fn make(path: &Path, entropy: &dyn Entropy) -> io::Result<Self> {
        let token = Self::new(entropy);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", token.0.expose())?;
        file.sync_all()?;
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Sevens;
    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_token_is_made_once_for_its_owner_only_and_recognised_afterwards() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("operator.token");
        OperatorToken::open(&path, &Sevens).expect("made");
        let text = std::fs::read_to_string(&path).expect("it is there");
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = OperatorToken::open(&path, &Sevens).expect("read");
        assert!(again.is(text.trim()));
        assert!(!again.is("") && !again.is(PREFIX) && !again.is(&text.trim().to_uppercase()));
    }

    #[test]
    fn what_is_no_token_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("operator.token");
        for text in ["", "short", "two tokens that are long enough, but two"] {
            std::fs::write(&path, text).expect("it can be written");
            let refused = OperatorToken::open(&path, &Sevens).err().expect("refused");
            assert!(refused.to_string().contains("remove it"), "{refused}");
        }
    }
}
