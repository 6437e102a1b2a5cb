//! Rules of Prometheus, from their files and expressions to the model: which alerts they are, which series they ask for,
//! and whether a simulation has these.

use super::problem::{Problem, Span};
use super::section::Cx;
use super::sections::{AlertSpec, RulesSpec, Top};
use crate::alert_rule::{ALERT_RULES, Watched, Watches};
use crate::extension::{Configured, Params};
use crate::model::{Alert, Exposing, Monitoring, RuleSet, Scraped};
use crate::series::{SERIES, named};
use crate::text::{cited, shown};
use crate::time::Duration;
use sim_alert::{Rule, RuleKind, Rules, Selector, Written};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// The group of rules that stand in the scenario itself.
const OWN: &str = "scenario";
/// Most rules, those that record among them.
const RULES_MAX: usize = 10_000;
/// Most points that are kept of what is scraped.
const POINTS_MAX: u64 = 1_000_000;
/// Series that Prometheus makes of its alerts.
const MADE: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

const MS: u64 = 1_000_000;

/// Rules that were read.
#[derive(Default)]
pub(crate) struct Draft {
    rules: Rules,
    /// Of each rule of each group the alert, by its position in the model.
    alert_of: Vec<Vec<Option<usize>>>,
    /// Of each group where it is written, and whether rules may be left out.
    places: Vec<(Span, bool)>,
    written: String,
}

/// Names of alerts in files of rules.
pub(super) fn names(top: &Top) -> Vec<String> {
    let written = top.monitoring.get().and_then(Option::as_ref);
    let files = written.and_then(|spec| spec.rules.get());
    let text = |spec: &RulesSpec| spec.text.get()?.clone();
    let rules = files.into_iter().flatten().filter_map(text);
    let rules = rules.filter_map(|text| Rules::read("", &text).ok());
    let groups = rules.flat_map(|rules| rules.groups);
    let alerts = groups.flat_map(|group| group.rules);
    let alerts = alerts.filter(|rule| matches!(rule.kind, RuleKind::Alert { .. }));
    alerts.map(|rule| shown(&rule.name).into_owned()).collect()
}

/// Reads all rules, and adds the alerts that stand in files to `alerts`.
pub(super) fn read(
    top: &Top,
    alerts: &mut Vec<Alert>,
    monitoring: Option<&Monitoring>,
    cx: &mut Cx<'_>,
) -> Option<Draft> {
    let mut draft = Draft::default();
    if monitoring.is_none() {
        return Some(draft);
    }
    let mut clean = true;
    for (position, spec) in top.alert.get()?.iter().enumerate() {
        if alerts[position].watched == Watched::Expression {
            clean &= draft.add(spec, &alerts[position], position, cx).is_some();
        }
    }
    // Two alerts of one name in files are one; one of a file and one of the scenario are a mistake.
    let own = alerts.len();
    let spec = top.monitoring.get()?.as_ref()?;
    for rules in spec.rules.get()? {
        clean &= draft.add_file(rules, alerts, own, cx).is_some();
    }
    clean.then_some(draft)
}

impl Draft {
    /// An alert of the scenario whose rule is an expression.
    fn add(
        &mut self,
        spec: &AlertSpec,
        alert: &Alert,
        position: usize,
        cx: &mut Cx<'_>,
    ) -> Option<()> {
        let written = Written {
            name: &alert.name,
            expr: spec.when.get()?,
            for_ms: (alert.hold.0 / MS).cast_signed(),
            keep_firing_ms: (alert.keep.0 / MS).cast_signed(),
        };
        if let Err(why) = self.rules.add_alert(OWN, written) {
            let what = format!(
                "{} is no expression of Prometheus: {why}",
                cited(&alert.text)
            );
            cx.push(Problem::new("E055", what).at(spec.when.span));
            return None;
        }
        if self.alert_of.len() < self.rules.groups.len() {
            self.alert_of.push(Vec::new());
            self.places.push((spec.when.span, false));
        }
        self.alert_of[0].push(Some(position));
        let _ = writeln!(self.written, "{written:?}");
        Some(())
    }

