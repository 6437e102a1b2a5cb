//! Traffic split among zones by weight, and within each by a policy: Envoy's locality weighted balancing.
//!
//! Each zone has turns in proportion to its effective weight, earliest deadline first: its weight times the share
//! of its servers that may be picked times the overprovisioning, and never more than its weight. With an
//! overprovisioning of 1.4 a zone keeps all of its traffic until more than two of seven servers are
//! gone, and then gives away as much as the others are too few for. Within a zone the policy of the service
//! picks, with turns of its own in each. A zone of weight 0 gets nothing, and neither do servers that stand in none.
//!
//! Envoy 1.40, `locality_wrr.cc` and `load_balancer_impl.cc`; its localities are the zones here.

use super::edf::Edf;
use super::envoy_round_robin::SEEDS;
use super::{Choice, FleetView, Job, Policy};
use crate::draws::{Draws, Stream};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::collections::BTreeMap;

/// How traffic is split among zones.
#[derive(Clone, Debug)]
pub struct Zoning {
    /// The zone of each server, if it stands in one.
    pub zones: Vec<Option<usize>>,
    /// The priority of each server.
    pub priorities: Vec<u32>,
    /// Whether each is there from the start: the others are not counted among those that a zone lacks.
    pub present: Vec<bool>,
    /// The weight of each zone.
    pub weights: Vec<f64>,
    /// By how much a zone's servers may take more than their share.
    pub overprovisioning: f64,
    /// Whether turns begin at a drawn place, or with the first zone.
    pub random_start: bool,
}

/// A policy for each zone.
#[derive(Clone, Debug)]
struct ByZone {
    zoning: Zoning,
    policies: Vec<Box<dyn Policy>>,
    /// How many servers there are of each zone and priority.
    members: BTreeMap<(usize, u32), usize>,
    /// The servers of each zone that may be picked.
    eligible: Vec<Vec<u32>>,
    /// Those of the attempt at hand, where it is kept from some.
    rest: Vec<u32>,
    /// Effective weights, and whose turn it is; made anew whenever servers come or go.
    weights: Vec<f64>,
    turns: Edf,
    seed: Option<u64>,
    stale: bool,
}

/// The policy of an instance, with one like `policy` for each zone.
pub(crate) fn by_zone(policy: Box<dyn Policy>, zoning: Zoning) -> Box<dyn Policy> {
    let zones = zoning.weights.len();
    let mut members = BTreeMap::new();
    let servers = zoning.zones.iter().zip(&zoning.priorities);
    for ((zone, &priority), _) in servers.zip(&zoning.present).filter(|(_, there)| **there) {
        if let Some(zone) = *zone {
            *members.entry((zone, priority)).or_insert(0) += 1;
        }
    }
    Box::new(ByZone {
        members,
        policies: vec![policy; zones],
        eligible: vec![Vec::new(); zones],
        rest: Vec::new(),
        weights: vec![0.0; zones],
        turns: Edf::default(),
        seed: (!zoning.random_start).then_some(0),
        stale: true,
        zoning,
    })
}

impl ByZone {
    /// The policy of a server's zone.
    fn policy_of(&mut self, server: usize) -> Option<&mut Box<dyn Policy>> {
        let zone = self.zoning.zones.get(server).copied().flatten()?;
        self.policies.get_mut(zone)
    }

    /// Who may be picked is another: effective weights, and with them the turns, are too.
    fn hear(&mut self, fleet: &FleetView<'_>) {
        self.eligible.iter_mut().for_each(Vec::clear);
        for &server in fleet.eligible {
            if let Some(zone) = self.zoning.zones[server as usize] {
                self.eligible[zone].push(server);
            }
        }
        let first = fleet.eligible.first().map(|&server| server as usize);
        let priority = first.map_or(0, |server| self.zoning.priorities[server]);
        for (zone, weight) in self.weights.iter_mut().enumerate() {
            let all = self.members.get(&(zone, priority)).copied();
            let (open, all) = (self.eligible[zone].len() as f64, all.unwrap_or(1) as f64);
            let part = (self.zoning.overprovisioning * open / all).min(1.0);
            *weight = self.zoning.weights[zone] * part;
        }
        self.stale = true;
    }
}

