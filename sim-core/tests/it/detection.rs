//! When monitoring notices: detection times as they come out by hand, on ramps.

use crate::support::{model, run, start, times, told};
use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::scenario;
use sim_core::summary::{AlertNow, Summary};
use sim_core::time::{Instant, SECOND};
use std::sync::Arc;

/// Requests come at a rate that rises by one a second every second, and are answered at once by a server that has room
/// for all. The mean rate between two scrapes is then that of the middle between them.
fn ramp(monitoring: &str, alert: &str) -> String {
    format!(
        "horizon = \"600s\"\n\
         traffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = [[\"0s\", 0], [\"600s\", 600]] }}]\n\
         [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", workers = 100 }}]\n\
         {monitoring}\n[[alert]]\nname = \"busy\"\n{alert}\n"
    )
}

fn fires(monitoring: &str, alert: &str) -> Vec<f64> {
    times(&run(&ramp(monitoring, alert)), Kind::Alert)
}

/// When the rule `offered_hz > threshold` first holds, by hand: all in whole seconds.
///
/// At an evaluation, the newest scrape is the last one that is at least `lag` old, and the oldest the first one that is
/// younger than `over`. The mean rate between them is the mean of both moments.
struct ByHand {
    scrape: u64,
    lag: u64,
    evaluate: u64,
    over: u64,
    hold: u64,
}

impl ByHand {
    fn fires(&self, threshold: f64) -> f64 {
        let mut since = None;
        for at in (1..).map(|i| i * self.evaluate) {
            if at < self.lag {
                continue;
            }
            let newest = (at - self.lag) / self.scrape * self.scrape;
            let oldest = if at < self.over {
                0
            } else {
                ((at - self.over) / self.scrape + 1) * self.scrape
            };
            let rate = (newest + oldest.min(newest)) as f64 / 2.0;
            // The rate at the start is 0, and nothing is measured within one scrape.
            if newest <= oldest || rate <= threshold {
                since = None;
                continue;
            }
            if at - *since.get_or_insert(at) >= self.hold {
                return at as f64;
            }
        }
        unreachable!("the rate rises without end")
    }

    fn monitoring(&self) -> String {
        format!(
            "[monitoring]\nscrape = \"{}s\"\nlag = \"{}s\"\nevaluate = \"{}s\"",
            self.scrape, self.lag, self.evaluate
        )
    }

    fn alert(&self, threshold: f64) -> String {
        format!(
            "when = \"offered_hz > {threshold}\"\nover = \"{}s\"\nfor = \"{}s\"",
            self.over, self.hold
        )
    }
}

#[test]
fn an_alert_on_a_ramp_fires_when_it_does_by_hand() {
    // Scraped at 0, 15, 30 … and evaluated at the same moments, a minute holds the scrapes of 45 s: at t the mean
    // is that of t - 45 and t, t - 22.5. Above 200 it is from 222.5 on, which is seen at 225; a minute later it fires.
    let first = ByHand {
        scrape: 15,
        lag: 0,
        evaluate: 15,
        over: 60,
        hold: 60,
    };
    assert_eq!(first.fires(200.0), 285.0);
    // With a lag of 20 s the newest scrape at t is that of t - 30, the oldest still that of t - 45: the mean is
    // t - 37.5, above 200 from 237.5 on, seen at 240. A rule evaluated every 20 s sees other scrapes.
    let cases = [
        (first, 200.0),
        (
            ByHand {
                scrape: 15,
                lag: 20,
                evaluate: 15,
                over: 60,
                hold: 60,
            },
            200.0,
        ),
        (
            ByHand {
                scrape: 15,
                lag: 5,
                evaluate: 20,
                over: 60,
                hold: 0,
            },
            301.25,
        ),
        (
            ByHand {
                scrape: 7,
                lag: 3,
                evaluate: 11,
                over: 90,
                hold: 40,
            },
            150.25,
        ),
        (
            ByHand {
                scrape: 60,
                lag: 30,
                evaluate: 60,
                over: 300,
                hold: 120,
            },
            127.25,
        ),
    ];
    for (case, threshold) in cases {
        let seen = fires(&case.monitoring(), &case.alert(threshold));
        assert_eq!(seen, [case.fires(threshold)], "{}", case.monitoring());
        // The same with one scrape more of lag is another moment: the comparison would notice a wrong one.
        let late = ByHand {
            lag: case.lag + case.scrape,
            ..case
        };
        if late.over >= late.lag + 2 * late.scrape {
            assert_ne!(seen, [late.fires(threshold)], "{}", case.monitoring());
        }
    }
}

