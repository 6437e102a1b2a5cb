//! Controlled delay: a short timeout in a queue that has not been empty of late, a long one otherwise.
//!
//! A queue that was empty within the last `interval` takes up a burst, and whoever is in it may wait for
//! `interval`. One that was not will not get rid of its work by itself: whoever joins it may wait for no
//! longer than `target`. Who has waited longer when its turn comes is discarded. Together with the
//! discipline `adaptive-lifo` it is what Facebook runs: those who came last are served within the
//! target, and those who came first are dropped.
//!
//! Maurer, "Fail at scale", ACM Queue 13(8), 2015, "Controlled Delay": there the two are 5 and 100 ms.

use super::codel::{INTERVAL, TARGET, check};
use super::{Admission, Bounding, Guard, GuardDef, PLAIN, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef};
use crate::time::{Duration, Instant};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "controlled-delay",
        about: "Discards what has waited longer than a target, which is short while the queue has not been empty for an interval.",
        source: "Maurer, Fail at scale, ACM Queue 13(8), 2015",
        params: &[
            ParamDef {
                about: "Longest wait of those who join a queue that has not been empty for an interval.",
                ..TARGET
            },
            ParamDef {
                about: "How far back the queue must have been empty, and the longest wait of those who join it while it was.",
                ..INTERVAL
            },
        ],
    },
    stands: Stands::AtServers,
    watches_queue: true,
    check,
    build: |params| {
        Box::new(ControlledDelay {
            target: params.span("target"),
            interval: params.span("interval"),
            last_empty: Instant::ZERO,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct ControlledDelay {
    target: Duration,
    interval: Duration,
    /// When the queue was empty last. All that wait came since.
    last_empty: Instant,
}

impl Guard for ControlledDelay {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if asked.load.queued == 0 {
            self.last_empty = asked.now;
        }
        Verdict::Pass
    }

    fn begins(&mut self, asked: &Admission, waited: Duration) -> bool {
        // As it was decided when it joined: the queue has not been empty since.
        let joined = asked.now.0 - waited.0;
        let stands = joined.saturating_sub(self.last_empty.0) > self.interval.0;
        if asked.load.queued == 0 {
            self.last_empty = asked.now;
        }
        let most = if stands { self.target } else { self.interval };
        waited <= most
    }

    fn gauge(&self, now: Instant) -> (&'static str, f64) {
        let stands = now.0.saturating_sub(self.last_empty.0) > self.interval.0;
        ("queue_stands", f64::from(u8::from(stands)))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Load;
    use super::super::testing::{asked, draws, guard};
    use super::*;

    fn seen(at: u64, queued: u32) -> Admission {
        let load = Load {
            queued,
            ..Load::default()
        };
        Admission {
            load,
            ..asked(at, 1)
        }
    }

    #[test]
    fn who_joins_a_queue_that_stands_may_wait_for_the_target_only() {
        let mut delay = guard(&GUARD, &[]);
        assert_eq!(delay.admit(&seen(1000, 0), &mut draws(0)), Verdict::Pass);
        let mut begins = |at, waited, queued| {
            let waited = Duration::from_millis(waited);
            delay.begins(&seen(at, queued), waited)
        };
        // Joined at 1000, 1100: the queue was empty within the 100 ms before.
        assert!(begins(1100, 100, 5));
        assert!(!begins(1101, 101, 5));
        assert!(begins(1190, 90, 5));
        // Joined at 1101 and after: it was not.
        assert!(!begins(1190, 89, 5));
        assert!(begins(1190, 5, 5));
        assert!(!begins(1190, 6, 0), "and with it the queue is empty");
        assert!(begins(1195, 5, 3));
        assert!(begins(1280, 90, 3), "which is not long ago");
    }
}
