//! Requests in the order of their arrival: how many each found in flight at its server, and what became of it.
//!
//! Everything is counted in stretches of the log, which are joined in pairs as the log gets longer, so that any
//! part of it can be left out afterwards.

use super::burst::Bursts;
use super::collect::{Kind, Request};
use super::sketch::Sketch;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Stretches at most.
const STRETCHES: usize = 64;
/// Numbers in flight at one server that are told apart.
const NUMBER_MAX: usize = 1 << 12;
/// Requests that are kept, the last ones.
pub(crate) const KEPT_MAX: usize = 2_000_000;
/// Steps of the number found in flight: 0, 1, 2–3, 4–7 …
pub(crate) const STEPS: usize = 13;

/// The step of a number found in flight.
pub(crate) fn step(found: usize) -> usize {
    ((usize::BITS - found.leading_zeros()) as usize).min(STEPS - 1)
}

/// The least number of a step.
pub(crate) fn least_of(step: usize) -> usize {
    if step == 0 { 0 } else { 1 << (step - 1) }
}

/// Requests of one route.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouteTally {
    pub requests: u64,
    /// Times at the server, by what was found in flight there.
    pub service: [Sketch; STEPS],
    /// Times with all servers, queues and tries included.
    pub response: Sketch,
}

/// Times of those who found one number in flight, waiting included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    pub count: f64,
    pub sum_s: f64,
}

impl std::ops::AddAssign for Found {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sum_s += other.sum_s;
    }
}

/// Requests of one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerTally {
    pub requests: u64,
    pub failed: u64,
    /// Seconds with each number in flight.
    pub time_at: Vec<f64>,
    /// Ends of requests that left so many others and themselves in flight.
    pub ends_at: Vec<u64>,
    /// Times of those who found nobody.
    pub alone: Sketch,
    /// Number and sum of times by the number that was found.
    pub found: Vec<Found>,
}

impl ServerTally {
    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failed += other.failed;
        add(&mut self.time_at, &other.time_at);
        add(&mut self.ends_at, &other.ends_at);
        self.alone.merge(&other.alone);
        add(&mut self.found, &other.found);
    }
}

fn add<T: Copy + Default + std::ops::AddAssign>(own: &mut Vec<T>, other: &[T]) {
    if own.len() < other.len() {
        own.resize(other.len(), T::default());
    }
    for (own, other) in own.iter_mut().zip(other) {
        *own += *other;
    }
}

/// A stretch of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stretch {
    pub requests: u64,
    pub routes: Vec<RouteTally>,
    pub servers: Vec<ServerTally>,
}

impl Stretch {
    pub(crate) fn route(&mut self, number: u16) -> &mut RouteTally {
        let number = usize::from(number);
        if self.routes.len() <= number {
            self.routes.resize_with(number + 1, RouteTally::default);
        }
        &mut self.routes[number]
    }

    fn server(&mut self, number: u16) -> &mut ServerTally {
        let number = usize::from(number);
        if self.servers.len() <= number {
            self.servers.resize_with(number + 1, ServerTally::default);
        }
        &mut self.servers[number]
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        for (number, other) in (0..).zip(&other.routes) {
            let own = self.route(number);
            own.requests += other.requests;
            own.response.merge(&other.response);
            for (own, other) in own.service.iter_mut().zip(&other.service) {
                own.merge(other);
            }
        }
        for (number, other) in (0..).zip(&other.servers) {
            self.server(number).merge(other);
        }
    }
}

/// Who is at a server.
#[derive(Clone, Copy, Debug, Default)]
struct Present {
    number: usize,
    since_ns: i64,
    /// The number of the arrival that came here last.
    last: u64,
}

/// How the next server was picked, as far as arrivals tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picks {
    /// Arrivals whose server was last used so many arrivals before.
    pub distance: Vec<u64>,
    /// Arrivals at a server with the fewest in flight, and with it alone.
    pub least: u64,
    pub chosen: u64,
    /// Arrivals when not all servers had as many in flight.
    pub uneven: u64,
}

