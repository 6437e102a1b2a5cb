//! Closed forms beside a run: which of them a scenario satisfies, and what they say.

use super::priority::{self, ClassLoad};
use super::{markov, renewal, station};
use crate::arrival::Arrivals;
use crate::discipline::Order;
use crate::distribution::{Distribution, DistributionDef};
use crate::extension::Configured;
use crate::model::{Model, Server, Service};
use crate::policy::{Farm, PolicyDef};
use crate::statistics::Estimate;
use crate::summary::Summary;

/// A closed form whose assumptions a scenario satisfies.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Known {
    /// Kendall's name for it, such as `M/M/1`.
    pub form: String,
    /// Where it is from.
    pub reference: &'static str,
    /// The service it is about.
    pub service: String,
    /// What it says.
    pub figures: Vec<Figure>,
}

/// A figure that theory knows.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Figure {
    /// Its path in the summary.
    pub path: String,
    /// The value; times in seconds.
    pub expected: f64,
    /// The value that a run gave, or the mean of several, where it was measured.
    pub measured: Option<f64>,
    /// Of several runs: what is known of the measured value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// What theory has to say about a scenario.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// A closed form applies.
    Known(Known),
    /// None does, for these reasons.
    Unknown(Vec<String>),
}

impl Applied {
    /// The paths of the figures that theory knows.
    pub fn paths(&self) -> Vec<String> {
        match self {
            Self::Known(known) => known.figures.iter().map(|f| f.path.clone()).collect(),
            Self::Unknown(_) => Vec::new(),
        }
    }

    /// Sets what several runs gave beside what was expected.
    #[must_use]
    pub fn beside_estimates(mut self, of: impl Fn(&str) -> Option<Estimate>) -> Self {
        if let Self::Known(known) = &mut self {
            for figure in &mut known.figures {
                figure.estimate = of(&figure.path);
                figure.measured = figure.estimate.as_ref().and_then(Estimate::mean);
            }
        }
        self
    }

    /// Sets what a run gave beside what was expected.
    #[must_use]
    pub fn beside(mut self, summary: &Summary) -> Self {
        if let Self::Known(known) = &mut self {
            for figure in &mut known.figures {
                figure.measured = summary.figure(&figure.path);
            }
        }
        self
    }
}

/// The closed form for a scenario's steady state, or the reasons why there is none here.
///
/// Recognised are one service whose servers are alike and do nothing but serve in order of arrival
/// or by processor sharing, with Poisson traffic at a constant rate or users who think for an
/// exponential time; at one server with one worker several classes too, by arrival or by priority, each
/// with its own demand: M/M/c, M/M/c/K, loss systems of any law, M/G/1, M/G/1 under processor sharing,
/// round robin and random choice over M/M/1 servers, impatience and machine repair.
pub fn apply(model: &Model) -> Applied {
    let mut reasons = Vec::new();
    obstacles(model, &mut reasons);
    if !reasons.is_empty() {
        return Applied::Unknown(reasons);
    }
    let service = &model.services[0];
    let servers: Vec<&Server> = service
        .servers
        .iter()
        .map(|id| &model.servers[id.0 as usize])
        .collect();
    match form(model, service, &servers) {
        Ok(known) => Applied::Known(known),
        Err(reason) => Applied::Unknown(vec![reason]),
    }
}

