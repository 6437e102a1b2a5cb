//! What the suite can measure of a run.

use super::UNIT;
use crate::engine::Simulation;
use crate::histogram::Histogram;
use crate::ids::ServiceId;
use crate::model::Model;
use crate::outcome::Outcome;
use crate::record::RequestRecord;
use crate::statistics::{Moments, correlation};
use crate::summary::{ServerFigures, Summary};

/// A finished run, and what was noted on the way.
pub(crate) struct Measured<'a> {
    pub simulation: &'a Simulation,
    pub summary: &'a Summary,
    /// Every request, where a figure needs it.
    pub log: &'a [RequestRecord],
    /// Every request of the other scenario that must do the same.
    pub twin: &'a [RequestRecord],
    /// Numbers present at given times.
    pub samples: &'a [(u64, u32)],
}

/// What a figure needs besides the summary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Nothing.
    Summary,
    /// The request log.
    Log,
    /// The number present at the time given by its first argument.
    Moment,
    /// The same once in each period, given by its second argument.
    Moments,
}

/// A row of [`FIGURES`].
pub struct FigureDef {
    /// Its name in a demand.
    pub name: &'static str,
    /// What it is; times in mean service times, one second.
    pub about: &'static str,
    /// What it needs.
    pub needs: Needs,
    pub(super) of: fn(&Measured<'_>, &[f64]) -> Option<f64>,
}

const fn row(
    name: &'static str,
    about: &'static str,
    of: fn(&Measured<'_>, &[f64]) -> Option<f64>,
) -> FigureDef {
    with(Needs::Summary, name, about, of)
}

const fn with(
    needs: Needs,
    name: &'static str,
    about: &'static str,
    of: fn(&Measured<'_>, &[f64]) -> Option<f64>,
) -> FigureDef {
    FigureDef {
        name,
        about,
        needs,
        of,
    }
}

/// Every figure a demand may name.
pub static FIGURES: &[FigureDef] = &[
    row("response", "mean response time", |m, _| {
        m.summary.response_time_s.mean
    }),
    row(
        "response_quantile",
        "quantile of the response time",
        |m, q| Some(m.responses().quantile_ns(*q.first()?)? / UNIT),
    ),
    row(
        "response_variance",
        "variance of the response time",
        |m, _| Some(m.responses().variance_ns2()? / UNIT / UNIT),
    ),
    row(
        "class_response",
        "mean response time of a class, by its place",
        |m, class| {
            let classes = &m.summary.classes.0;
            classes
                .get(*class.first()? as usize)?
                .1
                .response_time_s
                .mean
        },
    ),
    row("wait", "mean wait for a worker", |m, _| {
        m.summary.wait_s.mean
    }),
    row("wait_quantile", "quantile of the wait", |m, q| {
        Some(m.waits().quantile_ns(*q.first()?)? / UNIT)
    }),
    row(
        "wait_deviation",
        "standard deviation of the wait",
        |m, _| Some(m.waits().variance_ns2()?.sqrt() / UNIT),
    ),
    row("waits", "share of requests that wait", |m, _| {
        let ended = m.summary.requests.succeeded + m.summary.requests.failed;
        Some(1.0 - m.waits().zeros() as f64 / ended as f64)
    }),
    row("number", "mean number at a server", |m, _| {
        Some(m.over_servers(|s| s.mean_in_system) / m.servers().count() as f64)
    }),
    row("sessions", "mean number of sessions under way", |m, _| {
        Some(m.summary.sessions?.mean)
    }),
    row("number_total", "mean number at all servers", |m, _| {
        Some(m.over_servers(|s| s.mean_in_system))
    }),
    row("queue", "mean number waiting at all servers", |m, _| {
        Some(m.over_servers(|s| s.mean_queue_len))
    }),
    row(
        "station_number",
        "mean number at a service, by its place",
        |m, i| {
            let (_, service) = m.summary.services.0.get(*i.first()? as usize)?;
            Some(
                service
                    .servers
                    .0
                    .iter()
                    .map(|(_, s)| s.mean_in_system)
                    .sum(),
            )
        },
    ),
    row("fullest", "requests that the busiest server got", |m, _| {
        m.servers()
            .map(|s| s.attempts as f64)
            .max_by(f64::total_cmp)
    }),
    row("copies", "attempts of a request", |m, _| {
        m.summary.attempts.per_request
    }),
    row("extra_copies", "the same beyond the first", |m, _| {
        Some(m.summary.attempts.per_request? - 1.0)
    }),
    row(
        "largest_share",
        "largest share of the keys that a server gets, times servers, by the policy's own ring",
        |m, _| m.key_shares()?.into_iter().max_by(f64::total_cmp),
    ),
    row("smallest_share", "smallest of these shares", |m, _| {
        m.key_shares()?.into_iter().min_by(f64::total_cmp)
    }),
    row("share_variance", "variance of these shares", |m, _| {
        let shares = m.key_shares()?;
        let squares = shares.iter().map(|share| (share - 1.0) * (share - 1.0));
        Some(squares.sum::<f64>() / shares.len() as f64)
    }),
    row("utilisation", "busy share of the workers", |m, _| {
        Some(m.over_servers(|s| s.utilisation) / m.servers().count() as f64)
    }),
    row(
        "server_utilisation",
        "the same of a server, by its place",
        |m, i| Some(m.servers().nth(*i.first()? as usize)?.utilisation),
    ),
    row(
        "throughput",
        "requests answered per unit of time",
        |m, _| Some(m.summary.goodput_hz),
    ),
    row("loss", "share of requests that fail", |m, _| {
        Some(1.0 - m.summary.availability?)
    }),
    row(
        "abandons",
        "share of requests that leave unserved",
        |m, _| {
            let requests = &m.summary.requests;
            let left = *requests.outcomes.get(Outcome::Abandoned.name())?;
            Some(left as f64 / (requests.succeeded + requests.failed) as f64)
        },
    ),
    row("up", "share of time that a server is up", |m, _| {
        Some(1.0 - m.over_servers(|s| s.downtime_s) / m.servers().count() as f64 / m.span())
    }),
    row("crashes", "crashes per unit of time", |m, _| {
        Some(m.over_servers(|s| s.crashes as f64) / m.span())
    }),
    row("life", "mean time up before a crash", |m, _| {
        let crashes = m.over_servers(|s| s.crashes as f64);
        let up = m.span() * m.servers().count() as f64 - m.over_servers(|s| s.downtime_s);
        (crashes > 0.0).then_some(up / crashes)
    }),
    row(
        "little",
        "mean number over rate times mean response time",
        |m, _| {
            let rate = m.summary.goodput_hz * m.summary.response_time_s.mean?;
            Some(m.over_servers(|s| s.mean_in_system) / rate)
        },
    ),
    with(
        Needs::Log,
        "arrivals_find",
        "share of arrivals that find so many or more",
        |m, k| arrivals_find(&m.measured_log(), *k.first()?),
    ),
    with(
        Needs::Log,
        "departures_cv2",
        "squared coefficient of variation of times between departures",
        |m, _| {
            let moments = Moments::of(&departures(&m.measured_log()));
            Some(moments.variance() / (moments.mean() * moments.mean()))
        },
    ),
    with(
        Needs::Log,
        "departures_correlation",
        "correlation of successive times between departures",
        |m, _| {
            let gaps = departures(&m.measured_log());
            correlation(&gaps[1..], &gaps[..gaps.len() - 1])
        },
    ),
    with(
        Needs::Log,
        "sequence_errors",
        "requests that did not go to the servers given, in their order, over and over",
        |m, servers| {
            let mut log: Vec<&RequestRecord> = m.log.iter().collect();
            log.sort_by_key(|row| (row.arrived_ns, row.number));
            let wrong = |(i, row): (usize, &&RequestRecord)| {
                row.server != Some(servers[i % servers.len()] as u32)
            };
            let wrong = log
                .iter()
                .enumerate()
                .filter(|pair| wrong((pair.0, pair.1)));
            (!log.is_empty()).then_some(wrong.count() as f64)
        },
    ),
    with(
        Needs::Log,
        "differences",
        "requests that end at another time in the other scenario",
        |m, _| {
            let ends = |log: &[RequestRecord]| {
                let mut ends: Vec<_> = log.iter().map(|r| (r.number, r.ended_ns)).collect();
                ends.sort_unstable();
                ends
            };
            let (one, other) = (ends(m.log), ends(m.twin));
            let differ = one.iter().zip(&other).filter(|(a, b)| a != b).count();
            (!one.is_empty()).then_some((differ + one.len().abs_diff(other.len())) as f64)
        },
    ),
    with(
        Needs::Moment,
        "number_at",
        "number present at a time",
        |m, t| m.sample((*t.first()? * UNIT) as u64),
    ),
    with(
        Needs::Moment,
        "empty_at",
        "whether nobody is present at a time",
        |m, t| {
            Some(f64::from(u8::from(
                m.sample((*t.first()? * UNIT) as u64)? < 0.5,
            )))
        },
    ),
    with(
        Needs::Moments,
        "number_at_phase",
        "mean number present at a phase of a period",
        |m, phase| Some(Moments::of(&m.phase(phase)?).mean()),
    ),
    with(
        Needs::Moments,
        "variance_at_phase",
        "variance of the number present at a phase of a period",
        |m, phase| Some(Moments::of(&m.phase(phase)?).variance()),
    ),
];

impl FigureDef {
    /// The times at which numbers must be noted for it.
    pub(super) fn moments(&self, arguments: &[f64], model: &Model) -> Vec<u64> {
        match (self.needs, arguments) {
            (Needs::Moment, [t]) => vec![(t * UNIT) as u64],
            (Needs::Moments, [phase, period]) => phases(*phase, *period, model).collect(),
            _ => Vec::new(),
        }
    }
}

/// Moments at a phase of each period after the warm-up.
fn phases(phase: f64, period: f64, model: &Model) -> impl Iterator<Item = u64> {
    let (from, until) = (model.warm_up.0 as f64 / UNIT, model.horizon.0 as f64 / UNIT);
    let first = (from / period).ceil() as u64;
    (first..)
        .map(move |n| n as f64 * period + phase)
        .take_while(move |t| *t <= until)
        .map(|t| (t * UNIT) as u64)
}

impl Measured<'_> {
    fn responses(&self) -> Histogram {
        let recorder = self.simulation.recorder();
        let mut all = Histogram::default();
        for flow in (0..recorder.layout.flows() as u16).step_by(2) {
            all.merge(&recorder.flow(flow).response_time);
        }
        all
    }

    fn waits(&self) -> Histogram {
        self.simulation.recorder().waits(|_, _| true)
    }

    fn servers(&self) -> impl Iterator<Item = &ServerFigures> {
        let services = self.summary.services.0.iter();
        services.flat_map(|(_, service)| service.servers.0.iter().map(|(_, server)| server))
    }

    fn over_servers(&self, of: impl Fn(&ServerFigures) -> f64) -> f64 {
        self.servers().map(of).sum()
    }

    /// Shares of the keys at the first service, in units of their mean.
    fn key_shares(&self) -> Option<Vec<f64>> {
        let shares = self.simulation.key_shares(ServiceId(0))?;
        let n = shares.len() as f64;
        Some(shares.into_iter().map(|share| share * n).collect())
    }

    fn span(&self) -> f64 {
        self.summary.horizon_s - self.summary.measured_from_s
    }

    /// The log of requests that came after the warm-up.
    fn measured_log(&self) -> Vec<RequestRecord> {
        let from = self.simulation.model().warm_up.0;
        self.log
            .iter()
            .filter(|row| row.arrived_ns >= from)
            .copied()
            .collect()
    }

    fn sample(&self, at: u64) -> Option<f64> {
        let place = self.samples.binary_search_by_key(&at, |(t, _)| *t).ok()?;
        Some(f64::from(self.samples[place].1))
    }

    fn phase(&self, arguments: &[f64]) -> Option<Vec<f64>> {
        let [phase, period] = arguments else {
            return None;
        };
        phases(*phase, *period, self.simulation.model())
            .map(|at| self.sample(at))
            .collect()
    }
}

/// Times between departures in seconds.
fn departures(log: &[RequestRecord]) -> Vec<f64> {
    let mut ends: Vec<u64> = log.iter().map(|row| row.ended_ns).collect();
    ends.sort_unstable();
    ends.windows(2)
        .map(|pair| (pair[1] - pair[0]) as f64 / UNIT)
        .collect()
}

/// Share of arrivals that find `k` or more of the logged requests present.
fn arrivals_find(log: &[RequestRecord], k: f64) -> Option<f64> {
    let mut arrivals: Vec<u64> = log.iter().map(|row| row.arrived_ns).collect();
    let mut ends: Vec<u64> = log.iter().map(|row| row.ended_ns).collect();
    arrivals.sort_unstable();
    ends.sort_unstable();
    let (mut gone, mut found) = (0, 0_u64);
    for (came, at) in arrivals.iter().enumerate() {
        while ends.get(gone).is_some_and(|end| end <= at) {
            gone += 1;
        }
        found += u64::from((came - gone) as f64 >= k);
    }
    (!arrivals.is_empty()).then(|| found as f64 / arrivals.len() as f64)
}
