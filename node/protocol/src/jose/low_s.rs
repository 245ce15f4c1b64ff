//! ES256 signatures in their one form.
//!
//! With (r, s) the pair (r, n − s) is a signature of the same message (SEC 1 §4.1), so anybody who sees a token can write
//! it in a second way. RFC 7518 §3.4 lets a verifier take both; it lets a signer choose, too. We sign with the smaller of
//! the two and take no other for our own tokens, so that each of them has one text, as it has with the other algorithms:
//! whoever remembers a token by its text, here or at a resource server, remembers all of it.

/// A coordinate of a signature: big-endian, as RFC 7518 §3.4 writes it.
const BYTES: usize = 32;
/// The order of the group of P-256 (SEC 2 §2.4.2).
const ORDER: [u8; BYTES] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA,
    0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];
/// Its half, rounded down: the largest s that we write.
const LARGEST: [u8; BYTES] = [
    0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xDE, 0x73, 0x7D,
    0x56, 0xD3, 0x8B, 0xCF, 0x42, 0x79, 0xDC, 0xE5, 0x61, 0x7E, 0x31, 0x92, 0xA8,
];

/// Whether the signature is in the form that we write. What is no signature at all may be, too.
pub(crate) fn is_low(signature: &[u8]) -> bool {
    signature.get(BYTES..).is_some_and(|s| s <= LARGEST.as_slice())
}

/// Brings a signature that was just made into that form. Nothing in it is secret.
pub(crate) fn make_low(signature: &mut [u8]) {
    if !is_low(signature) {
        negate(&mut signature[BYTES..]);
    }
}

/// n − s.
pub(crate) fn negate(s: &mut [u8]) {
    let mut borrow = 0;
    for (digit, order) in s.iter_mut().zip(ORDER).rev() {
        let difference = i16::from(order) - i16::from(*digit) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).expect("what is left of a division by 256 is a byte");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_order_is_the_last_that_is_low() {
        let mut above = LARGEST;
        above[BYTES - 1] += 1;
        let signature = |s: [u8; BYTES]| [[1; BYTES], s].concat();
        assert!(is_low(&signature(LARGEST)) && !is_low(&signature(above)));
        // n is odd, so its two halves are LARGEST and one more.
        let mut made = signature(above);
        make_low(&mut made);
        assert_eq!(made, signature(LARGEST));
        make_low(&mut made);
        assert_eq!(made, signature(LARGEST), "what is low stays");
    }

    #[test]
    fn what_is_too_short_is_not_low() {
        assert!(!is_low(&[]) && !is_low(&[0; BYTES - 1]));
    }

    proptest::proptest! {
        #[test]
        fn negating_twice_changes_nothing_and_one_of_both_is_low(s: [u8; BYTES]) {
            proptest::prop_assume!(s < ORDER && s != [0; BYTES]);
            let mut negated = s;
            negate(&mut negated);
            proptest::prop_assert!((s <= LARGEST) != (negated <= LARGEST));
            negate(&mut negated);
            proptest::prop_assert_eq!(negated, s);
        }
    }
}
