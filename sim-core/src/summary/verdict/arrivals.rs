//! How arrivals went: until when any came, and when more came than at the end.

use super::evidence::{Evidence, Machines, ServerFacts, ServiceFacts};
use super::window::{ARRIVALS, WINDOW_S};
use crate::engine::{Simulation, Standing};
use crate::ids::{ClassId, Id, ServiceId};
use crate::load::visits_of;
use crate::metric::Scope;
use crate::model::Service;
use crate::record::history::History;
use std::ops::Range;

/// Requests of one class to one service, from outside and not by users who wait for answers: how many came in each
/// interval before the end, and the work that one brings to each service, in seconds.
pub(super) struct Stream {
    arrived: Vec<u64>,
    latest: u64,
    work_s: Vec<f64>,
}

/// All of them.
pub(super) struct Streams<'a> {
    history: &'a History,
    streams: Vec<Stream>,
}

/// A time at which more was asked of a service than it could do, and of what it could do more than at the end.
pub(super) struct Surge {
    /// Requests a second, and what they asked as a share of what the service could do.
    pub peak_hz: f64,
    pub peak_load: f64,
    /// Whether more came, or as many that ask for more.
    pub more_came: bool,
    pub from_s: f64,
    pub until_s: f64,
}

/// So many times as much is more.
const MORE: f64 = 1.2;

impl<'a> Streams<'a> {
    /// Requests from outside to each service from a time on, and attempts at one of them.
    pub(super) fn since(&self, from_s: f64, service: ServiceId, classes: usize) -> (Vec<u64>, u64) {
        let width_s = self.history.interval_ns() as f64 / 1e9;
        let all = self.history.len();
        let from = ((from_s / width_s) as usize).min(all);
        let came = |flow: usize| -> u64 {
            let arrived = (from..all).map(|i| self.history.flow(i, flow).arrived);
            arrived.map(u64::from).sum()
        };
        let outside: Vec<u64> = self.history.flows().map(came).collect();
        let total = self.history.total(Scope::Service(service), from..all);
        let by_service = outside.chunks(classes).map(|of| of.iter().sum());
        (by_service.collect(), total.window().attempts)
    }

    /// Intervals before the end.
    fn len(&self) -> usize {
        self.streams.first().map_or(0, |s| s.arrived.len())
    }

    /// Work of some kind that came at the end.
    fn latest(&self, work: impl Fn(&Stream) -> f64) -> f64 {
        self.streams.iter().map(|s| s.latest as f64 * work(s)).sum()
    }

    pub(super) fn of(
        simulation: &'a Simulation,
        standing: &Standing,
        window: &Range<usize>,
    ) -> Self {
        let history = simulation.recorder().history();
        let settings: Vec<&Service> = (0..standing.services.len())
            .map(|position| simulation.settings_of(ServiceId::at(position)))
            .collect();
        let passes =
            |service: usize, call: usize| simulation.passed(ServiceId::at(service), call, window);
        let mut streams = Vec::new();
        for entry in 0..standing.services.len() {
            let from = |s: &&crate::engine::SourceStanding| usize::from(s.to.0) == entry;
            let mut sources = standing.sources.iter().filter(from).peekable();
            // Users who are answered later come later: how many come is no cause.
            if sources.peek().is_none() || sources.any(|s| s.users.is_some()) {
                continue;
            }
            for (class, demands) in standing.classes.iter().enumerate() {
                let flow = (entry * standing.classes.len() + class) * 2;
                let came = |i: usize| u64::from(history.flow(i, flow).arrived);
                let arrived: Vec<u64> = (0..window.start).map(came).collect();
                if arrived.iter().all(|&n| n == 0) {
                    continue;
                }
                let (entry, class) = (ServiceId::at(entry), ClassId::at(class));
                let visits = visits_of(&settings, entry, 1.0, class, &passes);
                let of_service = |(visits, service): (f64, _)| {
                    if visits > 0.0 {
                        visits * demands.demand_s(service)
                    } else {
                        0.0
                    }
                };
                streams.push(Stream {
                    arrived,
                    latest: window.clone().map(came).sum(),
                    work_s: visits
                        .into_iter()
                        .zip(&standing.services)
                        .map(of_service)
                        .collect(),
                });
            }
        }
        Self { history, streams }
    }
}

