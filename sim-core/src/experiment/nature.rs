//! Whether a steady state can be spoken of.

use crate::discipline::Order;
use crate::load::{self, Peak};
use crate::model::{Model, ServerParams};
use crate::statistics::Withheld;

/// What kind of question a scenario asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Nature {
    /// The same conditions throughout: what is asked is how it goes in the long run. The start,
    /// from empty, is left out.
    Steady,
    /// Something happens: what is asked is how it goes from beginning to end. Nothing is left out
    /// but what the scenario says. Holds what happens.
    Terminating(&'static str),
}

impl Nature {
    /// That of a model.
    pub fn of(model: &Model) -> Self {
        if !model.timeline.is_empty() {
            return Self::Terminating("it has a time line");
        }
        if model.sources.iter().any(|source| source.rate.varies()) {
            return Self::Terminating("its rate varies");
        }
        let mut once = model.sources.iter().map(|s| s.arrivals.def.happens_once);
        if let Some(why) = once.find_map(|why| why) {
            return Self::Terminating(why);
        }
        let crashes = model.servers.iter().any(|s| !s.params.crash.is_empty())
            || model.services.iter().any(|s| !s.balancer.crash.is_empty());
        if crashes {
            return Self::Terminating("it has crash rules");
        }
        let killed = model.servers.iter().any(|s| s.params.memory.is_some())
            || model.services.iter().any(|s| s.balancer.memory.is_some());
        if killed {
            return Self::Terminating("it can run out of memory");
        }
        Self::Steady
    }

    /// Whether there is a steady state to speak of.
    pub fn is_steady(&self) -> bool {
        *self == Self::Steady
    }
}

/// Relaxation times of a queue that have to be measured at least. With fewer, the mean of a queue that
/// begins empty is so low that its interval leaves the truth out.
const RELAXATIONS: f64 = 10.0;

/// What can be told from the model alone about a service that nothing bounds: that there is no
/// steady state, or that the run is too short to see it, whatever is measured.
pub(super) fn unsteady(model: &Model) -> Option<Withheld> {
    let peaks = load::peaks(model);
    let of = |service: usize| {
        let peak = peaks[service]?;
        is_unbounded(model, service).then(|| obstacle(model, service, peak))?
    };
    // The worst first: more than can be done, then what has no mean, then what takes long.
    let rank = |reason: &Withheld| match reason {
        Withheld::Overloaded { offered_load } => (2, *offered_load),
        Withheld::TooShort { offered_load, .. } => (0, *offered_load),
        _ => (1, 0.0),
    };
    let found = (0..model.services.len()).filter_map(of);
    found.max_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    })
}

/// Whether requests may wait at a service without end: nobody gives up, and no limit is set.
fn is_unbounded(model: &Model, service: usize) -> bool {
    let gives_up = model
        .clients
        .iter()
        .all(|c| (c.timeout.is_some() || c.deadline.is_some()) && c.cancel);
    let service = &model.services[service];
    !gives_up
        && service.balancer.max_connections.is_none()
        && service.servers.iter().any(|id| {
            let params = &model.servers[id.0 as usize].params;
            params.queue_limit == u32::MAX && params.max_connections.is_none()
        })
}

