//! Everything that has a name, from the library's own tables: what `list` lists and `explain`
//! explains.

use crate::embedded::MODELS;
use crate::exit::EXITS;
use crate::folder::FILES;
use serde::Serialize;
use sim_alert::{Aggregator, Function};
use sim_core::crash::{BALANCER_GAUGES, GaugeDef, SERVER_GAUGES};
use sim_core::doctor::{RULES, Rule};
use sim_core::event_log::KINDS;
use sim_core::experiment::sweep::Plan;
use sim_core::extension::{ExtensionRow, ParamDef};
use sim_core::metric::{METRICS, MetricDef, SUMMARY_PATHS, Scope};
use sim_core::model::{ClassId, ServerId, ServiceId};
use sim_core::outcome::Outcome;
use sim_core::policy::script::{self, BuiltIn};
use sim_core::remedy::{ROWS, Row as Remedy};
use sim_core::scenario::{
    CODES, ExtensionTable, Scenario, keys, param_text, plug_tables, retry_rules,
};
use sim_core::series::{Kind, SERIES, SeriesDef};
use sim_core::statistics::WITHHELD;
use sim_core::summary::{VERDICTS, WARNINGS};
use sim_import::{export, loadtest, logs, settings};

/// A list of things with names.
pub(crate) struct List {
    /// What it is called, in the plural.
    pub name: &'static str,
    /// What its entries are, as a phrase.
    pub about: String,
    rows: Rows,
}

/// Where a list's entries come from.
enum Rows {
    /// A table of extension rows.
    Plugs(fn() -> Vec<&'static ExtensionRow>),
    /// Another table.
    Others(fn() -> Vec<Entry>),
}

impl List {
    /// Its entries.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        match self.rows {
            Rows::Plugs(rows) if self.name == "retries" => rows()
                .into_iter()
                .map(|retry| Entry {
                    facts: retry_rules(retry.name)
                        .into_iter()
                        .map(|(name, value)| Fact { name, value })
                        .collect(),
                    ..row(retry)
                })
                .collect(),
            Rows::Plugs(rows) => rows().into_iter().map(row).collect(),
            Rows::Others(entries) => entries(),
        }
    }
}

/// A thing with a name.
#[derive(Serialize, Clone, PartialEq, Debug, Default)]
pub(crate) struct Entry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub about: String,
    /// Where that is defined: a book, a paper, a program; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Further properties, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Its parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Param>,
}

/// A property.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub(crate) struct Fact {
    /// Which.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// A parameter.
#[derive(Serialize, Clone, PartialEq, Debug)]
pub(crate) struct Param {
    /// Its key.
    pub name: &'static str,
    /// What may be written.
    pub kind: String,
    /// What is counted or measured; may be empty.
    pub unit: String,
    /// What is allowed; may be empty.
    pub range: String,
    /// The value when it is not written; absent when it must be.
    pub default: Option<&'static str>,
    /// What it changes.
    pub about: &'static str,
}

/// The names of all lists.
pub(crate) fn names() -> Vec<&'static str> {
    lists().iter().map(|list| list.name).collect()
}

/// All lists, those of extension rows first.
pub(crate) fn lists() -> Vec<List> {
    let rows = |table: ExtensionTable| {
        let about = format!(
            "each a {}: its name, or a table with `kind` and parameters",
            table.noun
        );
        List {
            name: table.name,
            about,
            rows: Rows::Plugs(table.rows),
        }
    };
    let list = |name, about: &str, entries| List {
        name,
        about: about.to_owned(),
        rows: Rows::Others(entries),
    };
    let mut lists: Vec<List> = plug_tables().into_iter().map(rows).collect();
    lists.extend([
        list(
            "paths",
            "keys of a scenario, for files, `--set` and time lines",
            paths,
        ),
        list(
            "metrics",
            "what alerts and expectations can watch over a window of time",
            metrics,
        ),
        list(
            "figures",
            "what expectations can name of the summary",
            figures,
        ),
        list("gauges", "what crash rules can watch", gauges),
        list(
            "events",
            "kinds of events of the event log, for expectations",
            events,
        ),
        list("outcomes", "how requests and attempts end", outcomes),
        list("models", "scenarios that come with the program", models),
        list("plans", "plans of sweeps that come with the program", plans),
        list("verdicts", "the one word on a whole run", || {
            pairs(VERDICTS)
        }),
        list("warnings", "what a summary warns of", || pairs(WARNINGS)),
        list("reasons", "why a figure has no interval", || {
            pairs(WITHHELD)
        }),
        list("rules", "what `stampede doctor` looks for", rules),
        list(
            "remedies",
            "kinds of changes that `stampede remedy` tries",
            remedies,
        ),
        list("settings", "formats that `stampede import` reads", || {
            about(settings::FORMATS, |row| (row.name, row.about.to_owned()))
        }),
        list("logs", "formats that `stampede calibrate` reads", || {
            about(logs::FORMATS, |row| (row.name, row.about.to_owned()))
        }),
        list(
            "load-tests",
            "reports that `stampede calibrate` reads, with what each hides",
            || {
                about(loadtest::TESTERS, |row| {
                    (row.name, format!("{} It hides {}.", row.about, row.hides))
                })
            },
        ),
        list("exports", "what `stampede export` writes", || {
            about(export::TARGETS, |row| (row.name, row.about.to_owned()))
        }),
        list(
            "series",
            "what rules of Prometheus can ask for while a scenario runs",
            series,
        ),
        list(
            "alert-functions",
            "functions and aggregations of rules of Prometheus that are evaluated",
            alert_functions,
        ),
        list(
            "script-functions",
            "what the script of a policy of one's own can ask, and what it is asked",
            script_functions,
        ),
        list("codes", "problems a scenario can have", codes),
        list("files", "what `-o DIR` writes", || pairs(FILES)),
        list("exits", "exit codes of the command", exits),
    ]);
    lists
}

