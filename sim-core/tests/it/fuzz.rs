//! The targets of `fuzz/` on any compiler: seeds changed at random, a fixed sequence of them each build.
//!
//! `STAMPEDE_FUZZ=600 cargo test -p sim-core --test it -- fuzz::scenario` goes on for ten minutes, from
//! where the last build's sequence ends. Bytes that break something are printed.

#[path = "../../../fuzz/src/drive.rs"]
mod drive;
#[expect(unreachable_pub, reason = "the same file is a library elsewhere")]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use sim_core::scenario::key_rows;

#[test]
fn scenario() {
    fuzz("scenario", targets::scenario);
}

#[test]
fn set() {
    fuzz("set", targets::set);
}

#[test]
fn plan() {
    fuzz("plan", targets::plan);
}

#[test]
fn trace() {
    fuzz("trace", targets::trace);
}

#[test]
fn journal() {
    fuzz("journal", targets::journal);
}

fn fuzz(name: &str, target: fn(&[u8])) {
    let last = |path: &String| path.rsplit('.').next().unwrap_or(path).to_owned();
    let names: Vec<String> = key_rows().iter().map(|row| last(&row.path)).collect();
    drive::fuzz(name, &names, target);
}