/// The sweep.
#[derive(Clone, Debug)]
pub(crate) struct Sweep {
    pub first_ns: Option<i64>,
    pub last_ns: i64,
    /// Length of a stretch.
    pub stretch_ns: i64,
    pub stretches: Vec<Stretch>,
    pub bursts: Bursts,
    pub kept: VecDeque<Request>,
    pub arrivals: u64,
    pub picks: Picks,
    present: Vec<Present>,
    ends: BinaryHeap<Reverse<(i64, u16)>>,
}

impl Default for Sweep {
    fn default() -> Self {
        Self {
            first_ns: None,
            last_ns: 0,
            stretch_ns: 1_000_000_000,
            stretches: Vec::new(),
            bursts: Bursts::default(),
            kept: VecDeque::new(),
            arrivals: 0,
            picks: Picks::default(),
            present: Vec::new(),
            ends: BinaryHeap::new(),
        }
    }
}

impl Sweep {
    /// Takes the next arrival; whether it comes too late, and was moved.
    pub(crate) fn take(&mut self, mut request: Request) -> bool {
        let first = *self.first_ns.get_or_insert(request.at_ns);
        let late = request.at_ns < self.last_ns && self.arrivals > 0;
        if late {
            let by = self.last_ns.saturating_sub(request.at_ns) as u64;
            request.time_ns = request.time_ns.saturating_sub(by);
            request.at_ns = self.last_ns;
        }
        self.leave_until(request.at_ns);
        self.last_ns = request.at_ns;
        self.arrivals += 1;
        self.bursts
            .arrival(request.at_ns.saturating_sub(first).unsigned_abs());
        let found = self.enter(request);
        let stretch = self.stretch_at(request.at_ns);
        stretch.requests += 1;
        let route = stretch.route(request.route);
        route.requests += 1;
        if matches!(request.kind, Kind::Plain | Kind::Retried) {
            route.response.record(request.time_ns);
        }
        // A try that failed before says nothing of the last; a client that left, or an error, little of the demand.
        if request.kind == Kind::Plain && !late {
            route.service[step(found)].record(request.service_ns);
        }
        let server = stretch.server(request.server);
        server.requests += 1;
        server.failed += u64::from(request.kind == Kind::Failed);
        if request.kind == Kind::Plain && !late {
            let found = found.min(NUMBER_MAX - 1);
            if found == 0 {
                server.alone.record(request.service_ns);
            }
            if server.found.len() <= found {
                server.found.resize(found + 1, Found::default());
            }
            server.found[found] += Found {
                count: 1.0,
                sum_s: request.time_ns as f64 / 1e9,
            };
        }
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(request);
        late
    }

    /// Notes an arrival at its server, and says how many it found there.
    fn enter(&mut self, request: Request) -> usize {
        let number = usize::from(request.server);
        if self.present.len() <= number {
            let fresh = Present {
                since_ns: request.at_ns,
                ..Present::default()
            };
            self.present.resize(number + 1, fresh);
        }
        if request.server > 0 {
            self.note_pick(number);
        }
        self.account(number, request.at_ns);
        let found = self.present[number].number;
        if request.time_ns > 0 {
            self.present[number].number += 1;
            let end = request.at_ns.saturating_add_unsigned(request.time_ns);
            self.ends.push(Reverse((end, request.server)));
        }
        found
    }

    fn note_pick(&mut self, number: usize) {
        let others = &self.present[1..];
        let least = others.iter().map(|own| own.number).min().unwrap_or(0);
        let most = others.iter().map(|own| own.number).max().unwrap_or(0);
        self.picks.chosen += 1;
        if least < most {
            self.picks.uneven += 1;
            self.picks.least += u64::from(self.present[number].number == least);
        }
        let own = &mut self.present[number];
        if own.last > 0 {
            let distance = (self.arrivals - own.last).min(255) as usize;
            if self.picks.distance.len() <= distance {
                self.picks.distance.resize(distance + 1, 0);
            }
            self.picks.distance[distance] += 1;
        }
        own.last = self.arrivals;
    }

