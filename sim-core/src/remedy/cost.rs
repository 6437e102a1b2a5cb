//! What a change costs: who has to do what, told from the paths that it sets.

use crate::text::shell_word;

/// What a change costs, cheapest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cost {
    /// A line of settings of a balancer or a server, in force when it is reloaded.
    Settings,
    /// Another release of a program, or of those that call it.
    Deploy,
    /// People who do the same sooner: alerts, practice, somebody awake.
    Practice,
    /// Machines, memory or cores.
    Money,
}

/// Last words of paths that are paid for.
const PAID: &[&str] = &[
    "count",
    "instances",
    "workers",
    "speed",
    "cores",
    "standby",
    "present",
    "max",
    "machine",
];

impl Cost {
    /// All of them, cheapest first.
    pub const ALL: [Self; 4] = [Self::Settings, Self::Deploy, Self::Practice, Self::Money];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Deploy => "deploy",
            Self::Practice => "practice",
            Self::Money => "money",
        }
    }

    /// The dearest of what is set.
    pub(super) fn of(sets: &[(String, String)]) -> Self {
        let costs = sets.iter().map(|(path, _)| Self::of_path(path));
        costs.max().unwrap_or(Self::Settings)
    }

    fn of_path(path: &str) -> Self {
        let words: Vec<&str> = path.split('.').collect();
        let has = |word: &str| words.contains(&word);
        let last = words.last().copied().unwrap_or_default();
        let memory = has("memory") && last == "limit";
        if memory || has("standby") || PAID.contains(&last) {
            Self::Money
        } else if has("timeline") {
            // A release that goes out more carefully is a line of the pipeline's settings; everything else is done by people.
            if has("canary") || has("max_surge") || has("max_unavailable") {
                Self::Settings
            } else {
                Self::Practice
            }
        } else if ["acknowledge", "diagnose"].contains(&last) {
            Self::Practice
        } else if has("call") || has("client") && !has("balancer") || has("guards") && has("server")
        {
            // Rules of callers, and guards of servers, stand in their programs. Those of a proxy are settings.
            Self::Deploy
        } else {
            Self::Settings
        }
    }
}

/// How a set is typed behind `--set`, quoted where a shell would take it apart.
pub(super) fn typed((path, value): &(String, String)) -> String {
    let text = format!("{path}={value}");
    format!("--set {}", shell_word(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dearest_path_decides() {
        let cost = |paths: &[&str]| {
            let sets: Vec<_> = paths
                .iter()
                .map(|p| ((*p).to_owned(), "1".to_owned()))
                .collect();
            Cost::of(&sets)
        };
        for (paths, wanted) in [
            (&["service.web.server.a.weight"][..], Cost::Settings),
            (&["service.web.balancer.client.timeout"], Cost::Settings),
            (&["service.web.balancer.guards"], Cost::Settings),
            (&["timeline.release.canary"], Cost::Settings),
            (&["client.retry"], Cost::Deploy),
            (&["class.checkout.client.timeout"], Cost::Deploy),
            (&["service.web.call.db.client.cancel"], Cost::Deploy),
            (&["service.web.server.*.guards"], Cost::Deploy),
            (&["timeline.fix.at"], Cost::Practice),
            (&["runbook.aid.acknowledge"], Cost::Practice),
            (&["alert.failing.for"], Cost::Settings),
            (&["service.web.balancer.standby"], Cost::Money),
            (&["service.web.server.a.memory.limit"], Cost::Money),
            (
                &[
                    "service.web.server.a.weight",
                    "service.web.server.a.workers",
                ],
                Cost::Money,
            ),
        ] {
            assert_eq!(cost(paths), wanted, "{paths:?}");
        }
    }

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        let typed = |path: &str, value: &str| typed(&(path.to_owned(), value.to_owned()));
        assert_eq!(typed("seed", "7"), "--set seed=7");
        assert_eq!(typed("a.*.b", "7"), "--set 'a.*.b=7'");
        assert_eq!(typed("note", "it's"), "--set 'note=it'\\''s'");
        assert_eq!(typed("a", "{ kind = \"x\" }"), "--set 'a={ kind = \"x\" }'");
    }
}
