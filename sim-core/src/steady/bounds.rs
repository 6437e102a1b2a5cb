//! What keeps a service's queue from growing without end.
//!
//! Where nothing does, a load of one or more has no steady state. Every property of callers,
//! balancers and servers is asked here, by name, so that the compiler asks for the verdict of a new
//! one.

use crate::extension::Configured;
use crate::guard::{Bounding, GuardDef};
use crate::ids::Id;
use crate::model::{Balancer, Client, Model, ServerParams, Service, ServiceId};

/// What bounds a service.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Bounds {
    /// So many requests at most, waiting or in service.
    pub number: Option<f64>,
    /// Nobody stays longer than about so many seconds: those who wait give up, and their work is not
    /// done.
    pub stay_s: Option<f64>,
    /// Something gives way, and what is measured must show whether that is enough.
    pub perhaps: bool,
}

impl Bounds {
    /// Whether the queue surely has an end.
    pub(super) fn surely(&self) -> bool {
        self.number.is_some() || self.stay_s.is_some()
    }

    /// What holds when both do.
    fn and(self, other: Self) -> Self {
        let least = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, other) => one.or(other),
        };
        Self {
            number: least(self.number, other.number),
            stay_s: least(self.stay_s, other.stay_s),
            perhaps: self.perhaps || other.perhaps,
        }
    }

    /// What holds of several places side by side, of which a request takes one.
    fn beside(places: impl Iterator<Item = Self>) -> Self {
        let mut all: Option<Self> = None;
        for place in places {
            let before = all.unwrap_or(Self {
                number: Some(0.0),
                stay_s: Some(0.0),
                perhaps: true,
            });
            let sure = |bounds: &Self| bounds.surely() || bounds.perhaps;
            all = Some(Self {
                number: before.number.zip(place.number).map(|(a, b)| a + b),
                // Where a place is bounded by a number, a stay there is no longer than elsewhere.
                stay_s: match (before.stay_s, place.stay_s) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    (Some(a), None) if place.number.is_some() => Some(a),
                    _ => None,
                },
                perhaps: sure(&before) && sure(&place),
            });
        }
        let mut all = all.unwrap_or_default();
        // A stay of zero is the start and no bound.
        all.stay_s = all.stay_s.filter(|s| *s > 0.0);
        all
    }
}

/// What bounds a service of a model.
pub(super) fn bounds(model: &Model, service: usize) -> Bounds {
    let Service {
        balancer,
        servers,
        name: _,
        demand: _,
        link: _,
        zones: _,
        // A caller waits for what it calls; what bounds that is asked of the service called.
        calls: _,
        // What there may be of servers is bounded by each of them.
        autoscaler: _,
        provisioning: _,
        numbers: _,
    } = &model.services[service];
    let callers = callers(model, ServiceId::at(service));
    // A place counts those who hold it. One that a caller leaves while the server works on is free, and
    // the work is still there.
    let keep = callers
        .iter()
        .all(|client| client.cancel || (client.timeout.is_none() && client.deadline.is_none()));
    let held = |bounds: Bounds| {
        if keep {
            bounds
        } else {
            Bounds {
                number: None,
                perhaps: bounds.perhaps || bounds.number.is_some(),
                ..bounds
            }
        }
    };
    let of_callers = Bounds::beside(callers.iter().map(|client| of_client(client)));
    let of_servers = Bounds::beside(servers.iter().map(|id| {
        let server = &model.servers[id.0 as usize].params;
        let (inside, connections) = of_server(server, balancer);
        inside.and(held(connections))
    }));
    held(of_callers)
        .and(held(of_balancer(balancer)))
        .and(of_servers)
}

/// Everybody who asks a service.
fn callers(model: &Model, service: ServiceId) -> Vec<&Client> {
    let sources = model.sources.iter().filter(|source| source.to == service);
    let outside = sources.flat_map(|source| source.clients.iter().copied());
    let asks = model.services.iter().flat_map(Service::asks);
    let inside = asks.filter(|ask| ask.to == service).map(|ask| ask.client);
    outside
        .chain(inside)
        .map(|id| &model.clients[id.position()])
        .collect()
}

