//! The recorder: counts what the engine does.
//!
//! The engine tells the recorder what happened; the recorder never tells the engine anything, so
//! that what is recorded cannot change what happens. Everything is counted in integers and kept
//! in places fixed before the run; nothing is allocated for a request.

mod alerts;
mod columns;
mod durations;
mod flow;
pub mod history;
mod site;
pub mod total;
mod watch;

use crate::event_log;
use crate::histogram::{COARSE_LEN, Histogram, bucket, coarse};
use crate::ids::{ClassId, Id, LocalId, ServiceId, Table};
use crate::metric::Scope;
use crate::model::Model;
use crate::outcome::Outcome;
pub use alerts::{ALERT_CHANGES_MAX, AlertChange};
use durations::Durations;
pub use flow::Flow;
use history::{FlowInterval, History, SloInterval};
pub use sim_alert::State as AlertState;
use site::Site;
use std::collections::BTreeMap;
use std::sync::Arc;
use watch::AlertWatch;
pub(crate) use watch::{show, state};

/// Memory for the time line of one run, in bytes.
const HISTORY_BYTES: u64 = 512 << 20;

/// Events of the event log kept at most; more are counted.
const STORY_LEN: usize = 200_000;

/// Rows of the request log kept until they are taken; more are counted.
const LOG_LEN: usize = 4_000_000;

/// How counters are arranged.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Number of classes.
    pub classes: usize,
    /// Number of services.
    pub services: usize,
    /// Number of servers.
    pub servers: usize,
    /// Number of balancer instances.
    pub instances: usize,
    /// Number of objectives.
    pub slos: usize,
    /// Where the counters of an instance's ways to its servers end; none where they are not kept.
    ways_end: Arc<[usize]>,
    service_of: Arc<[u16]>,
}

impl Layout {
    /// The row of requests of a class to a service: those from outside in even rows, those from
    /// other services in odd ones.
    #[inline]
    pub fn flow(&self, service: ServiceId, class: ClassId, nested: bool) -> u16 {
        ((service.position() * self.classes + class.position()) * 2 + usize::from(nested)) as u16
    }

    /// The class of a row of requests from outside; `None` for requests from other services.
    pub fn class_from_outside(&self, flow: u16) -> Option<u16> {
        flow.is_multiple_of(2)
            .then(|| (usize::from(flow / 2) % self.classes) as u16)
    }

    /// The rows of the requests that a scope is about.
    pub(crate) fn flows_of(&self, scope: Scope) -> std::iter::StepBy<std::ops::Range<usize>> {
        let each = 2 * self.classes;
        match scope {
            Scope::Site => (0..self.flows()).step_by(2),
            Scope::Class(class) => (2 * class.position()..self.flows()).step_by(each),
            Scope::Service(service) => {
                (service.position() * each..(service.position() + 1) * each).step_by(1)
            }
            Scope::Server(_) => (0..0).step_by(1),
        }
    }

    /// The service and the class of a row.
    pub fn of_flow(&self, flow: usize) -> (ServiceId, ClassId) {
        let pair = flow / 2;
        (
            ServiceId::at(pair / self.classes),
            ClassId::at(pair % self.classes),
        )
    }

    /// The row, behind all flows, of what the balancer of a service asks of its own servers. Requests are
    /// counted where callers ask; this counts what became of them on the other side.
    #[inline]
    pub(crate) fn tries(&self, service: ServiceId) -> u16 {
        (self.flows() + 2 * service.position() + 1) as u16
    }

    /// The counters of an instance's ways to its servers, in the order of the servers; empty where they are not kept.
    pub fn ways_of(&self, instance: usize) -> std::ops::Range<usize> {
        let start = instance.checked_sub(1).map_or(0, |i| self.ways_end[i]);
        start..self.ways_end[instance]
    }

    /// Number of counters of ways from balancer instances to servers.
    pub(crate) fn ways(&self) -> usize {
        self.ways_end.last().copied().unwrap_or(0)
    }

    /// Number of flows.
    pub fn flows(&self) -> usize {
        self.services * self.classes * 2
    }

    /// The service of a server.
    pub fn service_of(&self, server: usize) -> usize {
        self.service_of[server] as usize
    }
}

/// Counters of an objective.
#[derive(Clone, Debug)]
pub struct SloCount {
    class: Option<u16>,
    limit_ns: u64,
    /// Good requests that arrived after the warm-up and ended.
    pub good: u64,
    /// All requests that arrived after the warm-up and ended.
    pub total: u64,
    interval: SloInterval,
}

