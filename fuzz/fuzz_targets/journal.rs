//! `cargo +nightly fuzz run journal`: see `stampede_fuzz::journal`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stampede_fuzz::journal(data));
