//! A health path that does not tell the truth: checks fail though the server works, or pass though it
//! does not.
//!
//! The first is a path that was renamed with a release, or needs something that is gone; the second one
//! that answers without looking at anything that requests need.

use super::{Effect, FaultDef, PLAIN};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static FAULT: FaultDef = FaultDef {
    row: ExtensionRow {
        name: "health-path",
        about: "A server answers the checks of its balancers the same way, whatever becomes of requests: a wrong path of a check. A server that is down, or too slow, still fails them; checks that only open a connection, and liveness probes, do not notice.",
        source: "Amazon Builders' Library, Yanacek, Implementing health checks, 2019",
        params: &[ParamDef {
            name: "answer",
            about: "Whether checks are answered with an error though requests are not, or without one though requests fail; the latter shows where checks notice errors.",
            kind: ParamKind::Choice(&["fail", "pass"]),
            default: None,
        }],
    },
    effect: |params| Effect {
        checks: Some(params.choice("answer") == 1),
        ..Effect::NONE
    },
    words: |params| match params.choice("answer") {
        0 => "checks fail whatever requests meet".to_owned(),
        _ => "checks pass whatever requests meet".to_owned(),
    },
    ..PLAIN
};