impl SloCount {
    /// Good and all requests of the present interval.
    pub(crate) fn recent(&self) -> SloInterval {
        self.interval
    }

    /// Whether a request of a class that is still unanswered at this age can only miss it.
    pub fn is_missed(&self, class: u16, age_ns: u64) -> bool {
        self.class.is_none_or(|c| c == class) && age_ns >= self.limit_ns
    }
}

/// Measured totals of one service.
#[derive(Clone, Debug, Default)]
pub struct ServiceCount {
    /// Time waited at servers by those that left the queue without: their patience was at an end, or
    /// their caller called them off.
    pub wait_in_vain: Histogram,
    /// Attempts begun after the warm-up, by outcome.
    pub attempt_outcomes: [u64; Outcome::COUNT],
}

/// A row of the request log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestRecord {
    /// The request's number; the upper 16 bits are its source.
    pub number: u64,
    /// Its class.
    pub class: u16,
    /// The service it asked.
    pub service: u16,
    /// When it arrived, in nanoseconds.
    pub arrived_ns: u64,
    /// When it ended.
    pub ended_ns: u64,
    /// Attempts made.
    pub attempts: u32,
    /// Server of the last attempt, numbered within the service.
    pub server: Option<u32>,
    /// Of the attempt that reached a worker last; `None` where none did.
    pub served: Option<Served>,
    /// How it ended.
    pub outcome: Outcome,
}

impl RequestRecord {
    /// Whether it belongs to the log of every `n`-th request.
    pub fn is_nth(&self, n: u64) -> bool {
        is_nth(self.number, n)
    }
}

/// Whether a request is one of every `n`-th of its source.
fn is_nth(number: u64, n: u64) -> bool {
    (number & 0xFFFF_FFFF_FFFF).is_multiple_of(n)
}

/// An attempt that was sent to a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TryRecord {
    /// The number of its request. Of a call between services, a number of that call's own.
    pub number: u64,
    /// The service of the server.
    pub service: u16,
    /// The server, numbered within the service.
    pub server: u32,
    /// When it was sent, in nanoseconds.
    pub at_ns: u64,
}

/// What became of an attempt that reached a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Served {
    /// How long it waited at its server, in nanoseconds.
    pub wait_ns: u64,
    /// The work it asked for, in nanoseconds at speed 1.
    pub demand_ns: u64,
}

/// Everything recorded of a run so far.
#[derive(Clone, Debug)]
pub struct Recorder {
    pub(crate) layout: Layout,
    pub(crate) flows: Vec<Flow>,
    pub(crate) services: Table<ServiceId, ServiceCount>,
    /// Time waited at servers by attempts begun after the warm-up that reached a worker: for each service
    /// those of each class.
    waits: Vec<Histogram>,
    /// Of requests in the log that are under way: wait and demand of the attempt that reached a worker last.
    served: BTreeMap<u64, Served>,
    pub(crate) slos: Vec<SloCount>,
    /// How long requests took, where rules of Prometheus ask.
    pub(crate) durations: Option<Box<Durations>>,
    pub(crate) history: History,
    pub(crate) measure_from: u64,
    event_log: Vec<Arc<event_log::Event>>,
    event_log_dropped: u64,
    log: Vec<RequestRecord>,
    log_dropped: u64,
    /// Attempts sent to servers, where somebody wants to know of them.
    tries: Option<Vec<TryRecord>>,
    pub(crate) log_every: u64,
    alerts: Vec<AlertWatch>,
    standings: alerts::Standings,
    site: Site,
    buckets: Vec<(u16, u16)>,
    ends: Vec<(FlowInterval, usize)>,
    widened: bool,
}

