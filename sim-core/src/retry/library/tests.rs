//! What each library was seen to do, against values known from watching it.

use super::super::{Failed, MEMORY_END, RETRIES, Retry, RetryDef, Terms};
use crate::draws::Stream;
use crate::extension::testing::example;
use crate::extension::{ParamValue, Params};
use crate::outcome::Outcome::{
    self, ConnectTimedOut, Errored, Refused, Rejected, Reset, Shed, TimedOut, Unavailable,
};
use crate::time::Duration;

/// A row of the table by its name.
fn def(name: &str) -> &'static RetryDef {
    RETRIES
        .iter()
        .find(|def| def.row.name == name)
        .unwrap_or_else(|| panic!("no row {name:?}"))
}

/// A library with some of its parameters: words for choices, numbers for the rest.
fn library(name: &str, some: &[(&str, &str)]) -> Box<dyn Retry> {
    let row = &def(name).row;
    for (given, _) in some {
        assert!(
            row.params.iter().any(|param| param.name == *given),
            "{name}: {given}"
        );
    }
    let values = example(row);
    let values = values.iter().map(|(param, value)| {
        let Some((_, text)) = some.iter().find(|(given, _)| *given == param) else {
            return (param, value.clone());
        };
        let kind = row.params.iter().find(|row| row.name == param);
        let value = match (value, kind.map(|row| row.kind)) {
            (ParamValue::Choice(_), Some(crate::extension::ParamKind::Choice(words))) => {
                let place = words.iter().position(|word| word == text);
                ParamValue::Choice(place.unwrap_or_else(|| panic!("no word {text}")))
            }
            (ParamValue::Flag(_), _) => ParamValue::Flag(*text == "true"),
            (ParamValue::Span(_), _) => {
                ParamValue::Span(Duration::from_millis(text.parse().expect("milliseconds")))
            }
            (ParamValue::Integer(_), _) => ParamValue::Integer(text.parse().expect("a number")),
            _ => ParamValue::Number(text.parse().expect("a number")),
        };
        (param, value)
    });
    (def(name).build)(&Params::new(values.collect()))
}

/// Attempts of a request that fails so each time.
fn attempts(library: &dyn Retry, outcome: Outcome) -> u32 {
    let most = library.terms().attempts;
    (1..most)
        .find(|&attempt| {
            !library.counts(Failed {
                attempt,
                outcome,
                alone: false,
            })
        })
        .unwrap_or(most)
}

const SAMPLE: u64 = 20_000;

/// Pauses after failure `attempt` of many requests, in milliseconds and ascending. Each request has
/// failed as often before.
fn pauses_ms(library: &dyn Retry, attempt: u32, outcome: Outcome) -> Vec<f64> {
    let stream = Stream::new(11, 0, "retries");
    let mut pauses: Vec<f64> = (0..SAMPLE)
        .map(|number| {
            let mut memory = 0;
            let mut last = Duration::ZERO;
            for attempt in 1..=attempt {
                let mut draws = stream.of_attempt(number, attempt);
                last = library.pause(
                    Failed {
                        attempt,
                        outcome,
                        alone: false,
                    },
                    &mut memory,
                    &mut draws,
                );
                assert!(memory < MEMORY_END);
            }
            last.as_secs_f64() * 1e3
        })
        .collect();
    pauses.sort_by(f64::total_cmp);
    pauses
}

/// The Kolmogorov–Smirnov distance of an ascending sample from a law.
fn distance(sample: &[f64], law: impl Fn(f64) -> f64) -> f64 {
    let n = sample.len() as f64;
    let at = |(i, x): (usize, &f64)| {
        let f = law(*x);
        (f - i as f64 / n).abs().max(((i + 1) as f64 / n - f).abs())
    };
    sample.iter().enumerate().map(at).fold(0.0, f64::max)
}

/// What a right law exceeds once in a thousand times: 1.95 / √n (Smirnov's limit).
fn critical() -> f64 {
    1.95 / (SAMPLE as f64).sqrt()
}

/// The law of U(low, high).
fn uniform(low: f64, high: f64) -> impl Fn(f64) -> f64 {
    move |x| ((x - low) / (high - low)).clamp(0.0, 1.0)
}

