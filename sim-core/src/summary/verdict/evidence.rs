//! Evidence: facts about the end of a run, with their numbers and times. Taken from the time line, the
//! event log and the present state; nothing is judged here.

use super::asked::{Asked, alone_s, held_s, kept};
use super::cores::Cores;
use super::disturbance::Told;
use crate::engine::{
    LinkSnapshot, MachineState, ServerStanding, ServiceStanding, Simulation, Standing,
};
use crate::event_log::Kind;
use crate::ids::{HostId, Id, ServerId, ServiceId};
use crate::metric::Scope;
use crate::model::{Model, Service};
use crate::outcome::Outcome;
use crate::record::history::{History, ServerTotal};
use std::collections::BTreeSet;
use std::ops::Range;

/// The end of a run is what is seen in so many seconds, as it is for the state of the site.
const WINDOW_S: f64 = 30.0;
/// With fewer arrivals than this the end is taken to be longer, up to a tenth of the run.
const ARRIVALS: u64 = 100;
/// Fewest intervals that say anything of a run in which nothing changed.
const INTERVALS: usize = 5;
/// Records of servers that are read at most, over all servers.
const RECORDS: usize = 1_000_000;
/// So many times what a request takes alone: nobody waits so long by chance.
const SILENCE: f64 = 20.0;
/// Requests that the end must have seen to be shorter than it would be; more where it is shorter than
/// [`INTERVALS`].
const FEW: u64 = 10;
const FEW_AT_ONCE: u64 = 20;

/// All facts.
pub(super) struct Evidence<'a> {
    pub model: &'a Model,
    /// The services as they are set now.
    pub settings: Vec<&'a Service>,
    pub told: Told<'a>,
    /// When anything changed last: what the system is made of, or how many come.
    pub changed_s: Option<f64>,
    /// Whether the event log has all there was to tell.
    pub told_all: bool,
    /// The moment that is judged, in seconds.
    pub now_s: f64,
    /// Length of the end that is looked at, in seconds.
    pub window_s: f64,
    /// Requests from outside in that time: arrived, ended and how.
    pub arrived: u64,
    pub ended: u64,
    pub outcomes: [u64; Outcome::COUNT],
    /// Arrivals per second in its busiest second.
    pub peak_hz: f64,
    /// How those ended that came last, where none comes any more: from half a minute before the last of them on.
    pub last_outcomes: [u64; Outcome::COUNT],
    /// Those answered in time as a share of those that ended, in each third of it.
    pub thirds: [Option<f64>; 3],
    /// In flight at its start, in the middle and at its end.
    pub in_flight: [u64; 3],
    /// Requests that have come since the start of the run, and the moment until which any did.
    pub arrived_ever: u64,
    pub last_arrival_s: Option<f64>,
    /// Normal, degraded or down; and since when.
    pub site: Kind,
    pub site_since_s: Option<f64>,
    /// When the present incident began; absent when the site is normal.
    pub incident_s: Option<f64>,
    /// An objective that the end misses: its name, what was good and what is wanted.
    pub missed: Option<(String, f64, f64)>,
    /// The highest rate of arrivals seen and when, as (from, until) above both the present capacity and
    /// the present rate; absent when there was none.
    pub surge: Option<Surge>,
    pub services: Vec<ServiceFacts<'a>>,
    /// Users of closed sources, if any; and whether requests come from others as well.
    pub users: u32,
    pub has_open_sources: bool,
    /// Links that are cut or worse than they should be.
    pub links: Vec<LinkSnapshot>,
    /// Balancer instances with the services that they stand before.
    pub instances: Vec<(String, ServiceId)>,
    /// How long nobody was answered although somebody waited, in seconds; zero when anybody was.
    pub silence_s: f64,
    /// What a request from outside takes that meets nobody else, in seconds; may be infinite.
    pub alone_s: f64,
    /// Guards with what they have turned away so far.
    pub guards: Vec<(String, &'static str, u64)>,
    /// Balancer breakers that are open: their owners and since when.
    pub open_breakers: Vec<(String, f64)>,
}

/// A time of more arrivals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surge {
    pub peak_hz: f64,
    pub from_s: f64,
    pub until_s: f64,
}

