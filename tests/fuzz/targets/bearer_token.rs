//! libFuzzer's entry to bearer tokens.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::bearer_token::check(data));
