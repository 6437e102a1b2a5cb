//! The pool of psycopg 3.
//!
//! Waiting requests stand in line, and a connection that is given back is handed to the first of them. Of those
//! that rest the one that has rested longest is used. Each lives for `max_lifetime`, less up to a twentieth.
//!
//! The pool opens `min_size` connections at its start and again when some are lost; here all are opened when they
//! are first needed, and what is unused for `max_idle` is closed where `max_size` allows more than `min_size`.
//! `psycopg_pool` 3.3.3, observed.

use super::{
    ConnectionDef, OPEN, POOL_OF, ROUND_TRIPS, Reuse, Terms, count, endless, most, some_number,
    some_span, span,
};
use crate::extension::{ExtensionRow, ParamProblem, Params};
use crate::time::Duration;

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "psycopg-pool",
        about: "The pool of psycopg 3: four connections, which are handed to those who wait in line for up to 30 s.",
        source: "psycopg_pool 3.3.3, observed",
        params: &[
            most("min_size", "Connections that it has at least.", "4"),
            most(
                "max_size",
                "Connections that it has at most; 0: `min_size`.",
                "0",
            ),
            span(
                "timeout",
                "Longest wait for one; 0s: as long as the caller waits.",
                "30s",
            ),
            count(
                "max_waiting",
                "Requests that may wait; a further one fails at once. 0: any number.",
                "requests",
            ),
            span(
                "max_lifetime",
                "An older one is replaced; up to a twentieth of it is taken off at random.",
                "1h",
            ),
            span(
                "max_idle",
                "One that is unused for so long is closed, where there may be more than `min_size`.",
                "10m",
            ),
            OPEN,
            ROUND_TRIPS,
            POOL_OF,
        ],
    },
    check,
    build: |params| Terms {
        limit: Some(largest(params)),
        wait: some_span(params, "timeout"),
        queue: some_number(params, "max_waiting").unwrap_or(u32::MAX),
        // From 95 % to 100 %.
        max_age: some_span(params, "max_lifetime").map(|life| Duration(life.0 / 40 * 39)),
        jitter: 1.0 / 39.0,
        idle: some_span(params, "max_idle")
            .filter(|_| largest(params) > params.integer("min_size") as u32),
        reuse: Reuse::Oldest,
        ..endless(params)
    },
};

/// Connections that it has at most.
fn largest(params: &Params) -> u32 {
    some_number(params, "max_size").unwrap_or(params.integer("min_size") as u32)
}

fn check(params: &Params) -> Result<(), ParamProblem> {
    let min = params.integer("min_size") as u32;
    if largest(params) == 0 {
        return Err(ParamProblem {
            param: "max_size",
            message: "a pool that may have no connection serves nobody".to_owned(),
        });
    }
    if largest(params) < min {
        return Err(ParamProblem {
            param: "max_size",
            message: format!("it is less than the {min} of min_size"),
        });
    }
    Ok(())
}
