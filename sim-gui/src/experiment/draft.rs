//! What is asked for, and what is asked for when nobody says.

use super::choices;
use crate::act;
use crate::state::State;
use sim_core::experiment::split;
use sim_core::model::Model;
use sim_core::policy::PolicyDef;
use sim_core::scenario::Scenario;
use sim_core::time::Instant;

/// What kind of experiment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A few variants, and whether they differ.
    Comparison,
    /// Many values along one or two axes.
    Sweep,
    /// Until when an act still helps.
    Deadline,
}

/// How the values of an axis are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// One by one.
    List,
    /// By their ends, equally far apart.
    Range,
    /// By their ends, in equal ratios.
    Log,
}

/// A path and its values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vary {
    /// What is varied.
    pub path: String,
    /// How the values are told.
    pub spread: Spread,
    /// With a list: the values, with commas between.
    pub list: String,
    /// With a range: its ends, and how many values it has.
    pub range: [String; 3],
}

impl Vary {
    /// A path with values one by one.
    pub fn list(path: impl Into<String>, values: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            spread: Spread::List,
            list: values.into(),
            range: [String::new(), String::new(), "5".to_owned()],
        }
    }

    /// A path with values between two ends.
    pub fn range(path: impl Into<String>, ends: [&str; 2], count: usize) -> Self {
        Self {
            spread: Spread::Range,
            range: [ends[0].to_owned(), ends[1].to_owned(), count.to_string()],
            ..Self::list(path, "")
        }
    }

    /// The values as the command takes them.
    pub fn values(&self) -> String {
        let [from, to, count] = self.range.each_ref().map(|text| text.trim());
        match self.spread {
            Spread::List => self.list.trim().to_owned(),
            Spread::Range => format!("{from}..{to}/{count}"),
            Spread::Log => format!("{from}..{to}/{count} log"),
        }
    }

    /// Takes a value into the list, or out of it.
    pub fn toggle(&mut self, value: &str) {
        let mut values: Vec<&str> = split(&self.list);
        values.retain(|known| !known.is_empty());
        if values.contains(&value) {
            values.retain(|known| *known != value);
        } else {
            values.push(value);
        }
        self.list = values.join(", ");
    }

    /// Whether a value is in the list.
    pub fn has(&self, value: &str) -> bool {
        split(&self.list).contains(&value)
    }
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    /// What kind of experiment.
    pub kind: Kind,
    /// Scenarios: 0 for the open one as it is, others for futures of it. A sweep and a deadline take the first.
    pub branches: Vec<usize>,
    /// What is varied.
    pub vary: Vec<Vary>,
    /// What is done, of which the last moment is looked for, as typed.
    pub acts: Vec<String>,
    /// The part of the run in which it is looked for, as typed; empty for all of it.
    pub between: String,
    /// Figures of the summary.
    pub measures: Vec<String>,
    /// Replications of each variant or cell, as typed.
    pub replications: String,
}

/// Replications when nobody says: enough for an interval, few enough to wait for.
const REPLICATIONS: &str = "10";

impl Draft {
    /// A comparison of the balancer's policy with the best-known ones.
    pub fn policies(model: &Model) -> Self {
        let service = model.services.iter().max_by_key(|s| s.servers.len());
        let own = service.map(|s| &s.balancer.policy.def.row);
        let name = service.map_or("web", |s| s.name.as_str());
        // One that needs more than its name, as a script does, is none that could be written here.
        let simple = own.filter(|row| row.params.iter().all(|param| param.default.is_some()));
        let own = simple.map_or("", |row| row.name);
        let mut values: Vec<&str> = simple.map(|row| row.name).into_iter().collect();
        let familiar = PolicyDef::familiar().into_iter().map(|def| def.row.name);
        values.extend(familiar.filter(|policy| *policy != own));
        let path = format!("service.{name}.balancer.policy");
        Self {
            kind: Kind::Comparison,
            branches: vec![0],
            vary: vec![Vary::list(path, values.join(", "))],
            acts: Vec::new(),
            between: String::new(),
            measures: Self::usual(&[
                "availability",
                "response_time_s.p99",
                "response_time_s.mean",
            ]),
            replications: REPLICATIONS.to_owned(),
        }
    }

