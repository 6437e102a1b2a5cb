//! What first attempts ask of each service, and what a request takes that meets nobody else.

use super::window::span_s;
use crate::engine::{CallStanding, ServiceStanding, Simulation, Standing};
use crate::ids::{ClassId, Id, ServiceId, SourceId};
use crate::load::visits_of;
use crate::model::Service;
use std::ops::Range;

/// What first attempts ask of each service.
pub(super) struct Asked {
    pub hz: Vec<f64>,
    /// Mean time of a request from outside that meets nobody else, in seconds.
    pub alone_s: f64,
    /// Mean demand of what it is asked, in seconds.
    pub demand_s: Vec<f64>,
    /// Whether every request from outside visits it.
    visits_of_all: Vec<bool>,
    /// Users who wait for answers and may ask it, and whether others do, too.
    pub users: Vec<u32>,
    pub open: Vec<bool>,
}

/// Users of one source.
struct Users<'s> {
    number: u32,
    /// Requests a second if they were answered at once, and how many they made.
    wanted_hz: f64,
    came: u64,
    /// Cumulated share by class.
    mix: &'s [f64],
}

impl Users<'_> {
    fn share(&self, class: usize) -> f64 {
        self.mix[class] - class.checked_sub(1).map_or(0.0, |before| self.mix[before])
    }
}

impl Asked {
    pub(super) fn of(simulation: &Simulation, standing: &Standing, window: &Range<usize>) -> Self {
        let recorder = simulation.recorder();
        let history = recorder.history();
        let services = standing.services.len();
        let span_s = span_s(history, window);
        let arrival = alone_s(standing).into_iter().zip(&standing.services);
        let alone_s: Vec<f64> = arrival
            .map(|(inside_s, service)| service.travel_s[0] + inside_s)
            .collect();
        let mut asked = Self {
            hz: vec![0.0; services],
            alone_s: 0.0,
            demand_s: vec![0.0; services],
            visits_of_all: vec![true; services],
            users: vec![0; services],
            open: vec![false; services],
        };
        // Where nobody comes any more, nobody waits for longer than the slowest takes.
        let entries = standing
            .sources
            .iter()
            .map(|s| alone_s[usize::from(s.to.0)]);
        let longest_s = entries.fold(0.0, f64::max);
        let mut all_hz = 0.0;
        let settings: Vec<&Service> = (0..services)
            .map(|position| simulation.settings_of(ServiceId::at(position)))
            .collect();
        // What caches do not have is seen: a share of the calls, whatever becomes of these.
        let passes =
            |service: usize, call: usize| simulation.passed(ServiceId::at(service), call, window);
        for (entry, alone_s) in alone_s.into_iter().enumerate() {
            // Users of a closed source would ask so often if they were answered at once.
            let sources = standing.sources.iter().enumerate();
            let here = sources.filter(|(_, s)| usize::from(s.to.0) == entry);
            let open = here.clone().any(|(_, s)| s.users.is_none());
            let users: Vec<Users> = here
                .filter_map(|(source, s)| {
                    let (number, think_s) = s.users?;
                    let round_s = think_s + alone_s;
                    (round_s > 0.0).then(|| Users {
                        number,
                        wanted_hz: f64::from(number) / round_s,
                        came: simulation.came(SourceId::at(source), window),
                        mix: &s.mix,
                    })
                })
                .collect();
            for (class, demands) in standing.classes.iter().enumerate() {
                let flow = (entry * standing.classes.len() + class) * 2;
                let arrived: u64 = (window.clone())
                    .map(|i| u64::from(history.flow(i, flow).arrived))
                    .sum();
                let wanted: f64 = users.iter().map(|u| u.wanted_hz * u.share(class)).sum();
                let came: f64 = users.iter().map(|u| u.came as f64 * u.share(class)).sum();
                // Who asks beside users asks whatever becomes of these.
                let (came, others) = if open {
                    (came, (arrived as f64 - came).max(0.0))
                } else {
                    (arrived as f64, 0.0)
                };
                let hz = others / span_s + wanted.max(came / span_s);
                if hz <= 0.0 {
                    continue;
                }
                let of_it = users.iter().filter(|u| u.share(class) > 0.0);
                let number = of_it.map(|u| u.number).sum::<u32>();
                all_hz += hz;
                asked.alone_s += hz * alone_s;
                let (entry, class) = (ServiceId::at(entry), ClassId::at(class));
                let visits = visits_of(&settings, entry, 1.0, class, &passes);
                for (service, &visits) in visits.iter().enumerate() {
                    if visits > 0.0 {
                        asked.users[service] = asked.users[service].max(number);
                        asked.open[service] |= open;
                    }
                    asked.hz[service] += hz * visits;
                    // Where nobody goes a demand without a mean is none.
                    if visits > 0.0 {
                        let demand_s = demands.demand_s(&standing.services[service]);
                        asked.demand_s[service] += hz * visits * demand_s;
                    }
                    asked.visits_of_all[service] &= visits >= 1.0;
                }
            }
        }
        if all_hz > 0.0 {
            asked.alone_s /= all_hz;
        } else {
            asked.alone_s = longest_s;
        }
        for service in 0..services {
            if asked.hz[service] > 0.0 {
                asked.demand_s[service] /= asked.hz[service];
            } else {
                asked.demand_s[service] = standing.services[service].demand_s;
            }
        }
        asked
    }
}

