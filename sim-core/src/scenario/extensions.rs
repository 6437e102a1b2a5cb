//! extension values: `"name"` or `{ kind = "name", … }`, read from the rows of their tables.

use super::kinds::{TEN_YEARS_S, moment, number, out_of_range, span, whole, written};
use super::problem::{Collector, Problem, Span, suggest};
use super::section::{
    Cx, ExtensionTable, Form, KeyDef, Limits, Reads, from, lower_first, mismatch,
};
use super::tree::{Node, Value, default_value};
use crate::alert_rule::AlertRuleDef;
use crate::arrival::ArrivalDef;
use crate::autoscaler::AutoscalerDef;
use crate::connection::ConnectionDef;
use crate::dialect::DialectDef;
use crate::discipline::DisciplineDef;
use crate::distribution::DistributionDef;
use crate::extension::{
    CodeProblem, Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamValue, Params,
};
use crate::fault::FaultDef;
use crate::guard::GuardDef;
use crate::health::HealthDef;
use crate::key::KeyDef as KeyLaw;
use crate::policy::PolicyDef;
use crate::profile::ProfileDef;
use crate::restart::RestartDef;
use crate::retry::RetryDef;
use crate::text::cited;
use crate::time::{Duration, Instant};
use std::marker::PhantomData;
use std::sync::Arc;

/// A row of the table of `D`s.
pub(crate) struct ExtensionOf<D>(PhantomData<D>);
/// A list of rows of the table of `D`s.
pub(crate) struct ExtensionsOf<D>(PhantomData<D>);
/// A rate over time.
pub(crate) struct Rate;

/// A definition that has a table.
pub(crate) trait Listed: Def + Sized {
    const NAME: &'static str;
    const NOUN: &'static str;
    /// The row and parameter meant by a bare span, where that is allowed.
    const BARE_SPAN: Option<(&'static str, &'static str)> = None;
    /// Whether a list holds each kind at most once.
    const EACH_ONCE: bool = false;

    fn table() -> ExtensionTable {
        ExtensionTable {
            name: Self::NAME,
            noun: Self::NOUN,
            bare_span: Self::BARE_SPAN.is_some(),
            each_once: Self::EACH_ONCE,
            rows: || {
                Self::registry()
                    .rows()
                    .iter()
                    .map(|row| row.row())
                    .collect()
            },
        }
    }
}

macro_rules! listed {
    ($($def:ty, $name:literal, $noun:literal $(, bare $bare:expr)? $(, once $once:literal)?;)*) => {$(
        impl Listed for $def {
            const NAME: &'static str = $name;
            const NOUN: &'static str = $noun;
            $( const BARE_SPAN: Option<(&'static str, &'static str)> = Some($bare); )?
            $( const EACH_ONCE: bool = $once; )?
        }
    )*
        /// Every table of extension rows.
        pub fn plug_tables() -> Vec<ExtensionTable> {
            vec![$(<$def as Listed>::table()),*]
        }
    };
}

listed! {
    PolicyDef, "policies", "policy";
    DistributionDef, "distributions", "distribution", bare ("constant", "value");
    ArrivalDef, "arrivals", "kind of arrivals";
    ProfileDef, "profiles", "rate profile";
    KeyLaw, "keys", "law of keys";
    DisciplineDef, "disciplines", "discipline";
    RetryDef, "retries", "kind of retry";
    GuardDef, "guards", "guard";
    HealthDef, "health-rules", "health rule", once true;
    ConnectionDef, "connections", "kind of connections";
    FaultDef, "faults", "fault";
    RestartDef, "restarts", "restart rule";
    DialectDef, "dialects", "dialect";
    AutoscalerDef, "autoscalers", "autoscaler";
    AlertRuleDef, "alert-rules", "rule of alerts";
}

/// What a kind of retry does with its defaults, where its parameters do not say it: what, and how.
pub fn retry_rules(name: &str) -> Vec<(&'static str, String)> {
    let cx = &mut Cx {
        problems: &mut Collector::default(),
        clock: None,
    };
    let node = Node::text(name.to_owned(), Span::NOWHERE);
    let Some(retry) = choice::<RetryDef>(&node, "retry", cx) else {
        // It needs more than its name, and parameters say all of it.
        return Vec::new();
    };
    let mut rules = (retry.def.rules)(&retry.params);
    for brought in (retry.def.brings)(&retry.params) {
        rules.push(("comes with the guard", (*brought).to_owned()));
    }
    rules
}