impl Surge {
    /// The same without what is no part of it at its ends: intervals that have no more than half of what it
    /// adds to `usual_hz`.
    fn within(self, arrived: &[u64], width_s: f64, usual_hz: f64) -> Self {
        if !usual_hz.is_finite() {
            return self;
        }
        let at = |s: f64| ((s / width_s).round() as usize).min(arrived.len());
        let range = at(self.from_s)..at(self.until_s);
        let high = |&n: &u64| n as f64 / width_s > f64::midpoint(self.peak_hz, usual_hz);
        let of_it = &arrived[range.clone()];
        let ends = (of_it.iter().position(high), of_it.iter().rposition(high));
        let (Some(first), Some(last)) = ends else {
            return self;
        };
        let came: u64 = of_it[first..=last].iter().sum();
        let (from, until) = (range.start + first, range.start + last + 1);
        Self {
            peak_hz: self
                .peak_hz
                .max(came as f64 / ((until - from) as f64 * width_s)),
            from_s: from as f64 * width_s,
            until_s: until as f64 * width_s,
        }
    }
}

/// What limits a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    Workers,
    /// Those of machines that its servers share, perhaps with others.
    Cores,
    ServerConnections,
    /// What breakdowns leave of the workers on average, whatever is broken at the moment.
    Breakdowns,
    BalancerConnections,
    BalancerCost,
}

/// Facts about a service.
pub(super) struct ServiceFacts<'a> {
    pub id: ServiceId,
    pub name: String,
    /// Without its servers, which are below.
    pub standing: ServiceStanding,
    /// Requests per second that first attempts from outside bring to it.
    pub asked_hz: f64,
    /// Requests per second that it could answer well now, or on average where breakdowns leave it too little;
    /// and if all of it were up, in rotation, at its own speed and warm.
    pub capacity_hz: f64,
    pub whole_hz: f64,
    /// The same as now, but with all that is warming up warm.
    pub warm_hz: f64,
    pub limit: Limit,
    /// The machines that its servers share, and the services that it shares them with.
    pub machines: (Vec<String>, Vec<String>),
    /// Attempts at its balancer, and per second those that its routes leave to its own servers.
    pub attempted: u64,
    pub attempts_hz: f64,
    /// How requests to it ended.
    pub outcomes: [u64; Outcome::COUNT],
    /// Share of the time of a request at a server in which its worker waits for other services.
    pub held: f64,
    /// Busy share of the workers that could serve.
    pub busy: f64,
    /// Waiting at its servers at the start and at the end, and in its balancers at the end.
    pub queue_len: [u64; 2],
    pub waiting: u64,
    pub servers: Vec<ServerFacts<'a>>,
    /// Since when no instance of its balancer is up.
    pub balancer_down_s: Option<f64>,
    /// Whether requests come to it from outside.
    pub entry: bool,
}

/// Facts about a server.
pub(super) struct ServerFacts<'a> {
    pub name: &'a str,
    pub standing: ServerStanding,
    /// Requests per second that it could answer well now.
    pub capacity_hz: f64,
    /// In the time looked at: attempts, those answered and failed, and the busy share of its workers.
    pub attempts: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub busy: f64,
    /// Waiting at it at the end, and with those in service.
    pub queue_len: u64,
    pub in_system: u64,
    /// Since when it is what it is: down, drained, removed, taken out.
    pub since_s: Option<f64>,
}

impl ServerFacts<'_> {
    /// Whether it is there, up and sent to.
    pub(super) fn serves(&self) -> bool {
        self.standing.state == MachineState::Up && self.standing.open_at > 0
    }
}

impl<'a> ServiceFacts<'a> {
    /// First attempts as a share of what it can do now; more than one when nothing can be done.
    pub(super) fn load(&self) -> f64 {
        load(self.asked_hz, self.capacity_hz)
    }

    /// All attempts as a share of what it can do now.
    pub(super) fn attempts_load(&self) -> f64 {
        load(self.attempts_hz, self.capacity_hz)
    }

    /// Whether anybody asks it.
    pub(super) fn is_asked(&self) -> bool {
        self.asked_hz > 0.0
    }

