//! What was scraped: counters as they stood at the moments of the scrapes, and what rules see of them.
//!
//! Counters are those of the recorder and of the servers. They are read at the exact moment of a scrape, so that
//! nothing here depends on how wide the intervals of the time line are.

use super::super::fleet::Fleet;
use super::super::service::Service;
use crate::alert_rule::{Known, Watched};
use crate::histogram::COARSE_LEN;
use crate::ids::{Id, ServerId, ServiceId, Table};
use crate::metric::{MetricDef, Scope, Window};
use crate::model::{Model, Monitoring};
use crate::outcome::Outcome;
use crate::record::Recorder;
use crate::time::Duration;
use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Counters of something at one moment, since the start of the run, and levels.
#[derive(Clone, Debug, Default)]
struct Reading {
    at: u64,
    arrived: u64,
    attempts: u64,
    attempts_of_service: u64,
    outcomes: [u64; Outcome::COUNT],
    busy_ns: u64,
    worker_ns: u64,
    in_flight: u64,
    queue_len: u64,
    up: u64,
    /// Response times since the reading before: (bucket, count).
    response_time: Vec<(u16, u32)>,
}

/// What was scraped of one thing.
#[derive(Clone)]
struct Series {
    scope: Scope,
    /// How far back anybody looks, in nanoseconds.
    kept_ns: u64,
    /// Counters that only what is scraped advances: attempts, ends, busy and all workers.
    sums: Reading,
    /// Response times of closed intervals of the time line, and those that the last reading knew.
    closed: Vec<u32>,
    known: Vec<u32>,
    /// The oldest first; clones of a simulation share them.
    readings: VecDeque<Arc<Reading>>,
}

/// Good and all requests of an objective at one moment.
#[derive(Clone, Copy, Debug)]
struct Judged {
    at: u64,
    good: u64,
    total: u64,
}

#[derive(Clone)]
struct SloSeries {
    slo: usize,
    kept_ns: u64,
    closed: (u64, u64),
    readings: VecDeque<Judged>,
}

/// Counters of a server when it was looked at last.
#[derive(Clone, Copy, Default)]
struct Mark {
    attempts: u32,
    succeeded: u32,
    failed: u32,
    busy: u64,
}

/// Of nothing.
const NONE: u32 = u32::MAX;

/// All that was scraped and is still looked at.
#[derive(Clone)]
pub(super) struct Readings {
    settings: Monitoring,
    series: Vec<Series>,
    /// Where the series of a scope is.
    places: BTreeMap<Scope, usize>,
    /// The series that a server adds to: of the site, of its service, and its own.
    of_server: Vec<[u32; 3]>,
    slos: Vec<SloSeries>,
    marks: Vec<Mark>,
    /// When servers were looked at last.
    looked_at: u64,
}

impl Readings {
    pub(super) fn new(model: &Model, settings: Monitoring) -> Self {
        let mut series: Vec<Series> = Vec::new();
        let mut places: BTreeMap<Scope, usize> = BTreeMap::new();
        let mut slos: Vec<SloSeries> = Vec::new();
        for alert in &model.alerts {
            let kept_ns = settings.kept(alert).0;
            match &alert.watched {
                Watched::Objective(slo, _) => {
                    if let Some(known) = slos.iter_mut().find(|series| series.slo == *slo) {
                        known.kept_ns = known.kept_ns.max(kept_ns);
                    } else {
                        slos.push(SloSeries {
                            slo: *slo,
                            kept_ns,
                            closed: (0, 0),
                            readings: VecDeque::new(),
                        });
                    }
                }
                watched => {
                    let Some((_, scope)) = watched.metric() else {
                        continue;
                    };
                    let place = *places.entry(scope).or_insert(series.len());
                    if place == series.len() {
                        series.push(Series::new(scope, kept_ns));
                    }
                    series[place].kept_ns = series[place].kept_ns.max(kept_ns);
                }
            }
        }
        let place = |scope| places.get(&scope).map_or(NONE, |place| *place as u32);
        let servers = model.servers.iter().enumerate();
        let of_server = servers.map(|(i, server)| {
            [
                Scope::Site,
                Scope::Service(server.service),
                Scope::Server(ServerId::at(i)),
            ]
            .map(place)
        });
        Self {
            settings,
            of_server: of_server.collect(),
            series,
            places,
            slos,
            marks: vec![Mark::default(); model.servers.len()],
            looked_at: 0,
        }
    }

