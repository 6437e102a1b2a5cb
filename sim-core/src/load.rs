//! The load a scenario asks for, before anything is simulated.

use crate::arrival::Arrivals;
use crate::ids::Id;
use crate::model::{
    Action, Change, ClassId, HostId, Model, ServerId, Service, ServiceId, Source, Target,
};
use crate::policy::Farm;
use crate::readable;
use crate::time::{Instant, SECOND};
use std::collections::BTreeMap;

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
/// services; without retries, errors, and what the time line changes. What the servers of other
/// services take of shared machines is no capacity. `None` for a service that has none, that is called
/// through caches only, or whose demand has no mean.
pub fn peaks(model: &Model) -> Vec<Option<Peak>> {
    let open: Vec<&Source> = open(model).collect();
    let asked: Vec<Vec<Asked>> = open.iter().map(|source| asked(model, source)).collect();
    let mut peaks: Vec<Option<Peak>> = vec![None; model.services.len()];
    // What an autoscaler can bring is counted as there.
    let stock = Stock::of(model, |id| {
        let server = &model.servers[id];
        let service = &model.services[server.service.position()];
        let position = id - service.servers[0].position();
        server.present || service.may_bring(position)
    });
    for at in corners(model, &[]) {
        let rates: Vec<f64> = open.iter().map(|source| source.rate.at(at)).collect();
        let sum = |of: fn(&Asked) -> f64| -> Vec<f64> {
            let services = 0..model.services.len();
            let of_service = |service: usize| {
                let asked = rates.iter().zip(&asked);
                asked.map(|(rate, asked)| rate * of(&asked[service])).sum()
            };
            services.map(of_service).collect()
        };
        let (hz, work) = (sum(|asked| asked.visits), sum(|asked| asked.work_s));
        let busy = stock.busy_cores(model, &work);
        for (service, peak) in peaks.iter_mut().enumerate() {
            let (hz, capacity) = (hz[service], stock.capacity(model, service, &busy));
            let offered_load = work[service] / capacity;
            if hz > 0.0
                && capacity > 0.0
                && offered_load.is_finite()
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

/// The highest offered load of any service; `None` where nobody knows it beforehand: nothing asks at a
/// rate, or a cache stands before some call.
pub fn busiest(model: &Model) -> Option<f64> {
    let mut calls = model.services.iter().flat_map(|service| &service.calls);
    if calls.any(|call| call.cache.is_some()) {
        return None;
    }
    let loads = peaks(model).into_iter().flatten();
    let loads = loads.map(|peak| peak.offered_load);
    loads.filter(|load| *load > 0.0).max_by(f64::total_cmp)
}

/// The highest rate of all open traffic together, in requests per second.
pub fn peak_rate_hz(model: &Model) -> f64 {
    let at = |at: Instant| open(model).map(|s| s.rate.at(at)).sum::<f64>();
    corners(model, &[]).into_iter().map(at).fold(0.0, f64::max)
}

/// Users of closed sources together, which no rate counts.
pub fn users(model: &Model) -> u64 {
    let of = |source: &Source| match source.arrivals.build() {
        Arrivals::Closed { users, .. } => u64::from(users),
        _ => 0,
    };
    model.sources.iter().map(of).sum()
}

/// The most that is offered to somebody, of what they can do then.
#[derive(Clone, Copy)]
struct Worst {
    load: f64,
    at: Instant,
}

/// Remarks on services that are offered more than they can do, and on servers that are though their
/// service is not: at the worst moment, with the settings and servers that the time line has brought by
/// then, and with the workers that breakdowns leave on average. Faults (crashes, slowness, cut links) are
/// what a run is for and no part of the forecast.
pub fn remarks(model: &Model) -> Vec<String> {
    let mut then = Then::at_start(model);
    let changes: Vec<Instant> = model.timeline.iter().map(|entry| entry.at).collect();
    let mut worst: Vec<Option<Worst>> = vec![None; model.services.len()];
    let mut worst_server: Vec<Option<Worst>> = vec![None; model.servers.len()];
    let mut entries = model.timeline.iter().peekable();
    for at in corners(model, &changes) {
        // Until that moment there was what there was before.
        let changes = entries.peek().is_some_and(|entry| entry.at <= at);
        let before = Instant(at.0.saturating_sub(u64::from(changes)));
        if !changes || at > Instant::ZERO {
            then.look(before, at, &mut worst, &mut worst_server);
        }
        let mut changed = false;
        while let Some(entry) = entries.next_if(|entry| entry.at <= at) {
            changed |= then.perform(&entry.action);
        }
        if changed {
            then.take_stock();
        }
        if changes {
            then.look(at, at, &mut worst, &mut worst_server);
        }
    }
    let mut found = Vec::new();
    for (service, peak) in model.services.iter().zip(worst) {
        let too_much = |worst: Option<Worst>| worst.filter(|worst| worst.load > 1.0);
        let words = |whom: &str, worst: Worst, can: &str, servers: &[ServerId]| {
            format!(
                "at {} the traffic offers {whom} {} of what {can} can do{}",
                readable::moment(worst.at, model.clock),
                readable::share(worst.load),
                beside(model, servers)
            )
        };
        if let Some(peak) = too_much(peak) {
            let whom = format!("`{}`", service.name);
            found.push(words(&whom, peak, "its servers", &service.servers));
            continue;
        }
        let servers = (service.servers.iter())
            .filter_map(|id| Some((id, too_much(worst_server[id.0 as usize])?)));
        if let Some((id, peak)) = servers.max_by(|a, b| a.1.load.total_cmp(&b.1.load)) {
            let name = &model.servers[id.0 as usize].name;
            found.push(words(
                &format!("the server `{name}` of `{}`", service.name),
                peak,
                "it",
                &[*id],
            ));
        }
    }
    found
}

/// With whom servers share machines, as the end of a sentence; empty where they have theirs alone.
fn beside(model: &Model, servers: &[ServerId]) -> String {
    let mut others = vec![0_usize; model.hosts.len()];
    for host in model.servers.iter().filter_map(|server| server.params.host) {
        others[host.position()] += 1;
    }
    let own = (servers.iter()).filter_map(|id| model.servers[id.position()].params.host);
    let mut hosts: Vec<HostId> = own.inspect(|host| others[host.position()] -= 1).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.retain(|host| others[host.position()] > 0);
    let names: Vec<String> = (hosts.iter().take(3))
        .map(|host| format!("`{}`", model.hosts[host.position()].name))
        .collect();
    match hosts.len() {
        0 => String::new(),
        1..=3 => format!(" beside what else runs on {}", names.join(", ")),
        _ => format!(" beside what else runs on {}, …", names.join(", ")),
    }
}

/// A system at a moment of its time line, before anything is simulated.
struct Then {
    model: Model,
    drained: Vec<bool>,
    /// Work for each service by a request of each open source, in seconds.
    work_s: Vec<(usize, Vec<f64>)>,
    stock: Stock,
}

/// What a system has to serve with.
#[derive(Default)]
struct Stock {
    /// Servers of each service that requests go to.
    there: Vec<Vec<usize>>,
    /// The share of its service's requests that each server gets, where that follows from the settings.
    parts: Vec<Option<f64>>,
    /// What each server could do if it shared its machine with nobody.
    can: Vec<f64>,
    /// Workers on each machine.
    workers: Vec<f64>,
}

/// Cores that are kept busy.
struct Busy {
    by_server: Vec<f64>,
    by_host: Vec<f64>,
}

impl Stock {
    fn of(model: &Model, there: impl Fn(usize) -> bool) -> Self {
        let mut stock = Self {
            parts: vec![None; model.servers.len()],
            can: (model.servers.iter())
                .map(|server| &server.params)
                .map(|it| it.speed * f64::from(it.workers) * it.availability())
                .collect(),
            workers: vec![0.0; model.hosts.len()],
            ..Self::default()
        };
        for service in &model.services {
            let policy = service.balancer.policy.def;
            let weight = |id: usize| model.servers[id].params.weight;
            let mut there: Vec<usize> = (service.servers.iter())
                .map(|id| id.0 as usize)
                .filter(|&id| there(id) && model.servers[id].params.priority == 0)
                .collect();
            // Whom nobody chooses does nothing, and takes no cores from others.
            if policy.heeds_weights && there.iter().any(|&id| weight(id) > 0.0) {
                there.retain(|&id| weight(id) > 0.0);
            }
            for params in there.iter().map(|&id| &model.servers[id].params) {
                if let Some(host) = params.host {
                    stock.workers[host.position()] += f64::from(params.workers);
                }
            }
            if policy.by_weight || matches!(policy.farm, Farm::Split | Farm::Turns) {
                let weight = |id: usize| if policy.by_weight { weight(id) } else { 1.0 };
                let all: f64 = there.iter().map(|&id| weight(id)).sum();
                for &id in there.iter().filter(|_| all > 0.0) {
                    stock.parts[id] = Some(weight(id) / all);
                }
            }
            stock.there.push(there);
        }
        stock
    }

    /// Cores that servers keep busy when each service is asked to do so much work per second. Where no settings say who gets
    /// how much, each gets as much as it can do.
    fn busy_cores(&self, model: &Model, work: &[f64]) -> Busy {
        let mut busy = Busy {
            by_server: vec![0.0; model.servers.len()],
            by_host: vec![0.0; model.hosts.len()],
        };
        if model.hosts.is_empty() {
            return busy;
        }
        for (service, there) in self.there.iter().enumerate() {
            let all: f64 = there.iter().map(|&id| self.can[id]).sum();
            for &id in there.iter().filter(|_| work[service] > 0.0) {
                let part = self.parts[id].unwrap_or(self.can[id] / all);
                let params = &model.servers[id].params;
                let asked = work[service] * part / params.speed;
                busy.by_server[id] = asked.min(f64::from(params.workers));
                if let Some(host) = params.host {
                    busy.by_host[host.position()] += busy.by_server[id];
                }
            }
        }
        busy
    }

    /// Work per second that some servers, known by their numbers, can do together beside all others.
    fn together(&self, model: &Model, servers: &[usize], busy: &Busy) -> f64 {
        let mut sum = 0.0;
        // By machine: workers, the work they could do if each had a core, and the cores they keep busy.
        let mut own: BTreeMap<HostId, (f64, f64, f64)> = BTreeMap::new();
        for &id in servers {
            let params = &model.servers[id].params;
            let Some(host) = params.host else {
                sum += self.can[id];
                continue;
            };
            let (workers, can, cores) = own.entry(host).or_default();
            *workers += f64::from(params.workers);
            *can += self.can[id];
            *cores += busy.by_server[id];
        }
        for (host, (workers, can, cores)) in own {
            let place = host.position();
            let others = (busy.by_host[place] - cores).max(0.0);
            let left = model.hosts[place].left(workers, self.workers[place], others);
            sum += can * left / workers;
        }
        sum
    }

    /// The same for all servers of a service.
    fn capacity(&self, model: &Model, service: usize, busy: &Busy) -> f64 {
        self.together(model, &self.there[service], busy)
    }
}

impl Then {
    fn at_start(model: &Model) -> Self {
        let mut then = Self {
            model: model.clone(),
            drained: vec![false; model.servers.len()],
            work_s: Vec::new(),
            stock: Stock::default(),
        };
        then.take_stock();
        then
    }

    /// What an action makes of the settings; whether that is anything.
    fn perform(&mut self, action: &Action) -> bool {
        match action {
            Action::Set { changes, .. } => changes.iter().for_each(|change| self.change(change)),
            Action::Deploy(plan) => {
                for (id, params) in plan.servers.iter().zip(&plan.release) {
                    self.model.servers[id.0 as usize].params = std::sync::Arc::clone(params);
                }
            }
            Action::Add(servers) => servers.iter().for_each(|id| {
                self.model.servers[id.0 as usize].present = true;
                self.drained[id.0 as usize] = false;
            }),
            Action::Drain(Target::Servers(servers)) | Action::Remove(Target::Servers(servers)) => {
                for id in servers {
                    self.drained[id.0 as usize] = true;
                }
            }
            Action::Undrain(Target::Servers(servers)) => {
                for id in servers {
                    self.drained[id.0 as usize] = false;
                }
            }
            _ => return false,
        }
        true
    }

    fn change(&mut self, change: &Change) {
        let model = &mut self.model;
        match change {
            Change::Server(id, params) => {
                model.servers[id.0 as usize].params = std::sync::Arc::clone(params);
            }
            Change::Balancer(id, balancer) => {
                model.services[usize::from(id.0)].balancer = (**balancer).clone();
            }
            Change::Service(id, service) => {
                let before = &mut model.services[usize::from(id.0)];
                before.demand = service.demand.clone();
                before.calls.clone_from(&service.calls);
                before.autoscaler.clone_from(&service.autoscaler);
            }
            Change::Source(id, source) => model.sources[usize::from(id.0)] = (**source).clone(),
            Change::Class(id, class) => model.classes[usize::from(id.0)] = (**class).clone(),
            Change::Host(id, host) => model.hosts[usize::from(id.0)] = (**host).clone(),
            Change::Client(..) => {}
        }
    }

    /// Works out capacities and parts for the settings as they are now.
    fn take_stock(&mut self) {
        let model = &self.model;
        let open = model.sources.iter().enumerate();
        let work_s = |source| asked(model, source).iter().map(|a| a.work_s).collect();
        self.work_s = open
            .filter(|(_, s)| s.arrivals.def.uses_rate)
            .map(|(i, source)| (i, work_s(source)))
            .collect();
        self.stock = Stock::of(model, |id| model.servers[id].present && !self.drained[id]);
    }

    /// Notes what is offered at a moment, told as another, where it is more than at any before.
    fn look(
        &self,
        when: Instant,
        at: Instant,
        worst: &mut [Option<Worst>],
        worst_server: &mut [Option<Worst>],
    ) {
        let note = |of: &mut Option<Worst>, work: f64, capacity: f64| {
            let load = work / capacity;
            if capacity > 0.0 && load.is_finite() && of.is_none_or(|worst| load > worst.load) {
                *of = Some(Worst { load, at });
            }
        };
        let rates: Vec<(f64, &Vec<f64>)> = (self.work_s.iter())
            .map(|(source, work_s)| (self.model.sources[*source].rate.at(when), work_s))
            .collect();
        let work: Vec<f64> = (0..self.model.services.len())
            .map(|service| rates.iter().map(|(hz, work_s)| hz * work_s[service]).sum())
            .collect();
        let (model, stock) = (&self.model, &self.stock);
        let busy = stock.busy_cores(model, &work);
        for (service, work) in work.into_iter().enumerate() {
            note(
                &mut worst[service],
                work,
                stock.capacity(model, service, &busy),
            );
            for &id in &stock.there[service] {
                if let Some(part) = stock.parts[id] {
                    let can = stock.together(model, &[id], &busy);
                    note(&mut worst_server[id], work * part, can);
                }
            }
        }
    }
}

/// What a request of a source asks of a service, on average.
#[derive(Clone, Copy, Default)]
struct Asked {
    /// Visits of its servers.
    visits: f64,
    /// Work for them, in seconds.
    work_s: f64,
}

/// What a request of the source asks of each service.
fn asked(model: &Model, source: &Source) -> Vec<Asked> {
    let mut asked = vec![Asked::default(); model.services.len()];
    for (class, visits) in visits_by_class(model, source) {
        let class = &model.classes[class.position()];
        let places = asked.iter_mut().zip(&model.services).zip(visits);
        // Where nobody goes a demand without a mean is none.
        for ((asked, service), visits) in places.filter(|(_, visits)| *visits > 0.0) {
            let demand_s = class.demand_at(service).build().mean_ns() / SECOND as f64;
            asked.visits += visits;
            asked.work_s += visits * class.demand_factor * demand_s;
        }
    }
    asked
}

/// Mean visits of the servers of each service by a request of the source, that come of each class.
pub(crate) fn visits_by_class(model: &Model, source: &Source) -> Vec<(ClassId, Vec<f64>)> {
    let shares = source.mix.iter().scan(0.0, |before, &upto| {
        Some(upto - std::mem::replace(before, upto))
    });
    let services: Vec<&Service> = model.services.iter().collect();
    let there = shares.enumerate().filter(|(_, share)| *share > 0.0);
    let of_class = |(class, share)| {
        let class = ClassId::at(class);
        // What a cache will not have is known to nobody beforehand.
        let passes = |service: usize, call: usize| {
            let cache = model.services[service].calls[call].cache;
            if cache.is_some() { 0.0 } else { 1.0 }
        };
        (
            class,
            visits_of(&services, source.to, share, class, &passes),
        )
    };
    there.map(of_class).collect()
}

/// Visits of the servers of each service that come of so many requests of a class at service `to`;
/// `passes` is the share of a service's calls, by their positions, that caches let through.
pub(crate) fn visits_of(
    services: &[&Service],
    to: ServiceId,
    requests: f64,
    class: ClassId,
    passes: &dyn Fn(usize, usize) -> f64,
) -> Vec<f64> {
    let mut visits = vec![0.0; services.len()];
    // Calls do not go round in circles, so that this settles within as many steps as services.
    for _ in 0..services.len() {
        let mut next = vec![0.0; visits.len()];
        next[usize::from(to.0)] = requests;
        for (from, service) in services.iter().enumerate() {
            let kept = visits[from] * service.balancer.kept(class);
            let calls = service.calls.iter().enumerate();
            for (position, call) in calls.filter(|(_, call)| call.concerns(class)) {
                let made = call.probability * passes(from, position);
                next[usize::from(call.to.0)] += kept * made;
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
    for (visits, service) in visits.iter_mut().zip(services) {
        *visits *= service.balancer.kept(class);
    }
    visits
}

fn open(model: &Model) -> impl Iterator<Item = &Source> {
    let sources = model.sources.iter();
    sources.filter(|source| source.arrivals.def.uses_rate)
}

/// Corners of a rate that are looked at, one after the other.
const CORNERS: usize = 20_000;

/// When a rate turns, or something changes, before the end: what is highest, is so at one of these
/// moments. Of a rate that repeats beyond all counting these are its first turns, and the one after each
/// change.
fn corners(model: &Model, changes: &[Instant]) -> Vec<Instant> {
    let within = |at: &Instant| at.0 < model.horizon.0;
    let mut moments: Vec<Instant> = changes.iter().copied().filter(within).collect();
    for source in open(model) {
        let from = |at: Instant, count: usize| {
            let corners = source.rate.corners_from(at).map(|corner| corner.at);
            corners.take(count).take_while(within)
        };
        moments.extend(from(Instant::ZERO, CORNERS));
        let seen = moments.last().copied().unwrap_or(Instant::ZERO);
        if from(seen, 2).count() == 2 {
            let later = changes.iter().filter(|change| **change > seen);
            let budget = CORNERS / source.rate.pieces();
            for &change in later.take(budget) {
                let turn = from(change, source.rate.pieces() + 1);
                moments.extend(turn.filter(|&at| at >= change));
            }
        }
    }
    moments.sort_unstable();
    moments.dedup();
    moments
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

    #[test]
    fn a_wave_is_forecast_after_any_number_of_periods() {
        let wave = r#"
            horizon = "1000000s"
            traffic = [{ to = "d", rate = { kind = "wave", mean = 10, amplitude = 0.5, period = "1s" } }]
            [service.d]
            demand = "100ms"
            server = [{ name = "d", workers = 2 }]
            "#;
        assert_eq!(remarks_on(wave), [""; 0]);
        let halved = format!(
            "{wave}\n[[timeline]]\nat = \"900000s\"\nset = {{ \"service.d.server.d.workers\" = 1 }}\n"
        );
        assert_eq!(
            remarks_on(&halved),
            ["at 10d10h the traffic offers `d` 150 % of what its servers can do"]
        );
    }

    fn remarks_on(text: &str) -> Vec<String> {
        remarks(&crate::scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}")))
    }

    #[test]
    fn a_forecast_knows_what_the_time_line_has_brought_by_then() {
        let grown = r#"
            horizon = "20m"
            traffic = [{ to = "d", rate = [["0s", 3], ["9m", 3], ["10m", 30]] }]
            [service.d]
            demand = "1s"
            server = [{ name = "d", workers = 4 }]
            [[timeline]]
            at = "9m"
            set = { "service.d.server.d.workers" = 40 }
            "#;
        assert_eq!(remarks_on(grown), [""; 0]);
        let late = grown.replace("at = \"9m\"", "at = \"11m\"");
        assert_eq!(
            remarks_on(&late),
            ["at 10m the traffic offers `d` 750 % of what its servers can do"]
        );
        let released = grown.replace("workers\" = 40", "workers\" = 60").replace(
            "[[timeline]]",
            "[[timeline]]\nat = \"15m\"\nset = { \"service.d.demand\" = \"3s\" }\n[[timeline]]",
        );
        assert_eq!(
            remarks_on(&released),
            ["at 15m the traffic offers `d` 150 % of what its servers can do"]
        );
        let drained = grown.replace(
            "[[timeline]]",
            "[[service.d.server]]\nname = \"e\"\nworkers = 4\n[[timeline]]\nat = \"1m\"\ndo = \"drain\"\ntarget = \"service.d.server.e\"\n[[timeline]]",
        );
        let drained = drained.replace(
            "server = [{ name = \"d\", workers = 4 }]",
            "[[service.d.server]]\nname = \"d\"\nworkers = 2",
        );
        assert_eq!(
            remarks_on(&drained),
            ["at 1m the traffic offers `d` 150 % of what its servers can do"]
        );
    }

    #[test]
    fn what_comes_at_the_same_moment_is_there_when_the_rate_rises() {
        let text = |entry: &str| {
            format!(
                "horizon = \"10m\"\ntraffic = [{{ to = \"web\", rate = [[\"0s\", 50], [\"5m\", 50], [\"5m\", 150]] }}]\n\
                 [service.web]\ndemand = \"10ms\"\nserver = [{{ name = \"a\", workers = 1 }}, {{ name = \"b\", workers = 1, present = false }}]\n{entry}"
            )
        };
        let add = |at: &str| {
            text(&format!(
                "[[timeline]]\nat = \"{at}\"\ndo = \"add\"\ntarget = \"service.web.server.b\"\n"
            ))
        };
        assert_eq!(remarks_on(&add("5m")), [""; 0]);
        let late = remarks_on(&add("5m1s"));
        assert!(
            late[0].contains("at 5m the traffic offers `web` 150 %"),
            "{late:?}"
        );
    }

    #[test]
    fn a_forecast_names_the_server_that_gets_too_much() {
        let weighed = r#"
            horizon = "1m"
            traffic = [{ to = "w", rate = 100 }]
            [service.w]
            demand = "10ms"
            balancer = { policy = "weighted-random" }
            server = [{ name = "a", workers = 1, weight = 3 }, { name = "b", workers = 1 }]
            "#;
        assert_eq!(
            remarks_on(&weighed.replace("rate = 100", "rate = 160")),
            ["at 0s the traffic offers the server `a` of `w` 120 % of what it can do"]
        );
        assert_eq!(remarks_on(weighed), [""; 0]);
        let slow = weighed.replace("weighted-random", "round-robin").replace(
            "name = \"b\", workers = 1",
            "name = \"b\", workers = 1, speed = 0.4",
        );
        assert_eq!(
            remarks_on(&slow),
            ["at 0s the traffic offers the server `b` of `w` 125 % of what it can do"]
        );
    }

    #[test]
    fn a_forecast_counts_the_workers_that_breakdowns_leave() {
        let broken = r#"
            horizon = "20m"
            traffic = [{ to = "w", rate = RATE }]
            [service.w]
            demand = "50ms"
            [[service.w.server]]
            name = "w"
            count = 4
            workers = 1
            breakdowns = { every = "30s", repair = "60s" }
            "#;
        // A third of four workers does 26.7 a second.
        assert_eq!(remarks_on(&broken.replace("RATE", "26")), [""; 0]);
        assert_eq!(
            remarks_on(&broken.replace("RATE", "40")),
            ["at 0s the traffic offers `w` 150 % of what its servers can do"]
        );
    }

    #[test]
    fn a_forecast_knows_who_shares_a_machine() {
        // Two workers on one core, and a neighbour whose rate is still to be written.
        let shared = r#"
            horizon = "1m"
            machine.box = { cores = 1 }
            traffic = [{ to = "web", rate = 60 }, { to = "batch", rate = RATE }]
            [service.web]
            demand = "10ms"
            server = [{ name = "w", workers = 2, machine = "box" }]
            [service.batch]
            demand = "100ms"
            server = [{ name = "b", workers = 2, machine = "box" }]
            "#;
        let with = |rate: &str| shared.replace("RATE", rate);
        // Each of the two fits on the core, and both do at 0.6 + 0.3.
        assert_eq!(remarks_on(&with("3")), [""; 0]);
        // 0.6 + 0.6: each asks six tenths of a core of the half that is its own when all are at work.
        assert_eq!(
            remarks_on(&with("6")),
            [
                "at 0s the traffic offers `web` 120 % of what its servers can do beside what else runs on `box`",
                "at 0s the traffic offers `batch` 120 % of what its servers can do beside what else runs on `box`"
            ]
        );
        // The neighbour leaves it seven tenths of the core, though it has as many workers.
        let model = crate::scenario::parse(&with("3")).unwrap_or_else(|p| panic!("{p}"));
        let web = peaks(&model)[0].unwrap_or_else(|| panic!("the first service has a peak"));
        assert!((web.offered_load - 0.6 / 0.7).abs() < 1e-9, "{web:?}");
        assert!((web.capacity_hz - 70.0).abs() < 1e-9, "{web:?}");
        // Alone on the machine it is its cores that count, not its workers.
        let alone = with("3").replace(
            "name = \"b\", workers = 2, machine = \"box\"",
            "name = \"b\", workers = 2",
        );
        let alone = alone.replace("rate = 60", "rate = 150");
        assert_eq!(
            remarks_on(&alone),
            ["at 0s the traffic offers `web` 150 % of what its servers can do"]
        );
        // More cores come by the time line.
        let grown =
            format!("{alone}\n[[timeline]]\nat = \"0s\"\nset = {{ \"machine.box.cores\" = 2 }}\n");
        let grown = grown.replace("rate = 150", "rate = [[\"0s\", 1], [\"1s\", 150]]");
        assert_eq!(remarks_on(&grown), [""; 0]);
    }
}
