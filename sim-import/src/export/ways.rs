//! Sources of requests as ways in: which lead to a service, and by what they are told apart.

use super::subject::Subject;
use sim_core::ids::Id;
use sim_core::model::{Action, Client, Service, Source, Target};
use sim_core::time::Instant;

/// A source that leads to a service.
pub(super) struct Way<'m> {
    pub source: &'m Source,
    /// The path of its keys.
    pub path: String,
    /// The path of a request by which its requests are known.
    pub prefix: String,
    /// Whether nothing else leads to its service, which has its name.
    pub alone: bool,
    /// The class that all its requests are of.
    pub class: Option<String>,
}

/// The ways to a service, in their order.
pub(super) fn ways<'m>(service: &Service, subject: &Subject<'m>) -> Vec<Way<'m>> {
    let model = subject.model;
    let leads = |source: &&Source| model.services[source.to.position()].name == service.name;
    let count = model.sources.iter().filter(leads).count();
    let all = model.sources.iter().enumerate();
    let own = all.filter(|(_, source)| leads(source));
    own.map(|(number, source)| {
        let by_name = format!("traffic.{}", source.name);
        // One without a name goes by its number.
        let path = if subject.says(&by_name) {
            by_name
        } else {
            format!("traffic.{number}")
        };
        let prefix = match source.name.as_str() {
            "root" => "/".to_owned(),
            name => format!("/{name}"),
        };
        let class = subject.value(&format!("{path}.class"));
        Way {
            source,
            prefix,
            alone: count == 1 && source.name == service.name,
            class: class.map(|class| super::said::unquoted(class).to_owned()),
            path,
        }
    })
    .collect()
}

/// What an instance does otherwise for requests of a way, with the path it is written at.
pub(super) fn apart<'m>(
    way: &Way<'_>,
    service: &Service,
    subject: &Subject<'m>,
) -> Option<(&'m Client, String)> {
    let class = way.class.as_ref()?;
    let path = format!("service.{}.balancer.class.{class}.client", service.name);
    if !subject.says(&path) {
        return None;
    }
    let model = subject.model;
    let own = service.balancer.client.as_ref()?;
    let mut all = own.by_class.iter();
    let rules = all.find(|rules| model.classes[rules.class.position()].name == *class)?;
    Some((&model.clients[rules.client.position()], path))
}

/// Servers that are taken out of rotation before anything happens.
pub(super) fn drained(service: &Service, subject: &Subject<'_>) -> Vec<String> {
    let model = subject.model;
    let first = model
        .timeline
        .iter()
        .take_while(|entry| entry.at == Instant::ZERO);
    let mut names = Vec::new();
    for entry in first {
        if let Action::Drain(Target::Servers(servers)) = &entry.action {
            let own = servers.iter().filter(|id| service.servers.contains(id));
            names.extend(own.map(|id| model.servers[id.position()].name.clone()));
        }
    }
    names
}
