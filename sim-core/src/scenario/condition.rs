//! Conditions: a metric, perhaps of something, compared with a threshold.
//!
//! ```text
//! p99 > 2s        share(web-1) > 70%        failed(checkout) > 5%
//! ```

use super::assemble::Base;
use super::kinds::ratio_of_text;
use super::problem::{Problem, Span, suggest};
use super::section::Cx;
use crate::metric::{Comparison, Condition, METRICS, MetricDef, Scope, Unit};
use crate::model::{ClassId, ServerId, ServiceId};
use crate::text::cited;
use crate::time::Duration;

/// Comparisons, longer ones first so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 7] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<", Comparison::Below),
    (">", Comparison::Above),
    ("=", Comparison::Equal),
];

/// A piece of a text that keeps its place in the source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'t> {
    pub text: &'t str,
    pub span: Span,
}

impl<'t> Piece<'t> {
    /// A whole text value; `span` includes its quotation marks where it has any.
    pub(crate) fn new(text: &'t str, span: Span) -> Self {
        let quotes = (span.end - span.start) as usize == text.len() + 2;
        let span = if quotes {
            span.part(1, text.len() + 1)
        } else {
            span
        };
        Self { text, span }.trim()
    }

    pub(crate) fn part(self, from: usize, to: usize) -> Self {
        // With escapes in the text, places inside of it are not places in the source.
        let exact = (self.span.end - self.span.start) as usize == self.text.len();
        let span = if exact {
            self.span.part(from, to)
        } else {
            self.span
        };
        Self {
            text: &self.text[from..to],
            span,
        }
    }

    pub(crate) fn trim(self) -> Self {
        let start = self.text.len() - self.text.trim_start().len();
        self.part(start, start + self.text.trim().len())
    }

    /// Before and after the first `mark`.
    pub(crate) fn split(self, mark: &str) -> Option<(Self, Self)> {
        let at = self.text.find(mark)?;
        Some((
            self.part(0, at).trim(),
            self.part(at + mark.len(), self.text.len()).trim(),
        ))
    }

    /// `name(inside)`, or the whole as the name.
    pub(crate) fn call(self) -> (Self, Option<Self>) {
        if let Some(open) = self.text.find('(')
            && self.text.ends_with(')')
        {
            return (
                self.part(0, open).trim(),
                Some(self.part(open + 1, self.text.len() - 1).trim()),
            );
        }
        (self, None)
    }

    /// Left side, comparison, right side.
    pub(crate) fn comparison(self) -> Option<(Self, Comparison, Self)> {
        let at = self.text.find(['<', '>', '=', '!'])?;
        let rest = &self.text[at..];
        let (sign, comparison) = COMPARISONS
            .iter()
            .find(|(sign, _)| rest.starts_with(sign))?;
        Some((
            self.part(0, at).trim(),
            *comparison,
            self.part(at + sign.len(), self.text.len()).trim(),
        ))
    }

    pub(crate) fn problem(self, code: &'static str, message: impl Into<String>) -> Problem {
        Problem::new(code, message).at(self.span)
    }
}

/// Reads the condition of an alert.
pub(crate) fn condition(text: Piece<'_>, base: &Base, cx: &mut Cx<'_>) -> Option<Condition> {
    let Some((left, comparison, right)) = text.comparison() else {
        cx.push(text.problem("E032", format!("{} is no condition", cited(text.text))).help("a metric, a comparison and a threshold, such as p99 > 2s or share(web-1) > 70%"));
        return None;
    };
    let (metric, scope) = metric(left, base, cx)?;
    let threshold = quantity(right, metric.unit, cx)?;
    Some(Condition {
        metric,
        scope,
        comparison,
        threshold,
    })
}

