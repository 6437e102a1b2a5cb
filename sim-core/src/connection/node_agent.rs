//! The agent of Node's `http`, to one host.
//!
//! As many connections as are needed, of which 256 are kept for 5 s, the latest used first; with `max_sockets`
//! others wait in line, for as long as the request may take. Node 24, its documentation of `http.Agent` and the
//! settings of its global agent.

use super::{
    ConnectionDef, OPEN, POOL_OF, ROUND_TRIPS, Reuse, Terms, endless, most, some_number, some_span,
    span,
};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "node-agent",
        about: "The agent of Node to one host: as many connections as are needed, 256 of them kept for 5 s.",
        source: "Node 24, http.Agent and globalAgent, its documentation; not observed",
        params: &[
            most(
                "max_sockets",
                "Connections at most; 0: as many as are needed.",
                "0",
            ),
            most("max_free_sockets", "Connections that are kept.", "256"),
            span(
                "timeout",
                "One that has carried nothing for so long is closed; 0s: never.",
                "5s",
            ),
            ParamDef {
                name: "scheduling",
                about: "Which of those that rest is used: the one that was used latest, \"lifo\", or the one that has rested longest, \"fifo\".",
                kind: ParamKind::Choice(&["lifo", "fifo"]),
                default: Some("lifo"),
            },
            OPEN,
            ROUND_TRIPS,
            POOL_OF,
        ],
    },
    check: |_| Ok(()),
    build: |params| Terms {
        limit: some_number(params, "max_sockets"),
        keep: params.integer("max_free_sockets") as u32,
        idle: some_span(params, "timeout"),
        reuse: [Reuse::Latest, Reuse::Oldest][params.choice("scheduling")],
        ..endless(params)
    },
};
