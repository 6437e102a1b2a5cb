//! Parts that servers and balancers have in common, from sections to the model.

use super::kinds::{ratio_of_text, size_of_text, span, written};
use super::problem::{Problem, Span, suggest};
use super::section::{Cx, Item};
use super::sections::{
    BalancerMemorySpec, BreakdownsSpec, CopyDemand, CrashSpec, HedgeSpec, LivenessSpec, MemorySpec,
    WarmUpSpec,
};
use super::tree::{Node, Value};
use crate::crash::{Gauge, GaugeDef, GaugeUnit};
use crate::extension::Configured;
use crate::guard::{GuardDef, Stands};
use crate::health::HealthDef;
use crate::model::{BalancerMemory, Breakdowns, CrashRule, Hedge, Liveness, Memory, WarmUp};
use crate::text::cited;

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
            Problem::new(
                "E014",
                format!("no crash rule can watch {} here", cited(word)),
            )
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

/// The health rules of a balancer: each kind once.
pub(crate) fn health(
    written: &Item<Vec<Configured<HealthDef>>>,
    cx: &mut Cx<'_>,
) -> Option<Vec<Configured<HealthDef>>> {
    let rules = written.get()?;
    for (i, rule) in rules.iter().enumerate() {
        let name = rule.def.row.name;
        if rules[..i].iter().any(|other| other.def.row.name == name) {
            let what = format!("two health rules of the kind {name}");
            let problem = Problem::new("E017", what).at(written.span);
            cx.push(problem.help("put their parameters into one"));
            return None;
        }
    }
    Some(rules.clone())
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
        per_abandoned: spec.per_abandoned.copied()?,
        release: spec.release.copied()?,
        limit: spec.limit.copied()?,
    };
    fits_when_idle("server", &spec.base, &spec.limit, cx)?;
    Some(memory)
}

pub(crate) fn balancer_memory(
    spec: &BalancerMemorySpec,
    cx: &mut Cx<'_>,
) -> Option<BalancerMemory> {
    let memory = BalancerMemory {
        base: spec.base.copied()?,
        per_connection: spec.per_connection.copied()?,
        limit: spec.limit.copied()?,
    };
    fits_when_idle("balancer", &spec.base, &spec.limit, cx)?;
    Some(memory)
}

/// What is killed before it has done anything would be killed again after every restart.
fn fits_when_idle(what: &str, base: &Item<f64>, limit: &Item<f64>, cx: &mut Cx<'_>) -> Option<()> {
    if base.copied()? < limit.copied()? {
        return Some(());
    }
    let problem = Problem::new(
        "E017",
        format!("an idle {what} already needs more memory than its limit"),
    )
    .at(limit.span);
    cx.push(problem.label(base.span, "used when idle"));
    None
}

/// A rule about memory needs to know how much there is.
pub(crate) fn memory_is_known<T>(
    what: &str,
    example: &str,
    rules: Option<&Vec<CrashRule>>,
    memory: Option<&Option<T>>,
    span: Span,
    cx: &mut Cx<'_>,
) -> Option<()> {
    let watched = rules.is_some_and(|rules| rules.iter().any(|r| r.gauge.gauge == Gauge::Memory));
    if !watched || !matches!(memory, Some(None)) {
        return Some(());
    }
    let problem = Problem::new(
        "E017",
        format!("a crash rule watches memory, but the {what} has no `memory`"),
    );
    cx.push(problem.at(span).help(format!("such as memory = {example}")));
    None
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

/// Whether some of the guards cannot stand where they are written, which is then said.
pub(crate) fn misplaced(
    guards: &[Configured<GuardDef>],
    span: Span,
    owner: &str,
    cx: &mut Cx<'_>,
) -> bool {
    let misplaced = guards.iter().find_map(|guard| {
        let (why, help) = match (guard.def.stands, owner) {
            (Stands::AtCallers, "balancer" | "server") => (
                "only callers know what it must know",
                "put it into the `guards` of a `client`",
            ),
            (Stands::AtServers, "balancer" | "caller") => (
                "only servers have what it looks at",
                "put it into the `guards` of a `server`",
            ),
            _ => return None,
        };
        Some((guard.def.row.name, why, help))
    });
    if let Some((name, why, help)) = misplaced {
        let what = format!("{name} cannot stand at a {owner}: {why}");
        cx.push(Problem::new("E017", what).at(span).help(help));
    }
    misplaced.is_some()
}

/// The guards of something that is no caller, named for messages.
pub(crate) fn guards(
    written: &Item<Vec<Configured<GuardDef>>>,
    owner: &str,
    cx: &mut Cx<'_>,
) -> Option<Vec<Configured<GuardDef>>> {
    let guards = written.get()?;
    if misplaced(guards, written.span, owner, cx) {
        return None;
    }
    if owner == "server"
        && let Some(guard) = guards.iter().find(|guard| guard.shared())
    {
        let name = guard.def.row.name;
        let what = format!("{name} is `shared`, but each server is written by itself");
        let problem = Problem::new("E017", what).at(written.span);
        cx.push(problem.help("put it into the `guards` of the balancer"));
        return None;
    }
    Some(guards.clone())
}

pub(crate) fn hedge(spec: &HedgeSpec) -> Option<Hedge> {
    Some(Hedge {
        after: spec.after.copied()?,
        copies: count(spec.copies.copied()?),
        distinct: spec.distinct.copied()?,
        own_demand: spec.demand.copied()? == CopyDemand::Own,
        tied: spec.tied.copied()?,
        failure_sends: spec.failure_sends.copied()?,
    })
}
