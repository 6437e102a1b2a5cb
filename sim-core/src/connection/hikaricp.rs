//! `HikariCP`.
//!
//! Ten connections, all kept; who finds none waits in line for up to 30 s. A connection lives for `max_lifetime`,
//! less up to a fortieth. A thread prefers the connections that it had before; here the one that was used latest
//! is taken. All are opened when they are first needed, not at the start. By its documentation.

use super::{ConnectionDef, OPEN, POOL_OF, ROUND_TRIPS, Terms, endless, most, some_span, span};
use crate::extension::{ExtensionRow, ParamProblem, Params};
use crate::time::Duration;

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "hikaricp",
        about: "The pool of HikariCP: ten connections, a wait of up to 30 s, a life of up to half an hour.",
        source: "HikariCP 5.1, README and HikariConfig; not observed",
        params: &[
            most(
                "maximum_pool_size",
                "Connections that it has at most.",
                "10",
            ),
            span(
                "connection_timeout",
                "Longest wait for one, 250ms at least.",
                "30s",
            ),
            span(
                "max_lifetime",
                "An older one is replaced; up to a fortieth of it is taken off at random. 0s: it may get as old as it likes.",
                "30m",
            ),
            OPEN,
            ROUND_TRIPS,
            POOL_OF,
        ],
    },
    check,
    build: |params| Terms {
        limit: Some(params.integer("maximum_pool_size") as u32),
        wait: some_span(params, "connection_timeout"),
        // From 97.5 % to 100 %.
        max_age: some_span(params, "max_lifetime").map(|life| Duration(life.0 / 80 * 79)),
        jitter: if params.span("max_lifetime").is_zero() {
            0.0
        } else {
            1.0 / 79.0
        },
        ..endless(params)
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.integer("maximum_pool_size") == 0 {
        return Err(ParamProblem {
            param: "maximum_pool_size",
            message: "a pool without connections serves nobody".to_owned(),
        });
    }
    if params.span("connection_timeout") < Duration::from_millis(250) {
        return Err(ParamProblem {
            param: "connection_timeout",
            message: "HikariCP takes no less than 250ms".to_owned(),
        });
    }
    Ok(())
}
