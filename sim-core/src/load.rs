//! The load a scenario asks for, before anything is simulated.

use crate::ids::Id;
use crate::model::{ClassId, Model, RatePoint, Service, ServiceId, Source};
use crate::readable;
use crate::time::{Instant, SECOND};

/// The highest load that the traffic of a scenario offers to a service.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Peak {
    /// Arrival rate times mean demand over capacity; may exceed one.
    pub offered_load: f64,
    /// When it is reached first.
    pub at: Instant,
    /// Requests per second that the servers could do at most.
    pub capacity_hz: f64,
}

/// The highest offered load of each service, from the rates of open sources and the calls between
/// services; without retries, errors, and what the time line changes. `None` for a service that
/// has no capacity, or whose demand has no mean.
pub fn peaks(model: &Model) -> Vec<Option<Peak>> {
    let open: Vec<&Source> = model
        .sources
        .iter()
        .filter(|s| s.arrivals.def.uses_rate)
        .collect();
    let visits: Vec<Vec<f64>> = open.iter().map(|source| visits(model, source)).collect();
    let mut corners: Vec<Instant> = open
        .iter()
        .flat_map(|s| s.rate.iter().map(|p| p.at))
        .filter(|at| at.0 < model.horizon.0)
        .collect();
    corners.sort_unstable();
    corners.dedup();
    let mut peaks: Vec<Option<Peak>> = vec![None; model.services.len()];
    for at in corners {
        let rates: Vec<f64> = open
            .iter()
            .map(|source| rate_hz(&source.rate, at))
            .collect();
        for (service, peak) in peaks.iter_mut().enumerate() {
            let hz: f64 = rates
                .iter()
                .zip(&visits)
                .map(|(rate, visits)| rate * visits[service])
                .sum();
            if let Some(offered_load) = offered_load(model, service, hz)
                && peak.is_none_or(|p| offered_load > p.offered_load)
            {
                *peak = Some(Peak {
                    offered_load,
                    at,
                    capacity_hz: hz / offered_load,
                });
            }
        }
    }
    peaks
}

/// The highest rate of all open traffic together, in requests per second.
pub fn peak_rate_hz(model: &Model) -> f64 {
    let open = || model.sources.iter().filter(|s| s.arrivals.def.uses_rate);
    let corners = open().flat_map(|s| s.rate.iter().map(|p| p.at));
    let at = |at: Instant| open().map(|s| rate_hz(&s.rate, at)).sum::<f64>();
    corners.map(at).fold(0.0, f64::max)
}

/// Remarks on services that are offered more than they can do.
pub fn remarks(model: &Model) -> Vec<String> {
    let too_much = |(service, peak): (&crate::model::Service, Option<Peak>)| {
        let peak = peak.filter(|p| p.offered_load > 1.0)?;
        let at = readable::moment(peak.at, model.clock);
        Some(format!(
            "at {at} the traffic offers `{}` {} of what its servers can do",
            service.name,
            readable::share(peak.offered_load)
        ))
    };
    model
        .services
        .iter()
        .zip(peaks(model))
        .filter_map(too_much)
        .collect()
}

/// Mean visits of the servers of each service by a request of the source, weighted by what its class demands.
fn visits(model: &Model, source: &Source) -> Vec<f64> {
    let shares = source.mix.iter().scan(0.0, |before, &upto| {
        Some(upto - std::mem::replace(before, upto))
    });
    let classes = model.classes.iter().zip(shares);
    let factors: Vec<f64> = (classes.map(|(class, share)| class.demand_factor * share)).collect();
    let mut asks = model.services.iter().flat_map(Service::asks);
    if asks.all(|ask| ask.classes.is_empty()) {
        return visits_of(model, source.to, factors.iter().sum(), ClassId(0));
    }
    let mut visits = vec![0.0; model.services.len()];
    for (class, &factor) in factors.iter().enumerate().filter(|(_, f)| **f > 0.0) {
        let of_class = visits_of(model, source.to, factor, ClassId::at(class));
        for (all, more) in visits.iter_mut().zip(of_class) {
            *all += more;
        }
    }
    visits
}

/// Visits of the servers of each service that come of so many requests of a class at service `to`.
fn visits_of(model: &Model, to: ServiceId, requests: f64, class: ClassId) -> Vec<f64> {
    let mut visits = vec![0.0; model.services.len()];
    // Calls do not go round in circles, so that this settles within as many steps as services.
    for _ in 0..model.services.len() {
        let mut next = vec![0.0; visits.len()];
        next[usize::from(to.0)] = requests;
        for (from, service) in model.services.iter().enumerate() {
            let kept = visits[from] * service.balancer.kept(class);
            for call in service.calls.iter().filter(|call| call.concerns(class)) {
                next[usize::from(call.to.0)] += kept * call.probability;
            }
            let mut before = 0.0;
            for (route, end) in service.balancer.parts(class) {
                next[usize::from(route.to.0)] += visits[from] * (end - before);
                before = end;
            }
        }
        if next == visits {
            break;
        }
        visits = next;
    }
    for (visits, service) in visits.iter_mut().zip(&model.services) {
        *visits *= service.balancer.kept(class);
    }
    visits
}

