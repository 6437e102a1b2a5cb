//! A log beside a scenario: to which of its servers, services and sources each request belongs, and what the log says of
//! their values.

use super::collect::Request;
use super::demand::Demand;
use super::measured::{Measured, ROOT};
use super::sweep::Stretch;
use super::work::work;
use super::workers::Workers;
use super::write::{rate_text, times_of};
use crate::filled::Filled;
use crate::names::name_of;
use sim_core::ids::Id;
use sim_core::model::{Model, Source};
use sim_core::readable::counted;

/// Sources that take what no other does.
const REST: [&str; 3] = ["root", "other", "default"];

/// A log, matched with a scenario.
#[derive(Debug)]
pub struct Beside<'a> {
    pub(crate) measured: &'a Measured,
    model: &'a Model,
    /// For each server of the log, the service it is of.
    service_of: Vec<Option<usize>>,
    /// For each route, the source its requests come from.
    source_of: Vec<Option<usize>>,
    /// Routes of which no source is known, with their requests.
    pub stray: Vec<(String, u64)>,
}

impl<'a> Beside<'a> {
    /// Finds what belongs together: servers by their names and addresses, requests by the servers that had them, and
    /// where several sources lead to a service, by the beginning of their paths.
    ///
    /// # Errors
    /// Why nothing of the log is known to the scenario.
    pub fn of(measured: &'a Measured, model: &'a Model) -> Result<Self, String> {
        let service_of = services_of_servers(measured, model);
        let asked: Vec<usize> = (0..model.services.len())
            .filter(|service| {
                model
                    .sources
                    .iter()
                    .any(|source| source.to.position() == *service)
            })
            .collect();
        let only = match asked.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        if only.is_none() && service_of.iter().all(Option::is_none) {
            let of_log: Vec<&str> = (measured.servers.iter())
                .map(|server| server.address.as_str())
                .collect();
            let own: Vec<&str> = (model.servers.iter().take(20))
                .map(|server| server.name.as_str())
                .collect();
            return Err(format!(
                "the log's servers ({}) are none of the scenario's ({}), and several services are asked",
                of_log.join(", "),
                own.join(", ")
            ));
        }
        let mut votes = vec![vec![0_u64; model.services.len()]; measured.routes.len()];
        let mut requests = vec![0_u64; measured.routes.len()];
        for request in &measured.kept {
            let route = usize::from(request.route);
            requests[route] += 1;
            if let Some(service) = service_of[usize::from(request.server)].or(only) {
                votes[route][service] += 1;
            }
        }
        let source_of: Vec<Option<usize>> = (votes.iter().zip(&measured.routes))
            .map(|(votes, route)| {
                let most = (0..votes.len())
                    .max_by_key(|service| (votes[*service], usize::MAX - service))?;
                (votes[most] > 0).then(|| source(model, most, route))?
            })
            .collect();
        let stray = (0..measured.routes.len())
            .filter(|route| source_of[*route].is_none() && requests[*route] > 0)
            .map(|route| (measured.routes[route].clone(), requests[route]))
            .collect();
        Ok(Self {
            measured,
            model,
            service_of,
            source_of,
            stray,
        })
    }

    /// The source that a request comes from.
    pub(crate) fn source(&self, request: &Request) -> Option<usize> {
        self.source_of[usize::from(request.route)]
    }

    /// What the log says of the scenario's values.
    pub fn values(&self) -> Vec<Filled> {
        let mut values = Vec::new();
        if self.measured.profile.len() > 1 {
            values.push(Filled::measured(
                "horizon".to_owned(),
                format!("\"{}s\"", self.measured.span_s.ceil().max(1.0)),
                "as long as the log".to_owned(),
            ));
            values.push(Filled::measured(
                "warm_up".to_owned(),
                "\"0s\"".to_owned(),
                "its rates begin with it".to_owned(),
            ));
        }
        for source in 0..self.model.sources.len() {
            self.rate(source, &mut values);
        }
        self.work(&self.measured.all, &mut values);
        values
    }

