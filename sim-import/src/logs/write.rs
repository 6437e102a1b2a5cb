//! A log as the text of a scenario.

use super::collect::Request;
use super::measured::{Measured, Pick};
use super::workers::Workers;
use sim_core::draws::Stream;
use sim_core::readable::counted;
use sim_core::scenario::quoted;
use std::fmt::Write;

/// Times that are written into files of traces.
const TRACE_MAX: usize = 2_000_000;
/// Workers of a server as long as nobody has measured them.
const WORKERS: usize = 8;

/// How arrivals are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrivals {
    /// A Poisson process where the log's arrivals look like one, or are too many; else those of the log.
    Auto,
    /// Those of the log.
    Trace,
    /// A Poisson process with the log's rate.
    Profile,
}

/// A scenario and the files beside it.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    /// Its text.
    pub text: String,
    /// Names and texts of its traces.
    pub files: Vec<(String, String)>,
}

impl Measured {
    /// The scenario of the whole log. Traces are called `stem` with the name of their class.
    ///
    /// # Errors
    /// Why arrivals cannot be written as is asked.
    pub fn scenario(
        &self,
        title: &str,
        stem: Option<&str>,
        arrivals: Arrivals,
    ) -> Result<Scenario, String> {
        let possible = self.has_all() && self.kept.len() <= TRACE_MAX;
        let trace = match (arrivals, stem) {
            (Arrivals::Trace, _) if !possible => {
                return Err(format!(
                    "a trace holds at most {TRACE_MAX} requests, and the log has {}",
                    self.requests
                ));
            }
            (Arrivals::Trace, None) => {
                return Err("traces are files beside the scenario: name it with -o FILE".to_owned());
            }
            (Arrivals::Trace, Some(_)) => true,
            (Arrivals::Profile, _) => false,
            (Arrivals::Auto, stem) => stem.is_some() && possible && !self.is_poisson(),
        };
        let mut files = Vec::new();
        let mut traffic = String::new();
        if trace {
            for (class, figures) in self.classes.iter().enumerate() {
                let times = self
                    .kept
                    .iter()
                    .filter(|request| self.class(request) == class);
                let name = format!("{}.{}.times", stem.unwrap_or("log"), figures.name);
                files.push((
                    name.clone(),
                    times_of(times.map(|request| request.at_ns), self.first_ns),
                ));
                let _ = writeln!(
                    traffic,
                    "\n[[traffic]]\nname = {0}\nto = \"app\"\nclass = {0}\narrivals = {{ kind = \"trace\", file = {1} }}",
                    quoted(&figures.name),
                    quoted(&name)
                );
            }
        } else {
            let _ = writeln!(
                traffic,
                "\n[[traffic]]\nto = \"app\"\narrivals = \"poisson\"\nrate = {}",
                rate_text(&self.profile, 1.0)
            );
        }
        let text = self.text(title, &traffic, (self.span_s.ceil()).max(1.0), true);
        Ok(Scenario { text, files })
    }

    /// All requests with the moments at which they are to come, `factor` times as many.
    pub(super) fn moments(&self, factor: f64) -> Result<Vec<(Request, i64)>, String> {
        if !self.has_all() {
            return Err(format!(
                "at most {TRACE_MAX} requests can be replayed, and the log has {}: replay a part of it",
                self.requests
            ));
        }
        let stream = Stream::new(1, 0, "copies of a log");
        let last_ns = self.first_ns.saturating_add((self.span_s * 1e9) as i64);
        let mut moments = Vec::new();
        for (number, request) in (0..).zip(&self.kept) {
            let mut draws = stream.at(number);
            let count = factor as u64 + u64::from(draws.chance(factor.fract()));
            for copy in 0..count {
                // Copies at the same moment would be bursts that the log does not have.
                let moved = if copy == 0 {
                    0
                } else {
                    ((draws.uniform() - 0.5) * 1e9) as i64
                };
                let at = request.at_ns.saturating_add(moved);
                moments.push((*request, at.clamp(self.first_ns, last_ns)));
            }
        }
        moments.sort_by_key(|(_, at)| *at);
        Ok(moments)
    }

