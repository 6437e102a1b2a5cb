//! Runbooks, from sections to the model.

use super::Scenario;
use super::alarm::alert_called;
use super::assemble::Base;
use super::problem::{Collector, Problem, Span, suggest};
use super::section::{Cx, Item};
use super::sections::{CanarySpec, Deed, RunbookSpec, StepCanarySpec, StepSpec, TimelineSpec, Top};
use super::set::assignments;
use super::states::{States, Undo};
use super::timeline::{self, amount};
use crate::distribution::always;
use crate::model::{
    Act, Action, Actor, Alert, Edit, Edits, Monitoring, Part, Rollout, Runbook, ServerId, Step,
    Undoable, Undone,
};
use crate::text::cited;
use crate::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most runbooks, and most steps of one.
const RUNBOOKS_MAX: usize = 100;
/// Builds the runbooks, given the alerts.
pub(crate) fn runbooks(
    scenario: &Scenario,
    top: &Top,
    base: &Base,
    alerts: &[Alert],
    monitoring: Option<&Monitoring>,
    problems: &mut Collector,
) -> Option<Vec<Runbook>> {
    let written = top.runbook.get()?;
    let Some(first) = written.first() else {
        return Some(Vec::new());
    };
    if monitoring.is_none() {
        let what = "a runbook answers what the monitoring tells, and there is no `[monitoring]`";
        let problem = Problem::new("E017", what).at(first.span);
        problems.push(problem.help("write [monitoring] with scrape = \"15s\""));
        return None;
    }
    if written.len() > RUNBOOKS_MAX {
        let what = format!(
            "{} runbooks; at most {RUNBOOKS_MAX} are allowed",
            written.len()
        );
        problems.push(Problem::new("E024", what).at(top.runbook.span));
        return None;
    }
    let steps = written.iter().filter_map(|spec| spec.step.get()).flatten();
    let sets: Vec<_> = steps
        .map(|step| &step.set)
        .filter(|set| set.written)
        .collect();
    let states = States::new(scenario, top, base, &sets, problems)?;
    let mut reader = Reader {
        base,
        alerts,
        states: &states,
        deployments: BTreeMap::new(),
        problems,
    };
    let deploys = |step: &&StepSpec| step.action.copied().flatten() == Some(Deed::Deploy);
    for spec in written {
        let steps = spec.step.get().into_iter().flatten();
        for step in steps.filter(deploys) {
            reader.deployment(step, spec.on.get());
        }
    }
    let mut names = BTreeMap::new();
    let mut runbooks = Vec::new();
    let mut whole = true;
    for spec in written {
        let Some(runbook) = reader.runbook(spec) else {
            whole = false;
            continue;
        };
        if let Some(other) = names.insert(runbook.name.clone(), spec.name.span) {
            let what = format!("two runbooks are called {}", cited(&runbook.name));
            let problem = Problem::new("E019", what).at(spec.name.span);
            reader.problems.push(problem.label(other, "first here"));
            whole = false;
        }
        runbooks.push(runbook);
    }
    whole.then_some(runbooks)
}

/// A value that nobody has written.
fn absent<T>(spec: &StepSpec, value: T) -> Item<T> {
    Item {
        value: Some(value),
        span: spec.span,
        written: false,
    }
}

/// A step that does something as an entry of the time line.
fn as_entry(spec: &StepSpec) -> TimelineSpec {
    TimelineSpec {
        span: spec.span,
        name: absent(spec, None),
        at: absent(spec, Instant::ZERO),
        set: absent(spec, Vec::new()),
        action: spec.action.clone(),
        fault: absent(spec, None),
        target: spec.target.clone(),
        when: spec.when.clone(),
        every: spec.every.clone(),
        max_surge: absent(spec, None),
        max_unavailable: absent(spec, None),
        min_ready: absent(spec, None),
        canary: absent(spec, None),
        factor: absent(spec, None),
        delay: absent(spec, None),
        loss: absent(spec, None),
        lasts: absent(spec, None),
        skew: absent(spec, None),
        repeat: absent(spec, None),
        by: absent(spec, Actor::People),
        note: spec.note.clone(),
    }
}

struct Reader<'a> {
    base: &'a Base,
    alerts: &'a [Alert],
    states: &'a States,
    /// Deployments of steps, by where these stand; `None` after a problem.
    deployments: BTreeMap<Span, (String, Option<Arc<Rollout>>)>,
    problems: &'a mut Collector,
}

