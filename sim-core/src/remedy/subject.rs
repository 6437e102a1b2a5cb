//! What rows look at: the model, and what the scenario writes.

use super::Sets;
use crate::doctor::facts;
use crate::ids::Id;
use crate::model::{Client, Model, Server, Service};
use crate::scenario::{Scenario, Source, Written, outline};

/// A system that is to be changed.
#[derive(Debug)]
pub struct Subject<'a> {
    /// What is simulated.
    pub(super) model: &'a Model,
    /// Every value that is written, bases and sets applied.
    written: Vec<Written>,
}

/// Whoever calls a service, and where its rules are written.
pub(super) struct Caller<'a> {
    /// Who, in words.
    pub whose: String,
    /// The path of its rules.
    pub path: String,
    /// The rules; of callers from outside those of the first source and class.
    pub client: &'a Client,
}

impl<'a> Subject<'a> {
    /// The system of a scenario.
    pub(super) fn of(scenario: &Scenario, model: &'a Model) -> Self {
        let text = Source::new("written.toml", scenario.to_toml());
        Self {
            model,
            written: outline(&text).unwrap_or_default(),
        }
    }

    /// The value that is written at a path, without quotation marks.
    pub(super) fn value(&self, path: &str) -> Option<&str> {
        let found = self.written.iter().find(|written| written.path == path)?;
        Some(found.value.trim_matches('"'))
    }

    /// Services with servers.
    pub(super) fn services(&self) -> impl Iterator<Item = &'a Service> {
        facts::services(self.model)
    }

    /// Servers of a service that are there from the start.
    pub(super) fn servers(&self, service: &'a Service) -> Vec<&'a Server> {
        let present = facts::present(self.model, service);
        present.into_iter().map(|(_, server)| server).collect()
    }

    /// Members of the time line, by the word that paths name them with.
    pub(super) fn entries(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for written in &self.written {
            let rest = written.path.strip_prefix("timeline.");
            if let Some((word, _)) = rest.and_then(|rest| rest.split_once('.'))
                && !found.contains(&word)
            {
                found.push(word);
            }
        }
        found
    }

    /// Whether anything is written at a path or below it.
    pub(super) fn has(&self, path: &str) -> bool {
        self.written
            .iter()
            .any(|written| below(&written.path, path))
    }

    /// Whoever calls services: visitors, servers, and balancers by rules of their own.
    pub(super) fn callers(&self) -> Vec<Caller<'a>> {
        let model = self.model;
        let client = |id| facts::client(model, id);
        let mut found = Vec::new();
        let first = model
            .sources
            .first()
            .and_then(|source| source.clients.first());
        if let Some(id) = first {
            found.push(Caller {
                whose: "visitors".to_owned(),
                path: "client".to_owned(),
                client: client(*id),
            });
        }
        for service in &model.services {
            for call in &service.calls {
                let to = &model.services[call.to.position()].name;
                found.push(Caller {
                    whose: format!("{} calling {to}", service.name),
                    path: format!("service.{}.call.{to}.client", service.name),
                    client: client(call.client),
                });
            }
            if let Some(own) = &service.balancer.client {
                found.push(Caller {
                    whose: format!("balancer of {}", service.name),
                    path: facts::balancer_path(service, "client"),
                    client: client(own.client),
                });
            }
        }
        found
    }

    /// Where a key of callers must be set so that it holds for all of them: at its place, and where classes and sources
    /// of visitors say otherwise.
    pub(super) fn caller_paths(&self, caller: &Caller<'_>, key: &str) -> Vec<String> {
        let own = format!("{}.{key}", caller.path);
        let mut found = vec![own.clone()];
        if caller.path != "client" {
            return found;
        }
        for written in &self.written {
            let words: Vec<&str> = written.path.split('.').collect();
            if let ["class" | "traffic", name, "client", rest @ ..] = words.as_slice()
                && rest.first() == Some(&key)
            {
                let path = format!("{}.{name}.{own}", words[0]);
                if !found.contains(&path) {
                    found.push(path);
                }
            }
        }
        found
    }

    /// The same value at all of a caller's paths for a key.
    pub(super) fn for_callers(&self, caller: &Caller<'_>, key: &str, value: &str) -> Sets {
        let paths = self.caller_paths(caller, key);
        paths
            .into_iter()
            .map(|path| (path, value.to_owned()))
            .collect()
    }

    /// A key of each server of a service by what it is: those that are written together are set together, and all at once
    /// where it is the same for all.
    pub(super) fn for_servers(
        &self,
        service: &Service,
        key: &str,
        value: impl Fn(&Server) -> Option<String>,
    ) -> Sets {
        let all = |name: &str| format!("service.{}.server.{name}.{key}", service.name);
        let mut sets: Sets = Vec::new();
        let mut everywhere = true;
        for id in &service.servers {
            let server = &self.model.servers[id.position()];
            let Some(value) = value(server) else {
                everywhere = false;
                continue;
            };
            let set = (all(&self.written_name(service, server)), value);
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        match sets.first() {
            Some((_, first)) if everywhere && sets.iter().all(|(_, value)| value == first) => {
                vec![(all("*"), first.clone())]
            }
            _ => sets,
        }
    }

    /// The name under which a server is written, alone or with others.
    fn written_name(&self, service: &Service, server: &Server) -> String {
        let group = server.name.rsplit_once('-').map(|(group, _)| group);
        let counted =
            |group: &&str| self.has(&format!("service.{}.server.{group}.count", service.name));
        let alone = self.has(&format!("service.{}.server.{}", service.name, server.name));
        match group.filter(counted) {
            Some(group) if !alone => group.to_owned(),
            _ => server.name.clone(),
        }
    }

    /// Servers that are written together, by their name, with how many they are.
    pub(super) fn groups(&self, service: &Service) -> Vec<(String, usize)> {
        let mut found: Vec<(String, usize)> = Vec::new();
        for id in &service.servers {
            let name = self.written_name(service, &self.model.servers[id.position()]);
            match found.iter_mut().find(|(other, _)| *other == name) {
                Some((_, many)) => *many += 1,
                None => found.push((name, 1)),
            }
        }
        found
    }
}

fn below(path: &str, top: &str) -> bool {
    path.strip_prefix(top)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
