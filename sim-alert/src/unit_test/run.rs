//! Tests, run.

use super::read::{self, AlertTest, ExprTest, File, Test};
use super::values::{POINTS_MAX, Points};
use super::{Difference, Loader, Report, Tested, compare};
use crate::duration;
use crate::eval::{Sample, Value};
use crate::expr::Expr;
use crate::labels::Labels;
use crate::problem::{Problem, cited};
use crate::rule::{Rules, Seen, State, Watch};
use crate::store::Store;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most evaluations of rules, of all tests of a file.
const EVALUATIONS_MAX: u64 = 10_000_000;

pub(super) fn file(
    path: &str,
    file: &File,
    loader: &dyn Loader,
    cancel: &AtomicBool,
) -> Result<Option<Report>, Vec<Problem>> {
    let mut report = Report {
        file: path.to_owned(),
        ..Report::default()
    };
    let mut rules = Rules::default();
    let mut problems = Vec::new();
    for pattern in &file.rule_files {
        let names = loader.matching(pattern, path).map_err(|why| {
            let message = format!("rule_files: {pattern:?} cannot be looked for: {why}");
            vec![Problem::new(path, 1, message)]
        })?;
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
    check_evaluations(path, file, &rules).map_err(|problem| vec![problem])?;
    for test in &file.tests {
        let rules = rules
            .clone()
            .with_external(test.external.clone(), &test.url);
        match run(file, test, &Arc::new(rules), cancel) {
            Some(tested) => report.tests.push(tested),
            None => return Ok(None),
        }
    }
    Ok(Some(report))
}

/// Refuses tests that would go on for ever, before anything is evaluated.
fn check_evaluations(path: &str, file: &File, rules: &Rules) -> Result<(), Problem> {
    let groups = rules.groups.iter();
    // Moments are gone through without any rule, too.
    let rules = groups.map(|group| group.rules.len() as u64).sum::<u64>();
    let mut all = 0_u64;
    for test in &file.tests {
        let moments = (last_ms(test) / file.interval_ms).unsigned_abs() + 1;
        all = all.saturating_add(moments.saturating_mul(rules.max(1)));
        if all > EVALUATIONS_MAX {
            let message = format!(
                "{rules} rule(s) until {} every {}: with these the file has more than {EVALUATIONS_MAX} evaluations \
                 of rules; an earlier eval_time or a longer evaluation_interval has fewer",
                duration::show(last_ms(test)),
                duration::show(file.interval_ms)
            );
            return Err(Problem::new(path, test.line, message));
        }
    }
    Ok(())
}

/// The last moment that is asked for.
fn last_ms(test: &Test) -> i64 {
    let alerts = test.alerts.iter().map(|one| one.at_ms);
    let exprs = test.exprs.iter().map(|one| one.at_ms);
    alerts.chain(exprs).max().unwrap_or(0)
}

/// `None` if told to stop.
fn run(file: &File, test: &Test, rules: &Arc<Rules>, cancel: &AtomicBool) -> Option<Tested> {
    // A series that is written twice is what is written last.
    let pending = test.series.iter().map(|(labels, values)| {
        let points = values.points(test.interval_ms);
        (labels, points.peekable())
    });
    // In order of evaluations, and of the file where these are the same.
    let mut due: Vec<&AlertTest> = test.alerts.iter().collect();
    due.sort_by_key(|one| one.at_ms / file.interval_ms);
    due.reverse();
    let mut running = Running {
        file,
        test,
        cancel,
        store: Store::default(),
        pending: pending.collect(),
        due,
        tested: Tested {
            name: test.name.clone(),
            ..Tested::default()
        },
    };
    running.run(rules)?;
    Some(running.tested)
}

struct Running<'t> {
    file: &'t File,
    test: &'t Test,
    cancel: &'t AtomicBool,
    store: Store,
    pending: BTreeMap<&'t Labels, Peekable<Points<'t>>>,
    /// Alerts that are still to be asked for, the first of them last.
    due: Vec<&'t AlertTest>,
    tested: Tested,
}

impl Running<'_> {
    /// `None` if told to stop.
    fn run(&mut self, rules: &Arc<Rules>) -> Option<()> {
        let last_ms = last_ms(self.test);
        let mut watch = Watch::new(Arc::clone(rules)).unless(self.cancel);
        let (step_ms, mut now_ms) = (self.file.interval_ms, 0);
        while now_ms <= last_ms {
            self.load(now_ms);
            let mut seen = Seen::default();
            for group in 0..rules.groups.len() {
                watch.evaluate(group, &mut self.store, now_ms, step_ms, &mut seen);
            }
            self.goes_on()?;
            if self.store.points() as u64 > POINTS_MAX {
                let what = format!("rules at {}", duration::show(now_ms));
                let why = format!(
                    "series, and what rules make of them, have more than {POINTS_MAX} points"
                );
                self.fail(self.test.line, what, why);
                return Some(());
            }
            if !seen.failed.is_empty() {
                for failed in seen.failed {
                    let at = duration::show(failed.at_ms);
                    let what = format!("rule {:?} of {:?} at {at}", failed.rule, failed.group);
                    self.fail(self.test.line, what, failed.why);
                }
                // What follows would be compared with half of what there should be.
                return Some(());
            }
            let next_ms = now_ms + step_ms;
            while let Some(test) = self.due.pop_if(|one| one.at_ms < next_ms) {
                self.alert(test, &watch);
            }
            now_ms = next_ms;
        }
        for expr in &self.test.exprs {
            self.expr(expr);
            self.goes_on()?;
        }
        Some(())
    }

    /// `None` if told to stop: what failed may have failed for that.
    fn goes_on(&self) -> Option<()> {
        (!self.cancel.load(Ordering::Relaxed)).then_some(())
    }

    fn load(&mut self, until_ms: i64) {
        for (labels, points) in &mut self.pending {
            while let Some((at_ms, value)) = points.next_if(|(at_ms, _)| *at_ms <= until_ms) {
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

    /// An alert that is asked for between this evaluation and the next.
    fn alert(&mut self, test: &AlertTest, watch: &Watch<'_>) {
        let active = watch.active();
        let firing = active
            .filter(|(rule, _, active)| rule.name == test.alert && active.state == State::Firing);
        let found = firing.map(|(_, labels, active)| {
            let texts = active.annotations.iter().cloned();
            (read::pairs(labels.iter()), texts.collect())
        });
        let what = format!("alert {:?} at {}", test.alert, duration::show(test.at_ms));
        let different = compare::alerts(test.line, what, &test.expected, found.collect());
        self.tested.checks += 1;
        self.tested.differences.extend(different);
    }

    fn expr(&mut self, test: &ExprTest) {
        let at = duration::show(test.at_ms);
        let what = format!("expr {} at {at}", cited(&test.text));
        self.tested.checks += 1;
        let value = Expr::read(&test.text)
            .map_err(|why| why.to_string())
            .and_then(|expr| {
                let (store, interval_ms) = (&self.store, self.file.interval_ms);
                let value = expr.evaluate_unless(self.cancel, store, test.at_ms, interval_ms);
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
