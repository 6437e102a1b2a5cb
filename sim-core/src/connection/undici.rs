//! The pool of undici, which is behind Node's `fetch`, to one host.
//!
//! As many connections as are needed, or `connections`: then others wait in line. Each carries one request at a
//! time (`pipelining` 1), and the one opened first of those that rest is used. undici 8.13.1, observed but for the
//! order, which is that of its source.

use super::{
    ConnectionDef, OPEN, POOL_OF, ROUND_TRIPS, Reuse, Terms, endless, most, some_number, some_span,
    span,
};
use crate::extension::ExtensionRow;

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "undici",
        about: "The pool of undici to one host: as many connections as are needed, kept for 4 s.",
        source: "undici 8.13.1, Agent and Pool, observed",
        params: &[
            most(
                "connections",
                "Connections at most; 0: as many as are needed.",
                "0",
            ),
            span(
                "keep_alive_timeout",
                "One that has carried nothing for so long is closed.",
                "4s",
            ),
            OPEN,
            ROUND_TRIPS,
            POOL_OF,
        ],
    },
    check: |_| Ok(()),
    build: |params| Terms {
        limit: some_number(params, "connections"),
        idle: some_span(params, "keep_alive_timeout"),
        reuse: Reuse::First,
        ..endless(params)
    },
};
