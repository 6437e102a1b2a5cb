//! Clones that go ways of their own: the same past, other chances.
//!
//! A clone of a run goes on exactly as the run does, since each draw belongs to a number: the demand of
//! request 1234 is the same in both. Whoever asks what may come of a state, many times over, needs the
//! opposite. [`Simulation::branch_off`] leaves everything that has begun as it is, with the draws that are still
//! to be made for it, and draws anew what begins from then on:
//!
//! - requests to come get numbers that no other branch has, and with them draws of their own wherever
//!   draws belong to requests;
//! - what is counted otherwise (gaps, phases, failures of workers, episodes, boots, acts of people) gets a stream
//!   of its own.
//!
//! What nobody has seen yet is drawn anew too where that changes nothing of what may come: the next arrival of a Poisson
//! process, and the demand of those who wait in order of arrival. Were these the same in all branches of a state, they
//! would be too much alike.
//!
//! A request keeps its number, since its demand, class and key are drawn again by it where another attempt or a
//! rarer path needs them. What two branches have in common, beside the past, are draws for requests that were
//! under way when they parted: each is still what it would be in a run, so that no mean is moved.

use super::Simulation;
use super::event::Machine;
use super::fleet::Waiting;
use super::slab::Slot;
use crate::arrival::Arrivals;
use crate::crash::Gauge;
use crate::draws::Stream;
use crate::extension::ParamValue;
use crate::ids::InstanceId;
use crate::model::{Client, Model};
use crate::policy::Choice;
use crate::time::Duration;

/// A number that can be read of a running simulation at any moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gauged {
    /// Of which machine.
    pub machine: Machine,
    /// Which number: no utilisation, which is one over time.
    pub gauge: Gauge,
}

impl Simulation {
    /// Lets a clone go a way of its own, from here on: clones with different `branch` numbers draw
    /// independently what begins later.
    pub fn branch_off(&mut self, branch: u64) {
        for source in self.sources.ids() {
            self.branch_source(source, branch);
        }
        self.streams.branch_off(branch);
        if let Some(response) = &mut self.response {
            response.branch_off(branch);
        }
        self.redraw_waiting(branch);
        self.branch = branch;
    }

    /// Draws anew what those who wait demand, where nothing that has happened depended on it: in order of
    /// arrival, behind policies that keep nothing in mind, and where no second attempt would ask for the same.
    fn redraw_waiting(&mut self, branch: u64) {
        let model = &self.model;
        let may_change = !model.timeline.is_empty() || !model.runbooks.is_empty();
        let again = |client: &Client| client.tries_again() || client.hedge.is_some();
        let tries = |service: &crate::model::Service| service.balancer.client.is_some();
        if may_change || model.clients.iter().any(again) || model.services.iter().any(tries) {
            return;
        }
        for server in self.fleet.servers.ids() {
            let s = &self.fleet[server];
            let service = &self.services[s.service];
            let alone = service.servers.len() == 1;
            let blind =
                |index: &InstanceId| self.balancers[*index].policy.choice() != Choice::Asked;
            if s.queue_len == 0
                || s.waiting != Waiting::Fifo
                || !(alone || service.active.iter().all(blind))
            {
                continue;
            }
            let own = service.demand_stream;
            let mut slot = s.head;
            while slot != Slot::NONE {
                let attempt = &self.attempts[slot];
                let law = self.own_demands[attempt.class].as_ref();
                let law = law.unwrap_or(&service.demand);
                let factor = self.classes[attempt.class].demand_factor;
                let number = attempt.number;
                let drawn = |stream: Stream| {
                    let demand = law.sample_ns(&mut stream.at(number)) * factor;
                    Duration::from_nanos_f64(demand).0
                };
                let (before, behind) = (attempt.demand_ns, attempt.behind);
                // What came about otherwise stays: errors, calls of servers, less than all.
                if [own, own.branched(self.branch)]
                    .map(drawn)
                    .contains(&before)
                {
                    let demand_ns = drawn(own.branched(branch));
                    self.attempts[slot].demand_ns = demand_ns;
                    let s = &mut self.fleet[server];
                    s.queued_ns = s.queued_ns.saturating_sub(before).saturating_add(demand_ns);
                }
                slot = behind;
            }
        }
    }

    /// Why clones of a model's runs cannot go ways of their own; `None`: they can.
    pub fn cannot_branch(model: &Model) -> Option<String> {
        for source in &model.sources {
            let name = &source.name;
            if matches!(source.arrivals.build(), Arrivals::Sessions(_)) {
                return Some(format!(
                    "`traffic.{name}` emits sessions, whose requests are numbered from their first on"
                ));
            }
            let params = &source.arrivals.params;
            let mut laws = params
                .iter()
                .filter(|(_, value)| matches!(value, ParamValue::Distribution(_)));
            if laws.any(|(law, _)| params.distribution(law).build().correlation() > 0.0) {
                return Some(format!(
                    "the gaps of `traffic.{name}` are correlated, and a branch would break their runs off"
                ));
            }
        }
        for service in &model.services {
            let laws = model.classes.iter().map(|class| class.demand_at(service));
            if laws.into_iter().any(|law| law.build().correlation() > 0.0) {
                return Some(format!(
                    "the demand at `service.{}` is correlated, and a branch would break its runs off",
                    service.name
                ));
            }
        }
        None
    }