fn of_client(client: &Client) -> Bounds {
    let Client {
        timeout,
        deadline,
        cancel,
        guards,
        // Tries again, which adds work and bounds nothing; what that amounts to is seen.
        retry: _,
        hedge: _,
    } = client;
    let gives_up = timeout.iter().chain(deadline).min();
    let stay_s = gives_up.filter(|_| *cancel).map(|span| span.as_secs_f64());
    let stays = Bounds {
        stay_s,
        ..Bounds::default()
    };
    stays.and(of_guards(guards, 1))
}

fn of_balancer(balancer: &Balancer) -> Bounds {
    let Balancer {
        dialect: _,
        instances,
        max_connections,
        guards,
        // Bounds those that wait for the instance's own work, and not those at the servers.
        queue_limit: _,
        // Where attempts wait that no server takes; asked with the servers' connections.
        pending_queue: _,
        policy: _,
        instance_selection: _,
        balances: _,
        load_reports: _,
        subset: _,
        cost: _,
        // With these something happens, and there is no steady state to speak of.
        memory: _,
        crash: _,
        down_behaviour: _,
        restart: _,
        boot: _,
        // Who is ejected or slowed gets less, and others more.
        health: _,
        standby: _,
        link: _,
        by_zone: _,
        // What goes elsewhere is asked there.
        routes: _,
        // What is tried again comes on top of what bounds are about.
        client: _,
        // Makes limits smaller while little is to be done.
        full_connections: _,
    } = balancer;
    let connections = Bounds {
        number: max_connections.map(|most| f64::from(most) * f64::from(*instances)),
        ..Bounds::default()
    };
    connections.and(of_guards(guards, *instances))
}

/// What bounds a server from the inside, and what its balancer's connections do.
fn of_server(server: &ServerParams, balancer: &Balancer) -> (Bounds, Bounds) {
    let ServerParams {
        workers,
        queue_limit,
        patience,
        guards,
        max_connections,
        // A smaller limit while little is to be done.
        min_connections: _,
        // Bounded by the pending queue as a whole.
        max_pending: _,
        // Decides who is asked, not how many wait.
        health: _,
        weight: _,
        speed: _,
        // Order decides who waits, not how many do.
        discipline: _,
        breakdowns: _,
        slowdown: _,
        // With these something happens, and there is no steady state to speak of.
        memory: _,
        crash: _,
        crash_keeps_queue: _,
        errors: _,
        down_behaviour: _,
        restart: _,
        boot: _,
        warm_up: _,
        priority: _,
        liveness: _,
        link: _,
        // Shared cores make it slower, and bound nothing.
        host: _,
    } = server;
    let queue = Bounds {
        number: (*queue_limit < u32::MAX).then(|| f64::from(*workers) + f64::from(*queue_limit)),
        stay_s: patience.as_ref().and_then(|law| {
            let mean_s = law.build().mean_ns() / 1e9;
            mean_s.is_finite().then_some(mean_s)
        }),
        perhaps: patience.is_some(),
    };
    let waiting = balancer.pending_queue.map_or(Some(0.0), |pending| {
        (pending.limit < u32::MAX).then(|| f64::from(pending.limit))
    });
    let most = max_connections.map(|most| f64::from(most) * f64::from(balancer.instances));
    let connections = Bounds {
        number: most.zip(waiting).map(|(most, waiting)| most + waiting),
        stay_s: None,
        perhaps: most.is_some(),
    };
    (queue.and(of_guards(guards, 1)), connections)
}

