//! The time line, from sections to the model.

use super::Scenario;
use super::assemble::Base;
use super::canonical::value_text;
use super::hosts;
use super::kinds::{ratio_of_text, written};
use super::links;
use super::live::{find_servers, unknown_server};
use super::problem::{Collector, Problem, suggest};
use super::section::{Cx, Item};
use super::sections::{CanarySpec, Deed, Restarted, TimelineSpec, Top};
use super::set::{Assignment, assignments};
use super::tree::{Node, Value};
use crate::extension::Configured;
use crate::fault::{self, Befalls, FaultDef};
use crate::ids::Id;
use crate::model::{
    Action, Actor, Afflicted, Amount, Canary, Change, Course, Rollout, ServerId, ServiceId, Stage,
    Target, TimelineEntry,
};
use crate::text::cited;
use crate::time::{Duration, Instant};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Most entries.
const ENTRIES_MAX: usize = 100_000;
/// After so many problems the rest of a time line is not looked at: nobody reads on, and searching
/// for names that may have been meant takes its time.
const ENOUGH: usize = 1000;

/// An entry on its way: sets are worked out in order of time, when all are known.
#[derive(Clone)]
pub(super) struct Draft {
    pub name: Option<String>,
    pub entry: TimelineEntry,
    pub sets: Vec<Assignment>,
    pub live: bool,
}

/// The entries of the time line as they are written, and what was set while time ran.
pub(super) fn drafts(
    scenario: &Scenario,
    top: &Top,
    base: &Base,
    problems: &mut Collector,
) -> Option<Vec<Draft>> {
    let written = top.timeline.get()?;
    if written.len() > ENTRIES_MAX {
        problems.push(
            Problem::new(
                "E024",
                format!("more than {ENTRIES_MAX} entries in the time line"),
            )
            .at(top.timeline.span),
        );
        return None;
    }
    let mut names = std::collections::BTreeMap::new();
    let mut drafts = Vec::with_capacity(written.len());
    let mut whole = true;
    for spec in written {
        if problems.count() > ENOUGH {
            return None;
        }
        let cx = &mut Cx {
            problems,
            clock: base.clock,
        };
        if let Some(Some(name)) = spec.name.get()
            && let Some(first) = names.insert(name.clone(), spec.name.span)
        {
            cx.push(
                Problem::new(
                    "E019",
                    format!("two entries of the time line are called `{name}`"),
                )
                .at(spec.name.span)
                .label(first, "first here"),
            );
            whole = false;
        }
        let Some(draft) = draft(spec, base, cx) else {
            whole = false;
            continue;
        };
        let every = spec.every.copied().flatten();
        let Some(every) = every else {
            drafts.push(draft);
            continue;
        };
        drafts.extend(one_by_one(draft, every, base));
        if drafts.len() > ENTRIES_MAX {
            let what = format!(
                "more than {ENTRIES_MAX} entries in the time line, with what `every` makes of them"
            );
            cx.push(Problem::new("E024", what).at(spec.every.span));
            return None;
        }
    }
    for set in &scenario.live {
        let action = Action::Set {
            text: String::new(),
            changes: Vec::new(),
            edits: Vec::new(),
        };
        let entry = TimelineEntry {
            at: set.at,
            by: Actor::People,
            note: String::new(),
            action,
        };
        drafts.push(Draft {
            name: None,
            entry,
            sets: vec![set.assignment.clone()],
            live: true,
        });
    }
    whole.then_some(drafts)
}

/// What an entry of the time line does that is no set: several actions where it takes machines one after the other.
pub(super) fn actions(spec: &TimelineSpec, base: &Base, cx: &mut Cx<'_>) -> Option<Vec<Action>> {
    let deed = spec.action.copied()?;
    let action = action(deed, spec, base, cx)?;
    check_keys(spec, deed, cx)?;
    Some(match spec.every.copied()? {
        Some(_) => apart(&action, base).unwrap_or_else(|| vec![action]),
        None => vec![action],
    })
}

