//! Who may be picked: what each server offers a balancer instance, and what its policy hears of it.
//!
//! A change of one server is a change of one offer: nobody looks at the others, unless a rule that
//! counts them (panic, priorities) comes to another conclusion. Policies hear of it before the next
//! choice, once for all changes until then: what they keep (sums of weights, a ring) is made as often as
//! somebody picks, however many servers have changed.

use super::Simulation;
use super::instance::{Instance, TrueState};
use crate::health::{Candidate, News};
use crate::ids::{InstanceId, LocalId, ServerId, ServiceId, Table};
use crate::policy::Policy;

/// Offers that changed one by one; with more than these the list is made anew.
const FEW: usize = 16;

/// Stands for a server that may not be picked. Priorities are smaller.
const CLOSED: u8 = u8::MAX;
/// Room for as many priorities as there are.
const LEVELS: usize = 128;

/// What the servers of a service offer a balancer instance.
#[derive(Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says of something else that it is behind"
)]
pub(super) struct Offers {
    /// The priority at which each may be picked, or [`CLOSED`].
    levels: Table<LocalId, u8>,
    /// The same, were none of them full: who gives a place back is not looked at anew.
    unless_full: Table<LocalId, u8>,
    /// How many may be picked, by priority, and all of them.
    count: Box<[u32; LEVELS]>,
    open: u32,
    /// The priority that the instance's list holds, and offers that it does not know of yet.
    listed: u8,
    changed: Vec<u32>,
    many_changed: bool,
    /// Whether the instance's weights are others than its policy knows.
    reweighed: bool,
    /// Whether the list or the policy is behind, and whether the instance is noted as such.
    behind: bool,
    noted: bool,
}

impl Offers {
    pub(super) fn new() -> Self {
        Self {
            levels: Table::default(),
            unless_full: Table::default(),
            count: Box::new([0; LEVELS]),
            open: 0,
            listed: CLOSED,
            changed: Vec::new(),
            many_changed: true,
            reweighed: true,
            behind: false,
            noted: false,
        }
    }

    /// Whether list and policy know of all offers.
    #[inline]
    pub(super) fn are_known(&self) -> bool {
        !self.behind
    }

    /// Whether any server may be picked.
    #[inline]
    pub(super) fn any_open(&self) -> bool {
        self.open > 0
    }

    /// How many servers of the best priority may be picked.
    pub(super) fn eligible(&self) -> u32 {
        self.best().map_or(0, |level| self.count[level as usize])
    }

    /// Whether a server is one of them.
    pub(super) fn is_eligible(&self, server: LocalId) -> bool {
        let level = self.levels[server];
        level != CLOSED && self.best() == Some(u32::from(level))
    }

    /// The best priority at which a server may be picked.
    fn best(&self) -> Option<u32> {
        let mut levels = (0..).zip(&*self.count);
        let found = (self.open > 0).then(|| levels.find(|(_, count)| **count > 0));
        found.flatten().map(|(level, _)| level)
    }

    /// Servers that may be picked at each priority worse than the best, from better to worse.
    pub(super) fn beyond(&self) -> Vec<Vec<u32>> {
        let best = self.best().map_or(CLOSED, |level| level as u8);
        let mut levels: Vec<u8> = (self.levels.iter().copied())
            .filter(|&level| level > best && level != CLOSED)
            .collect();
        levels.sort_unstable();
        levels.dedup();
        let of = |level: &u8| {
            let all = self.levels.enumerate();
            all.filter(|(_, own)| *own == level)
                .map(|(id, _)| id.0)
                .collect()
        };
        levels.iter().map(of).collect()
    }

    /// All offers are to be made anew.
    fn begin_anew(&mut self, servers: usize) {
        self.levels = Table::filled(servers, CLOSED);
        self.unless_full = Table::filled(servers, CLOSED);
        self.count.fill(0);
        self.open = 0;
        (self.many_changed, self.reweighed) = (true, true);
    }

    /// A server may be picked at a priority, or not, unless it is full. Whether that is new.
    #[inline]
    fn set(&mut self, server: LocalId, judged: &Candidate, by_level: bool) -> bool {
        let level = if by_level { judged.level as u8 } else { 0 };
        self.unless_full[server] = if judged.open { level } else { CLOSED };
        self.turn(server, judged.full)
    }