#[test]
fn a_later_lag_is_seen_later_by_as_much_as_it_hides() {
    let at = |lag: &str| {
        let monitoring =
            format!("[monitoring]\nscrape = \"5s\"\nevaluate = \"5s\"\nlag = \"{lag}\"");
        fires(&monitoring, "when = \"offered_hz > 199\"\nover = \"10m\"")
    };
    // The window reaches back to the start, so that the mean at t is half of the newest scrape: 398, seen at 400.
    assert_eq!(at("0s"), [400.0]);
    assert_eq!(at("5s"), [405.0]);
    assert_eq!(at("7s"), [410.0]);
}

#[test]
fn pending_comes_first_and_says_when_the_value_was_scraped() {
    let text = ramp(
        "[monitoring]\nscrape = \"10s\"\nlag = \"4s\"\nevaluate = \"5s\"",
        "when = \"offered_hz > 99\"\nover = \"40s\"\nfor = \"20s\"",
    );
    let run = run(&text);
    // At 120 the newest scrape is that of 110, the oldest that of 90: 100.
    assert_eq!(times(&run, Kind::Pending), [120.0]);
    assert_eq!(times(&run, Kind::Alert), [140.0]);
    assert_eq!(times(&run, Kind::Paged), [140.0]);
    let (_, _, cause) = &told(&run, Kind::Alert)[0];
    assert_eq!(cause, "offered_hz > 99 (120/s, scraped 10s before)");
    let summary = Summary::of(&run, 0);
    let alert = &summary.alerts[0];
    let known = (alert.pending_at_s, alert.scraped_at_s, alert.paged_at_s);
    assert_eq!(known, (Some(120.0), Some(130.0), Some(140.0)));
    // The mean of 40 s is above 99 from 119 s on: at the end of the second that begins then.
    assert_eq!(alert.true_at_s, Some(120.0));
}

#[test]
fn without_a_monitoring_alerts_are_what_they_were() {
    let text = ramp(
        "",
        "when = \"offered_hz > 200\"\nover = \"10s\"\nfor = \"7s\"",
    );
    let run = run(&text);
    assert_eq!(times(&run, Kind::Alert), [213.0]);
    assert!(times(&run, Kind::Pending).is_empty());
    assert_eq!(Summary::of(&run, 0).alerts[0].true_at_s, None);
}

#[test]
fn a_change_is_a_difference_and_needs_a_past() {
    let monitoring = "[monitoring]\nscrape = \"10s\"";
    let alert = |threshold: u32| {
        format!(
            "when = \"offered_hz > {threshold}\"\nrule = {{ kind = \"change\", since = \"100s\" }}\nover = \"30s\""
        )
    };
    // It rises by 100 in 100 s. Two scrapes are needed then as well: known first at 110.
    assert_eq!(fires(monitoring, &alert(99)), [110.0 + 10.0]);
    assert!(fires(monitoring, &alert(101)).is_empty());
}

/// The outage, with an objective.
fn outage(rest: &str) -> String {
    let slo = "[[slo]]\nname = \"works\"\nobjective = 0.99\n";
    crate::support::outage(&format!("{slo}{rest}"))
}

