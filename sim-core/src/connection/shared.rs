//! Many requests in flight on each connection, as in HTTP/2 and gRPC: one is mostly enough.
//!
//! A further one is opened when all are full; a request goes to the one that carries least. Whoever
//! gives up a request keeps the connection.
//!
//! Thomson and Benfield, RFC 9113, HTTP/2, 2022: by section 6.5.2 no fewer than 100 streams at once
//! should be allowed.

use super::{
    ConnectionDef, IDLE, JITTER, MAX_AGE, MAX_REQUESTS, OF, OPEN, QUEUE, ROUND_TRIPS, Terms, WAIT,
    check_common, common,
};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "shared",
        about: "Many requests at a time on each connection, as in HTTP/2 and gRPC.",
        source: "RFC 9113, HTTP/2, 2022, section 5.1.2",
        params: &[
            ParamDef {
                name: "streams",
                about: "Requests that one carries at once.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 4_000_000_000,
                    unit: "requests",
                },
                default: Some("100"),
            },
            ParamDef {
                name: "limit",
                about: "Most that are open; 0: as many as are needed.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 10_000,
                    unit: "connections",
                },
                default: Some("1"),
            },
            OPEN,
            ROUND_TRIPS,
            IDLE,
            MAX_AGE,
            JITTER,
            MAX_REQUESTS,
            QUEUE,
            WAIT,
            OF,
        ],
    },
    check: check_common,
    build: |params| Terms {
        streams: params.integer("streams") as u32,
        ..common(params)
    },
};