fn rules() -> Vec<Entry> {
    let about = |rule: &&Rule| format!("{} source: {}", rule.about, rule.source);
    RULES
        .iter()
        .map(|rule| entry(rule.id, &about(rule)))
        .collect()
}

fn remedies() -> Vec<Entry> {
    let about = |row: &&Remedy| format!("{} source: {}", row.about, row.source);
    ROWS.iter()
        .map(|row| entry(row.name, &about(row)))
        .collect()
}

fn series() -> Vec<Entry> {
    let series = |row: &SeriesDef| {
        let kind = match row.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        Entry {
            facts: vec![
                Fact {
                    name: "kind",
                    value: kind.to_owned(),
                },
                Fact {
                    name: "labels",
                    value: row.of.labels().join(", "),
                },
            ],
            ..entry(row.name, row.about)
        }
    };
    SERIES.iter().map(series).collect()
}

fn alert_functions() -> Vec<Entry> {
    let function = |row: &Function| {
        let written = row.arguments.len() - row.optional;
        let kinds = row.arguments.iter().map(|kind| kind.name());
        let arguments = kinds.enumerate().map(|(at, kind)| match kind {
            kind if at < written => kind.to_owned(),
            kind if row.repeats => format!("{kind}, any number of times"),
            kind => format!("{kind}, or nothing"),
        });
        let arguments: Vec<String> = arguments.collect();
        let facts = [
            fact("of", arguments.join("; ")),
            fact("comes to", row.returns.name()),
        ];
        Entry {
            source: row.source.to_owned(),
            facts: facts.into_iter().flatten().collect(),
            ..entry(row.name, row.about)
        }
    };
    let aggregator = |row: &Aggregator| {
        let parameter = row.parameter.map(|kind| format!("{}; ", kind.name()));
        let of = format!("{}an instant vector", parameter.unwrap_or_default());
        Entry {
            source: row.source.to_owned(),
            facts: fact("aggregation of", of).into_iter().collect(),
            ..entry(row.name, row.about)
        }
    };
    let functions = sim_alert::functions().iter().map(function);
    let aggregators = sim_alert::aggregators().iter().map(aggregator);
    let mut all: Vec<Entry> = functions.chain(aggregators).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn about<Row>(rows: &[Row], of: impl Fn(&Row) -> (&str, String)) -> Vec<Entry> {
    let entry = |row| {
        let (name, about) = of(row);
        entry(name, &about)
    };
    rows.iter().map(entry).collect()
}

fn entry(name: &str, about: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        about: about.to_owned(),
        ..Entry::default()
    }
}

fn pairs(rows: &[(&str, &str)]) -> Vec<Entry> {
    rows.iter()
        .map(|(name, about)| entry(name, about))
        .collect()
}

fn fact(name: &'static str, value: impl Into<String>) -> Option<Fact> {
    let value = value.into();
    (!value.is_empty()).then_some(Fact { name, value })
}

fn row(row: &ExtensionRow) -> Entry {
    Entry {
        source: row.source.to_owned(),
        params: row.params.iter().map(param).collect(),
        ..entry(row.name, row.about)
    }
}

fn param(param: &ParamDef) -> Param {
    let (kind, unit, range) = param_text(param);
    Param {
        name: param.name,
        kind,
        unit,
        range,
        default: param.default,
        about: param.about,
    }
}

