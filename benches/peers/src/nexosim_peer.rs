//! `NeXosim`: models with ports, each with a mailbox, on one thread (more are slower here: nothing
//! happens at once).
//!
//! ```text
//!              request            ┌────────┐
//! ┌──────────┐ (to the shorter) ─►│ Server │─┐
//! │ Balancer │────────────────────┴────────┘ │
//! └──────────┘◄───────────────────────────────┘
//!                  which server, response time
//! ```

use crate::work::{LOAD, Ran, Work};
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSinkReader, EventSource, Output, SinkState, event_slot};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

fn exponential(random: &mut Xoshiro256PlusPlus, mean_ns: f64) -> Duration {
    let nanoseconds = mean_ns * random.sample::<f64, _>(Exp1);
    // No event may be planned for the present instant.
    Duration::from_nanos((nanoseconds as u64).max(1))
}

/// Emits requests, sends each to a server, and hears of their ends.
#[derive(Serialize, Deserialize)]
struct Balancer {
    to: Vec<Output<()>>,
    /// Requests at each server.
    lengths: Vec<u32>,
    random: Xoshiro256PlusPlus,
    mean_gap_ns: f64,
    left: u64,
    answered: u64,
    total_ns: u64,
    /// How many were answered, and their total response time, once none is left.
    result: Output<(u64, u64)>,
}

#[Model]
impl Balancer {
    async fn start(&mut self, _: (), context: &Context<Self>) {
        self.plan(context);
    }

    fn plan(&mut self, context: &Context<Self>) {
        let gap = exponential(&mut self.random, self.mean_gap_ns);
        let planned = context.schedule_event(gap, schedulable!(Self::arrive), ());
        planned.expect("an arrival in the future");
    }

    #[nexosim(schedulable)]
    async fn arrive(&mut self, _: (), context: &Context<Self>) {
        self.left -= 1;
        if self.left > 0 {
            self.plan(context);
        }
        let server = self.pick();
        self.lengths[server] += 1;
        self.to[server].send(()).await;
    }

    /// The shorter of two different queues, the first drawn if they are equal.
    fn pick(&mut self) -> usize {
        let count = self.lengths.len();
        if count == 1 {
            return 0;
        }
        let first = self.random.random_range(0..count);
        let mut second = self.random.random_range(0..count - 1);
        if second >= first {
            second += 1;
        }
        if self.lengths[second] < self.lengths[first] {
            second
        } else {
            first
        }
    }

    async fn done(&mut self, (server, response_ns): (u32, u64)) {
        self.lengths[server as usize] -= 1;
        self.answered += 1;
        self.total_ns += response_ns;
        if self.left == 0 && self.lengths.iter().all(|length| *length == 0) {
            self.result.send((self.answered, self.total_ns)).await;
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Server {
    number: u32,
    /// When those here arrived; the first is in service.
    queue: VecDeque<MonotonicTime>,
    random: Xoshiro256PlusPlus,
    done: Output<(u32, u64)>,
}

#[Model]
impl Server {
    async fn accept(&mut self, _: (), context: &Context<Self>) {
        self.queue.push_back(context.time());
        if self.queue.len() == 1 {
            self.serve(context);
        }
    }

    fn serve(&mut self, context: &Context<Self>) {
        let demand = exponential(&mut self.random, 1e9);
        let planned = context.schedule_event(demand, schedulable!(Self::finish), ());
        planned.expect("a departure in the future");
    }

    #[nexosim(schedulable)]
    async fn finish(&mut self, _: (), context: &Context<Self>) {
        let begun = self.queue.pop_front().expect("one in service");
        let response = context.time().duration_since(begun);
        if !self.queue.is_empty() {
            self.serve(context);
        }
        let response_ns = response.as_nanos() as u64;
        self.done.send((self.number, response_ns)).await;
    }
}

/// Runs until so many requests have arrived and been answered.
pub fn run(work: &Work, requests: u64, seed: u64) -> Ran {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut bench = SimInit::with_num_threads(1);
    let mailbox = Mailbox::new();
    let mut to = Vec::new();
    for number in 0..work.servers as u32 {
        let mut server = Server {
            number,
            queue: VecDeque::new(),
            random: Xoshiro256PlusPlus::from_rng(&mut random),
            done: Output::default(),
        };
        server.done.connect(Balancer::done, &mailbox);
        let own = Mailbox::new();
        let mut output = Output::default();
        output.connect(Server::accept, &own);
        to.push(output);
        bench = bench.add_model(server, own, &format!("server {number}"));
    }
    let mut balancer = Balancer {
        to,
        lengths: vec![0; work.servers],
        random,
        mean_gap_ns: 1e9 / (LOAD * work.servers as f64),
        left: requests,
        answered: 0,
        total_ns: 0,
        result: Output::default(),
    };
    let (sink, mut result) = event_slot(SinkState::Enabled);
    balancer.result.connect_sink(sink);
    let start = EventSource::new()
        .connect(Balancer::start, &mailbox)
        .register(&mut bench);
    let mut simulation = bench
        .add_model(balancer, mailbox, "balancer")
        .init(MonotonicTime::EPOCH)
        .expect("a bench that can start");
    simulation.process_event(&start, ()).expect("the start");
    simulation.run().expect("a run to the end");
    let (answered, total_ns) = result.try_read().expect("the result");
    assert_eq!(answered, requests, "all are answered");
    Ran {
        requests,
        mean_response: total_ns as f64 / requests as f64 / 1e9,
    }
}
