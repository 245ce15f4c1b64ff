//! Makes a failing run smaller: leaves faults out one by one, for as long as the same promise is broken.

use crate::run::{Options, Outcome, run};

/// How many runs it may take.
const RUNS_MAX: usize = 200;

/// The smallest run that was found to break what `outcome` broke first, and what came of it. `tell` hears of each step.
pub fn shrink(options: &Options, outcome: Outcome, tell: impl Fn(&str)) -> (Options, Outcome) {
    let Some(invariant) = outcome.broken.first().map(|(invariant, _)| invariant.clone()) else {
        return (options.clone(), outcome);
    };
    let (mut options, mut outcome, mut runs) = (options.clone(), outcome, 0);
    // The latest first: what came after the failure can't have caused it.
    let mut candidates: Vec<usize> = outcome.plan.faults.iter().map(|fault| fault.number).collect();
    while let Some(number) = candidates.pop() {
        if runs == RUNS_MAX {
            break;
        }
        runs += 1;
        let mut smaller = options.clone();
        smaller.wishes.without.push(number);
        match run(&smaller) {
            Ok(found) if found.broken.iter().any(|(broken, _)| *broken == invariant) => {
                tell(&format!("fault {number} is not needed"));
                (options, outcome) = (smaller, found);
            }
            _ => tell(&format!("fault {number} is needed")),
        }
    }
    (options, outcome)
}
