//! `SQLAlchemy`'s `QueuePool`.
//!
//! It keeps `pool_size` connections and opens up to `max_overflow` more, which are closed when they are given back
//! while nobody waits. Who finds none waits up to `timeout`, in order. Of those that rest the one that has rested
//! longest is used, unless `use_lifo`.
//!
//! A thread that gives a connection back and asks again at once gets it before those that wait: here requests
//! come by themselves, and who waits comes first. `SQLAlchemy` 2.1.9, observed.

use super::{
    ConnectionDef, OPEN, POOL_OF, ROUND_TRIPS, Reuse, Terms, endless, most, some_number, some_span,
    span,
};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "sqlalchemy",
        about: "The pool of SQLAlchemy: five connections and ten more in need, a wait of up to 30 s.",
        source: "SQLAlchemy 2.1.9, QueuePool, observed",
        params: &[
            most(
                "pool_size",
                "Connections that are kept; 0: there is no limit.",
                "5",
            ),
            most("max_overflow", "Most that are opened beyond those.", "10"),
            span(
                "timeout",
                "Longest wait for one; 0s: as long as the caller waits.",
                "30s",
            ),
            span(
                "pool_recycle",
                "One that is older is opened anew when it would be used next; 0s: it may get as old as it likes.",
                "0s",
            ),
            ParamDef {
                name: "use_lifo",
                about: "Whether the one that was used latest is used, not the one that has rested longest.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            OPEN,
            ROUND_TRIPS,
            POOL_OF,
        ],
    },
    check: |_| Ok(()),
    build: |params| Terms {
        limit: some_number(params, "pool_size")
            .map(|size| size.saturating_add(params.integer("max_overflow") as u32)),
        keep: some_number(params, "pool_size").unwrap_or(u32::MAX),
        wait: some_span(params, "timeout"),
        max_age: some_span(params, "pool_recycle"),
        reuse: if params.flag("use_lifo") {
            Reuse::Latest
        } else {
            Reuse::Oldest
        },
        ..endless(params)
    },
};
