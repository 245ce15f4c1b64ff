//! Sealing: what is secret enters the log and the snapshots only as an AES-256-GCM envelope under a master key that
//! the cluster never sees.
//!
//! The envelope names the master key by a fingerprint, so several can be active while one replaces another: the first
//! seals, any opens. The context (what is sealed, and for which cluster) is associated data: an envelope that is moved
//! to another place does not open there.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use domain::ports::Entropy;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Bytes of a master key.
const MASTER_KEY_BYTES: usize = 32;
/// How many master keys may be active at once.
const MASTER_KEYS_MAX: usize = 16;
/// The layout and algorithm of the envelopes that this version writes.
const ENVELOPE_VERSION: u8 = 1;

/// Why a master key was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// The text is not 32 bytes in one of the accepted forms.
    #[error(
        "a master key is 32 random bytes as text, 64 hexadecimal digits or base64; make one, for example with `openssl rand -hex 32`"
    )]
    Form,
    /// All bytes are the same.
    #[error("this master key is not random; make one, for example with `openssl rand -hex 32`")]
    NotRandom,
    /// No key was given.
    #[error("at least one master key is needed")]
    None,
    /// Too many keys were given.
    #[error("at most 16 master keys can be active at once; remove those that nothing is sealed with any more")]
    TooMany,
}

/// Why an envelope did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// None of the active master keys is the one that it was sealed with.
    #[error(
        "{context} was sealed with master key {wanted}, but this node holds {active}; start with the master key of that name, in \
         keys.master_key_file, or among keys.former_master_key_files"
    )]
    WrongMasterKey {
        /// What was to be opened.
        context: String,
        /// The fingerprint of the key that is needed.
        wanted: String,
        /// The fingerprints of the keys that are there.
        active: String,
    },
    /// The envelope was altered, or belongs elsewhere.
    #[error("{context} does not open with its master key: it was altered, or belongs to another place or cluster")]
    Altered {
        /// What was to be opened.
        context: String,
    },
    /// The envelope was written by a later version.
    #[error("{context} was sealed in format {found}, which this version does not know")]
    Newer {
        /// What was to be opened.
        context: String,
        /// Its format.
        found: u8,
    },
}

/// What an envelope calls a master key: a fingerprint that tells nothing about its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MasterKeyId([u8; 8]);

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_text(&self.0))
    }
}

/// An envelope. Says nothing without its master key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    version: u8,
    master_key: MasterKeyId,
    nonce: [u8; NONCE_LEN],
    ciphertext: Vec<u8>,
}

impl Sealed {
    /// An upper bound of the length of its encoding.
    pub(crate) fn encoded_length_at_most(&self) -> usize {
        64 + self.ciphertext.len()
    }

    /// The master key that opens it.
    pub(crate) fn master_key(&self) -> MasterKeyId {
        self.master_key
    }
}

/// One master key. Has no `Debug`, `Display` or `Serialize`.
#[derive(Clone)]
pub struct MasterKey {
    id: MasterKeyId,
    key: Arc<LessSafeKey>,
}

impl MasterKey {
    /// From 32 random bytes.
    pub fn from_bytes(bytes: &[u8; MASTER_KEY_BYTES]) -> Result<Self, MasterKeyError> {
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(MasterKeyError::NotRandom);
        }
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| MasterKeyError::Form)?;
        Ok(Self {
            id: fingerprint(bytes),
            key: Arc::new(LessSafeKey::new(key)),
        })
    }

    /// From the content of a key file or an environment variable: 64 hexadecimal digits, or base64 (standard or URL-safe,
    /// with or without padding); white space round the text is ignored.
    pub fn parse(content: &[u8]) -> Result<Self, MasterKeyError> {
        let text = content.trim_ascii();
        let decoded = if text.len() == 2 * MASTER_KEY_BYTES {
            hex(text)
        } else {
            base64(text)
        };
        let decoded = decoded.ok_or(MasterKeyError::Form)?;
        let bytes = <&[u8; MASTER_KEY_BYTES]>::try_from(decoded.as_slice()).map_err(|_| MasterKeyError::Form)?;
        Self::from_bytes(bytes)
    }

    /// What an envelope calls this key: sixteen hexadecimal digits that tell nothing about its bytes.
    pub fn id(&self) -> MasterKeyId {
        self.id
    }
}

