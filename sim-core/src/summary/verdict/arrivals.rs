//! How arrivals went: until when any came, and when more came than at the end.

use super::evidence::{Evidence, ServiceFacts};
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
#[derive(Default)]
pub(super) struct Streams {
    width_s: f64,
    streams: Vec<Stream>,
}

/// A time at which more was asked of a service than at the end, and than it can do now.
pub(super) struct Surge {
    /// Requests a second, and what they ask as a share of what the service can do.
    pub peak_hz: f64,
    pub peak_load: f64,
    /// Whether more came, or as many that ask for more.
    pub more_came: bool,
    pub from_s: f64,
    pub until_s: f64,
}

/// So many times as much is more.
const MORE: f64 = 1.2;

impl Streams {
    pub(super) fn of(simulation: &Simulation, standing: &Standing, window: &Range<usize>) -> Self {
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
        Self {
            width_s: history.interval_ns() as f64 / 1e9,
            streams,
        }
    }
}

impl Evidence<'_> {
    /// The last time before the end at which more was asked of a service than it can do now, if there was one.
    pub(super) fn surge(&self, service: &ServiceFacts) -> Option<Surge> {
        let Streams { width_s, streams } = &self.streams;
        let work = |s: &Stream| s.work_s[service.id.position()];
        let streams: Vec<&Stream> = streams.iter().filter(|s| work(s) > 0.0).collect();
        let latest: f64 = streams.iter().map(|s| s.latest as f64 * work(s)).sum();
        let now = latest / self.window_s;
        let room = now / service.load();
        if !(room.is_finite() && room > 0.0) {
            return None;
        }
        let least = room.max(MORE * now);
        let len = streams.iter().map(|s| s.arrived.len()).max().unwrap_or(0);
        // Work, and requests, a second in some intervals.
        let asked = |range: Range<usize>| {
            let span_s = range.len() as f64 * width_s;
            let sum = |s: &&Stream| s.arrived[range.clone()].iter().sum::<u64>() as f64;
            let work = streams.iter().map(|s| sum(s) * work(s)).sum::<f64>();
            (work / span_s, streams.iter().map(sum).sum::<f64>() / span_s)
        };
        // A bin of ten seconds, or what has enough requests in it.
        let mean = self.arrived_ever as f64 / (len + 1) as f64;
        let bin = (10.0 / width_s).max(ARRIVALS as f64 / mean.max(1e-9));
        let bin = (bin.ceil() as usize).max(1);
        let bins: Vec<Range<usize>> = (0..len)
            .step_by(bin)
            .map(|from| from..(from + bin).min(len))
            .collect();
        let high: Vec<bool> = bins.iter().map(|b| asked(b.clone()).0 > least).collect();
        let last = high.iter().rposition(|high| *high)?;
        // By chance one bin between may have less.
        let mut first = last;
        while let Some(before) = (first.saturating_sub(2)..first).find(|&i| high[i]) {
            first = before;
        }
        // At its ends are intervals that are no part of it: those with no more than half of what it adds.
        let peak = (first..=last).map(|i| asked(bins[i].clone()).0);
        let half = f64::midpoint(peak.fold(0.0, f64::max), now.max(room));
        let range = bins[first].start..bins[last].end;
        let part = |i: &usize| asked(*i..i + 1).0 > half;
        let (from, until) = match (range.clone().find(part), range.clone().rev().find(part)) {
            (Some(from), Some(until)) => (from, until + 1),
            _ => (range.start, range.end),
        };
        let whole = asked(from..until);
        let of_bins = (first..=last).map(|i| asked(bins[i].clone()));
        let (peak, peak_hz) = of_bins.fold(whole, |a, b| (a.0.max(b.0), a.1.max(b.1)));
        let came: u64 = streams.iter().map(|s| s.latest).sum();
        Some(Surge {
            peak_hz,
            peak_load: peak / room,
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