/// Reads an extension value; `name` is what messages call it.
pub(crate) fn choice<D: Listed>(node: &Node, name: &str, cx: &mut Cx<'_>) -> Option<Configured<D>> {
    let (kind, kind_span) = match &node.value {
        Value::Text(text) => {
            if let Some((row, param)) = D::BARE_SPAN
                && text.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
            {
                return bare_span(node, name, row, param, cx);
            }
            (text.as_str(), node.span)
        }
        Value::Integer(_) | Value::Float(_) if D::BARE_SPAN.is_some() => {
            span(node, name, cx)?;
            let (row, param) = D::BARE_SPAN?;
            return bare_span(node, name, row, param, cx);
        }
        Value::Table(_) => {
            let Some(kind) = node.get("kind") else {
                let help = suggest("", D::registry().rows().iter().map(|row| row.row().name));
                cx.push(
                    Problem::new("E011", format!("`kind` is missing: which {}", D::NOUN))
                        .at(node.span)
                        .help(help),
                );
                return None;
            };
            let Some(text) = kind.as_text() else {
                cx.push(
                    Problem::new("E012", format!("`kind` is a text, not {}", kind.noun()))
                        .at(kind.span),
                );
                return None;
            };
            (text, kind.span)
        }
        _ => {
            let what = format!(
                "a {} is a name or a table with `kind`, not {}",
                D::NOUN,
                node.noun()
            );
            let help = suggest("", D::registry().rows().iter().map(|row| row.row().name));
            cx.push(Problem::new("E012", what).at(node.span).help(help));
            return None;
        }
    };
    let Some(def) = D::registry()
        .rows()
        .iter()
        .copied()
        .find(|row| row.row().name == kind)
    else {
        let help = suggest(kind, D::registry().rows().iter().map(|row| row.row().name));
        cx.push(
            Problem::new("E014", format!("unknown {} {}", D::NOUN, cited(kind)))
                .at(kind_span)
                .help(help),
        );
        return None;
    };
    params(node, def, cx)
}

/// `"35ms"` where a distribution is wanted: always that long.
fn bare_span<D: Listed>(
    node: &Node,
    name: &str,
    row: &str,
    param: &'static str,
    cx: &mut Cx<'_>,
) -> Option<Configured<D>> {
    let def = D::registry()
        .rows()
        .iter()
        .copied()
        .find(|r| r.row().name == row)?;
    let value = span(node, name, cx)?;
    Some(Configured {
        def,
        params: Params::new(vec![(param, ParamValue::Span(value))]),
    })
}

fn params<D: Def>(node: &Node, def: &'static D, cx: &mut Cx<'_>) -> Option<Configured<D>> {
    let row: &'static ExtensionRow = def.row();
    for entry in node.entries() {
        if entry.key != "kind" && !row.params.iter().any(|p| p.name == entry.key) {
            let help = if row.params.is_empty() {
                "it has no parameters".to_owned()
            } else {
                suggest(&entry.key, row.params.iter().map(|p| p.name))
            };
            cx.push(
                Problem::new(
                    "E010",
                    format!("{} has no parameter `{}`", row.name, entry.key),
                )
                .at(entry.key_span)
                .help(help),
            );
        }
    }
    let mut values = Vec::with_capacity(row.params.len());
    let mut whole = true;
    for param in row.params {
        let value = match (node.get(param.name), param.default) {
            (Some(written), _) => param_value(written, param, cx),
            (None, Some(default)) => param_value(&param_default(param, default), param, cx),
            (None, None) => {
                let what = format!(
                    "{} needs `{}`: {}",
                    row.name,
                    param.name,
                    lower_first(param.about)
                );
                let example = format!("{{ kind = \"{}\", {} = … }}", row.name, param.name);
                cx.push(
                    Problem::new("E011", what)
                        .at(node.span)
                        .help(format!("write {example}")),
                );
                None
            }
        };
        match value {
            Some(value) => values.push((param.name, value)),
            None => whole = false,
        }
    }
    if !whole {
        return None;
    }
    let params = Params::new(values);
    if let Err(problem) = def.check(&params) {
        let place = node.get(problem.param).map_or(node.span, |n| n.span);
        cx.push(Problem::new("E017", format!("{}: {}", row.name, problem.message)).at(place));
        return None;
    }
    Some(Configured { def, params })
}

