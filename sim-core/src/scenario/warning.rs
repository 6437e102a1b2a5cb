//! Remarks on scenarios that are valid and yet may not be meant.

use super::{Scenario, futile};
use crate::event_log::nothing_to_do;
use crate::ids::Id;
use crate::model::{Act, Action, Change, ClassId, Model, Service, ServiceId, Source, Target};
use crate::readable;

/// Remarks on a scenario; none when it has no model.
pub(crate) fn warnings(scenario: &Scenario) -> Vec<String> {
    scenario
        .model()
        .map_or(Vec::new(), |model| of_model(&model))
}

fn of_model(model: &Model) -> Vec<String> {
    let mut found = futile::of_all_phases(model, idle_parts);
    for service in &model.services {
        let mut servers = service.servers.iter();
        let absent =
            !service.servers.is_empty() && servers.all(|id| !model.servers[id.position()].present);
        if absent {
            found.push(format!(
                "no server of `{}` is there from the start",
                service.name
            ));
        }
    }
    found.extend(model.rules.iter().flat_map(|rules| rules.left_out.clone()));
    found.extend(futile::of_all_phases(model, deadly_probes));
    found.extend(futile::settings(model));
    found.extend(idle_entries(model));
    found.extend(crate::load::remarks(model));
    found
}

/// Parts that nothing comes to, or that change nothing, as they are set.
fn idle_parts(model: &Model) -> Vec<String> {
    let mut found = Vec::new();
    let asked = |id: usize| {
        let outside = model.sources.iter().any(|s| usize::from(s.to.0) == id);
        outside
            || model
                .services
                .iter()
                .flat_map(Service::asks)
                .any(|ask| usize::from(ask.to.0) == id && ask.share > 0.0)
    };
    for (id, service) in model.services.iter().enumerate() {
        if !asked(id) {
            found.push(format!("nobody asks the service `{}`", service.name));
        }
        let policy = &service.balancer.policy.def;
        let weighs = service.balancer.health.iter().find(|rule| rule.def.weighs);
        if let Some(rule) = weighs.filter(|_| !policy.heeds_weights) {
            found.push(format!(
                "the policy {} of `{}` ignores weights, and {} does nothing but change them",
                policy.row.name, service.name, rule.def.row.name
            ));
        }
        let mut classes = (0..model.classes.len()).map(ClassId::at);
        let keeps_none = classes.all(|class| service.balancer.kept(class) <= 0.0);
        if keeps_none && !service.servers.is_empty() {
            found.push(format!(
                "the routes of `{}` leave nothing to its servers",
                service.name
            ));
        }
    }
    found.extend(idle_rules(model));
    let nobody = |class: usize| model.sources.iter().all(|s| s.share(class) <= 0.0);
    for (_, class) in (model.classes.iter().enumerate()).filter(|(class, _)| nobody(*class)) {
        found.push(format!("no request is of the class `{}`", class.name));
    }
    for source in &model.sources {
        if source.arrivals.def.uses_rate && source.rate.is_zero() {
            found.push(format!("the rate of `{}` is always 0", source.name));
        }
    }
    found
}

/// Liveness probes that end what nothing and nobody starts again.
fn deadly_probes(model: &Model) -> Vec<String> {
    let entries = model.timeline.iter().map(|entry| &entry.action);
    let steps = model.runbooks.iter().flat_map(|runbook| &runbook.steps);
    let steps = steps.filter_map(|step| match &step.act {
        Act::Do(action) => Some(action),
        _ => None,
    });
    let mut deeds = entries.chain(steps);
    let restarts = deeds.any(|action| matches!(action, Action::Restart { .. }));
    let mut found = Vec::new();
    for service in &model.services {
        let servers = service.servers.iter();
        let servers = servers.map(|id| &model.servers[id.position()]);
        let ended: Vec<_> = servers
            .filter(|server| {
                let rule = server.params.restart.build();
                let stays = rule.first.is_none() && !(rule.by_hand && restarts);
                server.params.liveness.is_some() && stays
            })
            .collect();
        if let Some(first) = ended.first() {
            let more = match ended.len() {
                1 => String::new(),
                n => format!(" and of {} more", n - 1),
            };
            found.push(format!(
                "what the liveness probe of `{}`{more} ends stays down: `restart` is {}",
                first.name, first.params.restart.def.row.name
            ));
        }
    }
    found
}

