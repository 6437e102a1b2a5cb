//! Health rules at work: what a balancer instance has seen becomes whom it may pick.
//!
//! Each instance has its rules, with what they have seen. Whenever something may have changed, they
//! are asked one after the other, by `eligible`, about the server that it concerns, or about all where
//! one of them counts; the earliest moment at which one of them wants to be asked again is an event. The probes that a rule asks for are sent by `probe`.

use super::Simulation;
use super::event::{Event, Machine};
use super::event_queue::NEVER;
use super::slab::Handle;
use super::tried::{Apart, Left};
use crate::event_log::Kind;
use crate::extension::Configured;
use crate::health::{self, Candidate, HealthDef, HealthRule, News, OwnHealth, Seen, Standing};
use crate::ids::{Id, InstanceId, LocalId, Table};
use crate::machine::MachineState;
use crate::model::Actor;
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::time::{Duration, Instant};

/// The rules of a balancer instance.
#[derive(Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether something rare must be done"
)]
pub(super) struct Health {
    rules: Vec<Rule>,
    /// Whether any wants to hear how attempts end.
    pub watches: bool,
    /// Whether any wants to hear of each that is sent.
    pub counts_sent: bool,
    /// Whether all go by their own checks alone.
    pub by_checks: bool,
    /// Whether any holds connections, and how many were opened so far.
    pub connects: bool,
    pub opened: u32,
    /// When the connection to each server is planned to be opened next.
    planned: Table<LocalId, Option<u64>>,
    /// Whether any decides about priorities.
    pub decides_levels: bool,
    /// The priorities between which attempts are split, while they are.
    pub split: Vec<Level>,
    /// When the rules are asked again at the latest, and by which event.
    due: Option<u64>,
    generation: u32,
    /// What they worked on last, and whether that is what they would say of all servers now.
    standing: Standing,
    judged: bool,
}

/// A priority that gets a part of the attempts.
#[derive(Clone)]
pub(super) struct Level {
    number: u32,
    /// The percentage of attempts up to and including it.
    upto: u32,
    /// Its servers, as in `eligible`.
    pub servers: Vec<u32>,
    /// A policy of its own, so that turns in one priority are none in another; absent where the
    /// policy goes by what it hears of all servers.
    pub policy: Option<Box<dyn Policy>>,
}

#[derive(Clone)]
struct Rule {
    def: &'static HealthDef,
    state: Box<dyn HealthRule>,
}

impl Health {
    /// Takes on the rules of the settings, and what differs at some servers. What a rule has seen stays,
    /// wherever it now stands.
    pub(super) fn adopt<'a>(
        &mut self,
        rows: &[Configured<HealthDef>],
        servers: usize,
        own: impl Iterator<Item = (LocalId, &'a OwnHealth)>,
    ) {
        self.judged = false;
        let mut before = std::mem::take(&mut self.rules);
        let rule = |row: &Configured<HealthDef>| {
            let same = |rule: &Rule| rule.def.row.name == row.def.row.name;
            let Some(place) = before.iter().position(same) else {
                let (def, state) = (row.def, row.build(servers));
                return Rule { def, state };
            };
            let mut rule = before.swap_remove(place);
            rule.state.adopt(&row.params);
            rule
        };
        self.rules = rows.iter().map(rule).collect();
        self.watches = rows.iter().any(|row| row.def.watches);
        self.counts_sent = rows.iter().any(|row| row.def.counts_sent);
        self.by_checks = rows.iter().all(|row| row.def.by_checks);
        self.connects = rows.iter().any(|row| row.def.connects);
        if self.connects && self.planned.len() < servers {
            self.planned = Table::filled(servers, None);
        }
        self.decides_levels = rows.iter().any(|row| row.def.levels);
        for (server, own) in own.filter(|(_, own)| !own.is_plain()) {
            self.adopt_server(rows, server, own);
        }
    }

    /// Takes on what differs at a server.
    pub(super) fn adopt_server(
        &mut self,
        rows: &[Configured<HealthDef>],
        server: LocalId,
        own: &OwnHealth,
    ) {
        self.judged = false;
        for (rule, row) in self.rules.iter_mut().zip(rows) {
            let params = row.params_at(own);
            (rule.state).adopt_server(server.position(), &params, own.checked);
        }
    }

