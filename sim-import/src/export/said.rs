//! What a scenario says of a balancer, in the words of a program: the parameters of its dialect, or keys of any
//! balancer that mean the same.

use super::subject::{Subject, param};
use sim_core::extension::{Configured, Def, ParamValue};
use sim_core::health::{HealthDef, OwnHealth};
use sim_core::ids::Id;
use sim_core::model::{Client, Model, Server, Service};
use sim_core::time::Duration;

/// Parameters by name, with the paths that they stand for.
pub(super) struct Said {
    entries: Vec<Entry>,
    /// Paths of what was asked for.
    used: Vec<String>,
    /// Whether the balancer has the program's own dialect, so that what is not said is as the program has it.
    pub own: bool,
}

struct Entry {
    name: String,
    text: String,
    paths: Vec<String>,
}

/// A policy of any balancer that a program has too.
pub(super) struct Counterpart {
    pub policy: &'static str,
    /// The program's word.
    pub word: &'static str,
    /// Whether weights count, as they always do in the program.
    pub weighs: bool,
}

/// A row of a table of counterparts.
pub(super) const fn policy(policy: &'static str, word: &'static str, weighs: bool) -> Counterpart {
    Counterpart {
        policy,
        word,
        weighs,
    }
}

/// The path of a service's balancer.
pub(super) fn balancer(service: &Service) -> String {
    format!("service.{}.balancer", service.name)
}

impl Said {
    /// What is written of a dialect, if it is this program's.
    pub(super) fn of(service: &Service, dialect: &str, subject: &mut Subject<'_>) -> Self {
        let path = format!("{}.dialect", balancer(service));
        let configured = service.balancer.dialect.as_ref();
        let name = configured.map(|found| found.def.row.name);
        let own = name == Some(dialect);
        let mut entries = Vec::new();
        if own {
            for (name, text) in subject.below(&path) {
                let paths = vec![format!("{path}.{name}")];
                entries.push(Entry { name, text, paths });
            }
        } else if let Some(other) = name {
            let why = format!("it is of {other}: what means the same has to be chosen by hand");
            subject.refuse(&path, &why);
        }
        if own || name.is_none() {
            subject.take_kind(&path);
        }
        Self {
            entries,
            used: Vec::new(),
            own,
        }
    }

    /// Says something in place of what was said.
    pub(super) fn put(&mut self, name: &str, text: impl Into<String>, path: &str) {
        self.entries.retain(|entry| entry.name != name);
        self.entries.push(Entry {
            name: name.to_owned(),
            text: text.into(),
            paths: vec![path.to_owned()],
        });
    }

    /// Says what follows from what is not written.
    pub(super) fn imply(&mut self, name: &str, text: impl Into<String>) {
        if !self.entries.iter().any(|entry| entry.name == name) {
            let (name, text) = (name.to_owned(), text.into());
            let paths = Vec::new();
            self.entries.push(Entry { name, text, paths });
        }
    }

    /// Parameters of a rule at a path, each under the program's name for it.
    pub(super) fn put_rule<D: Def>(
        &mut self,
        rule: &Configured<D>,
        path: &str,
        names: &[(&str, &str)],
    ) {
        let row = rule.def.row();
        for (own, name) in names {
            let text = param(row, &rule.params, own);
            let written = format!("{path}.{}.{own}", row.name);
            self.put(name, text, &written);
        }
    }

    /// What was asked for has no counterpart after all.
    pub(super) fn unsay(&mut self, name: &str) {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        if let Some(entry) = entry {
            self.used.retain(|path| !entry.paths.contains(path));
        }
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.name == name)?;
        self.used.extend(entry.paths.iter().cloned());
        Some(entry.text.clone())
    }

    /// A number, as it is written.
    pub(super) fn number(&mut self, name: &str) -> Option<String> {
        self.text(name)
    }

    /// A whole number.
    pub(super) fn count(&mut self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A time.
    pub(super) fn span(&mut self, name: &str) -> Option<Duration> {
        Duration::parse(unquoted(&self.text(name)?)).ok()
    }

    /// A time above zero.
    pub(super) fn some_span(&mut self, name: &str) -> Option<Duration> {
        self.span(name).filter(|span| !span.is_zero())
    }

    /// A word.
    pub(super) fn word(&mut self, name: &str) -> Option<String> {
        Some(unquoted(&self.text(name)?).to_owned())
    }

    /// Words of a list, with spaces between them.
    pub(super) fn words(&mut self, name: &str) -> Option<Vec<String>> {
        Some(words(&self.text(name)?))
    }

    /// Whether something is so.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text == "true")
    }

    /// What was asked for is taken.
    pub(super) fn close(self, subject: &mut Subject<'_>) {
        for path in &self.used {
            subject.take(path);
        }
    }
}

