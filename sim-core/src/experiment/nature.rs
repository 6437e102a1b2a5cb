//! Whether a steady state can be spoken of.

use crate::load;
use crate::model::Model;

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
        let varies = |s: &crate::model::Source| {
            s.rate
                .windows(2)
                .any(|pair| pair[0].rate_hz.to_bits() != pair[1].rate_hz.to_bits())
        };
        if model.sources.iter().any(varies) {
            return Self::Terminating("its rate varies");
        }
        if model
            .sources
            .iter()
            .any(|s| s.arrivals.def.plug.name == "trace")
        {
            return Self::Terminating("it replays a trace");
        }
        let crashes = model.servers.iter().any(|s| !s.params.crash.is_empty())
            || model.services.iter().any(|s| !s.balancer.crash.is_empty());
        if crashes {
            return Self::Terminating("it has crash rules");
        }
        Self::Steady
    }

    /// Whether there is a steady state to speak of.
    pub fn is_steady(&self) -> bool {
        *self == Self::Steady
    }
}

/// The offered load of a service that is offered as much as it can do or more, while nothing bounds
/// what waits for it: no steady state exists, whatever is measured.
pub(super) fn overload(model: &Model) -> Option<f64> {
    let gives_up = model
        .clients
        .iter()
        .all(|c| (c.timeout.is_some() || c.deadline.is_some()) && c.cancel);
    let unbounded = |service: &crate::model::Service| {
        !gives_up
            && service.balancer.max_connections.is_none()
            && service.servers.iter().any(|id| {
                let params = &model.servers[id.0 as usize].params;
                params.queue_limit == u32::MAX && params.max_connections.is_none()
            })
    };
    let peaks = load::peaks(model);
    let loads = model
        .services
        .iter()
        .zip(peaks)
        .filter_map(|(service, peak)| {
            let load = peak?.offered_load;
            (load >= 1.0 && unbounded(service)).then_some(load)
        });
    loads.max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &str) -> (Nature, Option<f64>) {
        let text = format!(
            "horizon = \"1m\"\n{more}\n[service.web]\ndemand = \"10ms\"\nserver = [{{ name = \"a\", workers = 1 }}]\n"
        );
        let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        (Nature::of(&model), overload(&model))
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