    /// The priority that gets all attempts, where rules decide about priorities.
    pub(super) fn only_level(&self) -> Option<u32> {
        match self.standing.levels[..] {
            [(level, _)] => Some(level),
            _ => None,
        }
    }

    /// Whether there are no rules: everybody in rotation is healthy.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether results have begun to speak against what checks say of a server.
    pub(super) fn doubts(&self, server: LocalId) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| rule.state.doubts(server.position()))
    }

    /// Whether checks have taken a server out, and none has passed since.
    pub(super) fn is_out(&self, server: LocalId) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| rule.state.is_out(server.position()))
    }

    /// When a connection to a server is to be opened, if any rule wants one.
    pub(super) fn connects_at(&self, server: LocalId) -> Option<Instant> {
        let rules = self.rules.iter();
        let wanted = rules.filter_map(|rule| rule.state.connects_at(server.position()));
        wanted.min()
    }

    /// It is planned for a moment. Whether that is another than before.
    pub(super) fn plan(&mut self, server: LocalId, at: u64) -> bool {
        self.planned[server].replace(at) != Some(at)
    }

    /// What was planned for by now comes.
    pub(super) fn begin_planned(&mut self, server: LocalId, now: u64) {
        self.planned[server].take_if(|at| *at <= now);
    }

    /// It begins to be opened, with a number drawn for it; how long an answer is waited for.
    pub(super) fn connect(&mut self, now: u64, server: LocalId, point: f64) -> Duration {
        let rules = self.rules.iter_mut().filter(|rule| rule.def.connects);
        let waits = rules.map(|rule| {
            let state = &mut rule.state;
            state.connect(Instant(now), server.position(), point)
        });
        waits.max().unwrap_or(Duration::ZERO)
    }

    /// The instance has crashed.
    pub(super) fn forget(&mut self) {
        self.judged = false;
        for rule in &mut self.rules {
            rule.state.forget();
        }
    }

    /// What the rules make of the servers.
    pub(super) fn judge(
        &mut self,
        now: u64,
        servers: Vec<Candidate>,
        news: &mut Vec<News>,
    ) -> &Standing {
        self.judged = true;
        self.standing.levels.clear();
        self.standing.servers = servers;
        for rule in &mut self.rules {
            rule.state.judge(Instant(now), &mut self.standing, news);
        }
        &self.standing
    }

    /// What the rules make of one server, where that concerns no other: false where all are to be judged
    /// anew.
    pub(super) fn judge_one(
        &mut self,
        now: u64,
        server: LocalId,
        candidate: &mut Candidate,
        news: &mut Vec<News>,
    ) -> bool {
        let mut rules = self.rules.iter_mut();
        let position = server.position();
        let alone = self.judged
            && rules.all(|rule| {
                let state = &mut rule.state;
                state.judge_one(Instant(now), position, candidate, news)
            });
        if alone {
            self.standing.servers[position] = *candidate;
        }
        alone
    }

    /// What they have made of a server, where nothing but a check makes them think otherwise.
    #[inline]
    pub(super) fn known(&mut self, server: LocalId) -> Option<&mut Candidate> {
        (self.by_checks && self.judged).then(|| &mut self.standing.servers[server.position()])
    }

    /// Whether it is time for a rule to be asked again.
    pub(super) fn is_due(&self, now: u64) -> bool {
        let mut due = self.rules.iter().filter_map(|rule| rule.state.due());
        due.any(|at| at.0 <= now)
    }

    /// The servers about which rules want to be asked by now, in order.
    pub(super) fn come_due(&self, now: u64) -> Vec<LocalId> {
        let mut due = Vec::new();
        for rule in &self.rules {
            rule.state.come_due(Instant(now), &mut due);
        }
        due.sort_unstable();
        due.dedup();
        due.into_iter()
            .map(|server| LocalId::at(server as usize))
            .collect()
    }

    /// Splits the eligible servers by priority, if several are in use.
    pub(super) fn split(&mut self, eligible: &[u32], policy: &dyn Policy, start: Option<f64>) {
        let mut before = std::mem::take(&mut self.split);
        if self.standing.levels.len() < 2 {
            return;
        }
        let hears = policy.observes() || policy.tracks_idle() || policy.tracks_queues();
        let own = || {
            let mut policy = policy.clone_box();
            if let Some(share) = start {
                policy.start_apart(share);
            }
            policy
        };
        let mut sum = 0;
        for &(level, share) in &self.standing.levels {
            sum += share;
            let servers = &self.standing.servers;
            let of = |local: &&u32| servers[**local as usize].level == level;
            let mut same = before.iter_mut().filter(|other| other.number == level);
            let kept = same.next().and_then(|other| other.policy.take());
            self.split.push(Level {
                number: level,
                upto: sum,
                servers: eligible.iter().filter(of).copied().collect(),
                policy: kept.or_else(|| (!hears).then(own)),
            });
        }
    }

    /// When the rules want to be asked again, if that is another moment than planned; and by which
    /// event.
    fn replan(&mut self) -> Option<(u64, u32)> {
        let due = self.rules.iter().filter_map(|rule| rule.state.due()).min();
        // What never comes is no plan.
        let due = due.map(|at| at.0).filter(|&at| at < NEVER);
        if due == self.due {
            return None;
        }
        self.due = due;
        self.generation += 1;
        due.map(|at| (at, self.generation))
    }
}

