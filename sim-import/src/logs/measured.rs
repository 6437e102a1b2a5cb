//! What a log says: classes with their demands, servers with their workers, arrivals, and what was lost.

use super::burst::Dispersion;
use super::collect::{Collector, Kind, OTHER, Request, Sums};
use super::demand::Demand;
use super::sketch::Sketch;
use super::sweep::{KEPT_MAX, Stretch, Sweep};
use super::work::{Work, work};
use super::workers::{Workers, fit};
use crate::names::{fresh, name_of};
use serde::Serialize;

/// What came within less is no rate, and what took longer no log; in seconds: a millisecond, and ten years, as long as
/// a scenario may be.
const SPAN_MIN_S: f64 = 1e-3;
const SPAN_MAX_S: f64 = 315_532_800.0;
/// The name of the one server, and of the route whose path has no words.
const APP: &str = "app";
pub(crate) const ROOT: &str = "root";
/// Classes that are told apart unless it is said otherwise.
pub(crate) const CLASSES: usize = 8;
/// Part of the log that is compared with the rest, which is held out: demands and workers of the part, and arrivals of the
/// rest. What is written in the end is of the whole.
const LEARNT: f64 = 2.0 / 3.0;
/// Requests below which nothing is compared.
pub(crate) const REQUESTS_MIN: usize = 300;

/// A kind of request.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClassFigures {
    /// Its name in a scenario.
    pub name: String,
    /// The routes it stands for; very many are counted only.
    pub route: String,
    /// Requests of it, in the whole log.
    pub requests: u64,
    /// What it demands of a server; nothing where the log does not say.
    pub demand: Option<Demand>,
}

/// A server.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ServerFigures {
    /// Its name in a scenario.
    pub name: String,
    /// What the log calls it.
    pub address: String,
    /// Requests it answered, in the whole log.
    pub requests: u64,
    /// Those with an error.
    pub failed: u64,
    /// What can be told of its workers.
    pub workers: Option<Workers>,
}

/// How servers were picked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Pick {
    /// One after the other.
    RoundRobin,
    /// Whoever had the fewest in flight.
    LeastInFlight,
    /// In a way that arrivals do not tell.
    Unknown,
}

/// Everything that is known of a log.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Requests.
    pub requests: u64,
    /// Requests beside these that the balancer answered by itself: files, redirects, refusals.
    pub local: u64,
    /// From the first arrival to the last, in seconds.
    pub span_s: f64,
    /// Requests per second.
    pub rate_hz: f64,
    /// Whether moments are known to the second only.
    pub whole_seconds: bool,
    /// Whether times are known to the millisecond only.
    pub milliseconds: bool,
    /// Requests of which a time is known.
    pub timed: u64,
    /// Requests whose clients left.
    pub left: u64,
    /// Requests answered with an error; nothing where the format does not tell.
    pub failed: Option<u64>,
    /// Requests that were tried again, and tries beyond the first; nothing where the format does not tell.
    pub retried: Option<(u64, u64)>,
    /// Requests that came further out of order than the window, and were moved.
    pub late: u64,
    /// Seconds of a mean request that are spent with its client, before and after servers have it.
    pub outside_s: f64,
    /// How bursty arrivals are.
    pub dispersion: Vec<Dispersion>,
    /// Kinds of requests, the most frequent first.
    pub classes: Vec<ClassFigures>,
    /// Servers.
    pub servers: Vec<ServerFigures>,
    /// What can be told of the workers of a server, all taken together.
    pub workers: Option<Workers>,
    /// How servers were picked.
    pub pick: Pick,
    /// Seconds from the first arrival to the part that is held out.
    pub held_out_from_s: f64,
    /// Mean and percentiles (50, 90, 99) of times at servers, waiting included, in seconds.
    pub response_s: [f64; 4],
    /// Rates at the middle of each stretch of the log: seconds, and requests per second.
    pub profile: Vec<(f64, f64)>,
    #[serde(skip)]
    pub(crate) kept: Vec<Request>,
    #[serde(skip)]
    pub(crate) class_of: Vec<usize>,
    /// Routes, and servers, by their numbers.
    #[serde(skip)]
    pub(crate) routes: Vec<String>,
    #[serde(skip)]
    pub(crate) addresses: Vec<String>,
    /// All of it, and the part that is compared with the rest.
    #[serde(skip)]
    pub(crate) all: Stretch,
    #[serde(skip)]
    pub(crate) learnt: Stretch,
    #[serde(skip)]
    pub(crate) of_learnt: Work,
    #[serde(skip)]
    pub(crate) first_ns: i64,
}

