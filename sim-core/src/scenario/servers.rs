//! Servers, from sections to the model.

use super::build::{
    bound, breakdowns, count, crash_rules, guards, liveness, memory, memory_is_known, optional,
    warm_up,
};
use super::by_zone::check_zones;
use super::dialects::check_members;
use super::hosts::{HostNames, check_hosts, find_host, host_names};
use super::links::{Zones, inner_link};
use super::own_health;
use super::problem::{Problem, Span};
use super::routes::{check_nobody_left, check_without_servers};
use super::section::Cx;
use super::sections::{ServerSpec, ServiceSpec, Top};
use super::services::Skeleton;
use crate::crash::SERVER_GAUGES;
use crate::ids::Id;
use crate::model::{
    Balances, Errors, Server, ServerId, ServerParams, Service, ServiceId, Slowdown,
};
use std::sync::Arc;

/// Most servers in all.
pub(crate) const SERVERS_MAX: usize = 1_000_000;
/// Most workers that break down: the next breakdown of each is planned from the start, in some 60 bytes.
const BREAKING_MAX: u64 = 4_000_000;
/// Each balancer instance has a view of its own of each server.
const VIEWS_MAX: usize = 4_000_000;

/// All servers, and which table of which service each was written in.
pub(crate) struct Fleet {
    pub servers: Vec<Server>,
    /// For each service and table: the table's name and the position of its first server.
    pub tables: Vec<Vec<(String, u32)>>,
    /// Workers that break down.
    breaking: u64,
}

impl Fleet {
    /// Counts the workers that break down of so many servers; `None` where they are too many.
    fn can_break(
        &mut self,
        params: &ServerParams,
        count: u64,
        span: Span,
        cx: &mut Cx<'_>,
    ) -> Option<()> {
        if params.breakdowns.is_none() {
            return Some(());
        }
        let workers = u64::from(params.workers);
        self.breaking = (self.breaking).saturating_add(workers.saturating_mul(count));
        if self.breaking <= BREAKING_MAX {
            return Some(());
        }
        let what = format!(
            "{count} servers of {workers} workers that break down, {} in all; at most {BREAKING_MAX} workers may",
            self.breaking
        );
        let help = "each fails on its own: fewer workers with the same load behave alike";
        cx.push(Problem::new("E024", what).at(span).help(help));
        None
    }
}

/// Builds the servers and enters them into their services.
pub(crate) fn fleet(top: &Top, skeleton: Option<&mut Skeleton>, cx: &mut Cx<'_>) -> Option<Fleet> {
    let written = top.service.get()?;
    let hosts = host_names(top.machine.get()?.iter().map(|(name, _, _)| name));
    let mut fleet = Fleet {
        servers: Vec::new(),
        tables: Vec::new(),
        breaking: 0,
    };
    let mut ranges = Vec::with_capacity(written.len());
    let mut zones = Vec::with_capacity(written.len());
    let mut whole = true;
    for (index, service) in written.iter().enumerate() {
        let (start, spec) = (fleet.servers.len(), &service.2);
        let id = ServiceId(u16::try_from(index).ok()?);
        let named = Zones::of(spec).and_then(|zones| {
            let zones = service_servers(id, service, zones, &hosts, &mut fleet, cx)?;
            zones.finish(spec, cx)
        });
        whole &= named.is_some();
        zones.extend(named);
        ranges.push(start as u32..fleet.servers.len() as u32);
    }
    if !whole {
        return None;
    }
    check_hosts(top, &fleet.servers, cx)?;
    let skeleton = skeleton?;
    let parts = written.iter().zip(ranges).zip(zones);
    for (service, (((_, span, _), range), zones)) in skeleton.services.iter_mut().zip(parts) {
        service.zones = zones;
        let instances =
            service.balancer.instances as usize + service.balancer.standby.count as usize;
        if instances * range.len() > VIEWS_MAX {
            let what = format!(
                "{instances} balancer instances times {} servers of `{}`; at most {VIEWS_MAX} views of servers are kept",
                range.len(),
                service.name
            );
            cx.push(Problem::new("E024", what));
            return None;
        }
        service.servers = range.map(ServerId).collect();
        check_nobody_left(service, *span, &skeleton.classes, cx)?;
    }
    check_members(written, &skeleton.services, &fleet.servers, cx)?;
    check_zones(written, &skeleton.services, &fleet.servers, cx)?;
    own_health::check(written, &skeleton.services, cx)?;
    check_full_connections(written, &skeleton.services, &fleet.servers, cx)?;
    Some(fleet)
}

