//! Whose address a request has when proxies stand before the node (`X-Forwarded-For`).
//!
//! Each proxy adds the address of whoever called it at the right end, after whatever the caller wrote there itself. So
//! the list is read from the right, and no further than proxies that are trusted vouch for it.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

/// The address of the last hop that no trusted proxy is. A hop that can't be read ends the search at the proxy that
/// added it: what stands left of it may be the caller's own invention.
pub fn of(peer: IpAddr, trusted: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    let lists = headers.get_all("x-forwarded-for").iter().rev();
    // A list that is no text is a hop that can't be read.
    let mut hops = lists.flat_map(|list| list.to_str().unwrap_or("?").rsplit(','));
    let mut address = peer.to_canonical();
    while is_trusted(address, trusted) {
        match hops.next().and_then(parse) {
            Some(hop) => address = hop,
            None => break,
        }
    }
    address
}

/// Whether an address is a trusted proxy's.
pub fn is_trusted(address: IpAddr, trusted: &[IpAddr]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|proxy| proxy.to_canonical() == address)
}

/// An address, with the port that some proxies add, in one form however it is written.
fn parse(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let with_port = || hop.parse().map(|hop: SocketAddr| hop.ip());
    let address = bare.parse().or_else(|_| with_port()).ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn seen(peer: &str, trusted: &[&str], lists: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append("x-forwarded-for", HeaderValue::from_bytes(list).expect("a value"));
        }
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| address(text)).collect();
        of(address(peer), &trusted, &headers).to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        assert_eq!(seen("192.0.2.9", &[], &[b"203.0.113.7"]), "192.0.2.9");
        assert_eq!(seen("192.0.2.9", &[PROXY], &[b"203.0.113.7, 10.0.0.1"]), "192.0.2.9");
    }

    #[test]
    fn the_last_address_that_no_trusted_proxy_has_is_taken() {
        let trusted = [PROXY, "10.0.0.2"];
        assert_eq!(seen(PROXY, &trusted, &[]), PROXY);
        assert_eq!(seen(PROXY, &trusted, &[b"203.0.113.7"]), "203.0.113.7");
        assert_eq!(
            seen(PROXY, &trusted, &[b"1.1.1.1, 203.0.113.7,10.0.0.2"]),
            "203.0.113.7"
        );
        assert_eq!(seen(PROXY, &trusted, &[b"10.0.0.1, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(seen(PROXY, &trusted, &[b"10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn several_headers_are_one_list() {
        let lists: [&[u8]; 2] = [b"1.1.1.1", b"203.0.113.7, 10.0.0.2"];
        assert_eq!(seen(PROXY, &[PROXY, "10.0.0.2"], &lists), "203.0.113.7");
        assert_eq!(
            seen(PROXY, &[PROXY, "10.0.0.2"], &[b"203.0.113.7", b"10.0.0.2"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn an_address_counts_however_it_is_written() {
        for (hop, address) in [
            ("203.0.113.7:51234", "203.0.113.7"),
            (" 203.0.113.7 ", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
        ] {
            assert_eq!(seen(PROXY, &[PROXY], &[hop.as_bytes()]), address, "{hop}");
        }
        let mapped = [&b"203.0.113.7, ::ffff:10.0.0.2"[..]];
        assert_eq!(
            seen("::ffff:10.0.0.1", &[PROXY, "::ffff:10.0.0.2"], &mapped),
            "203.0.113.7"
        );
    }

    #[test]
    fn nothing_left_of_what_can_not_be_read_is_believed() {
        for unreadable in [
            "unknown",
            "_hidden",
            "",
            "203.0.113",
            "203.0.113.7:x",
            "[2001:db8::7",
            "\u{e9}",
        ] {
            let list = format!("1.1.1.1, {unreadable}");
            assert_eq!(seen(PROXY, &[PROXY], &[list.as_bytes()]), PROXY, "{unreadable}");
            let behind_another = format!("1.1.1.1, {unreadable}, 10.0.0.2");
            assert_eq!(
                seen(PROXY, &[PROXY, "10.0.0.2"], &[behind_another.as_bytes()]),
                expected(unreadable),
                "{unreadable}"
            );
        }
    }

    /// A list that is no text is unreadable as a whole.
    fn expected(unreadable: &str) -> &'static str {
        if unreadable.is_ascii() { "10.0.0.2" } else { PROXY }
    }

    proptest! {
        #[test]
        fn what_the_caller_writes_changes_nothing(forged in "[ -~]{0,60}") {
            let list = format!("{forged}, 203.0.113.7");
            prop_assert_eq!(seen(PROXY, &[PROXY], &[list.as_bytes()]), "203.0.113.7");
        }
    }
}