impl Measured {
    /// Works out what a log says, told apart in at most `classes` kinds of requests.
    pub fn of(mut collector: Collector, classes: Option<usize>) -> Self {
        collector.finish();
        let Collector {
            routes,
            servers,
            sums,
            sweep,
            ..
        } = collector;
        let first_ns = sweep.first_ns.unwrap_or(0);
        let span_s = (sweep.last_ns - first_ns).max(0) as f64 / 1e9;
        let (learnt, all, held_out_from_s) = parts(&sweep, span_s);
        let (class_of, names) = classes_of(&all, &routes.names, classes.unwrap_or(CLASSES).max(1));
        let groups: Vec<Vec<usize>> = (0..names.len())
            .map(|class| {
                let routes = 0..all.routes.len();
                routes.filter(|route| class_of[*route] == class).collect()
            })
            .collect();
        // Where the log names servers, those that had none are at none of them.
        let named = all.servers.len() > 1;
        let meant = |number: usize| !named || number > 0;
        let whole = work(&all, meant, &groups);
        let own = all
            .servers
            .iter()
            .enumerate()
            .filter(|(number, _)| meant(*number));
        let addresses = servers.names;
        let mut taken = Vec::new();
        let servers: Vec<ServerFigures> = own
            .map(|(number, tally)| ServerFigures {
                name: if number == 0 {
                    APP.to_owned()
                } else {
                    fresh(&name_of(&addresses[number], APP), &mut taken)
                },
                address: addresses[number].clone(),
                requests: tally.requests,
                failed: tally.failed,
                workers: fit(tally),
            })
            .collect();
        let classes = (names.into_iter().zip(&groups).zip(&whole.demands))
            .map(|(((name, route), routes), demand)| ClassFigures {
                name,
                route,
                requests: routes.iter().map(|route| all.routes[*route].requests).sum(),
                demand: demand.clone(),
            })
            .collect();
        let mut response = Sketch::default();
        all.routes
            .iter()
            .for_each(|route| response.merge(&route.response));
        Self {
            requests: sums.requests,
            local: sums.local,
            span_s,
            rate_hz: if span_s > 0.0 {
                sums.requests as f64 / span_s
            } else {
                0.0
            },
            whole_seconds: sums.whole_second * 2 > sums.requests,
            milliseconds: !sums.fine,
            timed: sums.timed,
            left: sums.left,
            failed: (sums.told_status > 0).then_some(sums.failed),
            retried: (sums.told_tries > 0).then_some((sums.retried, sums.extra_tries)),
            late: sums.late,
            outside_s: outside(&sums),
            dispersion: sweep
                .bursts
                .dispersions(if sums.whole_second > 0 { 1.0 } else { 0.0 }),
            classes,
            servers,
            workers: whole.workers,
            of_learnt: work(&learnt, meant, &groups),
            pick: pick(&sweep, all.servers.len().saturating_sub(1)),
            held_out_from_s,
            response_s: [
                response.mean_s(),
                response.quantile_s(0.5),
                response.quantile_s(0.9),
                response.quantile_s(0.99),
            ],
            profile: profile(&sweep, span_s),
            kept: if sweep.arrivals as usize <= KEPT_MAX {
                sweep.kept.into()
            } else {
                sweep.kept.into_iter().skip(KEPT_MAX / 2).collect()
            },
            class_of,
            routes: routes.names,
            addresses,
            all,
            learnt,
            first_ns,
        }
    }

    /// Why no rate can be taken from the log.
    pub fn flaw(&self) -> Option<String> {
        if self.span_s < SPAN_MIN_S {
            let why = "all requests of the log came within a millisecond: that is no rate";
            Some(why.to_owned())
        } else if self.span_s > SPAN_MAX_S {
            let years = self.span_s / SPAN_MAX_S * 10.0;
            let why = "from its first request to its last the log takes";
            Some(format!(
                "{why} {years:.0} years: some of its dates are wrong"
            ))
        } else {
            None
        }
    }

    /// Whether every request of the log is at hand.
    pub(crate) fn has_all(&self) -> bool {
        self.kept.len() as u64 == self.requests
    }

    /// The class of a request.
    pub(crate) fn class(&self, request: &Request) -> usize {
        self.class_of[usize::from(request.route)]
    }

    /// Arrivals a Poisson process could have made, as far as they were looked at.
    pub fn is_poisson(&self) -> bool {
        let fine = self.dispersion.iter().filter(|at| at.width_s <= 1.0);
        !self.dispersion.is_empty()
            && fine.clone().count() > 0
            && fine.into_iter().all(Dispersion::is_poisson)
    }