    /// A comparison of the open scenario with a future of it.
    pub fn futures(model: &Model, branch: usize) -> Self {
        Self {
            branches: vec![0, branch],
            vary: Vec::new(),
            ..Self::policies(model)
        }
    }

    /// A sweep of how many requests come.
    pub fn load(model: &Model, scenario: &Scenario) -> Self {
        let vary = Self::rate(model, scenario)
            .unwrap_or_else(|| Vary::range("rate_factor", ["0.6", "1.4"], 5));
        Self {
            kind: Kind::Sweep,
            vary: vec![vary],
            measures: Self::usual(&["response_time_s.p99", "availability", "goodput_hz"]),
            ..Self::policies(model)
        }
    }

    /// A search for the last moment at which what the future shown changes would still have helped.
    pub fn deadline(model: &Model, state: &State) -> Self {
        let fork = state.fork().and_then(|fork| state.branch(fork));
        let edits = fork.map_or(&[][..], |branch| &branch.edits);
        let mut acts: Vec<String> = edits.iter().map(|one| act::typed(&one.edit)).collect();
        if acts.is_empty() {
            acts.push(String::new());
        }
        Self {
            kind: Kind::Deadline,
            vary: Vec::new(),
            acts,
            measures: Self::usual(&["requests.lost"]),
            ..Self::policies(model)
        }
    }

    /// From a half to a third more of a rate that is a plain number.
    fn rate(model: &Model, scenario: &Scenario) -> Option<Vary> {
        let [source] = &model.sources[..] else {
            return None;
        };
        // Where the scenario multiplies its rates, what is set is not what comes.
        let factor = scenario.values_at(Instant::ZERO, &["rate_factor".to_owned()]);
        let rate = source.rate.initial_hz();
        if !source.rate.is_constant() || rate <= 0.0 || factor != [None] {
            return None;
        }
        let round = |value: f64| if rate >= 20.0 { value.round() } else { value };
        let ends = [rate * 0.5, rate * 1.3].map(|end| round(end).to_string());
        let path = format!("traffic.{}.rate", source.name);
        Some(Vary::range(path, [&ends[0], &ends[1]], 5))
    }

    fn usual(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|&path| path.to_owned()).collect()
    }

    /// Another kind of experiment with what it has in common.
    pub fn turn(&mut self, kind: Kind, state: &State) {
        let Some((model, scenario)) = state.model().zip(state.scenario.as_ref()) else {
            return;
        };
        let fresh = match kind {
            Kind::Comparison => Self::policies(model),
            Kind::Sweep => Self::load(model, scenario),
            Kind::Deadline => Self::deadline(model, state),
        };
        if kind != self.kind {
            *self = Self {
                replications: self.replications.clone(),
                ..fresh
            };
        }
    }

    /// What is varied next, when somebody wants one more.
    pub fn next_axis(&self, model: &Model) -> Vary {
        let taken = |path: &str| self.vary.iter().any(|vary| vary.path == path);
        let all = choices::paths(model);
        let free = all.iter().find(|choice| !taken(&choice.text));
        let path = free.map_or(String::new(), |choice| choice.text.clone());
        let offered = choices::values(&path);
        let values: Vec<&str> = offered.iter().take(3).map(|c| c.text.as_str()).collect();
        if offered.is_empty() && self.kind == Kind::Sweep {
            return Vary::range(path, ["0.6", "1.4"], 5);
        }
        Vary::list(path, values.join(", "))
    }

    /// Paths and values as the command takes them.
    pub fn varied(&self) -> Vec<(String, String)> {
        let pair = |vary: &Vary| (vary.path.trim().to_owned(), vary.values());
        self.vary.iter().map(pair).collect()
    }
}
