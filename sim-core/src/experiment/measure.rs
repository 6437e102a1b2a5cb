//! What is measured: figures of the summary, by their path.

use crate::metric::{Averaging, Better, SUMMARY_PATHS, SummaryPath, Unit, in_short};
use crate::model::{Model, Service, Slo};
use crate::outcome::Outcome;
use crate::scenario::suggest;
use crate::statistics::Interval;
use crate::summary::Summary;
use crate::text::cited;

/// What one run says about a measure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Observation {
    /// The figure.
    pub value: f64,
    /// How many requests, or how much time, it is a mean over; 1 where it is no mean.
    pub weight: f64,
}

/// How the figures of several runs become one: [`Averaging`] with the paths of this measure's model.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Kind {
    /// The mean over runs.
    Plain,
    /// A mean over time: within one run, figures of its parts add up by their length.
    Rate,
    /// A mean over a random number of things, found at this path: a ratio of two means.
    Weighted(String),
    /// As before; moreover a probability, which must rest on enough events of either kind.
    Share { ended: (String, String) },
    /// A quantile of so many observations as this path says.
    Quantile { p: f64, count: String },
}

/// A measure of an experiment.
#[derive(Clone, PartialEq, Debug)]
pub struct Measure {
    path: String,
    row: &'static SummaryPath,
    pub(super) kind: Kind,
}

/// What the paths begin with that only a service with `numbers = true` has.
const NUMBERS: &str = "services.SERVICE.number.";

/// Measures shown when none are asked for.
const DEFAULTS: &[&str] = &[
    "response_time_s.mean",
    "response_time_s.p50",
    "response_time_s.p99",
    "availability",
    "goodput_hz",
    "attempts.per_request",
    "wait_s.mean",
];

impl Measure {
    /// The measure at a path of the summary, such as `response_time_s.p99`, or `p99` for short.
    ///
    /// # Errors
    /// Says what the path should have been, for a path that the model's summary does not have.
    pub fn parse(path: &str, model: &Model) -> Result<Self, String> {
        let path = in_short(path.trim()).unwrap_or(path.trim()).to_owned();
        let words: Vec<&str> = path.split('.').collect();
        let row = SUMMARY_PATHS
            .iter()
            .find(|row| fits(row.path, &words, model));
        let Some(row) = row else {
            return Err(unknown(&path, model));
        };
        if row.path.starts_with(NUMBERS) {
            let of = |service: &&Service| words.get(1) == Some(&service.name.as_str());
            if let Some(service) = model.services.iter().find(of).filter(|s| !s.numbers) {
                return Err(format!(
                    "{} is kept only where it is asked for: `numbers = true` in [service.{name}], or `--set service.{name}.numbers=true`",
                    cited(&path),
                    name = service.name
                ));
            }
        }
        let kind = kind(row, &path, model);
        Ok(Self { path, row, kind })
    }

    /// Those shown when none are asked for.
    pub fn defaults(model: &Model) -> Vec<Self> {
        let parsed = DEFAULTS.iter().map(|path| Self::parse(path, model));
        parsed.filter_map(Result::ok).collect()
    }

    /// Its path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of the times whose quantile it is; `None` for what is no quantile.
    pub(super) fn times(&self) -> Option<(&str, f64)> {
        match &self.kind {
            Kind::Quantile { p, .. } => Some((self.path.rsplit_once('.')?.0, *p)),
            _ => None,
        }
    }

    /// Whether it is of one server, and not of all those of a service.
    pub(super) fn is_of_one_server(&self) -> bool {
        self.row.path.contains(".servers.")
    }

    /// By what part of itself an estimate of `mean` would move if a request more had been counted for each that
    /// was, of those that have not ended. They take twice as long as others (the inspection paradox), which
    /// moves a mean of times by about itself. They all wait, so that the share of those that waited would
    /// only lack what it lacks of one.
    pub(super) fn moved_by_unended(&self, mean: f64) -> f64 {
        if self.path.rsplit('.').next() == Some("waited") {
            (1.0 - mean) / mean
        } else {
            1.0
        }
    }

    /// Whether it is a mean that grows with the waits: of a time, or of how many are there.
    pub(super) fn is_mean_of_waits(&self) -> bool {
        let last = self.path.rsplit('.').next().unwrap_or_default();
        let of_times = matches!(self.kind, Kind::Weighted(_)) && self.row.unit == Unit::Time;
        let of_numbers = self.row.path.starts_with(NUMBERS) && self.kind == Kind::Rate;
        of_times || of_numbers || matches!(last, "mean_in_system" | "mean_queue_len" | "in_flight")
    }

    /// Whether it counts things.
    pub(super) fn is_count(&self) -> bool {
        self.kind == Kind::Plain && self.row.unit == Unit::Count
    }

