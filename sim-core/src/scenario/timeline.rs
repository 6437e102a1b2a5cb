//! The time line, from sections to the model.

use super::Scenario;
use super::assemble::Base;
use super::canonical::value_text;
use super::links;
use super::live::{Live, find_servers, unknown_server};
use super::problem::{Collector, Problem, suggest};
use super::section::{Cx, Item};
use super::sections::{Deed, TimelineSpec, Top};
use super::set::{Assignment, assignments};
use crate::model::{Action, Actor, ServerId, ServiceId, Target, TimelineEntry};
use crate::time::Instant;

/// Most entries.
const ENTRIES_MAX: usize = 100_000;
/// After so many problems the rest of a time line is not looked at: nobody reads on, and searching
/// for names that may have been meant takes its time.
const ENOUGH: usize = 1000;

/// An entry of the model's time line.
pub(crate) struct Planned {
    pub entry: TimelineEntry,
    /// Whether it was set while time ran rather than written.
    pub live: bool,
}

/// An entry on its way: sets are worked out in order of time, when all are known.
struct Draft {
    entry: TimelineEntry,
    sets: Vec<Assignment>,
    live: bool,
}

/// Builds the time line.
pub(crate) fn timeline(
    scenario: &Scenario,
    top: &Top,
    base: &Base,
    problems: &mut Collector,
) -> Option<Vec<Planned>> {
    let before = problems.count();
    let mut drafts = drafts(scenario, top, base, problems)?;
    drafts.sort_by_key(|draft| (draft.entry.at, draft.live));
    if drafts.iter().any(|draft| !draft.sets.is_empty()) {
        let mut live = Live::new(&scenario.tree, base);
        for draft in &mut drafts {
            if !draft.sets.is_empty() {
                let changes = live.set(&draft.sets, base, problems);
                draft.entry.action = Action::Set {
                    text: sets_text(&draft.sets),
                    changes,
                };
            }
        }
    }
    (problems.count() == before).then(|| {
        drafts
            .into_iter()
            .map(|draft| Planned {
                entry: draft.entry,
                live: draft.live,
            })
            .collect()
    })
}

/// The state of the system at `at`, after all that happens then.
pub(crate) fn state_at(
    scenario: &Scenario,
    top: &Top,
    base: &Base,
    at: Instant,
    problems: &mut Collector,
) -> Option<Live> {
    let mut drafts = drafts(scenario, top, base, problems)?;
    drafts.sort_by_key(|draft| (draft.entry.at, draft.live));
    let mut live = Live::new(&scenario.tree, base);
    for draft in drafts
        .iter()
        .filter(|draft| draft.entry.at <= at && !draft.sets.is_empty())
    {
        live.set(&draft.sets, base, problems);
    }
    problems.is_empty().then_some(live)
}

fn drafts(
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
        match draft(spec, base, cx) {
            Some(draft) => drafts.push(draft),
            None => whole = false,
        }
    }
    for set in &scenario.live {
        let action = Action::Set {
            text: String::new(),
            changes: Vec::new(),
        };
        let entry = TimelineEntry {
            at: set.at,
            by: Actor::People,
            note: String::new(),
            action,
        };
        drafts.push(Draft {
            entry,
            sets: vec![set.assignment.clone()],
            live: true,
        });
    }
    whole.then_some(drafts)
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
    let action = match (sets.is_empty(), deed) {
        (false, None) => Action::Note,
        (true, Some(deed)) => action(deed, spec, base, cx)?,
        (false, Some(_)) => {
            cx.push(
                Problem::new("E031", "an entry either sets or does something, not both")
                    .at(spec.action.span)
                    .label(spec.set.span, "the sets")
                    .help("write two entries"),
            );
            return None;
        }
        (true, None) if spec.set.written => return None,
        (true, None) => {
            cx.push(
                Problem::new("E031", "an entry of the time line needs `set` or `do`")
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
        entry,
        sets,
        live: false,
    })
}

/// Keys that would have no effect are mistakes.
fn check_keys(spec: &TimelineSpec, deed: Option<Deed>, cx: &mut Cx<'_>) -> Option<()> {
    let targeted = !matches!(deed, None | Some(Deed::Note));
    let slow = deed == Some(Deed::Slow);
    let degrade = deed == Some(Deed::Degrade);
    let lasting = slow || degrade || deed == Some(Deed::Partition);
    let stray = |written: bool, allowed: bool| written && !allowed;
    let strays = [
        (
            "target",
            spec.target.span,
            stray(spec.target.written, targeted),
        ),
        ("factor", spec.factor.span, stray(spec.factor.written, slow)),
        ("for", spec.lasts.span, stray(spec.lasts.written, lasting)),
        ("delay", spec.delay.span, stray(spec.delay.written, degrade)),
        ("loss", spec.loss.span, stray(spec.loss.written, degrade)),
    ];
    let mut clean = true;
    for (name, span, found) in strays {
        if found {
            cx.push(
                Problem::new("E031", format!("`{name}` has no effect in this entry"))
                    .at(span)
                    .help(
                        "`target` goes with `do`; `factor` with slow, `delay` and `loss` with \
                         degrade, `for` with these two and partition",
                    ),
            );
            clean = false;
        }
    }
    clean.then_some(())
}

fn action(deed: Deed, spec: &TimelineSpec, base: &Base, cx: &mut Cx<'_>) -> Option<Action> {
    if deed == Deed::Note {
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
    if matches!(deed, Deed::Partition | Deed::Degrade | Deed::Heal) {
        return links::action(deed, text, spec, base, cx);
    }
    let target = target(text, &spec.target, base, cx)?;
    let servers_only = |target: Target, cx: &mut Cx<'_>| match target {
        Target::Servers(ids) => Some(ids),
        Target::Balancer(_) => {
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
        Deed::Restart => Action::Restart(target),
        Deed::Drain => Action::Drain(Target::Servers(servers_only(target, cx)?)),
        Deed::Undrain => Action::Undrain(Target::Servers(servers_only(target, cx)?)),
        Deed::Add => Action::Add(servers_only(target, cx)?),
        Deed::Remove => Action::Remove(Target::Servers(servers_only(target, cx)?)),
        Deed::Slow | Deed::Note | Deed::Partition | Deed::Degrade | Deed::Heal => {
            let Some(factor) = spec.factor.copied()? else {
                cx.push(
                    Problem::new("E031", "how slow? `factor` is missing")
                        .at(spec.span)
                        .help("such as factor = 0.5 for half the speed"),
                );
                return None;
            };
            let target = Target::Servers(servers_only(target, cx)?);
            Action::Slow {
                target,
                factor,
                lasts: spec.lasts.copied()?,
            }
        }
    })
}

fn target(text: &str, item: &Item<Option<String>>, base: &Base, cx: &mut Cx<'_>) -> Option<Target> {
    let words: Vec<&str> = text.split('.').collect();
    let (service, rest) = match words.as_slice() {
        ["service", service, rest @ ..] if !rest.is_empty() => (*service, rest),
        _ => {
            let help = "service.NAME.server.NAME, service.NAME.server for all servers, or service.NAME.balancer";
            cx.push(
                Problem::new("E040", format!("{text:?} is no target"))
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
        _ => {
            cx.push(
                Problem::new("E040", format!("{text:?} is no target"))
                    .at(item.span)
                    .help("below a service there are `server`, `server.NAME` and `balancer`"),
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
