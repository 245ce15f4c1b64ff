//! Tokens: what they say, how they are issued, how they are checked and what is told about them.

mod audience;
mod claims;
pub mod introspection;
mod issue;
mod issued_token;
mod verify;

pub use audience::Audience;
pub use claims::AccessTokenClaims;
pub use issue::{IssueContext, issue};
pub use issued_token::IssuedToken;
pub use verify::{CLOCK_LEEWAY, Expectations};