/// An entry for each machine of one that takes them one after the other, up to the end of the run.
fn one_by_one(draft: Draft, every: Duration, base: &Base) -> Vec<Draft> {
    let entry = &draft.entry;
    let Some(actions) = apart(&entry.action, base) else {
        return vec![draft];
    };
    let mut drafts = Vec::new();
    let mut at = entry.at;
    for action in actions {
        if at.0 > base.horizon.0 {
            break;
        }
        let entry = TimelineEntry {
            at,
            by: entry.by,
            note: entry.note.clone(),
            action,
        };
        drafts.push(Draft {
            name: draft.name.clone(),
            entry,
            sets: Vec::new(),
            live: false,
        });
        at += every;
    }
    drafts
}

/// An action for each machine of one; `None` where it concerns none by itself.
fn apart(action: &Action, base: &Base) -> Option<Vec<Action>> {
    let of_servers = |ids: &[ServerId]| -> Vec<Target> {
        ids.iter().map(|&id| Target::Servers(vec![id])).collect()
    };
    let each = |target: &Target| match target {
        Target::Servers(ids) => of_servers(ids),
        Target::Balancer(id) => {
            let balancer = &base.skeleton.services[id.position()].balancer;
            let all = balancer.instances + balancer.standby.count;
            (0..all)
                .map(|number| Target::Instance(*id, number))
                .collect()
        }
        Target::Instance(..) => vec![target.clone()],
    };
    Some(match action {
        Action::Crash(target) => each(target).into_iter().map(Action::Crash).collect(),
        &Action::Restart {
            ref target,
            only_down,
        } => {
            let targets = each(target).into_iter();
            targets
                .map(|target| Action::Restart { target, only_down })
                .collect()
        }
        Action::Drain(target) => each(target).into_iter().map(Action::Drain).collect(),
        Action::Undrain(target) => each(target).into_iter().map(Action::Undrain).collect(),
        Action::Remove(target) => each(target).into_iter().map(Action::Remove).collect(),
        Action::Flush(target) => each(target).into_iter().map(Action::Flush).collect(),
        Action::Add(ids) => ids.iter().map(|&id| Action::Add(vec![id])).collect(),
        _ => return None,
    })
}

fn draft(spec: &TimelineSpec, base: &Base, cx: &mut Cx<'_>) -> Option<Draft> {
    let at = spec.at.copied()?;
    if at.0 > base.horizon.0 {
        let mut problem = Problem::new(
            "E030",
            format!(
                "this lies {} after the end of the run",
                at.since(Instant(base.horizon.0))
            ),
        )
        .at(spec.at.span);
        if let Some(clock) = base.clock {
            problem = problem.help(format!(
                "the run lasts from {} to {}",
                clock.label(Instant::ZERO),
                clock.label(Instant(base.horizon.0))
            ));
        }
        cx.push(problem);
        return None;
    }
    let sets = assignments(spec.set.get()?, cx.problems);
    let deed = spec.action.copied()?;
    let fault = spec.fault.get()?;
    if let (Some(_), Some(_)) = (deed, fault) {
        cx.push(
            Problem::new(
                "E031",
                "an entry either does something or is a fault, not both",
            )
            .at(spec.fault.span)
            .label(spec.action.span, "what is done")
            .help("write two entries"),
        );
        return None;
    }
    let does = deed.is_some() || fault.is_some();
    let action = match (sets.is_empty(), does) {
        (false, false) => Action::Note,
        (true, true) => action(deed, spec, base, cx)?,
        (false, true) if deed == Some(Deed::Deploy) => action(deed, spec, base, cx)?,
        (false, true) => {
            cx.push(
                Problem::new("E031", "an entry either sets or does something, not both")
                    .at(if deed.is_some() {
                        spec.action.span
                    } else {
                        spec.fault.span
                    })
                    .label(spec.set.span, "the sets")
                    .help("write two entries"),
            );
            return None;
        }
        (true, false) if spec.set.written => return None,
        (true, false) => {
            cx.push(
                Problem::new(
                    "E031",
                    "an entry of the time line needs `set`, `do` or `fault`",
                )
                .at(spec.span)
                .help("such as do = \"restart\" with a target; a remark is do = \"note\""),
            );
            return None;
        }
    };
    check_keys(spec, deed, cx)?;
    let entry = TimelineEntry {
        at,
        by: spec.by.copied()?,
        note: spec.note.get()?.clone(),
        action,
    };
    Some(Draft {
        name: spec.name.get()?.clone(),
        entry,
        sets,
        live: false,
    })
}

