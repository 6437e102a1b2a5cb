//! What is saved: a figure of which less is better, or more, or the time that the site is down.

use crate::engine::Simulation;
use crate::experiment::Measure;
use crate::metric::Unit;
use crate::model::Model;
use crate::readable;
use crate::summary::{Summary, downtime_s};

/// A damage: a figure of a run, turned so that more of it is worse.
#[derive(Clone, PartialEq, Debug)]
pub enum Damage {
    /// Time that the site is down, in seconds: hardly any request is answered in time.
    Downtime,
    /// A figure of the summary, of which neither is none.
    Figure(Measure),
}

impl Damage {
    /// The damage that is meant by a word: `lost`, `downtime`, `slo`, or the path of a figure.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(word: &str, model: &Model) -> Result<Self, String> {
        let path = match word {
            "downtime" => return Ok(Self::Downtime),
            "lost" => "requests.lost".to_owned(),
            "slo" => match model.slos.first() {
                Some(slo) => format!("slos.{}.attained", slo.name),
                None => {
                    return Err("the scenario has no objective: no [[slo]] is written".to_owned());
                }
            },
            path => path.to_owned(),
        };
        Measure::parse(&path, model)?.as_damage().map(Self::Figure)
    }

    /// The damages that are shown beside a chosen one: requests lost, time down, and the first objective.
    pub fn beside(&self, model: &Model) -> Vec<Self> {
        let all = ["lost", "downtime", "slo"];
        let all = all.iter().filter_map(|word| Self::parse(word, model).ok());
        all.filter(|damage| damage != self).collect()
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Downtime => "downtime",
            Self::Figure(measure) => measure.path(),
        }
    }

    /// What is saved, as a noun.
    pub fn noun(&self) -> String {
        match self {
            Self::Downtime => "downtime".to_owned(),
            Self::Figure(measure) if measure.path() == "requests.lost" => {
                "lost requests".to_owned()
            }
            Self::Figure(measure) if measure.is_lack() => format!("what {} lacks", measure.path()),
            Self::Figure(measure) => measure.path().to_owned(),
        }
    }

    /// That there is none, in words.
    pub(super) fn none(&self) -> String {
        match self {
            Self::Figure(measure) if measure.path() == "requests.lost" => {
                "no request is lost as it is".to_owned()
            }
            _ => format!("{} is 0 as it is", self.noun()),
        }
    }

    /// The damage of a run; `None` where it has none of that figure.
    pub(super) fn of(&self, simulation: &Simulation, summary: &Summary) -> Option<f64> {
        let Self::Figure(measure) = self else {
            return Some(downtime_s(simulation));
        };
        Some(measure.damage(measure.observe(summary)?.value))
    }

    /// How it is written; times are in seconds.
    pub fn unit(&self) -> Unit {
        match self {
            Self::Downtime => Unit::Time,
            Self::Figure(measure) => measure.unit(),
        }
    }

    /// A damage, or a part of it, as people read it.
    pub fn text(&self, value: f64) -> String {
        match self {
            Self::Downtime => readable::time(value * 1e9),
            Self::Figure(measure) => measure.text(value),
        }
    }

    /// A difference and half of its interval.
    pub fn with_half_width(&self, value: f64, half: f64) -> (String, String) {
        match self {
            Self::Downtime => readable::with_half_width(Unit::Time, value * 1e9, half * 1e9),
            Self::Figure(measure) => {
                let interval = crate::statistics::Interval::around(value, half, 0.95, 2);
                measure.difference_text(&interval)
            }
        }
    }
}
