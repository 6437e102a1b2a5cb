//! Drives the targets on any compiler: seeds changed at random, a fixed sequence of them each build.
//!
//! With `STAMPEDE_FUZZ=600` a test goes on for ten minutes, from where the last build's sequence ends.
//! Bytes that break something are printed.

use proptest::test_runner::{RngAlgorithm, TestRng};
use rand::Rng;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::Instant;

/// Inputs with each build, for each target.
const INPUTS: u64 = 1500;

/// No input takes longer, in seconds, with all that is made of it.
const LONGEST_S: f64 = 5.0;

/// What is put in where something is changed, beside the names of all keys.
const WORDS: &[&str] = &[
    "0",
    "-1",
    "1e308",
    "1e-320",
    "nan",
    "inf",
    "18446744073709551615",
    "9223372036854775808",
    "\"none\"",
    "\"\"",
    "\"0s\"",
    "\"1ns\"",
    "\"10y\"",
    "\"99999999h\"",
    "\"200%\"",
    "\"9EiB\"",
    "[]",
    "{}",
    "[[\"0s\", 1]]",
    "true",
    "\n",
    "\n\n",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "]]",
    "\"",
    "'''",
    "=",
    ".",
    "*",
    "#",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[2J",
    "é",
    "kind = ",
    "\\u0000",
    "1970-01-01T00:00:00Z",
    "1741000000",
];

/// Gives a target its seeds, and what becomes of them with a few changes; `names` are put in as well.
#[expect(clippy::disallowed_methods, reason = "it is the time of whoever waits")]
pub(crate) fn fuzz(name: &str, names: &[String], target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(name);
    let entries = fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files
        .iter()
        .map(|file| fs::read(file).expect("readable"))
        .collect();
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    for seed in &seeds {
        target(seed);
    }
    let seconds: Option<f64> = std::env::var("STAMPEDE_FUZZ")
        .ok()
        .map(|text| text.parse().expect("seconds"));
    let first = if seconds.is_some() { INPUTS } else { 0 };
    let began = Instant::now();
    for number in first.. {
        match seconds {
            None if number >= INPUTS => break,
            Some(seconds) if began.elapsed().as_secs_f64() > seconds => {
                eprintln!("{name}: {} inputs", number - first);
                break;
            }
            _ => {}
        }
        let bytes = changed(&seeds, names, number);
        let timed = || {
            let since = Instant::now();
            let ends = catch_unwind(AssertUnwindSafe(|| target(&bytes)));
            (ends, since.elapsed().as_secs_f64())
        };
        let (mut ends, mut took_s) = timed();
        if took_s > LONGEST_S {
            // A busy machine may have kept it waiting; what hangs hangs again.
            (ends, took_s) = timed();
        }
        if ends.is_err() || took_s > LONGEST_S {
            eprintln!(
                "{name}, input {number}, {took_s:.1} s:\n{}",
                bytes.escape_ascii()
            );
            eprintln!("as text:\n{}", String::from_utf8_lossy(&bytes));
        }
        if let Err(panic) = ends {
            resume_unwind(panic);
        }
        assert!(took_s <= LONGEST_S, "{took_s:.1} s");
    }
}

/// A seed with a few changes, the same for the same number.
fn changed(seeds: &[Vec<u8>], names: &[String], number: u64) -> Vec<u8> {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let mut dice = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut below = |bound: usize| (dice.next_u64() % bound.max(1) as u64) as usize;
    let mut bytes = seeds[below(seeds.len())].clone();
    for _ in 0..=below(4) {
        let at = below(bytes.len() + 1);
        let to = (at + below(12)).min(bytes.len());
        let word = |below: &mut dyn FnMut(usize) -> usize| match below(3) {
            0 => {
                let name = names.get(below(names.len()));
                name.map_or(Vec::new(), |name| name.as_bytes().to_vec())
            }
            _ => WORDS[below(WORDS.len())].as_bytes().to_vec(),
        };
        match below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let other = &seeds[below(seeds.len())];
                let from = below(other.len() + 1);
                let until = (from + below(80)).min(other.len());
                bytes.splice(at..to, other[from..until].iter().copied());
            }
            3 => bytes.truncate(at.max(1)),
            4 => {
                // A line once more, somewhere else.
                let lines: Vec<Vec<u8>> = bytes
                    .split_inclusive(|b| *b == b'\n')
                    .map(<[u8]>::to_vec)
                    .collect();
                let (line, place) = (below(lines.len()), below(lines.len()));
                let mut lines = lines;
                if let Some(line) = lines.get(line).cloned() {
                    lines.insert(place, line);
                }
                bytes = lines.concat();
            }
            5 | 6 => value(&mut bytes, at, &word(&mut below)),
            _ => {
                let word = word(&mut below);
                bytes.splice(at..to, word);
            }
        }
    }
    bytes
}

/// Puts a word in place of the number, name or text that stands at or behind `at`.
fn value(bytes: &mut Vec<u8>, at: usize, word: &[u8]) {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"._-%".contains(b);
    let Some(start) = bytes[at..].iter().position(is_part).map(|start| at + start) else {
        return;
    };
    let end = bytes[start..]
        .iter()
        .position(|b| !is_part(b))
        .map_or(bytes.len(), |end| start + end);
    bytes.splice(start..end, word.iter().copied());
}