/// What stands in the way of every form.
fn obstacles(model: &Model, reasons: &mut Vec<String>) {
    let mut because = |holds: bool, reason: &str| {
        if holds {
            reasons.push(reason.to_owned());
        }
    };
    let calls = model.services.iter().any(|s| s.asks().next().is_some());
    because(calls, "services call one another");
    because(
        model.services.len() > 1 && !calls,
        "there are several services",
    );
    because(model.sources.len() > 1, "there are several sources");
    let changes = |entry: &crate::model::TimelineEntry| entry.action != crate::model::Action::Note;
    because(
        model.timeline.iter().any(changes),
        "the time line changes the system while it runs",
    );
    let client = &model.clients[0];
    because(client.timeout.is_some(), "callers give up after a timeout");
    because(client.deadline.is_some(), "callers give up at a deadline");
    because(client.tries_again(), "callers try again after a failure");
    because(client.hedge.is_some(), "callers send copies");
    because(
        model
            .sources
            .iter()
            .any(|source| !source.rate.is_constant()),
        "the rate varies",
    );
    let service = &model.services[0];
    let balancer = &service.balancer;
    let servers = model.servers.iter().map(|server| &server.params.link);
    let zones = service.zones.iter().map(|zone| &zone.link);
    let mut links = [&service.link, &balancer.link]
        .into_iter()
        .chain(zones)
        .chain(servers);
    because(
        links.any(|link| !link.is_clear()),
        "messages take time or are lost",
    );
    because(!balancer.cost.is_zero(), "the balancer takes time");
    because(
        balancer.max_connections.is_some() || balancer.pending_queue.is_some(),
        "the balancer limits connections or lets attempts wait",
    );
    because(balancer.can_crash(), "the balancer can crash");
    because(
        !balancer.health.is_empty(),
        "health checks take servers out, and their probes take time",
    );
    because(
        balancer.instances > 1 && service.servers.len() > 1,
        "several balancer instances each see a part of the traffic",
    );
    because(
        balancer.subset.is_some(),
        "each balancer instance uses only some of the servers",
    );
    let first = &model.servers[0];
    because(
        model
            .servers
            .iter()
            .any(|s| s.params != first.params || !s.present),
        "the servers are not all alike, or not all there",
    );
    because(
        service.autoscaler.is_some(),
        "an autoscaler adds servers and takes them away",
    );
    let server = &first.params;
    because(
        !server.crash.is_empty() || server.memory.is_some(),
        "servers can crash",
    );
    because(server.breakdowns.is_some(), "workers fail");
    because(server.errors.rate > 0.0, "some requests fail");
    because(
        server.slowdown.contention > 0.0 || server.slowdown.coherence > 0.0,
        "requests slow each other down",
    );
    because(
        !model.hosts.is_empty(),
        "servers share the cores of a machine",
    );
    because(
        server.max_connections.is_some() || server.liveness.is_some() || server.priority > 0,
        "servers have connection limits or liveness probes, or stand by",
    );
}

const KLEINROCK: &str = "Kleinrock, Queueing Systems, volume 1, 1975";

/// What the forms are made of: times in seconds.
struct Shape {
    /// Mean service time.
    mean_s: f64,
    cv2: f64,
    exponential: bool,
    servers: u32,
    workers: u32,
    /// Room in the queue of a server.
    room: Option<u32>,
    shared: bool,
    name: String,
}

fn form(model: &Model, service: &Service, servers: &[&Server]) -> Result<Known, String> {
    let params = &servers[0].params;
    if model.classes.len() > 1 {
        return classes(model, service, servers);
    }
    let demand = model.classes[0].demand_at(service).build();
    if demand.correlation() > 0.0 {
        return Err("the demands of successive requests are correlated".to_owned());
    }
    let factor = model.classes[0].demand_factor / params.speed;
    let shared = matches!(params.discipline.order(), Order::Shared);
    if !shared && !matches!(params.discipline.order(), Order::Fifo) {
        return Err(format!(
            "the order of service is {}",
            params.discipline.def.row.name
        ));
    }
    let shape = Shape {
        mean_s: demand.mean_ns() * 1e-9 * factor,
        cv2: demand.cv2(),
        exponential: demand.is_memoryless(),
        servers: servers.len() as u32,
        workers: params.workers,
        room: (params.queue_limit < u32::MAX).then_some(params.queue_limit),
        shared,
        name: service.name.clone(),
    };
    let source = &model.sources[0];
    match source.arrivals.build() {
        Arrivals::Closed { leave, .. } if leave > 0.0 => Err("users may leave for good".to_owned()),
        Arrivals::Closed { users, think, .. } => {
            closed(&shape, users, think.as_ref(), params.patience.is_some())
        }
        Arrivals::Open(gaps) if gaps.is_memoryless() => {
            let rate_hz = source.rate.initial_hz();
            match &params.patience {
                Some(patience) => impatient(&shape, rate_hz, patience),
                None if shape.servers > 1 => behind(&shape, rate_hz, service.balancer.policy.def),
                None => open(&shape, rate_hz),
            }
        }
        _ => Err(format!("arrivals are {}", source.arrivals.def.row.name)),
    }
}

