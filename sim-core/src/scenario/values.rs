//! What a parameter is at a moment of a run: what the window's inspector shows.

use super::Scenario;
use super::assemble::base;
use super::canonical::value_text;
use super::live::find_servers;
use super::planned::state_at;
use super::problem::Collector;
use super::set::kind_of;
use super::tree::Node;
use crate::time::Instant;

impl Scenario {
    /// The value of each path at the moment `at` of a run, as a scenario would write it: with what
    /// the time line and live changes have set until then. `None` where nothing is written, so
    /// that the default holds, and where a path names nothing.
    pub fn values_at(&self, at: Instant, paths: &[String]) -> Vec<Option<String>> {
        let mut problems = Collector::default();
        let live = self.sections(&mut problems).and_then(|top| {
            let base = base(self, &top, &mut problems)?;
            let state = state_at(self, &top, &base, at, &mut problems)?;
            Some((base, state))
        });
        let Some((base, state)) = live else {
            return vec![None; paths.len()];
        };
        let value = |path: &String| {
            let words: Vec<&str> = path.split('.').collect();
            if let ["service", service, "server", server, rest @ ..] = words.as_slice() {
                let services = &base.skeleton.services;
                let service = services.iter().position(|s| s.name == *service)?;
                let id = *find_servers(service, server, &base)?.first()?;
                return inside(state.server_node(id)?, rest);
            }
            inside(state.root(), &words)
        };
        paths.iter().map(value).collect()
    }
}

/// The text of what stands at a path below a node; lists are entered by the name of an item, or by its number.
fn inside(node: &Node, words: &[&str]) -> Option<String> {
    let Some((word, rest)) = words.split_first() else {
        return Some(value_text(node));
    };
    let named = |item: &&Node| {
        item.get("name").and_then(Node::as_text) == Some(*word) || kind_of(item) == Some(*word)
    };
    let numbered = || node.items().get(word.parse::<usize>().ok()?);
    let item = || node.items().iter().find(named).or_else(numbered);
    let next = node.get(word).or_else(item)?;
    inside(next, rest)
}

#[cfg(test)]
mod tests {
    use super::super::{NoFiles, Scenario, Source, change};
    use crate::time::Instant;

    #[test]
    fn a_value_follows_the_time_line_and_live_changes() {
        let text = "horizon = \"10m\"\n[[traffic]]\nname = \"all\"\nto = \"web\"\nrate = 5\n\
                    [service.web]\ndemand = \"10ms\"\n[service.web.balancer]\npolicy = \"random\"\n\
                    [[service.web.server]]\nname = \"a\"\ncount = 2\nworkers = 4\nweight = 3\n\
                    [[timeline]]\nat = \"5m\"\nset = { \"service.web.server.a-1.weight\" = 7 }\n";
        let scenario =
            Scenario::read(Source::new("t.toml", text), &[], &NoFiles).expect("a valid scenario");
        let paths = [
            "service.web.server.a-1.weight",
            "service.web.server.a-2.weight",
            "service.web.server.a-1.speed",
            "service.web.balancer.policy",
            "traffic.all.rate",
            "service.nobody.balancer.policy",
        ]
        .map(str::to_owned);
        let at = |scenario: &Scenario, minutes: u64| {
            scenario.values_at(Instant(minutes * 60_000_000_000), &paths)
        };
        let some = |text: &str| Some(text.to_owned());
        let early = [
            some("3"),
            some("3"),
            None,
            some("\"random\""),
            some("5"),
            None,
        ];
        assert_eq!(at(&scenario, 1), early);
        assert_eq!(at(&scenario, 6)[0], some("7"));
        let model = scenario.model().expect("valid");
        let (after, ..) =
            change(&scenario, &model, Instant(60_000_000_000), &paths[1], "9").expect("accepted");
        assert_eq!(at(&after, 2)[1], some("9"));
        assert_eq!(at(&after, 0)[1], some("3"));
    }
}
