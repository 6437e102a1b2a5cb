//! What is chosen in a scenario's text by its name alone: `kind` of tables, and members of lists that are a name.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A choice: its path, the name, and where it stands, in bytes.
pub(super) struct Kind {
    pub path: String,
    pub name: String,
    pub at: usize,
}

/// All of a text.
pub(super) fn kinds(text: &str) -> Vec<Kind> {
    let mut found = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        of_table(table.get_ref(), "", &mut found);
    }
    found
}

fn of_table(table: &DeTable<'_>, path: &str, found: &mut Vec<Kind>) {
    for (key, value) in table {
        let key = key.get_ref();
        let path = if path.is_empty() {
            key.to_string()
        } else {
            format!("{path}.{key}")
        };
        match value.get_ref() {
            DeValue::String(name) if key == "kind" => found.push(Kind {
                path,
                name: name.to_string(),
                at: value.span().start,
            }),
            DeValue::Table(table) => of_table(table, &path, found),
            DeValue::Array(items) if items.iter().any(is_table) => {
                for (number, item) in items.iter().enumerate() {
                    of_member(number, item, &path, found);
                }
            }
            _ => {}
        }
    }
}

fn is_table(item: &Spanned<DeValue<'_>>) -> bool {
    matches!(item.get_ref(), DeValue::Table(_))
}

/// A member of a list goes by its name, its kind, or its number.
fn of_member(number: usize, item: &Spanned<DeValue<'_>>, path: &str, found: &mut Vec<Kind>) {
    match item.get_ref() {
        DeValue::Table(table) => {
            let own = table.iter().find(|(key, _)| {
                let key = key.get_ref();
                key == "name" || key == "kind"
            });
            let name = match own.map(|(_, value)| value.get_ref()) {
                Some(DeValue::String(name)) => name.to_string(),
                _ => number.to_string(),
            };
            of_table(table, &format!("{path}.{name}"), found);
        }
        DeValue::String(name) => found.push(Kind {
            path: format!("{path}.{name}"),
            name: name.to_string(),
            at: item.span().start,
        }),
        _ => {}
    }
}

/// The pattern of a path, in which names are `NAME`.
pub(super) fn pattern(path: &str) -> String {
    const NAMED: &[&str] = &["class", "machine", "server", "service", "traffic", "zone"];
    let mut pattern = Vec::new();
    let mut is_name = false;
    for part in path.split('.') {
        pattern.push(if is_name { "NAME" } else { part });
        is_name = !is_name && NAMED.contains(&part);
    }
    pattern.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_found_where_they_stand() {
        let text = "[service.server]\nbalancer = { policy = { kind = \"random\" }, guards = [\"codel\", { kind = \"bulkhead\", limit = 1 }] }\n";
        let found: Vec<String> = kinds(text).into_iter().map(|kind| kind.path).collect();
        assert_eq!(
            found,
            [
                "service.server.balancer.policy.kind",
                "service.server.balancer.guards.codel",
                "service.server.balancer.guards.bulkhead.kind",
            ]
        );
        assert_eq!(pattern(&found[1]), "service.NAME.balancer.guards.codel",);
        assert_eq!(
            pattern("service.a.server.b.weight"),
            "service.NAME.server.NAME.weight"
        );
    }
}
