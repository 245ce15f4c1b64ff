//! Which build this is.

/// The release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that it was built from, as far as the build script could tell; `unknown` otherwise.
pub const COMMIT: &str = env!("AGENTIDP_COMMIT");