    /// Servers that serve.
    pub(super) fn serving(&self) -> impl Iterator<Item = &ServerFacts<'a>> {
        self.servers
            .iter()
            .filter(|s| s.serves() && !s.standing.standby)
    }
}

/// How far a number of waiting requests may go up or down by chance while so many come and go.
pub(super) fn beyond_chance(events: u64) -> f64 {
    (4.0 * (events as f64).sqrt()).max(10.0)
}

/// The outcome of most failures, and how many.
pub(super) fn worst(outcomes: &[u64; Outcome::COUNT]) -> Option<(Outcome, u64)> {
    let failures = Outcome::ALL.into_iter().skip(1);
    let counted = failures.map(|outcome| (outcome, outcomes[outcome as usize]));
    counted.filter(|(_, n)| *n > 0).max_by_key(|(_, n)| *n)
}

fn load(hz: f64, capacity_hz: f64) -> f64 {
    match (hz > 0.0, capacity_hz > 0.0) {
        (false, _) => 0.0,
        (true, false) => f64::INFINITY,
        (true, true) => hz / capacity_hz,
    }
}

impl<'a> Evidence<'a> {
    /// The facts at this moment; `None` where too little was recorded to say anything.
    pub(super) fn of(simulation: &'a Simulation) -> Option<Self> {
        let recorder = simulation.recorder();
        let history = recorder.history();
        if history.len() < 2 * INTERVALS {
            return None;
        }
        let model = simulation.model();
        let mut standing = simulation.standing();
        let told = Told::of(simulation, &standing);
        let now_s = simulation.now().as_secs_f64();
        let corners_s = standing.sources.iter().map(|s| s.corner_ns as f64 / 1e9);
        let changes_s = || corners_s.clone().chain(told.changes_s.iter().copied());
        let window = window(history, changes_s());
        let changed_s = changes_s().max_by(f64::total_cmp);
        let window_s = span_s(history, &window);
        let total = history.total(Scope::Site, window.clone());
        let seen = total.window();
        let middle = window.start + window.len() / 2;
        let third = |n: usize| window.start + n * window.len() / 3;
        let goodput = |part: Range<usize>| {
            let total = history.total(Scope::Site, part);
            let seen = total.window();
            (seen.ended() > 0)
                .then(|| seen.outcomes[Outcome::Succeeded as usize] as f64 / seen.ended() as f64)
        };
        let in_flight = |interval: usize| {
            let flows = (0..recorder.layout.flows()).step_by(2);
            flows
                .map(|f| u64::from(history.flow(interval, f).in_flight))
                .sum()
        };
        let mut evidence = Self {
            settings: (standing.services.iter().enumerate())
                .map(|(position, _)| simulation.settings_of(ServiceId::at(position)))
                .collect(),
            changed_s,
            told_all: recorder.event_log_dropped() == 0,
            now_s,
            window_s,
            arrived: seen.arrived,
            ended: seen.ended(),
            outcomes: seen.outcomes,
            peak_hz: 0.0,
            last_outcomes: seen.outcomes,
            thirds: [
                goodput(window.start..third(1)),
                goodput(third(1)..third(2)),
                goodput(third(2)..window.end),
            ],
            in_flight: {
                let before = window.start.checked_sub(1).map_or(0, in_flight);
                let after = in_flight(window.end - 1);
                // One or two intervals have no middle of their own.
                let between = match window.len() {
                    0..=2 => u64::midpoint(before, after),
                    _ => in_flight(middle),
                };
                [before, between, after]
            },
            arrived_ever: outside(recorder).map(|f| recorder.flow(f).arrived).sum(),
            last_arrival_s: None,
            site: Kind::Normal,
            site_since_s: None,
            incident_s: None,
            missed: missed(simulation, &window),
            surge: None,
            services: Vec::new(),
            users: standing
                .sources
                .iter()
                .filter_map(|s| s.users)
                .map(|(n, _)| n)
                .sum(),
            has_open_sources: standing.sources.iter().any(|s| s.users.is_none()),
            links: simulation.links_snapshot(),
            instances: (simulation.instances_snapshot().into_iter())
                .map(|i| (i.name, ServiceId(i.service)))
                .collect(),
            silence_s: 0.0,
            alone_s: 0.0,
            guards: (simulation.guard_figures().into_iter())
                .filter(|guard| guard.refused > 0)
                .map(|guard| (guard.at, guard.kind, guard.refused))
                .collect(),
            open_breakers: Vec::new(),
            told,
            model,
        };
        evidence.read_site(simulation);
        evidence.read_services(simulation, &mut standing, &window);
        evidence.silence_s = evidence.silence(history, &window);
        evidence.read_arrivals(history, &window);
        Some(evidence)
    }

