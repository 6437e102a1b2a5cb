//! Classes, sources and callers, from sections to the model.

use super::build::{count, hedge, misplaced, optional};
use super::extensions::{RateSpec, choice};
use super::members::traffic_name;
use super::problem::{Problem, Span, suggest};
use super::section::{Cx, Item, Section};
use super::sections::{ClassSpec, ClientSpec, Top, TrafficSpec};
use super::tree::{Node, default_value};
use crate::extension::Configured;
use crate::guard::GuardDef;
use crate::ids::Id;
use crate::model::{Class, ClassId, Client, ClientId, Rate, RatePoint, ServiceId, Source};
use crate::time::{Duration, Instant};

/// How far the shares of the classes may be from 1 in all: rounding, not a mistake.
const SHARE_TOLERANCE: f64 = 1e-9;
/// The class that there is when none is written.
const ALL: &str = "all";
/// Most classes, sources and callers: ids are small, and nobody writes that many.
const SOURCES_MAX: usize = 1000;
const CLASSES_MAX: usize = 1000;
pub(crate) const CLIENTS_MAX: usize = 60_000;

/// A class with what is written about its callers and its share.
pub(crate) struct ClassRow<'t> {
    pub name: String,
    pub share: f64,
    pub client: Option<&'t Node>,
    pub class: Class,
}

/// The classes; one called `all` when none is written.
pub(crate) fn classes<'t>(top: &'t Top, cx: &mut Cx<'_>) -> Option<Vec<ClassRow<'t>>> {
    let written = top.class.get()?;
    if written.len() > CLASSES_MAX {
        cx.push(
            Problem::new(
                "E024",
                format!(
                    "{} classes; at most {CLASSES_MAX} are allowed",
                    written.len()
                ),
            )
            .at(top.class.span),
        );
        return None;
    }
    if written.is_empty() {
        let class = Class {
            name: ALL.to_owned(),
            priority: 0,
            demand_factor: 1.0,
            demand: None,
        };
        return Some(vec![ClassRow {
            name: ALL.to_owned(),
            share: 1.0,
            client: None,
            class,
        }]);
    }
    let rows: Vec<_> = written
        .iter()
        .map(|(name, _, spec)| class_row(name, spec))
        .collect();
    rows.into_iter().collect()
}

/// The names of the classes.
pub(crate) fn class_names(top: &Top) -> Option<Vec<&str>> {
    let written = top.class.get()?;
    let names = written.iter().map(|(name, _, _)| name.as_str());
    Some(if written.is_empty() {
        vec![ALL]
    } else {
        names.collect()
    })
}

fn class_row<'t>(name: &str, spec: &'t ClassSpec) -> Option<ClassRow<'t>> {
    let class = Class {
        name: name.to_owned(),
        priority: count(spec.priority.copied()?),
        demand_factor: spec.demand_factor.copied()?,
        demand: spec.demand.get()?.clone(),
    };
    Some(ClassRow {
        name: name.to_owned(),
        share: spec.share.copied()?,
        client: spec.client.get(),
        class,
    })
}