/// Keys that would have no effect are mistakes.
fn check_keys(spec: &TimelineSpec, deed: Option<Deed>, cx: &mut Cx<'_>) -> Option<()> {
    let fault = spec.fault.written;
    let targeted = fault || !matches!(deed, None | Some(Deed::Note));
    let slow = deed == Some(Deed::Slow);
    let degrade = deed == Some(Deed::Degrade);
    let restart = deed == Some(Deed::Restart);
    let machines = deed.is_some_and(Deed::is_of_machines);
    let lasting = fault || slow || degrade || deed == Some(Deed::Partition);
    let deploy = deed == Some(Deed::Deploy);
    let stray = |written: bool, allowed: bool| written && !allowed;
    let strays = [
        (
            "target",
            spec.target.span,
            stray(spec.target.written, targeted),
        ),
        ("factor", spec.factor.span, stray(spec.factor.written, slow)),
        ("for", spec.lasts.span, stray(spec.lasts.written, lasting)),
        ("skew", spec.skew.span, stray(spec.skew.written, lasting)),
        (
            "repeat",
            spec.repeat.span,
            stray(spec.repeat.written, lasting),
        ),
        ("delay", spec.delay.span, stray(spec.delay.written, degrade)),
        ("loss", spec.loss.span, stray(spec.loss.written, degrade)),
        (
            "max_surge",
            spec.max_surge.span,
            stray(spec.max_surge.written, deploy),
        ),
        (
            "max_unavailable",
            spec.max_unavailable.span,
            stray(spec.max_unavailable.written, deploy),
        ),
        (
            "min_ready",
            spec.min_ready.span,
            stray(spec.min_ready.written, deploy),
        ),
        (
            "canary",
            spec.canary.span,
            stray(spec.canary.written, deploy),
        ),
        ("when", spec.when.span, stray(spec.when.written, restart)),
        (
            "every",
            spec.every.span,
            stray(spec.every.written, machines),
        ),
    ];
    let mut clean = true;
    for (name, span, found) in strays {
        if found {
            cx.push(
                Problem::new("E031", format!("`{name}` has no effect in this entry"))
                    .at(span)
                    .help(
                        "`target` goes with `do` and `fault`; `factor` with slow, `delay` and `loss` \
                         with degrade, `for`, `skew` and `repeat` with these two, partition and every fault; `max_surge`, `max_unavailable`, \
                         `min_ready` and `canary` with deploy; `when` goes with restart, `every` with this, crash, drain, undrain, add, remove and flush",
                    ),
            );
            clean = false;
        }
    }
    clean.then_some(())
}