    /// The rules of a file.
    fn add_file(
        &mut self,
        spec: &RulesSpec,
        alerts: &mut Vec<Alert>,
        own: usize,
        cx: &mut Cx<'_>,
    ) -> Option<()> {
        let (file, text) = (spec.file.get()?.as_ref(), spec.text.get()?.as_ref());
        let Some(text) = text else {
            let problem = Problem::new("E011", "rules have a `file`, or a `text`").at(spec.span);
            cx.push(problem.help("rules = [{ file = \"rules.yml\" }]"));
            return None;
        };
        let at = if file.is_some() {
            spec.file.span
        } else {
            spec.text.span
        };
        let name = file.map_or("rules", String::as_str);
        let read = match Rules::read(name, text) {
            Ok(read) => read,
            Err(problems) => {
                for problem in problems {
                    cx.push(Problem::new("E055", shown(&problem.to_string())).at(at));
                }
                return None;
            }
        };
        let skips = spec.skip_unknown.copied()?;
        let all = self.rules.groups.iter().chain(&read.groups);
        let count: usize = all.map(|group| group.rules.len()).sum();
        if count > RULES_MAX {
            let what = format!("{count} rules; at most {RULES_MAX} are allowed");
            cx.push(Problem::new("E024", what).at(at));
            return None;
        }
        for group in &read.groups {
            let mut of = Vec::new();
            for rule in &group.rules {
                of.push(alert_of(rule, alerts, own, at, cx)?);
            }
            self.alert_of.push(of);
            self.places.push((at, skips));
        }
        self.rules.join(read);
        let _ = writeln!(self.written, "{name}\n{skips}\n{text}");
        Some(())
    }

