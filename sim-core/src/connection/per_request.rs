//! One request in flight on each connection, as in HTTP/1.1: as many connections as requests.
//!
//! A caller that gives up must close its connection: the answer would come all the same.
//!
//! Fielding, Nottingham and Reschke, RFC 9112, HTTP/1.1, 2022, sections 9.3 and 9.5.

use super::{
    ConnectionDef, IDLE, JITTER, MAX_AGE, MAX_REQUESTS, OF, OPEN, QUEUE, ROUND_TRIPS, Reuse, Terms,
    WAIT, check_common, common, count,
};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "per-request",
        about: "One request at a time on each connection, as in HTTP/1.1; kept for the next.",
        source: "RFC 9112, HTTP/1.1, 2022, section 9",
        params: &[
            count(
                "limit",
                "Most that are open; 0: as many as are needed.",
                "connections",
            ),
            ParamDef {
                name: "keep",
                about: "Most that are kept without a request; 0: each carries one request.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 4_000_000_000,
                    unit: "connections",
                },
                default: Some("1000000"),
            },
            ParamDef {
                name: "reuse",
                about: "Which of those that rest is used: the one that was used latest, the one that has rested longest, or the one that was opened first.",
                kind: ParamKind::Choice(&["latest", "oldest", "first"]),
                default: Some("latest"),
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
        keep: params.integer("keep") as u32,
        reuse: [Reuse::Latest, Reuse::Oldest, Reuse::First][params.choice("reuse")],
        ..common(params)
    },
};
