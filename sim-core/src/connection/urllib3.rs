//! The pool of urllib3, and of requests, to one host.
//!
//! `maxsize` connections are kept, the latest used first. With `block` there are no more; without it, as it comes,
//! everybody who finds none opens one of his own, which is closed afterwards. requests has a `maxsize` of 10.
//! urllib3 2.8.0, requests 2.34.2, observed.

use super::{ConnectionDef, OPEN, POOL_OF, ROUND_TRIPS, Terms, endless, most};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};

pub(super) static CONNECTIONS: ConnectionDef = ConnectionDef {
    row: ExtensionRow {
        name: "urllib3",
        about: "The pool of urllib3 to one host: one connection is kept, ten with requests, and as many more are opened as are needed.",
        source: "urllib3 2.8.0 and requests 2.34.2, observed",
        params: &[
            most("maxsize", "Connections that are kept, 1 or more.", "1"),
            ParamDef {
                name: "block",
                about: "Whether there are no more than those, and others wait for one.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            OPEN,
            ROUND_TRIPS,
            POOL_OF,
        ],
    },
    check,
    build: |params| Terms {
        limit: params
            .flag("block")
            .then(|| params.integer("maxsize") as u32),
        keep: params.integer("maxsize") as u32,
        ..endless(params)
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.flag("block") && params.integer("maxsize") == 0 {
        return Err(ParamProblem {
            param: "maxsize",
            message: "a pool that blocks and keeps no connection serves nobody".to_owned(),
        });
    }
    Ok(())
}
