//! For how long a node has led.

use std::time::Duration;

/// A time of leading; or of leading since something was last done about it.
#[derive(Default)]
pub(crate) struct Tenure {
    leading: Option<Leading>,
}

struct Leading {
    term: u64,
    since: Duration,
}

impl Tenure {
    /// How long the node has led by now, if it leads, in this term; another term is another time.
    pub(crate) fn on_look(&mut self, now: Duration, term: Option<u64>) -> Option<Duration> {
        let Some(term) = term else {
            self.leading = None;
            return None;
        };
        let known = self.leading.take().filter(|leading| leading.term == term);
        let leading = self.leading.insert(known.unwrap_or(Leading { term, since: now }));
        Some(now.saturating_sub(leading.since))
    }

    /// Something was done about it: the time begins anew.
    pub(crate) fn begin_anew(&mut self, now: Duration) {
        if let Some(leading) = &mut self.leading {
            leading.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_ends_with_its_term_or_when_it_begins_anew() {
        let seconds = Duration::from_secs;
        let mut tenure = Tenure::default();
        let mut led = |now, term| tenure.on_look(seconds(now), term).map(|led| led.as_secs());
        assert_eq!((led(5, Some(1)), led(9, Some(1))), (Some(0), Some(4)));
        assert_eq!((led(10, Some(2)), led(12, Some(2))), (Some(0), Some(2)));
        assert_eq!((led(13, None), led(14, Some(2))), (None, Some(0)));
        tenure.begin_anew(seconds(20));
        assert_eq!(tenure.on_look(seconds(21), Some(2)), Some(seconds(1)));
    }
}
