//! Sessions: visitors who ask for one thing after another.

use crate::support::{check_books, log, run, start, summary};
use sim_core::record::RequestRecord;
use sim_core::statistics::student_quantile;
use sim_core::summary::Summary;
use sim_core::time::Instant;
use std::collections::BTreeMap;

/// Two sessions a second, each of the numbers of requests that `arrivals` say, at five servers.
fn shop(rate: f64, arrivals: &str, server: &str, more: &str) -> String {
    format!(
        "horizon = \"500s\"\nrecord = {{ every_nth_request = 1 }}\n{more}\n\
         traffic = [{{ name = \"t\", to = \"web\", rate = {rate}, arrivals = {{ kind = \"sessions\", {arrivals} }} }}]\n\
         [service.web]\ndemand = {{ kind = \"exponential\", mean = \"20ms\" }}\nbalancer.policy = \"sticky\"\n\
         server = [{{ name = \"s\", count = 5, workers = 50, {server} }}]\n"
    )
}

/// Requests of each session, in the order in which they came.
fn by_session(rows: &[RequestRecord]) -> BTreeMap<u64, Vec<&RequestRecord>> {
    let mut sessions: BTreeMap<u64, Vec<&RequestRecord>> = BTreeMap::new();
    for row in rows {
        sessions.entry(row.number / 4093).or_default().push(row);
    }
    for rows in sessions.values_mut() {
        rows.sort_by_key(|row| row.arrived_ns);
    }
    sessions
}

#[test]
fn a_request_follows_the_answer_to_the_one_before_under_one_key() {
    let rows = log(&shop(10.0, "requests = [5], think = \"3s\"", "", ""));
    let sessions = by_session(&rows);
    assert!((900..1100).contains(&sessions.len()), "{}", sessions.len());
    let (mut whole, mut moved) = (0, 0);
    for (session, rows) in &sessions {
        for (place, row) in rows.iter().enumerate() {
            assert_eq!(row.number, session * 4093 + place as u64);
        }
        for pair in rows.windows(2) {
            assert_eq!(pair[1].arrived_ns, pair[0].ended_ns + 3_000_000_000);
        }
        whole += u32::from(rows.len() == 5);
        moved += u32::from(rows.windows(2).any(|pair| pair[0].server != pair[1].server));
    }
    // Those at the end of the run are cut off, and nobody else.
    assert!(whole > 900, "{whole}");
    assert_eq!(moved, 0, "a session is one key to a sticky balancer");
    // Sessions themselves go anywhere.
    let servers = sessions.values().filter_map(|rows| rows[0].server);
    let mut first = [0; 5];
    servers.for_each(|server| first[server as usize] += 1);
    assert!(first.iter().all(|n| *n > 120), "{first:?}");
    // One key for all is one server for all.
    let one = shop(10.0, "requests = [5], think = \"3s\"", "", "").replace(
        "rate = 10,",
        "rate = 10, key = { kind = \"uniform\", n = 1 },",
    );
    let rows = log(&one);
    assert!(rows.iter().all(|row| row.server == rows[0].server));
}

#[test]
fn sessions_have_the_numbers_of_requests_that_are_written() {
    let rows = log(&shop(20.0, "requests = [1, 1, 4], think = \"1s\"", "", ""));
    let sessions = by_session(&rows);
    let count = |n| sessions.values().filter(|rows| rows.len() == n).count() as f64;
    let all = sessions.len() as f64;
    assert!((all / 5000.0 - 1.0).abs() < 0.06, "{all}");
    assert!((count(1) / all - 2.0 / 3.0).abs() < 0.03, "{}", count(1));
    assert!((count(4) / all - 1.0 / 3.0).abs() < 0.03, "{}", count(4));
    let figures = summary(&shop(20.0, "requests = [1, 1, 4], think = \"1s\"", "", ""));
    let told = figures.sessions.expect("there are some");
    assert_eq!(told.begun as usize, sessions.len());
    assert_eq!(told.cut_short, 0);
    // Geometric: half have one, a quarter two.
    let rows = log(&shop(
        20.0,
        "requests = [2], lengths = \"geometric\", think = \"10ms\"",
        "",
        "",
    ));
    let sessions = by_session(&rows);
    let share = |n| {
        let with = sessions.values().filter(|rows| rows.len() == n).count();
        with as f64 / sessions.len() as f64
    };
    assert!((share(1) - 0.5).abs() < 0.03 && (share(2) - 0.25).abs() < 0.03);
}

#[test]
fn visitors_whose_request_failed_may_go() {
    let of = |errors: f64, leave: f64| {
        let arrivals = format!("requests = [4], think = \"100ms\", leave = {leave}");
        let client = "client = { retry = { kind = \"fixed\", attempts = 2, demand = \"own\" } }";
        summary(&shop(
            20.0,
            &arrivals,
            &format!("errors = {{ rate = {errors} }}"),
            client,
        ))
    };
    let sessions = |summary: &Summary| summary.sessions.expect("there are some");
    // Nothing works: each asks once, in two tries, and goes.
    let all = of(1.0, 1.0);
    let told = sessions(&all);
    assert_eq!(
        (all.requests.arrived, told.cut_short),
        (told.begun, told.begun)
    );
    assert_eq!(all.attempts.total, 2 * told.begun);
    // Nobody goes: all ask for all.
    let none = sessions(&of(1.0, 0.0));
    assert_eq!(none.cut_short, 0);
    assert_eq!(sessions(&of(0.0, 1.0)).cut_short, 0);
    // Half of those whose request failed go: after the first, the second or the third of four.
    let half = sessions(&of(1.0, 0.5));
    let share = half.cut_short as f64 / half.begun as f64;
    assert!((share - 7.0 / 8.0).abs() < 0.03, "{share}");
}

