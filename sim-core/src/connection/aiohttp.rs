//! The connector of aiohttp.
//!
//! A hundred connections at most; who finds none waits in line, for as long as the request may take. Of those that
//! rest the one that has rested longest is used. aiohttp 3.14.5, observed.

use super::{
    ConnectionDef, OPEN, POOL_OF, ROUND_TRIPS, Reuse, Terms, endless, most, some_number, some_span,
    span,
};
use crate::extension::ExtensionRow;

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "aiohttp",
        about: "The connector of aiohttp: a hundred connections, kept for 15 s, and a line without an end of its own.",
        source: "aiohttp 3.14.5, TCPConnector, observed",
        params: &[
            most(
                "limit",
                "Connections at most; 0: as many as are needed.",
                "100",
            ),
            span(
                "keepalive_timeout",
                "One that has carried nothing for so long is closed.",
                "15s",
            ),
            OPEN,
            ROUND_TRIPS,
            POOL_OF,
        ],
    },
    check: |_| Ok(()),
    build: |params| Terms {
        limit: some_number(params, "limit"),
        idle: some_span(params, "keepalive_timeout"),
        reuse: Reuse::Oldest,
        ..endless(params)
    },
};