impl Policy for ByZone {
    fn own_bytes(&self) -> usize {
        self.policies.iter().map(|policy| policy.own_bytes()).sum()
    }
    fn failure(&self) -> Option<&str> {
        self.policies.iter().find_map(|policy| policy.failure())
    }
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize> {
        if self.stale {
            let seed = *(self.seed).get_or_insert_with(|| draws.below(SEEDS) as u64);
            let zones = 0..self.weights.len() as u32;
            let open: Vec<u32> = zones
                .filter(|&zone| self.weights[zone as usize] > 0.0)
                .collect();
            self.turns = Edf::after(&open, |zone| self.weights[zone as usize], seed);
            self.stale = false;
        }
        let zone = self.turns.pick(|zone| self.weights[zone as usize])? as usize;
        let mut eligible = &self.eligible[zone];
        if fleet.narrowed {
            self.rest.clear();
            let may = |server: &u32| fleet.eligible.binary_search(server).is_ok();
            self.rest.extend(eligible.iter().copied().filter(may));
            eligible = &self.rest;
            if eligible.is_empty() {
                // All of the zone were tried: any other will do.
                let place = draws.below(fleet.eligible.len());
                return Some(fleet.eligible[place] as usize);
            }
        }
        let within = FleetView { eligible, ..*fleet };
        self.policies[zone].pick(&within, job, draws)
    }

    fn sees_full(&self) -> bool {
        self.policies.iter().any(|policy| policy.sees_full())
    }

    fn choice(&self) -> Choice {
        Choice::Asked
    }

    fn place_servers(&mut self, servers: usize, place: &dyn Fn(usize) -> Stream) {
        for policy in &mut self.policies {
            policy.place_servers(servers, place);
        }
    }

    fn name_servers(&mut self, names: &[&str]) {
        for policy in &mut self.policies {
            policy.name_servers(names);
        }
    }

    fn adopt_max_fails(&mut self, server: usize, own: Option<u64>) {
        for policy in &mut self.policies {
            policy.adopt_max_fails(server, own);
        }
    }

    fn start_apart(&mut self, share: f64) {
        for policy in &mut self.policies {
            policy.start_apart(share);
        }
    }

    fn awaits_start(&self) -> bool {
        self.policies.iter().any(|policy| policy.awaits_start())
    }

    fn shared_bytes(&self) -> usize {
        self.policies
            .iter()
            .map(|policy| policy.shared_bytes())
            .sum()
    }

    fn on_assigned(&mut self, server: usize, in_flight: u32) {
        if let Some(policy) = self.policy_of(server) {
            policy.on_assigned(server, in_flight);
        }
    }

    fn on_finished(
        &mut self,
        now: Instant,
        server: usize,
        in_flight: u32,
        outcome: Outcome,
        took: Duration,
    ) {
        if let Some(policy) = self.policy_of(server) {
            policy.on_finished(now, server, in_flight, outcome, took);
        }
    }

    fn on_failed(&mut self, server: usize, outcome: Outcome, again: bool) {
        if let Some(policy) = self.policy_of(server) {
            policy.on_failed(server, outcome, again);
        }
    }

    fn observes(&self) -> bool {
        self.policies.iter().any(|policy| policy.observes())
    }

    fn tracks_idle(&self) -> bool {
        self.policies.iter().any(|policy| policy.tracks_idle())
    }

    fn on_idle(&mut self, server: usize) {
        if let Some(policy) = self.policy_of(server) {
            policy.on_idle(server);
        }
    }

    fn on_busy(&mut self, server: usize) {
        if let Some(policy) = self.policy_of(server) {
            policy.on_busy(server);
        }
    }

    fn lists(&self, server: usize) -> bool {
        let zone = self.zoning.zones.get(server).copied().flatten();
        zone.is_some_and(|zone| self.policies[zone].lists(server))
    }

    fn tracks_latency(&self) -> bool {
        self.policies.iter().any(|policy| policy.tracks_latency())
    }

    fn tracks_queues(&self) -> bool {
        self.policies.iter().any(|policy| policy.tracks_queues())
    }

