//! The loop of a textbook, with what is on the shelf: one heap for all events, a queue of arrival
//! times for each server, a generator for each concern, logarithms, and a histogram.

use crate::work::{LOAD, Ran, Work};
use hdrhistogram::Histogram;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

#[derive(PartialEq)]
enum What {
    Arrival,
    Departure(usize),
}

#[derive(PartialEq)]
struct Event {
    at: f64,
    number: u64,
    what: What,
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    // The heap gives the greatest: the earliest, and of those at once the first planned.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_time = other.at.total_cmp(&self.at);
        by_time.then_with(|| other.number.cmp(&self.number))
    }
}

#[derive(Default)]
struct Agenda {
    events: BinaryHeap<Event>,
    planned: u64,
}

impl Agenda {
    fn plan(&mut self, at: f64, what: What) {
        self.planned += 1;
        let number = self.planned;
        self.events.push(Event { at, number, what });
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a textbook takes the logarithm that is at hand; its digits are no part of a run of ours"
)]
fn exponential(generator: &mut ChaCha8Rng, mean: f64) -> f64 {
    -(1.0 - generator.random::<f64>()).ln() * mean
}

/// Runs until so many requests have arrived and been answered.
pub fn run(work: &Work, requests: u64, seed: u64) -> Ran {
    let [mut gaps, mut demands, mut choices] =
        [0, 1, 2].map(|concern| ChaCha8Rng::seed_from_u64(3 * seed + concern));
    let mean_gap = 1.0 / (LOAD * work.servers as f64);
    let mut queues = vec![VecDeque::new(); work.servers];
    let mut responses = Histogram::<u64>::new(3).expect("three digits");
    let (mut arrived, mut total) = (0, 0.0);
    let mut agenda = Agenda::default();
    agenda.plan(exponential(&mut gaps, mean_gap), What::Arrival);
    while let Some(Event { at: now, what, .. }) = agenda.events.pop() {
        match what {
            What::Arrival => {
                arrived += 1;
                if arrived < requests {
                    agenda.plan(now + exponential(&mut gaps, mean_gap), What::Arrival);
                }
                let server = pick(&queues, &mut choices);
                queues[server].push_back(now);
                if queues[server].len() == 1 {
                    let demand = exponential(&mut demands, 1.0);
                    agenda.plan(now + demand, What::Departure(server));
                }
            }
            What::Departure(server) => {
                let begun = queues[server].pop_front().expect("one in service");
                total += now - begun;
                responses.saturating_record(((now - begun) * 1e6) as u64);
                if !queues[server].is_empty() {
                    let demand = exponential(&mut demands, 1.0);
                    agenda.plan(now + demand, What::Departure(server));
                }
            }
        }
    }
    assert_eq!(responses.len(), requests, "all are answered");
    Ran {
        requests,
        mean_response: total / requests as f64,
    }
}

/// The shorter of two different queues, the first drawn if they are equal.
fn pick(queues: &[VecDeque<f64>], choices: &mut ChaCha8Rng) -> usize {
    if queues.len() == 1 {
        return 0;
    }
    let first = choices.random_range(0..queues.len());
    let mut second = choices.random_range(0..queues.len() - 1);
    if second >= first {
        second += 1;
    }
    if queues[second].len() < queues[first].len() {
        second
    } else {
        first
    }
}
