//! How long a system takes to forget, as far as its model tells.
//!
//! A run that is short beside that says little, however many requests it holds, and may not even
//! contain what would show it: a slow phase that never came is in no data. So what is known of the
//! model is asked first.

use super::bounds::{Bounds, bounds};
use crate::arrival::Arrivals;
use crate::discipline::Order;
use crate::distribution::Distribution;
use crate::ids::Id;
use crate::load::{self, Peak, visits_by_class};
use crate::model::{Model, ServerParams};
use crate::policy::Farm;
use crate::statistics::{Slow, Withheld};
use crate::time::SECOND;

/// Requests that a mean takes for the square of the skewness of what it is a mean of: that of the mean is
/// then a third.
const TO_SQUARE: f64 = 10.0;

/// Requests that it takes at most for each unit of that skewness. A tail so heavy that this is less is not
/// all seen, and then neither is its skewness. With log-normal demand of cv 1, 1.5 and 2 on M/G/1 at a load
/// of 0.5 intervals cover in 94, 96 and 93 % of cases from about there on, and in 87 to 91 % with a tenth.
const TO_SKEWNESS: f64 = 1000.0;

/// How long a model's system takes to forget.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Memory {
    /// Relaxation time of the slowest part, in seconds; zero where nothing is known.
    pub relaxation_s: f64,
    /// Which part that is.
    pub slow: Slow,
    /// How many such parts there are side by side, each a sample of its own.
    pub parallel: f64,
    /// Requests that means of waits take, by the tail of the demand; infinite where no number does.
    pub tail_requests: f64,
    /// How many come per second.
    pub hz: f64,
}

impl Memory {
    const NONE: Self = Self {
        relaxation_s: 0.0,
        slow: Slow::Seen,
        parallel: 1.0,
        tail_requests: 0.0,
        hz: 0.0,
    };

    /// The slower of two, with the heavier of their tails.
    fn and(self, other: Self) -> Self {
        let (slow, quick) = if other.relaxation_s > self.relaxation_s {
            (other, self)
        } else {
            (self, other)
        };
        let heavy = |m: &Self| m.tail_requests / m.hz.max(f64::MIN_POSITIVE);
        let tail = if heavy(&quick) > heavy(&slow) {
            quick
        } else {
            slow
        };
        Self {
            tail_requests: tail.tail_requests,
            hz: tail.hz,
            ..slow
        }
    }
}

/// What the model tells of the time that it takes to forget.
///
/// # Errors
/// That there is no steady state, whatever the length of the run.
pub(crate) fn memory(model: &Model) -> Result<Memory, Withheld> {
    let peaks = load::peaks(model);
    let mut found = Memory::NONE;
    let mut worst: Option<Withheld> = None;
    for (service, peak) in peaks.iter().enumerate() {
        let Some(peak) = *peak else {
            continue;
        };
        match of_service(model, service, peak) {
            Ok(memory) => found = found.and(memory),
            Err(reason) => worst = Some(worse(worst, reason)),
        }
    }
    if let Some(reason) = worst {
        return Err(reason);
    }
    Ok(found
        .and(of_sources(model, found))
        .and(of_breakdowns(model)))
}

/// More than can be done comes before what has no mean.
fn worse(one: Option<Withheld>, other: Withheld) -> Withheld {
    let rank = |reason: &Withheld| match reason {
        Withheld::Overloaded { offered_load } => *offered_load,
        _ => 0.0,
    };
    match one {
        Some(one) if rank(&one) >= rank(&other) => one,
        _ => other,
    }
}

