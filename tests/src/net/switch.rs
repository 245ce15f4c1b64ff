//! The network between the nodes: an Ethernet switch in this process, at whose ports the nodes' own kernels speak TCP.
//!
//! `tc netem` would do the same, but it is a module that many kernels lack, and a suite that is skipped on them proves
//! nothing there. Each node's namespace has a TAP device whose other end is here, so that every frame between two nodes
//! passes a [`Conduct`] and is carried, delayed or lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};
use tun_rs::{AsyncDevice, DeviceBuilder, Layer};

use super::conduct::Conduct;
use super::failure::Failure;
use super::random::Random;

/// No frame is longer: an Ethernet header and what it carries.
const FRAME_MAX: usize = 2_048;
/// How many frames may be under way in one direction; as on a real wire, more are lost.
const UNDER_WAY_MAX: usize = 4_096;

/// A direction, from one port to another. A port has the number of its node.
type Direction = (u64, u64);

/// The switch. Its ports are gone when it is dropped.
pub struct Switch {
    shared: Arc<Shared>,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    wires: Mutex<Wires>,
}

struct Wires {
    conducts: BTreeMap<Direction, Conduct>,
    ports: BTreeMap<u64, Arc<Port>>,
    random: Random,
}

/// Frames with the moments at which they arrive.
type Queue = VecDeque<(Instant, Vec<u8>)>;

/// A node's end of the switch, and what is under way to it.
struct Port {
    device: AsyncDevice,
    /// By their senders.
    arriving: Mutex<BTreeMap<u64, Queue>>,
    has_more: Notify,
}

impl Switch {
    /// One without ports, in a thread of its own, so that a busy workload does not slow the network down.
    pub fn start(random: Random) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("switch".to_owned()).spawn(move || {
            let _ = runtime.block_on(stopped);
        })?;
        let wires = Wires {
            conducts: BTreeMap::new(),
            ports: BTreeMap::new(),
            random,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                wires: Mutex::new(wires),
            }),
            runtime: handle,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Adds the port of a node: a device of this name, which the caller moves into the node's namespace.
    pub fn add_port(&self, node_id: u64, device_name: &str) -> Result<(), Failure> {
        let within = self.runtime.enter();
        let device = DeviceBuilder::new()
            .name(device_name)
            .layer(Layer::L2)
            .mac_addr(mac_of(node_id))
            .enable(false)
            .build_async()
            .map_err(|error| Failure::new(format!("a TAP device could not be made: {error}")))?;
        drop(within);
        let port = Arc::new(Port {
            device,
            arriving: Mutex::default(),
            has_more: Notify::new(),
        });
        lock(&self.shared.wires).ports.insert(node_id, port.clone());
        self.runtime.spawn(listen(self.shared.clone(), port.clone(), node_id));
        self.runtime.spawn(deliver(port));
        Ok(())
    }

    /// How one node's frames get to another from now on.
    pub fn set(&self, from: u64, to: u64, conduct: Conduct) {
        lock(&self.shared.wires).conducts.insert((from, to), conduct);
    }

    /// Everything gets through again.
    pub fn heal(&self) {
        lock(&self.shared.wires).conducts.clear();
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Where a frame goes, and when it arrives there.
    fn routes(&self, from: u64, frame: &[u8]) -> Vec<(Arc<Port>, Duration)> {
        let mut wires = lock(&self.wires);
        let wires = &mut *wires;
        let wanted = destination(frame);
        let others = wires
            .ports
            .iter()
            .filter(|(to, _)| **to != from && wanted.is_none_or(|wanted| wanted == **to));
        others
            .flat_map(|(to, port)| {
                let conduct = wires.conducts.get(&(from, *to)).copied().unwrap_or_default();
                let fates = [conduct.fate(&mut wires.random), conduct.fate_of_copy(&mut wires.random)];
                fates.into_iter().flatten().map(|delay| (port.clone(), delay))
            })
            .collect()
    }
}

async fn listen(shared: Arc<Shared>, port: Arc<Port>, from: u64) {
    let mut frame = vec![0; FRAME_MAX];
    // It ends with the runtime, or when the device is gone.
    while let Ok(length) = port.device.recv(&mut frame).await {
        let frame = &frame[..length];
        for (to, delay) in shared.routes(from, frame) {
            to.carry(from, Instant::now() + delay, frame);
        }
    }
}

impl Port {
    fn carry(&self, from: u64, at: Instant, frame: &[u8]) {
        let mut arriving = lock(&self.arriving);
        let queue = arriving.entry(from).or_default();
        if queue.len() < UNDER_WAY_MAX {
            // Frames of one sender stay in order, as they do on a wire.
            let at = queue.back().map_or(at, |(last, _)| at.max(*last));
            queue.push_back((at, frame.to_owned()));
            self.has_more.notify_one();
        }
    }

    /// A frame that has arrived, or the moment when the next one will.
    fn next(&self, now: Instant) -> Result<Vec<u8>, Option<Instant>> {
        let mut arriving = lock(&self.arriving);
        let heads = arriving
            .iter()
            .filter_map(|(from, queue)| Some((queue.front()?.0, *from)));
        let Some((at, from)) = heads.min() else {
            return Err(None);
        };
        if at > now {
            return Err(Some(at));
        }
        let head = arriving.get_mut(&from).and_then(VecDeque::pop_front);
        head.map(|(_, frame)| frame).ok_or(None)
    }
}

async fn deliver(port: Arc<Port>) {
    loop {
        match port.next(Instant::now()) {
            // A device that is down takes nothing; then the frame is lost.
            Ok(frame) => drop(port.device.send(&frame).await),
            Err(Some(at)) => tokio::select! {
                () = sleep_until(at) => {}
                () = port.has_more.notified() => {}
            },
            Err(None) => port.has_more.notified().await,
        }
    }
}

/// The address of a node's device, which tells the switch who it is.
fn mac_of(node_id: u64) -> [u8; 6] {
    let [.., high, low] = node_id.to_be_bytes();
    [0x02, 0x61, 0x69, 0x64, high, low]
}

/// The node that a frame is for; `None` if it is for all.
fn destination(frame: &[u8]) -> Option<u64> {
    match frame.get(..6)? {
        [0x02, 0x61, 0x69, 0x64, high, low] => Some(u64::from(*high) << 8 | u64::from(*low)),
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_tells_whom_it_is_for() {
        for node_id in [1, 9, 300] {
            assert_eq!(destination(&mac_of(node_id)), Some(node_id));
        }
        assert_eq!(destination(&[0xFF; 14]), None, "a broadcast");
        assert_eq!(destination(&[]), None);
    }
}
