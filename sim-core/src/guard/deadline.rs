//! Deadline propagation.
//!
//! Every attempt carries the moment at which somebody above it stops waiting: its caller's timeout
//! or deadline, or that of a caller further up. This guard refuses work that nobody waits for any
//! more, or that would hardly be done in time. At a server it looks again when a worker becomes
//! free, so that an overloaded queue does not waste its workers on the dead; at a caller it also
//! gives up no later than those above would.
//!
//! "Site Reliability Engineering", O'Reilly 2016, chapter 22, "Latency and Deadlines"; gRPC
//! propagates deadlines in this way.

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "deadline",
        about: "Refuses work whose answer nobody would wait for, when it comes and when its service begins.",
        source: "Site Reliability Engineering, O'Reilly 2016, chapter 22, Latency and Deadlines",
        params: &[ParamDef {
            name: "margin",
            about: "Time that must be left; what has less is refused.",
            kind: ParamKind::Span {
                min: Duration::ZERO,
            },
            default: Some("0s"),
        }],
    },
    keeps_deadlines: true,
    build: |params| {
        Box::new(Deadline {
            margin: params.span("margin"),
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct Deadline {
    margin: Duration,
}

impl Deadline {
    fn in_time(&self, asked: &Admission) -> bool {
        let left = |until: Instant| until.0.saturating_sub(asked.now.0);
        asked.until.is_none_or(|until| left(until) > self.margin.0)
    }
}

impl Guard for Deadline {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if self.in_time(asked) {
            Verdict::Pass
        } else {
            Verdict::Refuse
        }
    }

    fn begins(&mut self, asked: &Admission, _: Duration) -> bool {
        self.in_time(asked)
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("margin_s", self.margin.as_secs_f64())
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, at, draws, guard};
    use super::*;
    use crate::extension::ParamValue::Span;

    #[test]
    fn what_cannot_be_in_time_is_refused() {
        let margin = Span(Duration::from_millis(10));
        let mut deadline = guard(&GUARD, &[("margin", margin)]);
        let mut admit = |until| {
            let asked = Admission {
                until,
                ..asked(100, 1)
            };
            deadline.admit(&asked, &mut draws(0))
        };
        assert_eq!(admit(None), Verdict::Pass);
        assert_eq!(admit(Some(at(111))), Verdict::Pass);
        assert_eq!(admit(Some(at(110))), Verdict::Refuse);
        assert_eq!(admit(Some(at(50))), Verdict::Refuse, "long past");
    }
}