impl Recorder {
    /// `ways`: to how many servers each balancer instance counts what it sends.
    pub(crate) fn new(model: &Model, ways: &[usize]) -> Self {
        let end = |end: &mut usize, ways: &usize| {
            *end += ways;
            Some(*end)
        };
        let layout = Layout {
            classes: model.classes.len(),
            services: model.services.len(),
            servers: model.servers.len(),
            instances: ways.len(),
            slos: model.slos.len(),
            ways_end: ways.iter().scan(0, end).collect(),
            service_of: model.servers.iter().map(|s| s.service.0).collect(),
        };
        let (interval_ns, stride) = fit_history(model, &layout);
        let own = |service: &crate::model::Service| service.balancer.client.is_some();
        let tries = if model.services.iter().any(own) {
            2 * layout.services
        } else {
            0
        };
        let slo = |slo: &crate::model::Slo| SloCount {
            class: slo.class.map(|c| c.0),
            limit_ns: slo.response_time.map_or(u64::MAX, |t| t.0),
            good: 0,
            total: 0,
            interval: SloInterval::default(),
        };
        Self {
            flows: vec![Flow::new(); layout.flows() + tries],
            services: Table::filled(layout.services, ServiceCount::default()),
            waits: vec![Histogram::default(); layout.services * layout.classes],
            served: BTreeMap::new(),
            slos: model.slos.iter().map(slo).collect(),
            durations: (model.rules.as_ref())
                .filter(|rules| rules.wants_durations())
                .map(|_| Box::new(Durations::new(layout.flows() + tries))),
            alerts: (model.alerts.iter().enumerate())
                .filter(|_| model.monitoring.is_none())
                .filter_map(|(number, alert)| AlertWatch::new(number, alert, interval_ns))
                .collect(),
            standings: alerts::Standings::new(model.alerts.len()),
            site: Site::new(model, interval_ns),
            history: History::new(layout.clone(), interval_ns, stride),
            layout,
            measure_from: 0,
            event_log: Vec::new(),
            event_log_dropped: 0,
            log: Vec::new(),
            log_dropped: 0,
            tries: None,
            log_every: model.recording.every_nth_request,
            buckets: Vec::new(),
            ends: Vec::new(),
            widened: interval_ns != model.recording.interval.0 || stride > 1,
        }
    }

    pub(crate) fn interval_ns(&self) -> u64 {
        self.history.interval_ns()
    }

    /// The time line.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The event log so far, in order of time.
    pub fn event_log(
        &self,
    ) -> impl DoubleEndedIterator<Item = &event_log::Event> + ExactSizeIterator {
        self.event_log.iter().map(|event| &**event)
    }

    /// How alerts stood, change by change, in order of time.
    pub fn alert_changes(&self) -> &Arc<Vec<AlertChange>> {
        self.standings.changes()
    }

    /// An alert stands so now.
    pub(crate) fn stands(&mut self, alert: usize, now: u64, state: AlertState) {
        self.standings.stands(alert, now, state);
    }

    /// Events of the event log that did not fit into memory.
    pub fn event_log_dropped(&self) -> u64 {
        self.event_log_dropped
    }

    /// Rows of the request log that did not fit into memory before they were taken.
    pub fn log_dropped(&self) -> u64 {
        self.log_dropped
    }

    /// Whether intervals were widened, or servers recorded less often, to stay within memory.
    pub fn widened(&self) -> bool {
        self.widened
    }

    /// Takes the rows of the request log gathered since the last call.
    pub fn take_log(&mut self) -> Vec<RequestRecord> {
        std::mem::take(&mut self.log)
    }

    /// Writes down every attempt that is sent to a server from now on, for as many as a request log has rows.
    /// A simulation [without its fast path](crate::engine::Simulation::without_fast_path) tells of each.
    pub fn keep_tries(&mut self) {
        self.tries.get_or_insert_default();
    }