    /// Demands and workers by the part of the log that is compared with the rest.
    pub fn learnt(&self) -> Vec<Filled> {
        let mut values = Vec::new();
        self.work(&self.measured.learnt, &mut values);
        values
    }

    fn rate(&self, number: usize, values: &mut Vec<Filled>) {
        let source = &self.model.sources[number];
        let own = (self.measured.kept.iter())
            .filter(|request| self.source(request) == Some(number))
            .count();
        if own == 0 || !source.arrivals.def.uses_rate {
            return;
        }
        let share = own as f64 / self.measured.kept.len() as f64;
        values.push(Filled::measured(
            format!("traffic.{}.rate", source.name),
            rate_text(&self.measured.profile, share),
            counted(
                (share * self.measured.requests as f64).round() as usize,
                "request",
            ),
        ));
    }

    /// Demands at each service, those of classes apart, and its workers.
    fn work(&self, part: &Stretch, values: &mut Vec<Filled>) {
        for (number, service) in self.model.services.iter().enumerate() {
            let mut groups = vec![Vec::new(); self.model.classes.len() + 1];
            for (route, source) in self.source_of.iter().enumerate() {
                let source = source.map(|number| &self.model.sources[number]);
                if let Some(source) = source.filter(|source| source.to.position() == number) {
                    let class = self.class_apart(source, &self.measured.routes[route]);
                    groups[class.map_or(0, |class| class + 1)].push(route);
                }
            }
            let meant = |server: usize| self.service_of[server] == Some(number);
            // Where the log names no servers, it is all of one.
            let nameless = self.service_of.iter().all(Option::is_none);
            let found = work(part, |server| nameless || meant(server), &groups);
            let classes = self.model.classes.iter();
            let paths = std::iter::once(format!("service.{}.demand", service.name))
                .chain(classes.map(|class| format!("class.{}.demand", class.name)));
            for (path, demand) in paths.zip(&found.demands) {
                if let Some(demand) = demand {
                    values.push(Filled::measured(path, demand.text.clone(), words(demand)));
                }
            }
            let servers = (0..part.servers.len())
                .filter(|server| meant(*server))
                .count();
            let path = format!("service.{}.server.*.workers", service.name);
            values.extend(
                found
                    .workers
                    .map(|workers| of_workers(path, workers, servers)),
            );
        }
    }

    /// The class whose requests alone have a route, where it has or can have a demand of its own: the only one of a
    /// source that shares it with none, or one with a demand that is called as the route.
    fn class_apart(&self, source: &Source, route: &str) -> Option<usize> {
        let share = |source: &Source, class: usize| {
            source.mix[class]
                - class
                    .checked_sub(1)
                    .map_or(0.0, |before| source.mix[before])
        };
        let classes = 0..self.model.classes.len();
        let own: Vec<usize> = classes
            .filter(|class| share(source, *class) > 0.0)
            .collect();
        if let [only] = own.as_slice() {
            let sharing = self
                .model
                .sources
                .iter()
                .filter(|other| share(other, *only) > 0.0);
            return (sharing.count() == 1 && self.model.classes.len() > 1).then_some(*only);
        }
        let named = |class: &&usize| self.model.classes[**class].name == name_of(route, ROOT);
        own.iter()
            .find(named)
            .copied()
            .filter(|class| self.model.classes[*class].demand.is_some())
    }

    /// Arrivals for the scenario's sources, `factor` times as many: its changes, and the traces that they name.
    ///
    /// # Errors
    /// When the log has more than can be kept.
    pub fn replayed(&self, factor: f64) -> Result<Replayed, String> {
        let moments = self.measured.moments(factor)?;
        let of = |number| {
            let own = moments
                .iter()
                .filter(move |(request, _)| self.source(request) == Some(number));
            times_of(own.map(|(_, at)| *at), self.measured.first_ns)
        };
        let mut replayed = self.traces(of, self.measured.span_s.ceil().max(1.0));
        replayed.sets.push(("warm_up".to_owned(), "0s".to_owned()));
        Ok(replayed)
    }

