//! Dialects: what a program stands for is laid below what a scenario writes beside it.

use super::Source;
use super::extensions::choice;
use super::problem::{Collector, Problem, Problems, Span};
use super::section::Cx;
use super::sections::ServiceSpec;
use super::tree::{Node, Value, parse_any, parse_value};
use crate::dialect::{DialectDef, Member};
use crate::ids::Id;
use crate::model::{Server, Service};
use std::borrow::Cow;

/// The tree as it is to be read: every balancer with a dialect has the keys that this stands for, with what is
/// written laid upon them. What a scenario says in its own words stays as it is: what is shown, hashed
/// and set is the dialect.
pub(crate) fn expanded(tree: &Node) -> Cow<'_, Node> {
    let services = || tree.get("service").map(Node::entries).unwrap_or_default();
    let has_dialect = |service: &Node| dialect_of(service).is_some();
    if !services().iter().any(|entry| has_dialect(&entry.node)) {
        return Cow::Borrowed(tree);
    }
    let mut tree = tree.clone();
    if let Some(Node {
        value: Value::Table(services),
        ..
    }) = tree.get_mut("service")
    {
        for service in services {
            if let Some(below) = dialect_of(&service.node).and_then(keys)
                && let Some(balancer) = service.node.get_mut("balancer")
            {
                *balancer = Node::merged(&below, balancer);
            }
        }
    }
    Cow::Owned(tree)
}

/// The keys of a balancer that a dialect stands for, as a scenario would write them; `written` is its name or
/// an inline table with its parameters.
///
/// # Errors
/// All problems of what was written.
pub fn meaning(written: &str) -> Result<String, Problems> {
    let sources = [Source::new("the dialect", written)];
    let mut problems = Collector::default();
    let node = parse_value(written, Span::NOWHERE, &mut problems);
    let cx = &mut Cx {
        problems: &mut problems,
        clock: None,
    };
    let dialect = node.and_then(|node| choice::<DialectDef>(&node, "dialect", cx));
    problems.finish(&sources)?;
    Ok(dialect.map(|dialect| dialect.expand()).unwrap_or_default())
}

/// What is written of a service's dialect.
fn dialect_of(service: &Node) -> Option<&Node> {
    let written = service.get("balancer")?.get("dialect")?;
    (written.as_text() != Some("none")).then_some(written)
}

/// The keys that a dialect stands for. Problems with them are told when the key itself is read.
fn keys(written: &Node) -> Option<Node> {
    let cx = &mut Cx {
        problems: &mut Collector::default(),
        clock: None,
    };
    let dialect = choice::<DialectDef>(written, "dialect", cx)?;
    let text = Source::new("dialect.toml", dialect.expand());
    let mut keys = parse_any(&text, 0, &mut Collector::default())?;
    move_to(&mut keys, written.span);
    Some(keys)
}

/// Whatever is wrong with what a dialect stands for is to be looked for where it is written.
fn move_to(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| move_to(item, span)),
        Value::Table(entries) => {
            for entry in entries {
                entry.key_span = span;
                move_to(&mut entry.node, span);
            }
        }
        _ => {}
    }
}

/// A program must accept the servers that it is given.
pub(crate) fn check_members(
    written: &[(String, Span, ServiceSpec)],
    services: &[Service],
    servers: &[Server],
    cx: &mut Cx<'_>,
) -> Option<()> {
    let mut clean = true;
    for ((name, _, spec), service) in written.iter().zip(services) {
        let Some(dialect) = &service.balancer.dialect else {
            continue;
        };
        let member = |id: &crate::ids::ServerId| {
            let params = &servers[id.position()].params;
            Member {
                weight: params.weight,
                backup: params.priority > 0,
                max_connections: params.max_connections,
            }
        };
        let members: Vec<Member> = service.servers.iter().map(member).collect();
        if let Some(why) = (dialect.def.refuses)(&dialect.params, &members) {
            let what = format!(
                "{} refuses the servers of `{name}`: {why}",
                dialect.def.row.name
            );
            cx.push(Problem::new("E017", what).at(spec.balancer.get()?.dialect.span));
            clean = false;
        }
    }
    clean.then_some(())
}