#[test]
fn what_is_down_is_not_scraped_and_missed_when_its_last_value_is_stale() {
    let missed = |stale: &str| {
        let text = outage(&format!(
            "[monitoring]\nscrape = \"10s\"\nevaluate = \"5s\"\nstale = \"{stale}\"\n\
             [[alert]]\nname = \"gone\"\nwhen = \"in_flight(s)\"\nrule = \"absence\"\n"
        ));
        let run = run(&text);
        (times(&run, Kind::Alert), times(&run, Kind::Resolved))
    };
    // Scraped at 100 for the last time, in vain at 110; up again at 200.05, scraped at 210.
    assert_eq!(missed("0s"), (vec![110.0], vec![210.0]));
    // 25 s are over at the scrape of 130.
    assert_eq!(missed("25s"), (vec![130.0], vec![210.0]));
    assert_eq!(missed("10m"), (vec![], vec![]));
}

#[test]
fn a_server_that_cannot_be_scraped_resolves_what_was_said_of_it() {
    let text = outage(
        "[monitoring]\nscrape = \"10s\"\n\
         [[alert]]\nname = \"there\"\nwhen = \"attempts_hz(s) > 0\"\n",
    );
    let run = run(&text);
    assert_eq!(times(&run, Kind::Resolved), [110.0]);
    let (_, _, cause) = &told(&run, Kind::Resolved)[0];
    assert_eq!(cause, "attempts_hz(s) > 0 (no value)");
}

#[test]
fn a_budget_burns_over_both_windows() {
    let fires = |rule: &str| {
        let text = outage(&format!(
            "[monitoring]\nscrape = \"10s\"\n\
             [[alert]]\nname = \"burning\"\nwhen = \"works\"\nrule = {{ kind = \"burn-rate\", {rule} }}\n"
        ));
        let run = run(&text);
        (times(&run, Kind::Alert), times(&run, Kind::Resolved))
    };
    // Half of ten requests a second fail from 100.1 s on, 50 times the budget: five a second. Of the five minutes
    // before 100 + x, scraped from the start, 5 x of 10 (100 + x) have failed: more than ten times the budget, a
    // tenth, from x = 25 on: seen at 130. The short window of 20 s holds two scrapes and is at 50 since 120.
    let (alert, resolved) = fires("factor = 10, long = \"5m\", short = \"20s\"");
    assert_eq!(alert, [130.0]);
    // The server is back at 200.05: the scrapes of 200 and 210 hold nothing worse than that.
    assert_eq!(resolved, [210.0]);
    // By the short window alone it is seen at 110, when both of its scrapes have failures between them.
    let (alert, _) = fires("factor = 10, long = \"20s\", short = \"20s\"");
    assert_eq!(alert, [110.0]);
}

#[test]
fn what_flaps_is_told_each_time_unless_it_is_kept() {
    let text = |keep: &str| {
        format!(
            "horizon = \"600s\"\n\
             traffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = {{ kind = \"wave\", mean = 100, amplitude = 0.5, period = \"120s\" }} }}]\n\
             [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", workers = 100 }}]\n\
             [monitoring]\nscrape = \"5s\"\n[[alert]]\nname = \"busy\"\nwhen = \"offered_hz > 120\"\nover = \"20s\"\n{keep}"
        )
    };
    let flapping = run(&text(""));
    assert_eq!(times(&flapping, Kind::Alert).len(), 5);
    assert_eq!(times(&flapping, Kind::Paged).len(), 5);
    let kept = run(&text("keep = \"2m\"\n"));
    assert_eq!(times(&kept, Kind::Alert).len(), 1);
    assert!(times(&kept, Kind::Resolved).is_empty());
    let group = "[monitoring.group]\nwait = \"10s\"\ninterval = \"3m\"\nrepeat = \"4h\"\n";
    let grouped = run(&text(group).replace("[monitoring.group]", "\n[monitoring.group]"));
    assert_eq!(times(&grouped, Kind::Alert).len(), 5);
    let (fired, paged) = (
        times(&grouped, Kind::Alert)[0],
        times(&grouped, Kind::Paged),
    );
    assert_eq!(paged[0], fired + 10.0);
    assert!(paged.len() < 5, "{paged:?}");
}

/// Two alerts that fire 40 s apart, of which one group would tell once: the second waits for the next look.
fn two_alerts(group: &str, rules: &str) -> String {
    format!(
        "horizon = \"600s\"\n\
         traffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = [[\"0s\", 100], [\"100s\", 100], [\"200s\", 200]] }}]\n\
         [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", workers = 100 }}]\n\
         [monitoring]\nscrape = \"5s\"\n{group}\n{rules}"
    )
}

