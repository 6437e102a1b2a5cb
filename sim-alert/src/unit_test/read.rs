//! Files of tests.

use super::values::{self, POINTS_MAX, Sequence};
use crate::eval::Sample;
use crate::expr;
use crate::labels::Labels;
use crate::number;
use crate::problem::Problem;
use crate::yaml::{self, Node, Table};
use std::collections::BTreeMap;

/// How often rules are evaluated if the file does not say.
const INTERVAL_MS: i64 = 60_000;

const FILE: [&str; 5] = [
    "rule_files",
    "evaluation_interval",
    "group_eval_order",
    "tests",
    "fuzzy_compare",
];
const TEST: [&str; 7] = [
    "interval",
    "input_series",
    "alert_rule_test",
    "promql_expr_test",
    "external_labels",
    "external_url",
    "name",
];

/// Names and texts by name. Other than in labels of series, an empty text is not the same as none.
pub(super) type Pairs = BTreeMap<String, String>;

pub(super) struct File {
    pub(super) rule_files: Vec<String>,
    pub(super) interval_ms: i64,
    pub(super) order: Vec<String>,
    pub(super) fuzzy: bool,
    pub(super) tests: Vec<Test>,
}

pub(super) struct Test {
    pub(super) line: usize,
    pub(super) name: String,
    /// Between two points of a series.
    pub(super) interval_ms: i64,
    pub(super) series: Vec<(Labels, Sequence)>,
    pub(super) alerts: Vec<AlertTest>,
    pub(super) exprs: Vec<ExprTest>,
    pub(super) external: Labels,
    pub(super) url: String,
}

pub(super) struct AlertTest {
    pub(super) line: usize,
    pub(super) at_ms: i64,
    pub(super) alert: String,
    /// Labels and annotations.
    pub(super) expected: Vec<(Pairs, Pairs)>,
}

pub(super) struct ExprTest {
    pub(super) line: usize,
    pub(super) at_ms: i64,
    pub(super) text: String,
    pub(super) expected: Vec<Sample>,
}

