//! Outlier detection: a server whose attempts fail is left alone for a time.
//!
//! Nobody is asked: the instance goes by how its own attempts ended. Each ejection lasts longer than
//! the one before. There is a limit on how many servers may be out at once, since a fault that all
//! have in common is nobody's in particular; who fails while the limit is reached stays in.

use super::due::Due;
use super::{Candidate, HealthDef, HealthRule, Kind, News, PLAIN, Seen, Standing, percent};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

/// Slices of a window: it slides by one of them at a time.
const SLICES: u64 = 10;

pub(super) static RULE: HealthDef = HealthDef {
    row: ExtensionRow {
        name: "outlier-detection",
        about: "Takes out a server whose attempts fail, in a row or too often, for a time that grows with each time it happens.",
        source: "Envoy 1.31, outlier_detection (consecutive_5xx, failure_percentage, base_ejection_time, max_ejection_percent), without its ticks",
        params: &[
            ParamDef {
                name: "consecutive",
                about: "Failures in a row that take a server out; 0: they are not counted.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1_000_000,
                    unit: "failures",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "rate",
                about: "The share of failures in `window` that takes a server out; 0: it is not looked at.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "window",
                about: "The time over which `rate` is looked at; it slides in ten steps.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "minimum",
                about: "With fewer attempts in `window` their share says nothing.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000_000,
                    unit: "attempts",
                },
                default: Some("20"),
            },
            ParamDef {
                name: "counts",
                about: "Which ends of attempts are failures: errors that the server answers with (errored, rejected, shed, abandoned), no answer at all (refused, reset, timed_out), or both. The others are not looked at.",
                kind: ParamKind::Choice(&["all", "errors", "no-answer"]),
                default: Some("all"),
            },
            ParamDef {
                name: "base",
                about: "How long the first time out lasts; the second lasts twice as long, and so on. For each such time in rotation one is forgotten.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("30s"),
            },
            ParamDef {
                name: "max",
                about: "The longest time out.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("5m"),
            },
            ParamDef {
                name: "max_ejected",
                about: "The share of the servers in rotation that may be out at once by this rule. Envoy's is 10 %, with which no server of fewer than ten is ever taken out.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.5"),
            },
        ],
    },
    check,
    build: |params, servers| {
        let mut rule = OutlierDetection {
            settings: Settings::of(params),
            in_rotation: servers,
            out: 0,
            servers: vec![Record::default(); servers],
            due: Due::default(),
        };
        rule.adopt(params);
        Box::new(rule)
    },
    watches: true,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.integer("consecutive") == 0 && params.number("rate") <= 0.0 {
        return Err(ParamProblem {
            param: "consecutive",
            message: "nothing would ever take a server out; give `consecutive` or `rate`"
                .to_owned(),
        });
    }
    if params.span("max") < params.span("base") {
        return Err(ParamProblem {
            param: "max",
            message: "the longest time out is shorter than the first".to_owned(),
        });
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Settings {
    consecutive: u64,
    rate: f64,
    slice: u64,
    minimum: u64,
    errors: bool,
    no_answer: bool,
    base: Duration,
    max: Duration,
    max_ejected: f64,
}

impl Settings {
    fn of(params: &Params) -> Self {
        let counts = params.choice("counts");
        Self {
            consecutive: params.integer("consecutive"),
            rate: params.number("rate"),
            slice: (params.span("window").0 / SLICES).max(1),
            minimum: params.integer("minimum"),
            errors: counts != 2,
            no_answer: counts != 1,
            base: params.span("base"),
            max: params.span("max"),
            max_ejected: params.number("max_ejected"),
        }
    }

    /// Whether an attempt failed; `None` where its end is not looked at.
    fn failed(&self, outcome: Outcome) -> Option<bool> {
        match outcome {
            Outcome::Succeeded => Some(false),
            Outcome::Errored | Outcome::Rejected | Outcome::Shed | Outcome::Abandoned => {
                self.errors.then_some(true)
            }
            Outcome::Refused | Outcome::Reset | Outcome::ConnectTimedOut | Outcome::TimedOut => {
                self.no_answer.then_some(true)
            }
            // Nothing went wrong at the server.
            Outcome::Cancelled | Outcome::Unavailable => None,
        }
    }
}

#[derive(Clone, Debug)]
struct OutlierDetection {
    settings: Settings,
    /// Servers in rotation when it was asked last.
    in_rotation: usize,
    /// Servers that are out.
    out: usize,
    servers: Vec<Record>,
    due: Due,
}

/// What the attempts at a server said.
#[derive(Clone, Debug, Default)]
struct Record {
    /// Failures in a row.
    row: u64,
    window: Window,
    /// Until when it is out.
    out_until: Option<Instant>,
    /// Whether it was in rotation when it was judged last, and what it waits for since.
    in_rotation: bool,
    due: Option<Instant>,
    /// Times out that are not forgotten, and since when it is back.
    times: u64,
    back: Instant,
}

/// Ends of attempts in the latest slices of time.
#[derive(Clone, Debug, Default)]
struct Window {
    slices: [(u64, u64); SLICES as usize],
    /// The latest slice, counted from time zero.
    latest: u64,
}

impl Window {
    fn add(&mut self, slice: u64, failed: bool) {
        let gone = (slice - self.latest).min(SLICES);
        for passed in 1..=gone {
            self.slices[((self.latest + passed) % SLICES) as usize] = (0, 0);
        }
        self.latest = slice;
        let here = &mut self.slices[(slice % SLICES) as usize];
        here.0 += 1;
        here.1 += u64::from(failed);
    }

    fn sums(&self) -> (u64, u64) {
        let add = |sum: (u64, u64), s: &(u64, u64)| (sum.0 + s.0, sum.1 + s.1);
        self.slices.iter().fold((0, 0), add)
    }
}

impl OutlierDetection {
    /// Why a server is to be taken out, in numbers.
    fn reason(&self, server: usize) -> Option<String> {
        let (settings, record) = (&self.settings, &self.servers[server]);
        if settings.consecutive > 0 && record.row >= settings.consecutive {
            return Some(format!("{} attempts failed in a row", record.row));
        }
        if settings.rate <= 0.0 {
            return None;
        }
        let (all, failed) = record.window.sums();
        let often = all >= settings.minimum && failed as f64 >= settings.rate * all as f64;
        (often && failed > 0).then(|| {
            let window = Duration(settings.slice * SLICES);
            let share = percent(failed as usize, all as usize);
            format!("{share} attempts failed within {window}")
        })
    }
}

impl HealthRule for OutlierDetection {
    fn adopt(&mut self, params: &Params) {
        let before = self.settings;
        self.settings = Settings::of(params);
        if self.settings.slice != before.slice {
            // Slices of another length cannot be put together with these.
            for record in &mut self.servers {
                record.window = Window::default();
            }
        }
    }

    fn judge(&mut self, now: Instant, standing: &mut Standing, news: &mut Vec<News>) {
        self.in_rotation = 0;
        self.due.clear();
        for record in &mut self.servers {
            (record.in_rotation, record.due) = (false, None);
        }
        for (position, candidate) in standing.servers.iter_mut().enumerate() {
            self.judge_one(now, position, candidate, news);
        }
    }

    fn judge_one(
        &mut self,
        now: Instant,
        server: usize,
        candidate: &mut Candidate,
        news: &mut Vec<News>,
    ) -> bool {
        let record = &mut self.servers[server];
        self.in_rotation -= usize::from(record.in_rotation);
        self.in_rotation += usize::from(candidate.in_rotation);
        record.in_rotation = candidate.in_rotation;
        let until = record.out_until.filter(|&until| now < until);
        if until.is_some() {
            candidate.open = false;
        } else if record.out_until.take().is_some() {
            self.out -= 1;
            record.back = now;
            let cause = format!("after its {} time out", nth(record.times));
            news.push(News::of_server(Kind::Readmitted, server, cause));
        }
        let before = std::mem::replace(&mut record.due, until);
        self.due.replan(server, before, until);
        true
    }

    fn ended(&mut self, seen: &Seen, news: &mut Vec<News>) -> bool {
        let Seen {
            now,
            server,
            outcome,
        } = *seen;
        let settings = self.settings;
        let record = &mut self.servers[server];
        let Some(failed) = settings.failed(outcome) else {
            return false;
        };
        if record.out_until.is_some() {
            // Sent before it was taken out: what it says is known.
            return false;
        }
        record.row = if failed { record.row + 1 } else { 0 };
        record.window.add(now.0 / settings.slice, failed);
        if !failed {
            return false;
        }
        let Some(reason) = self.reason(server) else {
            return false;
        };
        let out = self.out + 1;
        // A share such as 7 % of 100 is not to be missed by a rounding error.
        if out as f64 > settings.max_ejected * self.in_rotation as f64 + 1e-9 {
            return false;
        }
        let record = &mut self.servers[server];
        let forgotten = now.since(record.back).0 / settings.base.0;
        let times = record.times.saturating_sub(forgotten) + 1;
        let lasts = settings.base.0.saturating_mul(times).min(settings.max.0);
        let lasts = Duration(lasts.max(1));
        self.out += 1;
        *record = Record {
            out_until: Some(now + lasts),
            times,
            in_rotation: record.in_rotation,
            due: record.due,
            ..Record::default()
        };
        let cause = format!("{reason}: out for {lasts}");
        news.push(News::of_server(Kind::Ejected, server, cause));
        true
    }

    fn due(&self) -> Option<Instant> {
        self.due.first()
    }

    fn come_due(&self, now: Instant, servers: &mut Vec<u32>) {
        self.due.come(now, servers);
    }

    fn forget(&mut self) {
        self.due.clear();
        self.out = 0;
        self.servers.fill(Record::default());
    }

    fn clone_box(&self) -> Box<dyn HealthRule> {
        Box::new(self.clone())
    }
}

/// `1st`, `2nd`, `3rd`, `4th`.
fn nth(n: u64) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, candidates, judge, open, params, rule};
    use super::*;
    use crate::extension::ParamValue;

    fn end(rule: &mut Box<dyn HealthRule>, millis: u64, server: usize, outcome: Outcome) -> bool {
        let seen = Seen {
            now: at(millis),
            server,
            outcome,
        };
        rule.ended(&seen, &mut Vec::new())
    }

    #[test]
    fn failures_in_a_row_take_out_for_a_time_that_grows_and_is_forgotten() {
        let some = [
            ("consecutive", ParamValue::Integer(3)),
            ("base", ParamValue::Span(Duration::from_secs(10))),
            ("max", ParamValue::Span(Duration::from_secs(25))),
        ];
        let mut rule = rule(&RULE, 2, &some);
        let mut eject = |from: u64| {
            end(&mut rule, from, 0, Outcome::Errored);
            end(&mut rule, from, 0, Outcome::Refused);
            // A success between them starts anew; a copy called off says nothing.
            end(&mut rule, from, 0, Outcome::Succeeded);
            end(&mut rule, from, 0, Outcome::TimedOut);
            end(&mut rule, from, 0, Outcome::Reset);
            assert!(!end(&mut rule, from, 0, Outcome::Cancelled));
            assert!(end(&mut rule, from, 0, Outcome::Rejected));
            let (standing, _) = judge(&mut rule, from, candidates(2));
            assert_eq!(open(&standing), [1]);
            let due = rule.due().expect("it comes back");
            let (standing, news) = judge(&mut rule, due.0 / 1_000_000, candidates(2));
            assert_eq!((open(&standing).len(), news.len()), (2, 1));
            assert_eq!(rule.due(), None);
            (due.0 / 1_000_000 - from) / 1000
        };
        assert_eq!(eject(0), 10);
        assert_eq!(eject(11_000), 20);
        assert_eq!(eject(32_000), 25);
        // Back at 57 s: after 25 s two of the three are forgotten.
        assert_eq!(eject(82_000), 20);
    }

    #[test]
    fn a_share_of_failures_needs_enough_attempts_and_fades_with_time() {
        let some = [
            ("consecutive", ParamValue::Integer(0)),
            ("rate", ParamValue::Number(0.5)),
            ("minimum", ParamValue::Integer(10)),
            ("window", ParamValue::Span(Duration::from_secs(1))),
        ];
        let fill = |rule: &mut Box<dyn HealthRule>, millis| {
            for _ in 0..5 {
                assert!(!end(rule, millis, 0, Outcome::Succeeded));
            }
            for _ in 0..4 {
                assert!(!end(rule, millis, 0, Outcome::Errored));
            }
        };
        let mut now = rule(&RULE, 2, &some);
        fill(&mut now, 50);
        assert!(end(&mut now, 999, 0, Outcome::Errored));
        // At 1 s the first slice is gone, and with it all that was known; so after a silence.
        for later in [1_000, 1_950, 7_777] {
            let mut gone = rule(&RULE, 2, &some);
            fill(&mut gone, 50);
            assert!(!end(&mut gone, later, 0, Outcome::Errored));
        }
    }

    #[test]
    fn which_ends_count_can_be_chosen() {
        for (choice, errors, silence) in [(0, true, true), (1, true, false), (2, false, true)] {
            let some = [
                ("consecutive", ParamValue::Integer(1)),
                ("counts", ParamValue::Choice(choice)),
            ];
            let ejects = |outcome| end(&mut rule(&RULE, 2, &some), 0, 0, outcome);
            assert_eq!(ejects(Outcome::Errored), errors);
            assert_eq!(ejects(Outcome::Rejected), errors);
            assert_eq!(ejects(Outcome::TimedOut), silence);
            assert_eq!(ejects(Outcome::Reset), silence);
        }
    }

    /// Measured with Envoy: of 4 hosts of which 2 fail, 10 % takes out none, 50 % two; 10 % of 10
    /// takes out one.
    #[test]
    fn never_more_than_the_share_allowed() {
        for (servers, share, out) in [(4, 0.1, 0), (9, 0.1, 0), (10, 0.1, 1), (4, 0.5, 2)] {
            let some = [("max_ejected", ParamValue::Number(share))];
            let mut rule = rule(&RULE, servers, &some);
            let mut ejected = 0;
            for _ in 0..10 {
                for server in 0..3 {
                    ejected += u32::from(end(&mut rule, 0, server, Outcome::Errored));
                }
            }
            assert_eq!(ejected, out, "{share} of {servers}");
        }
    }

    #[test]
    fn a_rule_that_could_never_act_is_refused() {
        let with = |some: &[(&'static str, ParamValue)]| {
            let values = params(&RULE, &[]);
            let values = values.iter().map(|(name, value)| {
                let given = some.iter().find(|(given, _)| *given == name);
                (
                    name,
                    given.map_or_else(|| value.clone(), |(_, v)| v.clone()),
                )
            });
            (RULE.check)(&Params::new(values.collect())).map_err(|problem| problem.param)
        };
        let second = ParamValue::Span(Duration::from_secs(1));
        assert_eq!(with(&[]), Ok(()));
        assert_eq!(
            with(&[("consecutive", ParamValue::Integer(0))]),
            Err("consecutive")
        );
        assert_eq!(with(&[("max", second)]), Err("max"));
    }
}