/// Rules of balancers for classes of which no request comes to them.
fn idle_rules(model: &Model) -> Vec<String> {
    let mut found = Vec::new();
    for (id, service) in model.services.iter().enumerate() {
        for own in service.balancer.client.iter().flat_map(|own| &own.by_class) {
            let class = own.class;
            let outside = |s: &Source| s.share(class.position()) > 0.0;
            let sources = model.sources.iter().filter(|s| outside(s));
            let mut there: Vec<ServiceId> = sources.map(|s| s.to).collect();
            let mut next = 0;
            while let Some(from) = there.get(next) {
                let asks = model.services[from.position()].asks();
                let asked = asks.filter(|ask| {
                    ask.share > 0.0 && (ask.classes.is_empty() || ask.classes.contains(&class))
                });
                let more: Vec<_> = asked.map(|ask| ask.to).collect();
                there.extend(
                    more.into_iter()
                        .filter(|to| !there.contains(to))
                        .collect::<Vec<_>>(),
                );
                next += 1;
            }
            if !there.contains(&ServiceId::at(id)) || service.balancer.kept(class) <= 0.0 {
                found.push(format!(
                    "no request of the class `{}` comes to the servers of `{}`, whose balancer has rules for it",
                    model.classes[class.position()].name, service.name
                ));
            }
        }
    }
    found
}

/// So many entries that find nothing to do are named.
const IDLE_ENTRIES: usize = 10;

/// What can be known of a server beforehand, by people's hands alone.
#[derive(Clone, Copy)]
struct Hands {
    /// Whether it is there; one on its way out may be or not.
    there: Option<bool>,
    out_of_rotation: bool,
    /// Whether anything may have brought it down.
    may_be_down: bool,
}

impl Hands {
    /// What it is already, where an action is sure to find nothing to do; else takes over what it does.
    fn take(&mut self, action: &Action) -> Option<&'static str> {
        let (absent, there) = (self.there == Some(false), self.there == Some(true));
        let idle = match action {
            Action::Add(_) => there.then_some("there"),
            Action::Remove(_) if self.there.is_none() => Some("being removed or gone"),
            Action::Crash(_)
            | Action::Restart { .. }
            | Action::Drain(_)
            | Action::Undrain(_)
            | Action::Remove(_)
                if absent =>
            {
                Some("not there")
            }
            Action::Restart { only_down, .. } => {
                (*only_down && there && !self.may_be_down).then_some("up")
            }
            Action::Drain(_) => self.out_of_rotation.then_some("out of rotation"),
            Action::Undrain(_) => (!self.out_of_rotation).then_some("in rotation"),
            _ => None,
        };
        match action {
            _ if idle.is_some() => {}
            Action::Add(_) => (self.there, self.out_of_rotation) = (Some(true), false),
            Action::Remove(_) => (self.there, self.out_of_rotation) = (None, true),
            Action::Drain(_) => self.out_of_rotation = true,
            // One that was on its way out may stay.
            Action::Undrain(_) => self.out_of_rotation = false,
            Action::Crash(_) => self.may_be_down = true,
            _ => {}
        }
        idle
    }
}

/// Entries of the time line of which one can know beforehand that they find nothing to do.
fn idle_entries(model: &Model) -> Vec<String> {
    let server = |server: &crate::model::Server| Hands {
        there: Some(server.present),
        out_of_rotation: false,
        may_be_down: server.params.can_crash(),
    };
    let mut servers: Vec<Hands> = model.servers.iter().map(server).collect();
    let mut found = Vec::new();
    let mut more = 0;
    for entry in &model.timeline {
        let (verb, ids) = match &entry.action {
            Action::Set { changes, .. } => {
                // Settings that are changed may bring anything down.
                for change in changes {
                    if let Change::Server(id, params) = change {
                        servers[id.position()].may_be_down |= params.can_crash();
                    }
                }
                continue;
            }
            Action::Crash(Target::Servers(ids)) => ("crash", ids),
            Action::Restart {
                target: Target::Servers(ids),
                ..
            } => ("restart", ids),
            Action::Drain(Target::Servers(ids)) => ("drain", ids),
            Action::Undrain(Target::Servers(ids)) => ("undrain", ids),
            Action::Remove(Target::Servers(ids)) => ("remove", ids),
            Action::Add(ids) => ("add", ids),
            _ => continue,
        };
        let idle = ids.iter().filter_map(|id| {
            let reason = servers[id.position()].take(&entry.action)?;
            Some((model.servers[id.position()].name.clone(), reason))
        });
        let idle: Vec<(String, &str)> = idle.collect();
        if idle.is_empty() {
            continue;
        }
        if found.len() < IDLE_ENTRIES {
            let at = readable::moment(entry.at, model.clock);
            found.push(format!("at {at} there is {}", nothing_to_do(verb, &idle)));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        found.push(format!(
            "{more} more entries of the time line find nothing to do"
        ));
    }
    found
}
