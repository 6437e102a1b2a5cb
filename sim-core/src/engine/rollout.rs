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
use crate::model::{Actor, Canary, Change, Edit, Part, Rollout};
use crate::readable;
use crate::time::SECOND;
use std::sync::Arc;

/// A deployment under way, or over.
#[derive(Clone)]
pub(super) struct Rolling {
    plan: Arc<Rollout>,
    /// What each server is to become, by its position in the plan: one change after the other, since what an earlier
    /// deployment had not come to is still to be done.
    ahead: Vec<Vec<Edit>>,
    /// How many of them an earlier deployment left behind.
    owed: Vec<usize>,
    /// What has become of its own already.
    changed: Vec<Option<Edit>>,
    /// Whether a server is one of those that are meant to be there.
    meant: Vec<bool>,
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
        self.ahead.clear();
        self.owed.clear();
        self.changed.clear();
        self.meant.clear();
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

    /// The releases that it brings, and takes away: on its way back, or where it takes back another, it is the other
    /// way round.
    fn words(&self) -> (&'static str, &'static str) {
        let (new, old) = ("the new release", "the old release");
        let back = matches!(self.stage, Stage::All { back: true });
        if back == self.plan.back {
            (new, old)
        } else {
            (old, new)
        }
    }

    /// From now on the old release is put on all again.
    fn go_back(&mut self) {
        for place in 0..self.done.len() {
            let ahead = &mut self.ahead[place];
            if let Some(changed) = self.changed[place].take() {
                *ahead = vec![changed.reversed()];
                self.done[place] = false;
            } else {
                // Who has not got the new release does not get it any more; what an earlier deployment had not come to
                // is still to be done.
                ahead.truncate(self.owed[place]);
                self.done[place] = ahead.is_empty();
            }
            self.owed[place] = 0;
        }
        self.stage = Stage::All { back: true };
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
    /// A deployment begins; one of the same servers that is under way ends where it is, and what it was still to do
    /// is done by this one.
    pub(super) fn deploy(&mut self, plan: &Arc<Rollout>, by: Actor, note: &str) {
        let mut ahead = vec![Vec::new(); plan.servers.len()];
        let mut meant: Vec<bool> = plan.servers.iter().map(|&id| self.stays(id)).collect();
        for rolling in &mut self.rollouts {
            let shared = |server| plan.servers.contains(server);
            if rolling.stage == Stage::Over || !rolling.plan.servers.iter().any(shared) {
                continue;
            }
            for (old, server) in rolling.plan.servers.iter().enumerate() {
                let Some(place) = plan.servers.iter().position(|s| s == server) else {
                    continue;
                };
                if !rolling.done[old] {
                    ahead[place].append(&mut rolling.ahead[old]);
                }
                // Neither who is on its way nor a server above the number changes how many are meant to be there.
                meant[place] = rolling.meant[old];
            }
            rolling.end();
        }
        let owed = ahead.iter().map(Vec::len).collect();
        for (ahead, own) in ahead.iter_mut().zip(self.release_of(plan)) {
            ahead.extend(own);
        }
        let wanted = meant.iter().filter(|meant| **meant).count();
        // Whoever runs already what a deployment is to take it back to is left alone.
        let stays_as_it_is = |place: usize| {
            let running = self.running(plan.servers[place]);
            let after = |edits: &[Edit]| edits.iter().fold(running.clone(), |now, e| e.on(&now));
            plan.back && self.stays(plan.servers[place]) && after(&ahead[place]) == running
        };
        let done = (0..plan.servers.len()).map(stays_as_it_is).collect();
        let surge = plan.surge.of(wanted, true).min(plan.servers.len() - wanted);
        let unavailable = plan.unavailable.of(wanted, false);
        let canary = plan.canary.as_ref();
        let canary = canary.map(|canary| canary.servers.of(wanted, true).clamp(1, wanted.max(1)));
        let rolling = Rolling {
            plan: Arc::clone(plan),
            ahead,
            owed,
            changed: vec![None; plan.servers.len()],
            meant,
            done,
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

    /// What a release changes at each server: that by which it differs from what was planned. Of one of a runbook the time
    /// line knows nothing.
    fn release_of(&mut self, plan: &Rollout) -> Vec<Option<Edit>> {
        let mut release = plan.edits.clone();
        if !plan.planned {
            return release;
        }
        let differs = release.is_empty();
        for (&server, params) in plan.servers.iter().zip(&plan.release) {
            let after = Change::Server(server, Arc::clone(params));
            let planned = self.planned(Part::Server(server));
            self.is_planned(&after);
            if differs {
                let before = planned.unwrap_or_else(|| self.running(server));
                release.push(Some(Edit::new(before, after)));
            }
        }
        release
    }

    /// What a server runs.
    fn running(&self, server: ServerId) -> Change {
        Change::Server(server, Arc::clone(&self.fleet.cold[server].params))
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
            let which = format!("of {}", rolling.words().0);
            self.add(server, Actor::System, &which);
            rolling.done[place] = true;
            total += 1;
            new += 1;
        }
    }

    /// A server is from now on what the release, or the way back, makes of it. What else was changed at it stays.
    fn put(&mut self, rolling: &mut Rolling, place: usize) {
        let server = rolling.plan.servers[place];
        let ahead = std::mem::take(&mut rolling.ahead[place]);
        let (owed, own) = ahead.split_at(std::mem::take(&mut rolling.owed[place]));
        let on = |now: Change, edits: &[Edit]| edits.iter().fold(now, |now, edit| edit.on(&now));
        let before = on(self.running(server), owed);
        let after = on(before.clone(), own);
        if let Change::Server(_, params) = &after {
            self.change_server(server, params);
        }
        // One that comes a second time, since it was removed meanwhile, is what it became the first time.
        rolling.changed[place].get_or_insert(Edit::new(before, after));
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
            let which = format!("of {}", rolling.words().1);
            self.remove(plan.servers[place], Actor::System, &which);
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
            (Stage::All { .. }, _) if new >= rolling.wanted && old == 0 => {
                let cause = format!("{} is on all {}", rolling.words().0, rolling.wanted);
                rolling.stage = Stage::Over;
                // What is not there now would come as the release that is everywhere else.
                for place in 0..plan.servers.len() {
                    if !rolling.done[place] {
                        self.put(rolling, place);
                    }
                }
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
        rolling.go_back();
        self.tell_of_release(Kind::Rollback, Actor::System, &plan, seen);
    }

    /// An alert begins to fire: what goes back because of it does.
    pub(super) fn abort_rollouts(&mut self, alert: &str) {
        for index in 0..self.rollouts.len() {
            let rolling = &mut self.rollouts[index];
            let canary = rolling.plan.canary.as_ref();
            let meant = canary.is_some_and(|canary| canary.abort_on.as_deref() == Some(alert));
            let back = matches!(rolling.stage, Stage::All { back: true } | Stage::Over);
            if meant && !back {
                rolling.go_back();
                let plan = Arc::clone(&rolling.plan);
                let cause = format!("alert {alert} fires");
                self.tell_of_release(Kind::Rollback, Actor::System, &plan, cause);
            }
        }
    }
}