/// The active master keys: the first one seals, every one opens. Has no `Debug`, `Display` or `Serialize`.
#[derive(Clone)]
pub struct MasterKeys(Arc<[MasterKey]>);

impl MasterKeys {
    /// The keys, the sealing one first.
    pub fn new(keys: Vec<MasterKey>) -> Result<Self, MasterKeyError> {
        match keys.len() {
            0 => Err(MasterKeyError::None),
            1..=MASTER_KEYS_MAX => Ok(Self(keys.into())),
            _ => Err(MasterKeyError::TooMany),
        }
    }

    /// One key from the content of a key file, see [`MasterKey::parse`].
    pub fn parse(content: &[u8]) -> Result<Self, MasterKeyError> {
        Self::new(vec![MasterKey::parse(content)?])
    }

    /// The one that this node wants everything to be sealed with.
    pub fn current(&self) -> MasterKeyId {
        self.0[0].id
    }

    /// All of them, the current one first.
    pub(crate) fn ids(&self) -> Vec<MasterKeyId> {
        self.0.iter().map(MasterKey::id).collect()
    }

    /// Seals `secret` with the current master key, so that it opens only with the same `context`.
    pub(crate) fn seal(&self, context: &str, secret: &[u8], entropy: &dyn Entropy) -> Sealed {
        seal(&self.0[0], context, secret, entropy)
    }

    /// As [`MasterKeys::seal`], with a master key of that name.
    pub(crate) fn seal_with(
        &self,
        id: MasterKeyId,
        context: &str,
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Sealed, SealingError> {
        let master = self.find(id, context)?;
        Ok(seal(master, context, secret, entropy))
    }

    fn find(&self, id: MasterKeyId, context: &str) -> Result<&MasterKey, SealingError> {
        self.0.iter().find(|master| master.id == id).ok_or_else(|| {
            let active: Vec<String> = self.ids().iter().map(MasterKeyId::to_string).collect();
            SealingError::WrongMasterKey {
                context: context.to_owned(),
                wanted: id.to_string(),
                active: active.join(", "),
            }
        })
    }

    /// Opens what was sealed with `context`.
    pub(crate) fn open(&self, context: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealingError> {
        if sealed.version != ENVELOPE_VERSION {
            return Err(SealingError::Newer {
                context: context.to_owned(),
                found: sealed.version,
            });
        }
        let master = self.find(sealed.master_key, context)?;
        let mut bytes = Zeroizing::new(sealed.ciphertext.clone());
        let nonce = Nonce::assume_unique_for_key(sealed.nonce);
        let length = master
            .key
            .open_in_place(nonce, associated(context), &mut bytes)
            .map_err(|_| SealingError::Altered {
                context: context.to_owned(),
            })?
            .len();
        bytes.truncate(length);
        Ok(bytes)
    }
}

fn seal(master: &MasterKey, context: &str, secret: &[u8], entropy: &dyn Entropy) -> Sealed {
    let mut nonce = [0u8; NONCE_LEN];
    entropy.fill(&mut nonce);
    let mut ciphertext = secret.to_vec();
    master
        .key
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            associated(context),
            &mut ciphertext,
        )
        .expect("AES-GCM seals anything shorter than 64 GiB");
    Sealed {
        version: ENVELOPE_VERSION,
        master_key: master.id,
        nonce,
        ciphertext,
    }
}

fn associated(context: &str) -> Aad<&[u8]> {
    Aad::from(context.as_bytes())
}

fn fingerprint(key: &[u8; MASTER_KEY_BYTES]) -> MasterKeyId {
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, key),
        b"agentidp master key fingerprint",
    );
    let mut id = [0u8; 8];
    id.copy_from_slice(&tag.as_ref()[..8]);
    MasterKeyId(id)
}

fn hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(MASTER_KEY_BYTES));
    for pair in text.chunks_exact(2) {
        bytes.push(digit(pair[0])? << 4 | digit(pair[1])?);
    }
    Some(bytes)
}

fn hex_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    engines
        .into_iter()
        .find_map(|engine| engine.decode(text).ok().map(Zeroizing::new))
}

#[cfg(test)]
mod tests;