/// Asserts that pauses after each failure from the first are even within these bounds, a neighbouring
/// rule being told from it: the same half as far again, and half the width about the same middle.
fn check_uniform(name: &str, some: &[(&str, &str)], outcome: Outcome, bounds: &[(f64, f64)]) {
    let library = library(name, some);
    for (attempt, &(low, high)) in (1..).zip(bounds) {
        let sample = pauses_ms(&*library, attempt, outcome);
        let (least, most) = (sample[0], sample[sample.len() - 1]);
        let place = format!("{name} {outcome:?} {attempt}: {least} to {most} ms");
        assert!(least >= low - 1e-6 && most <= high + 1e-6, "{place}");
        if low >= high {
            continue;
        }
        let off = distance(&sample, uniform(low, high));
        assert!(off < critical(), "{place}: off by {off}");
        let (width, middle) = (high - low, f64::midpoint(low, high));
        for (low, high) in [
            (low, high + width / 2.0),
            (middle - width / 4.0, middle + width / 4.0),
        ] {
            let off = distance(&sample, uniform(low, high));
            assert!(off > 3.0 * critical(), "{place}: {low} to {high} fits too");
        }
    }
}

/// Asserts that the pauses are exactly these.
fn check_exact(name: &str, some: &[(&str, &str)], outcome: Outcome, pauses: &[u64]) {
    let exact: Vec<(f64, f64)> = pauses.iter().map(|&ms| (ms as f64, ms as f64)).collect();
    check_uniform(name, some, outcome, &exact);
}

#[test]
fn each_names_a_program_with_a_version() {
    let mut libraries = 0;
    for def in RETRIES {
        let rules = (def.rules)(&example(&def.row));
        if rules.is_empty() {
            continue;
        }
        libraries += 1;
        let source = def.row.source;
        assert!(
            source.bytes().any(|byte| byte.is_ascii_digit()),
            "{}: {source:?} has no version",
            def.row.name
        );
        let told = |what| {
            rules
                .iter()
                .any(|(name, text)| *name == what && !text.is_empty())
        };
        assert!(
            told("tries again after") && told("pauses"),
            "{}",
            def.row.name
        );
    }
    // Four plain rules, and three that belong to balancers' dialects.
    assert_eq!(libraries, RETRIES.len() - 7, "all but the plain rules");
}

/// B1–B3, B21.
#[test]
fn the_aws_sdks_jitter_fully_from_50_ms_or_1_s_after_throttling() {
    let short = [(0.0, 50.0), (0.0, 100.0)];
    let long = [(0.0, 1000.0), (0.0, 2000.0)];
    for outcome in [Errored, Reset, Refused, TimedOut] {
        check_uniform("botocore-standard", &[], outcome, &short);
    }
    check_uniform("botocore-standard", &[], Shed, &long);
    check_uniform("botocore-standard", &[("status", "429")], Errored, &long);
    let dynamodb = [(0.0, 25.0), (0.0, 50.0), (0.0, 100.0)];
    check_uniform("botocore-dynamodb", &[], Errored, &dynamodb);
    check_uniform("botocore-dynamodb", &[], Shed, &long);
    let legacy = [(0.0, 1e3), (0.0, 2e3), (0.0, 4e3), (0.0, 8e3)];
    check_uniform("botocore-legacy", &[], Errored, &legacy);
    let exact = [50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800];
    check_exact("botocore-legacy-dynamodb", &[], Errored, &exact);
    let many = library("botocore-standard", &[("attempts", "30")]);
    let late = pauses_ms(&*many, 29, Errored);
    assert!(late[late.len() - 1] <= 20_000.0 && distance(&late, uniform(0.0, 2e4)) < critical());
}