#[test]
fn alerts_of_one_label_share_a_notification() {
    let own = "[[alert]]\nname = \"busy\"\nwhen = \"offered_hz > 120\"\nover = \"20s\"\n\
               [[alert]]\nname = \"full\"\nwhen = \"offered_hz > 160\"\nover = \"20s\"\n";
    let group = |by: &str| format!("group = {{ wait = \"10s\", interval = \"5m\"{by} }}");
    let pages = |text: &str| {
        let run = run(text);
        (times(&run, Kind::Alert), times(&run, Kind::Paged))
    };
    let (fired, together) = pages(&two_alerts(&group(""), own));
    assert_eq!(together, [fired[0] + 10.0, fired[0] + 310.0]);
    let (fired, apart) = pages(&two_alerts(&group(", by = \"alertname\""), own));
    assert_eq!(apart, [fired[0] + 10.0, fired[1] + 10.0]);
    // Two rules of one team, and one of another.
    let rule = |name: &str, above: u32, team: &str| {
        format!(
            "  - alert: {name}\n    expr: sum(rate(http_requests_started_total[20s])) > {above}\n    labels: {{ team: {team} }}\n"
        )
    };
    let (one, other) = (rule("A", 120, "shop"), rule("B", 140, "shop"));
    let file = format!(
        "groups:\n- name: g\n  rules:\n{one}{other}{}",
        rule("C", 160, "net")
    );
    let rules = format!("rules = [{{ text = \"\"\"\n{file}\"\"\" }}]\n");
    let (fired, teams) = pages(&two_alerts(&group(", by = \"team\""), &rules));
    assert_eq!(fired.len(), 3);
    assert_eq!(teams, [fired[0] + 10.0, fired[2] + 10.0, fired[0] + 310.0]);
}

#[test]
fn a_label_that_says_nothing_of_an_alert_is_no_group() {
    let refused = |by: &str, rules: &str| {
        let group = format!("group = {{ by = \"{by}\" }}");
        let problems = scenario::parse(&two_alerts(&group, rules));
        problems.expect_err("it is wrong").to_string()
    };
    let rule =
        |team: &str| format!("  - alert: A\n    expr: up == 0\n    labels: {{ team: '{team}' }}\n");
    let file = |rules: &str| {
        format!("rules = [{{ text = \"\"\"\ngroups:\n- name: g\n  rules:\n{rules}\"\"\" }}]\n")
    };
    let unknown = refused("taem", &file(&rule("shop")));
    assert!(
        unknown.contains("E020") && unknown.contains("no alert has the label \"taem\""),
        "{unknown}"
    );
    assert!(unknown.contains("team"), "{unknown}");
    let two = refused("team", &file(&format!("{}{}", rule("shop"), rule("net"))));
    assert!(
        two.contains("\"net\" and \"shop\", and all alerts of a name are one"),
        "{two}"
    );
    let late = refused("team", &file(&rule("{{ $labels.service }}")));
    assert!(late.contains("is known when the alert fires"), "{late}");
}

