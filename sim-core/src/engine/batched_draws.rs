//! Draws made ahead of time for the fast path.

use super::Simulation;
use super::event_queue::NEVER;
use super::source::draw_class;
use crate::ids::{ClassId, SourceId};
use crate::time::Duration;

/// How many requests are drawn at once.
pub(super) const BATCH: usize = 32;

/// What the next requests of a source will be. Draws belong to the number of the request, so they
/// can be made at any time; made together they cost half.
#[derive(Clone)]
pub(super) struct BatchedDraws {
    /// The first request drawn for, as the source counts; [`NO_BATCH`] when there is none.
    pub first: u64,
    /// The same of those whose demands are drawn as well: not those that a balancer turns away.
    pub first_demand: u64,
    /// The gap before each and before the one after them; and the time that it takes, where the
    /// rate is constant.
    pub gaps: [f64; BATCH + 1],
    pub gaps_ns: [u64; BATCH + 1],
    pub demands_ns: [u64; BATCH],
    pub keys: [u64; BATCH],
    pub classes: [ClassId; BATCH],
}

const NO_BATCH: u64 = u64::MAX / 2;

impl Default for BatchedDraws {
    fn default() -> Self {
        Self {
            first: NO_BATCH,
            first_demand: NO_BATCH,
            gaps: [0.0; BATCH + 1],
            gaps_ns: [0; BATCH + 1],
            demands_ns: [0; BATCH],
            keys: [0; BATCH],
            classes: [ClassId(0); BATCH],
        }
    }
}

impl BatchedDraws {
    /// What was drawn may be drawn otherwise now.
    pub(super) fn forget(&mut self) {
        (self.first, self.first_demand) = (NO_BATCH, NO_BATCH);
    }
}

impl Simulation {
    /// Makes the draws of a source's next requests, all of them.
    #[inline(never)]
    pub(super) fn draw_batch(&mut self, source: SourceId) {
        self.draw_all_but_demands(source);
        self.draw_demands(source);
    }

    /// The same for requests that may never ask anything of a server.
    #[inline(never)]
    pub(super) fn draw_all_but_demands(&mut self, source: SourceId) {
        let s = &mut self.sources[source];
        let first = s.number(s.count);
        let batch = &mut *s.batch;
        (batch.first, batch.first_demand) = (s.count, NO_BATCH);
        if let Some(gaps) = &s.gaps {
            // One more than requests: the arrival of the last plans the next.
            gaps.fill(s.stream, s.count, &mut batch.gaps);
            let rate_hz = s.rate.initial_hz();
            for (gap, gap_ns) in batch.gaps.iter().zip(&mut batch.gaps_ns) {
                *gap_ns = if rate_hz > 0.0 {
                    Duration::from_secs_f64(gap / rate_hz).0
                } else {
                    NEVER
                };
            }
        }
        let requests = self.streams.requests;
        let mut draws: [_; BATCH] = std::array::from_fn(|i| requests.at(first + i as u64));
        for (class, draws) in batch.classes.iter_mut().zip(&mut draws) {
            *class = draw_class(&s.mix, draws);
        }
        s.keys.fill(first, &mut draws, &mut batch.keys);
    }

    fn draw_demands(&mut self, source: SourceId) {
        let s = &mut self.sources[source];
        let batch = &mut *s.batch;
        let service = &self.services[s.to];
        let first = s.numbers + batch.first;
        batch.first_demand = batch.first;
        let mut demands = [0.0; BATCH];
        service
            .demand
            .fill_ns(service.demand_stream, first, &mut demands);
        for (i, demand) in demands.iter().enumerate() {
            let class = batch.classes[i];
            let factor = self.classes[class].demand_factor;
            batch.demands_ns[i] = Duration::from_nanos_f64(demand * factor).0;
        }
        if self.own_demands.iter().any(Option::is_some) {
            for (i, &class) in batch.classes.iter().enumerate() {
                let Some(own) = &self.own_demands[class] else {
                    continue;
                };
                let mut draws = service.demand_stream.at(first + i as u64);
                let demand = own.sample_ns(&mut draws) * self.classes[class].demand_factor;
                batch.demands_ns[i] = Duration::from_nanos_f64(demand).0;
            }
        }
    }

    /// Settings change: what was drawn ahead may be drawn otherwise now.
    pub(super) fn forget_batches(&mut self) {
        for source in &mut self.sources {
            source.batch.forget();
        }
    }
}