/// # Errors
/// Names the first mistake of each test.
pub(super) fn file(path: &str, text: &str) -> Result<File, Vec<Problem>> {
    let one = |problem| vec![problem];
    let root = yaml::read(path, text).map_err(one)?;
    let table = Table::of(path, &root, "a file of tests", &FILE).map_err(one)?;
    let mut file = head(&table).map_err(one)?;
    let mut problems = Vec::new();
    let mut room = POINTS_MAX;
    for (place, node) in table.list("tests").map_err(one)?.iter().enumerate() {
        match test(path, node, file.interval_ms, &mut room) {
            Ok(mut test) => {
                if test.name.is_empty() {
                    test.name = format!("unnamed#{place}");
                }
                file.tests.push(test);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(file)
    } else {
        Err(problems)
    }
}

fn head(table: &Table<'_>) -> Result<File, Problem> {
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    let order: Vec<String> = owned(table.texts("group_eval_order")?);
    let mut names = order.iter().enumerate();
    if let Some((_, twice)) = names.find(|(at, name)| order[..*at].contains(name)) {
        let message = format!("group_eval_order names {twice:?} twice");
        return Err(table.wrong("group_eval_order", message));
    }
    let fuzzy = match table.text("fuzzy_compare")? {
        "" | "false" => false,
        "true" => true,
        text => {
            let message = format!("fuzzy_compare: {text:?}; allowed are true and false");
            return Err(table.wrong("fuzzy_compare", message));
        }
    };
    Ok(File {
        rule_files: owned(table.texts("rule_files")?),
        interval_ms: length(table, "evaluation_interval", INTERVAL_MS)?,
        order,
        fuzzy,
        tests: Vec::new(),
    })
}

/// A length of time; 0 is as good as none.
fn length(table: &Table<'_>, key: &str, otherwise: i64) -> Result<i64, Problem> {
    let written = table.duration(key)?.filter(|length| *length > 0);
    Ok(written.unwrap_or(otherwise))
}

fn test(path: &str, node: &Node, interval_ms: i64, room: &mut u64) -> Result<Test, Problem> {
    let table = Table::of(path, node, "a test", &TEST)?;
    let series = table.list("input_series")?.iter();
    let alerts = table.list("alert_rule_test")?.iter();
    let exprs = table.list("promql_expr_test")?.iter();
    Ok(Test {
        line: node.place,
        name: table.text("name")?.to_owned(),
        interval_ms: length(&table, "interval", interval_ms)?,
        series: series
            .map(|node| self::series(path, node, room))
            .collect::<Result<_, _>>()?,
        alerts: alerts
            .map(|node| alert(path, node))
            .collect::<Result<_, _>>()?,
        exprs: exprs
            .map(|node| expr(path, node))
            .collect::<Result<_, _>>()?,
        external: table.pairs("external_labels")?.into_iter().collect(),
        url: table.text("external_url")?.to_owned(),
    })
}

/// `room` is how many points the file may still have.
fn series(path: &str, node: &Node, room: &mut u64) -> Result<(Labels, Sequence), Problem> {
    let table = Table::of(path, node, "an input series", &["series", "values"])?;
    let text = table.text("series")?;
    let wrong = |why| table.wrong("series", format!("series: {text:?} {why}"));
    let labels = expr::metric(text).map_err(wrong)?;
    let values = values::read(table.text("values")?)
        .map_err(|why| table.wrong("values", format!("values of {labels}: {why}")))?;
    *room = room.checked_sub(values.places()).ok_or_else(|| {
        let message = format!(
            "values of {labels}: with these the series of the file have more than {POINTS_MAX} points"
        );
        table.wrong("values", message)
    })?;
    Ok((labels, values))
}

fn alert(path: &str, node: &Node) -> Result<AlertTest, Problem> {
    let keys = ["eval_time", "alertname", "exp_alerts"];
    let table = Table::of(path, node, "a test of an alert", &keys)?;
    let name = table.text("alertname")?;
    if name.is_empty() {
        return Err(table.wrong("alertname", "a test of an alert needs its alertname"));
    }
    let mut expected = Vec::new();
    for node in table.list("exp_alerts")? {
        let keys = ["exp_labels", "exp_annotations"];
        let table = Table::of(path, node, "an expected alert", &keys)?;
        let mut labels = pairs(table.pairs("exp_labels")?);
        labels.insert("alertname".to_owned(), name.to_owned());
        expected.push((labels, pairs(table.pairs("exp_annotations")?)));
    }
    Ok(AlertTest {
        line: node.place,
        at_ms: table.duration("eval_time")?.unwrap_or(0),
        alert: name.to_owned(),
        expected,
    })
}

pub(super) fn pairs<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Pairs {
    let owned = pairs.into_iter();
    owned
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

fn expr(path: &str, node: &Node) -> Result<ExprTest, Problem> {
    let keys = ["expr", "eval_time", "exp_samples"];
    let table = Table::of(path, node, "a test of an expression", &keys)?;
    let mut expected = Vec::new();
    for node in table.list("exp_samples")? {
        let keys = ["labels", "value", "histogram"];
        let table = Table::of(path, node, "an expected sample", &keys)?;
        if !table.text("histogram")?.is_empty() {
            return Err(table.wrong("histogram", "native histograms are not supported"));
        }
        let text = table.text("labels")?;
        let labels = expr::metric(text)
            .map_err(|why| table.wrong("labels", format!("labels: {text:?} {why}")))?;
        let text = table.text("value")?;
        let value = value(text)
            .ok_or_else(|| table.wrong("value", format!("value: {text:?} is no number")))?;
        expected.push(Sample { labels, value });
    }
    Ok(ExprTest {
        line: node.place,
        at_ms: table.duration("eval_time")?.unwrap_or(0),
        text: table.text("expr")?.to_owned(),
        expected,
    })
}

/// A number as YAML has it; none is 0.
fn value(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    match lower.trim_start_matches(['+', '-']) {
        "" if lower.is_empty() => Some(0.0),
        ".nan" => Some(f64::NAN),
        ".inf" if lower.starts_with('-') => Some(f64::NEG_INFINITY),
        ".inf" => Some(f64::INFINITY),
        digits if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
            number::float(&lower)
        }
        _ => None,
    }
}