/// `hz` times mean demand over capacity, for the servers that are there from the start; `None`
/// when there are none, or when the demand has no mean.
pub(crate) fn offered_load(model: &Model, service: usize, hz: f64) -> Option<f64> {
    let service = &model.services[service];
    let servers = service
        .servers
        .iter()
        .map(|id| &model.servers[id.0 as usize])
        .filter(|s| s.present && s.params.priority == 0);
    let capacity: f64 = servers
        .map(|s| s.params.speed * f64::from(s.params.workers))
        .sum();
    let demand_s = service.demand.build().mean_ns() / SECOND as f64;
    (capacity > 0.0 && demand_s.is_finite()).then(|| hz * demand_s / capacity)
}

fn rate_hz(corners: &[RatePoint], at: Instant) -> f64 {
    let next = corners.partition_point(|c| c.at <= at);
    match (next.checked_sub(1).map(|i| corners[i]), corners.get(next)) {
        (Some(left), Some(right)) => {
            let part = (at - left.at).0 as f64 / (right.at - left.at).0 as f64;
            left.rate_hz + part * (right.rate_hz - left.rate_hz)
        }
        (Some(last), None) => last.rate_hz,
        (None, _) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_follow_routes_and_what_they_leave() {
        let model = crate::scenario::parse(
            r#"
            horizon = "10m"
            class.a = { share = 0.5 }
            class.b = { share = 0.5, demand_factor = 2 }
            traffic = [{ to = "web", rate = 100 }]
            [service.web]
            demand = "10ms"
            balancer = { routes = [{ to = "x", class = "a" }, { to = "y", share = 0.25 }] }
            server = [{ name = "s", workers = 1 }]
            call = [{ to = "y" }]
            [service.x]
            demand = "10ms"
            server = [{ name = "s", workers = 1 }]
            [service.y]
            demand = "10ms"
            server = [{ name = "s", workers = 1 }]
            "#,
        )
        .unwrap_or_else(|problems| panic!("{problems}"));
        let loads: Vec<f64> = peaks(&model)
            .iter()
            .map(|p| p.map_or(0.0, |p| p.offered_load))
            .collect();
        // Half of all, of class a; of the others a quarter, and what the rest calls.
        let expected = [
            100.0 * 0.5 * 0.75 * 2.0 * 0.01,
            0.5,
            100.0 * 0.5 * 2.0 * 0.01,
        ];
        for (load, expected) in loads.iter().zip(expected) {
            assert!((load - expected).abs() < 1e-9, "{loads:?}");
        }
    }

    #[test]
    fn loads_follow_rates_calls_and_classes() {
        let model = crate::scenario::parse(
            r#"
            horizon = "10m"
            class.small = { share = 0.5 }
            class.large = { share = 0.5, demand_factor = 3.0 }
            traffic = [{ to = "web", rate = [["0s", 10], ["5m", 100], ["10m", 10]] }, { to = "web", rate = [["0s", 0], ["2m", 20]] }]
            [service.web]
            demand = "10ms"
            server = [{ name = "a", workers = 2 }]
            call = [{ to = "db", probability = 0.25 }, { to = "big", class = "large" }]
            [service.big]
            demand = "1ms"
            server = [{ name = "c", workers = 1 }]
            [service.db]
            demand = "100ms"
            server = [{ name = "b", workers = 1 }]
            "#,
        )
        .unwrap_or_else(|problems| panic!("{problems}"));
        let peaks: Vec<(f64, u64)> = peaks(&model)
            .iter()
            .map(|p| p.map_or((0.0, 0), |p| (p.offered_load, p.at.0 / SECOND)))
            .collect();
        let expected = [
            (120.0 * 2.0 * 0.01 / 2.0, 300),
            (120.0 * 0.5 * 3.0 * 0.001, 300),
            (120.0 * 2.0 * 0.25 * 0.1, 300),
        ];
        for ((load, at), (expected_load, expected_at)) in peaks.iter().zip(expected) {
            assert!(
                (load - expected_load).abs() < 1e-9 && *at == expected_at,
                "{peaks:?}"
            );
        }
        assert_eq!(
            remarks(&model),
            [
                "at 5m the traffic offers `web` 120 % of what its servers can do",
                "at 5m the traffic offers `db` 600 % of what its servers can do"
            ]
        );
    }
}
