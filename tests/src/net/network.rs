//! The networks of a cluster: one between the nodes, through a [`Switch`] that can be cut, slowed down and made lossy,
//! and one on which clients, PostgreSQL and Redis are, through a bridge. Each node has a namespace of its own with an
//! address on both.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::process::Command;

use super::conduct::Conduct;
use super::failure::Failure;
use super::ip::ip;
use super::names::{self, Names};
use super::random::Random;
use super::switch::Switch;

/// How many subnets are tried before we give up. Both networks lie in 198.18.0.0/15, which is for benchmarks (RFC 2544).
const SUBNETS_TRIED: u32 = 50;

/// Both networks. Everything is removed when dropped.
pub struct Network {
    names: Names,
    subnet: u8,
    switch: Switch,
    nodes: BTreeSet<u64>,
}

impl Network {
    /// Makes the bridge and the switch.
    pub fn make(random: Random) -> Result<Self, Failure> {
        names::remove_left_overs();
        let network = Self {
            names: Names::of_this_process(),
            subnet: free_subnet()?,
            switch: Switch::start(random)?,
            nodes: BTreeSet::new(),
        };
        let bridge = network.names.bridge();
        ip(&format!("link add {bridge} type bridge"))?;
        ip(&format!("address add {}/24 dev {bridge}", network.gateway()))?;
        ip(&format!("link set {bridge} up"))?;
        Ok(network)
    }

    /// This machine's address on the clients' network.
    pub fn gateway(&self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.subnet, 1)
    }

    /// Where clients reach a node.
    pub fn client_side(&self, node_id: u64) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.subnet, host(node_id))
    }

    /// Where other nodes reach a node.
    pub fn peer_side(&self, node_id: u64) -> Ipv4Addr {
        Ipv4Addr::new(198, 19, self.subnet, host(node_id))
    }

    /// Makes a node's namespace and its two links.
    pub fn add_node(&mut self, node_id: u64) -> Result<(), Failure> {
        let (namespace, link, wire) = (
            self.names.namespace(node_id),
            self.names.link(node_id),
            self.names.wire(node_id),
        );
        self.nodes.insert(node_id);
        ip(&format!("netns add {namespace}"))?;
        let inside = |words: &str| ip(&format!("-n {namespace} {words}"));
        inside("link set lo up")?;
        ip(&format!(
            "link add {link} type veth peer name clients netns {namespace}"
        ))?;
        ip(&format!("link set {link} master {} up", self.names.bridge()))?;
        inside(&format!("address add {}/24 dev clients", self.client_side(node_id)))?;
        inside("link set clients up")?;
        self.switch.add_port(node_id, &wire)?;
        ip(&format!("link set {wire} netns {namespace}"))?;
        inside(&format!("address add {}/24 dev {wire}", self.peer_side(node_id)))?;
        inside(&format!("link set {wire} up")).map(drop)
    }

    /// A program that will run where a node is.
    pub fn command_at(&self, node_id: u64, program: &std::path::Path) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.names.namespace(node_id)])
            .arg(program);
        command
    }

    /// How frames get from each of these nodes to each of those from now on.
    pub fn set(&self, from: &BTreeSet<u64>, to: &BTreeSet<u64>, conduct: Conduct) {
        for from in from {
            for to in to.iter().filter(|to| *to != from) {
                self.switch.set(*from, *to, conduct);
            }
        }
    }

    /// Both ways.
    pub fn set_between(&self, some: &BTreeSet<u64>, others: &BTreeSet<u64>, conduct: Conduct) {
        self.set(some, others, conduct);
        self.set(others, some, conduct);
    }

    /// Everything gets through again.
    pub fn heal(&self) {
        self.switch.heal();
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for node_id in &self.nodes {
            names::remove_namespace(&self.names.namespace(*node_id));
            let _ = ip(&format!("link delete {}", self.names.link(*node_id)));
        }
        let _ = ip(&format!("link delete {}", self.names.bridge()));
    }
}

fn host(node_id: u64) -> u8 {
    u8::try_from(node_id + 10).expect("a run has fewer than 245 nodes")
}

/// A subnet in which this machine has no address.
fn free_subnet() -> Result<u8, Failure> {
    let taken = ip("-o -4 address show")?;
    let first = std::process::id();
    let mut candidates = (first..first.saturating_add(SUBNETS_TRIED)).map(|number| u8::try_from(number % 250));
    let free = candidates.find(|number| number.is_ok_and(|number| !taken.contains(&format!(" 198.18.{number}."))));
    free.transpose().ok().flatten().ok_or_else(|| {
        Failure::new("every subnet of 198.18.0.0/16 that was tried is in use; remove what other runs have left behind")
    })
}
