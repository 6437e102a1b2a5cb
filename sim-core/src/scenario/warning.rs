//! Remarks on scenarios that are valid and yet may not be meant.

use super::Scenario;
use crate::ids::Id;
use crate::model::{ClassId, Model, Service};

/// Remarks on a scenario; none when it has no model.
pub(crate) fn warnings(scenario: &Scenario) -> Vec<String> {
    scenario
        .model()
        .map_or(Vec::new(), |model| of_model(&model))
}

fn of_model(model: &Model) -> Vec<String> {
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
        let absent = !service.servers.is_empty()
            && service
                .servers
                .iter()
                .all(|s| model.servers.get(s.0 as usize).is_some_and(|s| !s.present));
        if absent {
            found.push(format!(
                "no server of `{}` is there from the start",
                service.name
            ));
        }
    }
    for class in model
        .classes
        .iter()
        .enumerate()
        .filter(|(i, _)| model.sources.iter().all(|s| share(&s.mix, *i) <= 0.0))
        .map(|(_, c)| c)
    {
        found.push(format!("no request is of the class `{}`", class.name));
    }
    for source in &model.sources {
        if source.arrivals.def.uses_rate && source.rate.is_zero() {
            found.push(format!("the rate of `{}` is always 0", source.name));
        }
    }
    found.extend(crate::load::remarks(model));
    found
}

fn share(mix: &[f64], class: usize) -> f64 {
    let before = class
        .checked_sub(1)
        .and_then(|i| mix.get(i))
        .copied()
        .unwrap_or(0.0);
    mix.get(class).copied().unwrap_or(0.0) - before
}