/// The policy, where it is not the dialect's: its counterpart, or `None` if the program has none.
pub(super) fn chosen(
    service: &Service,
    known: &'static [Counterpart],
    subject: &mut Subject<'_>,
) -> Option<&'static Counterpart> {
    let path = format!("{}.policy", balancer(service));
    if service.balancer.dialect.is_some() && !subject.says(&path) {
        return None;
    }
    let name = service.balancer.policy.def.row.name;
    let found = known.iter().find(|other| other.policy == name);
    if found.is_some() {
        subject.take_kind(&path);
    } else {
        let why = format!("it has no such policy as {name}: its default stands");
        subject.refuse(&path, &why);
    }
    found
}

/// Health rules that stand in the scenario itself, with the path of their list.
pub(super) fn rules<'s>(
    service: &'s Service,
    subject: &Subject<'_>,
) -> (&'s [Configured<HealthDef>], String) {
    let path = format!("{}.health", balancer(service));
    if subject.says(&path) {
        (&service.balancer.health, path)
    } else {
        (&[], path)
    }
}

/// A time that a server has of its own.
pub(super) fn own_span(health: &OwnHealth, key: &str) -> Option<Duration> {
    let mut own = health.values.iter().filter(|(name, _)| *name == key);
    own.find_map(|(_, value)| match value {
        ParamValue::Span(span) => Some(*span),
        _ => None,
    })
}

/// A text without its quotes.
pub(super) fn unquoted(text: &str) -> &str {
    text.trim_matches('"')
}

/// The words of a list.
pub(super) fn words(text: &str) -> Vec<String> {
    let inside = text.trim_matches(['[', ']']);
    let words = inside
        .split(',')
        .map(|word| unquoted(word.trim()).to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// Weights as whole numbers that stand in the same proportions, up to `most`; `None` if none do.
pub(super) fn whole(weights: &[f64], most: f64) -> Option<Vec<u64>> {
    [1.0, 10.0, 100.0, 1000.0].into_iter().find_map(|factor| {
        let scaled: Vec<f64> = weights.iter().map(|weight| weight * factor).collect();
        let fits = |weight: &f64| (weight - weight.round()).abs() < 1e-9 && weight.round() <= most;
        let all = scaled.iter().all(fits);
        all.then(|| scaled.iter().map(|weight| weight.round() as u64).collect())
    })
}

/// The times after which a balancer gives up on a server, in the words of its program: while there is no connection, and
/// while there is no answer.
pub(super) fn give_up(
    service: &Service,
    [connect, answer]: [&str; 2],
    said: &mut Said,
    subject: &mut Subject<'_>,
) {
    let path = balancer(service);
    let at = format!("{path}.link.connect_timeout");
    if let Some(span) = subject.value(&at) {
        said.put(connect, span.to_owned(), &at);
    }
    let at = format!("{path}.client.timeout");
    if let Some(span) = subject.value(&at).filter(|span| *span != "\"none\"") {
        said.put(answer, span.to_owned(), &at);
    }
}

/// By which rules a balancer sends to its own servers.
pub(super) fn own_client<'m>(service: &Service, model: &'m Model) -> Option<&'m Client> {
    let own = service.balancer.client.as_ref()?;
    Some(&model.clients[own.client.position()])
}

/// A service's servers, and their weights as whole numbers up to `most`, where weights count and that is possible.
pub(super) fn weighed<'m>(
    service: &Service,
    most: f64,
    weighs: bool,
    model: &'m Model,
) -> (Vec<&'m Server>, Option<Vec<u64>>) {
    let own = service.servers.iter();
    let own: Vec<&Server> = own.map(|id| &model.servers[id.position()]).collect();
    let weights: Vec<f64> = own.iter().map(|server| server.params.weight).collect();
    (own, whole(&weights, most).filter(|_| weighs))
}