fn obstacle(model: &Model, service: usize, peak: Peak) -> Option<Withheld> {
    let offered_load = peak.offered_load;
    if offered_load >= 1.0 {
        return Some(Withheld::Overloaded { offered_load });
    }
    let service = &model.services[service];
    let cv2 = service.demand.build().cv2();
    let alone = match service.servers.as_slice() {
        [only] => Some(&model.servers[only.0 as usize].params),
        _ => None,
    };
    let shared = |s: &ServerParams| matches!(s.discipline.order(), Order::Shared);
    // Pollaczek and Khinchine's formula; of several servers some may be spared by the longest.
    if !cv2.is_finite() && alone.is_some_and(|s| s.workers == 1 && !shared(s)) {
        return Some(Withheld::InfiniteVariance);
    }
    // Relaxation time of M/M/1, 1/(√μ − √λ)² (Cohen, The Single Server Queue, 1982), as if all servers
    // were one, which is the shortest that it can be; in heavy traffic it grows with the
    // variability of the demand (Whitt, Management Science 35, 1989).
    let variability = if cv2.is_finite() {
        0.5 * (1.0 + cv2)
    } else {
        1.0
    };
    let gap = 1.0 - libm::sqrt(offered_load);
    let relaxation_s = variability / (peak.capacity_hz * gap * gap);
    let measured_s = model.horizon.as_secs_f64() - model.warm_up.as_secs_f64();
    let have = measured_s / relaxation_s;
    (have < RELAXATIONS).then_some(Withheld::TooShort {
        offered_load,
        have,
        need: RELAXATIONS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &str) -> (Nature, Option<f64>) {
        let text = format!(
            "horizon = \"1m\"\n{more}\n[service.web]\ndemand = \"10ms\"\nserver = [{{ name = \"a\", workers = 1 }}]\n"
        );
        let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        let overload = match unsteady(&model) {
            Some(Withheld::Overloaded { offered_load }) => Some(offered_load),
            _ => None,
        };
        (Nature::of(&model), overload)
    }

    /// Why nothing can be said of one server with so much time, load and demand.
    fn refused(horizon: &str, rate: f64, demand: &str, more: &str) -> Option<&'static str> {
        let text = format!(
            "horizon = \"{horizon}\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = {demand}\n\
             server = [{{ name = \"a\", workers = 1{more} }}]\n"
        );
        let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        unsteady(&model).map(|reason| reason.code())
    }

    #[test]
    fn near_a_load_of_one_a_run_must_be_long() {
        // M/M/1 at 0.9 forgets in 3.8 s when a service takes 10 ms, at 0.99 in 397 s.
        let exponential = r#"{ kind = "exponential", mean = "10ms" }"#;
        assert_eq!(refused("35s", 90.0, exponential, ""), Some("too-short"));
        assert_eq!(refused("40s", 90.0, exponential, ""), None);
        assert_eq!(refused("1h", 99.0, exponential, ""), Some("too-short"));
        assert_eq!(refused("70m", 99.0, exponential, ""), None);
        // Half as long without any variability, and longer with much.
        assert_eq!(refused("25s", 90.0, "\"10ms\"", ""), None);
        let wild = r#"{ kind = "lognormal", mean = "10ms", cv = 3 }"#;
        assert_eq!(refused("3m", 90.0, wild, ""), Some("too-short"));
        assert_eq!(refused("4m", 90.0, wild, ""), None);
        // A queue with an end fills and forgets.
        let bounded = ", queue = { limit = 10 }";
        assert_eq!(refused("10s", 99.0, exponential, bounded), None);
    }

    #[test]
    fn a_demand_without_variance_has_no_mean_wait() {
        let pareto = r#"{ kind = "pareto", mean = "10ms", shape = 1.5 }"#;
        assert_eq!(refused("10h", 50.0, pareto, ""), Some("infinite-variance"));
        let sharing = ", queue = { discipline = \"processor-sharing\" }";
        assert_eq!(refused("10h", 50.0, pareto, sharing), None);
    }

    #[test]
    fn what_happens_only_once_is_no_steady_state() {
        let steady = "traffic = [{ to = \"web\", rate = 50 }]";
        assert_eq!(of(steady), (Nature::Steady, None));
        for (why, more) in [
            (
                "its rate varies",
                "traffic = [{ to = \"web\", rate = [[\"0s\", 1], [\"9s\", 2]] }]".to_owned(),
            ),
            (
                "it has a time line",
                format!(
                    "{steady}\ntimeline = [{{ at = \"1s\", do = \"crash\", target = \"service.web.server.a\" }}]"
                ),
            ),
        ] {
            assert_eq!(of(&more).0, Nature::Terminating(why));
        }
    }

    #[test]
    fn a_load_of_one_has_no_steady_state_unless_something_gives_way() {
        assert_eq!(of("traffic = [{ to = \"web\", rate = 100 }]").1, Some(1.0));
        assert_eq!(of("traffic = [{ to = \"web\", rate = 99 }]").1, None);
        let patient = "traffic = [{ to = \"web\", rate = 200 }]\nclient = { timeout = \"1s\" }";
        assert_eq!(of(patient).1, Some(2.0), "the server works on for nobody");
        let cancelling = "traffic = [{ to = \"web\", rate = 200 }]\nclient = { timeout = \"1s\", cancel = true }";
        assert_eq!(of(cancelling).1, None);
    }
}