/// Several classes at one server with one worker, Poisson arrivals and room for all: in order of arrival or
/// by priority, each class with whatever it demands.
fn classes(model: &Model, service: &Service, servers: &[&Server]) -> Result<Known, String> {
    let params = &servers[0].params;
    let source = &model.sources[0];
    let refuse = |why: &str| Err(format!("there are several classes, and {why}"));
    if servers.len() > 1 || params.workers > 1 {
        return refuse("more than one worker");
    }
    if params.queue_limit < u32::MAX || params.patience.is_some() {
        return refuse("requests that are turned away or leave");
    }
    match source.arrivals.build() {
        Arrivals::Open(gaps) if gaps.is_memoryless() => {}
        _ => return refuse(&format!("arrivals are {}", source.arrivals.def.row.name)),
    }
    let name = params.discipline.def.row.name;
    let interrupts = name == "priority-preemptive";
    let by_priority = interrupts || name == "priority";
    if !by_priority && !matches!(params.discipline.order(), Order::Fifo) {
        return refuse(&format!("the order of service is {name}"));
    }
    let rate_hz = source.rate.initial_hz();
    let mut before = 0.0;
    // The more important first; those of one priority are one class to each other.
    let mut ranks: Vec<(u32, Vec<(&str, ClassLoad)>)> = Vec::new();
    for (class, upto) in model.classes.iter().zip(&source.mix) {
        let share = upto - std::mem::replace(&mut before, *upto);
        if share <= 0.0 {
            continue;
        }
        let law = class.demand_at(service).build();
        let mean = law.mean_ns() * 1e-9 * class.demand_factor / params.speed;
        if law.correlation() > 0.0 {
            return refuse("the demands of successive requests are correlated");
        }
        if !law.cv2().is_finite() {
            return refuse("the variance of a demand is infinite, and so is the wait");
        }
        let load = ClassLoad {
            rate: rate_hz * share,
            mean,
            second: mean * mean * (1.0 + law.cv2()),
        };
        let rank = if by_priority { class.priority } else { 0 };
        match ranks.iter_mut().find(|(of, _)| *of == rank) {
            Some((_, same)) => same.push((&class.name, load)),
            None => ranks.push((rank, vec![(&class.name, load)])),
        }
    }
    ranks.sort_by_key(|(rank, _)| *rank);
    let all = || ranks.iter().flat_map(|(_, same)| same);
    let rho: f64 = all().map(|(_, load)| load.rate * load.mean).sum();
    if !(rho > 0.0 && rho < 1.0) {
        return Err(format!("the load is {rho:.2}: there is no steady state"));
    }
    let together: Vec<ClassLoad> = ranks
        .iter()
        .map(|(_, same)| ClassLoad::together(same.iter().map(|(_, load)| *load)))
        .collect();
    let waits = priority::waits(&together);
    let mut figures = Vec::new();
    let mut sum_s = 0.0;
    for (at, (_, same)) in ranks.iter().enumerate() {
        for (class, load) in same {
            // Who is interrupted stays longer than it waits and is served; of one rank, by its own demand.
            let response = if interrupts {
                priority::preemptive_response(&together[..=at], load.mean)
            } else {
                waits[at] + load.mean
            };
            sum_s += load.rate * response;
            figures.push((format!("classes.{class}.response_time_s.mean"), response));
            if !interrupts {
                figures.push((format!("classes.{class}.wait_s.mean"), waits[at]));
            }
        }
    }
    figures.insert(0, (RESPONSE.to_owned(), sum_s / rate_hz));
    let (form, reference) = match (by_priority, interrupts) {
        (false, _) => ("M/G/1 with classes", KLEINROCK),
        (_, false) => (
            "M/G/1 with priorities",
            "Cobham, Operations Research 2, 1954",
        ),
        (_, true) => (
            "M/G/1 with preemptive priorities",
            "Conway, Maxwell and Miller, Theory of Scheduling, 1967, section 8.7",
        ),
    };
    let figure = |(path, expected): (String, f64)| Figure {
        path,
        expected,
        measured: None,
        estimate: None,
    };
    Ok(Known {
        form: form.to_owned(),
        reference,
        service: service.name.clone(),
        figures: figures.into_iter().map(figure).collect(),
    })
}

