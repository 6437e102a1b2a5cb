//! Rate limit by a counter of two periods, as `HAProxy`'s stick tables have it.
//!
//! A counter knows how many came in the present period and in the one before. What it says is the first
//! and of the second what is left of the present period: steady traffic is counted right, but a burst
//! counts in full for a period and then fades, so that it is remembered for one to two periods.
//! Periods begin when something is counted after a pause, on the millisecond. Those who are
//! denied are counted like the others where counting comes first, as with `track-sc0` before `deny`: whoever
//! goes on at more than the limit then gets nothing at all.
//!
//! `HAProxy` 3.4, `http_req_rate(period)`, `src/freq_ctr.c`.

use super::per_key::{BY, KEYS, PerKey, is_by_key, sees};
use super::{Admission, Bounding, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "rate-counter",
        about: "Refuses while more came within a period, as HAProxy counts it from the present and the last period.",
        source: "HAProxy 3.4, http_req_rate, src/freq_ctr.c",
        params: &[
            ParamDef {
                name: "limit",
                about: "What the counter may say; while it says more, attempts are refused.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 4_000_000_000,
                    unit: "attempts",
                },
                default: None,
            },
            ParamDef {
                name: "period",
                about: "What the counter counts over, in whole milliseconds.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "counts",
                about: "What is counted: all attempts, or only those that are passed.",
                kind: ParamKind::Choice(&["all", "passed"]),
                default: Some("all"),
            },
            BY,
            KEYS,
            SHARED,
        ],
    },
    build: |params| {
        Box::new(RateCounter {
            limit: params.integer("limit"),
            period_ms: params.span("period").0 / MILLISECOND_NS,
            counts_all: params.choice("counts") == 0,
            by_key: is_by_key(params),
            counters: PerKey::new(params),
            latest: 0,
        })
    },
    sees,
    bounds: Bounding::Perhaps,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct RateCounter {
    limit: u64,
    period_ms: u64,
    counts_all: bool,
    by_key: bool,
    counters: PerKey<Counter>,
    /// What the counter asked last said, for the gauge.
    latest: u64,
}

const MILLISECOND_NS: u64 = 1_000_000;

/// A frequency counter.
#[derive(Clone, Debug)]
struct Counter {
    /// When the present period began, in milliseconds.
    began_ms: u64,
    present: u64,
    last: u64,
}

impl Counter {
    /// One more, at a time.
    fn count(&mut self, now_ms: u64, period_ms: u64) {
        let elapsed = now_ms - self.began_ms;
        if elapsed >= period_ms {
            self.last = std::mem::take(&mut self.present);
            self.began_ms += period_ms;
            if elapsed >= 2 * period_ms {
                (self.last, self.began_ms) = (0, now_ms);
            }
        }
        self.present += 1;
    }

    /// What it says at a time.
    fn read(&self, now_ms: u64, period_ms: u64) -> u64 {
        let elapsed = now_ms - self.began_ms;
        let (present, last, left) = if elapsed <= period_ms {
            (self.present, self.last, period_ms - elapsed)
        } else if elapsed <= 2 * period_ms {
            (0, self.present, 2 * period_ms - elapsed)
        } else {
            return 0;
        };
        if present == 0 && last <= 1 {
            // A lonely one does not fade, lest low rates flap.
            return last;
        }
        let faded = u128::from(last) * u128::from(left) / u128::from(period_ms);
        present + faded as u64
    }
}

impl Guard for RateCounter {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        let now_ms = asked.now.0 / MILLISECOND_NS;
        let key = if self.by_key { asked.who.key } else { 0 };
        let (counter, _) = self.counters.of(key, || Counter {
            began_ms: now_ms,
            present: 0,
            last: 0,
        });
        if self.counts_all {
            counter.count(now_ms, self.period_ms);
        }
        self.latest = counter.read(now_ms, self.period_ms);
        if self.latest > self.limit {
            return Verdict::Refuse;
        }
        if !self.counts_all {
            counter.count(now_ms, self.period_ms);
        }
        Verdict::Pass
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("rate", self.latest as f64)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, guard};
    use super::*;
    use crate::extension::ParamValue::{Choice, Integer, Span};

    /// A counter over 10 s, from 0 on, in which 30 were counted at some time.
    fn burst(at_ms: u64) -> Counter {
        let mut counter = Counter {
            began_ms: 0,
            present: 0,
            last: 0,
        };
        (0..30).for_each(|_| counter.count(at_ms, 10_000));
        counter
    }

    #[test]
    fn a_burst_stays_for_a_period_and_fades_in_the_next() {
        // Observed on HAProxy 2.6: 30 for ten seconds, then 29, 26, 23 … 2, 0 at twenty.
        let counter = burst(0);
        let read = |seconds: f64| counter.read((seconds * 1e3) as u64, 10_000);
        assert_eq!([0.0, 5.0, 10.0].map(read), [30; 3]);
        assert_eq!(
            [10.1, 11.1, 12.1, 19.1, 20.0, 25.0].map(read),
            [29, 26, 23, 2, 0, 0]
        );
        // Nine seconds into a period it begins to fade after one.
        let late = burst(9_000);
        let read = |seconds: u64| late.read(seconds * 1_000, 10_000);
        assert_eq!([9, 10, 15, 18, 20].map(read), [30, 30, 15, 6, 0]);
    }

    #[test]
    fn periods_follow_each_other_and_begin_anew_after_a_pause() {
        let mut counter = burst(0);
        counter.count(12_000, 10_000);
        // One of the period that began at 10 s, and eight tenths of thirty.
        assert_eq!(counter.read(12_000, 10_000), 25);
        counter.count(41_000, 10_000);
        assert_eq!(
            (counter.began_ms, counter.read(41_000, 10_000)),
            (41_000, 1)
        );
        assert_eq!(
            counter.read(60_999, 10_000),
            1,
            "a lonely one does not fade"
        );
        assert_eq!(counter.read(61_001, 10_000), 0);
    }

    /// How many pass of those that come at a steady distance, and which is refused first.
    fn steady(every_ms: f64, count: u32, counts: usize) -> (usize, Option<usize>) {
        let params = [
            ("limit", Integer(20)),
            ("period", Span(Duration::from_secs(10))),
            ("counts", Choice(counts)),
        ];
        let mut counter = guard(&GUARD, &params);
        let passes = (0..count).map(|n| {
            let at = (f64::from(n) * every_ms) as u64;
            counter.admit(&asked(at, 1), &mut draws(0)) == Verdict::Pass
        });
        let passes: Vec<bool> = passes.collect();
        let first = passes.iter().position(|passed| !passed);
        (passes.iter().filter(|passed| **passed).count(), first)
    }

    #[test]
    fn who_goes_on_at_more_than_the_limit_gets_nothing_at_all() {
        // Observed on HAProxy 2.6 with `gt 20`: three a second, and the 21st and all after it are denied.
        assert_eq!(steady(1000.0 / 3.0, 135, 0), (20, Some(20)));
        // 2.1 a second: 20 of 96.
        assert_eq!(steady(1000.0 / 2.1, 96, 0), (20, Some(20)));
        // Where those who are denied do not count, about twenty pass in each ten seconds.
        let (passed, first) = steady(1000.0 / 3.0, 135, 1);
        assert!((85..=100).contains(&passed), "{passed}");
        assert_eq!(first, Some(21));
    }
}