#[test]
fn the_aws_sdk_for_javascript_pauses_whole_milliseconds() {
    for (outcome, ceiling) in [(Errored, 50), (Shed, 1000)] {
        let sample = pauses_ms(&*library("aws-sdk-js", &[]), 1, outcome);
        assert!(
            sample
                .iter()
                .all(|ms| ms.fract() == 0.0 && *ms < f64::from(ceiling))
        );
        // Each of the whole numbers below the ceiling, evenly: five standard deviations.
        let expected = SAMPLE as f64 / f64::from(ceiling);
        for whole in 0..ceiling {
            let seen = sample
                .iter()
                .filter(|ms| (**ms - f64::from(whole)).abs() < 1e-9)
                .count() as f64;
            assert!(
                (seen - expected).abs() < 5.0 * expected.sqrt() + 1.0,
                "{whole}: {seen}"
            );
        }
    }
}

/// A18 of Envoy, and its test of `backoff-default`: 15, 40 and 90 when the random number is 190.
#[test]
fn envoy_draws_whole_milliseconds_below_a_doubling_ceiling() {
    let envoy = library("envoy", &[("attempts", "6")]);
    for (attempt, ceiling) in [(1, 25.0), (2, 50.0), (3, 100.0), (4, 200.0), (5, 250.0)] {
        let sample = pauses_ms(&*envoy, attempt, Errored);
        assert!(sample.iter().all(|ms| ms.fract() == 0.0 && *ms >= 0.0));
        assert_eq!((sample[0], sample[sample.len() - 1]), (0.0, ceiling - 1.0));
    }
    assert_eq!(attempts(&*library("envoy", &[]), Errored), 2, "one retry");
    assert_eq!(
        attempts(&*library("envoy", &[("status", "429")]), Errored),
        1
    );
    assert_eq!(attempts(&*library("envoy", &[]), Reset), 2);
}

/// B9, and gRFC A6: n-th pause min(initial · mⁿ⁻¹, max) · U(0.8, 1.2).
#[test]
fn grpc_spreads_its_pauses_by_a_fifth() {
    let bounds = [
        (80.0, 120.0),
        (160.0, 240.0),
        (320.0, 480.0),
        (640.0, 960.0),
    ];
    check_uniform("grpc", &[("attempts", "5")], Unavailable, &bounds);
    let short = [(32.0, 48.0), (64.0, 96.0), (128.0, 192.0)];
    check_uniform("grpc", &[("initial_backoff", "40")], Refused, &short);
    let capped = library("grpc", &[("attempts", "5"), ("max_backoff", "300")]);
    let last = pauses_ms(&*capped, 4, Errored);
    assert!(distance(&last, uniform(240.0, 360.0)) < critical());
    assert_eq!(
        attempts(&*library("grpc", &[]), TimedOut),
        1,
        "the deadline is over"
    );
    let crate::extension::ParamKind::Integer { max, .. } = def("grpc").row.params[0].kind else {
        panic!("attempts are counted");
    };
    assert_eq!(max, 5, "clamped");
}

/// B4–B6.
#[test]
fn urllib3_and_httpx_try_again_at_once_and_then_pause() {
    let listed = [
        ("backoff_factor", "0.5"),
        ("forcelist", "true"),
        ("attempts", "12"),
    ];
    let pauses = [
        0, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 120_000, 120_000,
    ];
    check_exact("urllib3", &listed, Errored, &pauses);
    check_exact("urllib3", &[], Refused, &[0, 0, 0]);
    check_exact(
        "httpx",
        &[("attempts", "6")],
        Refused,
        &[0, 500, 1000, 2000, 4000],
    );
    check_exact("azure-core", &[], Errored, &[0, 1600, 3200]);
}

