//! libFuzzer's entry to the token request.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::token_request::check(data));
