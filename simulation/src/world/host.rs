//! A machine: what it keeps when its process ends, and the process.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use super::disk::Disk;
use super::node_settings::NodeSettings;
use super::power::Power;
use super::process::{Ended, Process};
use super::time::MachineClock;

/// Something that is done with a process when it goes on.
type Work = Box<dyn FnOnce(&Process)>;

/// A machine that a node runs on.
pub struct Host {
    /// The node's number.
    pub node_id: u64,
    /// Its clocks.
    pub clock: MachineClock,
    /// Its disk.
    pub disk: Disk,
    /// Its power.
    pub power: Power,
    /// The node, while it runs.
    pub(super) process: RefCell<Option<Process>>,
    /// How often it was started.
    pub(super) starts: Cell<u64>,
    /// How many ticks the machine takes the present one for.
    pub(super) ticks: Cell<u64>,
    /// Since when by the monotonic clock the process does nothing, if somebody stopped it.
    pub(super) paused_at: Cell<Option<Duration>>,
    /// What has arrived since.
    pub(super) backlog: RefCell<VecDeque<Work>>,
    /// How the last process ended, if none runs.
    pub(super) ended: RefCell<Option<Ended>>,
    /// What the operator has written into the node's configuration; in force from the next start on.
    pub settings: Cell<NodeSettings>,
    /// When a process that has ended is started again, if whoever watches over it wants that.
    pub(super) restart_at: Cell<Option<Duration>>,
}

impl Host {
    /// One that is switched on, and runs nothing yet.
    pub fn new(node_id: u64, clock: MachineClock, settings: NodeSettings) -> Self {
        Self {
            node_id,
            clock,
            disk: Disk::default(),
            power: Power::on(),
            process: RefCell::default(),
            starts: Cell::default(),
            ticks: Cell::default(),
            paused_at: Cell::default(),
            backlog: RefCell::default(),
            ended: RefCell::default(),
            settings: Cell::new(settings),
            restart_at: Cell::default(),
        }
    }

    /// Hands something to the process: at once, or when it goes on. False if there is none.
    pub(super) fn hand(&self, work: impl FnOnce(&Process) + 'static) -> bool {
        let process = self.process.borrow();
        let Some(process) = process.as_ref() else {
            return false;
        };
        if self.paused_at.get().is_some() {
            self.backlog.borrow_mut().push_back(Box::new(work));
        } else {
            work(process);
        }
        true
    }

    /// Whether there is a process, of which this holds.
    pub(super) fn has_process_that(&self, holds: impl FnOnce(&Process) -> bool) -> bool {
        self.process.borrow().as_ref().is_some_and(holds)
    }

    /// How the last process ended, if none runs.
    pub fn ended(&self) -> Option<Ended> {
        self.ended.borrow().clone()
    }

    /// Whether a process is there and goes on.
    pub fn is_running(&self) -> bool {
        self.process.borrow().is_some() && self.paused_at.get().is_none()
    }
}