    /// Requests per second from outside.
    pub(super) fn offered_hz(&self) -> f64 {
        self.arrived as f64 / self.window_s
    }

    /// Answered in time.
    pub(super) fn succeeded(&self) -> u64 {
        self.outcomes[Outcome::Succeeded as usize]
    }

    /// Answered in time as a share of what came, or of what ended if that is more: 0 where all wait.
    pub(super) fn answered(&self) -> f64 {
        self.succeeded() as f64 / self.arrived.max(self.ended).max(1) as f64
    }

    /// Answered in time as a share of what ended, or where ever more wait of what came.
    pub(super) fn goodput(&self) -> f64 {
        if self.ended == 0 || self.grows() {
            self.answered()
        } else {
            1.0 - self.failed()
        }
    }

    /// Failed as a share of what ended.
    pub(super) fn failed(&self) -> f64 {
        (self.ended - self.succeeded()) as f64 / self.ended.max(1) as f64
    }

    /// Whether more and more are in flight: more than chance and a twentieth of what came.
    pub(super) fn grows(&self) -> bool {
        let [start, middle, end] = self.in_flight;
        let chance = 4.0 * (end as f64).sqrt();
        let least = (self.arrived as f64 / 20.0).max(chance).max(10.0);
        end > middle && middle > start && (end - start) as f64 > least
    }

    /// Whether somebody waits, and nobody was answered for far longer than an answer takes.
    pub(super) fn is_stuck(&self) -> bool {
        self.silence_s > (SILENCE * self.alone_s).max(1.0)
    }

    /// How long nobody was answered although somebody waited.
    fn silence(&self, history: &History, window: &Range<usize>) -> f64 {
        if self.ended > 0 || self.in_flight[2] == 0 {
            return 0.0;
        }
        if self.in_flight[0] > 0 {
            return self.window_s;
        }
        let came = |&i: &usize| history.flows().any(|f| history.flow(i, f).arrived > 0);
        let first = window.clone().find(came);
        first.map_or(0.0, |i| self.now_s - history.end_ns(i) as f64 / 1e9)
    }

    /// Whether fewer and fewer are in flight: more than chance makes of so many arrivals.
    pub(super) fn shrinks(&self) -> bool {
        let [start, middle, end] = self.in_flight;
        let least = beyond_chance(self.arrived.max(start / 10));
        start > middle && middle > end && (start - end) as f64 > least
    }

    /// A server with its service.
    pub(super) fn server(&self, id: ServerId) -> Option<(&ServiceFacts<'a>, &ServerFacts<'a>)> {
        let service = self.model.servers[id.position()].service;
        let service = &self.services[service.position()];
        // A service's servers are numbered in its order.
        let found = service
            .servers
            .binary_search_by_key(&id, |s| s.standing.id)
            .ok()?;
        Some((service, &service.servers[found]))
    }

