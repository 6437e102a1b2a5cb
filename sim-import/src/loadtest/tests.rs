//! Results as programs wrote them on a server that stalls, and broken ones.

use super::{Latency, LoadTest, Results, TESTERS, read};
use std::fmt::Write;

fn results(text: &str) -> LoadTest {
    let found = read(text, "t").unwrap_or_else(|why| panic!("{why}\n{text}"));
    let scenario = &found.scenario;
    let model =
        sim_core::scenario::parse(scenario).unwrap_or_else(|why| panic!("{why:?}\n{scenario}"));
    assert!(model.assumed.len() >= 2, "{:?}", model.assumed);
    found
}

fn quantile(results: &Results, p: f64) -> f64 {
    let found = results
        .quantiles
        .iter()
        .find(|(share, _)| (share - p).abs() < 1e-9);
    found
        .unwrap_or_else(|| panic!("no quantile {p}: {results:?}"))
        .1
}

#[track_caller]
fn near(found: impl Into<Option<f64>>, wanted: f64) {
    let found = found.into().expect("a figure");
    assert!(
        (found - wanted).abs() <= 1e-6 * wanted.abs().max(1e-9),
        "{found}, not {wanted}"
    );
}

const WRK: &str = "Running 30s test @ http://127.0.0.1:8000/
  2 threads and 10 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     6.14ms    2.31ms  64.05ms   88.31%
    Req/Sec   612.18    201.44     1.02k    60.00%
  Latency Distribution
     50%    5.71ms
     75%    6.91ms
     90%    8.60ms
     99%   12.34ms
  29311 requests in 30.03s, 4.39MB read
  Socket errors: connect 0, read 0, write 0, timeout 30
Requests/sec:    976.06
Transfer/sec:    149.66KB
";

#[test]
fn wrk_hides_what_took_longer_than_its_timeout() {
    let late = results(WRK);
    assert_eq!(
        (late.tester, late.results.requests, late.results.errors),
        ("wrk", Some(29311), Some(30))
    );
    near(quantile(&late.results, 0.99), 0.01234);
    near(late.results.mean_s, 0.00614);
    assert!(matches!(&late.results.latency, Latency::Hidden(why) if why.contains("30 answers")));
    let none = results(&WRK.replace("timeout 30", "timeout 0"));
    assert_eq!(none.results.latency, Latency::Usable);
}

const HEY: &str = "
Summary:
  Total:	30.0123 secs
  Slowest:	2.0113 secs
  Fastest:	0.0041 secs
  Average:	0.0212 secs
  Requests/sec:	81.9665

Response time histogram:
  0.004 [1]	|
  0.205 [2429]	|■■■■

Latency distribution:
  10% in 0.0048 secs
  50% in 0.0060 secs
  90% in 0.0070 secs
  99% in 1.9600 secs

Status code distribution:
  [200]	2450 responses
  [503]	4 responses

Error distribution:
  [6]	Get \"http://127.0.0.1:8000/\": dial tcp: connection refused
";

#[test]
fn hey_sends_less_than_it_was_to() {
    let text = results(HEY);
    assert_eq!(
        (text.tester, text.results.requests, text.results.errors),
        ("hey", Some(2460), Some(10))
    );
    near(quantile(&text.results, 0.99), 1.96);
    assert!(matches!(&text.results.latency, Latency::Hidden(_)));
    let mut table = "response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset\n".to_owned();
    for n in 0..1000 {
        let _ = writeln!(
            table,
            "0.{:03},0,0,0,0,0,200,{}",
            n % 100,
            f64::from(n) / 100.0
        );
    }
    let table = results(&table).results;
    assert_eq!((table.requests, table.errors), (Some(1000), Some(0)));
    near(quantile(&table, 0.5), 0.049);
    assert!(
        table.quantiles.last().is_some_and(|last| last.0 < 0.995),
        "too few beyond 99.9 %"
    );
}