    /// An interval of the time line is about to be closed: what only it knows is taken over.
    pub(super) fn close_interval(&mut self, recorder: &Recorder) {
        for series in &mut self.series {
            series.take_response_times(recorder);
        }
        for series in &mut self.slos {
            let recent = recorder.slos[series.slo].recent();
            series.closed.0 += u64::from(recent.good);
            series.closed.1 += u64::from(recent.total);
        }
    }

    /// Reads everything now.
    pub(super) fn scrape(
        &mut self,
        recorder: &Recorder,
        fleet: &Fleet,
        services: &Table<ServiceId, Service>,
        now: u64,
    ) {
        let elapsed = now - std::mem::replace(&mut self.looked_at, now);
        for series in &mut self.series {
            (series.sums.in_flight, series.sums.queue_len, series.sums.up) = (0, 0, 0);
        }
        for (i, server) in fleet.servers.iter().enumerate() {
            let busy = server.busy_area(now);
            let mark = std::mem::replace(
                &mut self.marks[i],
                Mark {
                    attempts: server.attempts,
                    succeeded: server.succeeded,
                    failed: server.failed,
                    busy,
                },
            );
            let reached = server.state.serves();
            for (number, place) in self.of_server[i].into_iter().enumerate() {
                let Some(series) = self.series.get_mut(place as usize) else {
                    continue;
                };
                let own = number == 2;
                let sums = &mut series.sums;
                if own {
                    // Counts go on in the server, whoever reads them; while it is down nobody does.
                    sums.attempts += u64::from(server.attempts.wrapping_sub(mark.attempts));
                    sums.outcomes[Outcome::Succeeded as usize] +=
                        u64::from(server.succeeded.wrapping_sub(mark.succeeded));
                    sums.outcomes[Outcome::Errored as usize] +=
                        u64::from(server.failed.wrapping_sub(mark.failed));
                }
                if !reached {
                    continue;
                }
                // Areas wrap around: differences of two are what counts.
                let workers_ns = elapsed.wrapping_mul(u64::from(server.workers));
                sums.busy_ns = sums.busy_ns.wrapping_add(busy.wrapping_sub(mark.busy));
                sums.worker_ns = sums.worker_ns.wrapping_add(workers_ns);
                sums.queue_len += u64::from(server.queue_len);
                sums.up += 1;
                if own {
                    sums.in_flight = u64::from(server.in_system);
                    sums.attempts_of_service = services[server.service].attempts;
                }
            }
        }
        for series in &mut self.series {
            series.read(recorder, now);
        }
        for series in &mut self.slos {
            let recent = recorder.slos[series.slo].recent();
            series.readings.push_back(Judged {
                at: now,
                good: series.closed.0 + u64::from(recent.good),
                total: series.closed.1 + u64::from(recent.total),
            });
            let gone = now.saturating_sub(series.kept_ns);
            while series.readings.front().is_some_and(|r| r.at < gone) {
                series.readings.pop_front();
            }
        }
    }

    pub(super) fn settings(&self) -> Monitoring {
        self.settings
    }

    /// What rules see at `now`.
    pub(super) fn seen_at(&self, now: u64) -> Seen<'_> {
        Seen {
            readings: self,
            now,
            as_of: Cell::new(None),
        }
    }
}

impl Series {
    fn new(scope: Scope, kept_ns: u64) -> Self {
        let len = if matches!(scope, Scope::Server(_)) {
            0
        } else {
            COARSE_LEN
        };
        Self {
            scope,
            kept_ns,
            sums: Reading::default(),
            closed: vec![0; len],
            known: vec![0; len],
            readings: VecDeque::new(),
        }
    }

    fn take_response_times(&mut self, recorder: &Recorder) {
        for flow in recorder.layout.flows_of(self.scope) {
            for (bucket, count) in recorder.flows[flow].recent.counts() {
                self.closed[bucket] = self.closed[bucket].wrapping_add(count);
            }
        }
    }