    /// The service that has least room for what is asked of it.
    pub(super) fn tightest(&self) -> Option<&ServiceFacts<'a>> {
        let asked = self.services.iter().filter(|s| s.is_asked());
        asked.max_by(|a, b| a.load().total_cmp(&b.load()))
    }

    fn read_site(&mut self, simulation: &Simulation) {
        for event in simulation.recorder().event_log() {
            let at_s = event.at.as_secs_f64();
            if event.kind.site_state().is_some() {
                if self.site == Kind::Normal {
                    self.incident_s = Some(at_s);
                }
                (self.site, self.site_since_s) = (event.kind, Some(at_s));
            } else if event.kind == Kind::Opened {
                // One that tries and opens again has not been closed in between.
                if self
                    .open_breakers
                    .iter()
                    .all(|(name, _)| *name != event.subject)
                {
                    self.open_breakers.push((event.subject.clone(), at_s));
                }
            } else if event.kind.ends(Kind::Opened) {
                self.open_breakers
                    .retain(|(name, _)| *name != event.subject);
            }
        }
        if self.site == Kind::Normal {
            self.incident_s = None;
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "each fact of a service is named once"
    )]
    fn read_services(
        &mut self,
        simulation: &Simulation,
        standing: &mut Standing,
        window: &Range<usize>,
    ) {
        let history = simulation.recorder().history();
        let asked = Asked::of(simulation, standing, window);
        self.alone_s = asked.alone_s;
        let alone_s = alone_s(standing);
        let work: Vec<f64> = (0..standing.services.len())
            .map(|i| asked.hz[i] * asked.demand_s[i])
            .collect();
        let up = |s: &ServerStanding| s.state == MachineState::Up;
        // Of very many servers the latest records must do.
        let most = (RECORDS / self.model.servers.len().max(1)).max(1) * history.server_stride();
        let first = window.start.max(window.end.saturating_sub(most));
        let latest = first..window.end;
        let totals = history.server_totals(latest.clone());
        let attempts: Vec<u64> = (0..standing.services.len())
            .map(|position| {
                let total = history.total(Scope::Service(ServiceId::at(position)), latest.clone());
                total.window().attempts
            })
            .collect();
        // Whoever gets no requests takes no cores from anybody.
        let at_work =
            |s: &ServerStanding| up(s) && !s.drained && totals[s.id.position()].attempts > 0;
        let there = |s: &ServerStanding| s.state != MachineState::Absent;
        let cores = Cores::of(
            &standing.services,
            &standing.hosts,
            &work,
            &attempts,
            &totals,
            at_work,
        );
        let cores_of_all = Cores::of(
            &standing.services,
            &standing.hosts,
            &work,
            &attempts,
            &totals,
            there,
        );
        let instances_now = simulation.instances_snapshot();
        let entries: Vec<ServiceId> = standing.sources.iter().map(|s| s.to).collect();
        let machines: Vec<_> = (0..standing.services.len())
            .map(|position| self.machines(ServiceId::at(position), standing))
            .collect();
        let services = std::mem::take(&mut standing.services).into_iter();
        for ((position, mut service), machines) in services.enumerate().zip(machines) {
            let id = ServiceId::at(position);
            let standing = std::mem::take(&mut service.servers);
            let total = history.total(Scope::Service(id), window.clone());
            let seen = total.window();
            let own_s = asked.demand_s[position];
            let hold_s = held_s(&service, &alone_s);
            // Whoever asks it only if it can goes on after an error as after an answer.
            let needed = self.asks_of(id, true);
            let needed = entries.iter().any(|entry| needed[entry.position()] > 0.0);
            let capacity = |server: &ServerStanding, rate: f64, allowed: f64| {
                let errors = if needed { server.error_rate } else { 0.0 };
                if server.workers == 0 || rate <= 0.0 || errors >= 1.0 {
                    return 0.0;
                }
                // A demand without a mean says nothing of what can be done.
                if !own_s.is_finite() {
                    return f64::INFINITY;
                }
                let most = 1.0 / (own_s / rate + hold_s / f64::from(server.workers));
                let fastest = own_s / (server.speed * server.warmth) + hold_s + service.travel_s[1];
                let connections = server.max_connections.map_or(f64::INFINITY, |limit| {
                    f64::from(limit) * f64::from(server.open_at.max(1)) / fastest
                });
                // A worker that waits for a call leaves its core to others.
                let cores = allowed / own_s;
                most.min(cores).min(connections) * (1.0 - errors)
            };
            let now = |s: &ServerStanding| {
                capacity(s, s.best_rate, s.speed * s.warmth * cores.left(id, s))
            };
            let servers: Vec<ServerFacts> = (standing.into_iter())
                .map(|s| self.facts_of(s, now(&s), &totals[s.id.position()]))
                .collect();
            let serving = || servers.iter().filter(|s| s.serves() && !s.standing.standby);
            let workers_hz: f64 = serving().map(|s| s.capacity_hz).sum();
            let unlimited: f64 = serving()
                .map(|s| {
                    if s.standing.max_connections.is_none() {
                        return s.capacity_hz;
                    }
                    let free = ServerStanding {
                        max_connections: None,
                        ..s.standing
                    };
                    now(&free)
                })
                .sum();
            let uncrowded: f64 = serving()
                .map(|s| capacity(&s.standing, s.standing.best_rate, f64::INFINITY))
                .sum();
            // Of workers that break and come back, how many there are at this moment is chance.
            let breaks = serving().any(|s| s.standing.availability < 1.0);
            let on_average_hz = breaks.then(|| {
                let servers = serving().map(|s| {
                    let unbroken = ServerStanding {
                        workers: s.standing.workers + s.standing.broken,
                        best_rate: s.standing.unbroken_rate,
                        ..s.standing
                    };
                    let free = ServerStanding {
                        max_connections: None,
                        ..unbroken
                    };
                    (now(&free) * s.standing.availability).min(now(&unbroken))
                });
                servers.sum::<f64>()
            });
            let up = f64::from(service.instances_up);
            let held = service.max_connections.map_or(f64::INFINITY, |limit| {
                up * f64::from(limit) / (alone_s[position] - service.travel_s[0]).max(1e-9)
            });
            let cost = if service.cost_s > 0.0 {
                up / service.cost_s
            } else {
                f64::INFINITY
            };
            let limits = [
                (Limit::BalancerConnections, held),
                (Limit::BalancerCost, cost),
            ];
            let too_few = on_average_hz.filter(|&hz| hz < asked.hz[position]);
            let (workers_limit, workers_hz) = if let Some(on_average_hz) = too_few {
                (Limit::Breakdowns, on_average_hz)
            } else if workers_hz < 0.999 * unlimited {
                (Limit::ServerConnections, workers_hz)
            } else if workers_hz < 0.999 * uncrowded {
                (Limit::Cores, workers_hz)
            } else {
                (Limit::Workers, workers_hz)
            };
            let (limit, capacity_hz) = limits.into_iter().fold(
                (workers_limit, if up > 0.0 { workers_hz } else { 0.0 }),
                |least, next| if next.1 < least.1 { next } else { least },
            );
            let warm_hz: f64 = serving()
                .map(|s| {
                    let warm = s.standing.best_rate / s.standing.warmth;
                    let allowed = s.standing.speed * cores.left(id, &s.standing);
                    capacity(&s.standing, warm, allowed)
                })
                .sum();
            let whole_hz: f64 = (servers.iter())
                .filter(|s| s.standing.state != MachineState::Absent || s.since_s.is_some())
                .map(|s| {
                    let whole = ServerStanding {
                        warmth: 1.0,
                        error_rate: 0.0,
                        max_connections: None,
                        ..s.standing
                    };
                    let slowed = s.standing.slowed_to * s.standing.warmth;
                    let speed = s.standing.speed / s.standing.slowed_to.max(1e-12);
                    let allowed = speed * cores_of_all.left(id, &s.standing);
                    let rate = s.standing.best_rate / slowed.max(1e-12);
                    capacity(&whole, rate, allowed)
                })
                .sum();
            let busy: Vec<f64> = serving()
                .map(|s| s.busy * f64::from(s.standing.workers))
                .collect();
            let workers: f64 = serving().map(|s| f64::from(s.standing.workers)).sum();
            let instances = instances_now
                .iter()
                .filter(|i| usize::from(i.service) == position);
            let balancer_down_s = (service.instances_up == 0).then(|| {
                let down = instances
                    .clone()
                    .filter_map(|i| self.told.down_since(&i.name));
                down.fold(0.0, f64::max)
            });
            self.services.push(ServiceFacts {
                id,
                name: self.model.services[position].name.clone(),
                asked_hz: asked.hz[position],
                capacity_hz,
                whole_hz,
                warm_hz,
                limit,
                machines,
                attempts_hz: seen.attempts as f64 / self.window_s * kept(simulation, id, window),
                attempted: seen.attempts,
                outcomes: seen.outcomes,
                held: if hold_s > 0.0 && hold_s.is_finite() && own_s.is_finite() {
                    hold_s / (hold_s + own_s)
                } else {
                    0.0
                },
                busy: if workers > 0.0 {
                    busy.iter().sum::<f64>() / workers
                } else {
                    0.0
                },
                queue_len: [window.start.saturating_sub(1), window.end - 1]
                    .map(|i| u64::from(history.service(i, position).queue_len)),
                waiting: instances.map(|i| u64::from(i.waiting)).sum(),
                servers,
                balancer_down_s,
                entry: entries.contains(&id),
                standing: service,
            });
        }
    }

    /// The machines that a service's servers share, and the services that it shares them with.
    fn machines(&self, service: ServiceId, standing: &Standing) -> (Vec<String>, Vec<String>) {
        let on = |id: &ServiceId| -> BTreeSet<HostId> {
            let servers = standing.services[id.position()].servers.iter();
            servers.filter_map(|s| s.host).collect()
        };
        let own = on(&service);
        if own.is_empty() {
            return Default::default();
        }
        let others = (0..standing.services.len()).map(ServiceId::at);
        let others = others.filter(|id| *id != service && !on(id).is_disjoint(&own));
        let name = |id: ServiceId| self.model.services[id.position()].name.clone();
        let machines = (own.iter()).map(|host| standing.hosts[host.position()].name.clone());
        (machines.collect(), others.map(name).collect())
    }

    fn facts_of(
        &self,
        standing: ServerStanding,
        capacity_hz: f64,
        seen: &ServerTotal,
    ) -> ServerFacts<'a> {
        let since = |kinds: &[Kind]| {
            let of = kinds
                .iter()
                .filter_map(|kind| self.told.since_of(*kind, standing.id));
            of.max_by(f64::total_cmp)
        };
        let since_s = match standing.state {
            MachineState::Down | MachineState::Booting => Some(standing.since_ns as f64 / 1e9),
            MachineState::Absent => since(&[Kind::Removed]),
            MachineState::Up if standing.drained => since(&[Kind::Drain, Kind::Removed]),
            MachineState::Up if standing.open_at == 0 => since(&[Kind::Ejected]),
            MachineState::Up if standing.slowed_to < 1.0 => since(&[Kind::Slow]),
            MachineState::Up => None,
        };
        ServerFacts {
            name: &self.model.servers[standing.id.position()].name,
            standing,
            capacity_hz,
            attempts: seen.attempts,
            succeeded: seen.succeeded,
            failed: seen.failed,
            queue_len: seen.queue_len.into(),
            in_system: seen.in_system.into(),
            busy: if seen.workers > 0.0 {
                (seen.busy / seen.workers).min(1.0)
            } else {
                0.0
            },
            since_s,
        }
    }

    /// How arrivals went over the run: until when any came, and when more came than now.
    fn read_arrivals(&mut self, history: &History, window: &Range<usize>) {
        let width_s = history.interval_ns() as f64 / 1e9;
        let flows = history.flows();
        let came = |i: usize| -> u64 {
            let flows = flows.clone();
            flows.map(|f| u64::from(history.flow(i, f).arrived)).sum()
        };
        let arrived: Vec<u64> = (0..window.start).map(came).collect();
        let second = (1.0 / width_s).ceil().max(1.0) as usize;
        let latest: Vec<u64> = window.clone().map(came).collect();
        let peak = latest
            .chunks(second)
            .map(|n| n.iter().sum::<u64>() as f64 / (second as f64 * width_s));
        self.peak_hz = peak.fold(0.0, f64::max);
        let later = latest.iter().rposition(|&n| n > 0);
        let later = later.map(|i| window.start + i);
        let last = later.or_else(|| arrived.iter().rposition(|&n| n > 0));
        self.last_arrival_s = last.map(|i| history.end_ns(i) as f64 / 1e9);
        if let Some(last) = last.filter(|_| self.arrived == 0) {
            let from = last.saturating_sub((WINDOW_S / width_s) as usize);
            let total = history.total(Scope::Site, from..window.end);
            self.last_outcomes = total.window().outcomes;
        }
        // A bin of ten seconds, or what has enough requests in it.
        let mean = self.arrived_ever as f64 / history.len() as f64;
        let bin = (10.0 / width_s)
            .max(ARRIVALS as f64 / mean.max(1e-9))
            .ceil()
            .max(1.0) as usize;
        let now_hz = self.offered_hz();
        let Some(tightest) = self.tightest() else {
            return;
        };
        let room_hz = if tightest.load() > 0.0 && tightest.load().is_finite() {
            now_hz / tightest.load()
        } else {
            f64::INFINITY
        };
        let high = |hz: f64| hz > 1.2 * now_hz && hz > room_hz;
        let mut surge: Option<Surge> = None;
        for (i, bin_of) in arrived.chunks(bin).enumerate() {
            let hz = bin_of.iter().sum::<u64>() as f64 / (bin_of.len() as f64 * width_s);
            if high(hz) {
                let (from_s, until_s) = (
                    (i * bin) as f64 * width_s,
                    (i * bin + bin_of.len()) as f64 * width_s,
                );
                let before = surge.unwrap_or(Surge {
                    peak_hz: 0.0,
                    from_s,
                    until_s,
                });
                surge = Some(Surge {
                    peak_hz: before.peak_hz.max(hz),
                    from_s: before.from_s,
                    until_s,
                });
            }
        }
        self.surge = surge.map(|surge| surge.within(&arrived, width_s, now_hz.max(room_hz)));
    }
}