    /// Traces in the place of all arrivals.
    pub(crate) fn traces(&self, times: impl Fn(usize) -> String, horizon_s: f64) -> Replayed {
        let mut replayed = Replayed {
            sets: vec![("horizon".to_owned(), format!("{horizon_s}s"))],
            files: Vec::new(),
        };
        for (number, source) in self.model.sources.iter().enumerate() {
            let file = format!("arrivals of {}", source.name);
            let path = format!("traffic.{}", source.name);
            let text = times(number);
            if text.is_empty() {
                // Nobody of the log came that way.
                replayed
                    .sets
                    .push((format!("{path}.arrivals"), "poisson".to_owned()));
                replayed.sets.push((format!("{path}.rate"), "0".to_owned()));
                continue;
            }
            let trace = format!("{{ kind = \"trace\", file = \"{file}\" }}");
            replayed.sets.push((format!("{path}.arrivals"), trace));
            replayed
                .sets
                .push((format!("{path}.rate"), "none".to_owned()));
            replayed.files.push((file, text));
        }
        replayed
    }
}

/// Changes of a scenario that send it a log's requests.
#[derive(Clone, PartialEq, Debug)]
pub struct Replayed {
    /// Paths and values.
    pub sets: Vec<(String, String)>,
    /// Names of traces, with their texts.
    pub files: Vec<(String, String)>,
}

fn of_workers(path: String, workers: Workers, servers: usize) -> Filled {
    let words = format!(
        "of {}: {}",
        counted(servers.max(1), "server"),
        workers.words()
    );
    match workers.number {
        Some(number) => Filled::measured(path, number.to_string(), words),
        None => Filled::guess(path, workers.most.max(1).to_string(), words),
    }
}

fn words(demand: &Demand) -> String {
    format!(
        "of {} that found a free worker: {}; {}",
        counted(demand.count as usize, "request"),
        demand.times(),
        demand.law
    )
}

/// For each server of the log, the service of the scenario's server that is called so, or has its address.
fn services_of_servers(measured: &Measured, model: &Model) -> Vec<Option<usize>> {
    let addresses = measured.addresses.iter();
    let of = addresses.map(|address| {
        if address.is_empty() {
            return None;
        }
        let (pool, own) = address.rsplit_once('/').unwrap_or(("", address));
        let host = own.rsplit_once(':').map_or(own, |(host, _)| host);
        let names = [own.to_owned(), name_of(own, ROOT), name_of(host, ROOT)];
        // The whole address before the host alone.
        names.iter().find_map(|name| {
            let alike = model.servers.iter().filter(|server| server.name == *name);
            let mut services: Vec<usize> = alike.map(|server| server.service.position()).collect();
            services.dedup();
            let named = |service: &&usize| model.services[**service].name == pool;
            match services.as_slice() {
                [one] => Some(*one),
                several => several.iter().find(named).copied(),
            }
        })
    });
    of.collect()
}

/// The source of requests of a route, among those that lead to a service.
fn source(model: &Model, service: usize, route: &str) -> Option<usize> {
    let leading = model.sources.iter().enumerate();
    let leading: Vec<(usize, &Source)> = leading
        .filter(|(_, source)| source.to.position() == service)
        .collect();
    if let [(only, _)] = leading.as_slice() {
        return Some(*only);
    }
    let path = route.rsplit(' ').next().unwrap_or(route);
    let name = name_of(path, ROOT);
    let begins = |source: &Source| {
        let rest = name.strip_prefix(source.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let best = leading.iter().filter(|(_, source)| begins(source));
    let best = best.max_by_key(|(_, source)| source.name.len());
    best.or_else(|| {
        leading
            .iter()
            .find(|(_, source)| REST.contains(&source.name.as_str()))
    })
    .map(|(number, _)| *number)
}