    /// Whether requests have times.
    pub fn has_times(&self) -> bool {
        self.timed * 2 > self.requests && self.classes.iter().any(|class| class.demand.is_some())
    }

    /// Requests held out: after the part that was learnt from, answered at the servers.
    pub(crate) fn held_out(&self) -> impl Iterator<Item = &Request> {
        let from = self
            .first_ns
            .saturating_add((self.held_out_from_s * 1e9) as i64);
        self.kept
            .iter()
            .filter(move |request| request.at_ns >= from && request.kind != Kind::Untimed)
    }
}

fn outside(sums: &Sums) -> f64 {
    if sums.upstream > 0 {
        sums.outside_s / sums.upstream as f64
    } else {
        0.0
    }
}

/// The part that is learnt from, the whole, and where the rest begins in seconds.
fn parts(sweep: &Sweep, span_s: f64) -> (Stretch, Stretch, f64) {
    let stretch_s = sweep.stretch_ns as f64 / 1e9;
    let count =
        ((span_s * LEARNT / stretch_s).round() as usize).clamp(1, sweep.stretches.len().max(1));
    let (mut learnt, mut all) = (Stretch::default(), Stretch::default());
    for (place, stretch) in sweep.stretches.iter().enumerate() {
        all.merge(stretch);
        if place < count {
            learnt.merge(stretch);
        }
    }
    (learnt, all, count as f64 * stretch_s)
}

/// For each route its class, and names and routes of the classes: the most frequent each their own.
fn classes_of(
    all: &Stretch,
    routes: &[String],
    most: usize,
) -> (Vec<usize>, Vec<(String, String)>) {
    let mut order: Vec<usize> = (1..all.routes.len())
        .filter(|route| all.routes[*route].requests > 0)
        .collect();
    order.sort_by_key(|route| std::cmp::Reverse(all.routes[*route].requests));
    let room = if order.len() > most || all.routes.first().is_some_and(|other| other.requests > 0) {
        most - 1
    } else {
        most
    };
    let mut class_of = vec![usize::MAX; all.routes.len().max(1)];
    let mut names: Vec<(String, String)> = Vec::new();
    let mut taken = vec![OTHER.to_owned()];
    for route in order.iter().take(room) {
        class_of[*route] = names.len();
        let name = fresh(&name_of(&routes[*route], ROOT), &mut taken);
        names.push((name, routes[*route].clone()));
    }
    if class_of.contains(&usize::MAX) {
        let rest = order.len().saturating_sub(room);
        let other = names.len();
        class_of
            .iter_mut()
            .filter(|class| **class == usize::MAX)
            .for_each(|class| *class = other);
        if rest > 0 || all.routes.first().is_some_and(|other| other.requests > 0) {
            names.push((OTHER.to_owned(), format!("{rest} further routes")));
        }
    }
    (class_of, names)
}

fn pick(sweep: &Sweep, servers: usize) -> Pick {
    let picks = &sweep.picks;
    if servers < 2 || picks.chosen < 200 {
        return Pick::Unknown;
    }
    let share = |count: u64, of: u64| count as f64 / of.max(1) as f64;
    if share(
        picks.distance.get(servers).copied().unwrap_or(0),
        picks.chosen,
    ) > 0.7
    {
        Pick::RoundRobin
    } else if picks.uneven > 100 && share(picks.least, picks.uneven) > 0.9 {
        Pick::LeastInFlight
    } else {
        Pick::Unknown
    }
}

/// The rate of each stretch; one for all where chance alone explains how they differ.
fn profile(sweep: &Sweep, span_s: f64) -> Vec<(f64, f64)> {
    let stretch_s = sweep.stretch_ns as f64 / 1e9;
    let mut whole: Vec<u64> = sweep
        .stretches
        .iter()
        .map(|stretch| stretch.requests)
        .collect();
    if whole.len() > 2 {
        // The last is not over.
        whole.pop();
    }
    let total: u64 = whole.iter().sum();
    let mean = total as f64 / whole.len().max(1) as f64;
    let spread: f64 = whole
        .iter()
        .map(|count| (*count as f64 - mean) * (*count as f64 - mean))
        .sum();
    let degrees = (whole.len().max(2) - 1) as f64;
    let all = sweep.arrivals as f64 / span_s.max(1e-9);
    if mean <= 0.0 || spread / mean / degrees < 1.0 + 3.0 * (2.0 / degrees).sqrt() {
        return vec![(0.0, all)];
    }
    (0..)
        .zip(whole)
        .map(|(place, count)| {
            (
                (f64::from(place) + 0.5) * stretch_s,
                count as f64 / stretch_s,
            )
        })
        .collect()
}
