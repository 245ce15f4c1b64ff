//! Which route needs what. `policies/data/scopes.json` says so and nothing else does.

mod access_rules;

pub use access_rules::{Access, AccessRules, PolicyError};