/// A key definition for the readers of plain values.
fn as_key(param: &ParamDef, limits: Limits) -> KeyDef {
    KeyDef {
        was: "",
        name: param.name,
        about: param.about,
        default: param.default,
        limits,
        unit: "",
        live: true,
        form: || Form::Number,
    }
}

fn param_value(node: &Node, param: &ParamDef, cx: &mut Cx<'_>) -> Option<ParamValue> {
    match param.kind {
        ParamKind::Number { min, max, unit } => {
            bounded(node, param, min, max, unit, cx).map(ParamValue::Number)
        }
        ParamKind::Integer { min, max, unit } => {
            let value = whole(node, &as_key(param, Limits::ANY), cx)?;
            match u64::try_from(value) {
                Ok(value) if (min..=max).contains(&value) => Some(ParamValue::Integer(value)),
                _ => {
                    let allowed = if max == u64::MAX {
                        format!("{min} or more {unit}")
                    } else {
                        format!("{min} to {max} {unit}")
                    };
                    cx.push(out_of_range(
                        &written(node),
                        param.name,
                        allowed.trim(),
                        node.span,
                    ));
                    None
                }
            }
        }
        ParamKind::Span { min } => at_least(node, param, min, cx).map(ParamValue::Span),
        ParamKind::Choice(words) => word(node, param, words, cx).map(ParamValue::Choice),
        ParamKind::Words(words) => {
            let mut chosen = 0;
            for item in list(node, param, cx)? {
                let bit = 1 << word(item, param, words, cx)?;
                if chosen & bit != 0 {
                    let what = format!("`{}` holds {} twice", param.name, written(item));
                    cx.push(Problem::new("E019", what).at(item.span));
                    return None;
                }
                chosen |= bit;
            }
            Some(ParamValue::Words(chosen))
        }
        ParamKind::Flag => {
            super::kinds::Flag::read(node, &as_key(param, Limits::ANY), cx).map(ParamValue::Flag)
        }
        ParamKind::Distribution => choice::<DistributionDef>(node, param.name, cx)
            .map(|chosen| ParamValue::Distribution(chosen.into())),
        ParamKind::Distributions => {
            let items = list(node, param, cx)?;
            if items.len() > ROWS_MAX {
                let what = format!("{} laws; at most {ROWS_MAX} are allowed", items.len());
                cx.push(Problem::new("E024", what).at(node.span));
                return None;
            }
            let read: Vec<_> = items
                .iter()
                .map(|item| choice::<DistributionDef>(item, param.name, cx))
                .collect();
            let read = read.into_iter().map(|law| law.map(Into::into));
            read.collect::<Option<Vec<_>>>()
                .map(|laws| ParamValue::Distributions(laws.into()))
        }
        ParamKind::Spans | ParamKind::Moments { .. } => {
            if let Value::Moments(times) = &node.value {
                // They ascend: the last is the greatest.
                let last = times.last().copied().unwrap_or(Duration::ZERO);
                let last = Node::text(last.to_string(), node.span);
                return at_least(&last, param, Duration::ZERO, cx)
                    .map(|_| ParamValue::Spans(Arc::clone(times)));
            }
            let read: Vec<_> = list(node, param, cx)?
                .iter()
                .map(|item| at_least(item, param, Duration::ZERO, cx))
                .collect();
            read.into_iter()
                .collect::<Option<Vec<_>>>()
                .map(|v| ParamValue::Spans(v.into()))
        }
        ParamKind::Code { read, .. } => code(node, param, read, cx).map(ParamValue::Text),
        ParamKind::Numbers { min, max } => {
            let read: Vec<_> = list(node, param, cx)?
                .iter()
                .map(|item| bounded(item, param, min, max, "", cx))
                .collect();
            read.into_iter()
                .collect::<Option<Vec<_>>>()
                .map(|v| ParamValue::Numbers(v.into()))
        }
    }
}

