//! What opens, and what does not.

use std::sync::atomic::{AtomicU8, Ordering};

use proptest::prelude::*;

use super::*;

struct Counting(AtomicU8);
impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn key(first: u8) -> MasterKey {
    let mut bytes = [7u8; 32];
    bytes[0] = first;
    MasterKey::from_bytes(&bytes).expect("32 bytes that differ")
}

fn keys(firsts: &[u8]) -> MasterKeys {
    MasterKeys::new(firsts.iter().map(|first| key(*first)).collect()).expect("one to sixteen keys")
}

#[test]
fn a_secret_opens_with_its_key_and_context_only() {
    let sealed = keys(&[1]).seal("signing key a", b"secret", &Counting(AtomicU8::new(0)));
    assert_eq!(
        *keys(&[1])
            .open("signing key a", &sealed)
            .expect("the same key and context"),
        b"secret"
    );
    assert!(matches!(
        keys(&[1]).open("signing key b", &sealed),
        Err(SealingError::Altered { .. })
    ));
    let refusal = keys(&[2])
        .open("signing key a", &sealed)
        .map(|_| ())
        .expect_err("another key");
    assert!(matches!(refusal, SealingError::WrongMasterKey { .. }));
    let sentence = refusal.to_string();
    assert!(sentence.contains("start with the master key"), "{sentence}");
    assert!(
        sentence.contains(&key(1).id().to_string()) && sentence.contains(&key(2).id().to_string()),
        "{sentence}"
    );
}

#[test]
fn several_keys_can_be_active_and_the_first_seals() {
    let entropy = Counting(AtomicU8::new(0));
    let old = keys(&[1]).seal("x", b"old", &entropy);
    let both = keys(&[2, 1]);
    let new = both.seal("x", b"new", &entropy);
    assert_eq!(*both.open("x", &old).expect("sealed with the second key"), b"old");
    assert_eq!(*keys(&[2]).open("x", &new).expect("sealed with the first key"), b"new");
}

#[test]
fn two_envelopes_of_one_secret_differ() {
    let entropy = Counting(AtomicU8::new(0));
    let master = keys(&[1]);
    assert_ne!(
        master.seal("x", b"secret", &entropy),
        master.seal("x", b"secret", &entropy)
    );
}

#[test]
fn every_flipped_bit_is_noticed() {
    let master = keys(&[1]);
    let sealed = master.seal("x", b"secret", &Counting(AtomicU8::new(0)));
    for bit in 0..sealed.ciphertext.len() * 8 {
        let mut altered = sealed.clone();
        altered.ciphertext[bit / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(master.open("x", &altered), Err(SealingError::Altered { .. })),
            "bit {bit}"
        );
    }
    let mut altered = sealed.clone();
    altered.nonce[0] ^= 1;
    assert!(master.open("x", &altered).is_err());
    let truncated = Sealed {
        ciphertext: vec![1; 3],
        ..sealed.clone()
    };
    assert!(matches!(
        master.open("x", &truncated),
        Err(SealingError::Altered { .. })
    ));
    let newer = Sealed { version: 2, ..sealed };
    assert!(matches!(
        master.open("x", &newer),
        Err(SealingError::Newer { found: 2, .. })
    ));
}

#[test]
fn a_key_is_read_in_every_accepted_form() {
    let raw: Vec<u8> = (100..132).collect();
    let hexadecimal = hex_text(&raw);
    let wanted = MasterKey::parse(hexadecimal.as_bytes()).expect("a key").id();
    let forms = [
        hexadecimal.clone(),
        hexadecimal.to_uppercase(),
        format!("  {hexadecimal}\r\n"),
        STANDARD.encode(&raw),
        STANDARD_NO_PAD.encode(&raw),
        URL_SAFE.encode(&raw),
        format!("{}\n", URL_SAFE_NO_PAD.encode(&raw)),
    ];
    for form in forms {
        assert_eq!(
            MasterKey::parse(form.as_bytes()).map(|key| key.id()),
            Ok(wanted),
            "{form}"
        );
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let long = "ab".repeat(33);
    for content in [
        "",
        "short",
        "0123456789abcdef0123456789abcdef",
        &"g".repeat(64),
        "!!!",
        "these are 32 bytes, but no text.",
        long.as_str(),
    ] {
        assert_eq!(
            MasterKey::parse(content.as_bytes()).map(|_| ()),
            Err(MasterKeyError::Form),
            "{content}"
        );
    }
    assert_eq!(
        MasterKey::from_bytes(&[0; 32]).map(|_| ()),
        Err(MasterKeyError::NotRandom)
    );
    assert_eq!(
        MasterKey::parse("00".repeat(32).as_bytes()).map(|_| ()),
        Err(MasterKeyError::NotRandom)
    );
    assert_eq!(MasterKeys::new(Vec::new()).map(|_| ()), Err(MasterKeyError::None));
    assert_eq!(
        MasterKeys::new(vec![key(1); 17]).map(|_| ()),
        Err(MasterKeyError::TooMany)
    );
    assert!(MasterKeys::new(vec![key(1); 16]).is_ok());
}

proptest! {
    #[test]
    fn parsing_never_panics(content in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = MasterKey::parse(&content).map(|_| ());
    }

    #[test]
    fn any_secret_round_trips(secret in proptest::collection::vec(any::<u8>(), 0..3000), context in ".*") {
        let master = keys(&[9]);
        let sealed = master.seal(&context, &secret, &Counting(AtomicU8::new(3)));
        prop_assert_eq!(&*master.open(&context, &sealed).expect("nothing was altered"), &secret);
    }
}