    /// A server is full, or is not. Whether that is new.
    #[inline]
    fn turn(&mut self, server: LocalId, full: bool) -> bool {
        let level = if full {
            CLOSED
        } else {
            self.unless_full[server]
        };
        let before = std::mem::replace(&mut self.levels[server], level);
        if before == level {
            return false;
        }
        if before != CLOSED {
            self.count[usize::from(before)] -= 1;
            self.open -= 1;
        }
        if level != CLOSED {
            self.count[usize::from(level)] += 1;
            self.open += 1;
        }
        self.many_changed |= self.changed.len() >= FEW;
        if !self.many_changed {
            self.changed.push(server.0);
        }
        true
    }

    /// Brings a list of those of the best priority up to date; how many servers were looked at. What has
    /// changed is left for the policy: nothing where it may be any server.
    fn list(&mut self, list: &mut Vec<u32>) -> usize {
        let best = self.best().map_or(CLOSED, |level| level as u8);
        let listed = std::mem::replace(&mut self.listed, best);
        // Where nobody was listed, whoever is open now has changed since.
        let another = listed != best && listed != CLOSED;
        let many = std::mem::take(&mut self.many_changed);
        if best == CLOSED {
            list.clear();
            self.changed.clear();
            return 0;
        }
        if another || many {
            self.changed.clear();
            list.clear();
            let all = self.levels.enumerate();
            list.extend(all.filter(|(_, level)| **level == best).map(|(id, _)| id.0));
            return self.levels.len();
        }
        for &server in &self.changed {
            match (
                list.binary_search(&server),
                self.levels[LocalId(server)] == best,
            ) {
                (Ok(place), false) => {
                    list.remove(place);
                }
                (Err(place), true) => list.insert(place, server),
                _ => {}
            }
        }
        FEW
    }
}

impl Simulation {
    /// Judges every server anew by full counts, whatever has changed: for the test that it makes no
    /// difference to look at what has changed only.
    #[must_use]
    pub fn judging_all_anew(mut self) -> Self {
        self.balancers.anew = true;
        self
    }

    /// Servers, attempts and connections that were looked at one by one beside what requests ask for, to
    /// find those that something concerns: the measure of what an event costs beyond its own subject.
    pub fn looks(&self) -> u64 {
        self.progress.looks
    }

    /// A server as an instance's rules are shown it.
    #[inline]
    fn candidate(&self, index: InstanceId, local: LocalId) -> Candidate {
        let instance = &self.balancers[index];
        let service = &self.services[instance.service];
        let server = service.servers[local];
        let params = &self.fleet.cold[server].params;
        // Rotation is a matter of settings; whether a server is up the balancer cannot see.
        let in_rotation = instance.uses(local) && self.fleet.in_rotation(server);
        Candidate {
            in_rotation,
            full: self.is_full(index, local),
            level: params.priority,
            open: in_rotation,
            factor: 1.0,
        }
    }

    /// Whether an instance has as many attempts at a server as that takes, and its policy does not see it.
    #[inline]
    fn is_full(&self, index: InstanceId, local: LocalId) -> bool {
        let instance = &self.balancers[index];
        let service = &self.services[instance.service];
        service.limited && !instance.sees_full && instance.in_flight[local] >= service.limits[local]
    }

    /// Works out anew which servers an instance may pick, after anything that may concern all.
    pub(super) fn refresh_eligible(&mut self, index: InstanceId) {
        self.judge_all(index, Vec::new());
    }

