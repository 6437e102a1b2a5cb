//! A reconnect storm: everybody who was connected to something that went away comes back at once.

use super::{ArrivalDef, Arrivals, Bursts};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "reconnect",
        about: "Clients that were connected to something that goes away, and all come back, each once, as soon as they notice and after the pause that they were given; those who fail try again as their `retry` says.",
        source: "Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015",
        params: &[
            ParamDef {
                name: "clients",
                about: "How many were connected.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "clients",
                },
                default: None,
            },
            ParamDef {
                name: "at",
                about: "When their connections break.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: None,
            },
            ParamDef::of(
                "jitter",
                ParamKind::Distribution,
                "0s",
                "How long after that each comes back the first time.",
            ),
        ],
    },
    uses_rate: false,
    heeds_factor: true,
    happens_once: Some("its clients come back once"),
    check: |_| Ok(()),
    build: |params| {
        Arrivals::Bursts(Bursts {
            first: params.span("at"),
            every: None,
            count: params.integer("clients"),
            skew: Arc::from(params.distribution("jitter").build()),
        })
    },
};
