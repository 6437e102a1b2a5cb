//! `cargo +nightly fuzz run scenario`: see `stampede_fuzz::scenario`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stampede_fuzz::scenario(data));