impl Reader<'_> {
    fn wrong(&mut self, code: &'static str, what: impl Into<String>, at: &Item<impl Sized>) {
        self.problems.push(Problem::new(code, what).at(at.span));
    }

    /// The alert of a name.
    fn alert(&mut self, name: &str, at: &Item<impl Sized>) -> Option<usize> {
        alert_called(name, at.span, self.alerts, self.problems)
    }

    /// The alert on which a change goes back is another one than that of the runbook.
    fn another(&mut self, same: bool, canary: &StepCanarySpec) -> Option<()> {
        if same {
            let what = "the alert of the runbook itself fires already, so that it cannot begin to";
            let problem = Problem::new("E017", what).at(canary.abort_on.span);
            let help = "name an alert that tells whether the change does harm";
            self.problems.push(problem.help(help));
        }
        (!same).then_some(())
    }

    fn runbook(&mut self, spec: &RunbookSpec) -> Option<Runbook> {
        let on = self.alert(spec.on.get()?, &spec.on)?;
        let written = spec.step.get()?;
        if written.len() > RUNBOOKS_MAX {
            let what = format!(
                "{} steps; at most {RUNBOOKS_MAX} are allowed",
                written.len()
            );
            self.wrong("E024", what, &spec.step);
            return None;
        }
        let steps: Vec<_> = written.iter().map(|step| self.step(step, on)).collect();
        let steps: Option<Vec<_>> = steps.into_iter().collect();
        Some(Runbook {
            name: spec.name.get()?.clone(),
            on,
            acknowledge: spec.acknowledge.get()?.clone(),
            diagnose: spec.diagnose.get()?.clone(),
            stands_down: spec.stand_down.copied()?,
            steps: steps?.into_iter().flatten().collect(),
        })
    }

    /// What is written as one step, which may be several.
    fn step(&mut self, spec: &StepSpec, on: usize) -> Option<Vec<Step>> {
        let (deed, undo) = (spec.action.copied()?, spec.undo.get()?);
        let deploys = deed == Some(Deed::Deploy);
        let written = [deed.is_some(), undo.is_some(), spec.set.written && !deploys];
        if written.iter().filter(|is| **is).count() != 1 {
            let what = "a step sets something, undoes an entry of the time line, or does something";
            let problem = Problem::new("E031", what).at(spec.span);
            let help = "one of `set`, `undo` and `do`, of which deploy alone goes with `set`; write a step for each";
            self.problems.push(problem.help(help));
            return None;
        }
        let stray = [
            (
                spec.target.written && deed.is_none(),
                spec.target.span,
                "target",
            ),
            (
                spec.when.written && deed != Some(Deed::Restart),
                spec.when.span,
                "when",
            ),
            (
                spec.canary.written && deed.is_some() && !deploys,
                spec.canary.span,
                "canary",
            ),
            (
                spec.max_surge.written && !deploys,
                spec.max_surge.span,
                "max_surge",
            ),
            (
                spec.max_unavailable.written && !deploys,
                spec.max_unavailable.span,
                "max_unavailable",
            ),
            (
                spec.min_ready.written && !deploys,
                spec.min_ready.span,
                "min_ready",
            ),
        ];
        if let Some((_, span, name)) = stray.iter().find(|(stray, ..)| *stray) {
            let what = format!("`{name}` has no effect in this step");
            let problem = Problem::new("E031", what).at(*span);
            let help = "`target` goes with `do`, `when` with restart, `max_surge`, `max_unavailable` and `min_ready` with deploy, `canary` with this and with `set` and `undo` of what servers are";
            self.problems.push(problem.help(help));
            return None;
        }
        if deploys {
            let (_, plan) = self.deployments.get(&spec.span)?;
            let plan = Action::Deploy(Arc::clone(plan.as_ref()?));
            return Some(vec![first(spec, Act::Do(plan))?]);
        }
        if let Some(deed) = deed {
            return self.deed(spec, deed);
        }
        if let Some(name) = undo {
            return self.undo(spec, name, on);
        }
        let sets = assignments(spec.set.get()?, self.problems);
        if sets.is_empty() {
            self.wrong("E031", "nothing is set", &spec.set);
            return None;
        }
        let edits = self.states.edits(&sets, self.base, self.problems)?;
        self.staged(spec, edits, on)
    }

    /// An entry of the time line is taken back.
    fn undo(&mut self, spec: &StepSpec, name: &str, on: usize) -> Option<Vec<Step>> {
        if let Some((_, plan)) = self.deployments.values().find(|(own, _)| own == name) {
            let plan = Arc::clone(plan.as_ref()?);
            return self.undo_deployment(spec, name, plan);
        }
        let Some(entry) = self.states.named.get(name) else {
            let deployments = self.deployments.values().map(|(name, _)| name);
            let names = self.states.named.keys().chain(deployments);
            let help = suggest(name, names.map(String::as_str));
            let what = format!(
                "no entry of the time line, and no step that deploys, is called {}",
                cited(name)
            );
            let problem = Problem::new("E020", what).at(spec.undo.span);
            self.problems.push(problem.help(help));
            return None;
        };
        let mut steps = match &entry.undo {
            Undo::Set(edits) => self.staged(spec, edits.clone(), on)?,
            Undo::Deploy(back) if !spec.every.written && !spec.canary.written => {
                let back = Action::Deploy(Arc::clone(back));
                vec![first(spec, Act::Do(back))?]
            }
            _ => {
                let what =
                    "only what was set or deployed can be undone, and a deployment by its own pace";
                let problem = Problem::new("E031", what).at(spec.undo.span);
                let help = "faults end by do = \"heal\", what is drained comes back by \"undrain\"";
                self.problems.push(problem.help(help));
                return None;
            }
        };
        for step in &mut steps {
            step.undoes = Some(Undone {
                name: name.to_owned(),
                of: Undoable::Entry(entry.at),
            });
        }
        Some(steps)
    }

    /// A deployment of a step is taken back, at its own pace.
    fn undo_deployment(
        &mut self,
        spec: &StepSpec,
        name: &str,
        plan: Arc<Rollout>,
    ) -> Option<Vec<Step>> {
        if spec.every.written || spec.canary.written {
            let what = "a deployment is undone by its own pace";
            let problem = Problem::new("E031", what).at(spec.undo.span);
            self.problems
                .push(problem.help("without `every` and `canary`"));
            return None;
        }
        let edits = plan.edits.iter().cloned();
        let back = Rollout {
            edits: edits.map(|edit| edit.map(Edit::reversed)).collect(),
            planned: false,
            back: true,
            text: format!("undo {name}"),
            canary: None,
            ..(*plan).clone()
        };
        let mut step = first(spec, Act::Do(Action::Deploy(Arc::new(back))))?;
        step.undoes = Some(Undone {
            name: name.to_owned(),
            of: Undoable::Deployment(plan),
        });
        Some(vec![step])
    }

    /// The deployment of a step, kept for the step and for those that undo it.
    fn deployment(&mut self, spec: &StepSpec, on: Option<&String>) {
        let name = spec.name.get().and_then(Clone::clone).unwrap_or_default();
        let taken = self.deployments.values().any(|(other, _)| *other == name);
        if !name.is_empty() && (taken || self.states.named.contains_key(&name)) {
            let what = format!(
                "two entries of the time line, or steps that deploy, are called {}",
                cited(&name)
            );
            self.wrong("E019", what, &spec.name);
        }
        let plan = self.rollout(spec, on).map(Arc::new);
        self.deployments.insert(spec.span, (name, plan));
    }

    fn rollout(&mut self, spec: &StepSpec, on: Option<&String>) -> Option<Rollout> {
        if let Some(canary) = spec.canary.get()?
            && let Some(abort_on) = canary.abort_on.get()?
        {
            self.alert(abort_on, &canary.abort_on)?;
            self.another(on == Some(abort_on), canary)?;
        }
        let canary = match spec.canary.get()? {
            None => None,
            Some(canary) => Some(CanarySpec {
                span: canary.span,
                servers: canary.servers.clone(),
                watch: canary.watch.clone(),
                failed: absent(spec, canary.failed.copied()?.unwrap_or(0.01)),
                abort_on: canary.abort_on.clone(),
                then: absent(spec, Vec::new()),
            }),
        };
        let entry = TimelineSpec {
            max_surge: spec.max_surge.clone(),
            max_unavailable: spec.max_unavailable.clone(),
            min_ready: spec.min_ready.clone(),
            canary: absent(spec, canary),
            ..as_entry(spec)
        };
        let cx = &mut Cx {
            problems: self.problems,
            clock: self.base.clock,
        };
        let actions = timeline::actions(&entry, self.base, cx)?;
        let Some(Action::Deploy(plan)) = actions.into_iter().next() else {
            return None;
        };
        let mut plan = Arc::unwrap_or_clone(plan);
        plan.planned = false;
        plan.edits = vec![None; plan.servers.len()];
        let sets = assignments(spec.set.get()?, self.problems);
        if sets.is_empty() {
            return Some(plan);
        }
        let edits = self.states.edits(&sets, self.base, self.problems)?;
        plan.text = edits.text;
        for edit in edits.edits {
            let place = match edit.part() {
                Part::Server(id) => plan.servers.iter().position(|server| *server == id),
                _ => None,
            };
            let Some(place) = place else {
                let what = "a release changes the servers that it is put on, and nothing else";
                let problem = Problem::new("E031", what).at(spec.set.span);
                let help = "write another step for what changes at once";
                self.problems.push(problem.help(help));
                return None;
            };
            plan.edits[place] = Some(edit);
        }
        Some(plan)
    }

    /// What is done to a target.
    fn deed(&mut self, spec: &StepSpec, deed: Deed) -> Option<Vec<Step>> {
        if deed.is_fault() || deed == Deed::Crash {
            let what = "nobody mends anything by that";
            let problem = Problem::new("E031", what).at(spec.action.span);
            let help = "restart, failover, drain, undrain, add, remove, deploy, flush, heal, note";
            self.problems.push(problem.help(help));
            return None;
        }
        let entry = as_entry(spec);
        let cx = &mut Cx {
            problems: self.problems,
            clock: self.base.clock,
        };
        let actions = timeline::actions(&entry, self.base, cx)?;
        let mut steps = Vec::new();
        for action in actions {
            let act = Act::Do(action);
            steps.push(if steps.is_empty() {
                first(spec, act)?
            } else {
                follows(spec, spec.every.copied()?.unwrap_or_default(), act)
            });
        }
        Some(steps)
    }

    /// Changes of settings at once, or server by server, some of them first.
    fn staged(&mut self, spec: &StepSpec, edits: Edits, on: usize) -> Option<Vec<Step>> {
        let (canary, every) = (spec.canary.get()?.as_ref(), spec.every.copied()?);
        if canary.is_none() && every.is_none() {
            return Some(vec![first(spec, Act::Set(edits))?]);
        }
        let mut servers = BTreeSet::new();
        for edit in &edits.edits {
            let Part::Server(id) = edit.part() else {
                let what = "only what servers are can be changed server by server";
                let at = if canary.is_some() {
                    spec.canary.span
                } else {
                    spec.every.span
                };
                self.problems.push(Problem::new("E031", what).at(at));
                return None;
            };
            servers.insert(id);
        }
        let servers: Vec<ServerId> = servers.into_iter().collect();
        let of = |some: &[ServerId]| Edits {
            text: edits.text.clone(),
            edits: (edits.edits.iter())
                .filter(|e| matches!(e.part(), Part::Server(id) if some.binary_search(&id).is_ok()))
                .cloned()
                .collect(),
        };
        let mut steps = Vec::new();
        let mut rest = servers.as_slice();
        if let Some(canary) = canary {
            let cx = &mut Cx {
                problems: self.problems,
                clock: self.base.clock,
            };
            let count = amount(canary.servers.get()?, cx)?.of(servers.len(), true);
            let (some, others) = servers.split_at(count.max(1).min(servers.len()));
            rest = others;
            let Some(abort_on) = canary.abort_on.get()? else {
                let what = "who says that it does harm? `abort_on` is missing";
                let problem = Problem::new("E011", what).at(spec.canary.span);
                self.problems.push(problem.help("the name of an alert"));
                return None;
            };
            if canary.failed.written {
                let what = "`failed` has no effect in this step: the alert of `abort_on` says that it does harm";
                self.wrong("E031", what, &canary.failed);
                return None;
            }
            let abort_on = self.alert(abort_on, &canary.abort_on)?;
            self.another(abort_on == on, canary)?;
            steps.push(first(spec, Act::Set(of(some)))?);
            let watch = Act::Watch {
                lasts: canary.watch.copied()?,
                abort_on,
                text: edits.text.clone(),
            };
            steps.push(follows(spec, Duration::ZERO, watch));
        }
        let parts: Vec<&[ServerId]> = match every {
            Some(_) => rest.chunks(1).collect(),
            None => vec![rest],
        };
        for (i, part) in parts
            .into_iter()
            .enumerate()
            .filter(|(_, part)| !part.is_empty())
        {
            let act = Act::Set(of(part));
            let pause = every.filter(|_| i > 0).unwrap_or_default();
            steps.push(if steps.is_empty() {
                first(spec, act)?
            } else {
                follows(spec, pause, act)
            });
        }
        Some(steps)
    }
}

/// What a step begins with.
fn first(spec: &StepSpec, act: Act) -> Option<Step> {
    Some(Step {
        after: spec.after.get()?.clone(),
        first: true,
        note: spec.note.get()?.clone(),
        undoes: None,
        act,
    })
}

/// What follows in the same step.
fn follows(spec: &StepSpec, after: Duration, act: Act) -> Step {
    Step {
        after: always(after),
        first: false,
        note: spec.note.get().cloned().unwrap_or_default(),
        undoes: None,
        act,
    }
}