fn check_shares(top: &Top, rows: &[ClassRow<'_>], cx: &mut Cx<'_>) -> Option<()> {
    let total: f64 = rows.iter().map(|row| row.share).sum();
    if (total - 1.0).abs() <= SHARE_TOLERANCE {
        return Some(());
    }
    let shares: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {}", row.name, row.share))
        .collect();
    let mut problem = Problem::new(
        "E021",
        format!("the shares of the classes add up to {total}, not to 1"),
    );
    for (_, _, spec) in top.class.get()? {
        problem = problem.at(spec.share.span);
    }
    cx.push(problem.help(format!("written: {}", shares.join(", "))));
    None
}

/// Sources and their callers.
pub(crate) struct Outside {
    pub sources: Vec<Source>,
    pub clients: Vec<Client>,
}

/// The sources with their callers, one for each (source, class).
pub(crate) fn sources(
    top: &Top,
    rows: &[ClassRow<'_>],
    services: &[String],
    cx: &mut Cx<'_>,
) -> Option<Outside> {
    let written = top.traffic.get()?;
    if written.is_empty() {
        if !cx.problems.spares(top.span, "traffic") {
            cx.push(
                Problem::new("E011", "no traffic: nobody asks for anything")
                    .at(top.span)
                    .help("add a [[traffic]] with `to` and `rate`"),
            );
        }
        return None;
    }
    if written.len() > SOURCES_MAX || written.len() * rows.len() > CLIENTS_MAX {
        cx.push(
            Problem::new(
                "E024",
                format!(
                    "{} sources of {} classes; that is too many",
                    written.len(),
                    rows.len()
                ),
            )
            .at(top.traffic.span),
        );
        return None;
    }
    let mut names = std::collections::BTreeMap::new();
    let mut outside = Outside {
        sources: Vec::new(),
        clients: Vec::new(),
    };
    let mut whole = true;
    if written.iter().any(|t| matches!(t.class.get(), Some(None))) {
        whole = check_shares(top, rows, cx).is_some();
    }
    for (index, spec) in written.iter().enumerate() {
        let name = spec
            .name
            .get()
            .and_then(Clone::clone)
            .unwrap_or_else(|| traffic_name(index));
        if let Some(first) = names.insert(name.clone(), spec.name.span) {
            cx.push(
                Problem::new("E019", format!("two sources are called `{name}`"))
                    .at(spec.name.span)
                    .label(first, "first here"),
            );
            whole = false;
        }
        match source(top, spec, name, rows, services, &mut outside.clients, cx) {
            Some(source) => outside.sources.push(source),
            None => whole = false,
        }
    }
    check_rate_factor(top, &outside, cx)?;
    whole.then_some(outside)
}

/// A factor that multiplies nothing would be accepted and have no effect.
fn check_rate_factor(top: &Top, outside: &Outside, cx: &mut Cx<'_>) -> Option<()> {
    let factor = top.rate_factor.copied()?;
    let rated = |s: &Source| s.arrivals.def.heeds_factor;
    if factor.to_bits() == 1f64.to_bits() || outside.sources.iter().any(rated) {
        return Some(());
    }
    cx.push(
        Problem::new("E027", "no traffic has a `rate` or a trace to multiply")
            .at(top.rate_factor.span)
            .help("leave `rate_factor` out; users of closed traffic are set by their number"),
    );
    None
}

/// Finds a service by name.
pub(crate) fn find_service(
    name: &str,
    span: Span,
    services: &[String],
    cx: &mut Cx<'_>,
) -> Option<ServiceId> {
    let found = services.iter().position(|s| s == name);
    if found.is_none() {
        let help = suggest(name, services.iter().map(String::as_str));
        cx.push(
            Problem::new("E020", format!("no service is called `{name}`"))
                .at(span)
                .help(help),
        );
    }
    found.and_then(|i| u16::try_from(i).ok()).map(ServiceId)
}

/// Finds a class by name.
pub(crate) fn find_class(
    name: &str,
    span: Span,
    classes: &[&str],
    cx: &mut Cx<'_>,
) -> Option<ClassId> {
    let found = classes.iter().position(|class| *class == name);
    if found.is_none() {
        let help = suggest(name, classes.iter().copied());
        let problem = Problem::new("E020", format!("no class is called `{name}`"));
        cx.push(problem.at(span).help(help));
    }
    found.map(ClassId::at)
}

/// Finds the classes that a key names, each once; none where it is absent.
pub(crate) fn find_classes(
    written: &Item<Option<Vec<(String, Span)>>>,
    classes: &[&str],
    cx: &mut Cx<'_>,
) -> Option<Vec<ClassId>> {
    let mut found: Vec<(ClassId, Span)> = Vec::new();
    let mut whole = true;
    for (name, span) in written.get()?.iter().flatten() {
        let Some(class) = find_class(name, *span, classes, cx) else {
            whole = false;
            continue;
        };
        if let Some((_, first)) = found.iter().find(|(other, _)| *other == class) {
            let problem = Problem::new("E019", format!("the class `{name}` twice")).at(*span);
            cx.push(problem.label(*first, "first here"));
            whole = false;
        }
        found.push((class, *span));
    }
    whole.then(|| found.into_iter().map(|(class, _)| class).collect())
}

#[allow(
    clippy::too_many_arguments,
    reason = "what a source refers to lies in as many places"
)]
fn source(
    top: &Top,
    spec: &TrafficSpec,
    name: String,
    rows: &[ClassRow<'_>],
    services: &[String],
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<Source> {
    let to = spec
        .to
        .get()
        .and_then(|to| find_service(to, spec.to.span, services, cx));
    let factor = top.rate_factor.copied().unwrap_or(1.0);
    let rate = rate(spec, cx).map(|rate| rate.scaled(factor));
    let mix = mix(spec, rows, cx);
    let mut ids = Vec::with_capacity(rows.len());
    let mut whole = true;
    for row in rows {
        let layers = [top.client.get(), row.client, spec.client.get()];
        ids.push(ClientId(u16::try_from(clients.len()).ok()?));
        match client(layers.into_iter().flatten(), cx) {
            Some(client) => clients.push(client),
            None => whole = false,
        }
    }
    if !whole {
        return None;
    }
    Some(Source {
        name,
        to: to?,
        arrivals: spec.arrivals.get()?.clone(),
        rate: rate?,
        trace_factor: factor,
        mix: mix?,
        key: spec.key.get()?.clone(),
        clients: ids,
    })
}

/// A caller from layers of keys, the widest first.
pub(crate) fn client<'n>(
    layers: impl Iterator<Item = &'n Node>,
    cx: &mut Cx<'_>,
) -> Option<Client> {
    let mut merged = Node::empty_table(Span::NOWHERE);
    for layer in layers {
        merged = Node::merged(&merged, layer);
    }
    let spec = ClientSpec::read(&merged, cx)?;
    if misplaced(spec.guards.get()?, spec.guards.span, "caller", cx) {
        return None;
    }
    let client = Client {
        timeout: spec.timeout.copied()?,
        deadline: spec.deadline.copied()?,
        retry: spec.retry.get()?.clone(),
        guards: guards(&spec, cx)?,
        cancel: spec.cancel.copied()?,
        hedge: optional(&spec.hedge, hedge)?,
    };
    check_hedge(&spec, &client, cx)?;
    Some(client)
}

/// The guards of a caller: those that come with its way of trying again stand first.
fn guards(spec: &ClientSpec, cx: &mut Cx<'_>) -> Option<Vec<Configured<GuardDef>>> {
    let retry = spec.retry.get()?;
    let mut guards = spec.guards.get()?.clone();
    for brought in (retry.def.brings)(&retry.params).iter().rev() {
        let brought = choice::<GuardDef>(&default_value(brought), "guard", cx)?;
        let name = brought.def.row.name;
        if guards.iter().all(|guard| guard.def.row.name != name) {
            guards.insert(0, brought);
        }
    }
    Some(guards)
}

/// A copy that is due when nobody waits any more would never go out.
fn check_hedge(spec: &ClientSpec, client: &Client, cx: &mut Cx<'_>) -> Option<()> {
    let (Some(Some(written)), Some(hedge)) = (spec.hedge.get(), client.hedge) else {
        return Some(());
    };
    let waits = [
        ("timeout", client.timeout, spec.timeout.span),
        ("deadline", client.deadline, spec.deadline.span),
    ];
    for (name, wait, span) in waits {
        let Some(wait) = wait.filter(|wait| hedge.after >= *wait) else {
            continue;
        };
        let what = format!(
            "no copy would ever go out: it is due after {}, and the {name} is {wait}",
            hedge.after
        );
        let problem = Problem::new("E017", what).at(written.after.span);
        cx.push(
            problem
                .label(span, "nobody waits any longer")
                .help(format!("make `after` shorter than the {name}")),
        );
        return None;
    }
    Some(())
}

/// Cumulated shares by class.
fn mix(spec: &TrafficSpec, rows: &[ClassRow<'_>], cx: &mut Cx<'_>) -> Option<Vec<f64>> {
    if let Some(pinned) = spec.class.get()? {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let index = find_class(pinned, spec.class.span, &names, cx)?.position();
        return Some(
            (0..rows.len())
                .map(|i| if i < index { 0.0 } else { 1.0 })
                .collect(),
        );
    }
    let mut total = 0.0;
    let mut mix: Vec<f64> = Vec::with_capacity(rows.len());
    for row in rows {
        total += row.share;
        mix.push(total.min(1.0));
    }
    // Rounding must leave no gap above the last class that has a share at all.
    let last = rows.iter().rposition(|row| row.share > 0.0).unwrap_or(0);
    for share in &mut mix[last..] {
        *share = 1.0;
    }
    Some(mix)
}

fn rate(spec: &TrafficSpec, cx: &mut Cx<'_>) -> Option<Rate> {
    let arrivals = spec.arrivals.get();
    let rate = spec.rate.get()?;
    match (rate, arrivals?.def.uses_rate) {
        (None, false) => Some(Rate::constant(0.0)),
        (None, true) => {
            let what = format!("{} arrivals need a `rate`", arrivals?.def.row.name);
            cx.push(
                Problem::new("E027", what)
                    .at(spec.span)
                    .help("such as rate = 100, in requests per second"),
            );
            None
        }
        (Some(_), false) => {
            let what = format!("{} arrivals have no `rate`", arrivals?.def.row.name);
            cx.push(
                Problem::new("E027", what)
                    .at(spec.rate.span)
                    .label(spec.arrivals.span, "because of these")
                    .help("leave `rate` out"),
            );
            None
        }
        (Some(RateSpec::Number(rate_hz)), true) => Some(Rate::constant(*rate_hz)),
        (Some(RateSpec::Profile(profile)), true) => Some(profile.rate()),
        (Some(RateSpec::Corners(corners)), true) => line(corners, cx).map(Rate::line),
    }
}

/// Corners in strictly ascending order from zero. Two at the same time are a jump, which takes a
/// nanosecond so that no slope is infinite.
fn line(corners: &[(Instant, f64, Span)], cx: &mut Cx<'_>) -> Option<Vec<RatePoint>> {
    let mut points: Vec<RatePoint> = Vec::with_capacity(corners.len() + 1);
    let mut before: Option<Instant> = None;
    for (at, rate_hz, span) in corners {
        if before.is_some_and(|before| *at < before) {
            cx.push(
                Problem::new("E028", "the corners of a rate must be in order of time")
                    .at(*span)
                    .help("each at or after the one before"),
            );
            return None;
        }
        before = Some(*at);
        if points.is_empty() && *at > Instant::ZERO {
            points.push(RatePoint {
                at: Instant::ZERO,
                rate_hz: *rate_hz,
            });
        }
        let earliest = points
            .last()
            .map_or(Instant::ZERO, |last| last.at + Duration(1));
        points.push(RatePoint {
            at: (*at).max(earliest),
            rate_hz: *rate_hz,
        });
    }
    Some(points)
}
