//! The part of the log that is held out, beside the simulation of its arrivals.

use super::beside::Beside;
use super::collect::{Kind, Request};
use super::measured::{Measured, REQUESTS_MIN};
use super::write::times_of;
use serde::Serialize;
use sim_core::draws::Stream;
use sim_core::engine::Simulation;
use sim_core::model::Model;
use sim_core::scenario::{Files, Scenario, Source, quoted};
use sim_core::statistics::{Moments, student_quantile};
use sim_core::summary::Summary;
use std::fmt::Write;
use std::sync::Arc;

/// Runs, with other draws of the demand each.
const RUNS: u64 = 10;
/// Requests that are simulated at most.
const REQUESTS_MAX: usize = 300_000;
/// Deviation that is small enough to be trusted, and the one beyond which nothing is.
const FINE: f64 = 0.10;
const POOR: f64 = 0.25;

/// A figure of the log beside that of the simulation, in seconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Compared {
    /// `mean`, `p50`, `p90` or `p99`.
    pub figure: &'static str,
    /// In the log.
    pub observed_s: f64,
    /// In the simulation, on average.
    pub simulated_s: f64,
    /// Where one run lies with a probability of 95 %.
    pub between_s: (f64, f64),
}

impl Compared {
    /// Simulated over observed, less one.
    pub fn deviation(&self) -> f64 {
        self.simulated_s / self.observed_s - 1.0
    }

    /// Whether the log looks like one of the runs.
    pub fn is_inside(&self) -> bool {
        (self.between_s.0..=self.between_s.1).contains(&self.observed_s)
    }
}

/// The comparison, and what follows from it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Check {
    /// Requests compared.
    pub requests: usize,
    /// Figures.
    pub figures: Vec<Compared>,
    /// How far to trust the scenario.
    pub verdict: String,
    /// Whether it can be trusted at all.
    pub trusted: bool,
}

impl Measured {
    /// Simulates the arrivals that were held out.
    ///
    /// # Errors
    /// Why nothing can be compared.
    pub fn check(&self) -> Result<Check, String> {
        self.compare(|held| self.alone(held))
    }

    /// Compares the requests that were held out with a simulation of their arrivals.
    fn compare(
        &self,
        model: impl FnOnce(&HeldOut<'_>) -> Result<Model, String>,
    ) -> Result<Check, String> {
        if !self.has_times() {
            return Err("the log has no durations, so that nothing can be compared: add $request_time and $upstream_response_time (nginx), %D (Apache) or option httplog (HAProxy)".to_owned());
        }
        let held: Vec<&Request> = self.held_out().take(REQUESTS_MAX).collect();
        if held.len() < REQUESTS_MIN {
            return Err(format!(
                "{} requests are held out, and fewer than {REQUESTS_MIN} show nothing: a longer log is needed",
                held.len()
            ));
        }
        let (first, last) = (held[0].at_ns, held[held.len() - 1].at_ns);
        let span_ns = last.saturating_sub(first);
        // The simulation begins empty, the log did not.
        let warm_ns = ((self.response_s[3] * 5e9) as i64).min(span_ns / 10);
        let measured = held.iter().filter(|request| {
            request.at_ns >= first + warm_ns && matches!(request.kind, Kind::Plain | Kind::Retried)
        });
        let mut times: Vec<u64> = measured.map(|request| request.time_ns).collect();
        times.sort_unstable();
        if times.len() < REQUESTS_MIN / 2 {
            return Err("too few of the requests that are held out were answered".to_owned());
        }
        let held = HeldOut {
            requests: held,
            first_ns: first,
            warm_up: format!("{warm_ns}ns"),
            // Until the last one is answered, as in the log.
            horizon_s: (span_ns as f64 / 1e9 + self.response_s[3] * 10.0 + 1.0).ceil(),
        };
        let runs = simulate(&model(&held)?, self.demand_error());
        let observed = [
            times.iter().map(|ns| *ns as f64).sum::<f64>() / times.len() as f64 / 1e9,
            rank(&times, 0.5),
            rank(&times, 0.9),
            rank(&times, 0.99),
        ];
        let figures: Vec<Compared> = (0..4)
            .map(|place| compared(place, observed[place], &runs))
            .collect();
        let (verdict, trusted) = self.verdict(&figures);
        Ok(Check {
            requests: times.len(),
            figures,
            verdict,
            trusted,
        })
    }

    /// The relative standard error of the mean demand: what was learnt is known no better.
    fn demand_error(&self) -> f64 {
        let demands = || self.of_learnt.demands.iter().flatten();
        let count: f64 = demands().map(|demand| demand.count as f64).sum();
        let squares =
            demands().map(|demand| demand.count as f64 * demand.variation * demand.variation);
        squares.sum::<f64>().sqrt() / count.max(1.0)
    }

    /// What the log says alone, with the arrivals that were held out.
    fn alone(&self, held: &HeldOut<'_>) -> Result<Model, String> {
        let mut traffic = format!("warm_up = \"{}\"\n", held.warm_up);
        let mut files = Traces(Vec::new());
        for (class, figures) in self.classes.iter().enumerate() {
            let text = held.times(|request| self.class(request) == class);
            if text.is_empty() {
                continue;
            }
            let _ = writeln!(
                traffic,
                "[[traffic]]\nname = {0}\nto = \"app\"\nclass = {0}\narrivals = {{ kind = \"trace\", file = {0} }}",
                quoted(&figures.name)
            );
            files.0.push((figures.name.clone(), text));
        }
        let text = self.text("held out", &traffic, held.horizon_s, false);
        Scenario::read(Source::new("held-out.toml", text), &[], &files)
            .and_then(|scenario| scenario.model())
            .map_err(|problems| format!("the scenario of it is none: {problems:?}"))
    }

    fn verdict(&self, figures: &[Compared]) -> (String, bool) {
        let worst = figures
            .iter()
            .map(|figure| figure.deviation().abs())
            .fold(0.0, f64::max);
        let inside = figures.iter().all(Compared::is_inside);
        let told = self
            .of_learnt
            .workers
            .and_then(|workers| workers.number)
            .is_some();
        let limit = if told {
            "beyond the loads of the log it is an extrapolation, with the workers that were found"
        } else {
            "only for loads that the log has seen: how many workers there are cannot be told, since nothing in it waited long enough"
        };
        if !worst.is_finite() {
            return (
                "not to be trusted: nothing was answered in the simulation".to_owned(),
                false,
            );
        }
        let percent = worst * 100.0;
        if inside || worst <= FINE {
            (
                format!(
                    "to be trusted: mean and percentiles of the part held out lie within {percent:.0} % of the simulation; {limit}"
                ),
                true,
            )
        } else if worst <= POOR {
            (
                format!(
                    "with care: mean and percentiles of the part held out deviate by up to {percent:.0} %; {limit}"
                ),
                true,
            )
        } else {
            (
                format!(
                    "not to be trusted: figures of the part held out deviate by up to {percent:.0} %; something in the log is not in this scenario, such as a slow phase, a limit, or servers that differ"
                ),
                false,
            )
        }
    }
}

impl Beside<'_> {
    /// Simulates the arrivals that were held out, in the scenario; `read` gives it with changes and files.
    ///
    /// # Errors
    /// Why nothing can be compared.
    pub fn check(
        &self,
        read: impl FnOnce(&[(String, String)], &Traces) -> Result<Model, String>,
    ) -> Result<Check, String> {
        self.measured.compare(|held| {
            let times = |number| held.times(|request| self.source(request) == Some(number));
            let mut replayed = self.traces(times, held.horizon_s);
            replayed
                .sets
                .push(("warm_up".to_owned(), held.warm_up.clone()));
            read(&replayed.sets, &Traces(replayed.files))
        })
    }
}

