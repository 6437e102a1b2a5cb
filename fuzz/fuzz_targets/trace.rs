//! `cargo +nightly fuzz run trace`: see `stampede_fuzz::trace`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stampede_fuzz::trace(data));