fn of_service(model: &Model, id: usize, peak: Peak) -> Result<Memory, Withheld> {
    let (load, bounds) = (peak.offered_load, bounds(model, id));
    if load >= 1.0 && !bounds.surely() {
        // Whether what gives way perhaps does, is seen in what is measured.
        return if bounds.perhaps {
            Ok(Memory::NONE)
        } else {
            Err(Withheld::Overloaded { offered_load: load })
        };
    }
    let service = &model.services[id];
    let demand = Mixed::of(model, id, peak);
    let servers: Vec<&ServerParams> = service
        .servers
        .iter()
        .map(|id| &model.servers[id.0 as usize])
        .filter(|server| server.present && server.params.priority == 0)
        .map(|server| &*server.params)
        .collect();
    let shared = |s: &&ServerParams| matches!(s.discipline.order(), Order::Shared);
    let waits = !servers.iter().all(shared);
    let alone = matches!(servers.as_slice(), [only] if only.workers == 1);
    // Pollaczek and Khinchine's formula; of several servers some may be spared by the longest.
    if !demand.cv2().is_finite() && alone && waits && !bounds.surely() {
        return Err(Withheld::InfiniteVariance);
    }
    let split = matches!(service.balancer.policy.def.farm, Farm::Split | Farm::Turns);
    let parallel = if split {
        servers.len().max(1) as f64
    } else {
        1.0
    };
    let slowest = servers
        .iter()
        .map(|s| s.speed)
        .fold(f64::INFINITY, f64::min);
    let service_s = demand.mean_ns() / SECOND as f64 / slowest;
    let hz = load * peak.capacity_hz;
    let variability = variability(model, &demand);
    let whole = Queue {
        arrivals_hz: hz / parallel,
        capacity_hz: peak.capacity_hz / parallel,
        service_s,
    };
    let heavy = waits && !bounds.surely();
    Ok(Memory {
        relaxation_s: whole.relaxation_s(variability, &bounds),
        slow: Slow::Queue(load),
        parallel,
        tail_requests: if heavy {
            let workers: u32 = servers.iter().map(|s| s.workers).sum();
            tail_requests(&demand, load * f64::from(workers), workers)
        } else {
            0.0
        },
        hz,
    })
}

/// The demand of whatever comes to a service: a mixture of what its classes demand.
struct Mixed {
    /// How often each comes, by what factor its demand is multiplied, and the law of that.
    parts: Vec<(f64, f64, Box<dyn Distribution>)>,
}

impl Mixed {
    fn of(model: &Model, service: usize, peak: Peak) -> Self {
        let mut parts = Vec::new();
        for source in model.sources.iter().filter(|s| s.arrivals.def.uses_rate) {
            let hz = source.rate.at(peak.at);
            for (class, visits) in visits_by_class(model, source) {
                let class = &model.classes[class.position()];
                let law = class.demand_at(&model.services[service]).build();
                parts.push((hz * visits[service], class.demand_factor, law));
            }
        }
        parts.retain(|(hz, _, _)| *hz > 0.0);
        let all: f64 = parts.iter().map(|(hz, _, _)| hz).sum();
        for (hz, _, _) in &mut parts {
            *hz /= all;
        }
        Self { parts }
    }

    /// The mean in nanoseconds.
    fn mean_ns(&self) -> f64 {
        let parts = self.parts.iter();
        parts
            .map(|(share, by, law)| share * by * law.mean_ns())
            .sum()
    }

    /// The mean of the k-th power over the k-th power of the mean.
    fn moment(&self, k: u32) -> f64 {
        let mean_ns = self.mean_ns();
        let of = |(share, by, law): &(f64, f64, Box<dyn Distribution>)| {
            let own = by * law.mean_ns() / mean_ns;
            if own > 0.0 {
                share * libm::pow(own, f64::from(k)) * law.moment(k)
            } else {
                0.0
            }
        };
        self.parts.iter().map(of).sum()
    }

    /// By how much runs of like demand make the sum of many vary more.
    fn runs(&self) -> f64 {
        let of = |law: &dyn Distribution| (1.0 + law.correlation()) / (1.0 - law.correlation());
        let parts = self.parts.iter().map(|(_, _, law)| of(&**law));
        parts.fold(1.0, f64::max)
    }

    /// Variance over the square of the mean.
    fn cv2(&self) -> f64 {
        if let [(_, _, only)] = self.parts.as_slice() {
            return only.cv2();
        }
        self.moment(2) - 1.0
    }
}