fn of_guards(guards: &[Configured<GuardDef>], owners: u32) -> Bounds {
    let mut all = Bounds::default();
    for guard in guards {
        all = all.and(match guard.def.bounds {
            Bounding::No => Bounds::default(),
            Bounding::Perhaps => Bounds {
                perhaps: true,
                ..Bounds::default()
            },
            Bounding::Number(most) => {
                let shared = guard.shared();
                let owners = if shared { 1.0 } else { f64::from(owners) };
                Bounds {
                    number: Some(most(&guard.params) * owners),
                    ..Bounds::default()
                }
            }
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &str, server: &str) -> Bounds {
        let text = format!(
            "horizon = \"1m\"\ntraffic = [{{ to = \"web\", rate = 200 }}]\n{more}\n[service.web]\ndemand = \"10ms\"\nserver = [{{ name = \"a\", workers = 1{server} }}, {{ name = \"b\", workers = 2{server} }}]\n"
        );
        let model = crate::scenario::parse(&text).unwrap_or_else(|p| panic!("{p}\n{text}"));
        bounds(&model, 0)
    }

    #[test]
    fn what_bounds_a_queue_is_known() {
        let nothing = Bounds::default();
        assert_eq!(of("", ""), nothing);
        assert_eq!(
            of("client = { timeout = \"1s\" }", ""),
            nothing,
            "work goes on"
        );
        let giving_up = of(
            "client = { timeout = \"1s\", deadline = \"3s\", cancel = true }",
            "",
        );
        assert_eq!((giving_up.number, giving_up.stay_s), (None, Some(1.0)));
        let number = |more: &str, server: &str| of(more, server).number;
        assert_eq!(number("", ", queue = { limit = 7 }"), Some(17.0));
        assert_eq!(number("", ", max_connections = 5"), Some(10.0));
        assert_eq!(
            number(
                "[service.web.balancer]\nmax_connections = 40\ninstances = 2",
                ""
            ),
            Some(80.0)
        );
        let limit = "guards = [{ kind = \"concurrency-limit\", limit = 4, queue = 1 }]";
        assert_eq!(number("", &format!(", {limit}")), Some(10.0));
        assert_eq!(number(&format!("client = {{ {limit} }}"), ""), Some(5.0));
        let patient = of(
            "",
            ", queue = { patience = { kind = \"exponential\", mean = \"2s\" } }",
        );
        assert_eq!((patient.number, patient.stay_s), (None, Some(2.0)));
    }

    #[test]
    fn a_place_that_is_left_while_the_work_goes_on_bounds_nothing_for_sure() {
        let limit = "guards = [{ kind = \"concurrency-limit\", limit = 4 }]";
        let found = of(&format!("client = {{ timeout = \"1s\", {limit} }}"), "");
        assert!(!found.surely() && found.perhaps, "{found:?}");
        let inside = of("client = { timeout = \"1s\" }", &format!(", {limit}"));
        assert_eq!(
            inside.number,
            Some(8.0),
            "the server keeps count of its work"
        );
    }

    #[test]
    fn one_server_without_a_bound_is_enough() {
        let text = "horizon = \"1m\"\ntraffic = [{ to = \"web\", rate = 200 }]\n[service.web]\ndemand = \"10ms\"\nserver = [{ name = \"a\", workers = 1, queue = { limit = 3 } }, { name = \"b\", workers = 1 }]\n";
        let model = crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}"));
        assert_eq!(bounds(&model, 0), Bounds::default());
        let mixed = text.replace(
            "workers = 1 }",
            "workers = 1, queue = { patience = \"3s\" } }",
        );
        let model = crate::scenario::parse(&mixed).unwrap_or_else(|p| panic!("{p}"));
        let found = bounds(&model, 0);
        assert_eq!((found.number, found.stay_s), (None, Some(3.0)));
    }

    #[test]
    fn every_guard_says_whether_it_bounds() {
        for (kind, perhaps) in [
            ("{ kind = \"rate-limit\", rate = 50 }", true),
            ("{ kind = \"circuit-breaker\" }", true),
            ("{ kind = \"adaptive-throttle\" }", true),
            ("{ kind = \"deadline\" }", true),
            ("{ kind = \"retry-budget\" }", false),
        ] {
            let found = of(
                &format!("client = {{ timeout = \"1s\", guards = [{kind}] }}"),
                "",
            );
            assert_eq!((found.surely(), found.perhaps), (false, perhaps), "{kind}");
        }
    }
}
