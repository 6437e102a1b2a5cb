//! Files of rules (`model/rulefmt/rulefmt.go`).

use super::{Group, Rule, RuleKind, Rules};
use crate::expr::{Expr, Kind};
use crate::labels::{Labels, NAME};
use crate::problem::{Problem, cited};
use crate::template::{self, Outside};
use crate::yaml::{self, Node, Table};
use std::collections::BTreeSet;

const GROUP: [&str; 6] = [
    "name",
    "interval",
    "query_offset",
    "limit",
    "rules",
    "labels",
];
const RULE: [&str; 7] = [
    "record",
    "alert",
    "expr",
    "for",
    "keep_firing_for",
    "labels",
    "annotations",
];

pub(super) fn file(file: &str, text: &str) -> Result<Rules, Vec<Problem>> {
    let one = |problem| vec![problem];
    let root = yaml::read(file, text).map_err(one)?;
    let table = Table::of(file, &root, "a file of rules", &["groups"]).map_err(one)?;
    let (mut groups, mut problems) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for node in table.list("groups").map_err(one)? {
        if let Some(group) = kept(group(file, node, &mut problems), &mut problems) {
            if !names.insert(group.name.clone()) {
                let message = format!("the group {:?} is written twice in this file", group.name);
                problems.push(Problem::new(file, node.place, message));
            }
            groups.push(group);
        }
    }
    if problems.is_empty() {
        let outside = Outside::default();
        Ok(Rules { groups, outside })
    } else {
        Err(problems)
    }
}

/// What was read; a mistake is put to the others.
fn kept<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

fn group(file: &str, node: &Node, problems: &mut Vec<Problem>) -> Result<Group, Problem> {
    let table = Table::of(file, node, "a group", &GROUP)?;
    let name = table.text("name")?;
    if name.is_empty() {
        return Err(table.wrong("name", "a group needs a name"));
    }
    let limit = match table.text("limit")? {
        "" => 0,
        text => text.parse().map_err(|_| {
            table.wrong(
                "limit",
                format!("limit: {text:?} is no whole number from 0"),
            )
        })?,
    };
    let common = labels(&table)?;
    let mut rules = Vec::new();
    for node in table.list("rules")? {
        rules.extend(kept(rule(file, node, &common), problems));
    }
    Ok(Group {
        name: name.to_owned(),
        // An interval of 0 is none.
        interval_ms: table.duration("interval")?.filter(|length| *length > 0),
        query_offset_ms: table.duration("query_offset")?.unwrap_or(0),
        limit,
        rules,
    })
}

fn rule(file: &str, node: &Node, common: &Labels) -> Result<Rule, Problem> {
    let table = Table::of(file, node, "a rule", &RULE)?;
    let (record, alert) = (table.text("record")?, table.text("alert")?);
    let name = match (record.is_empty(), alert.is_empty()) {
        (false, true) => record,
        (true, false) => alert,
        _ => {
            let message = "a rule has either alert or record";
            return Err(Problem::new(file, node.place, message));
        }
    };
    let text = table.text("expr")?;
    if text.is_empty() {
        let message = format!("the rule {name:?} needs an expr");
        return Err(table.wrong("expr", message));
    }
    let expr = Expr::read(text)
        .map_err(|why| table.wrong("expr", format!("expr of {name:?}: {} {why}", cited(text))))?;
    if let Some(why) = no_rule(&expr) {
        return Err(table.wrong("expr", format!("expr of {name:?} {why}")));
    }
    let mut merged = common.clone();
    for (label, value) in labels(&table)?.iter() {
        merged.set(label, value);
    }
    let kind = if alert.is_empty() {
        if record.contains(['{', '}']) {
            let message = format!(
                "record: {record:?} is no name of a metric, which has no braces; an expression belongs into expr"
            );
            return Err(table.wrong("record", message));
        }
        for key in ["for", "keep_firing_for", "annotations"] {
            if table.get(key).is_some() {
                return Err(table.wrong(
                    key,
                    format!("{key} belongs to alerts, and {record:?} is recorded"),
                ));
            }
        }
        RuleKind::Record
    } else {
        check_templates(&table, "labels")?;
        check_templates(&table, "annotations")?;
        RuleKind::Alert {
            for_ms: table.duration("for")?.unwrap_or(0),
            keep_firing_ms: table.duration("keep_firing_for")?.unwrap_or(0),
            annotations: annotations(&table)?,
        }
    };
    Ok(Rule {
        name: name.to_owned(),
        text: text.to_owned(),
        expr,
        labels: merged,
        kind,
        file: file.to_owned(),
        line: node.place,
    })
}

/// Why an expression is none of a rule.
pub(super) fn no_rule(expr: &Expr) -> Option<String> {
    let fits = matches!(expr.kind(), Kind::Scalar | Kind::Vector);
    let kind = expr.kind().name();
    (!fits).then(|| format!("comes to {kind}; allowed are scalars and instant vectors"))
}

fn labels(table: &Table<'_>) -> Result<Labels, Problem> {
    let pairs = table.pairs("labels")?;
    if let Some((name, _)) = pairs
        .iter()
        .find(|(name, _)| name.is_empty() || *name == NAME)
    {
        let message =
            format!("labels: {name:?} is no label that can be set; allowed is any name but {NAME}");
        return Err(table.wrong("labels", message));
    }
    Ok(pairs.into_iter().collect())
}

/// Looks for what is wrong with templates, which alerts alone have.
fn check_templates(table: &Table<'_>, key: &str) -> Result<(), Problem> {
    for (name, text) in table.pairs(key)? {
        if let Some(why) = template::wrong(text) {
            return Err(table.wrong(key, format!("{key}: {name}: {why}")));
        }
    }
    Ok(())
}

fn annotations(table: &Table<'_>) -> Result<Vec<(String, String)>, Problem> {
    let pairs = table.pairs("annotations")?;
    if let Some((name, _)) = pairs.iter().find(|(name, _)| name.is_empty()) {
        let message = format!("annotations: {name:?} is no name");
        return Err(table.wrong("annotations", message));
    }
    let owned = pairs.into_iter();
    Ok(owned
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect())
}