/// A queue as far as its relaxation goes.
struct Queue {
    arrivals_hz: f64,
    capacity_hz: f64,
    /// Mean time of a service.
    service_s: f64,
}

impl Queue {
    /// Relaxation time of M/M/1 with at most K requests, 1/(λ + μ − 2√(λμ) cos(π/(K + 1))), which is
    /// 1/(√μ − √λ)² without an end (Cohen, The Single Server Queue, 1982, sections II.2.1 and III.5.2),
    /// as if all workers were one; several forget no sooner than one service takes (Karlin and
    /// `McGregor`, Pacific Journal of Mathematics 8, 1958). In heavy traffic it grows with the variability of
    /// demand and arrivals (Whitt, Management Science 35, 1989).
    fn relaxation_s(&self, variability: f64, bounds: &Bounds) -> f64 {
        let (lambda, mu) = (self.arrivals_hz, self.capacity_hz);
        if mu.is_infinite() {
            // What takes no time leaves nothing to forget.
            return self.service_s;
        }
        let angle = bounds
            .number
            .map_or(1.0, |most| libm::cos(std::f64::consts::PI / (most + 1.0)));
        let gap_hz = lambda + mu - 2.0 * libm::sqrt(lambda * mu) * angle;
        let mut relaxation_s = variability / gap_hz.max(f64::MIN_POSITIVE);
        if let Some(stay_s) = bounds.stay_s {
            // Who gives up takes the queue's memory along.
            relaxation_s = relaxation_s.min(stay_s.max(self.service_s));
        }
        // Begun empty, a queue that fills takes as long as what is too much takes to fill it.
        let fill_s = match bounds.number {
            Some(most) if lambda > mu => most / (lambda - mu) / 5.0,
            _ => 0.0,
        };
        relaxation_s.max(self.service_s).max(fill_s)
    }
}

/// Half of the sum of the variabilities of arrivals and demand, 1 for M/M/1.
fn variability(model: &Model, demand: &Mixed) -> f64 {
    let of_demand = if demand.cv2().is_finite() {
        demand.cv2() * demand.runs()
    } else {
        1.0
    };
    let mut sum = (0.0, 0.0);
    for source in model.sources.iter().filter(|s| s.arrivals.def.uses_rate) {
        let rate_hz = source.rate.initial_hz();
        sum.0 += rate_hz * source.arrivals.build().dispersion(rate_hz);
        sum.1 += rate_hz;
    }
    let of_arrivals = if sum.1 > 0.0 { sum.0 / sum.1 } else { 1.0 };
    let of_arrivals = if of_arrivals.is_finite() {
        of_arrivals
    } else {
        1.0
    };
    (0.5 * (of_demand + of_arrivals)).max(0.25)
}

/// Requests that a mean of waits takes. The wait grows with the square of the demand, so that the
/// skewness of that decides how soon a mean is normal; where the load leaves a worker to spare, the
/// longest requests hold up nobody, and the demand's own skewness does.
fn tail_requests(demand: &Mixed, busy: f64, workers: u32) -> f64 {
    if demand.mean_ns() <= 0.0 {
        return 0.0;
    }
    let spare = f64::from(workers) - libm::ceil(busy) >= 1.0;
    let skewness = if spare {
        if !demand.moment(3).is_finite() {
            return 0.0;
        }
        demand.moment(3) / libm::pow(demand.moment(2), 1.5)
    } else {
        demand.moment(6) / libm::pow(demand.moment(4), 1.5)
    };
    if skewness.is_nan() {
        return f64::INFINITY;
    }
    (TO_SQUARE * skewness * skewness).min(TO_SKEWNESS * skewness)
}

