//! Rules of Prometheus at work: series are scraped, arrive after the lag, and groups are evaluated at their
//! intervals, all from the start of the run on. What a rule makes of series is `sim_alert`'s business.
//!
//! An alert of the model is all that has its name, whatever the labels: it fires with the first of them and is
//! resolved with the last.

use super::Look;
use crate::alert_rule::Judgement;
use crate::engine::Simulation;
use crate::ids::{Id, InstanceId, ServerId};
use crate::machine::MachineState;
use crate::model::{Asked, Model, Monitoring, RuleSet, Scraped, ScrapedOf};
use crate::series::{BalancerCounts, Of, Part, RequestCounts, ServerCounts};
use crate::time::Duration;
use sim_alert::{Active, Labels, Seen, State, Store, Watch};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// Most points of all series, those that rules record among them.
const POINTS_MAX: usize = 4_000_000;

/// Most points of all series that are looked at between the evaluations.
const LOOKED_AT_MAX: usize = 200_000;

const MS: u64 = 1_000_000;

/// The rules of a run, and what they are evaluated on.
#[derive(Clone)]
pub(super) struct Rules {
    set: Arc<RuleSet>,
    settings: Monitoring,
    store: Store,
    watch: Watch<'static>,
    /// When each group is evaluated next.
    due: Vec<u64>,
    /// What was scraped and cannot be seen yet.
    arriving: VecDeque<Arc<Scrape>>,
    /// Time that the workers of each server were busy, and the area when it was last looked at, which wraps around.
    busy: Vec<(u128, u64)>,
    /// When each series had its last value; `None` where it has none, or has ended.
    alive: Vec<Option<u64>>,
    /// When what can be seen was scraped.
    newest: Option<u64>,
    /// Rules that could not be evaluated, of which was told.
    failed: BTreeSet<(String, String)>,
}

/// Values of all series at a moment; `None` of those that could not be scraped.
struct Scrape {
    at: u64,
    values: Vec<Option<f64>>,
}

/// How an alert of the model stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Standing {
    /// The alert, by its position in the model.
    pub alert: usize,
    pub firing: bool,
    /// Since when the first of what is pending or firing has been so; `None` where nothing is.
    pub since: Option<u64>,
    /// Of what, with which value.
    pub of: String,
}

impl Rules {
    pub(super) fn new(model: &Model, settings: Monitoring) -> Option<Self> {
        let set = Arc::clone(model.rules.as_ref()?);
        Some(Self {
            settings,
            store: Store::default(),
            watch: Watch::new(Arc::clone(&set.rules)),
            due: vec![0; set.rules.groups.len()],
            arriving: VecDeque::new(),
            busy: vec![(0, 0); model.servers.len()],
            alive: vec![None; set.scraped.len()],
            newest: None,
            failed: BTreeSet::new(),
            set,
        })
    }

    /// When a group is due next.
    pub(super) fn next(&self) -> u64 {
        self.due.iter().copied().min().unwrap_or(u64::MAX)
    }

    /// When what rules see now was scraped.
    pub(super) fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// The series that rules see, for those who compare.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Bytes that a clone takes.
    pub(super) fn bytes(&self) -> usize {
        let arriving = self.arriving.len() * self.alive.len() * size_of::<Option<f64>>();
        self.store.bytes() + arriving
    }

    /// Reads everything now.
    pub(super) fn scrape(&mut self, simulation: &Simulation) {
        for (busy, server) in self.busy.iter_mut().zip(&simulation.fleet.servers) {
            let area = server.busy_area(simulation.now);
            busy.0 += u128::from(area.wrapping_sub(std::mem::replace(&mut busy.1, area)));
        }
        let value = |one: &Scraped| simulation.scraped(one, &self.busy);
        self.arriving.push_back(Arc::new(Scrape {
            at: simulation.now,
            values: self.set.scraped.iter().map(value).collect(),
        }));
    }

