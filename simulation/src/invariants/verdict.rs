//! What the judge says of one guarantee.

use crate::history::Moment;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Moment,
    /// What was promised, and what happened.
    pub what: String,
}

/// A guarantee, judged.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The guarantee's name.
    pub guarantee: &'static str,
    /// How many observations were held against it: with none, it was not tested.
    pub judged: usize,
    /// What the observations were.
    pub of_what: String,
    /// Where it was broken.
    pub violations: Vec<Violation>,
}