impl Shape {
    fn known(&self, form: String, reference: &'static str, figures: &[(&str, f64)]) -> Known {
        let figure = |(path, expected): &(&str, f64)| Figure {
            path: (*path).replace("NAME", &self.name),
            expected: *expected,
            measured: None,
            estimate: None,
        };
        Known {
            form,
            reference,
            service: self.name.clone(),
            figures: figures.iter().map(figure).collect(),
        }
    }

    /// The load of a worker, if the queue can be stable.
    fn load(&self, rate_hz: f64) -> Result<f64, String> {
        let rho = rate_hz * self.mean_s / (f64::from(self.servers) * f64::from(self.workers));
        if rho < 1.0 && rho > 0.0 {
            Ok(rho)
        } else if rho > 0.0 {
            Err(format!("the load is {rho:.2}: there is no steady state"))
        } else {
            Err("there is no traffic, or its demand has no mean".to_owned())
        }
    }
}

const RESPONSE: &str = "response_time_s.mean";
const WAIT: &str = "wait_s.mean";

/// One server and a Poisson stream.
fn open(shape: &Shape, rate_hz: f64) -> Result<Known, String> {
    let (s, c) = (shape.mean_s, shape.workers);
    if let Some(room) = shape.room {
        return bounded(shape, rate_hz, room);
    }
    let rho = shape.load(rate_hz)?;
    match (shape.shared, shape.exponential, c) {
        (true, _, 1) => Ok(shape.known(
            "M/G/1-PS".to_owned(),
            "Kleinrock, Queueing Systems, volume 2, 1976, section 4.4",
            &[(RESPONSE, s * station::mm1_response(rho))],
        )),
        (true, ..) => Err("several workers are shared by all".to_owned()),
        (false, true, 1) => Ok(shape.known(
            "M/M/1".to_owned(),
            KLEINROCK,
            &[
                (RESPONSE, s * station::mm1_response(rho)),
                ("response_time_s.p50", s * station::mm1_quantile(0.5, rho)),
                ("response_time_s.p99", s * station::mm1_quantile(0.99, rho)),
                (WAIT, s * station::mm1_wait(rho)),
            ],
        )),
        (false, true, _) => Ok(shape.known(
            format!("M/M/{c}"),
            KLEINROCK,
            &[
                (RESPONSE, s * (1.0 + markov::mmc_wait(c, rho))),
                ("response_time_s.p50", s * markov::mmc_quantile(0.5, c, rho)),
                (
                    "response_time_s.p99",
                    s * markov::mmc_quantile(0.99, c, rho),
                ),
                (WAIT, s * markov::mmc_wait(c, rho)),
            ],
        )),
        (false, false, 1) if shape.cv2.is_finite() => {
            let wait = station::mg1_wait(rho, shape.cv2);
            let name = if shape.cv2 > 0.0 { "M/G/1" } else { "M/D/1" };
            Ok(shape.known(
                name.to_owned(),
                KLEINROCK,
                &[(RESPONSE, s * (1.0 + wait)), (WAIT, s * wait)],
            ))
        }
        (false, false, 1) => {
            Err("the variance of the demand is infinite, and so is the wait".to_owned())
        }
        _ => Err("for several workers the demand must be exponential".to_owned()),
    }
}

/// A queue with limited room.
fn bounded(shape: &Shape, rate_hz: f64, room: u32) -> Result<Known, String> {
    let (s, c) = (shape.mean_s, shape.workers);
    let lam = rate_hz * s;
    if room == 0 && !shape.shared {
        return Ok(shape.known(
            format!("M/G/{c}/{c}"),
            KLEINROCK,
            &[
                ("availability", 1.0 - markov::erlang_b(c, lam)),
                (RESPONSE, s),
            ],
        ));
    }
    if !shape.exponential || shape.shared {
        return Err(
            "with limited room the demand must be exponential and served in order".to_owned(),
        );
    }
    if room > 100_000 {
        return Err("the room in the queue is too large to be counted through".to_owned());
    }
    let state = markov::mmck(lam, c, c + room);
    Ok(shape.known(
        format!("M/M/{c}/{}", c + room),
        KLEINROCK,
        &[
            ("availability", 1.0 - state.loss),
            (RESPONSE, s * state.response),
            ("goodput_hz", state.throughput / s),
        ],
    ))
}