/// B12–B14, B20, B11, B18, B22, B24, openai, stamina, ky.
#[test]
fn pauses_of_the_others_are_as_observed() {
    let got = [
        (1000.0, 1100.0),
        (2000.0, 2100.0),
        (4000.0, 4100.0),
        (8000.0, 8100.0),
    ];
    check_uniform("got", &[], Errored, &got);
    check_exact("axios-retry", &[], Errored, &[0, 0, 0]);
    check_exact("elastic-transport", &[], Errored, &[0, 0, 0]);
    check_exact(
        "undici",
        &[],
        Errored,
        &[500, 1000, 2000, 4000, 8000, 16_000, 30_000],
    );
    check_exact("p-retry", &[], Errored, &[1000, 2000, 4000, 8000, 16_000]);
    check_exact("ky", &[], Errored, &[300, 600]);
    check_exact("aiohttp-retry", &[], Errored, &[200, 400, 800]);
    check_exact("backon", &[], Errored, &[1000, 2000, 4000]);
    let jitter = [(1e3, 2e3), (2e3, 4e3), (4e3, 8e3)];
    check_uniform("backon", &[("with_jitter", "true")], Errored, &jitter);
    check_exact("resilience4j", &[], Errored, &[500, 500]);
    check_exact("tenacity", &[], Errored, &[0, 0, 0]);
    let full = [(0.0, 1e3), (0.0, 2e3), (0.0, 4e3), (0.0, 8e3)];
    for name in ["backoff", "google-api-core", "retry-policies"] {
        check_uniform(name, &[], Refused, &full);
    }
    check_uniform(
        "tenacity",
        &[("wait", "random-exponential")],
        Errored,
        &full,
    );
    check_exact(
        "tenacity",
        &[("wait", "exponential")],
        Errored,
        &[1000, 2000, 4000, 8000],
    );
    let added = [(1e3, 2e3), (2e3, 3e3), (4e3, 5e3)];
    check_uniform(
        "tenacity",
        &[("wait", "exponential-jitter")],
        Errored,
        &added,
    );
    let half = [(250.0, 750.0), (375.0, 1125.0), (562.5, 1687.5)];
    check_uniform("rust-backoff", &[], Errored, &half);
    let quarter = [
        (375.0, 500.0),
        (750.0, 1e3),
        (1500.0, 2e3),
        (3e3, 4e3),
        (6e3, 8e3),
        (6e3, 8e3),
    ];
    check_uniform("openai", &[("attempts", "9")], Errored, &quarter);
    check_uniform(
        "stamina",
        &[],
        Errored,
        &[(100.0, 1100.0), (200.0, 1200.0), (400.0, 1400.0)],
    );
    check_exact("pymongo", &[], Reset, &[0]);
    check_uniform("pymongo", &[], Shed, &[(0.0, 200.0), (0.0, 400.0)]);
}

/// B4, B12, B13, B20, B23, and openai and ky: the pause is what the answer asks for.
#[test]
fn a_retry_after_replaces_the_pause_of_those_that_obey() {
    let asks = [("retry_after", "7000")];
    for name in ["got", "axios-retry", "undici", "azure-core", "openai", "ky"] {
        check_exact(name, &asks, Errored, &[7000, 7000]);
        check_exact(name, &asks, Shed, &[7000, 7000]);
        // Who does not answer asks for nothing.
        let own = pauses_ms(&*library(name, &[]), 2, Reset);
        assert_eq!(pauses_ms(&*library(name, &asks), 2, Reset), own, "{name}");
        let unasked = pauses_ms(&*library(name, &[]), 2, Errored)[0];
        assert!((unasked - 7000.0).abs() > 1.0, "{name}: {unasked}");
    }
    let listed = [("forcelist", "true"), ("retry_after", "1000")];
    check_exact("urllib3", &listed, Errored, &[1000, 1000, 1000]);
    check_exact("urllib3", &listed, Refused, &[0, 0, 0]);
    // Its cap is that of all its pauses, which no other library has.
    check_exact("undici", &[("retry_after", "90000")], Errored, &[30_000]);
    check_exact("openai", &[("retry_after", "90000")], Errored, &[90_000]);
    let week = [("retry_after", "604800000")];
    check_exact("urllib3", &week, Errored, &[21_600_000]);
    check_exact("got", &week, Errored, &[604_800_000]);
    // ky looks at it after 429 and 503 only.
    let other = [("retry_after", "7000"), ("status", "500")];
    check_exact("ky", &other, Errored, &[300, 600]);
    check_exact("got", &other, Errored, &[7000, 7000]);
}

