//! Jobs by the clock: many machines that do the same at the same time, as crontabs have it.

use super::{ArrivalDef, Arrivals, Bursts};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;
use std::sync::Arc;

pub(super) static ARRIVAL: ArrivalDef = ArrivalDef {
    row: ExtensionRow {
        name: "clock",
        about: "Requests of jobs that all machines begin at the same time by the clock, such as every full minute, as far as their clocks agree.",
        source: "Beyer et al., Site Reliability Engineering, 2016, chapter 24 (Distributed Periodic Scheduling with Cron)",
        params: &[
            ParamDef {
                name: "every",
                about: "Time from one round to the next.",
                kind: ParamKind::Span { min: SHORTEST },
                default: None,
            },
            ParamDef {
                name: "jobs",
                about: "Requests of a round.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "requests",
                },
                default: None,
            },
            ParamDef::span(
                "first",
                Duration::ZERO,
                "0s",
                "When the first round begins.",
            ),
            ParamDef::of(
                "skew",
                ParamKind::Distribution,
                "0s",
                "How much later than its round each request comes: the difference of clocks, or what was put there on purpose; no later than the next round.",
            ),
        ],
    },
    uses_rate: false,
    heeds_factor: true,
    happens_once: Some("its jobs come by the clock"),
    check: |_| Ok(()),
    build: |params| {
        Arrivals::Bursts(Bursts {
            first: params.span("first"),
            every: Some(params.span("every")),
            count: params.integer("jobs"),
            skew: Arc::from(params.distribution("skew").build()),
        })
    },
};

/// Rounds closer than this are no rounds.
const SHORTEST: Duration = Duration(1_000_000);