/// Servers behind a policy whose effect is known.
fn behind(shape: &Shape, rate_hz: f64, policy: &PolicyDef) -> Result<Known, String> {
    let (s, n) = (shape.mean_s, shape.servers);
    let rho = shape.load(rate_hz)?;
    if shape.workers > 1 || shape.room.is_some() || !shape.exponential {
        return Err(
            "behind a policy servers must have one worker, room for all and exponential demand"
                .to_owned(),
        );
    }
    match policy.farm {
        Farm::Split => Ok(shape.known(
            format!("{n} × M/M/1"),
            KLEINROCK,
            &[(RESPONSE, s * station::mm1_response(rho))],
        )),
        Farm::Turns => {
            let sigma = renewal::round_robin_waiting(n, rho);
            let response = (RESPONSE, s * renewal::response(sigma));
            let wait = (WAIT, s * (renewal::response(sigma) - 1.0));
            // Nobody waits where all share; the mean response is the same.
            let figures = [response, wait];
            Ok(shape.known(
                format!("{n} × E{n}/M/1"),
                "Kleinrock, Queueing Systems, volume 1, 1975, section 6.4",
                if shape.shared { &figures[..1] } else { &figures },
            ))
        }
        Farm::Central if !shape.shared => Ok(shape.known(
            format!("M/M/{n}"),
            "Harchol-Balter, Performance Modeling and Design of Computer Systems, 2013, section 24.2: least work left is the central queue",
            &[
                (RESPONSE, s * (1.0 + markov::mmc_wait(n, rho))),
                (WAIT, s * markov::mmc_wait(n, rho)),
            ],
        )),
        Farm::Central | Farm::Unknown => Err(format!(
            "no closed form is known for the policy {}",
            policy.row.name
        )),
    }
}

/// Waiting requests that leave.
fn impatient(
    shape: &Shape,
    rate_hz: f64,
    patience: &Configured<DistributionDef>,
) -> Result<Known, String> {
    let patience = patience.build();
    if !patience.is_memoryless()
        || !shape.exponential
        || shape.servers > 1
        || shape.room.is_some()
        || shape.shared
    {
        return Err("with patience, that and the demand must be exponential, at one server with room for all".to_owned());
    }
    let (s, c) = (shape.mean_s, shape.workers);
    let theta = s / (patience.mean_ns() * 1e-9);
    let lam = rate_hz * s;
    if lam / theta > 1e6 {
        return Err("so many wait that the chain is too long to be counted through".to_owned());
    }
    let state = markov::erlang_a(lam, c, theta);
    Ok(shape.known(
        format!("M/M/{c}+M"),
        "Garnett, Mandelbaum and Reiman, Designing a call center with impatient customers, M&SOM 4(3), 2002",
        &[
            ("availability", 1.0 - state.abandons),
            ("goodput_hz", state.throughput / s),
        ],
    ))
}

/// Users who think.
fn closed(
    shape: &Shape,
    users: u32,
    think: &dyn Distribution,
    patience: bool,
) -> Result<Known, String> {
    let plain = shape.servers == 1 && shape.room.is_none() && !shape.shared && !patience;
    if !plain || !shape.exponential || !think.is_memoryless() {
        return Err("for users who think, their pauses and the demand must be exponential, at one server with room for all".to_owned());
    }
    if users > 1_000_000 {
        return Err("so many users are not counted through".to_owned());
    }
    let state = markov::machine_repair(users, think.mean_ns() * 1e-9, shape.mean_s, shape.workers);
    Ok(shape.known(
        format!("M/M/{}//{users}", shape.workers),
        KLEINROCK,
        &[("goodput_hz", state.throughput), (RESPONSE, state.response)],
    ))
}

#[cfg(test)]
mod tests;