    /// The rules with the series that they ask for; nothing where there is no rule.
    #[expect(
        clippy::option_option,
        reason = "the outer option is a problem that was reported, the inner one absence"
    )]
    pub(super) fn finish(
        mut self,
        alerts: &mut Vec<Alert>,
        exposing: &Exposing<'_>,
        monitoring: Monitoring,
        cx: &mut Cx<'_>,
    ) -> Option<Option<Arc<RuleSet>>> {
        if self.rules.groups.is_empty() {
            return Some(None);
        }
        let left_out = self.without_unknown(exposing, cx)?;
        self.without_left_out(alerts);
        self.windows_hold_values(monitoring, cx)?;
        let rules = self.rules.groups.iter().flat_map(|group| &group.rules);
        let selectors: Vec<&Selector> = rules.flat_map(|rule| rule.expr.selectors()).collect();
        let reach = self.rules.groups.iter().flat_map(|group| {
            let rules = group.rules.iter();
            rules.map(|rule| rule.expr.reach_ms().saturating_add(group.query_offset_ms))
        });
        let reach_ms = reach.max().unwrap_or(0).unsigned_abs();
        let reach = Duration(reach_ms.saturating_mul(MS).saturating_add(monitoring.lag.0));
        let scrapes = reach.0 / monitoring.scrape.0.max(1) + 2;
        let most = (POINTS_MAX / scrapes).max(1);
        let mut scraped: Vec<Scraped> = Vec::new();
        let wanted = |name: &str| {
            let asks = |one: &&Selector| one.metric().is_none_or(|metric| metric == name);
            selectors.iter().any(asks)
        };
        exposing.series(&|def| wanted(def.name), &mut |one| {
            if selectors.iter().any(|selector| selector.takes(&one.labels)) {
                scraped.push(one);
            }
            scraped.len() as u64 <= most
        });
        if scraped.len() as u64 > most {
            let what = format!(
                "rules look {reach} back, which are {scrapes} scrapes, at more than {most} series; at most {POINTS_MAX} values are kept"
            );
            let (at, _) = self.places[0];
            let help = "shorter ranges, fewer labels or a longer `scrape` have fewer";
            cx.push(Problem::new("E024", what).at(at).help(help));
            return None;
        }
        Some(Some(Arc::new(RuleSet {
            rules: Arc::new(self.rules),
            alert_of: self.alert_of,
            reach,
            scraped: scraped.into(),
            left_out,
            written: self.written,
        })))
    }

    /// Names of labels that alerts are given.
    pub(super) fn labels(&self) -> BTreeSet<&str> {
        let alerts = self.alerts().map(|(_, rule)| rule);
        alerts
            .flat_map(|rule| rule.labels.iter().map(|(name, _)| name))
            .collect()
    }

    /// The value that an alert has of a label, empty without it; or why there is no such value.
    pub(super) fn label(&self, alert: usize, name: &str) -> Result<String, String> {
        let own = self.alerts().filter(|(of, _)| *of == alert);
        let values: BTreeSet<&str> = own.map(|(_, rule)| rule.labels.get(name)).collect();
        match Vec::from_iter(values)[..] {
            [] => Ok(String::new()),
            [value] if value.contains("{{") => Err(format!(
                "what {} becomes is known when the alert fires",
                cited(value)
            )),
            [value] => Ok(value.to_owned()),
            [one, other, ..] => Err(format!(
                "{} and {}, and all alerts of a name are one",
                cited(one),
                cited(other)
            )),
        }
    }

    /// Rules that are alerts, with the position of each in the model.
    fn alerts(&self) -> impl Iterator<Item = (usize, &Rule)> {
        let groups = self.rules.groups.iter().zip(&self.alert_of);
        let rules = groups.flat_map(|(group, of)| of.iter().zip(&group.rules));
        rules.filter_map(|(of, rule)| Some(((*of)?, rule)))
    }

    /// Looks whether every selector finds something. Rules that may be are left out, with all that needs what they
    /// record, and named.
    fn without_unknown(&mut self, exposing: &Exposing<'_>, cx: &mut Cx<'_>) -> Option<Vec<String>> {
        let (mut left_out, mut clean) = (Vec::new(), true);
        loop {
            let recorded = self.recorded();
            let (mut known, mut again) = (BTreeMap::new(), false);
            let groups = self.rules.groups.iter_mut().zip(&mut self.alert_of);
            for ((group, of), &(at, skips)) in groups.zip(&self.places) {
                let mut keeps = Vec::with_capacity(group.rules.len());
                for rule in &group.rules {
                    let unknown = unknown_in(rule, &recorded, exposing, &mut known);
                    keeps.push(unknown.is_none() || !skips);
                    let Some(unknown) = unknown else { continue };
                    if skips {
                        // What it records is gone with it.
                        again |= matches!(rule.kind, RuleKind::Record);
                        left_out.push(format!(
                            "{} is left out: no series is {}",
                            place(rule),
                            shown(&unknown.to_string())
                        ));
                        continue;
                    }
                    let (what, help) = nothing(unknown, exposing);
                    let what = format!("{}{what}", prefix(rule));
                    cx.push(Problem::new("E055", what).at(at).help(help));
                    clean = false;
                }
                keep(&mut group.rules, &keeps);
                keep(of, &keeps);
            }
            if !clean || !again {
                return clean.then_some(left_out);
            }
        }
    }

    /// Alerts of which no rule is left are none: nothing can rest on them.
    fn without_left_out(&mut self, alerts: &mut Vec<Alert>) {
        let ruled: BTreeSet<usize> = self
            .alert_of
            .iter()
            .flatten()
            .filter_map(|of| *of)
            .collect();
        let mut place = vec![0; alerts.len()];
        let mut kept = 0;
        let mut position = 0;
        alerts.retain(|alert| {
            let keeps = alert.watched != Watched::Expression || ruled.contains(&position);
            place[position] = kept;
            kept += usize::from(keeps);
            position += 1;
            keeps
        });
        let all = self.alert_of.iter_mut().flatten().flatten();
        all.for_each(|of| *of = place[*of]);
    }

    /// The series that rules record.
    #[inline(never)]
    fn recorded(&self) -> BTreeSet<String> {
        let rules = self.rules.groups.iter().flat_map(|group| &group.rules);
        let records = rules.filter(|rule| matches!(rule.kind, RuleKind::Record));
        records.map(|rule| rule.name.clone()).collect()
    }

    /// Looks whether what differences are taken of holds two values.
    fn windows_hold_values(&self, monitoring: Monitoring, cx: &mut Cx<'_>) -> Option<()> {
        let needed = (monitoring.lag.0).saturating_add(monitoring.scrape.0.saturating_mul(2));
        let mut clean = true;
        for (group, (at, _)) in self.rules.groups.iter().zip(&self.places) {
            for rule in &group.rules {
                let shortest = rule.expr.shortest_difference_ms();
                let shortest = shortest.map(|ms| Duration(ms.unsigned_abs().saturating_mul(MS)));
                let Some(short) = shortest.filter(|length| length.0 < needed) else {
                    continue;
                };
                let what = format!(
                    "{}a range of {short} holds fewer than two values, with a scrape every {} that is seen {} later",
                    prefix(rule),
                    monitoring.scrape,
                    monitoring.lag
                );
                let help = format!("at least {}", Duration(needed));
                cx.push(Problem::new("E017", what).at(*at).help(help));
                clean = false;
            }
        }
        clean.then_some(())
    }
}

