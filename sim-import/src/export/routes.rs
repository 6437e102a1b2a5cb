//! Where requests of a way go: to servers of its service, or along routes to those of others.

use super::subject::Subject;
use super::ways::Way;
use sim_core::ids::Id;
use sim_core::model::{Model, Route, Service};

/// Parts in all that a share can be told in.
pub(super) const PARTS: u32 = 10_000;

/// The services whose servers take requests of a way, each with its share of them.
pub(super) fn parts<'m>(
    way: &Way<'_>,
    service: &'m Service,
    subject: &mut Subject<'m>,
) -> Vec<(&'m Service, f64)> {
    let mut found: Vec<(&Service, f64)> = Vec::new();
    split(way, service, 1.0, &mut found, subject);
    found
}

/// The same in so many of all parts each, the last of which takes what is left.
pub(super) fn ends<'m>(parts: &[(&'m Service, f64)]) -> Vec<(&'m Service, u32)> {
    let mut end = 0.0;
    let own = parts.iter().map(|(service, share)| {
        end += share * f64::from(PARTS);
        (*service, end.round() as u32)
    });
    own.collect()
}

fn split<'m>(
    way: &Way<'_>,
    service: &'m Service,
    whole: f64,
    found: &mut Vec<(&'m Service, f64)>,
    subject: &mut Subject<'m>,
) {
    let model = subject.model;
    let mut left = 1.0;
    for (number, route) in service.balancer.routes.iter().enumerate() {
        let to = &model.services[route.to.position()];
        let path = format!("service.{}.balancer.routes.{number}", service.name);
        if !takes(route, way, model) {
            if class(way, model).is_none() {
                subject.refuse(&path, "no source is of its classes alone");
                subject.remark(format!(
                    "{}: requests for {} go where the others go, since nothing here tells classes apart",
                    way.name, to.name
                ));
            }
            continue;
        }
        for key in ["to", "class", "share"] {
            subject.take(&format!("{path}.{key}"));
        }
        let why = "time-outs, tries and limits are those of the way, which leads to these servers at once";
        subject.refuse(&path, why);
        let share = route.share.unwrap_or(1.0).min(left);
        if share * whole * f64::from(PARTS) < 0.5 {
            continue;
        }
        split(way, to, whole * share, found, subject);
        left -= share;
    }
    if left * whole * f64::from(PARTS) < 0.5 || service.servers.is_empty() {
        return;
    }
    match found.iter_mut().find(|(own, _)| own.name == service.name) {
        Some((_, share)) => *share += whole * left,
        None => found.push((service, whole * left)),
    }
}

/// Whether requests of a way may go along a route.
fn takes(route: &Route, way: &Way<'_>, model: &Model) -> bool {
    let own = class(way, model);
    let of =
        |name: &str| (route.classes.iter()).any(|id| model.classes[id.position()].name == name);
    route.classes.is_empty() || own.is_some_and(of)
}

/// The class of all requests of a way.
fn class<'w>(way: &'w Way<'_>, model: &'w Model) -> Option<&'w str> {
    let only = (model.classes.len() == 1).then(|| model.classes[0].name.as_str());
    way.class.as_deref().or(only)
}
