//! What an operator does to machines.

use super::World;

impl World {
    /// The operator turns to a node, so that nothing else befalls it meanwhile, or is done.
    pub fn operate_at(&self, node: Option<u64>) {
        self.operated.set(node);
    }

    /// Which node the operator works at. There is one operator, who does one thing at a time.
    pub fn operated(&self) -> Option<u64> {
        self.operated.get()
    }

    /// Has a process that has ended stay away until somebody starts it.
    pub fn leave_down(&self, node: u64) {
        if let Some(host) = self.hosts.get(&node) {
            host.restart_at.set(None);
        }
    }

    /// Removes everything in the data directory of a node that does not run.
    pub fn wipe(&self, node: u64) {
        let host = self.hosts.get(&node);
        if let Some(host) = host.filter(|host| host.process.borrow().is_none()) {
            self.note(format_args!("the data directory of node {node} is emptied"));
            host.disk.wipe();
            self.watch.wiped(node);
        }
    }
}
