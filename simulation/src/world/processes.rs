//! How processes begin, go on, stop and end.

use std::sync::Arc;
use std::time::Duration;

use cluster::Founding;
use domain::ports::{Clock as _, Entropy};
use node::app::Machine;

use super::World;
use super::entropy::SeededEntropy;
use super::host::Host;
use super::keys::SeededKeyMaker;
use super::process::{Ended, Parts, Process};
use super::watch::Moved;

/// After how long a process that ended with an error is started again.
const RESTART_AFTER: Duration = Duration::from_secs(1);

impl World {
    /// One tick of a machine.
    pub(super) fn run(&self, host: &Host) {
        if host.restart_at.get().is_some_and(|at| at <= self.now()) {
            host.restart_at.set(None);
            self.start(host.node_id, Founding::Join);
        }
        if host.paused_at.get().is_some() {
            return;
        }
        let ended = {
            let process = host.process.borrow();
            let Some(process) = process.as_ref() else { return };
            (0..host.ticks.get()).for_each(|_| process.tick());
            process.ended()
        };
        if let Some(ended) = ended {
            self.note(format_args!("node {} ended: {ended:?}", host.node_id));
            let restart_at = (ended != Ended::Well).then(|| self.now() + RESTART_AFTER);
            self.end(host, ended);
            host.restart_at.set(restart_at);
        }
    }

    /// Starts a node's process, unless it runs.
    pub fn start(&self, node: u64, founding: Founding) {
        let host = self.hosts.get(&node).filter(|host| host.process.borrow().is_none());
        let Some(host) = host else { return };
        let start = host.starts.get() + 1;
        host.starts.set(start);
        host.restart_at.set(None);
        host.ended.replace(None);
        host.power.set(true);
        self.note(format_args!("node {node} starts for the {start}. time"));
        self.watch.moved(self.now(), node, Moved::Started);
        let mut random = self.random.branch(1_000 * node + start);
        let seed = random.draw();
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(random));
        let machine = Machine {
            clock: Arc::new(host.clock.clone()),
            key_maker: Arc::new(SeededKeyMaker::new(entropy.clone(), self.taken_keys.clone())),
            entropy,
        };
        let parts = Parts {
            node_id: node,
            machine,
            stores: self.database.stores(),
            network: self.network.clone(),
            files: host.disk.mount(),
            founding,
            seed,
            settings: host.settings.get(),
        };
        match Process::start(parts) {
            Ok(process) => drop(host.process.replace(Some(process))),
            Err(error) => self.watch.breach(
                self.now(),
                "world",
                format!("node {node} could not be started: {error}"),
            ),
        }
    }

    /// Ends a process without warning; its machine goes on, and tells whoever waits for an answer of it.
    pub fn kill(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            self.watch.look_at(self, host);
            self.note(format_args!("node {node} is killed"));
            self.end(host, Ended::Killed);
        }
    }

    /// Takes a machine's power away.
    pub fn cut_power(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            self.watch.look_at(self, host);
            self.note(format_args!("node {node} loses power"));
            host.power.set(false);
            self.end(host, Ended::Killed);
            let start = host.starts.get();
            host.disk
                .lose_power(&mut self.random.branch(1_000 * node + start).branch(1));
        }
    }

    fn end(&self, host: &Host, ended: Ended) {
        self.watch.moved(self.now(), host.node_id, Moved::Down);
        host.paused_at.set(None);
        host.restart_at.set(None);
        host.backlog.borrow_mut().clear();
        // What is dropped now must not get the chance to end well.
        host.disk.process_ends();
        drop(host.process.replace(None));
        host.ended.replace(Some(ended));
    }

    /// Asks a process to stop.
    pub fn stop(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            self.note(format_args!("node {node} is asked to stop"));
            if let Some(process) = host.process.borrow_mut().as_mut() {
                process.stop();
            }
        }
    }

    /// Makes a process do nothing.
    pub fn pause(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node).filter(|host| host.is_running()) {
            self.note(format_args!("node {node} is paused"));
            self.watch.moved(self.now(), node, Moved::Paused);
            host.paused_at.set(Some(host.clock.monotonic()));
        }
    }

    /// Lets it go on.
    pub fn resume(&self, node: u64) {
        let Some(host) = self.hosts.get(&node) else { return };
        let Some(paused_at) = host.paused_at.take() else { return };
        self.note(format_args!("node {node} goes on"));
        let process = host.process.borrow();
        let Some(process) = process.as_ref() else { return };
        // Timers know whole ticks only.
        let slept_ms = (host.clock.monotonic() - paused_at).as_millis();
        process.skip(Duration::from_millis(u64::try_from(slept_ms).unwrap_or(u64::MAX)));
        for work in host.backlog.borrow_mut().drain(..) {
            work(process);
        }
    }
}
