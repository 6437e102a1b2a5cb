//! Circuit breakers: where they stand, and whether they let anything through.
//!
//! The event log tells when one opens and when it trusts again. Between the two it refuses everything for as long as its
//! settings say, and lets trials through from then on.

use super::{BranchReport, View};
use sim_core::event_log::{Event, Kind};
use sim_core::extension::Configured;
use sim_core::guard::GuardDef;
use sim_core::model::{Asker, ClientId, Model, OwnRules};
use sim_core::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

/// Guards that are circuit breakers, and the parameter that says how long each refuses everything.
const BREAKERS: &[(&str, &str)] = &[
    ("circuit-breaker", "open"),
    ("opossum", "reset_timeout"),
    ("cockatiel-breaker", "half_open_after"),
    ("pybreaker", "reset_timeout"),
    ("resilience4j-breaker", "wait_duration_in_open_state"),
    ("failsafe-go-breaker", "delay"),
];

/// Where a breaker stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Post {
    /// At a source, by its position in the model.
    Source(usize),
    /// At a balancer instance, by its position in the snapshot.
    Instance(usize),
    /// At a server, by its position in the model.
    Server(usize),
}

/// What a breaker does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Throw {
    /// It lets everything through.
    Closed,
    /// It refuses everything.
    Open,
    /// It lets trials through.
    HalfOpen,
}

impl Throw {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

/// A circuit breaker at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Breaker {
    /// Whose it is, as the event log says.
    pub of: String,
    /// Where it stands.
    pub post: Post,
    /// The service that it watches, where it stands before what goes there; otherwise it watches its owner.
    pub to: Option<usize>,
    /// What it does.
    pub throw: Throw,
    /// Since when it is not closed, and why, with when it lets trials through.
    pub opened: Option<(Instant, String, Instant)>,
    /// How long it refuses everything.
    wait: Duration,
}

/// The breakers of a future as they stand at the moment of a view.
pub fn breakers(branch: &BranchReport, view: &View) -> Vec<Breaker> {
    let mut found = placed(&branch.model, view);
    if found.is_empty() {
        return found;
    }
    let told = view.event_log_len.min(branch.event_log.len());
    let subjects: BTreeSet<&str> = found.iter().map(|breaker| breaker.of.as_str()).collect();
    let mut latest: BTreeMap<&str, Latest<'_>> = BTreeMap::new();
    let mut unknown = subjects.len();
    for event in branch.event_log[..told].iter().rev() {
        let opened = event.kind == Kind::Opened;
        if (opened || event.kind == Kind::Closed) && subjects.contains(event.subject.as_str()) {
            let of = latest.entry(&event.subject).or_default();
            of.closed |= !opened && of.opened.is_none();
            if opened && of.opened.is_none() {
                of.opened = Some(event);
                unknown -= 1;
            }
        }
        if unknown == 0 {
            break;
        }
    }
    for breaker in &mut found {
        let latest = latest.get(breaker.of.as_str());
        if let Some((event, closed)) = latest.and_then(|l| Some((l.opened?, l.closed))) {
            let until = event.at + breaker.wait;
            // Several can have one name, such as those of a source's classes. One that is told to trust again while
            // another cannot have done so yet is not that one.
            if closed && view.at >= until {
                continue;
            }
            breaker.throw = if view.at < until {
                Throw::Open
            } else {
                Throw::HalfOpen
            };
            breaker.opened = Some((event.at, event.cause.clone(), until));
        }
    }
    found
}

/// Whether a future has any.
pub fn has_breakers(branch: &BranchReport, view: &View) -> bool {
    !placed(&branch.model, view).is_empty()
}

/// What is told last of breakers of a name.
#[derive(Default)]
struct Latest<'a> {
    /// That one opened.
    opened: Option<&'a Event>,
    /// Whether one has closed since.
    closed: bool,
}