#[test]
fn oha_and_autocannon_do_not_say_whether_they_correct() {
    let oha = results(
        r#"{"summary":{"successRate":1.0,"total":30.0,"slowest":2.01,"fastest":0.004,"average":0.02,"requestsPerSec":100.06},
        "latencyPercentiles":{"p10":0.004,"p50":0.005,"p95":0.006,"p99":1.91,"p99.9":null},
        "statusCodeDistribution":{"200":2990,"503":5},"errorDistribution":{"connection refused":5,"aborted due to deadline":2}}"#,
    );
    assert_eq!(
        (oha.tester, oha.results.requests, oha.results.errors),
        ("oha", Some(3000), Some(10))
    );
    near(quantile(&oha.results, 0.99), 1.91);
    assert!(
        matches!(&oha.results.latency, Latency::Hidden(why) if why.contains("--latency-correction"))
    );
    let auto = results(
        r#"{"url":"x","connections":10,"duration":30.0,"errors":1,"timeouts":0,"non2xx":2,"latency":{"average":6.1,"max":2010,"p50":5,"p97_5":8,"p99":9},"requests":{"average":90,"total":2700}}"#,
    );
    near(quantile(&auto.results, 0.975), 0.008);
    assert_eq!(
        (auto.results.errors, auto.results.concurrency),
        (Some(3), Some(10))
    );
    near(auto.results.achieved_hz, 90.0);
}