/// Limits that depend on what there is to do need to know where that ends, and the other way round.
fn check_full_connections(
    written: &[(String, Span, ServiceSpec)],
    services: &[Service],
    servers: &[Server],
    cx: &mut Cx<'_>,
) -> Option<()> {
    for ((name, span, spec), service) in written.iter().zip(services) {
        let least = |id: &ServerId| servers[id.position()].params.min_connections;
        let some = service.servers.iter().any(|id| least(id).is_some());
        let full = service.balancer.full_connections.is_some();
        let (what, span, help) = match (some, full) {
            (true, false) => (
                "`min_connections` of servers needs to know when they get all of `max_connections`",
                *span,
                format!("write service.{name}.balancer.full_connections"),
            ),
            (false, true) => (
                "`full_connections`, and no server of the service gets less before",
                spec.balancer.get()?.full_connections.span,
                "write `min_connections` at a server".to_owned(),
            ),
            _ => continue,
        };
        cx.push(Problem::new("E017", what).at(span).help(help));
        return None;
    }
    Some(())
}

fn service_servers(
    id: ServiceId,
    (name, span, spec): &(String, Span, ServiceSpec),
    mut zones: Zones,
    hosts: &HostNames,
    fleet: &mut Fleet,
    cx: &mut Cx<'_>,
) -> Option<Zones> {
    let tables = spec.server.get()?;
    let start = fleet.servers.len();
    let mut names = std::collections::BTreeMap::new();
    let mut heads = Vec::with_capacity(tables.len());
    let mut whole = true;
    let balances = spec.balancer.get().and_then(|b| b.balances.copied());
    for table in tables {
        let params = params(table, hosts, cx).map(Arc::new);
        if balances == Some(Balances::Connections)
            && let Some(link) = table.link.get()
            && link.connections.written
        {
            let what = "its balancer chooses for each connection of its callers, and keeps none of its own";
            cx.push(Problem::new("E017", what).at(link.connections.span));
            whole = false;
        }
        whole &= params.is_some();
        let (Some(base), Some(count), Some(first), Some(present), Some(zone)) = (
            table.name.get(),
            table.count.copied(),
            table.first.copied(),
            table.present.copied(),
            zones.find(&table.zone),
        ) else {
            whole = false;
            continue;
        };
        heads.push((base.clone(), fleet.servers.len() as u32));
        if fleet.servers.len() as u64 + count > SERVERS_MAX as u64 {
            let problem = Problem::new("E024", format!("more than {SERVERS_MAX} servers"))
                .at(table.count.span);
            cx.push(problem.help(
                "a fleet of that size behaves like a smaller one with the same load per server",
            ));
            return None;
        }
        if let Some(params) = &params {
            fleet.can_break(params, count, table.breakdowns.span, cx)?;
        }
        for i in 0..count {
            let name = server_name(base, count, first, i);
            if let Some(other) = names.insert(name.clone(), table.name.span) {
                let problem = Problem::new("E019", format!("two servers are called `{name}`"))
                    .at(table.name.span);
                cx.push(
                    problem
                        .label(other, "first here")
                        .help("`first` moves the numbers of a group"),
                );
                whole = false;
                break;
            }
            if let Some(params) = &params {
                fleet.servers.push(Server {
                    name,
                    service: id,
                    zone,
                    params: params.clone(),
                    present,
                });
            }
        }
    }
    fleet.tables.push(heads);
    if tables.is_empty() {
        let routes = spec.balancer.get()?.routes.get()?;
        if routes.is_empty() {
            if !cx.problems.spares(spec.span, "server") {
                let what = format!("the service `{name}` has no servers");
                let help = format!("add a [[service.{name}.server]] with `name` and `workers`");
                cx.push(Problem::new("E022", what).at(*span).help(help));
            }
            return None;
        }
        check_without_servers(name, spec, cx)?;
        return Some(zones);
    }
    if !spec.demand.written {
        if !cx.problems.spares(spec.span, "demand") {
            let what = "`demand` is missing: time of service on an idle server of speed 1";
            cx.push(Problem::new("E011", what).at(spec.span));
        }
        whole = false;
    }
    if whole
        && fleet.servers[start..]
            .iter()
            .all(|server| server.params.weight <= 0.0)
    {
        cx.push(
            Problem::new(
                "E023",
                format!("all servers of `{name}` have weight 0: none could ever be chosen"),
            )
            .at(tables[0].weight.span),
        );
        return None;
    }
    whole.then_some(zones)
}

