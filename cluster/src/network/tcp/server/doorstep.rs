//! Connections that have not said hello yet. There is room for so many; a stranger who takes all of it keeps nobody out.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use domain::network_of;
use tokio::sync::oneshot;

use crate::lock::lock;

/// All who wait.
pub(super) struct Doorstep {
    room: usize,
    crowd: Mutex<Crowd>,
}

#[derive(Default)]
struct Crowd {
    next: u64,
    /// In the order in which they came: from where, and how each is sent away, which is by dropping this.
    waiting: BTreeMap<u64, (IpAddr, oneshot::Sender<()>)>,
}

impl Doorstep {
    pub(super) fn new(room: usize) -> Arc<Self> {
        let crowd = Mutex::default();
        Arc::new(Self { room, crowd })
    }

    /// Somebody comes. Where there is no room, the address that has most loses the one that has waited longest: so one address
    /// only ever shortens its own time, and who comes from many gains no more than the newcomer's chance.
    pub(super) fn come(self: &Arc<Self>, from: IpAddr) -> Waiting {
        let (sender, sent_away) = oneshot::channel();
        let mut crowd = lock(&self.crowd);
        let number = crowd.next;
        crowd.next += 1;
        crowd.waiting.insert(number, (network_of(from), sender));
        if crowd.waiting.len() > self.room {
            let victim = crowd.oldest_of_the_most();
            crowd.waiting.remove(&victim);
        }
        Waiting {
            doorstep: self.clone(),
            number,
            sent_away,
        }
    }
}

impl Crowd {
    fn oldest_of_the_most(&self) -> u64 {
        // How many each has, and its oldest; the older one wins where two have as many.
        let mut shares: BTreeMap<IpAddr, (usize, u64)> = BTreeMap::new();
        for (number, (from, _)) in &self.waiting {
            shares.entry(*from).or_insert((0, *number)).0 += 1;
        }
        let most = shares
            .values()
            .max_by_key(|(count, oldest)| (*count, u64::MAX - oldest));
        most.map_or(0, |(_, oldest)| *oldest)
    }
}

/// One of them; makes room when it is dropped.
pub(super) struct Waiting {
    doorstep: Arc<Doorstep>,
    number: u64,
    sent_away: oneshot::Receiver<()>,
}

impl Waiting {
    /// Returns when it is to give its room to another.
    pub(super) async fn sent_away(&mut self) {
        // Nothing is ever sent: the sender is dropped.
        let _ = (&mut self.sent_away).await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.doorstep.crowd).waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sent_away(waiting: &mut Waiting) -> bool {
        matches!(waiting.sent_away.try_recv(), Err(oneshot::error::TryRecvError::Closed))
    }

    #[test]
    fn whoever_has_most_makes_room() {
        let at = |address: &str| address.parse().expect("an address");
        let doorstep = Doorstep::new(3);
        let mut modest = doorstep.come(at("192.0.2.1"));
        let mut greedy = [doorstep.come(at("2001:db8::1")), doorstep.come(at("2001:db8::2"))];
        let mut later = doorstep.come(at("192.0.2.2"));
        assert!(
            is_sent_away(&mut greedy[0]),
            "the older one of the network that has two"
        );
        assert!(!is_sent_away(&mut greedy[1]) && !is_sent_away(&mut modest) && !is_sent_away(&mut later));
        drop(later);
        let mut again = doorstep.come(at("2001:db8::3"));
        assert!(
            !is_sent_away(&mut greedy[1]) && !is_sent_away(&mut again),
            "there was room"
        );
    }

    #[test]
    fn among_equals_the_oldest_makes_room() {
        let doorstep = Doorstep::new(2);
        let mut all: Vec<_> = (1..=3).map(|last| doorstep.come([192, 0, 2, last].into())).collect();
        let away: Vec<_> = all.iter_mut().map(is_sent_away).collect();
        assert_eq!(away, [true, false, false]);
    }
}
