//! Draws made ahead of time for the express lane.

use super::Simulation;
use super::agenda::NEVER;
use super::source::{draw_class, number_of};
use crate::time::Duration;

/// How many requests are drawn at once.
pub(super) const AHEAD: usize = 32;

/// What the next requests of a source will be. Draws belong to the number of the request, so they
/// can be made at any time; made together they cost half.
#[derive(Clone)]
pub(super) struct Ahead {
    /// The first request drawn for, as the source counts; [`NOTHING_AHEAD`] when there is none.
    pub first: u64,
    /// The gap before each and before the one after them; and the time that it takes, where the
    /// rate is constant.
    pub gaps: [f64; AHEAD + 1],
    pub gaps_ns: [u64; AHEAD + 1],
    pub demands_ns: [u64; AHEAD],
    pub keys: [u64; AHEAD],
    pub classes: [u16; AHEAD],
}

const NOTHING_AHEAD: u64 = u64::MAX / 2;

impl Default for Ahead {
    fn default() -> Self {
        Self {
            first: NOTHING_AHEAD,
            gaps: [0.0; AHEAD + 1],
            gaps_ns: [0; AHEAD + 1],
            demands_ns: [0; AHEAD],
            keys: [0; AHEAD],
            classes: [0; AHEAD],
        }
    }
}

impl Ahead {
    /// What was drawn may be drawn otherwise now.
    pub(super) fn forget(&mut self) {
        self.first = NOTHING_AHEAD;
    }
}

impl Simulation {
    /// Makes the draws of a source's next requests.
    #[inline(never)]
    pub(super) fn look_ahead(&mut self, source: u16) {
        let s = &mut self.sources[source as usize];
        let ahead = &mut *s.ahead;
        let service = &self.services[s.to as usize];
        let first = number_of(source, s.count);
        ahead.first = s.count;
        if let Some(gaps) = &s.gaps {
            // One more than requests: the arrival of the last plans the next.
            gaps.fill(s.stream, s.count, &mut ahead.gaps);
        }
        let rate_hz = s.rate[0].rate_hz;
        for (gap, gap_ns) in ahead.gaps.iter().zip(&mut ahead.gaps_ns) {
            *gap_ns = if rate_hz > 0.0 {
                Duration::from_secs_f64(gap / rate_hz).0
            } else {
                NEVER
            };
        }
        let mut demands = [0.0; AHEAD];
        service
            .demand
            .fill_ns(service.demand_stream, first, &mut demands);
        for (i, demand) in demands.iter().enumerate() {
            let number = first + i as u64;
            let mut draws = self.request_stream.at(number);
            let class = draw_class(&s.mix, &mut draws);
            ahead.classes[i] = class;
            ahead.keys[i] = s.keys.key(number, &mut draws);
            let factor = self.classes[class as usize].demand_factor;
            ahead.demands_ns[i] = Duration::from_nanos_f64(demand * factor).0;
        }
    }

    /// Settings change: what was drawn ahead may be drawn otherwise now.
    pub(super) fn forget_ahead(&mut self) {
        for source in &mut self.sources {
            source.ahead.forget();
        }
    }
}