/// A text in a language of its own. What is wrong with it is told where it stands; in a text within quotes, which
/// may hold signs that stand for others, only in which line.
fn code(
    node: &Node,
    param: &ParamDef,
    read: fn(&str) -> Result<(), CodeProblem>,
    cx: &mut Cx<'_>,
) -> Option<Arc<str>> {
    let Some(text) = node.as_text() else {
        let what = format!("`{}` is a text, not {}", param.name, node.noun());
        cx.push(Problem::new("E012", what).at(node.span));
        return None;
    };
    let Err(CodeProblem { place, what }) = read(text) else {
        return Some(text.into());
    };
    let bytes = (node.span.end - node.span.start) as usize;
    let problem = if node.span != Span::NOWHERE && bytes == text.len() {
        Problem::new("E056", what).at(node.span.part(place.start, place.end))
    } else {
        let line = text[..place.start].matches('\n').count() + 1;
        Problem::new("E056", format!("line {line} of `{}`: {what}", param.name)).at(node.span)
    };
    cx.push(problem);
    None
}

/// The default of a parameter: a word that looks like a number, such as a version, is a word all the same.
pub(crate) fn param_default(param: &ParamDef, default: &str) -> Node {
    match param.kind {
        ParamKind::Choice(_) => Node {
            value: Value::Text(default.to_owned()),
            span: Span::NOWHERE,
        },
        _ => default_value(default),
    }
}

/// The position of a word among those allowed.
fn word(node: &Node, param: &ParamDef, words: &[&'static str], cx: &mut Cx<'_>) -> Option<usize> {
    // A status such as 503, or a version such as 1.31, is a word that may be written as a number.
    let number = match node.value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    };
    let Some(text) = number.as_deref().or_else(|| node.as_text()) else {
        let what = format!(
            "`{}` is one of a few words, not {}",
            param.name,
            node.noun()
        );
        let problem = Problem::new("E012", what).at(node.span);
        cx.push(problem.help(suggest("", words.iter().copied())));
        return None;
    };
    let found = words.iter().position(|w| *w == text);
    if found.is_none() {
        cx.push(
            Problem::new(
                "E014",
                format!("`{}` cannot be {}", param.name, cited(text)),
            )
            .at(node.span)
            .help(suggest(text, words.iter().copied())),
        );
    }
    found
}

fn list<'n>(node: &'n Node, param: &ParamDef, cx: &mut Cx<'_>) -> Option<&'n [Node]> {
    if let Value::List(items) = &node.value {
        return Some(items);
    }
    cx.push(
        Problem::new(
            "E012",
            format!("`{}` is a list, not {}", param.name, node.noun()),
        )
        .at(node.span),
    );
    None
}

fn bounded(
    node: &Node,
    param: &ParamDef,
    min: f64,
    max: f64,
    unit: &str,
    cx: &mut Cx<'_>,
) -> Option<f64> {
    let limits = from(min, max);
    let key = as_key(param, limits);
    let value = match &node.value {
        Value::Text(text) if text.trim().ends_with('%') && unit.is_empty() => {
            super::kinds::Ratio::read(node, &key, cx)?
        }
        _ => number(node, &key, cx)?,
    };
    if limits.allow(value) {
        return Some(value);
    }
    cx.push(out_of_range(
        &written(node),
        param.name,
        format!("{} {unit}", limits.words()).trim(),
        node.span,
    ));
    None
}

fn at_least(node: &Node, param: &ParamDef, min: Duration, cx: &mut Cx<'_>) -> Option<Duration> {
    let value = span(node, param.name, cx)?;
    if value >= min && value.as_secs_f64() <= TEN_YEARS_S {
        return Some(value);
    }
    cx.push(out_of_range(
        &written(node),
        param.name,
        &format!("{min} or more, at most ten years"),
        node.span,
    ));
    None
}