/// Reads `metric` or `metric(scope)`.
pub(crate) fn metric(
    text: Piece<'_>,
    base: &Base,
    cx: &mut Cx<'_>,
) -> Option<(&'static MetricDef, Scope)> {
    let (name, inside) = text.call();
    let Some(def) = MetricDef::find(name.text) else {
        cx.push(
            name.problem("E033", format!("no metric is called {}", cited(name.text)))
                .help(suggest(name.text, METRICS.iter().map(|m| m.name))),
        );
        return None;
    };
    let scope = match inside {
        Some(inside) => scope(inside, base, cx)?,
        None => Scope::Site,
    };
    if def.applies_to(scope) {
        return Some((def, scope));
    }
    let (what, help) = match scope {
        Scope::Site => ("the whole site", "name a server: share(web-1)"),
        Scope::Class(_) => ("a class", "a service or a server has it"),
        Scope::Service(_) => ("a service", "name a server of it"),
        Scope::Server(_) => (
            "a server",
            "response times and offered load belong to requests: take them of a service or a class",
        ),
    };
    cx.push(
        text.problem("E034", format!("`{}` cannot be taken of {what}", def.name))
            .help(help),
    );
    None
}

/// Reads what a metric is taken of: a class, a service or a server by name.
fn scope(text: Piece<'_>, base: &Base, cx: &mut Cx<'_>) -> Option<Scope> {
    let found = scopes(text.text, base);
    match found.as_slice() {
        [scope] => return Some(*scope),
        [] => {
            let classes = base.skeleton.classes.iter().map(|c| c.name.as_str());
            let services = base.skeleton.services.iter().map(|s| s.name.as_str());
            let servers = base.fleet.servers.iter().take(300).map(|s| s.name.as_str());
            let help = suggest(text.text, classes.chain(services).chain(servers));
            cx.push(
                text.problem(
                    "E033",
                    format!("no class, service or server is called {}", cited(text.text)),
                )
                .help(help),
            );
        }
        _ => {
            let help = "say which: class.NAME, service.NAME or service.NAME.server.NAME";
            cx.push(
                text.problem(
                    "E033",
                    format!("{} can mean several things", cited(text.text)),
                )
                .help(help),
            );
        }
    }
    None
}

fn scopes(text: &str, base: &Base) -> Vec<Scope> {
    let service = |name: &str| base.skeleton.services.iter().position(|s| s.name == name);
    let class = |name: &str| {
        base.skeleton
            .classes
            .iter()
            .position(|c| c.name == name)
            .map(|i| Scope::Class(ClassId(i as u16)))
    };
    let words: Vec<&str> = text.split('.').collect();
    let servers = |name: &str, within: Option<usize>| -> Vec<Scope> {
        let all = base.fleet.servers.iter().enumerate();
        all.filter(|(_, s)| s.name == name && within.is_none_or(|w| usize::from(s.service.0) == w))
            .map(|(i, _)| Scope::Server(ServerId(i as u32)))
            .collect()
    };
    match words.as_slice() {
        ["class", name] => class(name).into_iter().collect(),
        ["service", name] => service(name)
            .map(|i| Scope::Service(ServiceId(i as u16)))
            .into_iter()
            .collect(),
        ["service", name, "server", server] => {
            service(name).map_or(Vec::new(), |i| servers(server, Some(i)))
        }
        ["server", name] => servers(name, None),
        [name] => {
            let mut found: Vec<Scope> = class(name).into_iter().collect();
            found.extend(service(name).map(|i| Scope::Service(ServiceId(i as u16))));
            found.extend(servers(name, None));
            found
        }
        _ => Vec::new(),
    }
}

/// Reads a number in a unit, as the metric keeps it.
pub(crate) fn quantity(text: Piece<'_>, unit: Unit, cx: &mut Cx<'_>) -> Option<f64> {
    let plain = |text: &str| text.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    let (value, shape) = match unit {
        Unit::Time => match Duration::parse(text.text) {
            Ok(span) => (Some(span.0 as f64), String::new()),
            Err(why) => (None, format!("a time span: {why}")),
        },
        Unit::Ratio => (
            ratio_of_text(text.text),
            "a share, such as 5% or 0.05".to_owned(),
        ),
        Unit::Hertz => (
            plain(text.text.strip_suffix("/s").unwrap_or(text.text)),
            "a number per second, such as 320 or 320/s".to_owned(),
        ),
        Unit::Count => (plain(text.text), "a number".to_owned()),
    };
    if value.is_none() {
        cx.push(
            text.problem(
                "E015",
                format!("{} cannot be compared here", cited(text.text)),
            )
            .help(format!("wanted: {shape}")),
        );
    }
    value
}