    /// Whether it counts what is there at a moment, and not what happens.
    pub(super) fn is_level(&self) -> bool {
        self.is_count() && self.path.ends_with("in_flight")
    }

    /// How many events a value of 1 stands for in one of several looks at a system: one for a count, as many as
    /// there were seconds for a number per second. `None` for what counts no events.
    pub(super) fn events_in_one(&self, seen: &[Option<Observation>]) -> Option<f64> {
        if self.is_count() {
            return Some(1.0);
        }
        let weights: Vec<f64> = seen.iter().flatten().map(|o| o.weight).collect();
        let is_rate = self.kind == Kind::Rate && self.row.unit == Unit::Hertz;
        let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
        (is_rate && mean > 0.0).then_some(mean)
    }

    /// How its values are written. Times are in seconds, as in the summary.
    pub fn unit(&self) -> Unit {
        self.row.unit
    }

    /// An amount of it above zero, as it is typed, in the unit of the summary.
    ///
    /// # Errors
    /// Says what is allowed.
    pub fn amount(&self, text: &str) -> Result<f64, String> {
        let number = || text.trim().parse::<f64>().ok();
        let (amount, allowed) = match self.row.unit {
            Unit::Time => {
                let span = crate::time::Duration::parse(text.trim()).ok();
                (
                    span.map(crate::time::Duration::as_secs_f64),
                    "a time span above zero, such as 5ms",
                )
            }
            Unit::Ratio => (
                crate::scenario::kinds::ratio_of_text(text).filter(|share| *share <= 1.0),
                "a share above zero, such as 0.5% or 0.005",
            ),
            Unit::Hertz | Unit::Count => (number(), "a number above zero, such as 2.5"),
        };
        let amount = amount.filter(|amount| amount.is_finite() && *amount > 0.0);
        amount.ok_or_else(|| format!("of {} it is {allowed}", self.path))
    }

    /// A value of it as people read it.
    pub fn text(&self, value: f64) -> String {
        crate::readable::value(self.row.unit, value * self.scale())
    }

    /// A mean and its interval as people read them, to the digits that its width leaves standing: `4.993 ms`
    /// and `± 0.031 ms`, or both ends where it is uneven.
    pub fn interval_text(&self, mean: f64, (low, high): (f64, f64)) -> (String, String) {
        let scale = self.scale();
        crate::readable::with_interval(self.row.unit, mean * scale, (low * scale, high * scale))
    }

    /// What is known of something that was never seen, or never seen not to be: a bound has one side.
    /// `None` for intervals.
    pub fn bound_text(&self, mean: f64, (low, high): (f64, f64)) -> Option<String> {
        // The end of a quantile's interval may be the quantile: so many requests take as long as they may.
        if low >= high || matches!(self.kind, Kind::Quantile { .. }) {
            return None;
        }
        if mean >= high {
            return Some(format!("at least {}", self.text(low)));
        }
        (mean <= low).then(|| format!("at most {}", self.text(high)))
    }

    /// The interval of a difference: those of shares are in points, for 5 % more than 80 % might be 84 % or
    /// 85 %.
    pub fn difference_text(&self, interval: &Interval) -> (String, String) {
        let scale = self.scale();
        let (mean, half) = (interval.mean * scale, interval.half_width() * scale);
        let (mean, half) = crate::readable::with_half_width(self.row.unit, mean, half);
        if self.row.unit == Unit::Ratio {
            return (mean.replace(" %", " points"), half.replace(" %", " points"));
        }
        (mean, half)
    }

    /// Whether it is the share of the time with some number of requests, which a queue decides and not the
    /// traffic.
    pub(super) fn is_share_of_numbers(&self) -> bool {
        self.row.path.starts_with(NUMBERS) && self.row.unit == Unit::Ratio
    }

    /// Whether it lies between nothing and everything, and so its interval.
    pub(super) fn is_share(&self) -> bool {
        self.row.is_share()
    }

    /// From the unit of the summary to that of the metrics.
    fn scale(&self) -> f64 {
        if self.row.unit == Unit::Time {
            1e9
        } else {
            1.0
        }
    }

    /// Whether more of it is good.
    pub fn better(&self) -> Better {
        let succeeded = Outcome::Succeeded.name();
        if self.row.path.ends_with(".OUTCOME") && self.path.ends_with(succeeded) {
            return Better::Higher;
        }
        self.row.better
    }

    /// The same, if more or less of it is a damage.
    ///
    /// # Errors
    /// Says that neither is, and which figures are.
    pub fn as_damage(self) -> Result<Self, String> {
        if self.better() == Better::Neither {
            return Err(format!(
                "of {} neither more nor less is a damage: requests.lost, availability and response_time_s.p99 are such figures",
                self.path()
            ));
        }
        Ok(self)
    }