/// What an entry does; without `do`, it is a fault.
fn action(deed: Option<Deed>, spec: &TimelineSpec, base: &Base, cx: &mut Cx<'_>) -> Option<Action> {
    if deed == Some(Deed::Note) {
        if spec.note.get()?.is_empty() {
            cx.push(
                Problem::new("E031", "a note without text says nothing")
                    .at(spec.span)
                    .help("add note = \"…\""),
            );
            return None;
        }
        return Some(Action::Note);
    }
    let Some(text) = spec.target.get()? else {
        cx.push(
            Problem::new("E031", "whom? `target` is missing")
                .at(spec.span)
                .help("such as target = \"service.web.server.web-1\""),
        );
        return None;
    };
    let Some(deed) = deed.filter(|deed| !deed.is_fault()) else {
        let fault = match deed {
            Some(deed) => short_fault(deed, spec, cx)?,
            None => spec.fault.get()?.clone()?,
        };
        if fault.says_nothing() {
            let params = fault.def.row.params.iter().map(|param| param.name);
            let params: Vec<&str> = params.collect();
            let what = format!("how much worse? nothing is said of {}", params.join(" or "));
            let span = if deed.is_some() {
                spec.span
            } else {
                spec.fault.span
            };
            cx.push(Problem::new("E031", what).at(span));
            return None;
        }
        return Some(Action::Fault {
            of: afflicted(text, Some(fault.def.befalls), &spec.target, base, cx)?,
            fault,
            course: course(spec, cx)?,
        });
    };
    if deed == Deed::Heal {
        return Some(Action::Heal(afflicted(text, None, &spec.target, base, cx)?));
    }
    let target = target(text, &spec.target, base, cx)?;
    let servers_only = |target: Target, cx: &mut Cx<'_>| match target {
        Target::Servers(ids) => Some(ids),
        Target::Balancer(_) | Target::Instance(..) => {
            cx.push(
                Problem::new("E031", "only servers can be the target of this")
                    .at(spec.target.span)
                    .help("a balancer can crash and be restarted"),
            );
            None
        }
    };
    Some(match deed {
        Deed::Crash => Action::Crash(target),
        Deed::Failover => match target {
            Target::Balancer(service) => Action::Failover(service),
            _ => {
                let what = "only a balancer has spares that can take over";
                let problem = Problem::new("E031", what).at(spec.target.span);
                cx.push(problem.help("such as target = \"service.web.balancer\""));
                return None;
            }
        },
        Deed::Restart => Action::Restart {
            target,
            only_down: spec.when.copied()? == Restarted::Down,
        },
        Deed::Drain => Action::Drain(Target::Servers(servers_only(target, cx)?)),
        Deed::Undrain => Action::Undrain(Target::Servers(servers_only(target, cx)?)),
        Deed::Add => Action::Add(servers_only(target, cx)?),
        Deed::Remove => Action::Remove(Target::Servers(servers_only(target, cx)?)),
        Deed::Flush => {
            let servers = servers_only(target, cx)?;
            let service = |id: &ServerId| base.fleet.servers[id.position()].service;
            let caches = |service: ServiceId| {
                let mut calls = base.skeleton.services[service.position()].calls.iter();
                calls.any(|call| call.cache.is_some())
            };
            if !servers.iter().map(service).any(caches) {
                let what = "these servers have no cache";
                let problem = Problem::new("E031", what).at(spec.target.span);
                cx.push(problem.help("a cache is written at a call: service.NAME.call.NAME.cache"));
                return None;
            }
            Action::Flush(Target::Servers(servers))
        }
        Deed::Deploy => {
            let servers = servers_only(target, cx)?;
            Action::Deploy(Arc::new(rollout(servers, spec, base, cx)?))
        }
        Deed::Slow | Deed::Partition | Deed::Degrade | Deed::Heal | Deed::Note => {
            unreachable!("these are read above")
        }
    })
}

/// When a fault comes and goes.
fn course(spec: &TimelineSpec, cx: &mut Cx<'_>) -> Option<Course> {
    let course = Course {
        lasts: spec.lasts.get()?.clone(),
        skew: spec.skew.get()?.clone(),
        repeat: spec.repeat.get()?.clone(),
    };
    let times = [
        ("for", &course.lasts, spec.lasts.span),
        ("repeat", &course.repeat, spec.repeat.span),
    ];
    for (name, law, span) in times {
        if law.as_ref().is_some_and(|law| law.build().mean_ns() <= 0.0) {
            let what = format!("`{name}` is always zero; it must be above 0s");
            cx.push(Problem::new("E013", what).at(span));
            return None;
        }
    }
    if course.repeat.is_some() && course.lasts.is_none() {
        let what = "what never ends cannot come again: `for` is missing";
        let problem = Problem::new("E031", what).at(spec.repeat.span);
        cx.push(problem.help("such as for = \"200ms\""));
        return None;
    }
    Some(course)
}

