//! Sources of requests as ways in: which lead to a service, and by what they are told apart.

use super::subject::Subject;
use crate::names::fresh;
use sim_core::extension::Configured;
use sim_core::guard::GuardDef;
use sim_core::ids::Id;
use sim_core::model::{Action, Asker, Client, Service, Source, Target};
use sim_core::time::Instant;

/// A way to a service: a source that leads there, or what other services ask it.
pub(super) struct Way<'m> {
    /// The name of the source, or of the service.
    pub name: String,
    /// The path of its keys.
    pub path: String,
    /// The path of a request by which its requests are known.
    pub prefix: String,
    /// Whether nothing else leads to its service, which has its name.
    pub alone: bool,
    /// Whether no source leads there.
    pub inside: bool,
    /// The class that all its requests are of.
    pub class: Option<String>,
    /// Guards of its callers.
    pub guards: &'m [Configured<GuardDef>],
}

/// The ways to a service, in their order. What only servers of other services ask has one for these; routes lead to its
/// servers at once.
pub(super) fn ways<'m>(service: &'m Service, subject: &mut Subject<'m>) -> Vec<Way<'m>> {
    let own = sources(service, subject);
    if !own.is_empty() {
        return own.into_iter().map(|(way, _)| way).collect();
    }
    let model = subject.model;
    let asks = |by: Asker| {
        let mut all = model.services.iter().flat_map(Service::asks);
        all.any(|ask| ask.by == by && model.services[ask.to.position()].name == service.name)
    };
    let name = &service.name;
    if !asks(Asker::Server) {
        if !asks(Asker::Balancer) {
            subject.remark(format!("nothing leads to {name}, and no way in does"));
        }
        return Vec::new();
    }
    subject.remark(format!(
        "no source leads to {name}: it listens to what other services ask it"
    ));
    let mut taken: Vec<String> = model.sources.iter().map(|own| own.name.clone()).collect();
    vec![Way {
        name: fresh(name, &mut taken),
        // Nothing is written there.
        path: String::new(),
        prefix: "/".to_owned(),
        alone: true,
        inside: true,
        class: None,
        guards: &[],
    }]
}

/// The sources that lead to a service, in their order.
pub(super) fn sources<'m>(service: &Service, subject: &Subject<'m>) -> Vec<(Way<'m>, &'m Source)> {
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
        let callers = source.clients.first();
        let way = Way {
            name: source.name.clone(),
            prefix,
            alone: count == 1 && source.name == service.name,
            inside: false,
            class: class.map(|class| super::said::unquoted(class).to_owned()),
            path,
            guards: callers.map_or(&[], |id| &model.clients[id.position()].guards),
        };
        (way, source)
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
