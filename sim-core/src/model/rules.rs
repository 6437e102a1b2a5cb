//! Rules of Prometheus, with the series that they are evaluated on.

use super::{Model, Server, Service};
use crate::ids::{ClassId, Id, ServerId, ServiceId};
use crate::outcome::Outcome;
use crate::series::{CODES, LE, Of, Part, SERIES, SeriesDef, code_of};
use crate::time::Duration;
use sim_alert::{Labels, Rules};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Rules of Prometheus that are evaluated while time runs.
#[derive(Clone)]
pub struct RuleSet {
    /// The rules.
    pub rules: Arc<Rules>,
    /// Of each rule of each group the alert, by its position in the model; `None` of what is recorded.
    pub alert_of: Vec<Vec<Option<usize>>>,
    /// How far back expressions look.
    pub reach: Duration,
    /// The series that they ask for.
    pub scraped: Arc<[Scraped]>,
    /// Rules that were left out, each with the reason.
    pub left_out: Vec<String>,
    /// All that it was read from.
    pub written: String,
}

impl PartialEq for RuleSet {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written && self.scraped == other.scraped
    }
}

impl fmt::Debug for RuleSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("RuleSet").field(&self.written).finish()
    }
}

impl RuleSet {
    /// Whether response times have to be counted for them.
    pub fn wants_durations(&self) -> bool {
        let is = |one: &Scraped| matches!(one.def.of, Of::Durations(_));
        self.scraped.iter().any(is)
    }
}

/// A series that is scraped.
#[derive(Clone)]
pub struct Scraped {
    /// The row of [`SERIES`].
    pub def: &'static SeriesDef,
    /// Its labels, the name among them.
    pub labels: Labels,
    /// Of what.
    pub target: ScrapedOf,
}

impl PartialEq for Scraped {
    fn eq(&self, other: &Self) -> bool {
        self.labels == other.labels && self.target == other.target
    }
}

/// Of what a series is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScrapedOf {
    /// Requests of a service and a class.
    Requests(Asked),
    /// The same, of one outcome.
    Ends(Asked, Outcome),
    /// The same, of one code, and of one bucket or all.
    Durations(Asked, usize, usize),
    /// A server.
    Server(ServerId),
    /// A balancer instance, by its number among those of its service.
    Balancer(ServiceId, u32),
}

/// Requests of a service and a class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The service asked.
    pub service: ServiceId,
    /// The class.
    pub class: ClassId,
    /// Whether other services ask.
    pub nested: bool,
}

/// Where a system is that has series: what of a model is known when its rules are read.
#[derive(Clone, Copy)]
pub struct Exposing<'m> {
    /// Its services.
    pub services: &'m [Service],
    /// Its servers.
    pub servers: &'m [Server],
    /// Names of its classes.
    pub classes: &'m [super::Class],
    /// Its sources.
    pub sources: &'m [super::Source],
}

impl Exposing<'_> {
    /// Every series that it has of the rows that are wanted, in the order of the table, handed to `take` until that has
    /// had enough.
    pub fn series(
        &self,
        wanted: &dyn Fn(&SeriesDef) -> bool,
        take: &mut dyn FnMut(Scraped) -> bool,
    ) {
        for def in SERIES.iter().filter(|def| wanted(def)) {
            let base = Labels::default().with("__name__", def.name);
            let more = match def.of {
                Of::Up => self.servers(def, &base, take) && self.balancers(def, &base, take),
                Of::Server(_) | Of::ServerCrashes => self.servers(def, &base, take),
                Of::Balancer(_) | Of::BalancerCrashes => self.balancers(def, &base, take),
                Of::Requests(_) | Of::Ends | Of::Durations(_) => self.requests(def, &base, take),
            };
            if !more {
                return;
            }
        }
    }

    fn servers(
        &self,
        def: &'static SeriesDef,
        base: &Labels,
        take: &mut dyn FnMut(Scraped) -> bool,
    ) -> bool {
        let base = base.clone().with("job", "server");
        self.servers.iter().enumerate().all(|(position, server)| {
            let service = &self.services[server.service.position()].name;
            take(Scraped {
                def,
                labels: base
                    .clone()
                    .with("service", service)
                    .with("instance", &server.name),
                target: ScrapedOf::Server(ServerId::at(position)),
            })
        })
    }

    fn balancers(
        &self,
        def: &'static SeriesDef,
        base: &Labels,
        take: &mut dyn FnMut(Scraped) -> bool,
    ) -> bool {
        let base = base.clone().with("job", "balancer");
        self.services.iter().enumerate().all(|(position, service)| {
            let base = base.clone().with("service", &service.name);
            service.instance_names().zip(0..).all(|(name, number)| {
                take(Scraped {
                    def,
                    labels: base.clone().with("instance", &name),
                    target: ScrapedOf::Balancer(ServiceId::at(position), number),
                })
            })
        })
    }

    fn requests(
        &self,
        def: &'static SeriesDef,
        base: &Labels,
        take: &mut dyn FnMut(Scraped) -> bool,
    ) -> bool {
        let base = base.clone().with("job", "requests");
        for asked in self.asked() {
            let from = if asked.nested { "inside" } else { "outside" };
            let labels = base
                .clone()
                .with("service", &self.services[asked.service.position()].name)
                .with("class", &self.classes[asked.class.position()].name)
                .with("from", from);
            let one = |labels, target| Scraped {
                def,
                labels,
                target,
            };
            let coded = |code: usize| labels.clone().with("code", CODES[code]);
            let more = match def.of {
                Of::Ends => Outcome::ALL.into_iter().all(|outcome| {
                    let labels = coded(code_of(outcome)).with("outcome", outcome.name());
                    take(one(labels, ScrapedOf::Ends(asked, outcome)))
                }),
                Of::Durations(Part::Bucket) => (0..CODES.len()).all(|code| {
                    LE.iter().enumerate().all(|(bucket, (le, _))| {
                        let labels = coded(code).with("le", le);
                        take(one(labels, ScrapedOf::Durations(asked, code, bucket)))
                    })
                }),
                Of::Durations(_) => (0..CODES.len()).all(|code| {
                    let target = ScrapedOf::Durations(asked, code, LE.len() - 1);
                    take(one(coded(code), target))
                }),
                _ => take(one(labels, ScrapedOf::Requests(asked))),
            };
            if !more {
                return false;
            }
        }
        true
    }

    /// Whose requests there are: those of services that somebody asks.
    fn asked(&self) -> Vec<Asked> {
        let outside: BTreeSet<ServiceId> = self.sources.iter().map(|source| source.to).collect();
        let inside: BTreeSet<ServiceId> = (self.services.iter())
            .flat_map(|service| service.asks().map(|ask| ask.to))
            .collect();
        let mut found = Vec::new();
        for service in (0..self.services.len()).map(ServiceId::at) {
            for class in (0..self.classes.len()).map(ClassId::at) {
                for (nested, asking) in [(false, &outside), (true, &inside)] {
                    if asking.contains(&service) {
                        found.push(Asked {
                            service,
                            class,
                            nested,
                        });
                    }
                }
            }
        }
        found
    }
}

impl Model {
    /// What of it has series.
    pub fn exposing(&self) -> Exposing<'_> {
        Exposing {
            services: &self.services,
            servers: &self.servers,
            classes: &self.classes,
            sources: &self.sources,
        }
    }
}
