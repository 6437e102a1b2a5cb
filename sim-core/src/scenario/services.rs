//! Services, their balancers and calls, from sections to the model.

use super::build::{
    balancer_memory, bound, count, crash_rules, guards, health, memory_is_known, optional,
};
use super::by_zone::split_by_zone;
use super::clients::{
    CLIENTS_MAX, ClassRow, Outside, class_names, classes, client, find_classes, find_service,
    sources,
};
use super::hosts::hosts;
use super::links::{declared_zones, inner_link, link};
use super::own_rules::own_rules;
use super::problem::{Problem, Span};
use super::routes::routes;
use super::section::{Cx, Item};
use super::sections::{
    BalancerSpec, CacheSpec, CallAt, CallSpec, PendingQueueSpec, ServiceSpec, Top,
};
use super::tree::Node;
use crate::crash::BALANCER_GAUGES;
use crate::ids::Id;
use crate::model::{
    Balancer, Balances, CACHED_CALLS, Cache, Call, Class, Client, ClientId, Host, OutOfService,
    PendingQueue, Provisioning, Service, Source, Standby,
};

/// Most services.
const SERVICES_MAX: usize = 1000;
/// Each pair of a class and a service has counters and histograms of its own.
const FLOWS_MAX: usize = 10_000;

/// The model without its servers and without what concerns time: all that is rebuilt when
/// something other than a server changes.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Skeleton {
    pub classes: Vec<Class>,
    pub sources: Vec<Source>,
    pub clients: Vec<Client>,
    /// With empty lists of servers.
    pub services: Vec<Service>,
    pub hosts: Vec<Host>,
}

/// Builds everything but servers, time line, monitoring and expectations.
pub(crate) fn skeleton(top: &Top, cx: &mut Cx<'_>) -> Option<Skeleton> {
    let written = top.service.get()?;
    if written.is_empty() {
        if !cx.problems.spares(top.span, "service") {
            cx.push(
                Problem::new("E011", "no service")
                    .at(top.span)
                    .help("add a [service.NAME] with `demand`, and a [[service.NAME.server]]"),
            );
        }
        return None;
    }
    if written.len() > SERVICES_MAX {
        cx.push(
            Problem::new(
                "E024",
                format!(
                    "{} services; at most {SERVICES_MAX} are allowed",
                    written.len()
                ),
            )
            .at(top.service.span),
        );
        return None;
    }
    let names: Vec<String> = written.iter().map(|(name, _, _)| name.clone()).collect();
    let class_names = class_names(top)?;
    let rows = classes(top, cx);
    let outside = rows
        .as_ref()
        .and_then(|rows: &Vec<ClassRow<'_>>| sources(top, rows, &names, cx));
    let whole = outside.is_some();
    let mut outside = outside.unwrap_or(Outside {
        sources: Vec::new(),
        clients: Vec::new(),
    });
    let known = Known {
        services: &names,
        classes: &class_names,
    };
    let hosts = hosts(top, cx);
    let services: Vec<_> = written
        .iter()
        .map(|(name, _, spec)| service(name, spec, &known, &mut outside.clients, cx))
        .collect();
    let services: Vec<Service> = services.into_iter().collect::<Option<_>>()?;
    check_cycles(written, &services, cx)?;
    check_balances(written, &services, cx)?;
    check_lines(written, &services, cx)?;
    if !whole {
        return None;
    }
    let classes: Vec<_> = rows?.into_iter().map(|row| row.class).collect();
    if classes.len() * services.len() > FLOWS_MAX {
        let what = format!(
            "{} classes times {} services; at most {FLOWS_MAX} pairs can be told apart",
            classes.len(),
            services.len()
        );
        cx.push(Problem::new("E024", what).at(top.class.span));
        return None;
    }
    Some(Skeleton {
        classes,
        sources: outside.sources,
        clients: outside.clients,
        services,
        hosts: hosts?,
    })
}

/// The names that services can refer to.
pub(crate) struct Known<'a> {
    pub services: &'a [String],
    pub classes: &'a [&'a str],
}

