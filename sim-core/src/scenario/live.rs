//! Changes while time runs: sets applied to a running system, as whole parts that differ.
//!
//! The state is kept in parts that many servers share, and only what a set names is read again, so
//! that a long time line over a large fleet stays quick and small.

use super::assemble::Base;
use super::dialects;
use super::hosts::{HostNames, host_names};
use super::own_health;
use super::own_rules;
use super::problem::{Collector, Problem, Span, suggest};
use super::routes::{check_nobody_left, check_without_servers};
use super::section::{Cx, Form, KeyDef, Section, SectionDef};
use super::sections::{ServerSpec, Top};
use super::servers;
use super::services::{Skeleton, check_autoscalers, skeleton};
use super::set::{Assignment, Walk, apply};
use super::tree::{Node, Value};
use crate::ids::Id;
use crate::model::{
    Change, Class, ClassId, Client, ClientId, Host, HostId, Parts, ServerId, ServerParams, Service,
    ServiceId, Source, SourceId,
};
use crate::time::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A running system, as far as it can change.
#[derive(Clone)]
pub(crate) struct Live {
    /// The tree without servers and without what concerns time.
    root: Node,
    pub skeleton: Skeleton,
    pub params: Vec<Arc<ServerParams>>,
    nodes: Vec<Arc<Node>>,
    hosts: Arc<HostNames>,
    clock: Option<Clock>,
}

impl Live {
    /// The system at the start.
    pub(crate) fn new(tree: &Node, base: &Base) -> Self {
        let mut root = tree.clone();
        for key in [
            "timeline",
            "monitoring",
            "runbook",
            "alert",
            "slo",
            "expect",
        ] {
            root.take(key);
        }
        let mut tables: Vec<Vec<Arc<Node>>> = Vec::new();
        if let Some(Node {
            value: Value::Table(services),
            ..
        }) = root.get_mut("service")
        {
            for service in services {
                let taken = service.node.take("server");
                tables.push(taken.map_or(Vec::new(), |entry| {
                    entry.node.items().iter().cloned().map(Arc::new).collect()
                }));
            }
        }
        let mut nodes = Vec::with_capacity(base.fleet.servers.len());
        for (s, service) in base.skeleton.services.iter().enumerate() {
            let end = service.servers.last().map_or(0, |id| id.0 + 1);
            for (t, (_, start)) in base.fleet.tables[s].iter().enumerate() {
                let until = base.fleet.tables[s]
                    .get(t + 1)
                    .map_or(end, |(_, next)| *next);
                nodes.extend((*start..until).map(|_| tables[s][t].clone()));
            }
        }
        let params = base
            .fleet
            .servers
            .iter()
            .map(|server| server.params.clone())
            .collect();
        Self {
            root,
            skeleton: base.skeleton.clone(),
            params,
            nodes,
            hosts: Arc::new(host_names(
                base.skeleton.hosts.iter().map(|host| &host.name),
            )),
            clock: base.clock,
        }
    }

    /// What is written of everything but servers.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// What is written of a server.
    pub(crate) fn server_node(&self, id: u32) -> Option<&Node> {
        self.nodes.get(id as usize).map(|node| &**node)
    }

    /// Applies sets made at one moment; the parts that differ afterwards.
    pub(crate) fn set(
        &mut self,
        assignments: &[Assignment],
        base: &Base,
        problems: &mut Collector,
    ) -> Vec<Change> {
        let before = problems.count();
        let mut touched = BTreeSet::new();
        let mut root_touched = false;
        for assignment in assignments {
            if !check_live(assignment, problems) {
                continue;
            }
            match server_path(assignment, base, problems) {
                Some((ids, rest)) => {
                    self.set_servers(&ids, rest, assignment, problems);
                    touched.extend(ids);
                }
                None => {
                    apply(&mut self.root, assignment, problems);
                    root_touched = true;
                }
            }
        }
        if problems.count() > before {
            return Vec::new();
        }
        let mut changes = self.reread_servers(&touched, base, problems);
        if root_touched {
            self.reread_root(&mut changes, problems);
        }
        changes
    }

    /// Writes the value into the tables of these servers; servers with the same table keep sharing.
    fn set_servers(
        &mut self,
        ids: &[u32],
        rest: usize,
        assignment: &Assignment,
        problems: &mut Collector,
    ) {
        let mut done: BTreeMap<usize, (Arc<Node>, Arc<Node>)> = BTreeMap::new();
        for id in ids {
            let node = &mut self.nodes[*id as usize];
            // The old table is kept in the map, so that its address is not used anew.
            let (_, new) = done.entry(Arc::as_ptr(node) as usize).or_insert_with(|| {
                let mut new = Node::clone(node);
                Walk {
                    assignment,
                    problems,
                }
                .section(&mut new, ServerSpec::def(), rest);
                (node.clone(), Arc::new(new))
            });
            *node = new.clone();
        }
    }

