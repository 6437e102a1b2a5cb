//! `CoDel` for requests: one look at the least wait of each interval.
//!
//! A server is overloaded if the least wait of the interval before was above `target`. As long as it is,
//! it discards each attempt that has waited longer than twice the target, instead of one now and then:
//! callers of a server, unlike those of a router, do not slow down because one of their packets is
//! lost. The first of an interval is never discarded.
//!
//! `folly/executors/Codel.cpp` of Facebook's folly, v2025.01, used by its Thrift servers; its idea is in
//! Maurer, "Fail at scale", ACM Queue 13(8), 2015.

use super::codel::{INTERVAL, TARGET, check};
use super::{Admission, Bounding, Guard, GuardDef, PLAIN, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use crate::time::{Duration, Instant};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "interval-codel",
        about: "Discards what has waited longer than twice a target while the least wait of the last interval was above it.",
        source: "folly v2025.01, executors/Codel.cpp",
        params: &[TARGET, INTERVAL],
    },
    stands: Stands::AtServers,
    watches_queue: true,
    check,
    build: |params| {
        Box::new(IntervalCodel {
            target: params.span("target"),
            interval: params.span("interval"),
            ends: 0,
            least: None,
            overloaded: false,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct IntervalCodel {
    target: Duration,
    interval: Duration,
    /// When the present interval ends.
    ends: u64,
    /// The least wait in it; none: nobody has begun yet.
    least: Option<Duration>,
    overloaded: bool,
}

impl Guard for IntervalCodel {
    fn admit(&mut self, _: &Admission, _: &mut Draws) -> Verdict {
        Verdict::Pass
    }

    fn begins(&mut self, asked: &Admission, waited: Duration) -> bool {
        let now = asked.now.0;
        if now > self.ends
            && let Some(least) = self.least.take()
        {
            self.ends = now.saturating_add(self.interval.0);
            self.overloaded = least > self.target;
        }
        let Some(least) = &mut self.least else {
            self.least = Some(waited);
            return true;
        };
        *least = waited.min(*least);
        !(self.overloaded && waited.0 > self.target.0.saturating_mul(2))
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("overloaded", f64::from(u8::from(self.overloaded)))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, guard};
    use super::*;

    #[test]
    fn an_interval_of_long_waits_condemns_those_of_the_next() {
        let mut codel = guard(&GUARD, &[]);
        let mut begins = |at, waited| codel.begins(&asked(at, 1), Duration::from_millis(waited));
        assert!(begins(10, 50), "the first of all");
        // The first interval is that up to the second attempt.
        assert!(begins(20, 50), "the first of the second interval");
        assert!(!begins(21, 11), "more than twice the target");
        assert!(begins(22, 10), "twice the target");
        assert!(begins(60, 6));
        // It ends at 120. The least wait in it was 6 ms: still overloaded.
        assert!(!begins(120, 50));
        assert!(begins(121, 50), "the first of the third interval");
        assert!(!begins(122, 50));
        assert!(begins(150, 5), "no longer than the target");
        assert!(begins(222, 50), "the first of the fourth interval");
        assert!(begins(223, 50), "no overload any more");
    }
}
