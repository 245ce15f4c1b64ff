//! The judge: pure functions over a history, one per guarantee. They take no server's word for what was promised, only
//! the times of calls and the answers.

mod cut_off_fails_closed;
mod interrupted_is_finished;
mod kills;
mod no_acknowledged_write_lost;
mod nothing_breaks;
mod published_ahead;
mod revoked_stays_dead;
mod steady_client_is_served;
mod token_verifies_everywhere;
mod tokens;
mod verdict;

#[cfg(test)]
mod testing;

pub use verdict::{Verdict, Violation};

use crate::history::History;

/// Every guarantee, judged.
pub fn check(history: &History) -> Vec<Verdict> {
    vec![
        revoked_stays_dead::check(history),
        interrupted_is_finished::check(history),
        no_acknowledged_write_lost::check(history),
        token_verifies_everywhere::check(history),
        published_ahead::check(history),
        cut_off_fails_closed::check(history),
        steady_client_is_served::check(history),
        nothing_breaks::check(history),
    ]
}