/// The first selector of a rule that finds nothing; what is known of others is kept.
#[inline(never)]
fn unknown_in<'r>(
    rule: &'r Rule,
    recorded: &BTreeSet<String>,
    exposing: &Exposing<'_>,
    known: &mut BTreeMap<String, bool>,
) -> Option<&'r Selector> {
    let mut selectors = rule.expr.selectors().into_iter();
    selectors.find(|one| {
        let fresh = || finds(one, recorded, exposing);
        !*known.entry(one.to_string()).or_insert_with(fresh)
    })
}

/// Keeps those of a list that are to be kept.
#[inline(never)]
fn keep<T>(list: &mut Vec<T>, keeps: &[bool]) {
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        keeps[at - 1]
    });
}

/// The position of a rule's alert: the outer option is a problem, the inner one what is recorded.
fn alert_of(
    rule: &Rule,
    alerts: &mut Vec<Alert>,
    own: usize,
    at: Span,
    cx: &mut Cx<'_>,
) -> Option<Option<usize>> {
    let RuleKind::Alert {
        for_ms,
        keep_firing_ms,
        ..
    } = rule.kind
    else {
        return Some(None);
    };
    let name = shown(&rule.name).into_owned();
    if let Some(position) = alerts.iter().position(|alert| alert.name == name) {
        if position < own {
            let what = format!("{}: two alerts are called {}", place(rule), cited(&name));
            cx.push(
                Problem::new("E019", what)
                    .at(at)
                    .help("the other one stands in the scenario"),
            );
            return None;
        }
        return Some(Some(position));
    }
    let def = ALERT_RULES
        .iter()
        .find(|def| def.watches == Watches::Expression)?;
    let length = |ms: i64| Duration(ms.unsigned_abs().saturating_mul(MS));
    alerts.push(Alert {
        name,
        text: one_line(&rule.text),
        rule: Configured {
            def,
            params: Params::default(),
        },
        watched: Watched::Expression,
        over: Duration::ZERO,
        hold: length(for_ms),
        keep: length(keep_firing_ms),
        group: 0,
    });
    Some(Some(alerts.len() - 1))
}

/// Whether there is a series that a selector takes.
#[inline(never)]
fn finds(selector: &Selector, recorded: &BTreeSet<String>, exposing: &Exposing<'_>) -> bool {
    let metric = selector.metric();
    if metric.is_some_and(|name| recorded.contains(name) || MADE.contains(&name)) {
        return true;
    }
    let mut found = false;
    let wanted = |name: &str| metric.is_none_or(|metric| metric == name);
    exposing.series(&|def| wanted(def.name), &mut |one: Scraped| {
        found |= selector.takes(&one.labels);
        !found
    });
    found
}

/// Says that nothing is found, and what there is.
#[inline(never)]
fn nothing(selector: &Selector, exposing: &Exposing<'_>) -> (String, String) {
    let known = selector.metric();
    let known = known.and_then(named);
    let Some(def) = known else {
        let name = selector
            .metric()
            .map_or_else(|| selector.to_string(), str::to_owned);
        let names: Vec<&str> = SERIES.iter().map(|def| def.name).collect();
        let what = format!("no simulation has a series {}", cited(&name));
        let help = format!(
            "there are {}; a rule with `record` gives one another name, `skip_unknown = true` leaves such rules out",
            names.join(", ")
        );
        return (what, help);
    };
    let mut values: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    exposing.series(&|other| other.name == def.name, &mut |one| {
        for label in def.of.labels() {
            let of = values.entry(label).or_default();
            if of.len() < 8 {
                of.insert(one.labels.get(label).to_owned());
            }
        }
        true
    });
    let labels: Vec<String> = values
        .into_iter()
        .map(|(label, values)| format!("{label} ({})", Vec::from_iter(values).join(", ")))
        .collect();
    let what = format!(
        "no series of this scenario is {}",
        shown(&selector.to_string())
    );
    (what, format!("its labels are {}", labels.join("; ")))
}

/// Where a rule stands.
fn place(rule: &Rule) -> String {
    let name = shown(&rule.name);
    if rule.line == 0 {
        return format!("alert {name}");
    }
    format!("{}:{}: {name}", rule.file, rule.line)
}

/// The same before a message; nothing where the message points at it.
fn prefix(rule: &Rule) -> String {
    if rule.line == 0 {
        return String::new();
    }
    format!("{}: ", place(rule))
}

/// An expression in one line.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    shown(&words.join(" ")).into_owned()
}