    /// The same, where rules have told something already.
    fn judge_all(&mut self, index: InstanceId, mut news: Vec<News>) {
        let service = self.balancers[index].service;
        let locals = self.services[service].servers.ids();
        let candidates: Vec<Candidate> = locals.map(|local| self.candidate(index, local)).collect();
        self.progress.look_at(candidates.len());
        let (now, service) = (self.now, &self.services[service]);
        let instance = &mut self.balancers[index];
        let (offers, weights) = (&mut instance.offers, &mut instance.weights);
        weights.clone_from(&service.weights);
        offers.begin_anew(candidates.len());
        let ruled = !instance.health.is_empty();
        let by_level = !instance.health.decides_levels;
        let judged = if ruled {
            &instance.health.judge(now, candidates, &mut news).servers
        } else {
            instance.health.split.clear();
            &candidates
        };
        for (local, server) in service.servers.ids().zip(judged) {
            weights[local] *= server.factor;
            offers.set(local, server, by_level);
        }
        self.tell_policy(index);
        self.drain_if_open(index);
        self.refresh_fast_service(self.balancers[index].service);
        if ruled {
            self.rules_were_asked(index, news);
        }
    }

    /// As [`Simulation::refresh_eligible`], after something that concerns one server.
    pub(super) fn refresh_offer(&mut self, index: InstanceId, local: LocalId) {
        if self.balancers.anew {
            return self.refresh_eligible(index);
        }
        let health = &self.balancers[index].health;
        if !health.is_due(self.now) {
            return self.judge_each(index, &[local]);
        }
        // Those whose moment has come are judged with it; what is told of them comes in the order of rules
        // and servers.
        let mut servers = vec![local];
        servers.extend(health.come_due(self.now));
        if servers[1..].contains(&local) {
            return self.refresh_eligible(index);
        }
        self.judge_each(index, &servers);
    }

    /// The same after a server has taken its last place on the fast path, or given it back.
    #[inline(never)]
    pub(super) fn judge_turned(&mut self) {
        if let Some((index, local)) = self.balancers.turned.take() {
            self.place_turned(index, local);
        }
    }

    /// As [`Simulation::refresh_offer`], where all that may have changed is whether there is a place.
    pub(super) fn place_turned(&mut self, index: InstanceId, local: LocalId) {
        if self.balancers.anew {
            return self.refresh_offer(index, local);
        }
        let full = self.is_full(index, local);
        let Instance { health, offers, .. } = &mut self.balancers[index];
        let is_new = if let Some(known) = health.known(local) {
            known.full = full;
            offers.set(local, known, true)
        } else if health.is_empty() {
            offers.turn(local, full)
        } else {
            return self.refresh_offer(index, local);
        };
        if is_new {
            self.offers_changed(index);
        }
        self.drain_if_open(index);
    }

    /// The same after it has become time to judge some servers.
    pub(super) fn offers_are_due(&mut self, index: InstanceId) {
        if self.balancers.anew {
            return self.refresh_eligible(index);
        }
        let due = self.balancers[index].health.come_due(self.now);
        self.judge_each(index, &due);
    }

    /// Works out the offers of some servers anew, and those of all where that concerns others.
    fn judge_each(&mut self, index: InstanceId, locals: &[LocalId]) {
        let mut news = Vec::new();
        let mut changed = false;
        let ruled = !self.balancers[index].health.is_empty();
        for &local in locals {
            let mut server = self.candidate(index, local);
            let now = self.now;
            let weight = self.services[self.balancers[index].service].weights[local];
            let instance = &mut self.balancers[index];
            let by_level = !instance.health.decides_levels;
            if ruled && !(instance.health).judge_one(now, local, &mut server, &mut news) {
                return self.judge_all(index, news);
            }
            let weight = weight * server.factor;
            let before = std::mem::replace(&mut instance.weights[local], weight);
            let reweighed = before.to_bits() != weight.to_bits();
            instance.offers.reweighed |= reweighed;
            changed |= instance.offers.set(local, &server, by_level) || reweighed;
        }
        if changed {
            self.offers_changed(index);
        }
        self.drain_if_open(index);
        if ruled {
            self.rules_were_asked(index, news);
        }
    }

    /// Some offers are others. The policy hears of it later, unless it waits for servers to begin with.
    fn offers_changed(&mut self, index: InstanceId) {
        let instance = &mut self.balancers[index];
        instance.turn_to_best();
        instance.offers.behind = true;
        if !std::mem::replace(&mut instance.offers.noted, true) {
            self.balancers.behind.push(index);
        }
        let instance = &self.balancers[index];
        if instance.start.is_none() {
            return;
        }
        let split = instance.health.split.iter();
        let mut policies = split.filter_map(|level| level.policy.as_ref());
        if instance.policy.awaits_start() || policies.any(|policy| policy.awaits_start()) {
            self.tell_policy(index);
        }
    }