fn paths() -> Vec<Entry> {
    let of = |row: sim_core::scenario::KeyRow| {
        let default = row
            .default
            .map_or("none, it must be written".to_owned(), |d| {
                if d.is_empty() { "\"\"".to_owned() } else { d }
            });
        let live = if row.live { "yes" } else { "" };
        let facts = [
            fact("value", row.kind),
            fact("unit", row.unit),
            fact("range", row.range),
            fact("default", default),
            fact("changes while time runs", live),
        ];
        Entry {
            facts: facts.into_iter().flatten().collect(),
            ..entry(&row.path, &row.about)
        }
    };
    keys().into_iter().map(of).collect()
}

fn metrics() -> Vec<Entry> {
    let scopes = [
        ("site", Scope::Site),
        ("class", Scope::Class(ClassId(0))),
        ("service", Scope::Service(ServiceId(0))),
        ("server", Scope::Server(ServerId(0))),
    ];
    let of = |metric: &MetricDef| {
        let of: Vec<&str> = scopes
            .iter()
            .filter(|(_, scope)| metric.applies_to(*scope))
            .map(|(name, _)| *name)
            .collect();
        let facts = [
            fact("unit", format!("{:?}", metric.unit).to_lowercase()),
            fact("taken of", of.join(", ")),
        ];
        Entry {
            facts: facts.into_iter().flatten().collect(),
            ..entry(metric.name, metric.about)
        }
    };
    METRICS.iter().map(of).collect()
}

fn figures() -> Vec<Entry> {
    let unit = |row: &sim_core::metric::SummaryPath| {
        fact("unit", format!("{:?}", row.unit).to_lowercase())
    };
    SUMMARY_PATHS
        .iter()
        .map(|row| Entry {
            facts: unit(row).into_iter().collect(),
            ..entry(row.path, row.about)
        })
        .collect()
}

fn gauges() -> Vec<Entry> {
    let of = |whose: &'static str| {
        move |gauge: &GaugeDef| {
            let facts = [
                fact("of", whose),
                fact("unit", format!("{:?}", gauge.unit).to_lowercase()),
            ];
            Entry {
                facts: facts.into_iter().flatten().collect(),
                ..entry(gauge.name, gauge.about)
            }
        }
    };
    SERVER_GAUGES
        .iter()
        .map(of("servers"))
        .chain(BALANCER_GAUGES.iter().map(of("balancers")))
        .collect()
}

fn events() -> Vec<Entry> {
    KINDS
        .iter()
        .map(|kind| entry(kind.name, kind.about))
        .collect()
}

fn outcomes() -> Vec<Entry> {
    Outcome::ALL
        .iter()
        .map(|outcome| entry(outcome.name(), outcome.about()))
        .collect()
}

fn models() -> Vec<Entry> {
    let of = |name: &str| {
        let read = MODELS
            .find(name)
            .and_then(|source| Scenario::read(source, &[], &MODELS).ok());
        let (title, question) = read
            .as_ref()
            .map_or(("", ""), |scenario| (scenario.title(), scenario.question()));
        Entry {
            facts: fact("question", question).into_iter().collect(),
            ..entry(name, title)
        }
    };
    MODELS.names().into_iter().map(of).collect()
}

fn plans() -> Vec<Entry> {
    let of = |name: &'static str| {
        let read = MODELS
            .find_plan(name)
            .and_then(|source| Plan::read(&source, &MODELS).ok());
        entry(name, read.as_ref().map_or("", |plan| plan.title()))
    };
    MODELS.plans().into_iter().map(of).collect()
}

fn codes() -> Vec<Entry> {
    let of = |row: &sim_core::scenario::Code| Entry {
        facts: fact("meaning", row.explanation).into_iter().collect(),
        ..entry(row.code, row.title)
    };
    CODES.iter().map(of).collect()
}

fn script_functions() -> Vec<Entry> {
    let known = |value: &str| {
        vec![Fact {
            name: "known",
            value: value.to_owned(),
        }]
    };
    let asked = |row: &BuiltIn| Entry {
        facts: known(row.known.words()),
        ..entry(&row.call(), row.about)
    };
    let hook = |(call, about): (String, &str)| Entry {
        facts: known("written by you"),
        ..entry(&call, about)
    };
    let hooks = script::hooks().map(hook);
    hooks.chain(script::FUNCTIONS.iter().map(asked)).collect()
}

fn exits() -> Vec<Entry> {
    EXITS
        .iter()
        .map(|(_, code, about)| entry(&code.to_string(), about))
        .collect()
}
