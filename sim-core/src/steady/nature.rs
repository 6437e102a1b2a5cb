//! Whether a steady state can be spoken of.

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

/// What is estimated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Estimand {
    /// What the scenario's nature suggests: the steady state where there is one to speak of, and
    /// otherwise what happens over the horizon.
    #[default]
    ByNature,
    /// The steady state: how it goes in the long run.
    Steady,
    /// What happens from the end of the warm-up to the horizon, which is as it is, short or not.
    Horizon,
}

impl Estimand {
    /// Whether that is the steady state of a model.
    pub fn is_steady(self, model: &Model) -> bool {
        match self {
            Self::ByNature => Nature::of(model).is_steady(),
            Self::Steady => true,
            Self::Horizon => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &str) -> (Nature, Model) {
        let text = format!(
            "horizon = \"1m\"\n{more}\n[service.web]\ndemand = \"10ms\"\nserver = [{{ name = \"a\", workers = 1 }}]\n"
        );
        let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        (Nature::of(&model), model)
    }

    #[test]
    fn what_happens_only_once_is_no_steady_state() {
        let steady = "traffic = [{ to = \"web\", rate = 50 }]";
        assert_eq!(of(steady).0, Nature::Steady);
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
    fn what_is_asked_for_goes_before_what_is_suggested() {
        let (_, steady) = of("traffic = [{ to = \"web\", rate = 50 }]");
        let (_, once) = of("traffic = [{ to = \"web\", rate = [[\"0s\", 1], [\"9s\", 2]] }]");
        assert!(Estimand::ByNature.is_steady(&steady) && !Estimand::ByNature.is_steady(&once));
        assert!(!Estimand::Horizon.is_steady(&steady) && Estimand::Steady.is_steady(&once));
    }
}
