//! Where a node says that the others reach it.

use rustls::pki_types::{IpAddr, ServerName};

/// What an address of a node must be.
const WANTED: &str = "must say where other nodes reach this one, host:port, such as 10.0.0.2:3902, [2001:db8::2]:3902 or node-2.example:3902";
const NOBODYS: &str = "names no address that other nodes could call";

/// Refuses, with the reason, what can't be the address of a node. Whether anybody listens there is another question.
pub fn check_address(address: &str) -> Result<(), &'static str> {
    let (host, port) = address.rsplit_once(':').ok_or(WANTED)?;
    let port: u16 = port.parse().map_err(|_| WANTED)?;
    if port == 0 {
        return Err(WANTED);
    }
    // Only in brackets is it clear where an IPv6 address ends (RFC 3986 section 3.2.2).
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match (bare, ServerName::try_from(bare.unwrap_or(host))) {
        (Some(_), Ok(ServerName::IpAddress(IpAddr::V6(ip)))) => require_somebody(ip.as_ref()),
        (None, Ok(ServerName::IpAddress(IpAddr::V4(ip)))) => require_somebody(ip.as_ref()),
        (None, Ok(ServerName::DnsName(_))) => Ok(()),
        _ => Err(WANTED),
    }
}

/// The address of no machine is all zeros (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2).
fn require_somebody(octets: &[u8]) -> Result<(), &'static str> {
    let is_nobodys = octets.iter().all(|octet| *octet == 0);
    if is_nobodys { Err(NOBODYS) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for right in [
            "10.0.0.2:3902",
            "[2001:db8::2]:1",
            "node-2.example:65535",
            "localhost:3902",
            "node_2:3902",
        ] {
            assert_eq!(check_address(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            ":",
            ":3902",
            "node-2",
            "node-2:",
            "node-2:0",
            "node-2:65536",
            "node-2:+1x",
            "http://node-2:3902",
            "a b:3902",
            "2001:db8::2:3902",
            "[2001:db8::2]",
            "[10.0.0.2]:3902",
            "[node-2]:3902",
            "a@b:3902",
            "node-2:3902/",
            "-:3902",
        ] {
            assert_eq!(check_address(wrong), Err(WANTED), "{wrong}");
        }
        for nobodys in ["0.0.0.0:3902", "[::]:3902"] {
            assert_eq!(check_address(nobodys), Err(NOBODYS));
        }
    }
}
