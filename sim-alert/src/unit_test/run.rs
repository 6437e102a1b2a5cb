//! Tests, run.

use super::read::{self, ExprTest, File, Test};
use super::values::Item;
use super::{Difference, Loader, Report, Tested, compare};
use crate::duration;
use crate::eval::{Sample, Value};
use crate::expr::Expr;
use crate::labels::Labels;
use crate::problem::Problem;
use crate::rule::{Rules, Seen, State, Watch};
use crate::store::Store;
use std::collections::BTreeMap;

pub(super) fn file(path: &str, file: &File, loader: &dyn Loader) -> Result<Report, Vec<Problem>> {
    let mut report = Report {
        file: path.to_owned(),
        ..Report::default()
    };
    let mut rules = Rules::default();
    let mut problems = Vec::new();
    for pattern in &file.rule_files {
        let names = loader.matching(pattern, path);
        if names.is_empty() {
            report.unmatched.push(pattern.clone());
        }
        for name in names {
            let text = loader.read(&name);
            let read = text
                .map_err(|why| vec![Problem::new(&name, 1, why)])
                .and_then(|text| Rules::read(&name, &text));
            match read {
                Ok(more) => rules.join(more),
                Err(mistakes) => problems.extend(mistakes),
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    // Groups without a place stand beside the first that has one.
    rules.groups.sort_by_key(|group| {
        let place = file.order.iter().position(|name| *name == group.name);
        place.unwrap_or(0)
    });
    for test in &file.tests {
        let rules = rules
            .clone()
            .with_external(test.external.clone(), &test.url);
        report.tests.push(run(file, test, &rules));
    }
    Ok(report)
}

fn run(file: &File, test: &Test, rules: &Rules) -> Tested {
    let mut running = Running {
        file,
        test,
        store: Store::default(),
        pending: pending(test),
        tested: Tested {
            name: test.name.clone(),
            ..Tested::default()
        },
    };
    running.run(rules);
    running.tested
}

/// The points of each series, the first of them last. A series that is written twice is what is
/// written last.
fn pending(test: &Test) -> BTreeMap<Labels, Vec<(i64, Option<f64>)>> {
    let series = test.series.iter().map(|(labels, items)| {
        let points = (0_i64..).zip(items).filter_map(|(place, item)| {
            let at_ms = place * test.interval_ms;
            match item {
                Item::Gap => None,
                Item::Stale => Some((at_ms, None)),
                Item::Value(value) => Some((at_ms, Some(*value))),
            }
        });
        let mut points: Vec<_> = points.collect();
        points.reverse();
        (labels.clone(), points)
    });
    series.collect()
}

struct Running<'t> {
    file: &'t File,
    test: &'t Test,
    store: Store,
    pending: BTreeMap<Labels, Vec<(i64, Option<f64>)>>,
    tested: Tested,
}

impl Running<'_> {
    fn run(&mut self, rules: &Rules) {
        let alerts = self.test.alerts.iter().map(|one| one.at_ms);
        let exprs = self.test.exprs.iter().map(|one| one.at_ms);
        let last_ms = alerts.chain(exprs).max().unwrap_or(0);
        let mut watch = Watch::new(rules);
        let (step_ms, mut now_ms) = (self.file.interval_ms, 0);
        while now_ms <= last_ms {
            self.load(now_ms);
            let mut seen = Seen::default();
            for group in 0..rules.groups.len() {
                watch.evaluate(group, &mut self.store, now_ms, step_ms, &mut seen);
            }
            if !seen.failed.is_empty() {
                for failed in seen.failed {
                    let at = duration::show(failed.at_ms);
                    let what = format!("rule {:?} of {:?} at {at}", failed.rule, failed.group);
                    self.fail(self.test.line, what, failed.why);
                }
                // What follows would be compared with half of what there should be.
                return;
            }
            self.alerts(&watch, now_ms, now_ms + step_ms);
            now_ms += step_ms;
        }
        for expr in &self.test.exprs {
            self.expr(expr);
        }
    }

    fn load(&mut self, until_ms: i64) {
        for (labels, points) in &mut self.pending {
            while let Some((at_ms, value)) = points.pop_if(|(at_ms, _)| *at_ms <= until_ms) {
                if let Err(why) = self.store.append(labels, at_ms, value) {
                    let at = duration::show(at_ms);
                    self.tested.differences.push(Difference {
                        line: self.test.line,
                        what: format!("input series {labels} at {at}"),
                        expected: vec!["a place of its own".to_owned()],
                        found: vec![why.to_string()],
                        failed: true,
                    });
                }
            }
        }
    }

    fn fail(&mut self, line: usize, what: String, why: String) {
        self.tested.differences.push(Difference {
            line,
            what,
            expected: vec!["a value".to_owned()],
            found: vec![why],
            failed: true,
        });
    }

    /// Alerts that are asked for between this evaluation and the next.
    fn alerts(&mut self, watch: &Watch<'_>, now_ms: i64, next_ms: i64) {
        let due = self.test.alerts.iter();
        for test in due.filter(|one| (now_ms..next_ms).contains(&one.at_ms)) {
            let firing = watch.active().filter(|(rule, _, active)| {
                rule.name == test.alert && active.state == State::Firing
            });
            let found = firing.map(|(_, labels, active)| {
                let texts = active.annotations.iter().cloned();
                (read::pairs(labels.iter()), texts.collect())
            });
            let what = format!("alert {:?} at {}", test.alert, duration::show(test.at_ms));
            let different = compare::alerts(test.line, what, &test.expected, found.collect());
            self.tested.checks += 1;
            self.tested.differences.extend(different);
        }
    }

    fn expr(&mut self, test: &ExprTest) {
        let what = format!("expr {:?} at {}", test.text, duration::show(test.at_ms));
        self.tested.checks += 1;
        let value = Expr::read(&test.text)
            .map_err(|why| why.to_string())
            .and_then(|expr| {
                let value = expr.evaluate(&self.store, test.at_ms, self.file.interval_ms);
                value.map_err(|why| why.to_string())
            });
        let found = match value {
            Ok(Value::Vector(samples)) => samples,
            Ok(Value::Scalar(value)) => vec![Sample {
                labels: Labels::default(),
                value,
            }],
            Err(why) => return self.fail(test.line, what, why),
        };
        let fuzzy = self.file.fuzzy;
        let different = compare::samples(test.line, what, &test.expected, found, fuzzy);
        self.tested.differences.extend(different);
    }
}