impl Evidence<'_> {
    /// The last time before the end at which more was asked of a service than it can do now, if there was one.
    pub(super) fn surge(&self, service: &ServiceFacts) -> Option<Surge> {
        let work = |s: &Stream| s.work_s[service.id.position()];
        self.surge_of(work, self.room(service), |_| 1.0)
    }

    /// The same where it was enough that there were fewer servers or workers then.
    pub(super) fn shortage(&self, service: &ServiceFacts) -> Option<Surge> {
        let position = service.id.position();
        let work = |s: &Stream| s.work_s[position];
        // Workers, and servers up, as a mean of some intervals.
        let there = |range: Range<usize>| {
            let (mut workers, mut up) = (0.0, 0.0);
            for i in range.clone() {
                let seen = self.streams.history.service(i, position);
                workers += f64::from(seen.workers);
                up += f64::from(seen.up);
            }
            (workers / range.len() as f64, up / range.len() as f64)
        };
        let len = self.streams.len();
        let now = there(len..len + 1);
        let part = |range: Range<usize>| {
            let then = there(range);
            (then.0 / now.0).min(then.1 / now.1)
        };
        self.surge_of(work, self.room(service), part)
    }

    /// Seconds of work a second that a service can do for others than users who wait: how many of these came when is no
    /// cause.
    fn room(&self, service: &ServiceFacts) -> f64 {
        let latest = self.streams.latest(|s| s.work_s[service.id.position()]);
        let users = service.asked_hz * service.demand_s - latest / self.window_s;
        service.capacity_hz * service.demand_s - users.max(0.0)
    }

    /// The same of the machines that a service's servers share: more was asked of all that runs there than they have cores.
    pub(super) fn surge_beside(&self, service: &ServiceFacts) -> Option<Surge> {
        let Machines { hosts, cores, .. } = &service.machines;
        // Seconds of their cores that a second of work at each service takes.
        let takes = |tenant: &ServiceFacts| {
            let there =
                |s: &&ServerFacts| s.standing.host.is_some_and(|host| hosts.contains(&host));
            let taken = tenant.serving().filter(there).map(|s| {
                let speed = s.standing.speed * s.standing.warmth;
                1.0 / speed.max(f64::MIN_POSITIVE)
            });
            taken.sum::<f64>() / tenant.serving().count().max(1) as f64
        };
        let takes: Vec<f64> = self.services.iter().map(takes).collect();
        let work = |s: &Stream| {
            s.work_s
                .iter()
                .zip(&takes)
                .map(|(work, takes)| work * takes)
                .sum()
        };
        self.surge_of(work, *cores, |_| 1.0)
    }

    /// The last time at which more of some work was asked than there was room for: that which there is now, times
    /// what part of it there was.
    fn surge_of(
        &self,
        work: impl Fn(&Stream) -> f64,
        room: f64,
        part: impl Fn(Range<usize>) -> f64,
    ) -> Option<Surge> {
        let Streams { history, .. } = &self.streams;
        let width_s = history.interval_ns() as f64 / 1e9;
        let now = self.streams.latest(&work) / self.window_s / room;
        if !(room > 0.0 && now.is_finite()) {
            return None;
        }
        let least = f64::max(1.0, MORE * now);
        let len = self.streams.len();
        let streams = self.streams.streams.iter();
        let streams: Vec<&Stream> = streams.filter(|s| work(s) > 0.0).collect();
        // The load, and requests a second, in some intervals.
        let asked = |range: Range<usize>| {
            let span_s = range.len() as f64 * width_s;
            let sum = |s: &&Stream| s.arrived[range.clone()].iter().sum::<u64>() as f64;
            let work = streams.iter().map(|s| sum(s) * work(s)).sum::<f64>();
            let load = work / span_s / room / part(range.clone());
            (load, streams.iter().map(sum).sum::<f64>() / span_s)
        };
        // A bin of ten seconds, or what has enough requests in it.
        let mean = self.arrived_ever as f64 / (len + 1) as f64;
        let bin = (10.0 / width_s).max(ARRIVALS as f64 / mean.max(1e-9));
        let bin = (bin.ceil() as usize).max(1);
        let bins: Vec<Range<usize>> = (0..len)
            .step_by(bin)
            .map(|from| from..(from + bin).min(len))
            .collect();
        let loads: Vec<f64> = bins.iter().map(|b| asked(b.clone()).0).collect();
        let last = loads.iter().rposition(|load| *load > least)?;
        // It begins after the last time that left rest. By chance one bin between may have less.
        let mut first = last;
        let full = |i: &usize| loads[*i] > f64::midpoint(now, least);
        while let Some(before) = (first.saturating_sub(2)..first).find(full) {
            first = before;
        }
        // At its ends are intervals that are no part of it: those with no more than half of what it adds.
        let peak = loads[first..=last].iter().copied().fold(0.0, f64::max);
        let half = f64::midpoint(peak, now.max(1.0));
        let range = bins[first].start..bins[last].end;
        let belongs = |i: &usize| asked(*i..i + 1).0 > half;
        let ends = (
            range.clone().find(belongs),
            range.clone().rev().find(belongs),
        );
        let (from, until) = match ends {
            (Some(from), Some(until)) => (from, until + 1),
            _ => (range.start, range.end),
        };
        let whole = asked(from..until);
        let of_bins = (first..=last).map(|i| asked(bins[i].clone()));
        let (peak, peak_hz) = of_bins.fold(whole, |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let came: u64 = streams.iter().map(|s| s.latest).sum();
        Some(Surge {
            peak_hz,
            peak_load: peak,
            more_came: peak_hz > MORE * came as f64 / self.window_s,
            from_s: from as f64 * width_s,
            until_s: until as f64 * width_s,
        })
    }

    /// How arrivals went over the run: until when any came.
    pub(super) fn read_arrivals(&mut self, history: &History, window: &Range<usize>) {
        let width_s = history.interval_ns() as f64 / 1e9;
        let flows = history.flows();
        let came = |i: usize| -> u64 {
            let flows = flows.clone();
            flows.map(|f| u64::from(history.flow(i, f).arrived)).sum()
        };
        let second = (1.0 / width_s).ceil().max(1.0) as usize;
        let latest: Vec<u64> = window.clone().map(came).collect();
        let peak = latest
            .chunks(second)
            .map(|n| n.iter().sum::<u64>() as f64 / (second as f64 * width_s));
        self.peak_hz = peak.fold(0.0, f64::max);
        let later = latest.iter().rposition(|&n| n > 0);
        let later = later.map(|i| window.start + i);
        let last = later.or_else(|| (0..window.start).rfind(|&i| came(i) > 0));
        self.last_arrival_s = last.map(|i| history.end_ns(i) as f64 / 1e9);
        if let Some(last) = last.filter(|_| self.arrived == 0) {
            let from = last.saturating_sub((WINDOW_S / width_s) as usize);
            let total = history.total(Scope::Site, from..window.end);
            self.last_outcomes = total.window().outcomes;
        }
    }
}
