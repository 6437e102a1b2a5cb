//! `cargo +nightly fuzz run set`: see `stampede_fuzz::set`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stampede_fuzz::set(data));
