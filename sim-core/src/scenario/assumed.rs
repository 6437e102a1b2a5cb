//! Values that nobody has measured: `assumed` lists their paths, so that every run says on what it stands.

use super::canonical::value_text;
use super::members::member_name;
use super::problem::{Collector, Problem};
use super::section::{Form, Section, SectionDef};
use super::sections::Top;
use super::set::{Assignment, Segment, split};
use super::tree::{Node, Value};

/// The values that are assumed, each as `path = value`, in the order of the list.
pub(crate) fn assumed(tree: &Node, top: &Top, problems: &mut Collector) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut clean = true;
    for (path, span) in top.assumed.get()? {
        let Some(words) = split(path, *span, problems) else {
            clean = false;
            continue;
        };
        let values = values(tree, Top::def(), &words);
        let Some(first) = values.first() else {
            let what = format!("`{path}` is said to be assumed, and nothing is written there");
            let help = "each path leads to a value of the scenario; take out what is measured";
            problems.push(Problem::new("E040", what).at(*span).help(help));
            clean = false;
            continue;
        };
        found.push(format!("{path} = {}", value_text(first)));
    }
    clean.then_some(found)
}

/// What is set from outside is assumed no longer.
pub(crate) fn is_filled(root: &mut Node, assignment: &Assignment) {
    let Some(Value::List(paths)) = root.get_mut("assumed").map(|node| &mut node.value) else {
        return;
    };
    let set = assignment.words();
    paths.retain(|path| {
        let words = (path.as_text())
            .and_then(|text| split(text, path.span, &mut Collector::default()))
            .unwrap_or_default();
        let same = |(own, set): (&Segment, &&str)| [own.word.as_str(), "*"].contains(set);
        let covered = set.len() <= words.len() && words.iter().zip(&set).all(same);
        words.is_empty() || !covered
    });
}

/// All that a path leads to.
fn values<'n>(node: &'n Node, def: &'static SectionDef, path: &[Segment]) -> Vec<&'n Node> {
    let Some((segment, rest)) = path.split_first() else {
        return vec![node];
    };
    let key = def.keys.iter().find(|key| key.name == segment.word);
    let (Some(key), Some(child)) = (key, node.get(&segment.word)) else {
        return Vec::new();
    };
    let mut form = (key.form)();
    if let Form::Optional(inner) = form {
        form = *inner;
    }
    match (form, rest.split_first()) {
        (_, None) => vec![child],
        (Form::Table(def) | Form::Override(def), _) => values(child, def, rest),
        (Form::Named(def), Some((name, rest))) => {
            let named = |entry: &&super::tree::Entry| name.word == "*" || entry.key == name.word;
            let entries = child.entries().iter().filter(named);
            entries
                .flat_map(|entry| values(&entry.node, def, rest))
                .collect()
        }
        (Form::Tables(def), Some((name, rest))) => {
            let items = child.items().iter().enumerate();
            let named = |(index, item): &(usize, &Node)| {
                name.word == "*"
                    || member_name(item, *index, def).as_deref() == Some(name.word.as_str())
                    || name.word == index.to_string()
            };
            let items = items.filter(named);
            items
                .flat_map(|(_, item)| values(item, def, rest))
                .collect()
        }
        _ => inside(child, rest),
    }
}

/// Within a row with parameters.
fn inside<'n>(node: &'n Node, path: &[Segment]) -> Vec<&'n Node> {
    let mut words = path.iter().map(|segment| segment.word.as_str());
    let end = words.try_fold(node, |node, word| {
        let index = word.parse::<usize>().ok();
        node.get(word)
            .or_else(|| index.and_then(|index| node.items().get(index)))
    });
    end.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Files, NoFiles, Problems, Scenario, Source};

    const TEXT: &str = "horizon = \"1m\"\nassumed = [\"traffic.0.rate\", \"service.web.demand\", \"service.web.server.*.workers\"]\n\
        traffic = [{ to = \"web\", rate = 5 }]\n[service.web]\ndemand = { kind = \"lognormal\", cv = 2, mean = \"10ms\" }\n\
        [[service.web.server]]\nname = \"a\"\nworkers = 4\n[[service.web.server]]\nname = \"b\"\nworkers = 4\n";

    fn assumed(text: &str, sets: &[(&str, &str)]) -> Result<Vec<String>, Problems> {
        let sets: Vec<_> = (sets.iter())
            .map(|(path, value)| ((*path).to_owned(), (*value).to_owned()))
            .collect();
        let scenario = Scenario::read(Source::new("t.toml", text), &sets, &NoFiles)?;
        let again = Source::new("again.toml", scenario.to_toml());
        let again = Scenario::read(again, &[], &NoFiles)?.model()?.assumed;
        let model = scenario.model()?;
        assert_eq!(model.assumed, again, "written out, it says the same");
        Ok(model.assumed)
    }

    #[test]
    fn each_is_named_with_its_value_until_it_is_set() {
        let demand = "service.web.demand = { kind = \"lognormal\", cv = 2, mean = \"10ms\" }";
        let workers = "service.web.server.*.workers = 4";
        let all = assumed(TEXT, &[]).expect("valid");
        assert_eq!(all, ["traffic.0.rate = 5", demand, workers]);
        let rate = assumed(TEXT, &[("traffic.0.rate", "7")]).expect("valid");
        assert_eq!(rate, [demand, workers]);
        let one = assumed(TEXT, &[("service.web.server.a.workers", "7")]).expect("valid");
        assert_eq!(one.len(), 3, "the other is still assumed");
        let both = assumed(TEXT, &[("service.web.server.*.workers", "7")]).expect("valid");
        assert_eq!(both.len(), 2);
    }

    #[test]
    fn a_file_upon_another_fills_in_what_it_writes() {
        struct Below;
        impl Files for Below {
            fn read(&self, name: &str) -> Result<Source, String> {
                Ok(Source::new(name, TEXT))
            }
        }
        let text = "base = \"below.toml\"\n[set]\n\"service.web.demand\" = \"20ms\"\n";
        let scenario = Scenario::read(Source::new("t.toml", text), &[], &Below).expect("valid");
        let left = scenario.model().expect("valid").assumed;
        assert_eq!(
            left,
            ["traffic.0.rate = 5", "service.web.server.*.workers = 4"]
        );
    }

    #[test]
    fn a_path_to_nothing_is_an_error() {
        for path in [
            "traffic.0.rat",
            "service.nobody.demand",
            "service.web.server.c.workers",
            "",
        ] {
            let text = TEXT.replace("service.web.demand", path);
            let problems = assumed(&text, &[]).expect_err(path);
            assert_eq!(problems.problems[0].code, "E040", "{path}");
        }
    }
}
