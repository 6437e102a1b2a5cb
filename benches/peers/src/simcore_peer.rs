//! `SimCore` (the successor of dslab-core): components that emit events to themselves when time
//! passes, and call each other directly where none does, which is faster than a message.

use crate::work::{LOAD, Ran, Work};
use rand_distr_04::Exp1;
use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

#[derive(Clone, Serialize)]
struct Arrival {}

#[derive(Clone, Serialize)]
struct Departure {}

struct Balancer {
    context: SimulationContext,
    servers: Vec<Rc<RefCell<Server>>>,
    mean_gap: f64,
    left: u64,
}

impl Balancer {
    fn plan(&mut self) {
        let gap: f64 = self.context.sample_from_distribution(&Exp1);
        self.context.emit_self(Arrival {}, gap * self.mean_gap);
    }

    /// The shorter of two different queues, the first drawn if they are equal.
    fn pick(&self) -> usize {
        let count = self.servers.len();
        if count == 1 {
            return 0;
        }
        let first = self.context.gen_range(0..count);
        let mut second = self.context.gen_range(0..count - 1);
        if second >= first {
            second += 1;
        }
        let length = |server: usize| self.servers[server].borrow().queue.len();
        if length(second) < length(first) {
            second
        } else {
            first
        }
    }
}

impl EventHandler for Balancer {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrival {} => {
                self.servers[self.pick()].borrow_mut().accept();
                self.left -= 1;
                if self.left > 0 {
                    self.plan();
                }
            }
        });
    }
}

struct Server {
    context: SimulationContext,
    /// When those here arrived; the first is in service.
    queue: VecDeque<f64>,
    answered: Rc<RefCell<(u64, f64)>>,
}

impl Server {
    fn accept(&mut self) {
        self.queue.push_back(self.context.time());
        if self.queue.len() == 1 {
            self.serve();
        }
    }

    fn serve(&mut self) {
        let demand: f64 = self.context.sample_from_distribution(&Exp1);
        self.context.emit_self(Departure {}, demand);
    }
}

impl EventHandler for Server {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Departure {} => {
                let begun = self.queue.pop_front().expect("one in service");
                let mut answered = self.answered.borrow_mut();
                answered.0 += 1;
                answered.1 += self.context.time() - begun;
                drop(answered);
                if !self.queue.is_empty() {
                    self.serve();
                }
            }
        });
    }
}

/// Runs until so many requests have arrived and been answered.
pub fn run(work: &Work, requests: u64, seed: u64) -> Ran {
    let mut simulation = Simulation::new(seed);
    let answered = Rc::new(RefCell::new((0, 0.0)));
    let mut servers = Vec::new();
    for number in 0..work.servers {
        let name = format!("server {number}");
        let server = Rc::new(RefCell::new(Server {
            context: simulation.create_context(&name),
            queue: VecDeque::new(),
            answered: Rc::clone(&answered),
        }));
        simulation.add_handler(&name, server.clone());
        servers.push(server);
    }
    let balancer = Rc::new(RefCell::new(Balancer {
        context: simulation.create_context("balancer"),
        mean_gap: 1.0 / (LOAD * work.servers as f64),
        servers,
        left: requests,
    }));
    simulation.add_handler("balancer", balancer.clone());
    balancer.borrow_mut().plan();
    simulation.step_until_no_events();
    let (count, total) = *answered.borrow();
    assert_eq!(count, requests, "all are answered");
    Ran {
        requests,
        mean_response: total / requests as f64,
    }
}