/// Phases of arrivals, and users who pause.
fn of_sources(model: &Model, queue: Memory) -> Memory {
    let mut found = Memory::NONE;
    for source in &model.sources {
        let (relaxation_s, slow) = match source.arrivals.build() {
            Arrivals::Modulated(phases) => {
                let cycle_ns: f64 = phases.iter().map(|phase| phase.mean_ns).sum();
                // Two phases of one length forget in a quarter of their circle. A rare burst is as
                // rare as it is short: what must be seen is many circles. The queue forgets after them.
                (cycle_ns / 4e9 + queue.relaxation_s, Slow::Phases)
            }
            Arrivals::Closed { think, .. } => (think.mean_ns() / 1e9, Slow::Users),
            Arrivals::Sessions(sessions) => {
                let pauses = sessions.requests.mean() - 1.0;
                let lasts_s = pauses * sessions.think.mean_ns() / 1e9;
                (lasts_s + queue.relaxation_s, Slow::Users)
            }
            Arrivals::Open(_) | Arrivals::Trace(_) | Arrivals::Bursts(_) => continue,
        };
        found = found.and(Memory {
            relaxation_s,
            slow,
            ..Memory::NONE
        });
    }
    found
}

fn of_breakdowns(model: &Model) -> Memory {
    let mut found = Memory::NONE;
    for server in &model.servers {
        if let Some(breakdowns) = &server.params.breakdowns {
            let cycle_ns = breakdowns.every.build().mean_ns() + breakdowns.repair.build().mean_ns();
            found = found.and(Memory {
                relaxation_s: cycle_ns / 4e9,
                slow: Slow::Breakdowns,
                ..Memory::NONE
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(traffic: &str, demand: &str, server: &str) -> Result<Memory, Withheld> {
        let text = format!(
            "horizon = \"1m\"\ntraffic = [{{ to = \"web\", {traffic} }}]\n[service.web]\ndemand = {demand}\nserver = [{{ name = \"a\", {server} }}]\n"
        );
        let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        memory(&model)
    }

    fn relaxation_s(traffic: &str, demand: &str, server: &str) -> f64 {
        of(traffic, demand, server)
            .unwrap_or_else(|reason| panic!("{reason}"))
            .relaxation_s
    }

    const EXPONENTIAL: &str = r#"{ kind = "exponential", mean = "10ms" }"#;

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 1e-3,
            "{found}, not {expected}"
        );
    }

    #[test]
    fn an_overloaded_machine_has_no_steady_state() {
        let of = |cores: f64| {
            let text = format!(
                "horizon = \"10m\"\ntraffic = [{{ to = \"web\", rate = 80 }}, {{ name = \"n\", to = \"rep\", rate = 3 }}]\n\
                 machine = {{ box = {{ cores = {cores} }} }}\n[service.web]\ndemand = {EXPONENTIAL}\n\
                 server = [{{ name = \"w\", workers = 8, machine = \"box\" }}]\n[service.rep]\ndemand = \"200ms\"\n\
                 server = [{{ name = \"r\", workers = 4, machine = \"box\" }}]\n"
            );
            memory(&crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}")))
        };
        // 80 × 10 ms and 3 × 200 ms are 1.4 cores.
        assert!(of(1.5).is_ok());
        assert!(
            matches!(of(1.3), Err(Withheld::Overloaded { offered_load }) if offered_load > 1.0)
        );
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "nothing is computed")]
    fn work_that_takes_no_time_is_forgotten_at_once() {
        assert_eq!(relaxation_s("rate = 10", "\"0s\"", "workers = 10"), 0.0);
    }

    #[test]
    fn a_queue_forgets_as_theory_says() {
        // M/M/1 at 0.9 forgets in 380 services, at 0.99 in 39 800.
        near(
            relaxation_s("rate = 90", EXPONENTIAL, "workers = 1"),
            3.7974,
        );
        near(
            relaxation_s("rate = 99", EXPONENTIAL, "workers = 1"),
            397.99,
        );
        // Half as long without any variability of demand, and none of the arrivals' either: a floor.
        near(
            relaxation_s("rate = 90", "\"10ms\"", "workers = 1"),
            3.7974 / 2.0,
        );
        // Ten workers at 0.9: a tenth; hardly loaded: one service.
        near(
            relaxation_s("rate = 900", EXPONENTIAL, "workers = 10"),
            0.379_74,
        );
        near(relaxation_s("rate = 1", EXPONENTIAL, "workers = 10"), 0.01);
        // Room for ten: 1/(λ + μ − 2 √(λμ) cos(π/11)) at λ = μ = 100.
        near(
            relaxation_s(
                "rate = 100",
                EXPONENTIAL,
                "workers = 1, queue = { limit = 9 }",
            ),
            1.0 / (200.0 * (1.0 - libm::cos(std::f64::consts::PI / 11.0))),
        );
        // Who waits for 50 ms on average forgets with them.
        let patient =
            "workers = 1, queue = { patience = { kind = \"exponential\", mean = \"50ms\" } }";
        near(relaxation_s("rate = 200", EXPONENTIAL, patient), 0.05);
    }

    #[test]
    fn a_load_of_one_needs_something_that_gives_way() {
        let code = |traffic: &str, server: &str| {
            of(traffic, EXPONENTIAL, server)
                .err()
                .map(|reason| reason.code())
        };
        assert_eq!(code("rate = 100", "workers = 1"), Some("overloaded"));
        assert_eq!(code("rate = 99", "workers = 1"), None);
        assert_eq!(
            code("rate = 300", "workers = 1, queue = { limit = 5 }"),
            None
        );
        let patient = "workers = 1, queue = { patience = \"1s\" }";
        assert_eq!(code("rate = 300", patient), None);
        let closed = "arrivals = { kind = \"closed\", users = 50, think = \"1s\" }";
        assert_eq!(code(closed, "workers = 1"), None);
    }

    #[test]
    fn phases_repairs_and_pauses_take_their_time() {
        let mmpp = "rate = 50, arrivals = { kind = \"mmpp\", factors = [1.5, 0.5], lengths = [\"20s\", \"20s\"] }";
        let found = of(mmpp, EXPONENTIAL, "workers = 1").expect("a steady state");
        assert_eq!(found.slow, Slow::Phases);
        assert!(found.relaxation_s > 10.0, "{found:?}");
        let broken = "workers = 1, breakdowns = { every = \"30s\", repair = \"10s\" }";
        let found = of("rate = 10", EXPONENTIAL, broken).expect("a steady state");
        assert_eq!((found.slow, found.relaxation_s), (Slow::Breakdowns, 10.0));
        let closed = "arrivals = { kind = \"closed\", users = 5, think = \"7s\" }";
        let found = of(closed, EXPONENTIAL, "workers = 1").expect("a steady state");
        assert_eq!((found.slow, found.relaxation_s), (Slow::Users, 7.0));
    }

    #[test]
    fn heavy_tails_take_many_requests() {
        let requests = |demand: &str, server: &str| {
            of("rate = 50", demand, server)
                .expect("a steady state")
                .tail_requests
        };
        let one = "workers = 1";
        // 720 / 24^1.5 = 6.12; e^(6 ln 2) = 64; e^(6 ln 5) = 15 625.
        near(requests(EXPONENTIAL, one), 375.0);
        near(
            requests(r#"{ kind = "lognormal", mean = "10ms", cv = 1 }"#, one),
            40_960.0,
        );
        near(
            requests(r#"{ kind = "lognormal", mean = "10ms", cv = 2 }"#, one),
            15_625_000.0,
        );
        let pareto = r#"{ kind = "pareto", mean = "10ms", shape = 2.5 }"#;
        assert!(requests(pareto, one).is_infinite());
        let sharing = "workers = 1, queue = { discipline = \"processor-sharing\" }";
        assert!(requests(pareto, sharing) <= 0.0);
        assert!(
            requests(
                r#"{ kind = "lognormal", mean = "10ms", cv = 2 }"#,
                "workers = 4"
            ) < 20_000.0
        );
        let none = r#"{ kind = "pareto", mean = "10ms", shape = 1.5 }"#;
        assert_eq!(
            of("rate = 50", none, one).err(),
            Some(Withheld::InfiniteVariance)
        );
    }
}