    /// A number of a machine, now.
    pub fn gauge(&self, of: Gauged) -> f64 {
        match of.machine {
            Machine::Server(server) => self.server_gauge(server, of.gauge),
            Machine::Instance(instance) => self.instance_gauge(instance, of.gauge),
        }
    }

    /// How near a machine is to a crash: of its crash rules the one nearest to its threshold, as a share of
    /// that; rules over the utilisation are left out.
    pub fn nearness(&self, machine: Machine) -> f64 {
        let rules = match machine {
            Machine::Server(server) => &self.fleet.cold[server].params.crash,
            Machine::Instance(index) => {
                let service = self.balancers[index].service;
                &self.services[service].settings.balancer.crash
            }
        };
        let known = rules
            .iter()
            .filter(|rule| rule.gauge.gauge != Gauge::Utilisation);
        let near = known.map(|rule| {
            let gauge = rule.gauge.gauge;
            self.gauge(Gauged { machine, gauge }) / rule.above.max(f64::MIN_POSITIVE)
        });
        near.fold(0.0, f64::max)
    }

    /// Whether a machine has crashed so far.
    pub fn has_crashed(&self, machine: Machine) -> bool {
        match machine {
            Machine::Server(server) => self.fleet.cold[server].incarnation.crashes > 0,
            Machine::Instance(instance) => self.balancers[instance].incarnation.crashes > 0,
        }
    }

    /// Whether nothing is at a machine.
    pub fn is_empty_at(&self, machine: Machine) -> bool {
        match machine {
            Machine::Server(server) => self.fleet[server].in_system == 0,
            Machine::Instance(index) => self.balancers[index].connections == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;
    use std::sync::Arc;

    /// Streams that branches do not part: of requests, which have other numbers; and of sessions, whose scenarios
    /// are refused.
    const KEPT: &[(&str, &str)] = &[
        ("guards/mod.rs", "streams"),
        ("pool.rs", "ages"),
        ("service.rs", "demand_stream"),
        ("service.rs", "route_stream"),
        ("session.rs", "lengths"),
        ("session.rs", "thinking"),
        ("session.rs", "leaving"),
        ("travel.rs", "delay"),
        ("travel.rs", "loss"),
    ];

    #[test]
    fn every_stream_is_parted_or_known_not_to_be() {
        let engine = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine");
        let mut folders = vec![engine.clone()];
        let mut found = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("a file").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("text");
                let file = path
                    .strip_prefix(&engine)
                    .expect("below")
                    .to_string_lossy()
                    .into_owned();
                let parted = text
                    .split_once("fn branch_off")
                    .map_or("", |(_, rest)| rest);
                let fields = text.lines().filter(|line| {
                    let indent = line.len() - line.trim_start().len();
                    indent == 4 && (line.ends_with(": Stream,") || line.contains(": [Stream;"))
                });
                for field in fields {
                    let name = field.split(':').next().unwrap_or_default();
                    let name = name.split_whitespace().last().unwrap_or_default();
                    found += 1;
                    let kept = KEPT.contains(&(file.as_str(), name));
                    assert!(
                        kept || parted.contains(name),
                        "{file}: what becomes of {name} in a branch?"
                    );
                }
            }
        }
        assert!(found >= 27, "{found}");
    }

    #[test]
    fn branches_part_and_a_clone_does_not() {
        let text = "horizon = \"20s\"\ntraffic = [{ to = \"web\", rate = 80 }]\n[service.web]\n\
                    demand = { kind = \"exponential\", mean = \"10ms\" }\n\
                    server = [{ name = \"a\", workers = 1 }]\n";
        let model = Arc::new(crate::scenario::parse(text).expect("a scenario"));
        let mut at_half = Simulation::new(model, 0);
        at_half.run_until(Instant(10_000_000_000));
        let end = |branch: Option<u64>| {
            let mut clone = at_half.clone();
            if let Some(branch) = branch {
                clone.branch_off(branch);
            }
            clone.run();
            assert!(clone.conservation().holds(), "{branch:?}");
            clone.digest()
        };
        assert_eq!(end(None), end(None));
        assert_eq!(end(Some(1)), end(Some(1)));
        let all: std::collections::BTreeSet<u64> =
            [None, Some(1), Some(2), Some(1 << 40)].map(end).into();
        assert_eq!(all.len(), 4);
    }
}
