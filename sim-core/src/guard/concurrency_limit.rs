//! Concurrency limit: a bulkhead.
//!
//! So many attempts at once; who comes beyond waits in line, if there is a place, or is refused.
//!
//! M. T. Nygard, "Release It!", Pragmatic Bookshelf, 2007, chapter 5, "Bulkheads".

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};

/// Places for those who wait.
pub(super) const QUEUE: ParamDef = ParamDef {
    name: "queue",
    about: "Attempts that may wait for one of those to end; a further one is refused.",
    kind: ParamKind::Integer {
        min: 0,
        max: 4_000_000_000,
        unit: "attempts",
    },
    default: Some("0"),
};

/// How long they wait.
pub(super) const WAIT: ParamDef = ParamDef {
    name: "wait",
    about: "Longest wait; who has waited so long is refused.",
    kind: ParamKind::Span { min: Duration(1) },
    default: Some("1h"),
};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "concurrency-limit",
        about: "So many attempts at once; further ones wait or are refused.",
        source: "Nygard, Release It!, 2007, chapter 5, Bulkheads",
        params: &[
            ParamDef {
                name: "limit",
                about: "Attempts that may be in flight.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 4_000_000_000,
                    unit: "attempts",
                },
                default: None,
            },
            QUEUE,
            WAIT,
            SHARED,
        ],
    },
    build: |params| {
        Box::new(ConcurrencyLimit {
            limit: params.integer("limit") as u32,
            queue: params.integer("queue") as u32,
            wait: params.span("wait"),
        })
    },
    bounds: Bounding::Number(|params| (params.integer("limit") + params.integer("queue")) as f64),
    ..PLAIN
};

#[derive(Clone, Debug)]
struct ConcurrencyLimit {
    limit: u32,
    queue: u32,
    wait: Duration,
}

/// The verdict under a limit.
pub(super) fn within(limit: u32, queue: u32, wait: Duration, asked: &Admission) -> Verdict {
    if asked.in_flight < limit {
        Verdict::Pass
    } else if asked.waiting < queue {
        Verdict::Wait(wait)
    } else {
        Verdict::Refuse
    }
}

impl Guard for ConcurrencyLimit {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        within(self.limit, self.queue, self.wait, asked)
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("limit", f64::from(self.limit))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, guard};
    use super::*;
    use crate::extension::ParamValue::Integer;

    #[test]
    fn beyond_the_limit_they_wait_and_beyond_the_queue_they_are_refused() {
        let mut limit = guard(&GUARD, &[("limit", Integer(2)), ("queue", Integer(1))]);
        let mut admit = |in_flight, waiting| {
            let asked = Admission {
                in_flight,
                waiting,
                ..asked(0, 1)
            };
            limit.admit(&asked, &mut draws(0))
        };
        assert_eq!(admit(1, 0), Verdict::Pass);
        assert_eq!(admit(2, 0), Verdict::Wait(Duration::from_secs(3600)));
        assert_eq!(admit(2, 1), Verdict::Refuse);
    }
}