    /// Whether its damage is what it lacks of all: a share of which more is better.
    pub(crate) fn is_lack(&self) -> bool {
        self.better() == Better::Higher && self.unit() == Unit::Ratio
    }

    /// The damage that a figure stands for, more being worse; and the figure of a damage.
    pub(crate) fn damage(&self, figure: f64) -> f64 {
        match self.better() {
            Better::Higher if self.is_lack() => 1.0 - figure,
            Better::Higher => -figure,
            Better::Lower | Better::Neither => figure,
        }
    }

    /// Whether it is decided by the traffic alone, so that it has a mean even where queues grow
    /// for ever.
    pub(super) fn is_given(&self) -> bool {
        self.row.given
    }

    /// What a finished run says of it; `None` where the run holds nothing to take it from.
    pub fn observe(&self, summary: &Summary) -> Option<Observation> {
        let value = summary.figure(&self.path)?;
        let weight = match &self.kind {
            Kind::Plain => 1.0,
            Kind::Rate => summary.horizon_s - summary.measured_from_s,
            Kind::Weighted(count) | Kind::Quantile { count, .. } => summary.figure(count)?,
            Kind::Share {
                ended: (one, other),
            } => summary.figure(one)? + summary.figure(other)?,
        };
        Some(Observation { value, weight })
    }
}

/// Whether `words` are the path `pattern`, in which a word in capitals stands for a name.
fn fits(pattern: &str, words: &[&str], model: &Model) -> bool {
    let pattern: Vec<&str> = pattern.split('.').collect();
    pattern.len() == words.len()
        && pattern.iter().zip(words).enumerate().all(|(at, (p, w))| {
            match *p {
                "BALANCER" => instance(words, at, model).any(|name| name == *w),
                // How many guards and hops there are is known when they stand.
                "NUMBER" => w.len() <= 4 && w.bytes().all(|b| b.is_ascii_digit()) && !w.is_empty(),
                p if p.chars().all(|c| c.is_ascii_uppercase()) => {
                    names(p, words, at, model).any(|name| name == *w)
                }
                p => p == *w,
            }
        })
}

/// What may stand for a word in capitals.
fn names<'m>(
    of: &str,
    words: &[&str],
    at: usize,
    model: &'m Model,
) -> Box<dyn Iterator<Item = &'m str> + 'm> {
    match of {
        "CLASS" => Box::new(model.classes.iter().map(|c| c.name.as_str())),
        "SERVICE" => Box::new(model.services.iter().map(|s| s.name.as_str())),
        "SLO" => Box::new(model.slos.iter().map(|s| s.name.as_str())),
        "MACHINE" => Box::new(model.hosts.iter().map(|host| host.name.as_str())),
        "OUTCOME" => Box::new(Outcome::ALL.iter().map(|o| o.name())),
        "SERVER" => {
            // services.SERVICE.servers.SERVER
            let service = at.checked_sub(2).map_or("", |i| words[i]).to_owned();
            let of_it = model.servers.iter().filter(move |server| {
                model.services[usize::from(server.service.0)].name == service
            });
            Box::new(of_it.map(|s| s.name.as_str()))
        }
        _ => Box::new(std::iter::empty()),
    }
}

/// The balancer instances of the service that stands two words before.
fn instance<'m>(words: &[&str], at: usize, model: &'m Model) -> impl Iterator<Item = String> + 'm {
    let service = at.checked_sub(2).map_or("", |i| words[i]).to_owned();
    let named = model.services.iter().filter(move |s| s.name == service);
    named.flat_map(Service::instance_names)
}

fn unknown(path: &str, model: &Model) -> String {
    // The first name of each kind makes patterns into paths that exist.
    let concrete = |pattern: &str| {
        let server = model.servers.first();
        let service = server.map_or("", |s| &model.services[usize::from(s.service.0)].name);
        pattern
            .replace("CLASS", model.classes.first().map_or("", |c| &c.name))
            .replace("BALANCER", &format!("{service}-lb-1"))
            .replace("NUMBER", "0")
            .replace("SERVICE", service)
            .replace("SERVER", server.map_or("", |s| &s.name))
            .replace("SLO", model.slos.first().map_or("SLO", |s: &Slo| &s.name))
            .replace(
                "MACHINE",
                model.hosts.first().map_or("MACHINE", |host| &host.name),
            )
            .replace("OUTCOME", "timed_out")
    };
    let quantiles = SUMMARY_PATHS.iter().filter_map(|row| {
        let last = row.path.strip_prefix("response_time_s.")?;
        matches!(row.averaging, Averaging::Quantile { .. }).then_some(last)
    });
    let short = quantiles.map(str::to_owned);
    let known: Vec<String> = short
        .chain(SUMMARY_PATHS.iter().map(|row| concrete(row.path)))
        .collect();
    let help = suggest(path, known.iter().map(String::as_str));
    format!("no figure of the summary is called {}; {help}", cited(path))
}

