//! Rolling deployments: a new release, server by server.
//!
//! As a deployment of Kubernetes does it: once a second it looks whether it may start another server
//! of the new release (there are no more than are meant and `max_surge`), and whether it may take one of the old release away
//! (enough are left that serve). Servers taken away are drained; each that is gone, and each that was
//! never there, is a place for one of the new release. A canary is a halt on the way: with so many of the new
//! release it watches for a while, and then goes on or goes back the same way.

use super::Simulation;
use super::event::Event;
use crate::event_log::Kind;
use crate::ids::{Id, ServerId};
use crate::machine::MachineState;
use crate::model::{Actor, Canary, Change, Edit, Part, Rollout, ServerParams};
use crate::readable;
use crate::time::SECOND;
use std::sync::Arc;

/// A deployment under way, or over.
#[derive(Clone)]
pub(super) struct Rolling {
    plan: Arc<Rollout>,
    /// What each server is to run, and what it ran before, as it was planned; by its position in the plan.
    release: Vec<Arc<ServerParams>>,
    before: Vec<Arc<ServerParams>>,
    /// Of one of a runbook, what it changes at each; nothing on the way back.
    edits: Vec<Option<Edit>>,
    /// What the release has changed at it, where there are runbooks.
    changed: Vec<Option<Edit>>,
    /// Whether a server runs what it is to run.
    done: Vec<bool>,
    /// How many are meant to be there, how many more there may be, and how many fewer may serve.
    wanted: usize,
    surge: usize,
    unavailable: usize,
    stage: Stage,
    /// Stages that are behind it, the canary's included.
    passed: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// So many are started first.
    Canary(usize),
    /// They are watched: until when, and how their attempts had ended before.
    Watch {
        canary: usize,
        until: u64,
        ended: (u64, u64),
    },
    /// All others follow.
    All {
        back: bool,
    },
    Over,
}

impl Rolling {
    /// It is over, and nothing of it is kept.
    fn end(&mut self) {
        self.stage = Stage::Over;
        self.release.clear();
        self.before.clear();
        self.edits.clear();
        self.changed.clear();
        self.done.clear();
    }

    /// How long the present stage is watched, in nanoseconds.
    fn watch(&self, canary: &Canary) -> u64 {
        let stage = self.passed.checked_sub(1);
        let stage = stage.and_then(|stage| canary.then.get(stage));
        stage.map_or(canary.watch, |stage| stage.watch).0
    }

    /// What follows on a stage of so many servers: the next one that has more, or all.
    fn next(&mut self, canary: &Canary, before: usize) -> Stage {
        while let Some(stage) = canary.then.get(self.passed) {
            let servers = stage.servers.of(self.wanted, true).min(self.wanted);
            if servers > before {
                return Stage::Canary(servers);
            }
            self.passed += 1;
        }
        Stage::All { back: false }
    }

    /// What those are that it brings, and those that it takes away: on its way back it is the other way round.
    fn words(&self) -> (&'static str, &'static str) {
        let (new, old) = ("of the new release", "of the old release");
        match self.stage {
            Stage::All { back: true } => (old, new),
            _ => (new, old),
        }
    }

    /// How many may run the new release for now.
    fn allowed(&self) -> usize {
        match self.stage {
            Stage::Canary(canary) | Stage::Watch { canary, .. } => canary,
            Stage::All { .. } | Stage::Over => self.wanted,
        }
    }
}

impl Simulation {
    /// A deployment begins; one of the same servers that is under way ends where it is.
    pub(super) fn deploy(&mut self, plan: &Arc<Rollout>, by: Actor, note: &str) {
        for rolling in &mut self.rollouts {
            let shared = |server| plan.servers.contains(server);
            if rolling.plan.servers.iter().any(shared) {
                rolling.end();
            }
        }
        let there = |&&server: &&ServerId| self.stays(server);
        let wanted = plan.servers.iter().filter(there).count();
        let before = plan.servers.iter();
        let before = before.map(|&server| match self.planned(Part::Server(server)) {
            Some(Change::Server(_, params)) => params,
            _ => Arc::clone(&self.fleet.cold[server].params),
        });
        let surge = plan.surge.of(wanted, true).min(plan.servers.len() - wanted);
        let unavailable = plan.unavailable.of(wanted, false);
        let canary = plan.canary.as_ref();
        let canary = canary.map(|canary| canary.servers.of(wanted, true).clamp(1, wanted.max(1)));
        let rolling = Rolling {
            plan: Arc::clone(plan),
            release: plan.release.clone(),
            before: before.collect(),
            edits: plan.edits.clone(),
            changed: vec![None; plan.servers.len()],
            done: vec![false; plan.servers.len()],
            wanted,
            surge,
            // Were it none at all, nothing could ever be replaced.
            unavailable: unavailable.max(usize::from(surge == 0)),
            stage: canary.map_or(Stage::All { back: false }, Stage::Canary),
            passed: 0,
        };
        let mut cause = plan.text.clone();
        if !note.is_empty() {
            cause = format!("{note} ({cause})");
        }
        self.tell_of_release(Kind::Deploy, by, plan, cause);
        self.rollouts.push(rolling);
        let index = self.rollouts.len() - 1;
        self.roll_out(index as u32);
    }