    /// Lets all go who are done by `at_ns`.
    fn leave_until(&mut self, at_ns: i64) {
        while let Some(Reverse((end, server))) = self
            .ends
            .peek()
            .copied()
            .filter(|Reverse((end, _))| *end <= at_ns)
        {
            self.ends.pop();
            let number = usize::from(server);
            self.account(number, end);
            let left = self.present[number].number.min(NUMBER_MAX - 1);
            self.present[number].number -= 1;
            let tally = self.current().server(server);
            if tally.ends_at.len() <= left {
                tally.ends_at.resize(left + 1, 0);
            }
            tally.ends_at[left] += 1;
        }
    }

    /// Adds the time since the last change at a server.
    fn account(&mut self, number: usize, at_ns: i64) {
        let own = &mut self.present[number];
        let seconds = at_ns.saturating_sub(own.since_ns).max(0) as f64 / 1e9;
        own.since_ns = at_ns.max(own.since_ns);
        let count = own.number.min(NUMBER_MAX - 1);
        let tally = self.current().server(number as u16);
        if tally.time_at.len() <= count {
            tally.time_at.resize(count + 1, 0.0);
        }
        tally.time_at[count] += seconds;
    }

    fn current(&mut self) -> &mut Stretch {
        if self.stretches.is_empty() {
            self.stretches.push(Stretch::default());
        }
        self.stretches.last_mut().expect("there is one")
    }

    fn stretch_at(&mut self, at_ns: i64) -> &mut Stretch {
        let since = at_ns.saturating_sub(self.first_ns.unwrap_or(at_ns)).max(0);
        while (since / self.stretch_ns) as usize >= STRETCHES {
            let old = std::mem::take(&mut self.stretches);
            self.stretches = old
                .chunks(2)
                .map(|pair| {
                    let mut one = pair[0].clone();
                    if let Some(other) = pair.get(1) {
                        one.merge(other);
                    }
                    one
                })
                .collect();
            self.stretch_ns = self.stretch_ns.saturating_mul(2);
        }
        let place = (since / self.stretch_ns) as usize;
        if self.stretches.len() <= place {
            self.stretches.resize_with(place + 1, Stretch::default);
        }
        &mut self.stretches[place]
    }

    /// Lets the last ones go. What they do after the last arrival is no longer the log's.
    pub(crate) fn finish(&mut self) {
        self.leave_until(self.last_ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(at_ms: i64, time_ms: u64) -> Request {
        let (at_ns, time_ns) = (at_ms * 1_000_000, time_ms * 1_000_000);
        Request {
            at_ns,
            time_ns,
            service_ns: time_ns,
            route: 0,
            server: 1,
            kind: Kind::Plain,
        }
    }

    #[test]
    fn numbers_in_flight_are_counted_with_their_time() {
        let mut sweep = Sweep::default();
        for (at, time) in [(0, 100), (50, 100), (60, 10), (500, 10), (1000, 1)] {
            assert!(!sweep.take(request(at, time)));
        }
        sweep.finish();
        let mut all = Stretch::default();
        sweep
            .stretches
            .iter()
            .for_each(|stretch| all.merge(stretch));
        let server = &all.servers[1];
        // One until 50, two until 60, three until 70, two until 100, one until 150, nobody until 500.
        let wanted = [0.350 + 0.490, 0.050 + 0.050 + 0.010, 0.010 + 0.030, 0.010];
        for (found, wanted) in server.time_at.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-9, "{:?}", server.time_at);
        }
        assert_eq!(server.ends_at, [0, 2, 1, 1]);
        assert_eq!(all.routes[0].service[step(0)].count(), 3);
        assert_eq!(all.routes[0].service[step(1)].count(), 1);
        assert_eq!(all.routes[0].service[step(2)].count(), 1);
    }

    #[test]
    fn a_long_log_takes_no_more_stretches_and_loses_nothing() {
        let mut sweep = Sweep::default();
        for i in 0..10_000 {
            sweep.take(request(i * 777, 5));
        }
        assert!(sweep.take(request(3, 5)), "too late");
        assert!(sweep.stretches.len() <= STRETCHES && sweep.stretches.len() >= STRETCHES / 2);
        assert_eq!(
            sweep
                .stretches
                .iter()
                .map(|stretch| stretch.requests)
                .sum::<u64>(),
            10_001
        );
        assert_eq!(sweep.kept.len(), 10_001);
    }
}