    fn reread_servers(
        &mut self,
        touched: &BTreeSet<u32>,
        base: &Base,
        problems: &mut Collector,
    ) -> Vec<Change> {
        let mut done: BTreeMap<usize, Option<Arc<ServerParams>>> = BTreeMap::new();
        let mut changes = Vec::new();
        let mut services = BTreeSet::new();
        for id in touched {
            let at = *id as usize;
            let node = self.nodes[at].clone();
            let new = done.entry(Arc::as_ptr(&node) as usize).or_insert_with(|| {
                let cx = &mut Cx {
                    problems,
                    clock: self.clock,
                };
                let spec = ServerSpec::read(&node, cx)?;
                let service = base.fleet.servers[at].service;
                let service = &self.skeleton.services[usize::from(service.0)];
                own_health::check_one(&spec, service, cx)?;
                servers::params(&spec, &self.hosts, cx).map(Arc::new)
            });
            let Some(new) = new else { continue };
            if !Arc::ptr_eq(new, &self.params[at]) && **new != *self.params[at] {
                self.params[at] = new.clone();
                changes.push(Change::Server(ServerId(*id), new.clone()));
                services.insert(base.fleet.servers[at].service);
            }
        }
        for id in services {
            let service = &self.skeleton.services[usize::from(id.0)];
            if service
                .servers
                .iter()
                .all(|s| self.params[s.0 as usize].weight <= 0.0)
            {
                let span = touched.first().map_or(Span::NOWHERE, |id| {
                    self.nodes[*id as usize]
                        .get("weight")
                        .map_or(Span::NOWHERE, |n| n.span)
                });
                problems.push(Problem::new("E023", format!("after this all servers of `{}` have weight 0: none could ever be chosen", service.name)).at(span));
            }
        }
        changes
    }

    fn reread_root(&mut self, changes: &mut Vec<Change>, problems: &mut Collector) {
        let cx = &mut Cx {
            problems,
            clock: self.clock,
        };
        let Some(top) = Top::read(&dialects::expanded(&self.root), cx) else {
            return;
        };
        let Some(mut new) = skeleton(&top, cx) else {
            return;
        };
        for (new, old) in new.services.iter_mut().zip(&self.skeleton.services) {
            if own_rules::stay(new, old, cx).is_none() {
                return;
            }
        }
        for (new, old) in new.services.iter_mut().zip(&self.skeleton.services) {
            new.servers.clone_from(&old.servers);
            // Zones that are only named stand with the servers, which are not read again.
            let named = old.zones.get(new.zones.len()..).unwrap_or_default();
            new.zones.extend_from_slice(named);
        }
        let written = top.service.get().into_iter().flatten();
        for (service, (name, span, spec)) in new.services.iter().zip(written) {
            if service.servers.is_empty() {
                check_without_servers(name, spec, cx);
                check_nobody_left(service, *span, &new.classes, cx);
            }
        }
        if check_autoscalers(&top, &new.services, cx).is_none() {
            return;
        }
        let old = std::mem::replace(&mut self.skeleton, new);
        let new = &self.skeleton;
        for (i, (new, old)) in new.services.iter().zip(&old.services).enumerate() {
            let id = ServiceId(i as u16);
            if new.balancer != old.balancer {
                changes.push(Change::Balancer(id, Box::new(new.balancer.clone())));
            }
            let parts = |s: &Service| {
                let scaling = (s.autoscaler.clone(), s.provisioning.clone());
                (s.demand.clone(), s.link.clone(), s.zones.clone(), scaling)
            };
            if new.calls != old.calls || parts(new) != parts(old) {
                changes.push(Change::Service(id, Box::new(new.clone())));
            }
        }
        changes.extend(differing(&new.clients, &old.clients, |i, v| {
            Change::Client(ClientId(i), v)
        }));
        changes.extend(differing(&new.sources, &old.sources, |i, v| {
            Change::Source(SourceId(i), v)
        }));
        changes.extend(differing(&new.classes, &old.classes, |i, v| {
            Change::Class(ClassId(i), v)
        }));
        changes.extend(differing(&new.hosts, &old.hosts, |i, v| {
            Change::Host(HostId(i), v)
        }));
    }
}

impl Parts for Live {
    fn server(&self, id: ServerId) -> &Arc<ServerParams> {
        &self.params[id.position()]
    }
    fn service(&self, id: ServiceId) -> &Service {
        &self.skeleton.services[id.position()]
    }
    fn client(&self, id: ClientId) -> &Client {
        &self.skeleton.clients[id.position()]
    }
    fn source(&self, id: SourceId) -> &Source {
        &self.skeleton.sources[id.position()]
    }
    fn class(&self, id: ClassId) -> &Class {
        &self.skeleton.classes[id.position()]
    }
    fn host(&self, id: HostId) -> &Host {
        &self.skeleton.hosts[id.position()]
    }
}

