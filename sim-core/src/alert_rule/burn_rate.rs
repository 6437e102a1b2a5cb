//! An error budget that is spent too fast, over a long window and over a short one.

use super::{AlertRuleDef, Judgement, Watched, Watches};
use crate::extension::{ExtensionRow, ParamDef, ParamProblem};
use crate::metric::{Unit, burn_rate};
use crate::time::Duration;

pub(super) static RULE: AlertRuleDef = AlertRuleDef {
    row: ExtensionRow {
        name: "burn-rate",
        about: "The error budget of the objective that `when` names is spent so many times too fast, over a long window, so that it matters, and over a short one, so that it is still so.",
        source: "Beyer and others, The Site Reliability Workbook, 2018, chapter 5, alerting on multiple windows",
        params: &[
            ParamDef::number(
                "factor",
                (0.001, 1e9),
                "",
                "14.4",
                "How many times too fast: above this the condition holds. 14.4 spends two per cent of a budget of 30 days in an hour.",
            ),
            ParamDef::span("long", Duration::from_millis(1), "1h", "The long window."),
            ParamDef::span("short", Duration::from_millis(1), "5m", "The short window."),
        ],
    },
    watches: Watches::Objective,
    has_window: false,
    plain: false,
    looks: |params, _| (params.span("short"), params.span("long")),
    check: |params| {
        if params.span("short") > params.span("long") {
            return Err(ParamProblem {
                param: "short",
                message: "the short window is longer than the long one".to_owned(),
            });
        }
        Ok(())
    },
    judge: |params, asked, known| {
        let Watched::Objective(slo, objective) = *asked.watched else {
            return Judgement::NOTHING;
        };
        let burn = |window| {
            let (good, total) = known.objective(slo, params.span(window))?;
            burn_rate(good, total, objective)
        };
        let (long, short) = (burn("long"), burn("short"));
        let above = |burn: Option<f64>| burn.is_some_and(|burn| burn > params.number("factor"));
        Judgement {
            holds: above(long) && above(short),
            value: long,
            unit: Unit::Count,
        }
    },
};
