//! Queue timeout: work that has waited too long is not begun.
//!
//! A server looks at how long an attempt has waited when its turn comes, and discards those that have
//! waited longer than `timeout`: their callers have mostly given up, and a queue longer than that
//! only makes everybody late. It costs a worker nothing. As `HAProxy`'s `timeout queue`, except that what
//! is discarded still takes a place in the queue until its turn comes (`patience` is the one that
//! leaves by itself).
//!
//! `HAProxy` 3.4, configuration manual, "timeout queue".

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "queue-timeout",
        about: "Discards work whose turn comes after it has waited too long for a worker.",
        source: "HAProxy 3.4, configuration manual, timeout queue",
        params: &[ParamDef {
            name: "timeout",
            about: "Longest wait; who has waited longer is not begun.",
            kind: ParamKind::Span { min: Duration(1) },
            default: None,
        }],
    },
    stands: Stands::AtServers,
    watches_queue: true,
    build: |params| {
        Box::new(QueueTimeout {
            timeout: params.span("timeout"),
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct QueueTimeout {
    timeout: Duration,
}

impl Guard for QueueTimeout {
    fn admit(&mut self, _: &Admission, _: &mut Draws) -> Verdict {
        Verdict::Pass
    }

    fn begins(&mut self, _: &Admission, waited: Duration) -> bool {
        waited <= self.timeout
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("timeout_s", self.timeout.as_secs_f64())
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, guard};
    use super::*;
    use crate::extension::ParamValue::Span;

    #[test]
    fn who_has_waited_longer_is_not_begun() {
        let timeout = Span(Duration::from_millis(50));
        let mut queue = guard(&GUARD, &[("timeout", timeout)]);
        let mut begins = |millis| queue.begins(&asked(100, 1), Duration::from_millis(millis));
        assert_eq!([begins(0), begins(50), begins(51)], [true, true, false]);
    }
}