impl<D: Listed> Reads for ExtensionOf<D> {
    type Out = Configured<D>;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Configured<D>> {
        choice(node, key.name, cx)
    }
    fn form() -> Form {
        Form::Extension(D::table())
    }
}

/// Most rows of one list: more than anybody has, and few enough to look at each for each request.
const ROWS_MAX: usize = 16;

impl<D: Listed> Reads for ExtensionsOf<D> {
    type Out = Vec<Configured<D>>;
    fn read(node: &Node, key: &KeyDef, cx: &mut Cx<'_>) -> Option<Self::Out> {
        let Value::List(items) = &node.value else {
            let help = format!("write {} = [{{ kind = … }}, …]", key.name);
            let wanted = format!("a list of {}", D::NAME);
            cx.push(mismatch(node, &wanted, key).help(help));
            return None;
        };
        if items.len() > ROWS_MAX {
            let what = format!(
                "{} {}; at most {ROWS_MAX} are allowed",
                items.len(),
                D::NAME
            );
            cx.push(Problem::new("E024", what).at(node.span));
            return None;
        }
        // Each is read, so that the problems of all are found.
        let read: Vec<_> = items.iter().map(|item| choice(item, D::NOUN, cx)).collect();
        read.into_iter().collect()
    }
    fn form() -> Form {
        Form::Extensions(D::table())
    }
}

/// A rate as written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum RateSpec {
    Number(f64),
    /// Moments with the rate there, and where each moment stands.
    Corners(Vec<(Instant, f64, Span)>),
    Profile(Configured<ProfileDef>),
}

/// Highest rate: more requests than this a second no run could count.
const RATE_MAX: f64 = 1e9;

fn rate_hz(node: &Node, cx: &mut Cx<'_>) -> Option<f64> {
    const RATE: KeyDef = KeyDef {
        was: "",
        name: "rate",
        about: "",
        default: None,
        limits: from(0.0, RATE_MAX),
        unit: "requests per second",
        live: true,
        form: || Form::Rate,
    };
    super::kinds::Number::read(node, &RATE, cx)
}

impl Reads for Rate {
    type Out = RateSpec;
    fn read(node: &Node, _: &KeyDef, cx: &mut Cx<'_>) -> Option<RateSpec> {
        match &node.value {
            Value::Integer(_) | Value::Float(_) => rate_hz(node, cx).map(RateSpec::Number),
            Value::List(items) => {
                if items.is_empty() {
                    cx.push(
                        Problem::new("E013", "a rate needs at least one corner")
                            .at(node.span)
                            .help("such as [[\"0s\", 100], [\"5m\", 300]]"),
                    );
                    return None;
                }
                let read: Vec<_> = items.iter().map(|item| corner(item, cx)).collect();
                read.into_iter()
                    .collect::<Option<Vec<_>>>()
                    .map(RateSpec::Corners)
            }
            Value::Table(_) => choice(node, ProfileDef::NOUN, cx).map(RateSpec::Profile),
            Value::Text(text)
                if ProfileDef::registry()
                    .rows()
                    .iter()
                    .any(|row| row.row.name == text) =>
            {
                choice(node, ProfileDef::NOUN, cx).map(RateSpec::Profile)
            }
            _ => {
                let help = "a number of requests per second, a list of corners such as [[\"0s\", 100], [\"5m\", 300]], or a profile { kind = … }";
                cx.push(
                    Problem::new("E012", format!("`rate` cannot be {}", node.noun()))
                        .at(node.span)
                        .help(help),
                );
                None
            }
        }
    }
    fn form() -> Form {
        Form::Rate
    }
}

fn corner(node: &Node, cx: &mut Cx<'_>) -> Option<(Instant, f64, Span)> {
    let [at, rate] = node.items() else {
        cx.push(
            Problem::new("E012", "a corner of a rate is [time, requests per second]")
                .at(node.span)
                .help("such as [\"5m\", 320]"),
        );
        return None;
    };
    let moment = match &at.value {
        Value::Text(text) => moment(text, at.span, cx.clock, cx),
        _ => span(at, "time of a corner", cx).map(|s| Instant(s.0)),
    };
    Some((moment?, rate_hz(rate, cx)?, at.span))
}