#[test]
fn monitoring_does_not_depend_on_how_a_run_is_recorded_or_driven() {
    let text = |interval: &str| {
        outage(&format!(
            "record = {{ interval = \"{interval}\" }}\n[monitoring]\nscrape = \"7s\"\nlag = \"2s\"\nevaluate = \"5s\"\n\
             [[alert]]\nname = \"failing\"\nwhen = \"failed > 20%\"\nfor = \"10s\"\n\
             [[alert]]\nname = \"slow\"\nwhen = \"p99 > 5ms\"\n"
        ))
    };
    // `record` must come before the first table.
    let text = |interval: &str| {
        let text = text(interval);
        let record = format!("record = {{ interval = \"{interval}\" }}\n");
        format!("{record}{}", text.replace(&record, ""))
    };
    let told = |simulation: &Simulation| {
        let log = simulation.recorder().event_log();
        let alerts = log.filter(|e| {
            matches!(
                e.kind,
                Kind::Alert | Kind::Pending | Kind::Resolved | Kind::Paged
            )
        });
        alerts.map(|e| format!("{e:?}")).collect::<Vec<_>>()
    };
    let whole = run(&text("1s"));
    assert!(told(&whole).len() >= 4, "{:?}", told(&whole));
    let coarse = run(&text("13s"));
    assert_eq!(told(&whole), told(&coarse));
    assert_eq!(whole.digest(), coarse.digest());
    let mut stepped = start(&text("1s"));
    let mut fork = None;
    while stepped.step().is_some() {
        if fork.is_none() && stepped.now().as_secs_f64() > 111.0 {
            fork = Some(stepped.clone());
        }
    }
    let mut fork = fork.expect("the run is longer");
    fork.run();
    for other in [&stepped, &fork] {
        assert_eq!(told(&whole), told(other));
        assert_eq!(whole.digest(), other.digest());
    }
    let mut sooner = Simulation::new(Arc::clone(&model(&text("1s"))), 0).without_fast_path();
    sooner.run();
    assert_eq!(told(&whole), told(&sooner));
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let wrong = |text: &str, code: &str, word: &str| {
        let problems = scenario::parse(text).expect_err("it is wrong");
        assert!(problems.has(code), "{problems}");
        assert!(problems.to_string().contains(word), "{problems}");
    };
    let rule = "when = \"offered_hz > 1\"\nrule = \"change\"";
    wrong(&ramp("", rule), "E017", "there is no `[monitoring]`");
    let keep = "when = \"offered_hz > 1\"\nkeep = \"1m\"";
    wrong(&ramp("", keep), "E017", "there is no `[monitoring]`");
    let monitoring = "[monitoring]\nscrape = \"30s\"\nlag = \"1s\"";
    let short = "when = \"offered_hz > 1\"\nover = \"1m\"";
    wrong(&ramp(monitoring, short), "E017", "at least 1m1s");
    let absent = "when = \"p99\"\nrule = \"absence\"\nover = \"1m\"";
    wrong(&ramp(monitoring, absent), "E017", "at least 1m1s");
    let slo = "when = \"works\"\nrule = \"burn-rate\"";
    wrong(&ramp(monitoring, slo), "E033", "no objective is called");
    let over = "when = \"works\"\nrule = \"burn-rate\"\nover = \"2m\"\n[[slo]]\nname = \"works\"\nobjective = 0.9";
    wrong(&ramp(monitoring, over), "E017", "`over` has no effect");
    let long = "when = \"failed > 5%\"\nover = \"30s\"";
    let short = "[monitoring]\nscrape = \"1ms\"";
    wrong(&ramp(short, long), "E024", "at most 20000");
    let stale = "[monitoring]\nscrape = \"30s\"\nstale = \"1h\"";
    let site = "when = \"failed > 5%\"\nover = \"5m\"";
    wrong(&ramp(stale, site), "E017", "without an alert on a server");
    let staff = "[monitoring]\nscrape = \"30s\"\nresponders = 2";
    wrong(&ramp(staff, site), "E017", "without a runbook");
    let none = "horizon = \"60s\"\ntraffic = [{ to = \"web\", rate = 1 }]\n[service.web]\ndemand = \"1ms\"\n\
                server = [{ name = \"s\", workers = 1 }]\n[monitoring]\nscrape = \"10s\"\n";
    wrong(none, "E017", "a monitoring without an alert");
}

#[test]
fn all_alerts_together_keep_what_is_allowed() {
    let alert = |i: usize| {
        let name = format!("[[alert]]\nname = \"a{i}\"\n");
        name + "when = \"failed > 5%\"\nover = \"15s\"\n"
    };
    let text = |count: usize| {
        let alerts: String = (1..=count).map(alert).collect();
        let first = "when = \"failed > 5%\"\nover = \"15s\"\n";
        ramp("[monitoring]\nscrape = \"1ms\"", first) + &alerts
    };
    // Each keeps 15 s and one scrape: 15 002.
    scenario::parse(&text(12)).expect("13 x 15 002 are 195 026");
    let problems = scenario::parse(&text(13)).expect_err("14 x 15 002 are 210 028");
    assert!(problems.has("E024"), "{problems}");
    assert!(problems.to_string().contains("210028"), "{problems}");
}

