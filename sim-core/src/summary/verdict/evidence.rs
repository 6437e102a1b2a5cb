//! Evidence: facts about the end of a run, with their numbers and times. Taken from the time line, the
//! event log and the present state; nothing is judged here.

use super::arrivals::Streams;
use super::disturbance::Told;
use super::window::{INTERVALS, span_s, window};
use crate::engine::{
    GuardFigures, LinkSnapshot, MachineState, ServerStanding, ServiceStanding, Simulation,
};
use crate::event_log::Kind;
use crate::ids::{HostId, Id, ServerId, ServiceId};
use crate::metric::Scope;
use crate::model::{Model, Service};
use crate::outcome::Outcome;
use crate::record::history::History;
use std::collections::BTreeSet;
use std::ops::Range;

/// So many times what a request takes alone: nobody waits so long by chance.
const SILENCE: f64 = 20.0;

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
    pub streams: Streams<'a>,
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
    /// Guards, with what they have turned away and made wait so far.
    pub guards: Vec<GuardFigures>,
    /// Balancer breakers that are open: their owners and since when.
    pub open_breakers: Vec<(String, f64)>,
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
    /// Mean demand of what it is asked, in seconds.
    pub demand_s: f64,
    /// Users among those who ask it, who wait for answers, and whether there are others.
    pub users: u32,
    pub asked_openly: bool,
    /// Requests per second that it could answer well now, or on average where breakdowns leave it too little;
    /// and if all of it were up, in rotation, at its own speed and warm.
    pub capacity_hz: f64,
    pub whole_hz: f64,
    /// The same as now, but with all that is warming up warm.
    pub warm_hz: f64,
    pub limit: Limit,
    pub machines: Machines,
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

/// The machines that a service's servers share.
#[derive(Default)]
pub(super) struct Machines {
    pub hosts: BTreeSet<HostId>,
    pub names: Vec<String>,
    /// The cores of all of them.
    pub cores: f64,
    /// The services that it shares them with.
    pub others: Vec<String>,
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

    /// Whether somebody took it out of rotation.
    pub(super) fn is_drained(&self) -> bool {
        self.standing.state == MachineState::Up && self.standing.drained
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
            streams: Streams::of(simulation, &standing, &window),
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
            guards: simulation.guard_figures(),
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

    /// Whether what was done to the system has lasted for any time: what happens at the end itself no request has met.
    pub(super) fn harm_is_met(&self) -> bool {
        self.told.harms_s.is_none_or(|at_s| at_s < self.now_s)
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
}

/// The rows of requests from outside.
fn outside(recorder: &crate::record::Recorder) -> impl Iterator<Item = u16> + use<> {
    (0..recorder.layout.flows() as u16).step_by(2)
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