/// The rows of requests from outside.
fn outside(recorder: &crate::record::Recorder) -> impl Iterator<Item = u16> + use<> {
    (0..recorder.layout.flows() as u16).step_by(2)
}

/// The intervals that are the end of the run: half a minute, more where little comes, less where
/// something changed meanwhile.
fn window(history: &History, changed_s: impl Iterator<Item = f64>) -> Range<usize> {
    let len = history.len();
    let width_s = history.interval_ns() as f64 / 1e9;
    // A corner that is a nanosecond after another is where that is.
    let count = |s: f64| (s / width_s - 1e-6).ceil() as usize;
    let longest = count(WINDOW_S).max(len / 10).max(INTERVALS).min(len);
    let mut start = len - count(WINDOW_S).max(INTERVALS).min(longest);
    let arrived = |i: usize| {
        history
            .flows()
            .map(|f| u64::from(history.flow(i, f).arrived))
            .sum::<u64>()
    };
    let mut seen: u64 = (start..len).map(arrived).sum();
    while seen < ARRIVALS && start > len - longest {
        start -= 1;
        seen += arrived(start);
    }
    // The latest change after which enough was seen. Where many came just before it, that none comes any
    // more was seen, too.
    let seen_since = |changed: &usize| {
        let whole = len.saturating_sub(*changed);
        let enough = match whole {
            0 => return false,
            INTERVALS.. => FEW,
            _ => FEW_AT_ONCE,
        };
        let after: u64 = (*changed..len).map(arrived).sum();
        let before = || -> u64 { (changed.saturating_sub(whole)..*changed).map(arrived).sum() };
        after >= enough || before() >= enough
    };
    let changed = changed_s.map(count).filter(|&changed| changed > start);
    changed.filter(seen_since).max().unwrap_or(start)..len
}

pub(super) fn span_s(history: &History, window: &Range<usize>) -> f64 {
    window.clone().map(|i| history.width_ns(i)).sum::<u64>() as f64 / 1e9
}

/// The first objective that was missed in the time looked at.
fn missed(simulation: &Simulation, window: &Range<usize>) -> Option<(String, f64, f64)> {
    let history = simulation.recorder().history();
    simulation
        .model()
        .slos
        .iter()
        .enumerate()
        .find_map(|(i, slo)| {
            let counted = window.clone().map(|at| history.slo(at, i));
            let (good, total) = counted.fold((0, 0), |(good, total), next| {
                (good + u64::from(next.good), total + u64::from(next.total))
            });
            let share = good as f64 / total.max(1) as f64;
            (total > 0 && share < slo.objective).then(|| (slo.name.clone(), share, slo.objective))
        })
}