/// How figures at `path`, which is one of `row`, become one.
fn kind(row: &SummaryPath, path: &str, model: &Model) -> Kind {
    let ended = |requests: &str| {
        (
            format!("{requests}.succeeded"),
            format!("{requests}.failed"),
        )
    };
    match row.averaging {
        Averaging::Runs => Kind::Plain,
        Averaging::Time => Kind::Rate,
        Averaging::Over(count) => Kind::Weighted(row.beside(count, path)),
        Averaging::Quantile { p, count } => Kind::Quantile {
            p,
            count: row.beside(count, path),
        },
        Averaging::Share(requests) => Kind::Share {
            ended: ended(&row.beside(requests, path)),
        },
        Averaging::Attained => {
            let name = row.beside("SLO", path);
            let slo = model.slos.iter().find(|slo| slo.name == name);
            let class = slo.and_then(|slo| slo.class);
            let class = class.map(|c| &model.classes[usize::from(c.0)].name);
            let requests = class.map_or("requests".to_owned(), |class| {
                format!("classes.{class}.requests")
            });
            Kind::Share {
                ended: ended(&requests),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Simulation;
    use std::sync::Arc;

    fn model() -> Arc<Model> {
        let text = r#"
            horizon = "20s"
            class.small = { share = 0.5 }
            class.large = { share = 0.5 }
            traffic = [{ to = "web", rate = 100 }, { name = "users", to = "web", arrivals = { kind = "closed", users = 1, think = "10s", leave = 0.5 } }, { name = "visitors", to = "web", rate = 1, arrivals = { kind = "sessions", requests = [2], think = "1s" } }]
            client = { timeout = "20ms", guards = [{ kind = "concurrency-limit", limit = 99 }] }
            timeline = [{ at = "10s", do = "crash", target = "service.web.server.a" }]
            [service.web]
            numbers = true
            balancer.client = {}
            link = { connections = "shared" }
            demand = { kind = "exponential", mean = "10ms" }
            server = [{ name = "a", workers = 2, machine = "m", restart = { kind = "after", pause = "1s" } }]
            [machine.m]
            cores = 8
            [[slo]]
            name = "fast"
            class = "large"
            good = "response_time < 10ms"
            objective = 0.9
        "#;
        Arc::new(crate::scenario::parse(text).unwrap_or_else(|p| panic!("{p}")))
    }

    #[test]
    fn every_path_of_an_expectation_is_a_measure_with_a_value() {
        let model = model();
        let mut simulation = Simulation::new(model.clone(), 0);
        simulation.run();
        let summary = Summary::of(&simulation, 0);
        for row in SUMMARY_PATHS {
            let path = row
                .path
                .replace("CLASS", "small")
                .replace("BALANCER", "web-lb-1")
                .replace("NUMBER", "0")
                .replace("SERVICE", "web")
                .replace("SERVER", "a")
                .replace("SLO", "fast")
                .replace("MACHINE", "m")
                .replace("OUTCOME", "timed_out");
            let measure = Measure::parse(&path, &model).unwrap_or_else(|why| panic!("{why}"));
            if path.starts_with("response.time_to_") {
                // Nobody is told of anything here.
                continue;
            }
            let seen = measure.observe(&summary).expect("twenty seconds suffice");
            assert!(seen.weight > 0.0, "{path}");
        }
        let slo = Measure::parse("slos.fast.attained", &model).expect("there is one");
        let large = &summary.classes.get("large").expect("a class").requests;
        let seen = slo.observe(&summary).expect("requests ended");
        assert_eq!(seen.weight as u64, large.succeeded + large.failed);
    }

    #[test]
    fn short_words_stand_for_response_times() {
        let measure = Measure::parse("p99", &model()).expect("a percentile");
        assert_eq!(measure.path(), "response_time_s.p99");
        assert_eq!(measure.better(), Better::Lower);
        assert_eq!(measure.text(0.0612), "61.2 ms");
    }

    #[test]
    fn what_is_no_figure_is_refused_with_what_was_meant() {
        let model = model();
        for (wrong, meant) in [
            ("response_time.p99", "response_time_s.p99"),
            (
                "services.web.servers.b.share",
                "services.web.servers.a.share",
            ),
            ("avaliability", "availability"),
        ] {
            let why = Measure::parse(wrong, &model).expect_err(wrong);
            assert!(why.contains(meant), "{why}");
        }
        assert!(Measure::parse("", &model).is_err());
        assert!(Measure::parse("requests", &model).is_err());
    }
}