    /// Takes the attempts written down since the last call, in the order in which they were sent.
    pub fn take_tries(&mut self) -> Vec<TryRecord> {
        self.tries.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether attempts sent to servers are written down.
    #[inline]
    pub(crate) fn keeps_tries(&self) -> bool {
        self.tries.is_some()
    }

    /// An attempt is sent to a server.
    pub(crate) fn sent(&mut self, sent: TryRecord) {
        if let Some(tries) = &mut self.tries
            && tries.len() < LOG_LEN
        {
            tries.push(sent);
        }
    }

    /// Counters of a flow.
    pub fn flow(&self, flow: u16) -> &Flow {
        &self.flows[flow as usize]
    }

    pub(crate) fn tell(&mut self, event: event_log::Event) {
        if self.event_log.len() < STORY_LEN {
            self.event_log.push(Arc::new(event));
        } else {
            self.event_log_dropped += 1;
        }
    }

    /// An attempt got a worker.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of the loop of a run")]
    pub(crate) fn waited(&mut self, service: ServiceId, class: ClassId, begun: u64, wait_ns: u64) {
        if begun >= self.measure_from {
            let at = service.position() * self.layout.classes + class.position();
            self.waits[at].record(wait_ns);
        }
    }

    /// Waits at servers of the services and classes that `wanted` picks.
    pub(crate) fn waits(&self, wanted: impl Fn(ServiceId, ClassId) -> bool) -> Histogram {
        let mut all = Histogram::default();
        for (at, wait) in self.waits.iter().enumerate() {
            let (service, class) = (at / self.layout.classes, at % self.layout.classes);
            if wanted(ServiceId::at(service), ClassId::at(class)) {
                all.merge(wait);
            }
        }
        all
    }

    /// Whether requests are logged, so that waits and demands of each must be told with
    /// [`Recorder::served`].
    #[inline]
    pub(crate) fn logs(&self) -> bool {
        self.log_every != 0
    }

    fn is_logged(&self, number: u64) -> bool {
        self.log_every != 0 && is_nth(number, self.log_every)
    }

    /// An attempt of a request from outside got a worker, for the request log.
    pub(crate) fn served(&mut self, number: u64, wait_ns: u64, demand_ns: u64) {
        if self.is_logged(number) {
            let served = Served { wait_ns, demand_ns };
            self.served.insert(number, served);
        }
    }

    /// An attempt left a server's queue without having got a worker.
    pub(crate) fn waited_in_vain(&mut self, service: ServiceId, begun: u64, wait_ns: u64) {
        if begun >= self.measure_from {
            self.services[service].wait_in_vain.record(wait_ns);
        }
    }

    /// An attempt ended for its caller.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of the loop of a run")]
    pub(crate) fn attempt_ended(&mut self, service: ServiceId, begun: u64, outcome: Outcome) {
        if begun >= self.measure_from {
            self.services[service].attempt_outcomes[outcome as usize] += 1;
        }
    }

    /// Counters of requests of a class from outside to a service.
    #[inline]
    pub(crate) fn flow_mut(&mut self, service: ServiceId, class: ClassId) -> &mut Flow {
        &mut self.flows[self.layout.flow(service, class, false) as usize]
    }

    /// Whether the end of a call concerns its flow only: no objectives, no request log, no rules that ask how long it took.
    #[inline]
    fn is_plain(&self) -> bool {
        self.slos.is_empty() && self.log_every == 0 && self.durations.is_none()
    }

    /// A call from outside succeeded with its first attempt.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    pub(crate) fn succeeded_at_once(
        &mut self,
        now: u64,
        service: ServiceId,
        number: u64,
        class: ClassId,
        begun: u64,
        server: LocalId,
    ) {
        let outcome = Outcome::Succeeded;
        self.attempt_ended(service, begun, outcome);
        if self.is_plain() && begun >= self.measure_from {
            let counters = self.flow_mut(service, class);
            let response_ns = now - begun;
            let bucket = bucket(response_ns);
            counters.outcomes[outcome as usize] += 1;
            counters.measured[outcome as usize] += 1;
            counters.recent.record(coarse(bucket));
            counters.response_time.record_at(bucket, response_ns);
        } else {
            let flow = self.layout.flow(service, class, false);
            self.call_ended(now, flow, number, class, begun, 1, server, outcome);
        }
    }

