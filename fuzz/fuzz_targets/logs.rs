//! `cargo +nightly fuzz run logs`: logs and reports of load tests.
#![no_main]

#[path = "../src/logs.rs"]
mod logs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| logs::logs(data));