    /// Evaluates the groups that are due; how the alerts stand that are theirs, and what could not be evaluated: the rule and why.
    pub(super) fn evaluate(&mut self, now: u64) -> (Vec<Standing>, Vec<(String, String)>) {
        let mut seen = Seen::default();
        let mut concerned = BTreeSet::new();
        if self.next() > now {
            return (Vec::new(), Vec::new());
        }
        self.arrive(now);
        let interval_ns = self.settings.evaluate.0;
        let rules = Arc::clone(&self.set.rules);
        let mut failed = Vec::new();
        for (group, written) in rules.groups.iter().enumerate() {
            if self.due[group] > now {
                continue;
            }
            let own = written
                .interval_ms
                .map(|ms| ms.unsigned_abs().saturating_mul(MS));
            self.due[group] = now.saturating_add(own.unwrap_or(interval_ns).max(MS));
            if self.store.points() > POINTS_MAX {
                let why = format!("series have more than {POINTS_MAX} points");
                failed.push((written.name.clone(), written.name.clone(), why));
                continue;
            }
            let step_ms = (interval_ns / MS).cast_signed();
            (self.watch).evaluate(
                group,
                &mut self.store,
                (now / MS).cast_signed(),
                step_ms,
                &mut seen,
            );
            concerned.extend(self.set.alert_of[group].iter().flatten().copied());
        }
        failed.extend(
            seen.failed
                .into_iter()
                .map(|one| (one.group, one.rule, one.why)),
        );
        let mut told = Vec::new();
        for (group, rule, why) in failed {
            if self.failed.insert((group, rule.clone())) {
                told.push((rule, why));
            }
        }
        let standings = concerned.into_iter().map(|alert| self.standing(alert));
        (standings.collect(), told)
    }

    /// What was scraped long enough ago can be seen; what nobody looks at any more is forgotten.
    fn arrive(&mut self, now: u64) {
        let lag = self.settings.lag.0;
        let seen = |scrape: &mut Arc<Scrape>| scrape.at.saturating_add(lag) <= now;
        while let Some(scrape) = self.arriving.pop_front_if(seen) {
            let at_ms = (scrape.at / MS).cast_signed();
            let each = self.set.scraped.iter().zip(&scrape.values);
            for ((one, value), alive) in each.zip(&mut self.alive) {
                let point = match (value, *alive) {
                    (Some(value), _) => {
                        *alive = Some(scrape.at);
                        Some(*value)
                    }
                    (None, Some(last)) if scrape.at - last > self.settings.stale.0 => {
                        *alive = None;
                        None
                    }
                    (None, _) => continue,
                };
                // Scrapes are in order, a millisecond apart at least.
                let appended = self.store.append(&one.labels, at_ms, point);
                debug_assert!(appended.is_ok(), "{}: {appended:?}", one.labels);
            }
            self.newest = Some(scrape.at);
        }
        let gone = now.saturating_sub(self.set.reach.0);
        self.store.forget_before((gone / MS).cast_signed());
    }

    /// What the rules come to at this moment, one for each alert of the model, and when the newest value that they take
    /// was scraped: by what can be seen by now, or with `fresh` by what a scrape without any lag would find. Nothing
    /// changes by it, and no alert is pending for that. `None` where there is too much to be looked at in passing.
    pub(super) fn look(
        &self,
        simulation: &Simulation,
        fresh: bool,
    ) -> Option<(Vec<Look>, Option<u64>)> {
        if self.store.points() > LOOKED_AT_MAX {
            return None;
        }
        let now = simulation.now;
        let mut rules = self.clone();
        rules.watch = Watch::new(Arc::clone(&self.set.rules));
        if fresh {
            rules.settings.lag = Duration::ZERO;
            let last = rules.arriving.back().map(|scrape| scrape.at);
            // What was scraped within the same millisecond cannot be so again.
            if last
                .or(rules.newest)
                .is_none_or(|last| last / MS < now / MS)
            {
                rules.scrape(simulation);
            }
        }
        rules.due.fill(now);
        let (standings, _) = rules.evaluate(now);
        let unknown = Look::of(Judgement::NOTHING);
        let mut looks = vec![unknown; simulation.model.alerts.len()];
        for standing in standings {
            looks[standing.alert] = Look {
                holds: standing.since.is_some(),
                value: standing.of,
            };
        }
        Some((looks, rules.newest))
    }