    /// A call ended.
    #[inline]
    #[allow(
        clippy::too_many_arguments,
        reason = "the call's record is private to the engine"
    )]
    pub(crate) fn call_ended(
        &mut self,
        now: u64,
        flow: u16,
        number: u64,
        class: ClassId,
        arrived: u64,
        attempts: u32,
        server: LocalId,
        outcome: Outcome,
    ) {
        let counters = &mut self.flows[flow as usize];
        counters.outcomes[outcome as usize] += 1;
        let measured = arrived >= self.measure_from;
        if measured {
            counters.measured[outcome as usize] += 1;
        }
        let response_ns = now - arrived;
        if outcome == Outcome::Succeeded {
            let bucket = bucket(response_ns);
            counters.recent.record(coarse(bucket));
            if measured {
                counters.response_time.record_at(bucket, response_ns);
            }
        }
        if let Some(durations) = &mut self.durations {
            durations.record(usize::from(flow), outcome, response_ns);
        }
        if flow % 2 == 1 {
            return;
        }
        for slo in &mut self.slos {
            if slo.class.is_none_or(|c| c == class.0) {
                let good = outcome == Outcome::Succeeded && response_ns < slo.limit_ns;
                slo.interval.total += 1;
                slo.interval.good += u32::from(good);
                if measured {
                    slo.total += 1;
                    slo.good += u64::from(good);
                }
            }
        }
        if self.is_logged(number) {
            let served = self.served.remove(&number);
            if self.log.len() < LOG_LEN {
                let service = flow / 2 / self.layout.classes as u16;
                let server = server.known().map(|local| local.0);
                self.log.push(RequestRecord {
                    number,
                    class: class.0,
                    service,
                    arrived_ns: arrived,
                    ended_ns: now,
                    attempts,
                    server,
                    served,
                    outcome,
                });
            } else {
                self.log_dropped += 1;
            }
        }
    }

    /// The warm-up is over.
    pub(crate) fn start_measuring(&mut self, now: u64) {
        self.measure_from = now;
        for flow in &mut self.flows {
            flow.start_measuring();
        }
        for service in &mut self.services {
            *service = ServiceCount::default();
        }
        self.waits.fill(Histogram::default());
        for slo in &mut self.slos {
            (slo.good, slo.total) = (0, 0);
        }
    }

    /// An interval ends; servers have been pushed to the history by the caller where due.
    pub(crate) fn close_interval(
        &mut self,
        now: u64,
        (services, instances, ways): (
            &[history::ServiceInterval],
            &[history::InstanceInterval],
            &[u32],
        ),
    ) {
        self.buckets.clear();
        self.ends.clear();
        for flow in &mut self.flows[..self.layout.flows()] {
            let interval = flow.take_interval(&mut self.buckets);
            self.ends.push((interval, self.buckets.len()));
        }
        let slos: Vec<SloInterval> = self
            .slos
            .iter_mut()
            .map(|slo| std::mem::take(&mut slo.interval))
            .collect();
        let mut start = 0;
        let buckets = &self.buckets;
        let mut flows = self
            .ends
            .iter()
            .map(|&(interval, end)| (interval, &buckets[std::mem::replace(&mut start, end)..end]));
        self.history.close(history::Closing {
            flows: &mut flows,
            services,
            instances,
            ways,
            slos: &slos,
        });
        let mut told = Vec::new();
        for alert in &mut self.alerts {
            alert.look(&self.history, now, &mut told);
            self.standings.stands(alert.number(), now, alert.state());
        }
        let outside = self.flows[..self.layout.flows()].iter().step_by(2);
        let longest_ns = outside.filter_map(|f| f.response_time.max_ns()).max();
        self.site.look(&self.history, now, longest_ns, &mut told);
        for event in told {
            self.tell(event);
        }
    }

    /// Whether anything has been counted since the last interval closed.
    pub(crate) fn has_news(&self) -> bool {
        self.flows.iter().any(Flow::has_news)
    }

    /// Bytes held, for the report on memory.
    pub(crate) fn bytes(&self) -> usize {
        let histograms = self
            .flows
            .iter()
            .map(|f| f.response_time.bytes() + COARSE_LEN * 4)
            .sum::<usize>()
            + self.waits.iter().map(Histogram::bytes).sum::<usize>();
        self.history.bytes()
            + histograms
            + self.log.capacity() * size_of::<RequestRecord>()
            + self.event_log.len() * 200
            + self.standings.bytes()
    }
}

/// The width of an interval and how often servers are recorded, such that the time line fits.
fn fit_history(model: &Model, layout: &Layout) -> (u64, usize) {
    let per_server = history::SERVER_BYTES as u64 * layout.servers as u64;
    // Response times take a few hundred bytes for each flow that is in use.
    let per_interval = layout.flows() as u64 * (size_of::<FlowInterval>() as u64 + 256)
        + layout.services as u64 * size_of::<history::ServiceInterval>() as u64
        + layout.instances as u64 * size_of::<history::InstanceInterval>() as u64
        + layout.ways() as u64 * size_of::<u32>() as u64;
    let mut interval_ns = model.recording.interval.0.max(1);
    while model.horizon.0 / interval_ns * per_interval > HISTORY_BYTES / 2 {
        interval_ns = interval_ns.saturating_mul(2);
    }
    let mut stride = 1;
    while model.horizon.0 / interval_ns / stride * per_server > HISTORY_BYTES / 2 && stride < 256 {
        stride *= 2;
    }
    // Beyond the longest stride the interval itself must give way.
    while model.horizon.0 / interval_ns / stride * per_server > HISTORY_BYTES / 2 {
        interval_ns = interval_ns.saturating_mul(2);
    }
    (interval_ns, stride as usize)
}