    /// Whether a deployment has begun.
    pub(super) fn has_deployed(&self, plan: &Rollout) -> bool {
        self.rollouts.iter().any(|rolling| *rolling.plan == *plan)
    }

    fn tell_of_release(&mut self, kind: Kind, by: Actor, plan: &Rollout, cause: String) {
        let service = plan
            .servers
            .first()
            .map(|&server| self.fleet[server].service);
        let name = service.map_or(String::new(), |service| {
            self.model.services[service.position()].name.clone()
        });
        self.tell(kind, by, &name, cause);
    }

    /// Whether a server is there and not on its way out.
    fn stays(&self, server: ServerId) -> bool {
        self.fleet[server].state != MachineState::Absent && !self.fleet.cold[server].leaving
    }

    /// A deployment looks what it may do next.
    pub(super) fn roll_out(&mut self, index: u32) {
        let Some(rolling) = self.rollouts.get(index as usize) else {
            return;
        };
        if rolling.stage == Stage::Over {
            return;
        }
        let mut rolling = rolling.clone();
        self.progress.look_at(rolling.plan.servers.len());
        self.together(|simulation| {
            simulation.start_new(&mut rolling);
            simulation.take_old(&mut rolling);
            simulation.next_stage(&mut rolling);
        });
        let over = rolling.stage == Stage::Over;
        if over {
            rolling.end();
        }
        self.rollouts[index as usize] = rolling;
        if !over {
            self.after(SECOND, Event::Rollout(index));
        }
    }

    /// Servers of the new release are started in places that are free.
    fn start_new(&mut self, rolling: &mut Rolling) {
        let plan = Arc::clone(&rolling.plan);
        let places = plan.servers.iter().enumerate();
        let there = places.filter(|&(_, &server)| self.stays(server));
        let (mut total, mut new) = (0, 0);
        for (place, _) in there {
            total += 1;
            new += usize::from(rolling.done[place]);
        }
        for (place, &server) in plan.servers.iter().enumerate() {
            if total >= rolling.wanted + rolling.surge || new >= rolling.allowed() {
                return;
            }
            if self.fleet[server].state != MachineState::Absent {
                continue;
            }
            self.put(rolling, place);
            self.add(server, Actor::System, rolling.words().0);
            rolling.done[place] = true;
            total += 1;
            new += 1;
        }
    }

    /// A server is from now on what the release, or the way back, makes of it. What runbooks have changed stays.
    fn put(&mut self, rolling: &mut Rolling, place: usize) {
        let server = rolling.plan.servers[place];
        let Some(now) = self.present(Part::Server(server)) else {
            return self.change_server(server, &rolling.release[place]);
        };
        let release = Change::Server(server, Arc::clone(&rolling.release[place]));
        // What a runbook deploys the time line knows nothing of.
        let of_runbook = rolling.edits.get(place).cloned();
        let after = if let Some(changed) = rolling.changed[place].take() {
            if of_runbook.is_none() {
                self.is_planned(&release);
            }
            changed.reversed().on(&now)
        } else {
            let after = match (of_runbook, rolling.plan.undoes.get(place)) {
                (Some(edit), _) => edit.map_or_else(|| now.clone(), |edit| edit.on(&now)),
                (None, Some(undone)) => {
                    Edit::new(Change::Server(server, Arc::clone(undone)), release).on(&now)
                }
                (None, None) => self.reconciled(&release).into_owned(),
            };
            rolling.changed[place] = Some(Edit::new(now, after.clone()));
            after
        };
        if let Change::Server(_, params) = &after {
            self.change_server(server, params);
        }
    }

    /// Whether a server serves and, where it is new, has done so for long enough.
    fn is_available(&self, rolling: &Rolling, place: usize) -> bool {
        let server = rolling.plan.servers[place];
        let up_since = self.fleet.cold[server].incarnation.up_since;
        self.stays(server)
            && self.fleet[server].state == MachineState::Up
            && self.fleet.in_rotation(server)
            && (!rolling.done[place] || self.now - up_since >= rolling.plan.min_ready.0)
    }

