//! What counts as one address where addresses are held to limits.

use std::net::{IpAddr, Ipv6Addr};

/// The network of one customer over IPv6 (RFC 6177).
const IPV6_NETWORK: u128 = u128::MAX << 64;

/// The address, or over IPv6 the network, that all of somebody's connections come from: whoever has one address of an IPv6
/// network has all of them. IPv4 in IPv6 (RFC 4291 section 2.5.5.2) is IPv4.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK).into(),
        address => address,
    }
}