impl Simulation {
    /// The rules have been asked: tells what is new, and plans when they are asked next.
    pub(super) fn rules_were_asked(&mut self, index: InstanceId, news: Vec<News>) {
        let now = self.now;
        if let Some((at, generation)) = self.balancers[index].health.replan() {
            debug_assert!(
                at > now,
                "a rule wants to be asked at {at}, and it is {now}"
            );
            // A rule that asks for the present moment again and again must not stop time.
            self.events
                .schedule(at.max(now + 1), Event::HealthDue(index, generation));
        }
        for item in news {
            self.tell_health(index, item);
        }
    }

    fn tell_health(&mut self, index: InstanceId, news: News) {
        let service = self.balancers[index].service;
        let kind = match news.kind {
            health::Kind::Ejected => Kind::Ejected,
            health::Kind::Readmitted => Kind::Readmitted,
            health::Kind::Panic => Kind::Panic,
            health::Kind::Calm => Kind::Calm,
            health::Kind::Failover => Kind::Failover,
        };
        let Some(server) = news.server else {
            let subject = self.name_of(Machine::Instance(index));
            return self.tell(kind, Actor::System, &subject, news.cause);
        };
        let server = self.services[service].servers[LocalId::at(server)];
        let several = self.services[service].active.len() > 1;
        let cause = if several {
            format!("by {}: {}", self.balancers[index].name, news.cause)
        } else {
            news.cause
        };
        self.tell_of_server(kind, Actor::System, server, cause);
        if news.breaks_off {
            // Whoever told of it is still at work on an attempt.
            self.after(0, Event::BreakOff(index, server));
        }
    }

    /// The moment has come for which a rule asked.
    pub(super) fn health_due(&mut self, index: InstanceId, generation: u32) {
        let health = &mut self.balancers[index].health;
        if health.generation == generation {
            health.due = None;
            self.offers_are_due(index);
        }
    }

    /// An instance sends an attempt to a server.
    #[inline(never)]
    pub(super) fn saw_sent(&mut self, index: InstanceId, local: LocalId) {
        let now = Instant(self.now);
        let mut news = Vec::new();
        let mut changed = false;
        for rule in &mut self.balancers[index].health.rules {
            changed |= rule.state.sent(now, local.position(), &mut news);
        }
        self.judged(index, local, changed, news);
    }