    /// How an alert stands: all that has its name.
    fn standing(&self, alert: usize) -> Standing {
        let mut found: Vec<(&Labels, &Active)> = Vec::new();
        for (group, rules) in self.set.alert_of.iter().enumerate() {
            for (rule, of) in rules.iter().enumerate() {
                if *of == Some(alert) {
                    found.extend(self.watch.active_of(group, rule));
                }
            }
        }
        let firing = found
            .iter()
            .any(|(_, active)| active.state == State::Firing);
        if firing {
            found.retain(|(_, active)| active.state == State::Firing);
        }
        let since = found.iter().map(|(_, active)| active.since_ms).min();
        Standing {
            alert,
            firing,
            since: since.map(|ms| ms.unsigned_abs() * MS),
            of: shown(&found),
        }
    }
}

/// What an alert is of, in a few words: the value and the labels of the first, and how many more there are.
fn shown(found: &[(&Labels, &Active)]) -> String {
    let Some((labels, active)) = found.first() else {
        return "no value".to_owned();
    };
    let labels = labels.iter().filter(|(name, _)| *name != "alertname");
    let labels: Labels = labels.collect();
    let of = if labels.is_empty() {
        String::new()
    } else {
        format!(" of {labels}")
    };
    let more = match found.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{of}{more}", Short(active.value))
}

/// A number with so many digits that people read.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:.4}", self.0);
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        out.write_str(text)
    }
}

impl Simulation {
    /// The value of a series now; `None` where it cannot be scraped.
    fn scraped(&self, one: &Scraped, busy: &[(u128, u64)]) -> Option<f64> {
        match one.target {
            ScrapedOf::Requests(asked) => {
                let Of::Requests(value) = one.def.of else {
                    return None;
                };
                let flow = &self.recorder.flows[self.flow_of(asked)];
                Some(value(&RequestCounts {
                    arrived: flow.arrived,
                    attempts: flow.attempts,
                    in_flight: flow.in_flight(),
                }))
            }
            ScrapedOf::Ends(asked, outcome) => {
                let ends = self.recorder.flows[self.flow_of(asked)].outcomes;
                Some(ends[outcome as usize] as f64)
            }
            ScrapedOf::Durations(asked, code, bucket) => {
                let durations = self.recorder.durations.as_ref()?;
                let flow = self.flow_of(asked);
                Some(if matches!(one.def.of, Of::Durations(Part::Sum)) {
                    durations.sum_s(flow, code)
                } else {
                    durations.within(flow, code, bucket) as f64
                })
            }
            ScrapedOf::Server(id) => self.scraped_of_server(one, id, busy[id.position()].0),
            ScrapedOf::Balancer(service, number) => {
                let id = self.balancers.of(service).nth(number as usize)?;
                self.scraped_of_balancer(one, id)
            }
        }
    }

    fn flow_of(&self, asked: Asked) -> usize {
        let layout = &self.recorder.layout;
        usize::from(layout.flow(asked.service, asked.class, asked.nested))
    }

    fn scraped_of_server(&self, one: &Scraped, id: ServerId, busy_ns: u128) -> Option<f64> {
        let (server, cold) = (&self.fleet.servers[id], &self.fleet.cold[id]);
        let there = server.state != MachineState::Absent;
        match one.def.of {
            Of::Up => there.then(|| f64::from(u8::from(server.state.serves()))),
            Of::ServerCrashes => there.then_some(cold.incarnation.crashes as f64),
            Of::Server(value) if server.state.serves() => {
                let totals = self.records.totals[id].at(server, self.now);
                Some(value(&ServerCounts {
                    attempts: totals.counts.attempts,
                    succeeded: totals.counts.succeeded,
                    failed: totals.counts.failed,
                    in_system: server.in_system,
                    queue_len: server.queue_len,
                    busy: server.busy(),
                    workers: server.workers,
                    busy_s: busy_ns as f64 / 1e9,
                    connections: self.pools.at_server(id),
                }))
            }
            _ => None,
        }
    }

    fn scraped_of_balancer(&self, one: &Scraped, id: InstanceId) -> Option<f64> {
        let instance = &self.balancers.instances[id];
        let there = instance.state != MachineState::Absent;
        match one.def.of {
            Of::Up => there.then(|| f64::from(u8::from(instance.state.serves()))),
            Of::BalancerCrashes => there.then_some(instance.incarnation.crashes as f64),
            Of::Balancer(value) if instance.state.serves() => Some(value(&BalancerCounts {
                attempts: instance.attempts,
                connections: instance.connections,
                waiting: instance.waiting + instance.pending.len() as u32,
                eligible: instance.offers.eligible(),
            })),
            _ => None,
        }
    }
}
