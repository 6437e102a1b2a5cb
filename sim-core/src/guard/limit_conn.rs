//! Limit of requests at once, as nginx counts connections.
//!
//! A connection counts while nginx works on a request of it, from when its head was read until the
//! answer is done; idle ones do not, nor do requests that another limit turned away before. With `by = "key"`
//! each address has a limit of its own.
//!
//! nginx 1.31, `ngx_http_limit_conn_module`.

use super::per_key::{BY, is_by_key};
use super::{Admission, Bounding, Guard, GuardDef, PLAIN, SHARED, Sees, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Instant;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "limit-conn",
        about: "So many requests at once, of all or of each key; further ones are refused.",
        source: "nginx 1.31, ngx_http_limit_conn_module",
        params: &[
            ParamDef {
                name: "limit",
                about: "Requests that may be in flight, of all or of each key.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 65_535,
                    unit: "requests",
                },
                default: None,
            },
            BY,
            SHARED,
        ],
    },
    build: |params| {
        Box::new(LimitConn {
            limit: params.integer("limit") as u32,
            by_key: is_by_key(params),
        })
    },
    sees: |params| {
        if is_by_key(params) {
            Sees::Key
        } else {
            Sees::Attempt
        }
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct LimitConn {
    limit: u32,
    by_key: bool,
}

impl Guard for LimitConn {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        let counted = if self.by_key {
            asked.alike
        } else {
            asked.in_flight
        };
        if counted < self.limit {
            Verdict::Pass
        } else {
            Verdict::Refuse
        }
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
    use crate::extension::ParamValue::{Choice, Integer};

    #[test]
    fn all_are_counted_or_those_of_the_key() {
        let verdict = |by, in_flight, alike| {
            let params = [("limit", Integer(2)), ("by", Choice(by))];
            let asked = Admission {
                in_flight,
                alike,
                ..asked(0, 1)
            };
            guard(&GUARD, &params).admit(&asked, &mut draws(0))
        };
        assert_eq!(verdict(0, 1, 0), Verdict::Pass);
        assert_eq!(verdict(0, 2, 0), Verdict::Refuse);
        assert_eq!(verdict(1, 9, 1), Verdict::Pass);
        assert_eq!(verdict(1, 9, 2), Verdict::Refuse);
    }
}