    /// An attempt at a server has ended, as its instance saw it.
    #[inline(never)]
    pub(super) fn saw_end(
        &mut self,
        index: InstanceId,
        local: LocalId,
        outcome: Outcome,
        again: bool,
    ) {
        let instance = &mut self.balancers[index];
        if instance.state != MachineState::Up {
            // The instance itself broke the connection.
            return;
        }
        let seen = Seen {
            now: Instant(self.now),
            server: local.position(),
            outcome,
        };
        let mut news = Vec::new();
        let mut changed = false;
        let doubted = instance.health.doubts(local);
        for rule in &mut instance.health.rules {
            changed |= rule.state.ended_and(&seen, again, &mut news);
        }
        let doubts = instance.health.doubts(local);
        self.judged(index, local, changed, news);
        if changed || doubts != doubted {
            self.replan_checks(index, local);
        }
    }

    /// A check of a server has passed or failed.
    pub(super) fn checked(&mut self, index: InstanceId, local: LocalId, passed: bool, error: bool) {
        let mut news = Vec::new();
        let mut changed = false;
        for rule in &mut self.balancers[index].health.rules {
            let server = local.position();
            changed |= if error {
                rule.state.checked_with_error(server, &mut news)
            } else {
                rule.state.checked(server, passed, &mut news)
            };
        }
        self.judged(index, local, changed, news);
    }

    /// The connection to a server is open, or could not be opened.
    pub(super) fn saw_connection(&mut self, index: InstanceId, local: LocalId, open: bool) {
        let (now, server) = (Instant(self.now), local.position());
        let mut news = Vec::new();
        let mut changed = false;
        for rule in &mut self.balancers[index].health.rules {
            changed |= rule.state.connected(now, server, open, &mut news);
        }
        self.judged(index, local, changed, news);
    }

    /// The connection to a server has broken.
    pub(super) fn saw_disconnect(&mut self, index: InstanceId, local: LocalId) {
        let (now, server) = (Instant(self.now), local.position());
        let mut news = Vec::new();
        let mut changed = false;
        for rule in &mut self.balancers[index].health.rules {
            changed |= rule.state.disconnected(now, server, &mut news);
        }
        self.judged(index, local, changed, news);
    }

    fn judged(&mut self, index: InstanceId, local: LocalId, changed: bool, news: Vec<News>) {
        for item in news {
            self.tell_health(index, item);
        }
        if changed {
            self.refresh_offer(index, local);
        }
    }

    /// The policy's choice where attempts are split between priorities: a draw says which priority,
    /// and the policy which of its servers.
    #[inline(never)]
    pub(super) fn pick_of_level(&mut self, handle: Handle) -> Option<LocalId> {
        let ordinal = self.attempts.cold(handle).ordinal;
        let (number, index) = {
            let attempt = &self.attempts[handle];
            (attempt.number, attempt.instance)
        };
        let point = self.streams.levels.of_attempt(number, ordinal).below(100) as u32;
        let call = self.attempts[handle].call;
        let apart = self.kept_from(call);
        if apart != Apart::NOTHING
            && let Some(same) = self.stays_at(handle)
        {
            return Some(same);
        }
        let mut some = std::mem::take(&mut self.balancers.rest);
        let split = &self.balancers[index].health.split;
        let place = split.partition_point(|level| level.upto <= point);
        let servers = &split[place].servers;
        self.progress.look_at(servers.len());
        // Of the priority drawn, those that the attempt keeps away from are left out where others are left.
        let mut left = Left::All;
        let kept = apart.relaxed().any(|apart| {
            left = self.keep_apart(call, apart, servers, &mut some);
            left == Left::Some
        });
        let nowhere = apart.for_good && left == Left::None;
        if !kept && !nowhere {
            some.clear();
            some.extend_from_slice(servers);
        }
        let choice = if some.is_empty() {
            None
        } else {
            self.swap_policies(index, place);
            let choice = self.pick_of(handle, Some(&some));
            self.swap_policies(index, place);
            choice
        };
        self.balancers.rest = some;
        // Its servers may be full, or the policy may want none of them.
        choice.or_else(|| {
            if apart.for_good {
                self.pick_apart(handle, apart)
            } else {
                self.pick_of(handle, None)
            }
        })
    }

    /// Puts the policy of a priority in the place of the instance's, or back.
    fn swap_policies(&mut self, index: InstanceId, place: usize) {
        let instance = &mut self.balancers[index];
        if let Some(policy) = &mut instance.health.split[place].policy {
            std::mem::swap(&mut instance.policy, policy);
        }
    }
}