/// B4, B5, B23: an answer that has the header may count where it would not otherwise.
#[test]
fn a_retry_after_makes_some_answers_count() {
    let tries = |name, some: &[(&str, &str)]| {
        let with = [some, &[("retry_after", "1000")]].concat();
        let of = |some: &[(&str, &str)]| attempts(&*library(name, some), Errored);
        (of(some), of(&with))
    };
    assert_eq!(tries("urllib3", &[]), (1, 4));
    assert_eq!(tries("urllib3", &[("status", "429")]), (1, 4));
    assert_eq!(tries("urllib3", &[("status", "500")]), (1, 1));
    assert_eq!(tries("urllib3", &[("method", "post")]), (1, 1));
    assert_eq!(tries("requests", &[("attempts", "4")]), (1, 4));
    assert_eq!(tries("requests", &[]), (1, 1), "it has no try left");
    assert_eq!(tries("azure-core", &[("status", "404")]), (1, 4));
    let post = [("status", "502"), ("method", "post")];
    assert_eq!(tries("azure-core", &post), (1, 4));
    assert_eq!(tries("got", &[("status", "404")]), (1, 1));
    assert_eq!(tries("undici", &[("status", "404")]), (1, 1));
    assert_eq!(tries("got", &[("method", "post")]), (1, 1));
}

/// openai 3.57.0: up to two minutes it waits, for longer it does not try again.
#[test]
fn openai_does_not_wait_for_more_than_two_minutes() {
    let tries = |ms| attempts(&*library("openai", &[("retry_after", ms)]), Errored);
    assert_eq!((tries("120000"), tries("121000")), (3, 1));
    let got = library("got", &[("retry_after", "121000")]);
    assert_eq!(attempts(&*got, Errored), 3);
}

/// B21: max(own, min(asked, own + 5 s)).
#[test]
fn the_aws_sdk_for_javascript_waits_up_to_five_seconds_more_than_its_own_pause() {
    let of = |ms| pauses_ms(&*library("aws-sdk-js", &[("retry_after", ms)]), 1, Errored);
    assert!(of("1000").iter().all(|pause| (pause - 1000.0).abs() < 1e-9));
    let own = of("0");
    let most: Vec<f64> = own.iter().map(|pause| pause + 5000.0).collect();
    assert_eq!(of("60000"), most);
    // botocore ignores it: its row has no such parameter.
    assert!(
        !def("botocore-standard")
            .row
            .params
            .iter()
            .any(|p| p.name == "retry_after")
    );
}

/// B24: the jitter is drawn before the cap, so that nine in ten of the last pauses are the cap.
#[test]
fn redis_cuts_its_pauses_off_after_their_jitter() {
    let redis = library("redis-py", &[]);
    let early = pauses_ms(&*redis, 3, Refused);
    assert!(distance(&early, uniform(0.0, 80.0)) < critical());
    let last = pauses_ms(&*redis, 10, Refused);
    let whole = last
        .iter()
        .filter(|ms| (**ms - 1000.0).abs() < 1e-9)
        .count() as f64
        / SAMPLE as f64;
    // 1 − 1000 / 10240, within four standard deviations; were it the other way round, none.
    let expected = 1.0 - 1000.0 / 10_240.0;
    let error = (expected * (1.0 - expected) / SAMPLE as f64).sqrt();
    assert!((whole - expected).abs() < 4.0 * error, "{whole}");
}

/// B16: least, median and greatest of 400 runs; the rule itself has no bound but its cap.
#[test]
fn cockatiel_decorrelates_by_differences() {
    let cockatiel = library("cockatiel", &[]);
    let seen = [
        (5.0, 111.0, 176.0),
        (16.0, 152.0, 319.0),
        (18.0, 273.0, 539.0),
    ];
    for (attempt, (least, median, most)) in (1..).zip(seen) {
        let sample = pauses_ms(&*cockatiel, attempt, Errored);
        let at = |share: f64| sample[(share * SAMPLE as f64) as usize];
        // The median of 400 runs lies between these of many with probability 1 − 10⁻⁴.
        assert!(
            (at(0.4)..at(0.6)).contains(&median),
            "{attempt}: {}",
            at(0.5)
        );
        // So do least and greatest lie in the outermost fiftieth.
        assert!(least < at(0.02) && most > at(0.98), "{attempt}");
    }
    // 2 · tanh 2 / 1.4 · 128 ms is the most of the first.
    let first = pauses_ms(&*cockatiel, 1, Errored);
    let most = 2.0 * libm::tanh(2.0) / 1.4 * 128.0;
    assert!(first[first.len() - 1] <= most && first[first.len() - 1] > 0.99 * most);
    let late = pauses_ms(&*cockatiel, 60, Errored);
    assert!(late[late.len() - 1] <= 30_000.0);
}

