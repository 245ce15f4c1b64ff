//! What the simulator promises: a seed is the same run again.

use std::time::Duration;

use simulation::plan::Wishes;
use simulation::run::{Options, run};

fn short(seed: u64) -> Options {
    let wishes = Wishes {
        nodes: Some(3),
        faults_for: Duration::from_secs(8),
        ..Wishes::default()
    };
    Options::of_seed(seed, &wishes)
}

#[test]
fn a_seed_writes_the_same_trace_again_and_another_seed_another() {
    let digest = |seed| {
        let outcome = run(&short(seed)).expect("a world can be made");
        assert!(outcome.lines > 1_000, "{}", outcome.lines);
        assert_eq!(outcome.broken, [], "seed {seed}");
        outcome.digest
    };
    let first = digest(1);
    assert_eq!(first, digest(1));
    assert_ne!(first, digest(2));
}
