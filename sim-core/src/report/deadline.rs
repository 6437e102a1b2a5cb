//! The point of no return as people read it: a sentence, a table, a curve.

use super::sheet::Table;
use crate::edit::Edit;
use crate::experiment::{Deadline, DeadlinePlan, TooLate};
use crate::model::Model;
use crate::plot::axis::Axis;
use crate::plot::lines::{Lines, Point, Series};
use crate::readable;
use crate::statistics::Estimate;
use crate::text::Csv;
use crate::time::{Duration, Instant, SECOND};
use std::io::{self, Write};

/// What was asked of which system, and what came out.
#[derive(Clone, Copy, Debug)]
pub struct DeadlineAnswer<'a> {
    /// The system.
    pub model: &'a Model,
    /// What was asked.
    pub plan: &'a DeadlinePlan,
    /// What came out.
    pub found: &'a Deadline,
}

impl DeadlineAnswer<'_> {
    /// A moment as the reader knows it.
    pub fn at(&self, at: Instant) -> String {
        readable::moment(at, self.model.clock)
    }

    /// The same of seconds since the start.
    pub fn at_s(&self, seconds: f64) -> String {
        self.at(Instant(Duration::from_secs_f64(seconds.max(0.0)).0))
    }

    /// The act in words.
    pub fn act(&self) -> String {
        let words: Vec<String> = self.plan.edits.iter().map(Edit::words).collect();
        words.join(", ")
    }

    /// The last moment with its interval; `None` where that has none.
    pub fn last(&self) -> Option<String> {
        let interval = self.found.last_s.interval()?;
        let half = readable::time(interval.half_width() * SECOND as f64);
        Some(format!("{} ± {half}", self.at_s(interval.mean)))
    }

    /// The answer in a sentence.
    pub fn verdict(&self) -> String {
        let found = self.found;
        let (of, act) = (found.acted.len(), self.act());
        let (from, until) = self.plan.between;
        let nothing = found.count(|acted| acted.too_late == TooLate::NothingToSave);
        let never = found.count(|acted| acted.too_late == TooLate::Never);
        let there = of - nothing - never;
        if of == 0 {
            return "interrupted before anything was found".to_owned();
        }
        if let Some(last) = self.last() {
            return format!("{act} helps until {last}");
        }
        if nothing == of {
            return format!(
                "{act} saves nothing at any of {} moments from {} to {}",
                self.plan.moments,
                self.at(from),
                self.at(until)
            );
        }
        if never == of {
            return format!(
                "{act} helps as late as {}: it is never too late",
                self.at(until)
            );
        }
        let mut parts = Vec::new();
        if let Some((first, last)) = found.range_s() {
            parts.push(format!(
                "in {there} of {of} replications until a moment between {} and {}",
                self.at_s(first),
                self.at_s(last)
            ));
        }
        if never > 0 {
            parts.push(format!("in {never} it is never too late"));
        }
        if nothing > 0 {
            parts.push(format!("in {nothing} it saves nothing"));
        }
        format!("{act} helps {}", parts.join(", "))
    }

    /// What the figure is without the act and with it at its best moment.
    pub fn difference(&self) -> String {
        let (found, plan) = (self.found, self.plan);
        format!(
            "{}: {} without it, {} with it at {}; it helps where it saves {} of that difference",
            plan.measure.path(),
            self.mean(&found.never),
            self.mean(&found.curve[found.best]),
            self.at(found.moments[found.best]),
            readable::share(plan.saves)
        )
    }

    /// In how many replications it can come too early, where it can.
    pub fn too_early(&self) -> Option<String> {
        let early = self.found.count(|acted| acted.too_early);
        (early > 0).then(|| {
            format!(
                "in {early} of {} replications it can come too early, too: see the curve",
                self.found.acted.len()
            )
        })
    }

    /// The damage by the moment of acting.
    pub fn table(&self) -> Table {
        let (found, measure) = (self.found, &self.plan.measure);
        let head = ["acting at", measure.path(), "", "saved"];
        let mut table = Table::new("The damage, by the moment of acting", &head);
        for ((at, estimate), saved) in found.moments.iter().zip(&found.curve).zip(&found.saved) {
            let half = estimate.interval().map_or(String::new(), |interval| {
                let (_, half) = measure.interval_text(interval.mean, (interval.low, interval.high));
                half
            });
            let saved = saved.map_or("–".to_owned(), readable::share);
            let row = vec![self.at(*at), self.mean(estimate), half, saved];
            table.rows.push(row);
        }
        table
    }

    fn mean(&self, estimate: &Estimate) -> String {
        let mean = estimate.mean();
        mean.map_or("–".to_owned(), |mean| self.plan.measure.text(mean))
    }

    /// The same curve for programs.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = Csv::new(out);
        csv.write_record(["at_s", "mean", "low", "high", "saved"])?;
        let found = self.found;
        for ((at, estimate), saved) in found.moments.iter().zip(&found.curve).zip(&found.saved) {
            let text =
                |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
            let (low, high) = estimate.ends().unzip();
            csv.write_record([
                format!("{:?}", at.as_secs_f64()),
                text(estimate.mean()),
                text(low),
                text(high),
                text(*saved),
            ])?;
        }
        csv.flush()
    }

    /// The curve.
    pub fn plot(&self, scenario: &str) -> Lines {
        let measure = &self.plan.measure;
        let point = |(at, estimate): (&Instant, &Estimate)| Point {
            x: at.as_secs_f64(),
            mean: estimate.mean(),
            interval: estimate.ends(),
            about: format!("acting at {}: {}", self.at(*at), self.mean(estimate)),
        };
        let points = self.found.moments.iter().zip(&self.found.curve).map(point);
        Lines {
            title: format!("{scenario}: {}", self.act()),
            note: self.verdict(),
            x: Axis::moments("moment of acting", &self.found.moments, self.model.clock),
            figure: measure.path().to_owned(),
            unit: measure.unit(),
            legend: String::new(),
            joined: true,
            series: vec![Series {
                name: self.act(),
                points: points.collect(),
            }],
        }
    }
}