/// The name of member number `index` of a table of servers.
pub(crate) fn server_name(base: &str, count: u64, first: Option<u64>, index: u64) -> String {
    if count == 1 && first.is_none() {
        base.to_owned()
    } else {
        format!("{base}-{}", first.unwrap_or(1) + index)
    }
}

/// The properties written in a table of servers; `hosts` are all machines.
pub(crate) fn params(
    spec: &ServerSpec,
    hosts: &HostNames,
    cx: &mut Cx<'_>,
) -> Option<ServerParams> {
    let crash = crash_rules(&spec.crash, SERVER_GAUGES, cx);
    let guards = guards(&spec.guards, "server", cx);
    let breakdowns = optional(&spec.breakdowns, |b| breakdowns(b, cx));
    let memory = optional(&spec.memory, |m| memory(m, cx));
    memory_is_known(
        "server",
        "{ base = \"200MiB\", per_queued = \"1MiB\", limit = \"2GiB\" }",
        crash.as_ref(),
        memory.as_ref(),
        spec.crash.span,
        cx,
    )?;
    let priority = priority(spec, cx);
    let host = find_host(&spec.machine, hosts, cx);
    let (queue, slowdown, errors) = (spec.queue.get()?, spec.slowdown.get()?, spec.errors.get()?);
    Some(ServerParams {
        weight: spec.weight.copied()?,
        speed: spec.speed.copied()?,
        workers: count(spec.workers.copied()?),
        queue_limit: bound(&queue.limit)?,
        discipline: queue.discipline.get()?.clone(),
        patience: queue.patience.get()?.clone(),
        breakdowns: breakdowns?,
        slowdown: Slowdown {
            contention: slowdown.contention.copied()?,
            coherence: slowdown.coherence.copied()?,
        },
        memory: memory?,
        errors: Errors {
            rate: errors.rate.copied()?,
            demand: errors.demand.get()?.clone(),
        },
        guards: guards?,
        crash: crash?,
        crash_keeps_queue: spec.crash_keeps_queue.copied()?,
        down_behaviour: spec.down_behaviour.copied()?,
        restart: spec.restart.get()?.clone(),
        boot: spec.boot.get()?.clone(),
        warm_up: optional(&spec.warm_up, warm_up)?,
        priority: priority?,
        max_connections: spec.max_connections.copied()?.map(count),
        min_connections: min_connections(spec, cx)?,
        health: own_health::read(spec.health.get()?)?,
        max_pending: spec.max_pending.copied()?.map(count),
        liveness: optional(&spec.liveness, liveness)?,
        link: inner_link(&spec.link, cx)?,
        host: host?,
    })
}

/// The least that a server gets of its connections.
fn min_connections(spec: &ServerSpec, cx: &mut Cx<'_>) -> Option<Option<u32>> {
    let (least, most) = (
        spec.min_connections.copied()?,
        spec.max_connections.copied()?,
    );
    if least.is_some_and(|least| most.is_none_or(|most| least > most)) {
        let what = "`min_connections` is a part of `max_connections`";
        let problem = Problem::new("E017", what).at(spec.min_connections.span);
        cx.push(problem.help("write a `max_connections` that is not smaller"));
        return None;
    }
    Some(least.map(count))
}

/// A server's priority; a backup has 1.
fn priority(spec: &ServerSpec, cx: &mut Cx<'_>) -> Option<u32> {
    let (priority, backup) = (count(spec.priority.copied()?), spec.backup.copied()?);
    if backup && priority > 1 {
        let problem = Problem::new("E017", "a backup has priority 1").at(spec.priority.span);
        cx.push(
            problem
                .label(spec.backup.span, "a backup")
                .help("leave `backup` out"),
        );
        return None;
    }
    Some(priority.max(u32::from(backup)))
}
