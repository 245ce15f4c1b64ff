//! The network: parcels that are under way, and how each direction between two places treats them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::time::TrueTime;
use super::trace::{Message, Trace};
use crate::conduct::Conduct;
use crate::lock::lock;
use crate::random::Random;

/// Somewhere on the network: a node, or the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Where all clients are.
    Clients,
    /// A node's machine.
    Node(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Clients => formatter.write_str("clients"),
            Self::Node(node) => write!(formatter, "node {node}"),
        }
    }
}

/// What is done with a parcel where it arrives.
pub type Opened = Box<dyn FnOnce(&super::World) + Send>;

struct Parcel {
    at: Duration,
    number: u64,
    open: Opened,
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Parcel {}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// The network. Copies are the same one.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    time: TrueTime,
    trace: Trace,
    state: Mutex<State>,
}

struct State {
    under_way: BinaryHeap<Reverse<Parcel>>,
    number: u64,
    usual: Conduct,
    /// What lies upon directions beside what is usual, each under a number of its own.
    troubles: BTreeMap<u64, ((Place, Place), Conduct)>,
    random: Random,
}

impl Network {
    /// On which every direction is as usual.
    pub fn new(time: TrueTime, trace: Trace, usual: Conduct, random: Random) -> Self {
        Self(Arc::new(Inner {
            time,
            trace,
            state: Mutex::new(State {
                under_way: BinaryHeap::new(),
                number: 0,
                usual,
                troubles: BTreeMap::new(),
                random,
            }),
        }))
    }

    /// Sends a parcel on its way; it may be lost, or come late.
    pub fn send(&self, way: (Place, Place), what: &str, open: impl FnOnce(&super::World) + Send + 'static) {
        let mut state = self.lock();
        let fate = state.conduct(way).fate(&mut state.random);
        self.post(&mut state, (way, what), (fate, Box::new(open)));
    }

    /// The same of a parcel that can be copied: it may also come twice.
    pub fn send_with_copy(
        &self,
        way: (Place, Place),
        what: &str,
        open: impl FnOnce(&super::World) + Send + 'static,
        copy: impl FnOnce(&super::World) + Send + 'static,
    ) {
        self.send(way, what, open);
        let mut state = self.lock();
        let fate = state.conduct(way).fate_of_copy(&mut state.random);
        if fate.is_some() {
            let what = format!("copy of {what}");
            self.post(&mut state, (way, &what), (fate, Box::new(copy)));
        }
    }

    fn post(&self, state: &mut State, (way, what): ((Place, Place), &str), (fate, open): (Option<Duration>, Opened)) {
        state.number += 1;
        let (number, now) = (state.number, self.0.time.now());
        let arrives = fate.map(|late| now + late);
        let message = Message {
            way,
            what: what.to_owned(),
            sent: now,
            arrives,
        };
        self.0.trace.sent(message, number);
        let Some(at) = arrives else { return };
        state.under_way.push(Reverse(Parcel { at, number, open }));
    }

    /// What has arrived by now, in order.
    pub fn arrived(&self) -> Vec<Opened> {
        let mut state = self.lock();
        let (now, mut arrived) = (self.0.time.now(), Vec::new());
        while state.under_way.peek().is_some_and(|Reverse(parcel)| parcel.at <= now) {
            if let Some(Reverse(parcel)) = state.under_way.pop() {
                arrived.push(parcel.open);
            }
        }
        arrived
    }

    /// Everything that lies upon a direction, together.
    pub fn conduct(&self, direction: (Place, Place)) -> Conduct {
        self.lock().conduct(direction)
    }

    /// Makes a direction worse, whatever else lies upon it. Answers the number by which that is lifted again.
    pub fn trouble(&self, from: Place, to: Place, conduct: Conduct) -> u64 {
        let mut state = self.lock();
        state.number += 1;
        let number = state.number;
        state.troubles.insert(number, ((from, to), conduct));
        number
    }

    /// Lifts a trouble.
    pub fn lift(&self, number: u64) {
        self.lock().troubles.remove(&number);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

impl State {
    /// Everything that lies upon a direction, together.
    fn conduct(&self, direction: (Place, Place)) -> Conduct {
        let troubles = self.troubles.values().filter(|(upon, _)| *upon == direction);
        troubles.fold(self.usual, |sum, (_, trouble)| sum.with(trouble))
    }
}