    /// Servers of the old release are taken away as far as enough others serve: first those that do not.
    fn take_old(&mut self, rolling: &mut Rolling) {
        let plan = Arc::clone(&rolling.plan);
        let places = 0..plan.servers.len();
        let available = places
            .clone()
            .filter(|&p| self.is_available(rolling, p))
            .count();
        let mut spare =
            available.saturating_sub(rolling.wanted.saturating_sub(rolling.unavailable));
        let mut old: Vec<usize> = places
            .filter(|&p| !rolling.done[p] && self.stays(plan.servers[p]))
            .collect();
        // A canary leaves the others alone.
        let kept = rolling.wanted.saturating_sub(rolling.allowed());
        let mut excess = old.len().saturating_sub(kept);
        old.sort_by_key(|&p| self.is_available(rolling, p));
        for place in old {
            if excess == 0 {
                return;
            }
            if self.is_available(rolling, place) {
                if spare == 0 {
                    return;
                }
                spare -= 1;
            }
            excess -= 1;
            self.remove(plan.servers[place], Actor::System, rolling.words().1);
        }
    }

    /// How attempts at the servers of the new release have ended so far: well, and not.
    fn ended(&self, rolling: &Rolling) -> (u64, u64) {
        let places = rolling.plan.servers.iter().zip(&rolling.done);
        let new = places.filter(|(_, done)| **done);
        new.fold((0, 0), |(well, ill), (&server, _)| {
            let s = &self.fleet[server];
            (well + u64::from(s.succeeded), ill + u64::from(s.failed))
        })
    }

    fn next_stage(&mut self, rolling: &mut Rolling) {
        let plan = Arc::clone(&rolling.plan);
        let places = 0..plan.servers.len();
        let serves = |p: &usize| rolling.done[*p] && self.is_available(rolling, *p);
        let new = places.clone().filter(serves).count();
        let old = places.filter(|&p| {
            !rolling.done[p] && self.fleet[plan.servers[p]].state != MachineState::Absent
        });
        let old = old.count();
        match (rolling.stage, &plan.canary) {
            (Stage::Canary(canary), Some(settings)) if new >= canary => {
                rolling.stage = Stage::Watch {
                    canary,
                    until: self.now.saturating_add(rolling.watch(settings)),
                    ended: self.ended(rolling),
                };
            }
            (
                Stage::Watch {
                    canary,
                    until,
                    ended,
                },
                Some(settings),
            ) if self.now >= until => {
                self.judge(rolling, settings, canary, ended);
            }
            (Stage::All { back }, _) if new >= rolling.wanted && old == 0 => {
                rolling.stage = Stage::Over;
                // What is not there now would come as the release that is everywhere else.
                for place in 0..plan.servers.len() {
                    if !rolling.done[place] {
                        self.put(rolling, place);
                    }
                }
                let words = if back {
                    "the old release"
                } else {
                    "the new release"
                };
                let cause = format!("{words} is on all {}", rolling.wanted);
                self.tell_of_release(Kind::Deployed, Actor::System, &plan, cause);
            }
            _ => {}
        }
    }

    /// The canary has been watched for as long as was meant.
    fn judge(&mut self, rolling: &mut Rolling, canary: &Canary, number: usize, before: (u64, u64)) {
        let now = self.ended(rolling);
        // Counters of servers wrap around.
        let since = |now: u64, before: u64| u64::from((now as u32).wrapping_sub(before as u32));
        let (well, ill) = (since(now.0, before.0), since(now.1, before.1));
        if well + ill == 0 {
            // Nobody came: that proves nothing.
            rolling.stage = Stage::Watch {
                canary: number,
                until: self.now.saturating_add(rolling.watch(canary)),
                ended: now,
            };
            return;
        }
        let failed = ill as f64 / (well + ill) as f64;
        let seen = format!(
            "{} of {} attempts at {} failed",
            readable::share(failed),
            well + ill,
            match rolling.passed {
                0 => "the canary".to_owned(),
                _ => format!("the first {number}"),
            }
        );
        let plan = Arc::clone(&rolling.plan);
        if failed <= canary.failed {
            rolling.stage = rolling.next(canary, number);
            rolling.passed += 1;
            return self.tell_of_release(
                Kind::Deploy,
                Actor::System,
                &plan,
                format!("goes on: {seen}"),
            );
        }
        std::mem::swap(&mut rolling.release, &mut rolling.before);
        rolling.edits.fill(None);
        for done in &mut rolling.done {
            *done = !*done;
        }
        rolling.stage = Stage::All { back: true };
        self.tell_of_release(Kind::Rollback, Actor::System, &plan, seen);
    }
}
