//! Parts that servers and balancers have in common, from sections to the model.

use super::kinds::{ratio_of_text, size_of_text, span, written};
use super::parts::{
    BreakdownsSpec, CrashSpec, HealthCheckSpec, LivenessSpec, MemorySpec, WarmUpSpec,
};
use super::problem::{Problem, suggest};
use super::section::{Cx, Item};
use super::sections::{CopyDemand, HedgeSpec, RetryBudgetSpec};
use super::tree::{Node, Value};
use crate::crash::{GaugeDef, GaugeUnit};
use crate::model::{
    Breakdowns, CrashRule, Hedge, Liveness, Memory, RetryBudget, WarmUp,
};

/// Shortest mean life of a worker: shorter ones would keep the machine busy with failures alone.
const SHORTEST_LIFE_NS: f64 = 1000.0;

/// A count that fits where the model keeps it; what is absent has no bound.
pub(crate) fn bound(item: &Item<Option<u64>>) -> Option<u32> {
    Some(item.copied()?.map_or(u32::MAX, count))
}

/// A count whose limits make it fit.
pub(crate) fn count(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// A section that may be absent: the outer option is a problem, the inner one absence.
pub(crate) fn optional<S, T>(
    item: &Item<Option<S>>,
    build: impl FnOnce(&S) -> Option<T>,
) -> Option<Option<T>> {
    match item.get()? {
        Some(spec) => build(spec).map(Some),
        None => Some(None),
    }
}

/// The crash rules of a server or balancer, over the gauges it has.
pub(crate) fn crash_rules(
    rules: &Item<Vec<CrashSpec>>,
    gauges: &'static [GaugeDef],
    cx: &mut Cx<'_>,
) -> Option<Vec<CrashRule>> {
    let built: Vec<_> = rules
        .get()?
        .iter()
        .map(|rule| crash_rule(rule, gauges, cx))
        .collect();
    built.into_iter().collect()
}

fn crash_rule(rule: &CrashSpec, gauges: &'static [GaugeDef], cx: &mut Cx<'_>) -> Option<CrashRule> {
    let word = rule.when.get()?;
    let Some(gauge) = gauges.iter().find(|g| g.name == word) else {
        let help = suggest(word, gauges.iter().map(|g| g.name));
        cx.push(
            Problem::new("E014", format!("no crash rule can watch {word:?} here"))
                .at(rule.when.span)
                .help(help),
        );
        return None;
    };
    let above = threshold(rule.above.get()?, gauge, cx)?;
    Some(CrashRule {
        gauge,
        above,
        hold: rule.hold.copied()?,
    })
}

fn threshold(node: &Node, gauge: &GaugeDef, cx: &mut Cx<'_>) -> Option<f64> {
    let plain = match &node.value {
        Value::Integer(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    };
    let (value, shape) = match gauge.unit {
        GaugeUnit::Time => (span(node, "above", cx).map(|s| s.0 as f64), None),
        GaugeUnit::Count => (plain, Some("a number, such as 900")),
        GaugeUnit::Bytes => (
            plain.or_else(|| size_of_text(node.as_text()?)),
            Some("a size, such as \"512MiB\""),
        ),
        GaugeUnit::Ratio => (
            plain.or_else(|| ratio_of_text(node.as_text()?)),
            Some("a share, such as 0.9 or \"90%\""),
        ),
    };
    let top = if gauge.unit == GaugeUnit::Ratio {
        1.0
    } else {
        f64::MAX
    };
    match (value, shape) {
        (Some(value), _) if (0.0..=top).contains(&value) => return Some(value),
        (Some(_), _) => cx.push(
            Problem::new(
                "E013",
                format!("{} can never be above {}", gauge.name, written(node)),
            )
            .at(node.span),
        ),
        (None, Some(shape)) => cx.push(
            Problem::new("E012", format!("`above` for {} is {shape}", gauge.name)).at(node.span),
        ),
        (None, None) => {}
    }
    None
}

pub(crate) fn health_check(
    spec: &HealthCheckSpec,
) -> Option<crate::extension::Configured<crate::health::HealthDef>> {
    use crate::extension::{ParamValue, Params};
    Some(crate::extension::Configured {
        def: crate::health::HEALTH_RULES[0],
        params: Params::new(vec![
            ("probe", ParamValue::Choice(usize::from(spec.probe.copied()? == crate::health::Probe::Connect))),
            ("interval", ParamValue::Span(spec.interval.copied()?)),
            ("fast_interval", ParamValue::Span(crate::time::Duration::ZERO)),
            ("timeout", ParamValue::Span(spec.timeout.copied()?)),
            ("fall", ParamValue::Integer(spec.fall.copied()?)),
            ("rise", ParamValue::Integer(spec.rise.copied()?)),
            ("demand", ParamValue::Distribution(spec.demand.get()?.clone())),
            ("phase", ParamValue::Choice(0)),
            ("errors", ParamValue::Flag(false)),
        ]),
    })
}

pub(crate) fn liveness(spec: &LivenessSpec) -> Option<Liveness> {
    Some(Liveness {
        probe: spec.probe.copied()?,
        interval: spec.interval.copied()?,
        timeout: spec.timeout.copied()?,
        fall: count(spec.fall.copied()?),
        demand: spec.demand.get()?.clone(),
    })
}

pub(crate) fn memory(spec: &MemorySpec, cx: &mut Cx<'_>) -> Option<Memory> {
    let memory = Memory {
        base: spec.base.copied()?,
        per_in_service: spec.per_in_service.copied()?,
        per_queued: spec.per_queued.copied()?,
        limit: spec.limit.copied()?,
    };
    if memory.base >= memory.limit {
        let problem = Problem::new(
            "E017",
            "an idle server already needs more memory than its limit",
        )
        .at(spec.limit.span);
        cx.push(problem.label(spec.base.span, "used when idle"));
        return None;
    }
    Some(memory)
}

pub(crate) fn breakdowns(spec: &BreakdownsSpec, cx: &mut Cx<'_>) -> Option<Breakdowns> {
    let built = Breakdowns {
        every: spec.every.get()?.clone(),
        repair: spec.repair.get()?.clone(),
    };
    if built.every.build().mean_ns() < SHORTEST_LIFE_NS {
        let problem = Problem::new(
            "E017",
            "workers that last less than a microsecond on average",
        );
        cx.push(problem.at(spec.every.span));
        return None;
    }
    Some(built)
}

pub(crate) fn warm_up(spec: &WarmUpSpec) -> Option<WarmUp> {
    Some(WarmUp {
        from: spec.from.copied()?,
        over: spec.over.copied()?,
    })
}

pub(crate) fn retry_budget(spec: &RetryBudgetSpec) -> Option<RetryBudget> {
    Some(RetryBudget {
        ratio: spec.ratio.copied()?,
        reserve: spec.reserve.copied()?,
    })
}

pub(crate) fn hedge(spec: &HedgeSpec) -> Option<Hedge> {
    Some(Hedge {
        after: spec.after.copied()?,
        copies: count(spec.copies.copied()?),
        distinct: spec.distinct.copied()?,
        own_demand: spec.demand.copied()? == CopyDemand::Own,
    })
}
