//! Files with certificates and keys that somebody else puts there.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

/// No certificate chain or key is larger, in bytes; more is not read.
const PEM_BYTES_MAX: u64 = 256 * 1024;
/// The permissions of those who are neither the owner nor of its group.
const OTHERS: u32 = 0o007;

/// Reads a file of at most 256 KiB. What it held is wiped from memory when it is dropped.
pub fn read_pem(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // All memory is taken at once: growing would leave copies of a key behind.
    let capacity = usize::try_from(PEM_BYTES_MAX + 1).expect("it is a small number");
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    File::open(path)?.take(PEM_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PEM_BYTES_MAX {
        let reason = "it is too large for a certificate or a key";
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(bytes)
}

/// Says in the log if every user of the machine may read a key. It is no reason to refuse: where one user alone is on the
/// machine, as in a container, mounted secrets often look like that.
pub fn warn_if_exposed(key: &Path) {
    if is_exposed(key) {
        let key = key.display();
        tracing::warn!("every user of this machine may read the private key; run: chmod o= {key}");
    }
}

fn is_exposed(key: &Path) -> bool {
    fs::metadata(key).is_ok_and(|metadata| metadata.permissions().mode() & OTHERS != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_exposed_if_everybody_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key.pem");
        fs::write(&key, "key").unwrap();
        for (mode, expected) in [(0o600, false), (0o640, false), (0o644, true), (0o604, true)] {
            fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_exposed(&key), expected, "{mode:o}");
        }
        assert!(!is_exposed(&folder.path().join("none")));
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cert.pem");
        let length = usize::try_from(PEM_BYTES_MAX).unwrap();
        fs::write(&path, vec![b'a'; length]).unwrap();
        assert_eq!(read_pem(&path).unwrap().len(), length);
        fs::write(&path, vec![b'a'; length + 1]).unwrap();
        assert_eq!(read_pem(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
