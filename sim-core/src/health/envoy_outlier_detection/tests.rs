//! The golden cases of Envoy's outlier detection, by their number and name.

use super::*;
use crate::extension::ParamValue;
use crate::health::testing::{at, candidates, judge, open, params, rule};
use crate::health::{HealthRule, Kind, News, Seen};
use crate::outcome::Outcome;

const NOBODY: [usize; 0] = [];

type Some_ = (&'static str, ParamValue);

fn whole(name: &'static str, n: u64) -> Some_ {
    (name, ParamValue::Integer(n))
}
fn number(name: &'static str, x: f64) -> Some_ {
    (name, ParamValue::Number(x))
}
fn secs(name: &'static str, n: u64) -> Some_ {
    (name, ParamValue::Span(Duration::from_secs(n)))
}
fn status(code: u16) -> Some_ {
    let place = STATUSES.iter().position(|&s| s == code);
    ("status", ParamValue::Choice(place.expect("a status")))
}

/// Ends of attempts at a server; who is out then.
struct Play {
    rule: Box<dyn HealthRule>,
    servers: usize,
    news: Vec<News>,
}

impl Play {
    fn of(servers: usize, some: &[Some_]) -> Self {
        let mut rule = rule(&RULE, servers, some);
        judge(&mut rule, 0, candidates(servers));
        let news = Vec::new();
        Self {
            rule,
            servers,
            news,
        }
    }
    fn end(&mut self, millis: u64, server: usize, outcome: Outcome, n: usize) {
        for _ in 0..n {
            let seen = Seen {
                now: at(millis),
                server,
                outcome,
            };
            self.rule.ended(&seen, &mut self.news);
        }
    }
    fn out(&mut self, millis: u64) -> Vec<usize> {
        let (standing, news) = judge(&mut self.rule, millis, candidates(self.servers));
        self.news.extend(news);
        let there = open(&standing);
        (0..self.servers).filter(|s| !there.contains(s)).collect()
    }
}

#[test]
fn case_257_od_gateway() {
    let some = |code| {
        [
            number("enforcing_consecutive_gateway_failure", 100.0),
            number("enforcing_consecutive_5xx", 0.0),
            number("max_ejection_percent", 100.0),
            status(code),
        ]
    };
    let mut play = Play::of(2, &some(503));
    play.end(0, 0, Outcome::Errored, 1);
    play.rule.adopt(&params(&RULE, &some(500)));
    play.end(1, 0, Outcome::Errored, 1);
    play.rule.adopt(&params(&RULE, &some(503)));
    play.end(2, 0, Outcome::Errored, 4);
    assert_eq!(play.out(3), NOBODY);
    play.end(4, 0, Outcome::Errored, 1);
    assert_eq!(play.out(5), [0]);
}

#[test]
fn case_259_od_max_percent_60() {
    let mut play = Play::of(2, &[number("max_ejection_percent", 60.0)]);
    play.end(0, 0, Outcome::Errored, 5);
    play.end(1, 1, Outcome::Errored, 5);
    assert_eq!(play.out(2), [0]);
}

#[test]
fn case_261_od_always_one() {
    let some = [
        number("max_ejection_percent", 30.0),
        ("always_eject_one_host", ParamValue::Flag(true)),
    ];
    let mut play = Play::of(3, &some);
    for server in 0..3 {
        play.end(server as u64, server, Outcome::Errored, 5);
    }
    assert_eq!(play.out(4), [0]);
    let mut neighbour = Play::of(3, &some[..1]);
    neighbour.end(0, 0, Outcome::Errored, 5);
    assert_eq!(neighbour.out(1), NOBODY);
}

/// How long each of some times out lasted, with so many sweeps in good health before it.
fn lengths(some: &[Some_], healthy: &[u64]) -> Vec<u64> {
    let mut play = Play::of(1, some);
    let mut now = 0;
    let mut lengths = Vec::new();
    for sweeps in healthy {
        for _ in 0..*sweeps {
            now += 10_000;
            assert_eq!(play.out(now), NOBODY);
        }
        play.end(now, 0, Outcome::Errored, 5);
        let from = now;
        while play.out(now) == [0] {
            now += 10_000;
        }
        lengths.push((now - from) / 1000);
    }
    lengths
}

const ALONE: [Some_; 2] = [
    ("max_ejection_percent", ParamValue::Number(100.0)),
    (
        "base_ejection_time",
        ParamValue::Span(Duration(10_000_000_000)),
    ),
];

#[test]
fn case_263_od_backoff() {
    assert_eq!(lengths(&ALONE, &[0, 0, 0, 2, 50]), [10, 20, 30, 20, 10]);
}

#[test]
fn case_265_od_max_time_unaligned() {
    let [percent, base] = ALONE;
    let some = [percent, base, secs("max_ejection_time", 305)];
    let lengths = lengths(&some, &[0; 40]);
    assert_eq!(lengths.iter().max(), Some(&310));
    assert_eq!(lengths[39], 310);
}

#[test]
fn case_267_od_success_rate_volume() {
    let some = [
        whole("consecutive_5xx", 0),
        number("max_ejection_percent", 100.0),
    ];
    let mut play = Play::of(5, &some);
    play.end(1, 0, Outcome::Succeeded, 25);
    play.end(1, 0, Outcome::Errored, 25);
    for server in 1..5 {
        play.end(1, server, Outcome::Succeeded, 25);
    }
    assert_eq!(play.out(10_000), NOBODY);
}

/// With enough attempts the same server goes: one of five at half the rate of the others is two deviations below.
#[test]
fn a_success_rate_far_below_the_mean_takes_out() {
    let some = [
        whole("consecutive_5xx", 0),
        number("max_ejection_percent", 20.0),
    ];
    let mut play = Play::of(5, &some);
    play.end(1, 0, Outcome::Succeeded, 50);
    play.end(1, 0, Outcome::Errored, 50);
    for server in 1..5 {
        play.end(1, server, Outcome::Succeeded, 100);
    }
    assert_eq!(play.out(9_999), NOBODY);
    assert_eq!(play.out(10_000), [0]);
    let cause = "success rate 50.0 % below 52.0 %: out for 30s and until the next sweep";
    assert_eq!(play.news[0].cause, cause);
}

#[test]
fn case_269_od_failure_percent() {
    let some = [
        whole("consecutive_5xx", 0),
        number("enforcing_success_rate", 0.0),
        number("enforcing_failure_percentage", 100.0),
        number("max_ejection_percent", 100.0),
    ];
    let mut play = Play::of(5, &some);
    for server in 0..5 {
        play.end(1, server, Outcome::Succeeded, 50);
    }
    play.end(1, 3, Outcome::Errored, 250);
    play.end(1, 4, Outcome::Errored, 300);
    assert_eq!(play.out(10_000), [4]);
}

#[test]
fn case_303_od_max_30_of_5() {
    let mut play = Play::of(5, &[number("max_ejection_percent", 30.0)]);
    for server in 0..3 {
        play.end(server as u64, server, Outcome::Errored, 5);
    }
    assert_eq!(play.out(4), [0]);
}

/// Measured with 1.40: by default nobody of four or nine, one of ten, two of twenty.
#[test]
fn small_clusters_are_guarded() {
    for (servers, out) in [(1, 0), (4, 0), (9, 0), (10, 1), (11, 1), (20, 2)] {
        let mut play = Play::of(servers, &[]);
        for server in 0..servers {
            play.end(1, server, Outcome::Errored, 10);
        }
        assert_eq!(play.out(2).len(), out, "{servers}");
    }
}

#[test]
fn a_passed_check_brings_back() {
    let mut play = Play::of(2, &[number("max_ejection_percent", 100.0)]);
    play.end(0, 0, Outcome::Reset, 5);
    assert_eq!(play.out(1), [0]);
    assert!(play.rule.checked(0, true, &mut Vec::new()));
    assert_eq!(play.out(2), NOBODY);
    let kinds: Vec<Kind> = play.news.iter().map(|news| news.kind).collect();
    assert_eq!(kinds, [Kind::Ejected, Kind::Readmitted]);
}

#[test]
fn enforcing_is_a_share() {
    let some = [
        number("max_ejection_percent", 100.0),
        number("enforcing_consecutive_5xx", 25.0),
    ];
    let out = (0..400).map(|moment| {
        let mut play = Play::of(1, &some);
        play.end(moment, 0, Outcome::Errored, 5);
        play.out(moment).len()
    });
    let out: usize = out.sum();
    assert!((60..140).contains(&out), "{out}");
}

#[test]
fn jitter_is_spread_over_its_range() {
    let some = [
        number("max_ejection_percent", 100.0),
        secs("interval", 1),
        secs("base_ejection_time", 1),
        secs("max_ejection_time_jitter", 9),
    ];
    let mut lasted: Vec<u64> = (0..200)
        .map(|moment| {
            let mut play = Play::of(1, &some);
            play.end(moment, 0, Outcome::Errored, 5);
            let back = |second: &u64| play.out(1000 * second) == NOBODY;
            (1..60).find(back).expect("it comes back")
        })
        .collect();
    lasted.sort_unstable();
    lasted.dedup();
    assert_eq!(lasted, (2..=11).collect::<Vec<u64>>());
}

#[test]
fn a_shorter_longest_time_is_refused() {
    let values = RULE.row.params.iter().map(|param| {
        let value = match param.name {
            "base_ejection_time" => ParamValue::Span(Duration::from_secs(600)),
            _ => crate::extension::testing::example(&RULE.row)
                .iter()
                .find(|(name, _)| *name == param.name)
                .map(|(_, value)| value.clone())
                .expect("listed"),
        };
        (param.name, value)
    });
    let problem = (RULE.check)(&Params::new(values.collect())).expect_err("refused");
    assert_eq!(problem.param, "max_ejection_time");
}
