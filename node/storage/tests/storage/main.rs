//! Both stores, held to the conformance suite, and what only one of them can get wrong.

mod embedded;
mod postgres;
mod suite;
