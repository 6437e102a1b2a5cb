//! How arrivals went: until when any came, and when more came than at the end.

use super::evidence::Evidence;
use super::window::{ARRIVALS, WINDOW_S};
use crate::metric::Scope;
use crate::record::history::History;
use std::ops::Range;

/// A time of more arrivals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surge {
    pub peak_hz: f64,
    pub from_s: f64,
    pub until_s: f64,
}

impl Surge {
    /// The same without what is no part of it at its ends: intervals that have no more than half of what it
    /// adds to `usual_hz`.
    fn within(self, arrived: &[u64], width_s: f64, usual_hz: f64) -> Self {
        if !usual_hz.is_finite() {
            return self;
        }
        let at = |s: f64| ((s / width_s).round() as usize).min(arrived.len());
        let range = at(self.from_s)..at(self.until_s);
        let high = |&n: &u64| n as f64 / width_s > f64::midpoint(self.peak_hz, usual_hz);
        let of_it = &arrived[range.clone()];
        let ends = (of_it.iter().position(high), of_it.iter().rposition(high));
        let (Some(first), Some(last)) = ends else {
            return self;
        };
        let came: u64 = of_it[first..=last].iter().sum();
        let (from, until) = (range.start + first, range.start + last + 1);
        Self {
            peak_hz: self
                .peak_hz
                .max(came as f64 / ((until - from) as f64 * width_s)),
            from_s: from as f64 * width_s,
            until_s: until as f64 * width_s,
        }
    }
}

impl Evidence<'_> {
    /// How arrivals went over the run: until when any came, and when more came than now.
    pub(super) fn read_arrivals(&mut self, history: &History, window: &Range<usize>) {
        let width_s = history.interval_ns() as f64 / 1e9;
        let flows = history.flows();
        let came = |i: usize| -> u64 {
            let flows = flows.clone();
            flows.map(|f| u64::from(history.flow(i, f).arrived)).sum()
        };
        let arrived: Vec<u64> = (0..window.start).map(came).collect();
        let second = (1.0 / width_s).ceil().max(1.0) as usize;
        let latest: Vec<u64> = window.clone().map(came).collect();
        let peak = latest
            .chunks(second)
            .map(|n| n.iter().sum::<u64>() as f64 / (second as f64 * width_s));
        self.peak_hz = peak.fold(0.0, f64::max);
        let later = latest.iter().rposition(|&n| n > 0);
        let later = later.map(|i| window.start + i);
        let last = later.or_else(|| arrived.iter().rposition(|&n| n > 0));
        self.last_arrival_s = last.map(|i| history.end_ns(i) as f64 / 1e9);
        if let Some(last) = last.filter(|_| self.arrived == 0) {
            let from = last.saturating_sub((WINDOW_S / width_s) as usize);
            let total = history.total(Scope::Site, from..window.end);
            self.last_outcomes = total.window().outcomes;
        }
        // A bin of ten seconds, or what has enough requests in it.
        let mean = self.arrived_ever as f64 / history.len() as f64;
        let bin = (10.0 / width_s)
            .max(ARRIVALS as f64 / mean.max(1e-9))
            .ceil()
            .max(1.0) as usize;
        let now_hz = self.offered_hz();
        let Some(tightest) = self.tightest() else {
            return;
        };
        let room_hz = if tightest.load() > 0.0 && tightest.load().is_finite() {
            now_hz / tightest.load()
        } else {
            f64::INFINITY
        };
        let high = |hz: f64| hz > 1.2 * now_hz && hz > room_hz;
        let mut surge: Option<Surge> = None;
        for (i, bin_of) in arrived.chunks(bin).enumerate() {
            let hz = bin_of.iter().sum::<u64>() as f64 / (bin_of.len() as f64 * width_s);
            if high(hz) {
                let (from_s, until_s) = (
                    (i * bin) as f64 * width_s,
                    (i * bin + bin_of.len()) as f64 * width_s,
                );
                let before = surge.unwrap_or(Surge {
                    peak_hz: 0.0,
                    from_s,
                    until_s,
                });
                surge = Some(Surge {
                    peak_hz: before.peak_hz.max(hz),
                    from_s: before.from_s,
                    until_s,
                });
            }
        }
        self.surge = surge.map(|surge| surge.within(&arrived, width_s, now_hz.max(room_hz)));
    }
}