/// B18: base · (1 + U(0, 0.99)), the share of whole seconds cut, and the same for all requests.
#[test]
fn tower_adds_up_to_its_pause_and_cuts_whole_seconds() {
    let short = [(50.0, 99.5), (100.0, 199.0), (200.0, 398.0), (400.0, 796.0)];
    check_uniform("tower", &[], Errored, &short);
    // 1600 ms: one second with no share, 600 ms with one.
    check_uniform(
        "tower",
        &[],
        Errored,
        &[
            short[0],
            short[1],
            short[2],
            short[3],
            (800.0, 1592.0),
            (1600.0, 2194.0),
        ],
    );
    assert!(library("tower", &[]).terms().lockstep);
    assert!(!library("backon", &[]).terms().lockstep);
}

/// Attempts of a request that fails so each time, by library and method.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn attempts_by_kind_of_failure_are_as_observed() {
    let get: &[(&str, &str)] = &[];
    let post = &[("method", "post")][..];
    let status = |code: &'static str| [("status", code)];
    let check = |name: &str, some: &[(&str, &str)], outcome, expected| {
        let seen = attempts(&*library(name, some), outcome);
        assert_eq!(seen, expected, "{name} {some:?} {outcome:?}");
    };
    // B1, B2, B21.
    for (name, most) in [
        ("botocore-standard", 3),
        ("botocore-dynamodb", 4),
        ("botocore-legacy", 5),
        ("botocore-legacy-dynamodb", 10),
        ("aws-sdk-js", 3),
    ] {
        for outcome in [Errored, Refused, Reset, TimedOut, Shed, Rejected] {
            check(name, get, outcome, most);
        }
        check(name, &status("404"), Errored, 1);
    }
    // B4, B5: without a list no status counts, and connects do whatever the method.
    for (some, outcome, expected) in [
        (get, Errored, 1),
        (get, Refused, 4),
        (post, Refused, 4),
        (get, Reset, 4),
        (post, Reset, 1),
        (get, TimedOut, 4),
        (post, TimedOut, 1),
        (&[("forcelist", "true")], Errored, 4),
        (&[("forcelist", "true"), ("method", "post")], Errored, 1),
    ] {
        check("urllib3", some, outcome, expected);
    }
    for outcome in [Errored, Refused, Reset] {
        check("requests", get, outcome, 1);
    }
    let four = [("attempts", "4")];
    check("requests", &four, Errored, 1);
    check("requests", &four, Reset, 4);
    check(
        "requests",
        &[("attempts", "4"), ("method", "post")],
        Reset,
        1,
    );
    // B6.
    for (outcome, expected) in [(Refused, 4), (Errored, 1), (Reset, 1), (TimedOut, 1)] {
        check("httpx", &four, outcome, expected);
    }
    check("httpx", get, Refused, 1);
    // B12.
    for code in ["408", "429", "500", "502", "503", "504"] {
        check("got", &status(code), Errored, 3);
    }
    check("got", &status("501"), Errored, 1);
    for outcome in [Refused, Reset, TimedOut] {
        check("got", get, outcome, 3);
        check("got", post, outcome, 1);
    }
    check("got", post, Errored, 1);
    // B13.
    for (some, outcome, expected) in [
        (get, Errored, 4),
        (post, Errored, 1),
        (get, Shed, 4),
        (get, Reset, 4),
        (post, Reset, 4),
        (post, Refused, 4),
        (get, TimedOut, 1),
        (get, ConnectTimedOut, 1),
    ] {
        check("axios-retry", some, outcome, expected);
    }
    // B14, B20, ky.
    check("p-retry", get, Errored, 11);
    for code in ["429", "500", "502", "503", "504"] {
        check("undici", &status(code), Errored, 6);
    }
    for code in ["501", "408"] {
        check("undici", &status(code), Errored, 1);
    }
    for (some, outcome, expected) in [
        (get, Refused, 6),
        (get, Reset, 6),
        (get, TimedOut, 1),
        (post, Errored, 1),
    ] {
        check("undici", some, outcome, expected);
    }
    for (some, outcome, expected) in [(get, Errored, 3), (post, Errored, 1), (get, TimedOut, 1)] {
        check("ky", some, outcome, expected);
    }
    // B22.
    for (code, expected) in [
        ("429", 1000),
        ("500", 1000),
        ("503", 1000),
        ("502", 1),
        ("504", 1),
    ] {
        check("google-api-core", &status(code), Errored, expected);
    }
    check("google-api-core", get, Refused, 1000);
    check("google-api-core", get, TimedOut, 1);
    // B23.
    for code in ["408", "429", "500", "502", "503", "504"] {
        check("azure-core", &status(code), Errored, 4);
    }
    check("azure-core", &status("501"), Errored, 1);
    for (outcome, expected) in [(Errored, 4), (Refused, 4), (Reset, 1)] {
        check("azure-core", post, outcome, expected);
    }
    // B11: aiohttp itself sends a GET again whose connection breaks.
    for (some, outcome, expected) in [
        (get, Errored, 3),
        (post, Errored, 3),
        (get, Shed, 1),
        (get, Refused, 1),
        (get, TimedOut, 1),
        (get, Reset, 2),
        (post, Reset, 1),
    ] {
        check("aiohttp-retry", some, outcome, expected);
    }
    check("aiohttp-retry", &status("501"), Errored, 3);
    // B24, B28, B29.
    for outcome in [Refused, Reset, TimedOut, ConnectTimedOut] {
        check("redis-py", get, outcome, 11);
    }
    check("redis-py", get, Errored, 1);
    for code in ["429", "502", "503", "504"] {
        check("elastic-transport", &status(code), Errored, 4);
    }
    check("elastic-transport", &status("500"), Errored, 1);
    check("elastic-transport", get, Refused, 4);
    check("elastic-transport", get, TimedOut, 1);
    for (outcome, expected) in [(Reset, 2), (Refused, 2), (Shed, 3), (Errored, 1)] {
        check("pymongo", get, outcome, expected);
    }
    // openai and anthropic, reqwest-retry, backon, stamina.
    for code in ["408", "429", "500", "503"] {
        check("openai", &status(code), Errored, 3);
        check("retry-policies", &status(code), Errored, 3);
    }
    check("openai", &status("400"), Errored, 1);
    for outcome in [Reset, TimedOut] {
        check("openai", get, outcome, 3);
    }
    check("backon", get, Errored, 4);
    check("stamina", get, Errored, 10);
    check("resilience4j", get, Errored, 3);
    // Those that never stop.
    for name in ["tenacity", "backoff", "cockatiel", "rust-backoff"] {
        check(name, get, Errored, 1000);
    }
}