    fn hear_of_queues(&mut self, told: bool) {
        for policy in &mut self.policies {
            policy.hear_of_queues(told);
        }
    }

    fn on_queue(&mut self, server: usize, in_system: u32) {
        if let Some(policy) = self.policy_of(server) {
            policy.on_queue(server, in_system);
        }
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        self.hear(fleet);
        for (policy, eligible) in self.policies.iter_mut().zip(&self.eligible) {
            policy.on_fleet_changed(&FleetView { eligible, ..*fleet });
        }
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::{Fleet, build};

    /// Zones with a weight and so many servers, of which so many may be picked, and who is picked of which.
    fn picks(zones: &[(f64, usize, usize)], n: u64) -> Vec<usize> {
        let (mut of, mut eligible) = (Vec::new(), Vec::new());
        for (zone, &(_, servers, healthy)) in zones.iter().enumerate() {
            let first = of.len() as u32;
            eligible.extend(first..first + healthy as u32);
            of.extend(vec![Some(zone); servers]);
        }
        let zoning = Zoning {
            priorities: vec![0; of.len()],
            present: vec![true; of.len()],
            weights: zones.iter().map(|(weight, ..)| *weight).collect(),
            overprovisioning: 1.4,
            random_start: false,
            zones: of.clone(),
        };
        let mut policy = by_zone(build("envoy-round-robin start=first"), zoning);
        let fleet = Fleet {
            eligible,
            ..Fleet::of(of.len())
        };
        policy.on_fleet_changed(&fleet.view());
        let pick = |i| {
            let draws = &mut Stream::new(1, 0, "zones").at(i);
            let server = policy.pick(&fleet.view(), &Job::default(), draws);
            of[server.expect("a server")].expect("in a zone")
        };
        (0..n).map(pick).collect()
    }

    fn counts(zones: &[(f64, usize, usize)], n: u64) -> Vec<usize> {
        let picked = picks(zones, n);
        let of = |zone| picked.iter().filter(|&&own| own == zone).count();
        (0..zones.len()).map(of).collect()
    }

    #[test]
    fn case_245_loc_equal() {
        assert_eq!(picks(&[(1.0, 1, 1); 3], 6), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn case_247_loc_missing_weight() {
        let zones = [(1.0, 1, 1), (0.0, 1, 1), (1.0, 1, 1)];
        assert_eq!(picks(&zones, 6), [0, 2, 0, 2, 0, 2]);
    }

    #[test]
    fn case_249_loc_health_4_of_5() {
        assert_eq!(counts(&[(1.0, 5, 4), (2.0, 1, 1)], 100), [33, 67]);
    }

    #[test]
    fn case_251_loc_health_2_of_5() {
        assert_eq!(counts(&[(1.0, 5, 2), (2.0, 1, 1)], 100), [22, 78]);
    }

    #[test]
    fn case_253_loc_health_0_of_5() {
        assert_eq!(counts(&[(1.0, 5, 0), (2.0, 1, 1)], 100), [0, 100]);
    }

    #[test]
    fn without_room_to_spare_a_zone_gives_away_what_it_lacks() {
        // Four of five are 0.8 × 1.4 > 1, and 0.8 without overprovisioning: 0.8 : 2 of 280.
        let of = |overprovisioning| {
            let zoning = Zoning {
                zones: [vec![Some(0); 5], vec![Some(1)]].concat(),
                priorities: vec![0; 6],
                present: vec![true; 6],
                weights: vec![1.0, 2.0],
                overprovisioning,
                random_start: false,
            };
            let mut policy = by_zone(build("envoy-round-robin start=first"), zoning);
            let fleet = Fleet {
                eligible: vec![0, 1, 2, 3, 5],
                ..Fleet::of(6)
            };
            policy.on_fleet_changed(&fleet.view());
            let mut last = 0;
            for i in 0..280 {
                let draws = &mut Stream::new(1, 0, "zones").at(i);
                last += usize::from(policy.pick(&fleet.view(), &Job::default(), draws) == Some(5));
            }
            last
        };
        assert_eq!(of(1.0), 200);
        assert!(of(1.4) <= 187, "two thirds");
    }
}