fn differing<T: PartialEq + Clone>(
    new: &[T],
    old: &[T],
    change: impl Fn(u16, Box<T>) -> Change,
) -> Vec<Change> {
    let pairs = new.iter().zip(old).enumerate();
    pairs
        .filter(|(_, (new, old))| new != old)
        .map(|(i, (new, _))| change(i as u16, Box::new(new.clone())))
        .collect()
}

/// The servers meant by a path, and where in the path their keys begin; `None` when the path
/// concerns something else.
fn server_path(
    assignment: &Assignment,
    base: &Base,
    problems: &mut Collector,
) -> Option<(Vec<u32>, usize)> {
    let words = assignment.words();
    let ["service", service, "server", rest @ ..] = words.as_slice() else {
        return None;
    };
    let Some(index) = base
        .skeleton
        .services
        .iter()
        .position(|s| s.name == *service)
    else {
        // The tree's own walk reports it better.
        return None;
    };
    let first = rest.first().copied().unwrap_or("");
    match find_servers(index, first, base) {
        Some(ids) => Some((ids, 4)),
        None if ServerSpec::def().keys.iter().any(|k| k.name == first) => {
            Some((find_servers(index, "*", base)?, 3))
        }
        None => {
            let span = assignment
                .path
                .get(3)
                .map_or(assignment.value.span, |s| s.span);
            problems.push(unknown_server(first, index, base).at(span));
            Some((Vec::new(), 4))
        }
    }
}

/// Says that there is no such server.
pub(crate) fn unknown_server(word: &str, service: usize, base: &Base) -> Problem {
    let service = &base.skeleton.services[service];
    let names = service
        .servers
        .iter()
        .take(300)
        .filter_map(|id| base.fleet.servers.get(id.0 as usize))
        .map(|s| s.name.as_str());
    Problem::new(
        "E020",
        format!(
            "no server is called `{word}` in the service `{}`",
            service.name
        ),
    )
    .help(suggest(word, names))
}

/// The servers of a service called `word`: `*`, one, those written together, or by position.
pub(crate) fn find_servers(service: usize, word: &str, base: &Base) -> Option<Vec<u32>> {
    let all = &base.skeleton.services[service].servers;
    let (start, end) = (all.first()?.0, all.last()?.0 + 1);
    if word == "*" {
        return Some((start..end).collect());
    }
    let servers = &base.fleet.servers[start as usize..end as usize];
    if let Some(at) = servers.iter().position(|s| s.name == word) {
        return Some(vec![start + at as u32]);
    }
    let tables = &base.fleet.tables[service];
    let mut ids = Vec::new();
    for (t, (name, first)) in tables.iter().enumerate() {
        if name == word {
            ids.extend(*first..tables.get(t + 1).map_or(end, |(_, next)| *next));
        }
    }
    if ids.is_empty() {
        let t = word.parse::<usize>().ok()?;
        let (_, first) = tables.get(t)?;
        ids.extend(*first..tables.get(t + 1).map_or(end, |(_, next)| *next));
    }
    Some(ids)
}

/// Whether a path names a key that can change while time runs; reports it when not.
pub(crate) fn check_live(assignment: &Assignment, problems: &mut Collector) -> bool {
    let Some(key) = named_key(Top::def(), &assignment.words()) else {
        // An unknown path is reported by the walk that looks for it.
        return true;
    };
    if !key.live {
        let span = assignment
            .path
            .first()
            .map_or(assignment.value.span, |s| Span {
                end: assignment.path.last().map_or(s.span.end, |l| l.span.end),
                ..s.span
            });
        let what = format!("`{}` cannot change while time runs", assignment.text());
        let help = match (key.form)() {
            Form::Table(_) | Form::Override(_) => "set one of its keys instead",
            _ => "change it before the start",
        };
        problems.push(Problem::new("E042", what).at(span).help(help));
    }
    key.live
}

/// The innermost key of the sections that a path names.
fn named_key(def: &'static SectionDef, words: &[&str]) -> Option<&'static KeyDef> {
    let mut def = def;
    let mut words = words;
    loop {
        let (word, rest) = words.split_first()?;
        let key = def.keys.iter().find(|k| k.name == *word)?;
        let mut form = (key.form)();
        if let Form::Optional(inner) = form {
            form = *inner;
        }
        let (inner, skip) = match form {
            Form::Table(inner) | Form::Override(inner) => (inner, 0),
            Form::Tables(inner) | Form::Named(inner) => (inner, 1),
            _ => return Some(key),
        };
        // `service.web.server.weight` names all servers without saying so.
        let bare = std::ptr::eq(inner, ServerSpec::def())
            && rest.len() == 1
            && inner.keys.iter().any(|k| k.name == rest[0]);
        let skip = if bare { 0 } else { skip };
        if rest.len() <= skip {
            return Some(key);
        }
        def = inner;
        words = &rest[skip..];
    }
}