/// Visitors of a service with room for all are an M/G/∞ system: their number is Poisson, its mean what
/// comes times how long it stays, whatever the laws.
#[test]
fn the_number_of_sessions_is_poisson() {
    let text = shop(
        40.0,
        "requests = [2, 6], think = { kind = \"uniform\", low = \"1s\", high = \"3s\" }",
        "",
        "warm_up = \"100s\"",
    )
    .replace("horizon = \"500s\"", "horizon = \"40000s\"")
    .replace("every_nth_request = 1", "every_nth_request = 0");
    let mut simulation = start(&text);
    // Looked at so seldom that no session is seen twice.
    let numbers: Vec<f64> = (0..900)
        .map(|look| {
            simulation
                .run_until(Instant::ZERO + sim_core::time::Duration::from_secs(100 + 30 * look));
            simulation.sessions().expect("there are some").under_way as f64
        })
        .collect();
    check_books(&simulation, &text);
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    // Ten sessions a second; four requests of 20 ms and three pauses of 2 s.
    let exact = 10.0 * (4.0 * 0.02 + 3.0 * 2.0);
    let error = student_quantile(0.9995, n - 1.0) * (exact / n).sqrt();
    assert!(
        (mean - exact).abs() < error,
        "{mean}, not {exact} within {error}"
    );
    // A pause more would be found out, and so would the mean that sessions leave out.
    assert!((mean - 10.0 * (4.0 * 0.02 + 4.0 * 2.0)).abs() > error);
    let dispersion = variance / mean;
    let error = student_quantile(0.9995, n - 1.0) * (2.0 / n).sqrt();
    assert!(
        (dispersion - 1.0).abs() < error,
        "{dispersion} within {error}"
    );
    // That of the requests of such sessions in long spans is (2² + 6²) / (2 + 6) = 5.
    assert!(5.0 > 1.0 + error);
    let figure = simulation.sessions().expect("there are some").mean;
    assert!((figure / exact - 1.0).abs() < 0.01, "{figure}");
}

/// The rate counts requests, whatever sessions are like; visitors come at the rate over their mean number.
#[test]
fn the_rate_counts_requests() {
    for arrivals in [
        "requests = [1], think = \"1s\"",
        "requests = [10], think = \"0s\"",
        "requests = [3, 5, 100], think = \"200ms\"",
        "requests = [20], lengths = \"geometric\", think = { kind = \"exponential\", mean = \"1s\" }",
    ] {
        let figures = summary(&shop(200.0, arrivals, "", "warm_up = \"60s\""));
        assert!(
            (figures.offered_hz / 200.0 - 1.0).abs() < 0.07,
            "{arrivals}: {}",
            figures.offered_hz
        );
        assert!((figures.offered_load.expect("known") / 0.016 - 1.0).abs() < 0.1);
    }
    // Of one request each, they are a Poisson stream and nothing else.
    let told = summary(&shop(200.0, "requests = [1], think = \"1s\"", "", ""));
    let sessions = told.sessions.expect("there are some");
    assert_eq!(sessions.begun, told.requests.arrived);
}

/// Visitors who think are kept somewhere: no scenario may have more of them than the limit says.
#[test]
fn visitors_who_think_are_within_limits() {
    let text = "horizon = \"24h\"\nlimits = { in_flight = 20000 }\nrecord = { interval = \"1h\" }\n\
                traffic = [{ to = \"web\", rate = 10000, arrivals = { kind = \"sessions\", requests = [2], think = \"12h\" } }]\n\
                [service.web]\ndemand = \"1us\"\nserver = [{ name = \"s\", workers = 1 }]\n";
    let simulation = run(text);
    assert_eq!(simulation.end(), Some(sim_core::engine::End::InFlightLimit));
    let sessions = simulation.sessions().expect("there are some");
    assert!(
        (19_000..21_000).contains(&sessions.under_way),
        "{sessions:?}"
    );
    // Who never thinks and is refused at once ends by himself.
    let text = shop(
        400.0,
        "requests = [4000], think = \"0s\"",
        "errors = { rate = 1, demand = \"0s\" }",
        "",
    );
    let told = summary(&text);
    assert!(told.complete && told.requests.arrived > 1000);
}

/// What a session asks for belongs to it: whatever becomes of others, and however fast answers are.
#[test]
fn the_requests_of_a_session_are_the_same_under_every_policy() {
    let demands = |policy: &str, workers: u32| {
        let text = shop(40.0, "requests = [5], think = \"1s\"", "", "")
            .replace("\"sticky\"", policy)
            .replace("workers = 50", &format!("workers = {workers}"));
        let rows = log(&text);
        let served = rows
            .iter()
            .filter_map(|row| Some((row.number, row.served?.demand_ns)));
        served.collect::<BTreeMap<u64, u64>>()
    };
    let (one, other) = (demands("\"sticky\"", 50), demands("\"random\"", 1));
    let both = one.keys().filter(|number| other.contains_key(number));
    let same = both
        .clone()
        .filter(|number| one[number] == other[number])
        .count();
    assert!(same > 15_000, "{same}");
    assert_eq!(same, both.count());
}