#[test]
fn ab_and_locust_and_gatling() {
    let ab = results(
        "This is ApacheBench, Version 2.3\nConcurrency Level:      10\nTime taken for tests:   30.001 seconds\nComplete requests:      29000\nFailed requests:        0\nNon-2xx responses:      7\nRequests per second:    966.63 [#/sec] (mean)\n              min  mean[+/-sd] median   max\nTotal:          5   10  37.1      9    2017\nPercentage of the requests served within a certain time (ms)\n  50%      9\n  99%     12\n 100%   2017 (longest request)\n",
    );
    assert_eq!((ab.tester, ab.results.errors), ("ab", Some(7)));
    near(quantile(&ab.results, 1.0), 2.017);
    near(ab.results.mean_s, 0.010);
    let locust = results(
        "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,99%,100%\nGET,\"/a,b\",2400,3,6,26.4,4,2010,2,81.2,0.1,6,7,2000,2000\n,Aggregated,2400,3,6,26.4,4,2010,2,81.2,0.1,6,7,2000,2000\n",
    );
    assert_eq!(
        (locust.results.requests, locust.results.errors),
        (Some(2400), Some(3))
    );
    near(quantile(&locust.results, 0.99), 2.0);
    let history = results(
        "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,99%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,Total Average Content Size\n1000,10,,Aggregated,50,0,6,7,50,0,6,6.5,4,9,2\n1001,10,,Aggregated,60,0,6,7,110,0,6,6.5,4,9,2\n1002,20,,Aggregated,90,0,N/A,N/A,200,0,6,6.5,4,9,2\n",
    );
    assert_eq!(
        history.results.profile,
        [(0.0, 50.0), (1.0, 60.0), (2.0, 90.0)]
    );
    assert!(
        history
            .scenario
            .contains(r#"rate = [["0s", 50], ["1.5s", 60], ["2s", 90]]"#),
        "{}",
        history.scenario
    );
    let gatling = results(
        r#"{"type":"GROUP","name":"All Requests","stats":{"name":"All Requests","numberOfRequests":{"total":3000,"ok":2990,"ko":10},"maxResponseTime":{"total":2011},"meanResponseTime":{"total":208},"percentiles1":{"total":8},"percentiles2":{"total":10},"percentiles3":{"total":1536},"percentiles4":{"total":1929},"meanNumberOfRequestsPerSecond":{"total":100.0}},"contents":{}}"#,
    );
    near(quantile(&gatling.results, 0.95), 1.536);
    assert_eq!(gatling.results.errors, Some(10));
}

#[test]
fn k6_tells_what_it_dropped() {
    let old = r#"{"metrics":{"http_req_duration":{"avg":26.0,"min":4.1,"med":6.0,"max":2010.0,"p(90)":7.0,"p(95)":1500.0},"http_reqs":{"count":2400,"rate":80.0},"http_req_failed":{"passes":24,"fails":2376,"value":0.01},"iterations":{"count":2400,"rate":80.0},"dropped_iterations":{"count":600,"rate":20.0},"vus_max":{"value":50,"min":50,"max":50}}}"#;
    let k6 = results(old);
    assert_eq!(
        (
            k6.results.dropped,
            k6.results.errors,
            k6.results.concurrency
        ),
        (Some(600), Some(24), Some(50))
    );
    near(k6.results.offered_hz, 100.0);
    near(quantile(&k6.results, 0.95), 1.5);
    assert!(matches!(&k6.results.latency, Latency::Hidden(why) if why.contains("dropped")));
    assert!(
        k6.sentences
            .iter()
            .any(|sentence| sentence.contains("600 requests were to be sent"))
    );
    let new = results(
        r#"{"metrics":{"http_req_duration":{"type":"trend","contains":"time","values":{"avg":26.0,"med":6.0,"p(99)":7.0}},"http_reqs":{"type":"counter","values":{"count":300,"rate":10.0}}},"state":{"testRunDurationMs":30000}}"#,
    );
    near(new.results.duration_s, 30.0);
    near(quantile(&new.results, 0.99), 0.007);
    let mut points = "{\"type\":\"Metric\",\"metric\":\"http_req_duration\"}\n".to_owned();
    for n in 0..400 {
        let _ = writeln!(
            points,
            "{{\"metric\":\"http_req_duration\",\"type\":\"Point\",\"data\":{{\"time\":\"2025-03-03T09:{:02}:{:02}.5Z\",\"value\":{},\"tags\":{{\"status\":\"{}\"}}}}}}",
            n / 60,
            n % 60,
            500,
            if n == 3 { 503 } else { 200 }
        );
    }
    let points = results(&(points + "{\"type\":\"Poi")).results;
    assert_eq!((points.requests, points.errors), (Some(400), Some(1)));
    near(points.achieved_hz, 400.0 / 399.0);
    assert!(
        points.remarks[0].contains("line 402"),
        "{:?}",
        points.remarks
    );
    let table = results("metric_name,timestamp,metric_value,check,error,error_code,expected_response\nhttp_reqs,1740992403,1,,,,\nhttp_req_duration,1740992403,12,,,,true\nhttp_req_duration,1740992404,14,,,,false\n").results;
    assert_eq!((table.requests, table.errors), (Some(2), Some(1)));
}

#[test]
fn vegeta_counts_from_the_sending() {
    let json = results(
        r#"{"latencies":{"total":1,"mean":208000000,"50th":7500000,"90th":1031000000,"95th":1536000000,"99th":1929000000,"max":2007000000,"min":4000000},"bytes_in":{"total":1,"mean":1},"earliest":"x","latest":"x","end":"x","duration":29990000000,"wait":10000000,"requests":3000,"rate":100.03,"throughput":99.9,"success":0.999,"status_codes":{"200":2997,"503":3},"errors":[]}"#,
    );
    assert_eq!(
        (json.results.errors, json.results.latency.clone()),
        (Some(3), Latency::Usable)
    );
    near(json.results.achieved_hz, 100.0);
    let text = results("Requests      [total, rate, throughput]         3000, 100.03, 99.90\nDuration      [total, attack, wait]             30s, 29.99s, 10ms\nLatencies     [min, mean, 50, 90, 95, 99, max]  4ms, 208ms, 7.5ms, 1.031s, 1.536s, 1.929s, 2.007s\nBytes In      [total, mean]                     6000, 2.00\nSuccess       [ratio]                           99.90%\nStatus Codes  [code:count]                      200:2997  503:3\n").results;
    assert_eq!(text.errors, Some(3));
    near(quantile(&text, 0.99), 1.929);
    near(text.offered_hz, 100.03);
    let histogram = results("Bucket           #     %       Histogram\n[0s,     10ms]   2700  90.00%  ###\n[10ms,   1s]     200   6.67%   #\n[1s,     +Inf]   100   3.33%   \n").results;
    assert_eq!(histogram.bounds(0.5), Some((0.0, Some(0.01))));
    assert_eq!(histogram.bounds(0.99), Some((1.0, None)));
    let mut lines = String::new();
    for n in 0..300 {
        let _ = writeln!(
            lines,
            "{{\"attack\":\"\",\"seq\":{n},\"code\":200,\"timestamp\":\"2025-03-03T09:00:{:02}.{:01}00000001+01:00\",\"latency\":5000000,\"bytes_out\":0}}",
            n / 10,
            n % 10
        );
    }
    let lines = results(&lines).results;
    near(lines.offered_hz, 300.0 / 29.9);
    near(quantile(&lines, 0.5), 0.005);
}

#[test]
fn prometheus_gives_rates_and_bounds() {
    let series =
        |labels: &str, values: &str| format!("{{\"metric\":{{{labels}}},\"values\":[{values}]}}");
    let answer = |series: &[String]| {
        format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{}]}}}}",
            series.join(",")
        )
    };
    let rate = results(&answer(&[
        series("\"job\":\"a\"", "[0,\"10\"],[15,\"20\"],[30,\"30\"]"),
        series("\"job\":\"b\"", "[0,\"1\"],[15,\"NaN\"],[30,\"3\"]"),
    ]))
    .results;
    assert_eq!(rate.profile, [(0.0, 11.0), (15.0, 20.0), (30.0, 33.0)]);
    near(rate.duration_s, 45.0);
    // A restart: what is counted begins at nothing.
    let counter = results(&answer(&[series(
        "\"__name__\":\"requests_total\"",
        "[0,\"100\"],[10,\"300\"],[20,\"50\"]",
    )]))
    .results;
    assert_eq!(counter.profile, [(0.0, 20.0), (10.0, 5.0)]);
    // All requests take 0.6 s, 2 % more than the last bound: 0.995 and 5 is what is drawn, and nothing says so.
    let le = |bound: &str, count: u32| {
        series(
            &format!("\"__name__\":\"t_bucket\",\"le\":\"{bound}\""),
            &format!("[0,\"0\"],[100,\"{count}\"]"),
        )
    };
    let all = results(&answer(&[
        le("0.1", 0),
        le("+Inf", 1000),
        le("1", 980),
        le("0.5", 0),
        le("5", 980),
    ]));
    assert_eq!(all.results.bounds(0.5), Some((0.5, Some(1.0))));
    assert_eq!(all.results.bounds(0.99), Some((5.0, None)));
    near(all.results.achieved_hz, 10.0);
    assert!(
        all.sentences
            .iter()
            .any(|sentence| sentence == "p50 lies from 0.5 s to 1 s"),
        "{:?}",
        all.sentences
    );
    for (text, words) in [
        (
            "{\"status\":\"error\",\"error\":\"bad\",\"resultType\":1,\"result\":1}".to_owned(),
            "the query failed: bad",
        ),
        (answer(&[]), "no series has a value"),
        (
            answer(&[le("0.1", 3), series("", "[0,\"1\"],[1,\"1\"]")]),
            "export them apart",
        ),
        (answer(&[series("", "[0,\"-1\"],[1,\"1\"]")]), "below zero"),
    ] {
        let why = read(&text, "t").expect_err(words);
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn whatever_is_cut_off_or_broken_is_refused_or_read_and_never_panics() {
    for text in [WRK, HEY] {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            drop(read(&text[..end], "t"));
        }
    }
    for text in [
        "",
        "{",
        "[]",
        "\u{0}",
        "metric_name,timestamp,metric_value,\n",
        "{\"attack\"\"latency\"",
        "Bucket Histogram\n[0, x] y",
        "Type,Name,Request Count,\n",
    ] {
        assert!(read(text, "t").is_err(), "{text:?}");
    }
}

#[test]
fn rows_say_what_they_hide() {
    for tester in TESTERS {
        assert!(
            tester.about.ends_with('.') && !tester.hides.is_empty() && !tester.hides.ends_with('.'),
            "{}",
            tester.name
        );
    }
}