    /// The text with given traffic: of the `whole` log, or of the part that was learnt from.
    pub(crate) fn text(&self, title: &str, traffic: &str, horizon_s: f64, whole: bool) -> String {
        let mut assumed: Vec<String> = Vec::new();
        let mut body = String::new();
        let total: u64 = self.classes.iter().map(|class| class.requests).sum();
        let mut left = 1_000_000_u64;
        let learnt = |place: usize| self.of_learnt.demands.get(place).and_then(Option::as_ref);
        let workers = if whole {
            self.workers
        } else {
            self.of_learnt.workers
        };
        for (place, class) in self.classes.iter().enumerate() {
            // Shares add up to one exactly.
            let last = place + 1 == self.classes.len();
            let share = if last {
                left
            } else {
                (class.requests as f64 / total.max(1) as f64 * 1e6).round() as u64
            };
            let share = share.min(left);
            left -= share;
            let _ = writeln!(
                body,
                "\n# {}: {}",
                shown(&class.route),
                counted(class.requests as usize, "request")
            );
            let _ = writeln!(
                body,
                "[class.{}]\nshare = {}",
                quoted(&class.name),
                share as f64 / 1e6
            );
            if let Some(demand) = if whole {
                class.demand.as_ref()
            } else {
                learnt(place)
            } {
                let _ = writeln!(
                    body,
                    "# From {} that found a free worker: {}. {}.",
                    counted(demand.count as usize, "request"),
                    demand.times(),
                    demand.law
                );
                let _ = writeln!(body, "demand = {}", demand.text);
            } else {
                let _ = writeln!(
                    body,
                    "# The log has no times of these requests: assumed.\ndemand = \"50ms\""
                );
                assumed.push(format!("class.{}.demand", class.name));
            }
        }
        let _ = writeln!(
            body,
            "\n[service.app]\n# Every class has its own.\ndemand = \"50ms\"\n{}",
            self.policy(&mut assumed)
        );
        for server in &self.servers {
            let _ = writeln!(
                body,
                "\n# {}: {}, {} with an error",
                shown(&server.address),
                counted(server.requests as usize, "request"),
                server.failed
            );
            let _ = writeln!(
                body,
                "[[service.app.server]]\nname = {}",
                quoted(&server.name)
            );
            let told = workers.filter(|workers| workers.number.is_some());
            let bound = server.workers.map(|own| Workers {
                number: None,
                ..own
            });
            let (number, words) = match told.or(bound) {
                Some(own) => (own.number.unwrap_or(own.most.max(1)), own.words()),
                None => (WORKERS, "nobody was seen at work: assumed".to_owned()),
            };
            let _ = writeln!(body, "# {words}\nworkers = {number}");
            if told.is_none() {
                assumed.push(format!("service.app.server.{}.workers", server.name));
            }
        }
        let mut head = format!("title = {}\nhorizon = \"{horizon_s}s\"\n", quoted(title));
        if whole && !assumed.is_empty() {
            head.push_str("# The log does not say these: every run names them until they are measured.\nassumed = [\n");
            for path in &assumed {
                let _ = writeln!(head, "    {},", quoted(path));
            }
            head.push_str("]\n");
        }
        format!("{head}{traffic}{body}")
    }

    fn policy(&self, assumed: &mut Vec<String>) -> String {
        if self.servers.len() < 2 {
            return String::new();
        }
        match self.pick {
            Pick::RoundRobin => "# Servers came one after the other.\nbalancer = { policy = \"round-robin\" }".to_owned(),
            Pick::LeastInFlight => "# Whoever had the fewest in flight was picked.\nbalancer = { policy = \"least-in-flight\" }".to_owned(),
            Pick::Unknown => {
                assumed.push("service.app.balancer.policy".to_owned());
                "# Arrivals do not tell how servers were picked.\nbalancer = { policy = \"random\" }".to_owned()
            }
        }
    }
}

/// A share of rates over time, as a scenario writes them.
pub(super) fn rate_text(profile: &[(f64, f64)], share: f64) -> String {
    if let [(_, rate)] = profile {
        return format!("{:.4}", rate * share);
    }
    let corners = profile.iter().enumerate().map(|(place, (at, rate))| {
        let at = if place == 0 { 0.0 } else { *at };
        format!("[\"{at:.3}s\", {:.4}]", rate * share)
    });
    format!("[{}]", corners.collect::<Vec<_>>().join(", "))
}

/// Moments since `first_ns`, a line each.
pub(crate) fn times_of(moments: impl Iterator<Item = i64>, first_ns: i64) -> String {
    let mut text = String::new();
    for at in moments {
        let since = at.saturating_sub(first_ns).max(0);
        let _ = writeln!(
            text,
            "{}.{:06}",
            since / 1_000_000_000,
            since % 1_000_000_000 / 1_000
        );
    }
    text
}

/// A text of the log as a comment's: on one line.
fn shown(text: &str) -> String {
    sim_core::text::shown(text).into_owned()
}
