//! Makes a failing run smaller: leaves out clients and faults, for as long as the same promise is broken.

use crate::run::{Options, Outcome, run};
use crate::workload;

/// How many runs it may take.
const RUNS_MAX: usize = 200;

/// What may be left out of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Clients(workload::Kind),
    Fault(usize),
}

impl Part {
    fn leave_out(self, options: &mut Options) {
        match self {
            Self::Clients(kind) => options.plan.without_clients.push(kind),
            Self::Fault(number) => options.plan.faults.retain(|fault| fault.number != number),
        }
    }

    fn name(self, outcome: &Outcome) -> String {
        match self {
            Self::Clients(kind) => format!("{kind:?} clients").to_lowercase(),
            Self::Fault(number) => {
                let fault = outcome.plan.faults.iter().find(|fault| fault.number == number);
                format!("fault {number} {}", fault.map_or("", |fault| fault.kind.name()))
            }
        }
    }
}

/// The smallest run that was found to break what `outcome` broke first, and what came of it. `tell` hears of each step.
pub fn shrink(options: &Options, outcome: Outcome, tell: impl Fn(&str)) -> (Options, Outcome) {
    let Some(invariant) = outcome.broken.first().map(|(invariant, _)| invariant.clone()) else {
        return (options.clone(), outcome);
    };
    let (mut options, mut outcome) = (options.clone(), outcome);
    let clients = workload::Kind::ALL
        .iter()
        .filter(|kind| !options.plan.without_clients.contains(kind));
    // Faults first, the latest before the others: what came after the failure can't have caused it.
    let candidates = (clients.map(|kind| Part::Clients(*kind)))
        .chain(options.plan.faults.iter().map(|fault| Part::Fault(fault.number)));
    let mut candidates: Vec<Part> = candidates.collect();
    for _ in 0..RUNS_MAX {
        let Some(part) = candidates.pop() else { break };
        let mut smaller = options.clone();
        part.leave_out(&mut smaller);
        let name = part.name(&outcome);
        match run(&smaller) {
            Ok(found) if found.broken.iter().any(|(broken, _)| *broken == invariant) => {
                tell(&format!("not needed: {name}"));
                (options, outcome) = (smaller, found);
            }
            _ => tell(&format!("needed: {name}")),
        }
    }
    (options, outcome)
}
