//! `like`: a server that copies the keys of another one.

use super::problem::{Collector, Problem, suggest};
use super::tree::{Node, Value};

/// Keys that say which server it is rather than what it is like.
const OWN: [&str; 4] = ["name", "count", "first", "like"];

/// Replaces every `like` by the keys it stands for.
pub(crate) fn resolve(root: &mut Node, problems: &mut Collector) {
    let Some(Node {
        value: Value::Table(services),
        ..
    }) = root.get_mut("service")
    else {
        return;
    };
    for service in services {
        if let Some(Node {
            value: Value::List(servers),
            ..
        }) = service.node.get_mut("server")
        {
            resolve_list(servers, problems);
        }
    }
}

fn resolve_list(servers: &mut [Node], problems: &mut Collector) {
    let mut done: Vec<bool> = servers.iter().map(|s| s.get("like").is_none()).collect();
    // Found by name once: a fleet may be large. Of two with the same name the first counts; the
    // second is reported when the servers are built.
    let mut by_name = std::collections::BTreeMap::new();
    for (i, server) in servers.iter().enumerate() {
        if let Some(name) = server.get("name").and_then(Node::as_text) {
            by_name.entry(name.to_owned()).or_insert(i);
        }
    }
    // Which chain a server was last seen in.
    let mut seen = vec![usize::MAX; servers.len()];
    for start in 0..servers.len() {
        let mut chain = vec![start];
        seen[start] = start;
        let before = problems.count();
        while let Some(&last) = chain.last() {
            if done[last] {
                break;
            }
            match model_of(servers, last, &by_name, problems) {
                Some(next) if seen[next] == start => {
                    let span = servers[last]
                        .get("like")
                        .map_or(servers[last].span, |n| n.span);
                    problems.push(
                        Problem::new("E026", "`like` goes round in a circle")
                            .at(span)
                            .help("one server of the circle must have keys of its own instead"),
                    );
                    break;
                }
                Some(next) => {
                    seen[next] = start;
                    chain.push(next);
                }
                None => break,
            }
        }
        if problems.count() > before {
            // They lack what they would have had of others.
            for &server in &chain {
                problems.spare(servers[server].span, None);
            }
        }
        copy_chain(servers, &mut chain, &mut done);
    }
}

/// The server that server number `index` is like.
fn model_of(
    servers: &[Node],
    index: usize,
    by_name: &std::collections::BTreeMap<String, usize>,
    problems: &mut Collector,
) -> Option<usize> {
    let like = servers[index].get("like")?;
    let word = like.as_text()?;
    if word == "none" {
        return None;
    }
    let found = by_name
        .get(word)
        .copied()
        .or_else(|| member_of_group(servers, word));
    if found.is_none() {
        let help = suggest(word, by_name.keys().map(String::as_str));
        problems.push(
            Problem::new(
                "E020",
                format!("no server is called `{word}` in this service"),
            )
            .at(like.span)
            .help(help),
        );
    }
    found
}

/// `like = "web-3"` where web-3 is one of several written together.
fn member_of_group(servers: &[Node], word: &str) -> Option<usize> {
    let (prefix, digits) = word.rsplit_once('-')?;
    digits.parse::<u64>().ok()?;
    servers.iter().position(|s| {
        s.get("name").and_then(Node::as_text) == Some(prefix)
            && (s.get("count").is_some() || s.get("first").is_some())
    })
}

/// Copies keys along a chain, beginning with the server that is like no other.
fn copy_chain(servers: &mut [Node], chain: &mut Vec<usize>, done: &mut [bool]) {
    let Some(mut from) = chain.pop() else { return };
    done[from] = true;
    while let Some(to) = chain.pop() {
        let mut base = servers[from].clone();
        for key in OWN {
            base.take(key);
        }
        let mut merged = Node::merged(&base, &servers[to]);
        merged.take("like");
        servers[to] = merged;
        done[to] = true;
        from = to;
    }
}