    fn read(&mut self, recorder: &Recorder, now: u64) {
        let is_server = matches!(self.scope, Scope::Server(_));
        let mut reading = Reading {
            at: now,
            ..self.sums.clone()
        };
        if is_server && reading.up == 0 {
            // Nobody answers the scrape.
            return;
        }
        if !is_server {
            let mut counts = self.closed.clone();
            for flow in recorder.layout.flows_of(self.scope) {
                let flow = &recorder.flows[flow];
                reading.arrived += flow.arrived;
                reading.attempts += flow.attempts;
                for (sum, count) in reading.outcomes.iter_mut().zip(flow.outcomes) {
                    *sum += count;
                }
                reading.in_flight += flow.in_flight();
                for (bucket, count) in flow.recent.counts() {
                    counts[bucket] = counts[bucket].wrapping_add(count);
                }
            }
            let more = counts.iter().zip(&self.known).enumerate();
            let more = more.map(|(i, (count, known))| (i as u16, count.wrapping_sub(*known)));
            reading.response_time = more.filter(|(_, count)| *count > 0).collect();
            self.known = counts;
        }
        self.readings.push_back(Arc::new(reading));
        let gone = now.saturating_sub(self.kept_ns);
        // The last value before what is kept stays: it counts until it is stale, however long that is.
        while self.readings.len() > 1 && self.readings[1].at <= gone {
            self.readings.pop_front();
        }
    }
}

/// What rules see at one moment.
pub(super) struct Seen<'a> {
    readings: &'a Readings,
    now: u64,
    as_of: Cell<Option<u64>>,
}

impl Seen<'_> {
    /// When the newest value that was looked at was scraped.
    pub(super) fn as_of(&self) -> Option<u64> {
        self.as_of.get()
    }

    /// The moment up to which scrapes were visible `back` before now.
    fn visible(&self, back: Duration) -> Option<u64> {
        let until = self.now.checked_sub(back.0)?;
        until.checked_sub(self.readings.settings.lag.0)
    }
}

impl Known for Seen<'_> {
    fn value(
        &self,
        metric: &'static MetricDef,
        scope: Scope,
        over: Duration,
        back: Duration,
    ) -> Option<f64> {
        let settings = &self.readings.settings;
        let series = &self.readings.series[*self.readings.places.get(&scope)?];
        let visible = self.visible(back)?;
        let count = series.readings.partition_point(|r| r.at <= visible);
        let newest = series.readings.get(count.checked_sub(1)?)?;
        let round = visible / settings.scrape.0 * settings.scrape.0;
        if round - newest.at > settings.stale.0 {
            return None;
        }
        self.as_of.set(self.as_of.get().max(Some(newest.at)));
        // As in Prometheus 3, a window is open on its left: a value scraped exactly so long ago has left it.
        let left = |r: &Reading| (r.at + over.0) <= self.now - back.0;
        let first = series.readings.partition_point(|r| left(r)).min(count - 1);
        let mut response_time = Vec::new();
        if !matches!(scope, Scope::Server(_)) {
            response_time = vec![0; COARSE_LEN];
            for reading in series.readings.range(first + 1..count) {
                for &(bucket, more) in &reading.response_time {
                    response_time[usize::from(bucket)] += more;
                }
            }
        }
        (metric.of)(&newest.since(&series.readings[first], &response_time))
    }

    fn objective(&self, slo: usize, over: Duration) -> Option<(u64, u64)> {
        let series = self.readings.slos.iter().find(|s| s.slo == slo)?;
        let visible = self.visible(Duration::ZERO)?;
        let count = series.readings.partition_point(|r| r.at <= visible);
        let newest = series.readings.get(count.checked_sub(1)?)?;
        self.as_of.set(self.as_of.get().max(Some(newest.at)));
        let left = |r: &Judged| r.at + over.0 <= self.now;
        let first = series.readings.partition_point(left).min(count - 1);
        let oldest = &series.readings[first];
        Some((newest.good - oldest.good, newest.total - oldest.total))
    }
}

impl Reading {
    /// What happened since another reading, as metrics see it.
    fn since<'a>(&self, before: &Self, response_time: &'a [u32]) -> Window<'a> {
        let span_ns = self.at - before.at;
        let mean = |area: u64, before: u64| {
            if span_ns == 0 {
                0.0
            } else {
                area.wrapping_sub(before) as f64 / span_ns as f64
            }
        };
        let mut outcomes = self.outcomes;
        for (count, before) in outcomes.iter_mut().zip(before.outcomes) {
            *count -= before;
        }
        Window {
            span_s: span_ns as f64 / 1e9,
            arrived: self.arrived - before.arrived,
            outcomes,
            attempts: self.attempts - before.attempts,
            attempts_of_service: self.attempts_of_service - before.attempts_of_service,
            in_flight: self.in_flight,
            queue_len: self.queue_len,
            busy: mean(self.busy_ns, before.busy_ns),
            workers: mean(self.worker_ns, before.worker_ns),
            up: self.up,
            response_time,
        }
    }
}
