//! The pool of httpx.
//!
//! A hundred connections at most; who finds none waits for up to 5 s. That time begins anew whenever one comes free
//! and another gets it: a wait fails only where nothing moves. Of those that rest the one opened first is used.
//!
//! `max_keepalive_connections` is compared with all connections, those at work included: with more than 20 of
//! them none is kept, and each request opens its own. httpx 0.28.1 with httpcore 1.0.9, its source, observed. Who
//! waits gets one in order; there threads race.

use super::{
    ConnectionDef, OPEN, POOL_OF, ROUND_TRIPS, Reuse, Terms, endless, most, some_number, some_span,
    span,
};
use crate::extension::ExtensionRow;

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "httpx",
        about: "The pool of httpx: a hundred connections, none of which is kept while there are more than twenty; a wait of up to 5 s since one last came free.",
        source: "httpx 0.28.1 with httpcore 1.0.9, connection_pool.py, observed",
        params: &[
            most(
                "max_connections",
                "Connections at most; 0: as many as are needed.",
                "100",
            ),
            most(
                "max_keepalive_connections",
                "With more than so many in all, one that carries nothing is closed.",
                "20",
            ),
            span(
                "keepalive_expiry",
                "One that has carried nothing for so long is closed; 0s: never.",
                "5s",
            ),
            span(
                "timeout",
                "Longest wait for one since one last came free; 0s: as long as the caller waits.",
                "5s",
            ),
            OPEN,
            ROUND_TRIPS,
            POOL_OF,
        ],
    },
    check: |_| Ok(()),
    build: |params| Terms {
        limit: some_number(params, "max_connections"),
        keep: params.integer("max_keepalive_connections") as u32,
        keep_counts_all: true,
        idle: some_span(params, "keepalive_expiry"),
        wait: some_span(params, "timeout"),
        wait_restarts: true,
        reuse: Reuse::First,
        ..endless(params)
    },
};