/// A deployment, but for what the sets of its entry make of its servers.
fn rollout(
    servers: Vec<ServerId>,
    spec: &TimelineSpec,
    base: &Base,
    cx: &mut Cx<'_>,
) -> Option<Rollout> {
    let all = &base.fleet.servers;
    let first = servers.first().map(|id| all[id.position()].service)?;
    if servers.iter().any(|id| all[id.position()].service != first) {
        let what = "a release is put on the servers of one service";
        cx.push(Problem::new("E031", what).at(spec.target.span));
        return None;
    }
    let service = &base.skeleton.services[first.position()];
    if service.autoscaler.is_some() {
        let what = format!(
            "`{}` has an autoscaler, which would count servers that are being replaced as gone",
            service.name
        );
        let help = "take it out for the deployment, or deploy by `set` and `restart` with `every`";
        cx.push(Problem::new("E017", what).at(spec.target.span).help(help));
        return None;
    }
    let amount = |item: &Item<Option<Node>>, cx: &mut Cx<'_>| match item.get()? {
        Some(node) => amount(node, cx).map(Some),
        None => Some(None),
    };
    let (surge, unavailable) = (
        amount(&spec.max_surge, cx),
        amount(&spec.max_unavailable, cx),
    );
    let (surge, unavailable) = (
        surge?.unwrap_or(Amount::Count(0)),
        unavailable?.unwrap_or(Amount::Count(1)),
    );
    let none = |amount| matches!(amount, Amount::Count(0)) || amount == Amount::Share(0.0);
    if none(surge) && none(unavailable) {
        let what = "with no server more than are meant, and none fewer, none can be replaced";
        let problem = Problem::new("E017", what).at(spec.max_unavailable.span);
        cx.push(problem.help("one of `max_surge` and `max_unavailable` is above 0"));
        return None;
    }
    let canary = match spec.canary.get()? {
        None => None,
        Some(canary) => Some(Canary {
            servers: self::amount(canary.servers.get()?, cx)?,
            watch: canary.watch.copied()?,
            failed: canary.failed.copied()?,
            abort_on: canary.abort_on.get()?.clone(),
            then: stages(canary, cx)?,
        }),
    };
    Some(Rollout {
        release: (servers.iter())
            .map(|id| Arc::clone(&all[id.position()].params))
            .collect(),
        servers,
        planned: true,
        back: false,
        edits: Vec::new(),
        text: Rollout::NOTHING_NEW.to_owned(),
        surge,
        unavailable,
        min_ready: spec.min_ready.copied()?.unwrap_or_default(),
        canary,
    })
}

/// The stages after a canary. Where numbers can be compared, each has more servers than the one before.
fn stages(canary: &CanarySpec, cx: &mut Cx<'_>) -> Option<Vec<Stage>> {
    let mut before = amount(canary.servers.get()?, cx)?;
    let mut stages = Vec::new();
    for spec in canary.then.get()? {
        let servers = amount(spec.servers.get()?, cx)?;
        let more = match (before, servers) {
            (Amount::Count(before), Amount::Count(servers)) => servers > before,
            (Amount::Share(before), Amount::Share(servers)) => servers > before,
            _ => true,
        };
        if !more {
            let what = "a stage with no more servers than the one before brings nothing";
            cx.push(Problem::new("E017", what).at(spec.servers.span));
            return None;
        }
        before = servers;
        stages.push(Stage {
            servers,
            watch: spec.watch.copied()?.or(canary.watch.copied())?,
        });
    }
    Some(stages)
}

/// A number of servers, or a share of them.
pub(super) fn amount(node: &Node, cx: &mut Cx<'_>) -> Option<Amount> {
    let read = match &node.value {
        Value::Integer(count) => u32::try_from(*count).ok().map(Amount::Count),
        Value::Text(text) if text.trim().ends_with('%') => ratio_of_text(text)
            .filter(|share| (0.0..=1.0).contains(share))
            .map(Amount::Share),
        _ => None,
    };
    if read.is_none() {
        let what = format!("{} is no number of servers", written(node));
        let problem = Problem::new("E012", what).at(node.span);
        cx.push(problem.help("such as 2, or a share of them, such as \"25%\""));
    }
    read
}

/// A release is what servers are; anything else would change for all at once.
pub(super) fn check_release(
    plan: &Rollout,
    sets: &[Assignment],
    changes: &[Change],
    problems: &mut Collector,
) {
    let concerned: BTreeSet<ServerId> = plan.servers.iter().copied().collect();
    let own = |change: &Change| matches!(change, Change::Server(id, _) if concerned.contains(id));
    if !changes.iter().all(own) {
        let what = "a release changes the servers that it is put on, and nothing else";
        let mut problem = Problem::new("E031", what);
        if let Some(set) = sets.first() {
            problem = problem.at(set.value.span);
        }
        problems.push(problem.help("write another entry for what changes at once"));
    }
}

/// A fault that is written after `do`, its parameters beside it.
fn short_fault(deed: Deed, spec: &TimelineSpec, cx: &mut Cx<'_>) -> Option<Configured<FaultDef>> {
    let fault = match deed {
        Deed::Slow => {
            let Some(factor) = spec.factor.copied()? else {
                cx.push(
                    Problem::new("E031", "how slow? `factor` is missing")
                        .at(spec.span)
                        .help("such as factor = 0.5 for half the speed"),
                );
                return None;
            };
            fault::slow(factor)
        }
        Deed::Degrade => fault::degrade(
            spec.delay.copied()?.unwrap_or_default(),
            spec.loss.copied()?.unwrap_or(0.0),
        ),
        _ => fault::partition(),
    };
    Some(fault)
}

