//! What the fuzz targets check. Each target is one function over bytes that panics when the code under test breaks a
//! promise; the binaries in `targets/` only hand it to libFuzzer.

pub mod bearer_token;
mod genuine;
mod input;
mod known_client;
mod lenient;
pub mod token_request;