fn service(
    name: &str,
    spec: &ServiceSpec,
    known: &Known<'_>,
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<Service> {
    let balancer = spec
        .balancer
        .get()
        .and_then(|b| balancer(b, known, clients, cx));
    let calls: Vec<_> = spec
        .call
        .get()?
        .iter()
        .map(|c| call(c, known, clients, cx))
        .collect();
    check_parallel(spec.call.get()?, cx)?;
    check_caches(spec.call.get()?, cx)?;
    for (_, _, zone) in spec.zone.get()? {
        inner_link(&zone.link, cx)?;
    }
    Some(Service {
        name: name.to_owned(),
        demand: spec.demand.get()?.clone(),
        link: link(&spec.link)?,
        zones: declared_zones(spec)?,
        balancer: balancer?,
        servers: Vec::new(),
        calls: calls.into_iter().collect::<Option<_>>()?,
        autoscaler: spec.autoscaler.get()?.clone(),
        provisioning: provisioning(spec, cx)?,
        numbers: spec.numbers.copied()?,
    })
}

/// How servers are found, which nobody asks for without an autoscaler.
fn provisioning(spec: &ServiceSpec, cx: &mut Cx<'_>) -> Option<Provisioning> {
    if spec.provisioning.written && !spec.autoscaler.written {
        let what = "without an `autoscaler` nobody asks for servers";
        cx.push(Problem::new("E017", what).at(spec.provisioning.span));
        return None;
    }
    let spec = spec.provisioning.get()?;
    Some(Provisioning {
        time: spec.time.get()?.clone(),
        failure: spec.failure.copied()?,
        pause: spec.pause.copied()?,
    })
}

/// An autoscaler that can never have as many servers as it must.
pub(crate) fn check_autoscalers(top: &Top, services: &[Service], cx: &mut Cx<'_>) -> Option<()> {
    let mut clean = true;
    for ((_, _, spec), service) in top.service.get()?.iter().zip(services) {
        let Some(rule) = &service.autoscaler else {
            continue;
        };
        let (least, there) = (rule.bounds().0, service.servers.len());
        if there < least as usize {
            let name = &service.name;
            let what =
                format!("at least {least} servers are wanted, and {there} of `{name}` are written");
            let problem = Problem::new("E017", what).at(spec.autoscaler.span);
            cx.push(problem.help("write more of them, such as with `count` and `present = false`"));
            clean = false;
        }
    }
    clean.then_some(())
}

/// A balancer can choose for each connection only where callers keep any; and it then keeps none of
/// its own, but passes on what comes over theirs.
fn check_balances(
    written: &[(String, Span, ServiceSpec)],
    services: &[Service],
    cx: &mut Cx<'_>,
) -> Option<()> {
    let mut clean = true;
    for (index, ((name, _, spec), service)) in written.iter().zip(services).enumerate() {
        if service.balancer.balances != Balances::Connections {
            continue;
        }
        let span = spec.balancer.get()?.balances.span;
        let asks = services.iter().flat_map(Service::asks);
        let mut asks = asks.filter(|ask| ask.to.position() == index);
        let kept =
            service.link.connections.is_some() || asks.any(|ask| ask.link.connections.is_some());
        if !kept {
            let what = "callers keep no connections: each request is one of its own";
            let help = format!(
                "write service.{name}.link = {{ connections = \"shared\" }}, or balances = \"requests\""
            );
            cx.push(Problem::new("E017", what).at(span).help(help));
            clean = false;
        }
        if let Some(route) = spec.balancer.get()?.routes.get()?.first() {
            let what = "a balancer that chooses for each connection does not look at requests";
            let problem = Problem::new("E017", what).at(span);
            let problem = problem.label(route.span, "and cannot route them");
            cx.push(problem.help("write balances = \"requests\""));
            clean = false;
        }
        if service.balancer.client.is_some() {
            let what = "a balancer that chooses for each connection does not look at requests";
            let spec = spec.balancer.get()?;
            let written = spec.client.written;
            let client = if written {
                spec.client.span
            } else {
                spec.class.span
            };
            let problem = Problem::new("E017", what).at(span);
            let problem = problem.label(client, "and cannot try them again");
            cx.push(problem.help("write balances = \"requests\""));
            clean = false;
        }
        let zones = service.zones.iter().map(|zone| &zone.link);
        let mut behind = zones.chain([&service.balancer.link]);
        if behind.any(|link| link.connections.is_some()) {
            let what = "a balancer that chooses for each connection keeps none of its own";
            let help = format!(
                "leave out the `connections` of service.{name}.balancer.link and of its zones, or write balances = \"requests\""
            );
            cx.push(Problem::new("E017", what).at(span).help(help));
            clean = false;
        }
    }
    clean.then_some(())
}

/// Waiting for one server, and limits that depend on what there is to do, are of policies that see full servers.
fn check_lines(
    written: &[(String, Span, ServiceSpec)],
    services: &[Service],
    cx: &mut Cx<'_>,
) -> Option<()> {
    let mut clean = true;
    for ((_, _, spec), service) in written.iter().zip(services) {
        let balancer = &service.balancer;
        let lines = balancer.pending_queue.is_some_and(|pending| {
            pending.per_server > 0 || pending.out_of_service != OutOfService::Wait
        });
        let depends = balancer.full_connections.is_some();
        if !lines && !depends || balancer.policy.build().sees_full() {
            continue;
        }
        let spec = spec.balancer.get()?;
        let (what, span) = if depends {
            ("`full_connections`", spec.full_connections.span)
        } else {
            ("to wait for one server", spec.pending_queue.span)
        };
        let name = balancer.policy.def.row.name;
        let what = format!(
            "{what} is for policies that see servers at their limit, and `{name}` does not"
        );
        let help = "`haproxy-roundrobin` and those beside it do: `stampede list policies`";
        cx.push(Problem::new("E017", what).at(span).help(help));
        clean = false;
    }
    clean.then_some(())
}

fn balancer(
    spec: &BalancerSpec,
    known: &Known<'_>,
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<Balancer> {
    let routes = routes(spec, known, clients, cx);
    let client = own_rules(spec, known, clients, cx);
    let crash = crash_rules(&spec.crash, BALANCER_GAUGES, cx);
    let guards = guards(&spec.guards, "balancer", cx);
    let health = health(&spec.health, cx);
    let memory = optional(&spec.memory, |m| balancer_memory(m, cx));
    memory_is_known(
        "balancer",
        "{ base = \"100MiB\", per_connection = \"128KiB\", limit = \"512MiB\" }",
        crash.as_ref(),
        memory.as_ref(),
        spec.crash.span,
        cx,
    )?;
    let standby = spec.standby.get()?;
    Some(Balancer {
        dialect: spec.dialect.get()?.clone(),
        policy: spec.policy.get()?.clone(),
        instances: count(spec.instances.copied()?),
        instance_selection: spec.instance_selection.copied()?,
        balances: spec.balances.copied()?,
        load_reports: spec.load_reports.copied()?,
        subset: spec.subset.copied()?.map(count),
        max_connections: spec.max_connections.copied()?.map(count),
        cost: spec.cost.copied()?,
        queue_limit: bound(&spec.queue_limit)?,
        pending_queue: optional(&spec.pending_queue, pending_queue)?,
        full_connections: spec.full_connections.copied()?.map(count),
        guards: guards?,
        memory: memory?,
        crash: crash?,
        down_behaviour: spec.down_behaviour.copied()?,
        restart: spec.restart.get()?.clone(),
        boot: spec.boot.get()?.clone(),
        health: health?,
        standby: Standby {
            count: count(standby.count.copied()?),
            takeover: standby.takeover.copied()?,
        },
        link: inner_link(&spec.link, cx)?,
        by_zone: optional(&spec.by_zone, split_by_zone)?,
        routes: routes?,
        client: client?,
    })
}

fn pending_queue(spec: &PendingQueueSpec) -> Option<PendingQueue> {
    Some(PendingQueue {
        limit: count(spec.limit.copied()?),
        timeout: spec.timeout.copied()?,
        per_server: count(spec.per_server.copied()?),
        out_of_service: spec.out_of_service.copied()?,
    })
}

fn call(
    spec: &CallSpec,
    known: &Known<'_>,
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<Call> {
    let to = spec
        .to
        .get()
        .and_then(|to| find_service(to, spec.to.span, known.services, cx));
    let classes = find_classes(&spec.class, known.classes, cx);
    let client = inner_client(&spec.client, spec.span, clients, cx);
    Some(Call {
        to: to?,
        classes: classes?,
        before: spec.at.copied()? == CallAt::Before,
        probability: spec.probability.copied()?,
        parallel: spec.parallel.copied()?,
        hold: spec.hold.copied()?,
        required: spec.required.copied()?,
        cache: optional(&spec.cache, cache)?,
        client: client?,
        link: inner_link(&spec.link, cx)?,
    })
}

fn cache(spec: &CacheSpec) -> Option<Cache> {
    Some(Cache {
        capacity: count(spec.capacity.copied()?),
        ttl: spec.ttl.copied()?,
        coalesce: spec.coalesce.copied()?,
        shared: spec.shared.copied()?,
    })
}

/// The caller of a call or a route: one of its own, never shared.
pub(crate) fn inner_client(
    written: &Item<Node>,
    span: Span,
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<ClientId> {
    let client = client(written.get().into_iter(), cx)?;
    join(client, span, clients, cx)
}

/// One more caller within.
pub(crate) fn join(
    client: Client,
    span: Span,
    clients: &mut Vec<Client>,
    cx: &mut Cx<'_>,
) -> Option<ClientId> {
    if clients.len() >= CLIENTS_MAX {
        cx.push(Problem::new("E024", "too many calls").at(span));
        return None;
    }
    clients.push(client);
    Some(ClientId::at(clients.len() - 1))
}

/// Caches stand at the first calls of a service, and what they hold fits into memory.
fn check_caches(calls: &[CallSpec], cx: &mut Cx<'_>) -> Option<()> {
    let cached = |call: &CallSpec| matches!(call.cache.get(), Some(Some(_)));
    let late = calls.iter().skip(CACHED_CALLS).find(|call| cached(call));
    if let Some(call) = late {
        let what = format!("only the first {CACHED_CALLS} calls of a service can have a cache");
        cx.push(Problem::new("E024", what).at(call.cache.span));
        return None;
    }
    Some(())
}

/// A call beside none would be accepted and change nothing.
fn check_parallel(calls: &[CallSpec], cx: &mut Cx<'_>) -> Option<()> {
    for kind in [CallAt::Before, CallAt::After] {
        let first = calls.iter().find(|call| call.at.copied() == Some(kind));
        if let Some(first) = first.filter(|call| call.parallel.copied() == Some(true)) {
            let what = "the first call has none before it to go out beside";
            let problem = Problem::new("E017", what).at(first.parallel.span);
            cx.push(problem.help("write `parallel = true` at the calls that join it"));
            return None;
        }
    }
    Some(())
}

/// Calls that come back to where they began would never end.
fn check_cycles(
    written: &[(String, Span, ServiceSpec)],
    services: &[Service],
    cx: &mut Cx<'_>,
) -> Option<()> {
    // 0: not visited, 1: on the way, 2: done. The way is kept by hand: a long chain of services
    // must not use up the stack.
    let mut state = vec![0_u8; services.len()];
    for start in 0..services.len() {
        let mut way: Vec<(usize, usize)> = if state[start] == 0 {
            vec![(start, 0)]
        } else {
            Vec::new()
        };
        while let Some((service, next)) = way.pop() {
            state[service] = 1;
            let Some(call) = services[service].asks().nth(next) else {
                state[service] = 2;
                continue;
            };
            way.push((service, next + 1));
            let to = usize::from(call.to.0);
            match state[to] {
                0 => way.push((to, 0)),
                1 => {
                    let from = way.iter().position(|(s, _)| *s == to).unwrap_or(0);
                    let mut names: Vec<&str> = way[from..]
                        .iter()
                        .map(|(s, _)| services[*s].name.as_str())
                        .collect();
                    names.push(&services[to].name);
                    let span = (written.get(service)).and_then(|(_, _, spec)| {
                        let calls = spec.call.get()?;
                        let route = || spec.balancer.get()?.routes.get()?.get(next - calls.len());
                        let call = calls.get(next).map(|call| call.to.span);
                        call.or_else(|| Some(route()?.to.span))
                    });
                    let problem = Problem::new(
                        "E025",
                        format!("calls go round in a circle: {}", names.join(" → ")),
                    );
                    cx.push(
                        problem
                            .at(span.unwrap_or(Span::NOWHERE))
                            .help("a request must come to an end"),
                    );
                    return None;
                }
                _ => {}
            }
        }
    }
    Some(())
}
