//! Envoy's circuit breakers: limits on connections, pending requests and requests of a cluster.
//!
//! They break nothing and learn nothing: what would go beyond a limit is refused at once. With HTTP/1.1 a request needs a
//! connection to itself: up to `max_connections` are active and `max_pending_requests` more wait; where `max_requests` is less
//! than there may be connections, what goes beyond it is refused, since it need not wait for one. With HTTP/2 requests share connections, so that `max_requests` alone decides. A limit of 0 lets nothing
//! through. Retries have a limit of their own, `envoy-retry-limit`.
//!
//! Two things are simpler here: a request waits for any connection, where Envoy's waits for one of the server that it was given, to which
//! one may always be opened; and while a connection is being opened its request does not count as pending.

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::{Duration, Instant};

const fn limit(name: &'static str, about: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Integer {
            min: 0,
            max: 4_000_000_000,
            unit: "attempts",
        },
        default: Some("1024"),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "envoy-circuit-breaker",
        about: "Limits of a cluster: connections, requests that wait for one, requests; what goes beyond is refused at once.",
        source: "Envoy 1.40, circuit_breakers.thresholds, resource_manager_impl.h",
        params: &[
            ParamDef {
                name: "protocol",
                about: "Whether a request has a connection to itself (\"http1\") or shares one (\"http2\").",
                kind: ParamKind::Choice(&["http1", "http2"]),
                default: Some("http1"),
            },
            limit(
                "max_connections",
                "With HTTP/1.1: attempts that have a connection; others wait.",
            ),
            limit(
                "max_pending_requests",
                "Attempts that may wait for a connection.",
            ),
            limit("max_requests", "Attempts in flight."),
            SHARED,
        ],
    },
    build: |params| {
        Box::new(CircuitBreaker {
            active: active(params),
            pending: params.integer("max_pending_requests") as u32,
            none: params.integer("max_pending_requests") == 0,
            waits: params.choice("protocol") == 0
                && params.integer("max_connections") <= params.integer("max_requests"),
        })
    },
    bounds: Bounding::Number(|params| {
        f64::from(active(params)) + params.integer("max_pending_requests") as f64
    }),
    ..PLAIN
};

/// Attempts that may be under way at once.
fn active(params: &Params) -> u32 {
    let requests = params.integer("max_requests");
    let connections = params.integer("max_connections");
    let most = if params.choice("protocol") == 0 {
        requests.min(connections)
    } else {
        requests
    };
    most as u32
}

/// Nobody waits longer: the request's own time is over before.
const WAIT: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
struct CircuitBreaker {
    active: u32,
    pending: u32,
    /// Whether nobody may even be pending for a moment, as everybody is.
    none: bool,
    /// Whether it is connections that run out, for which one may wait.
    waits: bool,
}

impl Guard for CircuitBreaker {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if self.none {
            Verdict::Refuse
        } else if asked.in_flight < self.active {
            Verdict::Pass
        } else if self.waits && asked.waiting < self.pending {
            Verdict::Wait(WAIT)
        } else {
            Verdict::Refuse
        }
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("limit", f64::from(self.active))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, guard};
    use super::*;
    use crate::extension::ParamValue::{self, Choice, Integer};

    fn says(some: &[(&'static str, ParamValue)], in_flight: u32, waiting: u32) -> Verdict {
        let asked = Admission {
            in_flight,
            waiting,
            ..asked(0, 1)
        };
        guard(&GUARD, some).admit(&asked, &mut draws(0))
    }

    /// Measured with connections 1 and pending 1, requests 50 ms apart: one active, one pending, the others refused.
    #[test]
    fn case_291_breaker_independent() {
        let some = [
            ("max_connections", Integer(1)),
            ("max_pending_requests", Integer(2)),
            ("max_requests", Integer(1)),
        ];
        assert_eq!(says(&some, 0, 0), Verdict::Pass);
        assert_eq!(says(&some, 1, 0), Verdict::Wait(WAIT));
        assert_eq!(says(&some, 1, 1), Verdict::Wait(WAIT));
        assert_eq!(says(&some, 1, 2), Verdict::Refuse);
        // More than the limit for a moment, after it was lowered, is no reason to let anybody in.
        assert_eq!(says(&some, 7, 2), Verdict::Refuse);
        for zero in ["max_connections", "max_pending_requests", "max_requests"] {
            let some = [(zero, Integer(0))];
            assert_ne!(says(&some, 0, 0), Verdict::Pass, "{zero}");
        }
    }

    /// Measured with 1.40.0: of 10 requests at once 4 are served and 6 refused.
    #[test]
    fn beyond_max_requests_nobody_waits_where_connections_are_left() {
        let some = [("max_requests", Integer(4))];
        assert_eq!(says(&some, 3, 0), Verdict::Pass);
        assert_eq!(says(&some, 4, 0), Verdict::Refuse);
    }

    #[test]
    fn with_http2_nobody_waits_for_a_connection() {
        let some = [
            ("protocol", Choice(1)),
            ("max_connections", Integer(1)),
            ("max_requests", Integer(4)),
        ];
        assert_eq!(says(&some, 3, 0), Verdict::Pass);
        assert_eq!(says(&some, 4, 0), Verdict::Refuse);
    }
}
