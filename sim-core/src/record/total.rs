//! Several intervals taken together: windows of alerts, of expectations and of the site's state.

use super::history::History;
use crate::histogram::COARSE_LEN;
use crate::machine::MachineState;
use crate::metric::{Scope, Window};
use crate::outcome::Outcome;
use std::ops::Range;

impl History {
    /// The counters of `intervals` taken together.
    pub fn total(&self, scope: Scope, intervals: Range<usize>) -> Total {
        let mut total = Total::new(scope);
        let last = intervals.end;
        for interval in intervals {
            // Between two records of a server nothing is told of it.
            let between = matches!(scope, Scope::Server(_))
                && interval + 1 < last
                && self.server_record_len(interval) == 0;
            if between {
                total.span_ns += self.width_ns(interval);
            } else {
                total.add(self, interval);
            }
        }
        total
    }
}

/// Counters of several intervals, to which intervals can be added and from which the oldest can
/// be taken away: a sliding window.
#[derive(Clone, Debug)]
pub struct Total {
    scope: Scope,
    arrived: u64,
    attempts: u64,
    attempts_of_service: u64,
    outcomes: [u64; Outcome::COUNT],
    busy: f64,
    workers: f64,
    in_flight: u64,
    queue_len: u64,
    up: u64,
    response_time: Vec<u32>,
    span_ns: u64,
    interval_ns: u64,
}

impl Total {
    /// An empty window.
    pub fn new(scope: Scope) -> Self {
        let len = if matches!(scope, Scope::Server(_)) {
            0
        } else {
            COARSE_LEN
        };
        Self {
            scope,
            arrived: 0,
            attempts: 0,
            attempts_of_service: 0,
            outcomes: [0; Outcome::COUNT],
            busy: 0.0,
            workers: 0.0,
            in_flight: 0,
            queue_len: 0,
            up: 0,
            response_time: vec![0; len],
            span_ns: 0,
            interval_ns: 0,
        }
    }

    /// An empty window without response times, for those who need counts only.
    pub fn of_counts(scope: Scope) -> Self {
        Self {
            response_time: Vec::new(),
            ..Self::new(scope)
        }
    }

    /// Extends the window by its next interval.
    pub fn add(&mut self, history: &History, interval: usize) {
        self.interval_ns = history.interval_ns;
        self.span_ns += history.width_ns(interval);
        (self.in_flight, self.queue_len, self.up) = (0, 0, 0);
        self.apply(history, interval, true);
    }

    /// Takes the window's oldest interval away.
    pub fn remove(&mut self, history: &History, interval: usize) {
        self.span_ns -= history.width_ns(interval);
        let levels = (self.in_flight, self.queue_len, self.up);
        self.apply(history, interval, false);
        (self.in_flight, self.queue_len, self.up) = levels;
    }

    fn apply(&mut self, history: &History, interval: usize, add: bool) {
        let layout = &history.layout;
        for flow in layout.flows_of(self.scope) {
            self.apply_flow(history, interval, flow, add);
        }
        match self.scope {
            Scope::Site => {
                for service in 0..layout.services {
                    self.apply_service(history, interval, service, add);
                }
            }
            Scope::Class(_) => {}
            Scope::Service(service) => {
                self.apply_service(history, interval, service.0 as usize, add);
            }
            Scope::Server(server) => self.apply_server(history, interval, server.0 as usize, add),
        }
    }

    fn apply_flow(&mut self, history: &History, interval: usize, flow: usize, add: bool) {
        let counters = history.flow(interval, flow);
        change(&mut self.arrived, counters.arrived, add);
        change(&mut self.attempts, counters.attempts, add);
        for (total, &count) in self.outcomes.iter_mut().zip(&counters.outcomes) {
            change(total, count, add);
        }
        if !self.response_time.is_empty() {
            for &(bucket, count) in history.buckets(interval, flow) {
                let total = &mut self.response_time[bucket as usize];
                let count = u32::from(count);
                *total = if add { *total + count } else { *total - count };
            }
        }
        self.in_flight += u64::from(counters.in_flight);
    }

    fn apply_service(&mut self, history: &History, interval: usize, service: usize, add: bool) {
        let counters = history.service(interval, service);
        // Means count as much as the interval is wide.
        let part = history.width_ns(interval) as f64 / history.interval_ns as f64;
        let sign = if add { part } else { -part };
        self.busy += sign * f64::from(counters.busy);
        self.workers += sign * f64::from(counters.workers);
        self.queue_len += u64::from(counters.queue_len);
        self.up += u64::from(counters.up);
    }

    fn apply_server(&mut self, history: &History, interval: usize, server: usize, add: bool) {
        // A record of several intervals counts once, at their end; levels hold in between.
        let covers = history.server_record_len(interval);
        let Some(counters) = history.server(interval, server) else {
            return;
        };
        self.in_flight = u64::from(counters.in_system);
        self.queue_len = u64::from(counters.queue_len);
        self.up = u64::from(counters.state == MachineState::Up as u8);
        if covers == 0 {
            return;
        }
        let wide = (covers - 1) as u64 * history.interval_ns + history.width_ns(interval);
        let part = wide as f64 / history.interval_ns as f64;
        let sign = if add { part } else { -part };
        self.busy += sign * f64::from(counters.busy);
        self.workers += sign * f64::from(counters.workers);
        change(&mut self.attempts, counters.attempts, add);
        change(
            &mut self.outcomes[Outcome::Succeeded as usize],
            counters.succeeded,
            add,
        );
        // A server's record does not tell failures apart; any failed outcome stands for them.
        change(
            &mut self.outcomes[Outcome::Errored as usize],
            counters.failed,
            add,
        );
        let service = history.layout.service_of(server);
        for i in interval + 1 - covers..=interval {
            change(
                &mut self.attempts_of_service,
                history.service(i, service).attempts,
                add,
            );
        }
    }

    /// The window as metrics see it.
    pub fn window(&self) -> Window<'_> {
        let intervals = if self.interval_ns > 0 {
            (self.span_ns as f64 / self.interval_ns as f64).max(f64::MIN_POSITIVE)
        } else {
            1.0
        };
        Window {
            span_s: self.span_ns as f64 / 1e9,
            arrived: self.arrived,
            outcomes: self.outcomes,
            attempts: self.attempts,
            attempts_of_service: self.attempts_of_service,
            in_flight: self.in_flight,
            queue_len: self.queue_len,
            busy: self.busy / intervals,
            workers: self.workers / intervals,
            up: self.up,
            response_time: &self.response_time,
        }
    }
}

fn change(total: &mut u64, count: u32, add: bool) {
    *total = if add {
        *total + u64::from(count)
    } else {
        *total - u64::from(count)
    };
}