/// All of a model, closed.
fn placed(model: &Model, view: &View) -> Vec<Breaker> {
    let mut found: Vec<Breaker> = Vec::new();
    let mut add = |of: String, post: Post, to: Option<usize>, wait: Option<Duration>| {
        let known = |breaker: &Breaker| breaker.of == of && breaker.post == post;
        if let Some(wait) = wait.filter(|_| !found.iter().rev().take(8).any(known)) {
            found.push(Breaker {
                of,
                post,
                to,
                throw: Throw::Closed,
                opened: None,
                wait,
            });
        }
    };
    let of_client = |client: ClientId| wait_of(&model.clients[client.0 as usize].guards);
    for (number, source) in model.sources.iter().enumerate() {
        for client in &source.clients {
            let to = Some(usize::from(source.to.0));
            add(
                source.name.clone(),
                Post::Source(number),
                to,
                of_client(*client),
            );
        }
    }
    let instances = |service: usize| {
        let all = view.snapshot.instances.iter().enumerate();
        all.filter(move |(_, instance)| usize::from(instance.service) == service)
    };
    for (number, service) in model.services.iter().enumerate() {
        for (i, instance) in instances(number) {
            let post = Post::Instance(i);
            let balancer = &service.balancer;
            add(instance.name.clone(), post, None, wait_of(&balancer.guards));
            for (client, _) in balancer.client.iter().flat_map(OwnRules::clients) {
                add(instance.name.clone(), post, Some(number), of_client(client));
            }
        }
        for ask in service.asks() {
            let wait = of_client(ask.client);
            let to = usize::from(ask.to.0);
            let name = |from: &str| format!("{from} to {}", model.services[to].name);
            match ask.by {
                _ if wait.is_none() => {}
                Asker::Server => {
                    for id in &service.servers {
                        let server = id.0 as usize;
                        let name = name(&model.servers[server].name);
                        add(name, Post::Server(server), Some(to), wait);
                    }
                }
                Asker::Balancer => {
                    for (i, instance) in instances(number) {
                        add(name(&instance.name), Post::Instance(i), Some(to), wait);
                    }
                }
            }
        }
    }
    for (number, server) in model.servers.iter().enumerate() {
        let wait = wait_of(&server.params.guards);
        if wait.is_some() {
            add(server.name.clone(), Post::Server(number), None, wait);
        }
    }
    found
}

/// How long the first breaker among guards refuses everything.
fn wait_of(guards: &[Configured<GuardDef>]) -> Option<Duration> {
    guards.iter().find_map(|guard| {
        let mut breakers = BREAKERS.iter();
        let (_, wait) = breakers.find(|(name, _)| *name == guard.def.row.name)?;
        Some(guard.params.span(wait))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::guard::GUARDS;
    use sim_core::scenario::parse;

    #[test]
    fn every_guard_that_opens_is_a_breaker_and_says_for_how_long() {
        let mut found = 0;
        for guard in GUARDS {
            let text = format!(
                "horizon = \"1m\"\n[[traffic]]\nto = \"web\"\nrate = 1\n[client]\nguards = [{{ kind = \"{}\" }}]\n\
                 [service.web]\ndemand = \"1ms\"\n[[service.web.server]]\nname = \"web-1\"\nworkers = 1\n",
                guard.row.name
            );
            let model = match parse(&text) {
                Ok(model) => model,
                Err(problems) => {
                    // Those that cannot stand there, or want more to be said, are none.
                    let named = BREAKERS.iter().any(|(name, _)| *name == guard.row.name);
                    assert!(!named, "{}: {problems}", guard.row.name);
                    continue;
                }
            };
            let client = &model.clients[model.sources[0].clients[0].0 as usize];
            let built = (client.guards[0].def.build)(&client.guards[0].params);
            let opens = built.gauge(Instant::ZERO).0 == "open";
            assert_eq!(
                wait_of(&client.guards).is_some(),
                opens,
                "{}",
                guard.row.name
            );
            found += usize::from(opens);
        }
        assert_eq!(found, BREAKERS.len());
    }
}