/// The servers or links that a target names, as far as a fault can befall them.
fn afflicted(
    text: &str,
    befalls: Option<Befalls>,
    item: &Item<Option<String>>,
    base: &Base,
    cx: &mut Cx<'_>,
) -> Option<Vec<Afflicted>> {
    let names_link = text.rsplit('.').next() == Some("link");
    let wants_link = befalls.map_or(names_link, |befalls| befalls == Befalls::Links);
    if names_link && !wants_link {
        let what = format!("this befalls servers, and {} is a link", cited(text));
        cx.push(Problem::new("E031", what).at(item.span));
        return None;
    }
    if wants_link {
        return match links::targets(text, base) {
            Ok(links) => Some(links.into_iter().map(Afflicted::Link).collect()),
            Err(problem) => {
                cx.push(problem.at(item.span));
                None
            }
        };
    }
    match target(text, item, base, cx)? {
        Target::Servers(ids) => Some(ids.into_iter().map(Afflicted::Server).collect()),
        Target::Balancer(_) | Target::Instance(..) => {
            cx.push(
                Problem::new("E031", "only servers can be the target of this")
                    .at(item.span)
                    .help("a balancer can crash and be restarted"),
            );
            None
        }
    }
}

fn target(text: &str, item: &Item<Option<String>>, base: &Base, cx: &mut Cx<'_>) -> Option<Target> {
    let words: Vec<&str> = text.split('.').collect();
    let (service, rest) = match words.as_slice() {
        ["machine", name] => {
            return match hosts::servers_on(name, base) {
                Ok(servers) => Some(Target::Servers(servers)),
                Err(problem) => {
                    cx.push(problem.at(item.span));
                    None
                }
            };
        }
        ["zone", name] => {
            return match links::servers_in(name, base) {
                Ok(servers) => Some(Target::Servers(servers)),
                Err(problem) => {
                    cx.push(problem.at(item.span));
                    None
                }
            };
        }
        ["service", service, rest @ ..] if !rest.is_empty() => (*service, rest),
        _ => {
            let help = "service.NAME.server.NAME, service.NAME.server for all servers, service.NAME.zone.NAME or zone.NAME for those that stand there, machine.NAME for those on it, or service.NAME.balancer";
            cx.push(
                Problem::new("E040", format!("{} is no target", cited(text)))
                    .at(item.span)
                    .help(help),
            );
            return None;
        }
    };
    let Some(index) = base
        .skeleton
        .services
        .iter()
        .position(|s| s.name == service)
    else {
        let help = suggest(
            service,
            base.skeleton.services.iter().map(|s| s.name.as_str()),
        );
        cx.push(
            Problem::new("E020", format!("no service is called `{service}`"))
                .at(item.span)
                .help(help),
        );
        return None;
    };
    let word = match rest {
        ["balancer"] => return Some(Target::Balancer(ServiceId(index as u16))),
        ["server"] => "*",
        ["server", word] => *word,
        ["zone", name] => {
            return match links::servers_of_zone(index, name, base) {
                Ok(servers) => Some(Target::Servers(servers)),
                Err(problem) => {
                    cx.push(problem.at(item.span));
                    None
                }
            };
        }
        _ => {
            cx.push(
                Problem::new("E040", format!("{} is no target", cited(text)))
                    .at(item.span)
                    .help("below a service there are `server`, `server.NAME`, `zone.NAME` and `balancer`"),
            );
            return None;
        }
    };
    let found = find_servers(index, word, base);
    if found.is_none() {
        cx.push(unknown_server(word, index, base).at(item.span));
    }
    found.map(|ids| Target::Servers(ids.into_iter().map(ServerId).collect()))
}

/// The sets of an entry as the event log tells them.
pub(crate) fn sets_text(sets: &[Assignment]) -> String {
    sets.iter()
        .map(|set| format!("{} = {}", set.text(), value_text(&set.value)))
        .collect::<Vec<_>>()
        .join(", ")
}
