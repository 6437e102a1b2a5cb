//! Changes for the worse: what somebody set, or rolled out, that leaves a service more work or less to do it with.

use super::disturbance::{Disturbance, SetTo};
use super::evidence::{Evidence, ServerFacts, ServiceFacts};
use super::words::since;
use crate::ids::Id;

/// All that stands beside a service's load, each with when it was done.
pub(super) fn changes(e: &Evidence<'_>, service: &ServiceFacts) -> impl Iterator<Item = String> {
    let found = [
        grown_demand(e, service),
        less_capacity(e, service),
        weaker_release(e, service),
    ];
    found.into_iter().flatten()
}

/// The demand of a service, or of a class, that somebody raised: the last such change that is no later than the
/// incident.
fn grown_demand(e: &Evidence<'_>, service: &ServiceFacts) -> Option<String> {
    let own = format!("service.{}.demand", service.name);
    let mean = |of: &crate::model::Service| of.demand.build().mean_ns();
    let position = service.id.position();
    let grew = mean(e.settings[position]) > mean(&e.model.services[position]);
    let of_demand = |path: &str| {
        let class = path.starts_with("class.")
            && (path.ends_with(".demand_factor") || path.contains(".demand"));
        class || grew && (path == own || path.starts_with(&format!("{own}.")))
    };
    let onset_s = e.incident_s.unwrap_or(e.now_s);
    let mut sets = e.told.sets.iter();
    let set = sets.rfind(|set| of_demand(&set.path) && set.at_s <= onset_s + 1.0)?;
    let note = if set.note.is_empty() {
        String::new()
    } else {
        format!(", {}", set.note)
    };
    Some(format!(
        "{} = {}{}{note}",
        set.path,
        set.value,
        since(e, Some(set.at_s))
    ))
}

/// A setting of what the service can do that was changed for the worse when the incident began, or before: the
/// last of them.
fn less_capacity(e: &Evidence<'_>, service: &ServiceFacts) -> Option<String> {
    let onset_s = e.incident_s?;
    let harms = |(number, set): &(usize, &SetTo)| {
        let Some((key, was)) = capacity_before(e, service, &set.path) else {
            return false;
        };
        let mut earlier = e.told.sets[..*number].iter();
        let earlier = earlier.rfind(|before| before.path == set.path);
        let before = earlier.map_or(was, |before| before.value.parse().ok());
        match (set.value.parse::<f64>().ok(), before) {
            (Some(now), Some(before)) if key == "cost" => now > before,
            (Some(now), Some(before)) => now < before,
            _ => true,
        }
    };
    let sets = e.told.sets.iter().enumerate();
    let mut sets = sets.filter(|(_, set)| set.at_s <= onset_s);
    let (_, set) = sets.rfind(harms)?;
    Some(format!(
        "{} = {}{}",
        set.path,
        set.value,
        since(e, Some(set.at_s))
    ))
}

/// The key of a setting that says what a service can do, and its number in the scenario, where it has one.
fn capacity_before<'p>(
    e: &Evidence<'_>,
    service: &ServiceFacts,
    path: &'p str,
) -> Option<(&'p str, Option<f64>)> {
    let rest = path.strip_prefix("service.")?;
    let rest = rest
        .strip_prefix(service.name.as_str())?
        .strip_prefix('.')?;
    let (owner, key) = rest.rsplit_once('.')?;
    if !matches!(
        key,
        "workers" | "speed" | "max_connections" | "cost" | "cores"
    ) {
        return None;
    }
    let named = |name: &str| {
        let of_it = |server: &&ServerFacts| {
            let rest = server.name.strip_prefix(name);
            name == "*" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let server = service.servers.iter().find(of_it)?;
        Some(&e.model.servers[server.standing.id.position()].params)
    };
    let server = owner.strip_prefix("server.").and_then(named);
    let was = server.and_then(|params| match key {
        "workers" => Some(f64::from(params.workers)),
        "speed" => Some(params.speed),
        "max_connections" => Some(params.max_connections.map_or(f64::INFINITY, f64::from)),
        _ => None,
    });
    Some((key, was))
}

/// A release that can do less than what was there before it.
fn weaker_release(e: &Evidence<'_>, service: &ServiceFacts) -> Option<String> {
    let stands =
        |d: &&Disturbance<'_>| d.until_s.is_none() && d.deployed() == Some(service.name.as_str());
    let release = e.told.disturbances.iter().rfind(stands)?;
    let weaker = service.servers.iter().any(|server| {
        let before = &e.model.servers[server.standing.id.position()].params;
        let all = server.standing.workers + server.standing.broken;
        let slower = server.standing.speed / server.standing.slowed_to.max(1e-12) < before.speed;
        server.serves() && (all < before.workers || slower)
    });
    weaker.then(|| {
        let since = since(e, Some(release.from_s));
        format!("{}{since}", e.told.what(release))
    })
}
