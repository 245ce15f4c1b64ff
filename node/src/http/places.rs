//! Which addresses have how many connections: none may take every place of a listener, or all memory for requests.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use domain::network_of;

use super::client_address;
use super::request_memory::RequestMemory;

/// The places of one listener.
pub struct Places {
    per_address_max: u32,
    trusted_proxies: Vec<IpAddr>,
    memory: RequestMemory,
    shares: Mutex<HashMap<IpAddr, Share>>,
}

/// What one address has.
struct Share {
    connections: u32,
    memory: RequestMemory,
}

impl Places {
    /// With so many for each address, out of one budget of memory. Proxies that are trusted stand for many clients, and
    /// have as many as they need.
    pub fn new(per_address_max: u32, trusted_proxies: Vec<IpAddr>, memory: RequestMemory) -> Arc<Self> {
        Arc::new(Self {
            per_address_max,
            trusted_proxies,
            memory,
            shares: Mutex::default(),
        })
    }

    /// A place for a connection; `None` if its address has all that it may have.
    pub fn take(self: &Arc<Self>, peer: SocketAddr) -> Option<Place> {
        let place = |shared_by, memory| Place {
            peer,
            memory,
            shared_by,
            places: self.clone(),
        };
        if client_address::is_trusted(peer.ip(), &self.trusted_proxies) {
            return Some(place(None, self.memory.clone()));
        }
        let address = network_of(peer.ip());
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(address).or_insert_with(|| Share {
            connections: 0,
            memory: self.memory.share(),
        });
        if share.connections >= self.per_address_max {
            return None;
        }
        share.connections += 1;
        Some(place(Some(address), share.memory.clone()))
    }

    fn leave(&self, address: IpAddr) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get_mut(&address) {
            share.connections -= 1;
            if share.connections == 0 {
                shares.remove(&address);
            }
        }
    }
}

/// One connection's place; free again when this is dropped.
pub struct Place {
    /// Who is at the other end.
    pub peer: SocketAddr,
    /// What its requests may hold.
    pub memory: RequestMemory,
    shared_by: Option<IpAddr>,
    places: Arc<Places>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(address) = self.shared_by {
            self.places.leave(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(trusted: &[&str]) -> Arc<Places> {
        let trusted = trusted.iter().map(|text| text.parse().expect("an address")).collect();
        Places::new(2, trusted, RequestMemory::of_node())
    }

    fn at(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().expect("an address"), 1)
    }

    #[test]
    fn an_address_has_its_share_and_takes_none_from_others() {
        let places = places(&[]);
        let (one, _two) = (places.take(at("192.0.2.1")), places.take(at("::ffff:192.0.2.1")));
        assert!(places.take(at("192.0.2.1")).is_none(), "both were one address");
        assert!(places.take(at("192.0.2.2")).is_some());
        drop(one);
        assert!(places.take(at("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_over_ipv6_is_one_address() {
        let places = places(&[]);
        let _held = [places.take(at("2001:db8::1")), places.take(at("2001:db8::ffff:2"))];
        assert!(places.take(at("2001:db8::3")).is_none());
        assert!(places.take(at("2001:db8:0:1::3")).is_some());
    }

    #[test]
    fn a_trusted_proxy_has_as_many_as_it_needs() {
        let places = places(&["192.0.2.1"]);
        let held: Vec<_> = (0..10).map_while(|_| places.take(at("192.0.2.1"))).collect();
        assert_eq!(held.len(), 10);
    }

    #[test]
    fn an_address_that_has_left_is_forgotten() {
        let places = places(&[]);
        drop(places.take(at("192.0.2.1")));
        assert!(places.shares.lock().expect("no panic before").is_empty());
    }

    #[test]
    fn the_connections_of_an_address_hold_no_more_bytes_than_its_share() {
        let places = places(&[]);
        let held = [places.take(at("192.0.2.1")), places.take(at("192.0.2.1"))].map(|place| place.expect("a place"));
        let budgets = |place: &Place| [place.memory.heads.clone(), place.memory.bodies.clone()];
        let other = places.take(at("192.0.2.2")).expect("a place");
        for ((one, two), elsewhere) in budgets(&held[0]).iter().zip(budgets(&held[1])).zip(budgets(&other)) {
            let mut taken = one.reservation();
            while taken.grow(1 << 20) {}
            assert!(!two.reservation().grow(1 << 20));
            assert!(elsewhere.reservation().grow(1 << 20));
        }
    }
}