#[test]
fn a_level_needs_one_scrape_and_nothing_overflows_in_a_long_one() {
    // A thousand servers of a thousand workers, ten minutes between scrapes: more nanoseconds than 64 bits hold.
    let text = "horizon = \"30d\"\ntraffic = [{ to = \"web\", rate = 0.001 }]\n[service.web]\ndemand = \"5ms\"\n\
                server = [{ name = \"w\", count = 1000, workers = 1000 }]\n[monitoring]\nscrape = \"10m\"\n\
                [[alert]]\nname = \"busy\"\nwhen = \"utilisation > 5%\"\nover = \"1h\"\n\
                [[alert]]\nname = \"there\"\nwhen = \"up > 999\"\nover = \"1m\"\n";
    let run = run(text);
    let alerts = told(&run, Kind::Alert);
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    assert!(alerts[0].2.starts_with("up > 999"), "{alerts:?}");
}

#[test]
fn a_change_is_since_the_last_value_that_is_not_stale() {
    let fires = |stale: &str| {
        let run = run(&outage(&format!(
            "[monitoring]\nscrape = \"10s\"\nstale = \"{stale}\"\n\
             [[alert]]\nname = \"any\"\nwhen = \"in_flight(s) > -100\"\nrule = {{ kind = \"change\", since = \"60s\" }}\n"
        )));
        times(&run, Kind::Alert)
    };
    // Known since the start; scraped at 100 for the last time, and at 210 again. A minute before that, the value of
    // 100 was 50 s old; a minute before 220 it was too old.
    assert_eq!(fires("55s"), [60.0, 210.0, 270.0]);
    assert_eq!(fires("40s"), [60.0, 270.0]);
}

#[test]
fn what_is_known_at_a_moment_stands_beside_what_is_true_then() {
    let text = ramp(
        "[monitoring]\nscrape = \"15s\"\nlag = \"20s\"\nevaluate = \"15s\"",
        "when = \"offered_hz > 200\"\nover = \"60s\"\n[[alert]]\nname = \"rule\"\nrule = \"promql\"\n\
         when = 'sum(irate(http_requests_started_total[1m])) > 210'",
    );
    let at = |seconds: u64| {
        let mut simulation = start(&text);
        simulation.run_until(Instant(seconds * SECOND));
        (AlertNow::all(&simulation), simulation.digest())
    };
    // At 232 the newest scrape to be seen is that of 210, and within the minute the oldest that of 180: the mean rate
    // is that of 195. What is true is the mean of 172 to 232, that of 202.
    let (now, digest) = at(232);
    let [own, rule] = &now[..] else {
        panic!("{now:?}");
    };
    assert_eq!(own.as_of, Some(Instant(210 * SECOND)));
    assert_eq!(
        (own.known.holds, own.known.value.as_str()),
        (false, "195/s")
    );
    let truth = own.truth.as_ref().expect("it is short");
    assert_eq!((truth.holds, truth.value.as_str()), (true, "202/s"));
    // The rule of Prometheus sees the two last scrapes, of 195 and 210, whose mean is below 210; if all were seen at once, those of
    // 225 and 232.
    assert_eq!(rule.as_of, Some(Instant(210 * SECOND)));
    assert!(!rule.known.holds, "{rule:?}");
    let truth = rule.truth.as_ref().expect("few series");
    assert!(truth.holds && truth.value.starts_with("228"), "{truth:?}");
    // Nothing changes by being looked at, and whoever comes back sees the same.
    let mut whole = run(&text);
    assert_eq!(at(232), (now, digest));
    let before = whole.digest();
    AlertNow::all(&whole);
    whole.run();
    assert_eq!(whole.digest(), before);
    // Without a monitoring nothing is known late.
    let plain = run(&ramp("", "when = \"offered_hz > 200\"\nover = \"60s\""));
    assert!(AlertNow::all(&plain).is_empty());
}