/// The share of a service's requests that its routes leave to its own servers.
pub(super) fn kept(simulation: &Simulation, service: ServiceId, window: &Range<usize>) -> f64 {
    let balancer = &simulation.settings_of(service).balancer;
    if balancer.routes.is_empty() {
        return 1.0;
    }
    let recorder = simulation.recorder();
    let (mut all, mut own) = (0.0, 0.0);
    for class in (0..recorder.layout.classes).map(ClassId::at) {
        for nested in [false, true] {
            let flow = usize::from(recorder.layout.flow(service, class, nested));
            for interval in window.clone() {
                let arrived = f64::from(recorder.history().flow(interval, flow).arrived);
                all += arrived;
                own += arrived * balancer.kept(class);
            }
        }
    }
    if all > 0.0 { own / all } else { 1.0 }
}

/// Mean time of a request at each service that meets nobody else, from its balancer on, in seconds.
pub(super) fn alone_s(standing: &Standing) -> Vec<f64> {
    let services = standing.services.len();
    let mut alone = vec![0.0; services];
    for _ in 0..=services {
        let next: Vec<f64> = standing
            .services
            .iter()
            .map(|service| {
                let fastest = (service.servers.iter())
                    .map(|s| s.speed * s.warmth)
                    .fold(0.0, f64::max);
                let own = if fastest > 0.0 {
                    service.demand_s / fastest
                } else {
                    service.demand_s
                };
                own + service.travel_s[1] + service.cost_s + called_s(service, &alone, |_| true)
            })
            .collect();
        if next == alone {
            break;
        }
        alone = next;
    }
    alone
}

/// Mean time that a worker waits for calls, in seconds.
pub(super) fn held_s(service: &ServiceStanding, alone_s: &[f64]) -> f64 {
    called_s(service, alone_s, |call| call.hold)
}

/// Mean time of those calls that `count`, one after the other but for those that go out together.
fn called_s(
    service: &ServiceStanding,
    alone_s: &[f64],
    count: impl Fn(&CallStanding) -> bool,
) -> f64 {
    let (mut sum, mut together) = (0.0, 0.0_f64);
    // How often one with a cache before it is made, and waited for, nobody knows.
    let sure = |call: &&CallStanding| count(call) && !call.cached;
    for call in service.calls.iter().filter(sure) {
        let takes = call.probability * (call.travel_s + alone_s[usize::from(call.to.0)]);
        if call.parallel {
            together = together.max(takes);
        } else {
            sum += together;
            together = takes;
        }
    }
    sum + together
}