#[test]
fn some_give_up_by_time() {
    let within = |name| library(name, &[]).terms().within;
    assert_eq!(within("google-api-core"), Duration::from_secs(120));
    assert_eq!(within("rust-backoff"), Duration::from_secs(900));
    assert_eq!(within("stamina"), Duration::from_secs(45));
    assert_eq!(within("botocore-standard"), Terms::ONCE.within);
}

#[test]
fn an_error_that_is_throttling_is_throttling_for_the_bucket_too() {
    let brings = |status| {
        let values = example(&def("botocore-standard").row);
        let values = values.iter().map(|(name, value)| match name {
            "status" => (name, ParamValue::Choice(status)),
            _ => (name, value.clone()),
        });
        (def("botocore-standard").brings)(&Params::new(values.collect()))
    };
    assert!(brings(4)[0].contains("throttling") && !brings(8)[0].contains("throttling"));
    assert!(brings(7)[0].contains("aws-retry-tokens"));
    let adaptive = |status| {
        let with = [("status", ParamValue::Choice(status))];
        (def("botocore-adaptive").brings)(&Params::new(with.to_vec()))
    };
    assert!(adaptive(4).iter().all(|guard| guard.contains("throttling")));
    assert!(adaptive(8)[1].contains("botocore-rate-limiter") && adaptive(8).len() == 2);
}