    /// List and policy of an instance learn of all offers.
    #[inline(never)]
    pub(super) fn tell_policy(&mut self, index: InstanceId) {
        let service = self.balancers[index].service;
        let instance = &mut self.balancers.instances[index];
        self.progress
            .look_at(instance.offers.list(&mut instance.eligible));
        instance.offers.behind = false;
        if instance.health.decides_levels || !instance.health.split.is_empty() {
            let (list, policy) = (&instance.eligible, &*instance.policy);
            instance.health.split(list, policy, instance.start);
        }
        instance.turn_to_best();
        let truth = TrueState {
            now: self.now,
            servers: &self.fleet.servers,
            service: &self.services[service],
        };
        let reweighed = std::mem::take(&mut instance.offers.reweighed);
        let tell = |policy: &mut dyn Policy, list: &[u32], changed: Option<&[u32]>| {
            let view = truth.view(list, &instance.in_flight, &instance.weights);
            if reweighed {
                policy.on_fleet_changed(&view);
            } else {
                policy.on_eligible_changed(&view, changed);
            }
        };
        let changed = Some(&instance.offers.changed[..]).filter(|changed| !changed.is_empty());
        tell(&mut *instance.policy, &instance.eligible, changed);
        instance.offers.changed.clear();
        for level in &mut instance.health.split {
            if let Some(policy) = &mut level.policy {
                tell(&mut **policy, &level.servers, None);
            }
        }
    }

    /// The same for all that do not know of all yet, before the fast path has one of them pick.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_policies(&mut self) {
        while let Some(index) = self.balancers.behind.pop() {
            self.balancers[index].offers.noted = false;
            if !self.balancers[index].offers.are_known() {
                self.tell_policy(index);
            }
        }
    }

    /// The share of all keys that each server of a service would get, all of them eligible; `None`
    /// where the policy does not go by keys.
    pub(crate) fn key_shares(&self, service: ServiceId) -> Option<Vec<f64>> {
        let instance = &self.balancers[self.balancers.of(service).next()?];
        if instance.offers.are_known() {
            return instance.policy.key_shares();
        }
        // Nobody has picked since weights changed.
        let truth = TrueState {
            now: self.now,
            servers: &self.fleet.servers,
            service: &self.services[service],
        };
        let view = truth.view(&instance.eligible, &instance.in_flight, &instance.weights);
        let mut policy = instance.policy.clone();
        policy.on_fleet_changed(&view);
        policy.key_shares()
    }

    /// Attempts that wait for a server may go on, if any is open.
    fn drain_if_open(&mut self, index: InstanceId) {
        let instance = &mut self.balancers[index];
        instance.pending.all_freed = true;
        let waits =
            !instance.pending.is_empty() && (instance.offers.open > 0 || instance.sees_full);
        if waits && self.balancers.to_drain.last() != Some(&index) {
            self.balancers.to_drain.push(index);
        }
    }

    /// As [`Simulation::refresh_eligible`], for all instances of a service, with the fast path.
    pub(super) fn refresh_service(&mut self, service: ServiceId) {
        for instance in self.balancers.of(service) {
            self.refresh_eligible(instance);
        }
        self.refresh_fast_path(service);
    }

    /// As [`Simulation::refresh_service`], after a change of one server.
    pub(super) fn refresh_server(&mut self, server: ServerId) {
        let (service, local) = (self.fleet[server].service, self.fleet[server].local);
        for instance in self.balancers.of(service) {
            self.refresh_offer(instance, local);
        }
        self.refresh_fast_server(server);
    }
}

impl Instance {
    /// The best servers are those of a priority: perhaps of another than before.
    fn turn_to_best(&mut self) {
        if self.start.is_none() {
            return;
        }
        let level = if self.health.decides_levels {
            self.health.only_level()
        } else {
            self.offers.best()
        };
        if let Some(level) = level {
            self.turn_to(level);
        }
    }
}
