//! Whatever bytes come in: an answer or a message, and no panic.

use sim_alert::unit_test::{Loader, unit_test};
use sim_alert::{Expr, Rules, Store};
use std::sync::atomic::AtomicBool;

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A text with some letters changed, left out or doubled.
fn changed(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(letters.len());
        let other = [
            '(', ')', '[', ']', '{', '}', '"', ':', '-', '9', 'x', 'é', '\n', ' ', '\\',
        ];
        match random.below(4) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(at, other[random.below(other.len())]),
            2 => letters[at] = other[random.below(other.len())],
            _ => letters.truncate(at.max(1)),
        }
        if letters.is_empty() {
            letters.push(' ');
        }
    }
    letters.into_iter().collect()
}

const EXPRS: [&str; 6] = [
    "sum by (job) (rate(a{job=~\"x|y\", le!=\"1\"}[5m] offset -1m)) / on (job) group_left (x) b > bool 0x1f",
    "histogram_quantile(0.9, max_over_time(rate(a[1m])[5m:30s])) or vector(1) unless -a ^ 2",
    "label_replace(a, \"x\", \"${1}$2\", \"y\", \"(.*)-(b)\") and topk without (z) (3, a)",
    "'a\\x41\\u00e9' + `b` # c",
    "quantile_over_time(1e3, {\"a\", b=\"c\"}[1h30m]) atan2 nan",
    "absent(a{b=\"c\"}) * count_values(\"v\", round(a, .5))",
];

const RULES: &str = "groups:
- name: a
  interval: 1m
  rules:
  - {alert: B, expr: a > 1, for: 5m, labels: {c: '{{ $value | humanize }} {{- $labels.x -}}'}}
  - record: x
    expr: |
      sum(a)
";

const TESTS: &str = "rule_files: [r]
evaluation_interval: 1m
tests:
- interval: 30s
  input_series: [{series: 'a{x=\"y\"}', values: '0+10x5 _x2 stale 1e3-1x3 NaN'}]
  alert_rule_test: [{eval_time: 5m, alertname: B, exp_alerts: [{exp_labels: {c: d}}]}]
  promql_expr_test: [{expr: 'rate(a[2m])', eval_time: 4m, exp_samples: [{labels: '{}', value: .inf}]}]
";

struct Both<'t>(&'t str, &'t str);

impl Loader for Both<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        Ok(if path == "t" { self.1 } else { self.0 }.to_owned())
    }
}

#[test]
fn any_text_is_read_or_refused() {
    for seed in 0..3000 {
        let mut random = Random(seed);
        let expr = changed(EXPRS[random.below(EXPRS.len())], &mut random);
        if let Ok(expr) = Expr::read(&expr) {
            let _ = expr.evaluate(&Store::default(), 60_000, 60_000);
        }
        let rules = changed(RULES, &mut random);
        let _ = Rules::read("r", &rules);
        // Times and intervals that a change makes long would be run in full.
        let tests = changed(TESTS, &mut random);
        if !tests.contains("99") && !tests.contains("9m") {
            let _ = unit_test("t", &Both(RULES, &tests), &AtomicBool::new(false));
        }
    }
}