/// Requests that were held out.
struct HeldOut<'a> {
    requests: Vec<&'a Request>,
    first_ns: i64,
    warm_up: String,
    horizon_s: f64,
}

impl HeldOut<'_> {
    /// When those that are meant come, a line each.
    fn times(&self, meant: impl Fn(&Request) -> bool) -> String {
        let own = self.requests.iter().filter(|request| meant(request));
        times_of(own.map(|request| request.at_ns), self.first_ns)
    }
}

/// Mean, median, 90th and 99th percentile of each run; the demand of each is off by as much as what was learnt of it may
/// be.
fn simulate(model: &Model, error: f64) -> Vec<[f64; 4]> {
    let errors = Stream::new(1, 0, "error of the demand");
    let runs = (0..RUNS).map(|replication| {
        let mut model = model.clone();
        let factor = (1.0 + error * errors.at(replication).normal()).max(0.1);
        for class in &mut model.classes {
            class.demand_factor *= factor;
        }
        let mut simulation = Simulation::new(Arc::new(model), replication);
        simulation.run();
        let times = Summary::of(&simulation, 0).response_time_s;
        [times.mean, times.p50, times.p90, times.p99].map(|figure| figure.unwrap_or(f64::NAN))
    });
    runs.collect()
}

fn rank(times: &[u64], share: f64) -> f64 {
    let place = (times.len() as f64 * share).ceil() as usize;
    times[place.clamp(1, times.len()) - 1] as f64 / 1e9
}

/// A run more would lie within this interval (Hahn and Meeker, "Statistical Intervals", 1991, section 4.7).
fn compared(place: usize, observed_s: f64, runs: &[[f64; 4]]) -> Compared {
    let values: Vec<f64> = runs.iter().map(|run| run[place]).collect();
    let moments = Moments::of(&values);
    let count = values.len() as f64;
    let half =
        student_quantile(0.975, count - 1.0) * moments.deviation() * (1.0 + 1.0 / count).sqrt();
    Compared {
        figure: ["mean", "p50", "p90", "p99"][place],
        observed_s,
        simulated_s: moments.mean(),
        between_s: (moments.mean() - half, moments.mean() + half),
    }
}

/// Traces at hand, by the names of their classes.
#[derive(Clone, PartialEq, Debug)]
pub struct Traces(pub Vec<(String, String)>);

impl Files for Traces {
    fn read(&self, name: &str) -> Result<Source, String> {
        let own = self.0.iter().find(|(own, _)| own == name);
        own.map(|(name, text)| Source::new(name, text.as_str()))
            .ok_or_else(|| format!("there is no {name:?}"))
    }
}
