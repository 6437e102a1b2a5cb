//! `cargo +nightly fuzz run plan`: see `stampede_fuzz::plan`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stampede_fuzz::plan(data));
